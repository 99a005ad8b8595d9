"""An honest day of a fleet: which sessions each kind of device has, when, how long and how much; see kinds.py."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simward.lab import geography
from simward.lab.traffic.kinds import CAMERA, CAR, KINDS, LIFT, METER, NUMBER, TERMINAL, TRACKER, kind
from simward.lab.traffic.members import (
    BEGINS_AT,
    DAY_S,
    DAY_US,
    FIRST_WEEKDAY,
    HOUR_S,
    MINUTE_S,
    SECOND_US,
    Members,
)
from simward.lab.traffic.sessions import CONTINUES, GOES_ON, NO_STOP, SESSION, next_serials, sessions_of

RENEWED_SHARE = 0.05
"""Of sessions that are always on: begun anew on a day (detach, paging failure, maintenance)."""
TRIED_AGAIN_SHARE, TRIES_MOST = 0.03, 3
"""Of sessions: their first request came to nothing, and the device tried again, with a back-off."""
STOP_LOST_SHARE = 0.005
BACK_OFF_S = 30
SPREAD_TOGETHER = 0.04
"""Of log octets, from day to day, of a whole kind: weather, prices, holidays."""
SHARE_SPREADS = (0.05, 0.30)
"""Of the log of octets down for each octet up, from day to day: from the steadiest devices to the least steady."""
OPENS_H, CLOSES_H = 8.0, 19.0
VISITS = 5.0
"""Sessions of a payment terminal in a usual day."""
JOURNEYS_SHARE = 0.85
"""Of working days on which a tracker is on the road."""
ABROAD_COLUMN = geography.BORDER + 40


@dataclass
class Volumes:
    """How much each kind sends on a day, as a factor of its usual."""

    factors: np.ndarray = field(default_factory=lambda: np.ones(len(KINDS)))


def honest_sessions(members: Members, number: int, volumes: Volumes, rng: np.random.Generator) -> np.ndarray:
    """SESSION rows of the day with this number, in no order."""
    begins_at = BEGINS_AT + number * DAY_US
    weekday = (FIRST_WEEKDAY + number) % 7
    common = volumes.factors * np.exp(rng.normal(0.0, SPREAD_TOGETHER, len(KINDS)))
    busy = common * np.array([one.week[weekday] for one in KINDS])
    parts = [
        _meters(members, begins_at, busy, rng),
        _always_on(members, CAMERA, begins_at, busy, rng),
        _always_on(members, LIFT, begins_at, busy, rng),
        _terminals(members, begins_at, weekday, busy, rng),
        _cars(members, begins_at, weekday, busy, rng),
        _trackers(members, begins_at, weekday, busy, rng),
    ]
    rows = np.concatenate(parts)
    fresh = (rows["flags"] & CONTINUES) == 0
    tried = fresh & (rng.random(len(rows)) < TRIED_AGAIN_SHARE)
    rows["tries"][tried] = rng.integers(1, TRIES_MOST + 1, int(tried.sum()))
    rows["retry_s"] = BACK_OFF_S
    lost = ((rows["flags"] & GOES_ON) == 0) & (rng.random(len(rows)) < STOP_LOST_SHARE)
    rows["flags"][lost] |= NO_STOP
    return rows


def octets(
    members: Members, who: np.ndarray, busy: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Up and down, of this day, of each of `who` (all of one kind)."""
    mine = members.rows[who]
    one = KINDS[int(mine["kind"][0])] if len(who) else KINDS[0]
    day = busy[NUMBER[one.name]] * np.exp(rng.normal(0.0, one.spread_days, len(who)))
    # How steady a device's protocol is does not go with where it is: any of its own numbers may say so.
    spread = SHARE_SPREADS[0] + (SHARE_SPREADS[1] - SHARE_SPREADS[0]) * mine["leans"][:, 0]
    return mine["up"] * day, mine["down"] * day * np.exp(spread * rng.standard_normal(len(who)))


