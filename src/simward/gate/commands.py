"""What people and programs may ask of the gate: commands become events of the next batch, and are answered from it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simward.engine import events
from simward.engine.outputs import ANSWER_NAMES, COMMAND_ANSWER, DUPLICATE
from simward.errors import IdentityError, UsageError
from simward.gate.control import Call
from simward.identity import Iccid

KINDS = {
    "lock": events.COMMAND_LOCK,
    "release": events.COMMAND_RELEASE,
    "disconnect": events.COMMAND_DISCONNECT,
    "pause": events.COMMAND_PAUSE,
    "resume": events.COMMAND_RESUME,
}
ABOUT_A_SUBSCRIPTION = ("lock", "release", "disconnect")
WAITING_MAX = 256
NOTE_CHARACTERS_MAX = 500

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

    def write(self, row: np.ndarray, imsi: int) -> None:
        """Fill an event row (one that reports nothing yet); `imsi` is the subject's, 0 = not in the inventory."""
        row["kind"], row["subject"], row["imsi"], row["request"] = self.kind, self.subject, imsi, self.number
        row["argument"], row["flags"] = self.argument, self.flags


class CommandDesk:
    """Takes calls: some are answered at once by `actions`, the others wait for the next batch."""

    def __init__(self, actions: Mapping[str, Action]) -> None:
        self._actions = dict(actions)
        self.waiting: list[Command] = []

    def hear(self, call: Call) -> None:
        """Answer, or queue, one call."""
        name = call.payload.get("do")
        try:
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
    if not isinstance(generation, int) or isinstance(generation, bool) or not -1 <= generation < 2**31:
        raise UsageError("generation is a whole number (-1: any)")
    because = _text(payload, "because")
    if not because.strip():
        raise UsageError("because: say why, it is kept for the audit")
    note = {"do": name, "actor": _text(payload, "actor"), "because": because, "id": _text(payload, "id")}
    return Command(call, KINDS[name], subject, number_of(note["id"]), generation, _flags(payload, note), note)


def number_of(command_id: str) -> int:
    """The 63-bit number of a command's id; one that nobody else has where no id is given (then nothing is a repeat)."""
    if not command_id:
        return secrets.randbits(62) + 1
    return int.from_bytes(hashlib.blake2b(command_id.encode(), digest_size=8).digest(), "little") >> 1 or 1


def notes_of(commands: list[Command], first: int, kept: np.ndarray) -> dict[str, Any]:
    """Who asked and why, by the sequence that each command got; `kept` says which rows of the batch are journalled."""
    sequences = first - 1 + np.cumsum(kept[: len(commands)])
    return {
        str(int(sequence)): command.note
        for command, sequence, journalled in zip(commands, sequences, kept, strict=False)
        if journalled
    }


def answer(commands: list[Command], outputs: np.ndarray, results: np.ndarray, durable: bool) -> None:
    """Tell each caller what the fold said about its command; they are the first of the batch that was folded."""
    for position, command in enumerate(commands):
        facts: dict[str, Any] = {"result": ANSWER_NAMES[DUPLICATE], "id": command.note["id"]}
        if not results["duplicate"][position]:
            said = outputs[(outputs["kind"] == COMMAND_ANSWER) & (outputs["subject"] == command.number)][-1]
            facts["result"] = ANSWER_NAMES[said["result"]]
            facts["sequence"], facts["generation"] = int(said["sequence"]), int(said["generation"])
        if not durable:
            command.call.refuse("decided, but it cannot be recorded now: the journal cannot be written", **facts)
        elif facts["result"] in REFUSALS:
            command.call.refuse(REFUSALS[facts["result"]], **facts)
        else:
            command.call.answer(**facts)


REFUSALS = {
    "stale": "stale: the binding has changed since (look again, then repeat with its generation)",
    "limited": "limited: the use case's limits or never-cut forbid it",
    "not-found": "not found: no subscription with this ICCID",
}


def _flags(payload: Mapping[str, Any], note: dict[str, str]) -> int:
    """Switches of a command; those that are on are noted for the audit."""
    flags = 0
    for key, flag in (("rebind", events.FLAG_REBIND), ("automation", events.FLAG_AUTOMATION)):
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
    if len(value) > NOTE_CHARACTERS_MAX:
        raise UsageError(f"{key} is at most {NOTE_CHARACTERS_MAX} characters")
    return value
