"""What people and programs may ask of the gate: commands become events of the next batch, and are answered from it."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from simward.engine import events
from simward.engine.layouts import PLANS_EACH, PLANS_MAX
from simward.engine.outputs import (
    ANSWER_NAMES,
    APPLIED,
    BOUND,
    CHANGE,
    COMMAND_ANSWER,
    CONFINED,
    DISCONNECT,
    DUPLICATE,
    LIMITED,
    LOCKED,
    NOT_FOUND,
    PLAN_ENDED,
    RELEASED,
    RESTRICTED,
    STALE,
    UNBOUND,
    UNFIT,
    UNRESTRICTED,
)  # fmt: skip
from simward.engine.tables import LIFECYCLE, STATE_BITS
from simward.errors import IdentityError, UsageError
from simward.gate.control import Call
from simward.gate.planning import Planned, planned_of
from simward.gate_socket import ABOUT_A_SUBSCRIPTION, GENERATION_END, NOTE_CHARACTERS_MAX
from simward.identity import Iccid, Imei
from simward.logs import called

log = logging.getLogger(__name__)

KINDS = {
    "lock": events.COMMAND_LOCK,
    "release": events.COMMAND_RELEASE,
    "disconnect": events.COMMAND_DISCONNECT,
    "pause": events.COMMAND_PAUSE,
    "resume": events.COMMAND_RESUME,
    "plan": events.COMMAND_PLAN,
    "unplan": events.COMMAND_UNPLAN,
    "quarantine": events.COMMAND_QUARANTINE,
    "bind": events.COMMAND_BIND,
    "unbind": events.COMMAND_UNBIND,
}
SWITCHES = {"rebind": events.FLAG_REBIND, "automation": events.FLAG_AUTOMATION, "area": events.FLAG_AREA}
WAITING_MAX = 256
IMSIS_MAX = 32
"""Of one ICCID. A card does not carry more; an ICCID that stands for "unknown" in many lines of an inventory does."""
SUSPENDED = LIFECYCLE.index("suspended")
"""This state and the one after it: refused whatever comes."""
STRONGEST_FIRST = (APPLIED, STALE, LIMITED, UNFIT, DUPLICATE, NOT_FOUND)

Action = Callable[[Call], None]
"""Answers a call now or later; UsageError and IdentityError are answered as refusals."""


@dataclass
class Command:
    """One command on its way through a batch."""

    call: Call
    kind: int
    subject: int
    number: int
    argument: int
    flags: int
    note: dict[str, str]
    planned: Planned | None = None
    imei: int = 0
    """bind: to which device, 0 = the one seen last."""


class Part(NamedTuple):
    """A command's event for one subscription: one ICCID may carry several IMSIs."""

    command: Command
    imsi: int
    """0 = nobody's: not in the inventory, or a command that is about no subscription."""
    lifecycle: int = 0
    """What the inventory says of it (LIFECYCLE)."""

    @property
    def number(self) -> int:
        """What the fold knows repetitions by: the same for the same command and the same subscription."""
        if not self.imsi:
            return self.command.number
        both = self.command.number.to_bytes(8, "little") + self.imsi.to_bytes(8, "little")
        return _number(both)

    def write(self, row: np.ndarray) -> None:
        """Fill an event row (one that reports nothing yet)."""
        command = self.command
        row["kind"], row["subject"], row["imsi"], row["request"] = command.kind, command.subject, self.imsi, self.number
        row["argument"], row["flags"], row["imei"] = command.argument, command.flags, command.imei
        if command.planned is not None:
            command.planned.write(row)


class CommandDesk:
    """Takes calls: some are answered at once by `actions`, the others wait for the next batch."""

    def __init__(self, actions: Mapping[str, Action]) -> None:
        self._actions = dict(actions)
        self.waiting: list[Command] = []

    def hear(self, call: Call) -> None:
        """Answer, or queue, one call."""
        name = call.payload.get("do")
        try:
            if not isinstance(name, str):
                raise UsageError("do: the name of a command")
            if name in KINDS:
                if len(self.waiting) >= WAITING_MAX:
                    raise UsageError("too many commands at once")
                self.waiting.append(command_of(call, name))
            elif name in self._actions:
                self._actions[name](call)
            else:
                known = ", ".join(sorted([*KINDS, *self._actions]))
                raise UsageError(f"unknown command {name!r}; there are: {known}")
        except (UsageError, IdentityError) as error:
            call.refuse(str(error))

    def take(self, limit: int) -> list[Command]:
        """The commands of this batch; the rest waits."""
        if not self.waiting:
            return []
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return taken

    def refuse_waiting(self, why: str) -> None:
        """The gate cannot take commands now."""
        for command in self.waiting:
            command.call.refuse(why)
        self.waiting.clear()