def _meters(members: Members, begins_at: int, busy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One short session a day at about the same minute."""
    mine = members.by_kind[METER]
    who = mine[rng.random(len(mine)) >= kind(METER).absent]
    up, down = octets(members, who, busy, rng)
    late_s = np.where(members.rows["report_s"][who] < 1000, 0, rng.integers(0, 10 * MINUTE_S, len(who)))
    at = begins_at + (members.rows["report_s"][who] + late_s) * SECOND_US + rng.integers(0, SECOND_US, len(who))
    lasts_s = rng.integers(90, 8 * MINUTE_S, len(who))
    serial = next_serials(members, who)
    return sessions_of(members, who, at, at + lasts_s * SECOND_US, up=up, down=down, serial=serial)


def _always_on(members: Members, name: str, begins_at: int, busy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One session for weeks; on some days it ends and another begins."""
    who, rows = members.by_kind[name], members.rows
    up, down = octets(members, who, busy, rng)
    ends_at = begins_at + DAY_US
    on = rows["session_at"][who] > 0
    renews = on & (rng.random(len(who)) < RENEWED_SHARE)
    cut_at = begins_at + (rng.random(len(who)) * (DAY_US - HOUR_S * SECOND_US)).astype(np.int64)
    cut_at = np.where(on, np.where(renews, cut_at, ends_at), begins_at)
    share = (cut_at - begins_at) / DAY_US
    old = who[on]
    earlier = sessions_of(
        members, old, begins_at, cut_at[on], began_at=rows["session_at"][old], up=(up * share)[on],
        down=(down * share)[on], up_before=rows["session_up"][old], down_before=rows["session_down"][old],
        serial=rows["serial"][old], every_s=kind(name).every_s,
        flags=np.where(renews[on], CONTINUES, CONTINUES | GOES_ON),
    )  # fmt: skip
    begins = renews | ~on
    new = who[begins]
    again_at = cut_at[begins] + MINUTE_S * SECOND_US
    # On the first day at any time: what all began in one hour would report in step ever after.
    within_s = DAY_S - HOUR_S if begins_at == BEGINS_AT else HOUR_S
    again_at += np.where(on[begins], 0, (rng.random(len(new)) * within_s * SECOND_US).astype(np.int64))
    later = sessions_of(
        members, new, again_at, ends_at, up=(up * (1 - share))[begins], down=(down * (1 - share))[begins],
        serial=next_serials(members, new), every_s=kind(name).every_s, flags=GOES_ON,
    )  # fmt: skip
    return np.concatenate([earlier, later])


def carry_on(members: Members, rows: np.ndarray) -> None:
    """What members know of their sessions once a day is over: those of its rows that go on, and what they counted."""
    going = rows[((rows["flags"] & GOES_ON) != 0) & (rows["who"] >= 0) & (rows["salt"] == 0)]
    always_on = np.concatenate([members.by_kind[CAMERA], members.by_kind[LIFT]])
    members.rows["session_at"][always_on] = 0
    who = going["who"]
    members.rows["session_at"][who] = going["began_at"]
    members.rows["session_up"][who] = going["up_before"] + going["up"]
    members.rows["session_down"][who] = going["down_before"] + going["down"]


def _terminals(
    members: Members, begins_at: int, weekday: int, busy: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Short sessions in opening hours, more at noon and in the evening; how many varies with the day's turnover."""
    mine = members.by_kind[TERMINAL]
    up, down = octets(members, mine, busy, rng)
    count = np.clip(rng.poisson(VISITS * kind(TERMINAL).week[weekday], len(mine)), 1, 20)
    who = np.repeat(mine, count)
    first = np.cumsum(count) - count
    place = np.arange(len(who)) - np.repeat(first, count)
    of = np.repeat(count, count)
    # Spread over the day: each in its own part of the opening hours, so that none begins before another ends.
    part_s = (CLOSES_H - OPENS_H) * HOUR_S / of
    at_s = OPENS_H * HOUR_S + (place + rng.random(len(who)) * 0.7) * part_s
    lasts_s = 30 + rng.random(len(who)) * np.minimum(120, part_s * 0.25)
    members.rows["serial"][mine] += count
    serial = np.repeat(members.rows["serial"][mine] - count, count) + place + 1
    at = begins_at + (at_s * SECOND_US).astype(np.int64)
    return sessions_of(
        members, who, at, at + (lasts_s * SECOND_US).astype(np.int64), up=np.repeat(up / count, count),
        down=np.repeat(down / count, count), serial=serial,
    )  # fmt: skip


def _cars(members: Members, begins_at: int, weekday: int, busy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Out in the morning along a road and back in the evening; at weekends some stay at home."""
    mine = members.by_kind[CAR]
    who = mine[rng.random(len(mine)) < (0.9 if weekday < 5 else 0.6)]
    up, down = octets(members, who, busy, rng)
    home = members.rows["site"][who] % geography.COLUMNS
    away = 2 + rng.random(len(who)) * 25
    heading = np.where(home < 60, 1.0, -1.0)
    speed = (45 + rng.random(len(who)) * 65) / geography.SPACING_KM
    lasts_s = away / speed * HOUR_S
    parts = []
    for hour, start, way in ((7.0, home, heading), (16.5, home + heading * away, -heading)):
        at_s = (hour + rng.random(len(who)) * 1.5) * HOUR_S
        parts.append(_journey(members, who, begins_at, at_s, lasts_s, start, way * speed, up / 2, down / 2))
    return np.concatenate(parts)


def _trackers(
    members: Members, begins_at: int, weekday: int, busy: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """On a lorry: some hours along the road, across the border or back; on days of rest a short report."""
    who, rows = members.by_kind[TRACKER], members.rows
    up, down = octets(members, who, busy, rng)
    start, heading = rows["site"][who] % geography.COLUMNS, rows["heading"][who].astype(np.float64)
    drives = rng.random(len(who)) < JOURNEYS_SHARE * kind(TRACKER).week[weekday]
    speed = np.where(drives, (60 + rng.random(len(who)) * 25) / geography.SPACING_KM, 0.0)
    hours = np.where(drives, 3 + rng.random(len(who)) * 3, 3.0)
    end = start + heading * speed * hours
    turns = (end < 2) | (end > ABROAD_COLUMN)
    heading = np.where(turns, -heading, heading)
    end = np.clip(start + heading * speed * hours, 2, geography.COLUMNS - 3)
    rows["heading"][who] = heading
    at_s = (5.5 + rng.random(len(who)) * 1.5) * HOUR_S
    made = _journey(members, who, begins_at, at_s, hours * HOUR_S, start, (end - start) / hours, up, down)
    row = geography.row_of(rows["site"][who])
    rows["site"][who] = geography.site_at(row, np.rint(end))
    return made


def _journey(
    members: Members, who: np.ndarray, begins_at: int, at_s: np.ndarray, lasts_s: np.ndarray, column: np.ndarray,
    columns_an_hour: np.ndarray, up: np.ndarray, down: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """A session from `column` on along a row of sites."""
    row = geography.row_of(members.rows["site"][who])
    site = geography.site_at(row, np.rint(column))
    at = begins_at + (at_s * SECOND_US).astype(np.int64)
    every_s = KINDS[int(members.rows["kind"][who[0]])].every_s if len(who) else 0
    serial = next_serials(members, who)
    return sessions_of(
        members, who, at, np.minimum(at + (lasts_s * SECOND_US).astype(np.int64), begins_at + DAY_US - 1), up=up,
        down=down, serial=serial, site=site, columns_an_hour=columns_an_hour, every_s=every_s, leans=0.5,
    )  # fmt: skip


def nobody() -> np.ndarray:
    """No sessions."""
    return np.zeros(0, SESSION)
