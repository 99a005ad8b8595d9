"""What was done to a subscription, as recorded: bindings, locks, releases, effects with proof, and commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simward.engine import events as ev
from simward.engine import outputs as out
from simward.engine import tables
from simward.engine.chapters import Chapter
from simward.engine.layouts import CONFINED_BY_RULE, LOCKED_BY_PERSON
from simward.engine.phrases import address_text, error_cause_text, ipv6_text, prefix_text, printable, short_when, when
from simward.engine.words import Lexicon, changes, finding_id, imeisv_text, session_id_text
from simward.identity import imei_text

RETURNS = "bound-device-returns"
COMMAND_NAMES = {
    ev.COMMAND_LOCK: "lock", ev.COMMAND_RELEASE: "release", ev.COMMAND_DISCONNECT: "disconnect",
    ev.COMMAND_PLAN: "plan", ev.COMMAND_UNPLAN: "unplan", ev.COMMAND_QUARANTINE: "quarantine",
    ev.COMMAND_BIND: "bind", ev.COMMAND_UNBIND: "unbind",
}  # fmt: skip


class Deeds:
    """Turns recorded deeds into chapters, and keeps how things stand after them."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._effects: dict[str, Chapter] = {}
        self._commands: dict[int, dict[str, str]] = {}
        self._last_command: dict[str, str] = {}
        self._reasons: dict[str, str] = {}
        self._told_sequence = self._planned_sequence = 0
        self.locked: dict[str, Any] | None = None
        self.quarantined: dict[str, Any] | None = None
        """Since when, until when and why it is in quarantine by a command."""
        self.restricted = False
        """A command limited it to the area of its use case."""
        self.release_rule = tables.RELEASE_NEVER
        """`release_when` of its use case, as the policy in force has it."""
        self._about_device = False
        self._bound = ""
        self._generation = 0
        self._address = ""
        self._addresses: dict[str, dict[str, str]] = {}

    def command(self, event: Any, sequence: int, notes: dict[str, Any]) -> None:
        """Remember who asked for what, and why, until the fold's answer comes."""
        said = command_note(notes, sequence, int(event["request"]))
        self._last_command = {"name": COMMAND_NAMES[int(event["kind"])], **said}
        if int(event["kind"]) in (ev.COMMAND_PLAN, ev.COMMAND_UNPLAN):
            self._last_command["order"] = str(int(event["delegated_high"]))
            self._last_command["expects"] = expectation(event)
        self._commands[int(event["request"])] = self._last_command

    def output(self, row: Any) -> Iterator[Chapter]:
        """The chapter, if any, that one output row makes."""
        tell = {
            out.BOUND: self._binding,
            out.LOCKED: self._lock,
            out.CONFINED: self._confine,
            out.RELEASED: self._release,
            out.DISCONNECT: self._effect,
            out.CHANGE: self._effect,
            out.EFFECT_PROOF: self._proof,
            out.COMMAND_ANSWER: self._answer,
            out.ADDRESS_GIVEN: self._given,
            out.UNBOUND: self._unbound,
            out.PLANNED: self._planned,
            out.PLAN_ENDED: self._plan_ended,
            out.RESTRICTED: self._restricted,
            out.UNRESTRICTED: self._restricted,
        }.get(int(row["kind"]))
        if tell is not None:
            chapter = tell(row)
            if chapter is not None:
                self._told_sequence = int(row["sequence"])
                yield chapter

    def now(self) -> dict[str, Any]:
        """How things stand."""
        locked = self.locked and {**self.locked, "release_when": RETURNS if self._ends_by_return else None}
        return {
            "locked": locked,
            "quarantined": self.quarantined,
            "bound_device": self._bound or None,
            "limited_to_area": self.restricted,
            "generation": self._generation,
            "address": self._address or None,
            "addresses": [{"apn": apn or None, **given} for apn, given in self._addresses.items()],
        }

    def _binding(self, row: Any) -> Chapter:
        self._bound, self._generation = imeisv_text(row["now"]), int(row["generation"])
        how = "first use" if int(row["event_kind"]) == ev.ACCESS_REQUEST else "as declared"
        if int(row["sequence"]) == self._planned_sequence:
            how = "as planned"
        elif int(row["event_kind"]) == ev.COMMAND_BIND:
            how = self._by(row)
        text = f"Bound to device {self._bound} ({how}, generation {self._generation})."
        return Chapter(int(row["at"]), "bound", text, {"device": self._bound, "generation": self._generation})

    def _planned(self, row: Any) -> Chapter:
        self._planned_sequence = int(row["sequence"])
        order, what = int(row["expected"]), int(row["result"])
        said = changes(row, self._lexicon) or {}
        if what & out.PLAN_DEVICE:
            said["device"] = {"was": imei_text(int(row["was"])) or "none", "now": imei_text(int(row["now"]))}
        told = ", ".join(f"{name} {one['was']} → {one['now']}" for name, one in said.items())
        if not told:
            told = "it was heard at another place"
        text = f"As work order {order} planned: {told}."
        return Chapter(int(row["at"]), "planned", text, {"order": order, "changes": said})

    def _restricted(self, row: Any) -> Chapter:
        self.restricted = int(row["kind"]) == out.RESTRICTED
        said = "Limited to the area of its use case" if self.restricted else "No longer limited to an area"
        name = "restricted" if self.restricted else "unrestricted"
        return Chapter(int(row["at"]), name, f"{said}, {self._by(row)}.", {})

    def _plan_ended(self, row: Any) -> Chapter:
        order, why = int(row["expected"]), out.ENDED_NAMES[int(row["result"])]
        what = f"device {imei_text(int(row['now']))} did not come" if row["now"] else "nothing changed"
        said = {
            "expired": f"Work order {order}: its time is over, and {what}.",
            "cancelled": f"Work order {order} no longer plans anything for it, {self._by(row)}.",
        }.get(why, f"Work order {order} no longer plans anything for it: it was removed from the inventory.")
        return Chapter(int(row["at"]), "plan-ended", said, {"order": order, "why": why})

    def _by(self, row: Any) -> str:
        """Because of what, or who asked and why."""
        if int(row["event_kind"]) in COMMAND_NAMES:
            return asked_by(self._last_command)
        if int(row["event_kind"]) == out.BY_REVISION:
            return "since it was removed from the inventory"
        reason = self._lexicon.reason(row["detector"], row["class"])
        return self._reasons.get(reason, reason)

    def declared(self, device: str, binding: str) -> None:
        """The inventory names a device: where the use case binds by declaration, it is bound from now on."""
        if device and (binding == "declared" or (binding == "model" and not self._bound)):
            self._bound = device

    def removed(self) -> None:
        """It is no longer in the inventory: its lock and its address went with it."""
        self.locked = self.quarantined = None
        self._bound = self._address = ""

    def found(self, finding: dict[str, Any]) -> None:
        """Remember the class of the latest finding of a detector: a lock row names the detector alone."""
        if finding["class"]:
            self._reasons[finding["detector"]] = f"{finding['detector']}/{finding['class']}"

    def _lock(self, row: Any) -> Chapter:
        until = int(row["was"])
        because = self._by(row)
        self.locked, self.quarantined = _standing(row, because), None
        by_finding = int(row["event_kind"]) not in COMMAND_NAMES and int(row["result"]) != LOCKED_BY_PERSON
        self._about_device = by_finding and bool(self._lexicon.detector(row["detector"]).get("about_device"))
        ends = lock_ends(short_when(until) if until else "", self._ends_by_return)
        return Chapter(int(row["at"]), "locked", f"Locked {ends}: {because}.", {"because": because})

    def _confine(self, row: Any) -> Chapter:
        until, because = int(row["was"]), self._by(row)
        self.quarantined = _standing(row, because)
        ends = lock_ends(short_when(until) if until else "", False)
        return Chapter(int(row["at"]), "confined", f"Put into quarantine {ends}: {because}.", {"because": because})

    @property
    def _ends_by_return(self) -> bool:
        """Does the lock end by itself when the bound device is back?"""
        return self._about_device and self.release_rule == tables.RELEASE_BOUND_DEVICE

    def _release(self, row: Any) -> Chapter:
        self.locked = self.quarantined = None
        what = "Released from quarantine" if int(row["now"]) >= CONFINED_BY_RULE else "Lock released"
        how = {
            out.RELEASE_PERSON: f"{what}, {self._by(row)}.",
            out.RELEASE_EXPIRY: f"{what}: its time was over.",
            out.RELEASE_RETURNED: f"{what}: the bound device came back.",
        }.get(int(row["result"]), f"{what}.")
        return Chapter(int(row["at"]), "released", how, {"how": out.RELEASE_NAMES[int(row["result"])]})

    def _unbound(self, row: Any) -> Chapter:
        was, self._bound = imei_text(int(row["was"])), ""
        removed = int(row["event_kind"]) == out.BY_REVISION
        text = f"No longer bound to {f'device {was}' if was else 'any device'}, {self._by(row)}."
        text += "" if removed else " The next device that is allowed becomes the bound one."
        return Chapter(int(row["at"]), "unbound", text, {"was": was, "how": "removed" if removed else "person"})

    def _effect(self, row: Any) -> Chapter | None:
        sequence = int(row["opened_sequence"]) or int(row["sequence"])
        name = finding_id(sequence, row["opened_index"] if row["opened_sequence"] else row["index"])
        if name in self._effects:
            chapter = self._effects[name]
            chapter.facts["attempts"] = max(int(row["now"]), chapter.facts["attempts"] + 1)
            return None
        session, gateway = session_id_text(row) or "", self._lexicon.text(row["gateway"])
        sent_to = gateway or "its gateway"
        asked = int(row["kind"]) == out.CHANGE
        word, why = "Disconnect", self._by(row)
        if asked:
            word, why = "CoA", f"the quarantine filter, {why}"
            if int(row["result"]) == out.OUT_OF_QUARANTINE:
                why = f"the normal filter, {self._over(row)}"
        text = f"{word}-Request sent to {sent_to} for session {session}: {why}. No answer yet."
        if row["held"]:
            held = out.HELD_NAMES[int(row["held"])]
            text = f"Disconnect of session {session} held by {held}: {self._by(row)}."
        facts: dict[str, Any] = {"effect": name, "session_id": session, "gateway": gateway, "proof": None}
        facts["attempts"] = max(1, int(row["now"]))
        if asked:
            facts["change"] = out.CHANGE_NAMES[int(row["result"])]
        self._effects[name] = Chapter(int(row["at"]), "change-of-filter" if asked else "disconnect", text, facts)
        return self._effects[name]

    def _over(self, row: Any) -> str:
        """Why a session is let out of quarantine."""
        if int(row["event_kind"]) in COMMAND_NAMES:
            return self._by(row)
        return f"since {self._lexicon.reason(row['detector'], 0)} is over"

    def _proof(self, row: Any) -> Chapter | None:
        name = finding_id(row["opened_sequence"], row["opened_index"])
        gateway = self._lexicon.text(row["gateway"]) or "the gateway"
        cause = error_cause_text(row["error_cause"])
        word = "CoA" if int(row["event_kind"]) == ev.CHANGE_RESULT else "Disconnect"
        said = {
            ev.EFFECT_ACK: f"{gateway} acknowledged ({word}-ACK).",
            ev.EFFECT_NAK: f"{gateway} refused ({word}-NAK{': ' + cause if cause else ''}).",
            ev.EFFECT_SILENCE: f"{gateway} never answered.",
            ev.EFFECT_NOT_SENT: f"It was not sent: {gateway} takes no CoA, or there is no filter for it.",
        }.get(int(row["result"]), "The answer cannot be read.")
        proof = {"proof": ev.EFFECT_RESULT_NAMES[int(row["result"])], "error_cause": cause or None}
        proof["proved_at"] = when(row["at"])
        chapter = self._effects.get(name)
        if chapter is not None and int(row["result"]) == ev.EFFECT_NOT_SENT:
            chapter.text = chapter.text.replace("-Request sent to", "-Request meant for")
        if chapter is None:
            return Chapter(int(row["at"]), "effect-proof", said, {"effect": name, **proof})
        chapter.text = chapter.text.replace("No answer yet.", said)
        chapter.facts |= proof
        return None

    def _answer(self, row: Any) -> Chapter | None:
        said = self._commands.get(int(row["subject"]), self._last_command)
        result = out.ANSWER_NAMES[int(row["result"])]
        if int(row["result"]) == out.APPLIED and int(row["sequence"]) == self._told_sequence:
            return None  # the lock, release or disconnect itself tells it
        if said.get("name") == "plan":
            text = f"Work order {said['order']} plans {said['expects']}, {asked_by(said)}. Answer: {result}."
            return Chapter(int(row["at"]), "plan", text, {**said, "answer": result})
        text = f"{said.get('name', 'command').capitalize()} {asked_by(said)}. Answer: {result}."
        return Chapter(int(row["at"]), "command", text, {**said, "answer": result})

    def _given(self, row: Any) -> Chapter:
        prefix_length, delegated_length = divmod(int(row["expected"]), 256)
        given = {
            "address": address_text(row["address"]) if row["address"] else "",
            "prefix": prefix_text(row["was"], 0, prefix_length),
            "ipv6_address": ipv6_text(row["before"][0], row["before"][1]),
            "delegated": prefix_text(row["now"], 0, delegated_length),
        }
        given = {name: text for name, text in given.items() if text}
        self._addresses[self._lexicon.text(row["apn"])] = given
        if given.get("address"):
            self._address = given["address"]
        words = {
            "address": "address", "prefix": "prefix", "ipv6_address": "IPv6 address", "delegated": "delegated prefix"
        }  # fmt: skip
        text = f"Given the {', the '.join(f'{words[name]} {one}' for name, one in given.items())}, to keep."
        return Chapter(int(row["at"]), "address", text, dict(given))