def command_of(call: Call, name: str) -> Command:
    """Check what was asked for; raises UsageError or IdentityError in words."""
    payload = call.payload
    subject = 0
    if name in ABOUT_A_SUBSCRIPTION:
        subject = Iccid.parse(_text(payload, "iccid")).number
    generation = payload.get("generation", -1)
    if not isinstance(generation, int) or isinstance(generation, bool) or not -1 <= generation < GENERATION_END:
        raise UsageError("generation is a whole number (-1: any)")
    because = _text(payload, "because")
    if not because.strip():
        raise UsageError("because: say why, it is kept for the audit")
    note = {"do": name, "actor": _text(payload, "actor"), "because": because, "id": _text(payload, "id")}
    note |= past_control(payload, note)
    planned = planned_of(payload, name)
    if planned is not None:
        note["order"] = str(planned.order)
    flags = _flags(payload, note)
    imei = device_of(payload, name, note)
    return Command(call, KINDS[name], subject, number_of(note["id"]), generation, flags, note, planned, imei)


def device_of(payload: Mapping[str, Any], name: str, note: dict[str, str]) -> int:
    """Which device a bind names, noted for the audit; 0 where it names none: the one seen last."""
    text = _text(payload, "imei") if name == "bind" else ""
    if not text:
        return 0
    imei = Imei.parse(text)
    note["imei"] = imei.text
    return imei.number


def past_control(payload: Mapping[str, Any], note: Mapping[str, str]) -> dict[str, str]:
    """What is noted of a command that went past the control plane (`break_glass`), and the warning that it did."""
    wanted = payload.get("break_glass", False)
    if not isinstance(wanted, bool):
        raise UsageError("break_glass is true or false")
    if wanted:
        who, why = note.get("actor") or "somebody", note.get("because") or "no reason given"
        log.warning(
            "break glass: %s asked by %r past the control plane: %r", note["do"], who, why,
            extra=called("break-glass", command=note["do"], actor=who),
        )
    return {"break_glass": "yes"} if wanted else {}


def number_of(command_id: str) -> int:
    """The 63-bit number of a command's id; one that nobody else has where no id is given (then nothing is a repeat)."""
    if not command_id:
        return secrets.randbits(62) + 1
    return _number(command_id.encode())


def parts_of(commands: list[Command], subscriptions: np.ndarray) -> list[Part]:
    """The events that carry out these commands, those of one command together; one that would be too many is refused.

    `subscriptions` are the rows of the table that were ever used. It is read once, however many commands there are.
    """
    if not commands:
        return []
    wanted = np.unique(np.array([command.subject for command in commands], np.int64))
    iccids = np.asarray(subscriptions["iccid"])
    places = np.minimum(np.searchsorted(wanted, iccids), len(wanted) - 1)
    found: dict[int, list[tuple[int, int]]] = {}
    for row in np.flatnonzero((wanted[places] == iccids) & (iccids != 0)):
        if imsi := int(subscriptions["imsi"][row]):
            found.setdefault(int(iccids[row]), []).append((imsi, int(subscriptions["lifecycle"][row]) & STATE_BITS))
    parts: list[Part] = []
    for command in commands:
        mine = found.get(command.subject) or [(0, 0)]
        if len(mine) > IMSIS_MAX:
            command.call.refuse(f"{len(mine)} subscriptions of the inventory have this ICCID: no card carries so many")
        else:
            parts.extend(Part(command, imsi, lifecycle) for imsi, lifecycle in sorted(mine))
    return parts


def notes_of(parts: list[Part], first: int, kept: np.ndarray) -> dict[str, Any]:
    """Who asked and why, by the sequence that each event got; `kept` says which rows of the batch are journalled."""
    sequences = first - 1 + np.cumsum(kept[: len(parts)])
    return {
        str(int(sequence)): part.command.note
        for part, sequence, journalled in zip(parts, sequences, kept, strict=False)
        if journalled
    }


