"""What a command says of a work order: which change of a subscription is expected, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simward.engine import events
from simward.errors import UsageError
from simward.identity import Imei

ORDER_END = 2**62
TIME_END = 2**62


@dataclass(frozen=True)
class Planned:
    """One change that is expected. `device` 0 = any; times are us UTC."""

    order: int
    device: int = 0
    begins_at: int = 0
    ends_at: int = 0
    flags: int = 0

    def write(self, row: np.ndarray) -> None:
        """Fill the columns of an event row that a plan uses (events.EVENT says which)."""
        row["delegated_high"], row["imei"] = self.order, self.device
        row["prefix_high"], row["prefix_low"] = self.begins_at, self.ends_at
        row["flags"] |= self.flags


def planned_of(payload: Mapping[str, Any], name: str) -> Planned | None:
    """The plan that a command makes (`plan`) or takes back (`unplan`); None for other commands.

    Raises UsageError or IdentityError in words.
    """
    if name not in ("plan", "unplan"):
        return None
    order = _number(payload, "order", 1, ORDER_END)
    if name == "unplan":
        return Planned(order)
    flags = 0
    for key, flag in (("device", events.FLAG_PLAN_DEVICE), ("place", events.FLAG_PLAN_PLACE)):
        if payload.get(key, False) is True:
            flags |= flag
        elif payload.get(key, False) is not False:
            raise UsageError(f"{key} is true or false: may it change?")
    if not flags:
        raise UsageError("device, place: at least one of them changes")
    imei = payload.get("imei")
    if imei is not None and not (isinstance(imei, str) and flags & events.FLAG_PLAN_DEVICE):
        raise UsageError("imei is a text, and goes with device: true")
    begins, ends = _number(payload, "begins_at", 0, TIME_END), _number(payload, "ends_at", 1, TIME_END)
    return Planned(order, Imei.parse(imei).number if imei is not None else 0, begins, ends, flags)


def _number(payload: Mapping[str, Any], key: str, least: int, end: int) -> int:
    value = payload.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < end:
        raise UsageError(f"{key} is a whole number from {least} on")
    return value
