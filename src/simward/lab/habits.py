"""What honest devices do all day, for whole use cases at once: sessions, places, handovers, at realistic rates."""

from __future__ import annotations

from typing import Any

import numpy as np

from simward.engine import events as ev
from simward.lab import geography
from simward.lab.fleet import CAMERA, CAR, CITY_COLUMN, CITY_REACH, CITY_ROW, LIFT_ALARM, SCOOTER, TRACKER, WATER_METER
from simward.lab.geography import SPACING_KM
from simward.lab.population import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Population
from simward.lab.sightings import Day, as_events, joined, sightings

Columns = dict[str, np.ndarray]

ABSENT_SHARE = 0.03
"""Of devices on battery: no report on a day."""
RESELECTED_SHARES = (0.14, 0.05, 0.01)
"""Of reports of what stands still: seen by the neighbouring cell that it hears best after its own, by the next best,
and by any (load, weather, a lorry in front)."""
RENEWED_SHARE = 0.1
"""Of sessions that are always on: begun anew on a day (paging failure, detach, maintenance)."""
PARTNER_SHARE = 0.1
"""Of journeys at home: in the partner's network."""
NIGHT_ENDS, DRIVE_MOST_H = 5.5, 6


def honest_day(population: Population, begins_at: int, rng: np.random.Generator) -> Day:
    """One day of everybody. `begins_at`: midnight, us."""
    parts = _daily(population, population.by_use_case[WATER_METER], begins_at, rng)
    parts += _always_on(population, population.by_use_case[LIFT_ALARM], begins_at, rng, every_us=6 * HOUR_US)
    parts += _always_on(population, population.by_use_case[CAMERA], begins_at, rng, every_us=8 * HOUR_US)
    parts += _cars(population, population.by_use_case[CAR], begins_at, rng)
    parts += _trackers(population, population.by_use_case[TRACKER], begins_at, rng)
    parts += _scooters(population, population.by_use_case[SCOOTER], begins_at, rng)
    columns = joined(parts)
    population.rows["renew_at"] = 0
    population.rows["no_stop"] = False
    return Day(begins_at, as_events(population, columns), columns["who"])


