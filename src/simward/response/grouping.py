"""What belongs together: which findings make an incident, what they may have in common, and when that makes them one.

Values and tables alone: what is open, and who has joined what, is asked by response/incidents.py.
docs/explanation/incidents.md says it in words; docs/decisions/0029 says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simward.response.announcing import ACTING

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US

REOPEN_WITHIN_US = 24 * HOUR_US
"""The same cause again so soon after its incident was resolved reopens it."""
EXPLAINS_FOR_US = 15 * MINUTE_US
"""So long after an outage is over (or a gateway restarted) may those that it moved still come back otherwise."""
KEPT_US = HOUR_US
"""How long it is kept what the findings of an incident have in common: the longest window below."""

SUBSCRIPTION, SINGLE, OUTAGE, LIMIT = "subscription", "single", "outage", "limit"
BREAK_GLASS, GAP, RULE = "break-glass", "gap", "rule"
"""What makes an incident, besides GROUPINGS: one subscription, one other thing, what befell many at once, a limit that
held responses back, a person who went around control, outputs that nobody could follow, and a rule."""


@dataclass(frozen=True)
class Grouping:
    """Something that findings of one family may have in common.

    Where within `window_us` at least `incidents` incidents of narrower groupings, about at least `subscriptions`
    subscriptions together, have it in common, they are one incident; what comes within a window after joins it.
    """

    name: str
    subscriptions: int
    incidents: int
    window_us: int
    says: str


GROUPINGS = (
    Grouping("device", 2, 2, HOUR_US, "the same device in several subscriptions"),
    Grouping("cell", 5, 4, 10 * MINUTE_US, "many subscriptions in one cell, or that have left it"),
    Grouping("area", 5, 4, 10 * MINUTE_US, "many subscriptions that have left one area"),
    Grouping("software", 5, 4, 10 * MINUTE_US, "many devices of one model with one software version"),
    Grouping("model", 10, 4, 10 * MINUTE_US, "many devices of one model (TAC)"),
    Grouping("gateway", 20, 4, 10 * MINUTE_US, "many subscriptions at one gateway"),
    Grouping("network", 20, 4, 10 * MINUTE_US, "many subscriptions in one visited network"),
    Grouping("use-case", 20, 4, 10 * MINUTE_US, "many subscriptions of one use case"),
)
"""The narrowest first: the narrowest that applies names the cause."""
RANKS = {SUBSCRIPTION: 0, SINGLE: 0, **{one.name: rank for rank, one in enumerate(GROUPINGS, 1)}}
BY_NAME = {one.name: one for one in GROUPINGS}

DEVICE, PLACE, ACCESS, LOCKED, SIGNALLING = "device", "place", "access", "locked", "signalling"
FAMILIES = {
    "device-change": DEVICE, "copied-device": DEVICE, "cloned-subscription": DEVICE, "model-mismatch": DEVICE,
    "location-change": PLACE, "outside-area": PLACE, "impossible-travel": PLACE, "reappeared-changed": PLACE,
    "network-not-permitted": PLACE, "roaming-unexpected": PLACE,
    "apn-not-permitted": ACCESS, "credentials-wrong": ACCESS, "authentication-failures": ACCESS,
    "retry-storm": SIGNALLING, "signalling-storm": SIGNALLING, "synchronised-reconnect": SIGNALLING,
    "subscription-locked": LOCKED,
}  # fmt: skip
"""Detectors that see the same kind of trouble. One that is not here is a family of its own."""
KIN = (DEVICE, PLACE)
"""Of one subscription, these two belong together: who steals a SIM moves it. Of many they do not: a theft must not hide
in an outage, which changes where devices are and never which devices they are."""

OUTAGES = ("cell-silent", "gateway-silent", "gateway-restarted")
"""What befell many at once. It opens an incident whatever policy says, and explains what it moved (family `place`)."""
OF_MANY = ("signalling-storm", "synchronised-reconnect", "authentication-failures")
"""What many do at once, found about the group that explains it: the incident of that group from the beginning, which
takes what was found about its members by the same cause."""
AFTER_OUTAGE = "synchronised-reconnect/after-outage"
"""Except this, which is a part of the outage."""
JOINS_ONLY = ("subscription-locked",)
"""What follows from what was done. It joins the incident of its subscription, and opens none."""
SEVERE = ("high", "critical")
SEVERITIES = ("info", "low", "medium", "high", "critical")
LIMITS_HELD = ("per_hour", "share_of_fleet")
"""Held by one of these, a rule has run away. Held by `never-cut` or a pause, a finding is told by itself."""
CUTTING = ("quarantine", "refuse", "lock")


def matters(document: Mapping[str, Any]) -> bool:
    """Does a finding open an incident? Where policy wants somebody to know, it is severe, or it befell many."""
    acting = document["response"] in ACTING or document["wanted"] in ACTING
    many = is_of_many(document)
    return acting or document["severity"] in SEVERE or document["detector"] in OUTAGES or many


def is_of_many(document: Mapping[str, Any]) -> bool:
    """Is it about what the members of a group do at once?"""
    return document["detector"] in OF_MANY and not document["imsi"] and name_of(document) != AFTER_OUTAGE


def group_of(document: Mapping[str, Any]) -> str:
    """The group that a finding about many is about, as those of its members would name it."""
    if document["class"] == "use-case":
        return f"use case {document['tenant']}/{document['use_case']}"
    return str(document["about"] or f"gateway {document['gateway']}")


def family_of(document: Mapping[str, Any]) -> str:
    """What kind of trouble a finding is. One that came back in another device is a matter of the device."""
    if document["detector"] == "reappeared-changed" and "device" in (document["changes"] or {}):
        return DEVICE
    return FAMILIES.get(document["detector"], document["detector"])


def name_of(document: Mapping[str, Any]) -> str:
    """detector/class."""
    return f"{document['detector']}/{document['class']}" if document["class"] else str(document["detector"])


def own_cause(document: Mapping[str, Any]) -> tuple[str, str]:
    """Grouping and cause of the incident that a finding opens where it belongs to none."""
    if is_of_many(document):
        return str(document["class"]), cause_key(family_of(document), group_of(document))
    if document["detector"] in OUTAGES or name_of(document) == AFTER_OUTAGE:
        return OUTAGE, str(document["about"] or f"gateway {document['gateway']}")
    if document["imsi"]:
        return SUBSCRIPTION, f"{family_of(document)} {document['imsi']}"
    about = document["about"] or document["segment"] or document["gateway"] or document["now"] or "fleet"
    return SINGLE, f"{document['detector']} {about}"[:200]


def limit_cause(document: Mapping[str, Any]) -> str | None:
    """The cause of the incident of a limit that the response to a finding counts against; None where it does not."""
    if document["wanted"] not in CUTTING or not document["use_case"]:
        return None
    return f"{document['wanted']} {document['tenant']}/{document['use_case']}"


def shared(document: Mapping[str, Any], seen: Mapping[str, str]) -> list[tuple[str, str]]:
    """What a finding may have in common with others: (grouping, what), the narrowest first.

    `seen` is what the event reported on which it began (past_sessions.facts_of).
    """
    if is_of_many(document):
        return [(str(document["class"]), group_of(document))]
    changes = document["changes"] or {}
    device = seen.get("device", "")
    said: list[tuple[str, str]] = []
    if device and family_of(document) == DEVICE:
        said.append(("device", f"device {device}"))
    said += [("cell", one) for one in _cells(changes, seen)]
    if str(document["was"]).startswith("area "):
        said.append(("area", str(document["was"])))
    if device and family_of(document) != PLACE:  # that a fleet is of one model says nothing of where it goes
        if "software" in seen:
            said.append(("software", f"model {device[:8]} software {seen['software']}"))
        said.append(("model", f"model {device[:8]}"))
    said += [("gateway", f"gateway {one}") for one in _both(changes, "gateway", document["gateway"])]
    said += [("network", f"network {one}") for one in _both(changes, "network", seen.get("network"))]
    if document["use_case"]:
        said.append(("use-case", f"use case {document['tenant']}/{document['use_case']}"))
    return said


def _cells(changes: Mapping[str, Any], seen: Mapping[str, str]) -> list[str]:
    """The cell that it has left and the one where it is, spelt as the watch spells them."""
    found = []
    if "cell" in changes:
        network = changes.get("network", {}).get("was") or seen.get("network")
        found.append((changes["cell"]["was"], network))
    if "cell" in seen:
        found.append((seen["cell"], seen.get("network")))
    return list(dict.fromkeys(f"cell {cell} in {network}" if network else f"cell {cell}" for cell, network in found))


def _both(changes: Mapping[str, Any], name: str, now: str | None) -> list[str]:
    was = changes.get(name, {}).get("was")
    return list(dict.fromkeys(str(one) for one in (was, now) if one))


def cause_key(family: str, what: str) -> str:
    """The cause of an incident of many: findings of another family have another cause."""
    return f"{family} {what}"[:200]


def worse(one: str, other: str) -> str:
    """The higher of two severities."""
    return max(one, other, key=lambda name: SEVERITIES.index(name) if name in SEVERITIES else 0)


def title_of(grouping: str, document: Mapping[str, Any], what: str) -> str:
    """An incident in one line, without its numbers."""
    name = name_of(document)
    if grouping == LIMIT:
        return f"Limit reached: {document['wanted']} is held back in {document['use_case']} ({name})"
    if grouping == OUTAGE:
        if document["detector"] == "cell-silent":
            return f"Subscriptions of {what} fell silent together"
        if name == AFTER_OUTAGE:
            return f"{what[:1].upper()}{what[1:]} is back, and all connect at once"
        happened = "restarted" if document["detector"] == "gateway-restarted" else "fell silent"
        return f"{what[:1].upper()}{what[1:]} {happened}"
    if grouping in BY_NAME:
        return f"{name} in many subscriptions: {what.removeprefix(f'{family_of(document)} ')}"
    about = document["imsi"] or what.removeprefix(f"{document['detector']} ")
    of = f" of {document['use_case']}" if document["use_case"] else ""
    return f"{name}: {about}{of}"
