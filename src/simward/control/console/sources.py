"""What the pages read and write by: the same functions as the routes of the API, put together once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from simward.control.api.asking import Asking
from simward.control.api.incidents import Cases
from simward.control.api.work import Orders
from simward.control.gate_link import GateLink
from simward.control.readiness import Readiness
from simward.registry.database import Registry
from simward.settings import Settings


@dataclass(frozen=True)
class Sources:
    """Everything that pages stand on. Whoever adds a page that needs more adds it here."""

    asking: Asking
    cases: Cases
    gate: GateLink
    readiness: Readiness
    data_dir: Path
    now: Callable[[], int]
    """us UTC."""
    tenant_of: Callable[[str], str | None]
    """The tenant of the subscription with this ICCID."""
    orders: Orders
    decided: Callable[[], None]
    """To be called when there are new commands for the gate."""
    endpoints: Sequence[str]
    """By name."""
    settings: Settings
    registry: Registry
    """For what has to be asked of it beside one question at a time (`asking`)."""
    policy: Callable[[], tuple[int, bytes] | None]
    """The policy in force as far as the journals were followed, see `Behind.policy`."""