def camped(population: Population, who: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Where something that stands still is seen: its home cell, or a neighbour of it."""
    rows = population.rows
    home, sectors, leans = rows["site"][who], rows["sector"][who], rows["leans"][who]
    drawn, (best, next_best, any_other) = rng.random(len(who)), np.cumsum(RESELECTED_SHARES)
    away = drawn < any_other
    towards = np.where(drawn < best, leans[:, 0], np.where(drawn < next_best, leans[:, 1], rng.random(len(who))))
    site = np.where(away, geography.beside(home, towards), home)
    sector = np.where(away, rng.integers(1, 4, len(who)), sectors)
    return {"site": site, "sector": sector, "network": geography.network_at(site, rows["network"][who])}


def roaming(site: Any, rng: np.random.Generator, count: int) -> dict[str, Any]:
    """Where something that moves is seen at `site`: any sector, the network that serves there."""
    preferred = np.where(rng.random(count) < PARTNER_SHARE, geography.PARTNER, geography.HOME)
    return {
        "site": site, "sector": rng.integers(1, 4, count), "network": geography.network_at(np.asarray(site), preferred),
    }  # fmt: skip


def begin_session(
    population: Population, who: np.ndarray, at: np.ndarray, place: dict[str, Any]
) -> tuple[list[Columns], np.ndarray]:
    """Access-Request and Start a second later, in a session with the next serial."""
    population.rows["serial"][who] += 1
    serial = population.rows["serial"][who]
    asked = sightings(who, at, ev.ACCESS_REQUEST, serial, **place)
    return [asked, sightings(who, at + SECOND_US, ev.ACCOUNTING_START, serial, **place)], serial


def report(
    who: np.ndarray, at: np.ndarray, kind: int, serial: np.ndarray, begun: np.ndarray, place: dict[str, Any]
) -> Columns:
    """An interim or Stop of a session that began at `begun`."""
    return sightings(who, at, kind, serial, duration_s=(at - begun) // SECOND_US, **place)


def _daily(population: Population, members: np.ndarray, begins_at: int, rng: np.random.Generator) -> list[Columns]:
    """One short session a day at about the same minute; some days none."""
    who = members[rng.random(len(members)) >= ABSENT_SHARE]
    at = (begins_at + population.rows["minute"][who] + rng.random(len(who)) * 10 * MINUTE_US).astype(np.int64)
    place = camped(population, who, rng)
    parts, serial = begin_session(population, who, at, place)
    ends = at + (2 * MINUTE_US + rng.random(len(who)) * 6 * MINUTE_US).astype(np.int64)
    return [*parts, report(who, ends, ev.ACCOUNTING_STOP, serial, at + SECOND_US, place)]


def _always_on(
    population: Population, members: np.ndarray, begins_at: int, rng: np.random.Generator, *, every_us: int
) -> list[Columns]:
    """One long session with interims; now and then it ends and another begins a minute later."""
    rows = population.rows
    begun, serial = rows["begun_at"][members].copy(), rows["serial"][members].copy()
    renew = rows["renew_at"][members].copy()
    drawn = begins_at + (rng.random(len(members)) * (DAY_US - 10 * MINUTE_US)).astype(np.int64)
    renew = np.where((renew == 0) & (rng.random(len(members)) < RENEWED_SHARE), drawn, renew)
    renew = np.where(begun == 0, begins_at + (rng.random(len(members)) * HOUR_US).astype(np.int64), renew)
    ending = (renew > 0) & (begun > 0) & ~rows["no_stop"][members]
    place = camped(population, members[ending], rng)
    parts = [report(members[ending], renew[ending], ev.ACCOUNTING_STOP, serial[ending], begun[ending], place)]
    again = members[renew > 0]
    began = renew[renew > 0] + MINUTE_US
    parts += begin_session(population, again, began, camped(population, again, rng))[0]
    rows["begun_at"][again] = began + SECOND_US
    for slot in range(DAY_US // every_us):
        at = begins_at + (rows["minute"][members] % every_us).astype(np.int64) + slot * every_us
        earlier = (begun > 0) & ((renew == 0) | (at < renew))
        later = (renew > 0) & (at > renew + 2 * MINUTE_US)
        for which, of_serial, since in (
            (earlier, serial, begun),
            (later, serial + 1, rows["begun_at"][members]),
        ):
            some = members[which]
            where = camped(population, some, rng)
            parts.append(report(some, at[which], ev.ACCOUNTING_INTERIM, of_serial[which], since[which], where))
    return parts


def _cars(population: Population, members: np.ndarray, begins_at: int, rng: np.random.Generator) -> list[Columns]:
    """Out in the morning along a road, back in the evening; a handover at each interim."""
    count, rows = len(members), population.rows
    home = rows["site"][members] % geography.COLUMNS
    away = rng.random(count) * 80.0 / SPACING_KM
    direction = np.where(home < 60, 1, -1)
    parts: list[Columns] = []
    for hour, start, heading in ((7.0, home, direction), (16.5, home + direction * away, -direction)):
        at = begins_at + ((hour + rng.random(count)) * HOUR_US).astype(np.int64)
        speed = (45 + rng.random(count) * 65) / SPACING_KM  # columns an hour
        hours = np.maximum(away / speed, 0.1)
        parts += _journey(population, members, at, start, heading * speed, hours, 0.25, 7, rng)
    return parts


def _trackers(population: Population, members: np.ndarray, begins_at: int, rng: np.random.Generator) -> list[Columns]:
    """On a lorry: some hours along the road, across the border or back, and then a rest."""
    count, rows = len(members), population.rows
    start, heading = rows["column"][members], rows["direction"][members].astype(np.float64)
    speed = (60 + rng.random(count) * 30) / SPACING_KM
    hours = rng.random(count) * DRIVE_MOST_H
    ends = start + heading * speed * hours
    turns = (ends < 2) | (ends > geography.COLUMNS - 3)
    heading = np.where(turns, -heading, heading)
    rows["direction"][members] = heading
    rows["column"][members] = np.clip(start + heading * speed * hours, 2, geography.COLUMNS - 3)
    at = begins_at + ((NIGHT_ENDS + rng.random(count)) * HOUR_US).astype(np.int64)
    return _journey(population, members, at, start, heading * speed, hours, 1.0, 7, rng)


def _journey(
    population: Population, who: np.ndarray, at: np.ndarray, start: np.ndarray, columns_per_h: np.ndarray,
    hours: np.ndarray, every_h: float, most: int, rng: np.random.Generator,
) -> list[Columns]:  # fmt: skip
    """A session along a row of sites, with an interim each `every_h`, from `start` for `hours`."""
    row = population.rows["site"][who] // geography.COLUMNS

    def seen(some: np.ndarray, after_h: Any) -> dict[str, Any]:
        column = start[some] + columns_per_h[some] * np.minimum(after_h, hours[some])
        return roaming(geography.site_at(row[some], np.rint(column)), rng, len(some))

    everybody = np.arange(len(who))
    parts, serial = begin_session(population, who, at, seen(everybody, 0.0))
    began = at + SECOND_US
    for number in range(1, most + 1):
        driving = everybody[hours > number * every_h + 0.02]
        when = began[driving] + int(number * every_h * HOUR_US)
        place = seen(driving, number * every_h)
        parts.append(report(who[driving], when, ev.ACCOUNTING_INTERIM, serial[driving], began[driving], place))
    ends = began + (hours * HOUR_US).astype(np.int64) + MINUTE_US
    return [*parts, report(who, ends, ev.ACCOUNTING_STOP, serial, began, seen(everybody, hours))]


def _scooters(population: Population, members: np.ndarray, begins_at: int, rng: np.random.Generator) -> list[Columns]:
    """Three short rides within the town, each from where the one before ended."""
    count, rows = len(members), population.rows
    parts: list[Columns] = []
    for hour in (8.0, 12.0, 18.0):
        at = begins_at + ((hour + 2 * rng.random(count)) * HOUR_US).astype(np.int64)
        begun, serial = begin_session(population, members, at, roaming(rows["site"][members], rng, count))
        site = geography.beside(rows["site"][members], rng.random(count))
        row = np.clip(geography.row_of(site), CITY_ROW - CITY_REACH, CITY_ROW + CITY_REACH)
        column = np.clip(geography.column_of(site), CITY_COLUMN - CITY_REACH, CITY_COLUMN + CITY_REACH)
        rows["site"][members] = geography.site_at(row, column)
        ends = at + ((10 + 20 * rng.random(count)) * MINUTE_US).astype(np.int64)
        place = roaming(rows["site"][members], rng, count)
        parts += [*begun, report(members, ends, ev.ACCOUNTING_STOP, serial, at + SECOND_US, place)]
    return parts