def answer(parts: list[Part], outputs: np.ndarray, results: np.ndarray, durable: bool) -> None:
    """Tell each caller what the fold said about its command; `parts` are the first of the batch that was folded.

    Applied where it was for any IMSI of the card, else the strongest reason why not.
    """
    answers = outputs[outputs["kind"] == COMMAND_ANSWER]
    answered = {int(one["subject"]): one for one in answers}
    said_of: dict[int, tuple[Command, list[dict[str, Any]]]] = {}
    out_of_service: Counter[int] = Counter()
    for position, part in enumerate(parts):
        facts: dict[str, Any] = {"result": DUPLICATE}
        if not results["duplicate"][position]:
            facts = {name: int(answered[part.number][name]) for name in ("result", "sequence", "generation")}
            done = outputs["kind"][outputs["sequence"] == facts["sequence"]].tolist()
            facts["did"] = [DEEDS[kind] for kind in done if kind in DEEDS]
        said_of.setdefault(id(part.command), (part.command, []))[1].append(facts)
        out_of_service[id(part.command)] = max(out_of_service[id(part.command)], part.lifecycle)
    for command, said in said_of.values():
        strongest = min(said, key=lambda one: STRONGEST_FIRST.index(one["result"]))
        if any("did" in one for one in said):
            strongest = {**strongest, "did": sorted(deed for one in said for deed in one.get("did", ()))}
        facts = {**strongest, "result": ANSWER_NAMES[strongest["result"]], "id": command.note["id"]}
        if len(said) > 1:
            facts["imsis"] = dict(Counter(ANSWER_NAMES[one["result"]] for one in said))
        if out_of_service[id(command)] >= SUSPENDED:  # a release lets nobody in whom the inventory keeps out
            facts["state"] = LIFECYCLE[out_of_service[id(command)]]
        if not durable:
            command.call.refuse("decided, but it cannot be recorded now: the journal cannot be written", **facts)
        elif facts["result"] in REFUSALS:
            refusals = PLAN_REFUSALS if command.kind == events.COMMAND_PLAN else REFUSALS
            command.call.refuse(refusals[facts["result"]], **facts)
        else:
            command.call.answer(**facts)


DEEDS = {
    LOCKED: "locked", RELEASED: "released", UNBOUND: "unbound", DISCONNECT: "disconnect", CHANGE: "change",
    PLAN_ENDED: "plan-ended", CONFINED: "quarantined", BOUND: "bound", RESTRICTED: "restricted",
    UNRESTRICTED: "unrestricted",
}  # fmt: skip
"""What an answer tells of the outputs: an applied command may have found nothing to do."""
REFUSALS = {
    "stale": "stale: the binding has changed since (look again, then repeat with its generation)",
    "limited": "limited: the use case's limits or never-cut forbid it",
    "not-found": "not found: no subscription with this ICCID",
    "unfit": "unfit: it was never seen in a device, its use case names no area, or the inventory declares its device",
}

PLAN_REFUSALS = {
    **REFUSALS,
    "stale": "stale: its time is over, or the binding has changed since",
    "limited": f"limited: {PLANS_EACH} changes are planned for this subscription already, or {PLANS_MAX} in all",
}


def _number(octets: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(octets, digest_size=8).digest(), "little") >> 1 or 1


def _flags(payload: Mapping[str, Any], note: dict[str, str]) -> int:
    """Switches of a command; those that are on are noted for the audit."""
    flags = 0
    for key, flag in SWITCHES.items():
        if payload.get(key, False) is True:
            flags |= flag
            note[key] = "yes"
        elif payload.get(key, False) is not False:
            raise UsageError(f"{key} is true or false")
    return flags


def _text(payload: Mapping[str, Any], key: str) -> str:
    value = payload.get(key, "")
    if not isinstance(value, str):
        raise UsageError(f"{key} is a text")
    if "\0" in value:  # PostgreSQL can keep no such text: what follows the journal there would stop at it
        raise UsageError(f"{key} is no text: it holds a NUL")
    if len(value) > NOTE_CHARACTERS_MAX:
        raise UsageError(f"{key} is at most {NOTE_CHARACTERS_MAX} characters")
    try:
        value.encode()
    except UnicodeEncodeError as error:  # JSON can write halves of characters
        raise UsageError(f"{key} is no text: {error.reason}") from error
    return value