def _standing(row: Any, because: str) -> dict[str, Any]:
    """How a lock or quarantine stands from this row on."""
    until = int(row["was"])
    return {"since": when(row["at"]), "until": when(until) if until else None, "because": because}


def lock_ends(until: str, returns: bool) -> str:
    """When a lock or quarantine ends, in words: at a time, by the bound device's return, or only by a release."""
    if until:
        return f"until {until}"
    return "until the bound device returns or somebody releases it" if returns else "until it is released"


def expectation(event: Any) -> str:
    """What a COMMAND_PLAN event expects, in words."""
    flags = int(event["flags"])
    parts = []
    if flags & ev.FLAG_PLAN_DEVICE:
        parts.append(f"device {imei_text(int(event['imei']))}" if event["imei"] else "another device")
    parts += ["another place"] if flags & ev.FLAG_PLAN_PLACE else []
    return f"{' and '.join(parts)} from {short_when(event['prefix_high'])} until {short_when(event['prefix_low'])}"


def asked_by(said: Mapping[str, str]) -> str:
    """Who asked and why, and whether it went past the control plane."""
    how = ", past the control plane (break glass)" if said.get("break_glass") else ""
    return f"asked by {said.get('actor') or 'somebody'}{how}: {said.get('because') or 'no reason given'}"


def command_note(notes: dict[str, Any], sequence: int, request: int) -> dict[str, str]:
    """Who asked and why, from the notes of a command's row: keyed by its sequence or by its id."""
    commands = notes.get("commands") or {}
    for key in (str(sequence), str(request)):
        said = commands.get(key)
        if isinstance(said, dict):
            kept = ("actor", "because", "id", "break_glass")
            return {name: printable(str(said[name]).encode()) for name in kept if said.get(name)}
    return {}
