"""Which services nobody needs, as the watch wrote it down with its newest snapshot (`data/watch/services.json`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simward.engine.both_journals import watch_folder
from simward.engine.phrases import when
from simward.whole_files import read_whole

if TYPE_CHECKING:  # who reads what was written down needs none of it
    from simward.engine.watching.service_use import ServiceUse

SERVICES_NAME = "services.json"
UNUSED_FOR_DAYS = 90
"""A service that nobody used for so long is not needed."""
DAY_S = 86_400
MICROS = 1_000_000


def services_told(found: Iterable[ServiceUse], as_of_us: int) -> dict[str, Any]:
    """What is written down: as of when, and a row for each service of each use case."""
    return {"as_of": when(as_of_us), "unused_for_days": UNUSED_FOR_DAYS, "services": [_told(one) for one in found]}


def _told(one: ServiceUse) -> dict[str, Any]:
    return {
        "use_case": one.use_case, "service": one.service, "policy": one.said, "members": one.members,
        "ever_used": one.ever, "used_lately": one.lately, "last_used_at": _when(one.last_used_s),
        "known_since": _when(one.known_since_s), "verdict": one.verdict, "risk": one.risk,
    }  # fmt: skip


def _when(at_s: int) -> str | None:
    return when(at_s * MICROS) if at_s else None


def read_services(data_dir: Path) -> Mapping[str, Any] | None:
    """What was written last; None where there is no snapshot of the watch yet."""
    return read_whole(watch_folder(data_dir) / SERVICES_NAME)
