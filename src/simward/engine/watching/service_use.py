"""Who uses which service, read from the watch's state: by use case, and of one subscription.

What nobody uses can be taken off: a service that is not there cannot be misused. That is a recommendation about a use
case, not a finding about each of its subscriptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from simward.engine.call_records import DESTINATION_NAMES
from simward.engine.fold import Fold
from simward.engine.watching.layouts import DATA, DAY, DOWN_DAY, DOWN_MONTH, MONTH, SMS, UP_DAY, UP_MONTH, VOICE
from simward.engine.watching.periods import DAY_S, HOUR_S
from simward.engine.watching.state import WatchState
from simward.engine.watching.tallies import DESTINATION_BITS, LOW_BITS, SERVICE_BITS
from simward.identity import plmn_text

SERVICE_NAMES = {DATA: "data", VOICE: "voice", SMS: "sms"}
RISKS = {
    DATA: "data carried out, attacks on others, a way into the private network",
    VOICE: "calls at your cost: premium numbers, or whoever has the SIM",
    SMS: "premium messages at your cost, commands to the device by message",
}
"""What can no longer happen where a service is not there."""
FEW_SHARE, FEW_LEAST = 50, 100
"""Fewer than a fiftieth of at least so many members are few."""

NONE, NOT_PERMITTED, NOT_KNOWN, UNUSED, FEW, USED = (
    "none", "used though none", "not known yet", "unused", "used by few", "used",
)  # fmt: skip


class ServiceUse(NamedTuple):
    """One service of one use case."""

    use_case: str
    service: str
    said: str
    """What policy says: `none`, `budget`, `unlimited`, or nothing."""
    members: int
    ever: int
    """Members that have ever used it."""
    lately: int
    """And within the time asked for."""
    last_used_s: int
    """When any of them used it last, 0 = never."""
    known_since_s: int
    """Since when it is known who uses it, 0 = it is not: nothing tells of it."""
    verdict: str
    risk: str
    """What taking it off would rule out; empty where nothing speaks for that."""

    def as_json(self) -> dict[str, Any]:
        """Its facts; times in seconds since 1970, null where there is none."""
        facts = self._asdict()
        for name in ("last_used_s", "known_since_s"):
            facts[name] = facts[name] or None
        return facts


def of_use_cases(gate: Fold, state: WatchState, unused_for_s: int) -> Iterator[ServiceUse]:
    """Each service of each use case that has members, as of the newest input of the watch."""
    count = int(gate.state.meta["subscriptions"][0])
    table, usage = gate.state.subscriptions[:count], state.usage[:count]
    live, cases = table["imsi"] != 0, np.asarray(table["use_case"])
    now_s, since_s = int(state.watch_meta["now"][0]) // 1_000_000, int(state.watch_meta["records_since_s"][0])
    last = _last_used_s(state, count)
    known_days = usage["known_day"][usage["known_day"] > 0]
    began_s = int(known_days.min()) * DAY_S if len(known_days) else 0
    names = gate.state.policy.names["use_cases"]
    counted = {service: _counted(cases, live, usage["services"] >> service & 1 != 0, last[service],
                                 now_s - unused_for_s) for service in SERVICE_NAMES}  # fmt: skip
    for number in np.unique(cases[live]).tolist():
        for service, name in SERVICE_NAMES.items():
            members, ever, lately, newest = (int(one[number]) for one in counted[service])
            found = ServiceUse(
                names[number] if number < len(names) else "", name, _said(state, number, name), members, ever, lately,
                newest, began_s if service == DATA else since_s, "", "",
            )  # fmt: skip
            yield _judged(found, service, now_s - unused_for_s)


def _counted(cases: np.ndarray, live: np.ndarray, uses: np.ndarray, last_s: np.ndarray, wanted_s: int) -> tuple[
    np.ndarray, np.ndarray, np.ndarray, np.ndarray
]:  # fmt: skip
    """By use case: members, those that have ever used a service, that have since `wanted_s`, and when any did last."""
    room = int(cases.max(initial=0)) + 1
    ever = live & uses
    newest = np.zeros(room, np.int64)
    np.maximum.at(newest, cases[ever], last_s[ever])
    members, users, lately = (
        np.bincount(cases[one], minlength=room) for one in (live, ever, ever & (last_s > wanted_s))
    )
    return members, users, lately, newest


def _judged(one: ServiceUse, service: int, wanted_s: int) -> ServiceUse:
    """With what is to be thought of it, `wanted_s` being when nobody would have used it since."""
    few = one.members >= FEW_LEAST and one.lately * FEW_SHARE < one.members
    if one.said == "none":
        verdict = NOT_PERMITTED if one.lately else NONE
    elif not one.known_since_s or (one.known_since_s > wanted_s and not one.lately):
        verdict = NOT_KNOWN
    elif not one.lately:
        verdict = UNUSED
    else:
        verdict = FEW if few and one.known_since_s <= wanted_s else USED
    risk = RISKS[service] if verdict in (UNUSED, FEW, NOT_PERMITTED) else ""
    return one._replace(verdict=verdict, risk=risk)


def _said(state: WatchState, use_case: int, service: str) -> str:
    """What policy says of a service, as it was compiled for the detectors."""
    knobs = state.knobs[use_case] if use_case < len(state.knobs) else state.knobs[0]
    if knobs["service_not_permitted"][f"no_{service}"]:
        return "none"
    if knobs["budget_exceeded"][f"{service}_budget_count"]:
        return "budget"
    return "unlimited" if knobs["service_not_permitted"][f"{service}_said"] else ""


def _last_used_s(state: WatchState, count: int) -> dict[int, np.ndarray]:
    """For each service when each subscription used it last, s, to the hour; 0 = never, or not known any more."""
    last = {service: np.zeros(count, np.int64) for service in SERVICE_NAMES}
    last[DATA] = state.usage["hour"][:count].astype(np.int64) * HOUR_S
    at = state.called["head"][:count].astype(np.int64)
    rows = np.flatnonzero(at)
    while len(rows):  # a step along every chain at once
        found = state.tallies[at[rows] - 1]
        services = (found["key"] - 1) & (1 << SERVICE_BITS) - 1
        for service in (DATA, SMS, VOICE):
            mine = services == service
            newest = found["hour"][mine].astype(np.int64) * HOUR_S
            last[service][rows[mine]] = np.maximum(last[service][rows[mine]], newest)
        at[rows] = found["next"]
        rows = rows[at[rows] != 0]
    return last


def of_subscription(state: WatchState, row: int) -> dict[str, Any]:
    """What one has used today and this month, by UTC and as of the newest input of the watch."""
    now_s = int(state.watch_meta["now"][0]) // 1_000_000
    usage = state.usage[row]
    octets = usage["low"].astype(np.int64) | (usage["high"].astype(np.int64) << 32)
    newest_s = int(usage["hour"]) * HOUR_S
    counters = {
        "day": (DAY, UP_DAY, DOWN_DAY, "sessions_day"), "month": (MONTH, UP_MONTH, DOWN_MONTH, "sessions_month"),
    }  # fmt: skip
    told: dict[str, Any] = {}
    for name, (period, up, down, sessions) in counters.items():
        counts = _is_same(period, newest_s, now_s)
        told[name] = {
            "uplink_octets": int(octets[up]) if counts else 0, "downlink_octets": int(octets[down]) if counts else 0,
            "sessions": int(usage[sessions]) if counts else 0,
            **_of_records(state, row, period, now_s),
        }  # fmt: skip
    return told


def _of_records(state: WatchState, row: int, period: int, now_s: int) -> dict[str, Any]:
    """And what call detail records tell of it: messages, seconds by class, and each network."""
    voice = {name or "other": 0 for name in DESTINATION_NAMES}
    messages, networks = 0, dict[str, dict[str, int]]()
    at = int(state.called["head"][row])
    while at:
        one = state.tallies[at - 1]
        at = int(one["next"])
        if not _is_same(period, int(one["hour"]) * HOUR_S, now_s):
            continue
        amount = int(one["low"][period]) | int(one["high"][period - 1]) << LOW_BITS
        service, destination, plmn = _parts(int(one["key"]))
        network = networks.setdefault(plmn_text(plmn) if plmn else "", {"voice_s": 0, "messages": 0, "octets": 0})
        network[{VOICE: "voice_s", SMS: "messages", DATA: "octets"}[service]] += amount
        if service == VOICE:
            voice[DESTINATION_NAMES[destination] or "other"] += amount
        elif service == SMS:
            messages += amount
    return {"messages": messages, "voice_s": voice, "networks": networks}


def _parts(key: int) -> tuple[int, int, int]:
    """Service, class of destination and network of a key, as tallies.tally_key makes it: nothing is compiled for it."""
    rest, service = divmod(key - 1, 1 << SERVICE_BITS)
    plmn, destination = divmod(rest, 1 << DESTINATION_BITS)
    return service, destination, plmn


def _is_same(period: int, one_s: int, other_s: int) -> bool:
    """Are both in one day, or month, of UTC?"""
    one, other = (datetime.fromtimestamp(at_s, UTC) for at_s in (one_s, other_s))
    return one.date() == other.date() if period == DAY else (one.year, one.month) == (other.year, other.month)
