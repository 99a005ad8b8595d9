"""What can be done about an incident or a subscription: what is offered to whom, and what it will do, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simward.control.api.principals import Principal
from simward.control.console.words import count
from simward.registry.incidents import RESOLVED
from simward.response.judging import BENIGN, WIDENED

COMMANDS = ("lock", "quarantine", "disconnect", "release")
"""What the gate does; everything else is done here."""


@dataclass(frozen=True)
class Act:
    """One button, and the dialog behind it."""

    name: str
    label: str
    permission: str
    danger: bool = False
    """It keeps a device from its network."""


ACTS = {one.name: one for one in (
    Act("acknowledge", "Acknowledge", "judge-incidents"), Act("assign", "Assign", "judge-incidents"),
    Act("lock", "Lock", "lock", danger=True), Act("quarantine", "Quarantine", "quarantine", danger=True),
    Act("disconnect", "Disconnect", "disconnect", danger=True), Act("release", "Release", "release"),
    Act("plan", "Planned work", "plan"), Act("note", "Note", "judge-incidents"),
    Act("resolve", "Resolve", "judge-incidents"), Act("reopen", "Reopen", "judge-incidents"),
)}  # fmt: skip
OF_SUBSCRIPTIONS = (*COMMANDS, "plan")


def may(principal: Principal, act: Act) -> bool:
    """May somebody do it, about what they may see?"""
    return principal.local or principal.allows(act.permission, None)


def offered(incident: Mapping[str, Any], members: Sequence[Any], principal: Principal) -> list[str]:
    """What makes sense about an incident as it stands, in the order of the buttons."""
    over, found = incident["state"] == RESOLVED, set(about(members))
    if incident["merged_into"] is not None:
        return []
    if over:
        found |= {"reopen", "note"} | ({"resolve"} if incident["outcome"] is None else set())
    else:
        found |= {"assign", "note", "resolve"} | (set() if incident["acknowledged_at"] else {"acknowledge"})
    return [name for name, act in ACTS.items() if name in found and may(principal, act)]


def about(members: Sequence[Any]) -> list[str]:
    """What makes sense about subscriptions as they stand."""
    known = [one for one in members if one.iccid is not None]
    if not known:
        return []
    found = ["disconnect", "plan"]
    if any(one.locked_at is not None for one in known):
        found.append("release")
    if any(one.locked_at is None or one.confined for one in known):
        found.append("lock")
    if any(one.locked_at is None for one in known):
        found.append("quarantine")
    return found


def preview(act: str, row: Any, live: Sequence[str] | None, incident: Mapping[str, Any] | None) -> list[str]:
    """What an act will do to one subscription. `live` are its sessions by id; None: not known."""
    sessions = _sessions(act, live)
    match act:
        case "lock":
            said = ["It is refused whatever it asks with, in any device, until somebody releases it.", sessions]
        case "quarantine":
            said = [
                "It is confined until somebody releases it: a new session gets an address of its segment's quarantine "
                "pool. Where the segment has none, it is refused.", sessions,
            ]  # fmt: skip
        case "disconnect":
            said = [sessions, "It may connect again at once, unless something refuses it."]
        case "release" if row.locked_at is None:
            said = ["It is neither locked nor in quarantine: nothing changes."]
        case "release":
            bound = f"in device {row.device}" if row.device else "in the first device that policy allows"
            taken = "It leaves quarantine." if row.confined else "The lock comes off."
            said = [f"{taken} It may connect again {bound}; another device is judged as before."]
        case _:
            said = []
    parties = [str(one["party"]) for one in (incident or {}).get("parties", ())]
    if parties and act in COMMANDS:
        said.append(f"Told of it: {', '.join(parties)}.")
    return [one for one in said if one]


def _sessions(act: str, live: Sequence[str] | None) -> str:
    if live is None:
        return "Its live sessions are ended, if there are any."
    if not live:
        return "It has no live session now."
    named = f"{', '.join(live[:3])}{' and more' if len(live) > 3 else ''}"
    if act == "quarantine":
        return (
            f"{count(len(live), 'live session')} ({named}): the gateway is asked to filter it (CoA), or to end it "
            "where it takes no changes."
        )
    return f"{count(len(live), 'live session')} ended: the gateway is sent a Disconnect-Request for {named}."


AS_BENIGN = (
    "As benign: of that device or cohort more is allowed for as long as [behaviour] benign_for says (30 days unless "
    "said), and it learns its new level. Reopening takes that back."
)
NO_MORE = "Nothing more is allowed of the device or cohort that was found to be benign."


def judging_preview(act: str, incident: Mapping[str, Any], locked: int) -> list[str]:
    """What an act will do to an incident."""
    of_behaviour = any(one["detector"] in WIDENED for one in incident["evidence"])
    said: list[str | bool]
    stays = f"{count(locked, 'subscription')} locked or in quarantine: resolving releases nobody." if locked else ""
    match act:
        case "acknowledge":
            said = [
                "It is yours from now on: the deadline to acknowledge it ends, and one to contain it begins, where the "
                "settings have one.",
            ]  # fmt: skip
        case "assign":
            said = [f"It is {incident['owner']}'s now." if incident["owner"] else "It is nobody's yet.",
                    "Its state and deadline stay as they are."]  # fmt: skip
        case "note":
            said = ["One more line of its story. Nothing else changes."]
        case "resolve":
            said = [
                f"It is over. The outcome is noted for {count(incident['findings'], 'finding')}, in the record of the "
                "detectors.", of_behaviour and AS_BENIGN, stays,
            ]  # fmt: skip
        case _:
            said = ["It is open again, and its deadline runs anew. What was judged of its findings is taken back.",
                    of_behaviour and incident["outcome"] == BENIGN and NO_MORE]  # fmt: skip
    return [str(one) for one in said if one]
