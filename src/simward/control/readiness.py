"""What has to hold for the control plane to be of use: conditions that its parts report, asked by `/readyz`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from simward.control.gate_link import GateLink, GateUnreachable

LOOK_WITHIN_S = 2.0
KEPT_S = 1.0
"""Who asks more often is told what was found then: the question is open to everybody."""


@dataclass(frozen=True)
class Condition:
    """One condition, and how it stands."""

    ok: bool
    said: str
    """In words, for people."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Numbers, for programs (JSON values)."""

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"ok": self.ok, "said": self.said, **self.more}


class Conditions(Protocol):
    """A part that has something to report."""

    async def conditions(self) -> Mapping[str, Condition]:
        """By name, as they are now. May raise: then the part counts as not ready, with the error in words."""


class GateConditions:
    """Is the gate reachable, and can it record what it decides?"""

    def __init__(self, gate: GateLink) -> None:
        self._gate = gate

    async def conditions(self) -> Mapping[str, Condition]:
        """One, `gate`."""
        try:
            said = await self._gate.ask({"do": "status"}, LOOK_WITHIN_S)
        except GateUnreachable as error:
            return {"gate": Condition(False, str(error))}
        durable = bool(said.get("durable"))
        why = "answers" if durable else f"cannot record: {said.get('not_durable_because')}"
        return {"gate": Condition(durable, why, {"sequence": said.get("sequence")})}


class Readiness:
    """All conditions together, asked at once and kept for a moment."""

    def __init__(self, parts: Sequence[Conditions]) -> None:
        self._parts = list(parts)
        self._found: dict[str, Condition] = {}
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def look(self) -> dict[str, Condition]:
        """By name; what does not answer in time, or fails, is a condition that does not hold."""
        async with self._asking:
            if time.monotonic() >= self._until:
                found = await asyncio.gather(*(self._ask(part) for part in self._parts))
                self._found = {name: condition for one in found for name, condition in one.items()}
                self._until = time.monotonic() + KEPT_S
            return self._found

    async def _ask(self, part: Conditions) -> Mapping[str, Condition]:
        name = type(part).__name__
        try:
            async with asyncio.timeout(LOOK_WITHIN_S + 0.5):
                return await part.conditions()
        except TimeoutError:
            return {name: Condition(False, "did not answer in time")}
        except Exception as error:  # noqa: BLE001 - a part that fails is not ready, and says why
            return {name: Condition(False, f"{type(error).__name__}: {error}")}
