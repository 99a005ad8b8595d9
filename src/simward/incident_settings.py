"""`[incidents]` of simward.toml: by when somebody has to see to an incident, by its severity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simward import toml_reading as read
from simward.quantities import QuantityError, duration_s

SEVERITIES = ("critical", "high", "medium", "low", "info")


ACT_WITHIN_S = 600
"""Unless the settings say otherwise."""


@dataclass(frozen=True)
class IncidentSettings:
    """`[incidents]`. A severity that is not named has no deadline."""

    acknowledge_within_s: Mapping[str, int] = field(
        default_factory=lambda: {"critical": 300, "high": 900, "medium": 14_400}
    )
    contain_within_s: Mapping[str, int] = field(default_factory=lambda: {"critical": 3600, "high": 14_400})
    """From the acknowledgement on."""
    act_within_s: int = ACT_WITHIN_S
    """Findings that are older when they are read open incidents, but no rule and no command of one acts."""
    resolve_after_s: int = 1800
    """An incident of which nothing lasts, and in which nothing is locked, resolves itself after so long."""


def by_severity(raw: object) -> dict[str, int]:
    """`{critical = "5m", high = "15m"}` in seconds; "none" takes a deadline away."""
    wanted = "a table like {critical = \"5m\", high = \"15m\"}"
    if not isinstance(raw, dict):
        raise QuantityError(f"{raw!r} is no table of deadlines", f"write {wanted}")
    for name in raw:
        if name not in SEVERITIES:
            raise QuantityError(f"{name!r} is no severity", "one of: " + ", ".join(SEVERITIES))
    return {name: duration_s(value) for name, value in raw.items() if value != "none"}


INCIDENT_KEYS: dict[str, Callable[[Any], Any]] = {
    "acknowledge_within": by_severity, "contain_within": by_severity, "act_within": read.duration,
    "resolve_after": read.duration,
}


def incident_settings(reading: read.Reading, raw: object) -> IncidentSettings:
    """The section, checked; what is not given keeps its default, severity by severity."""
    values = reading.table(("incidents",), raw, INCIDENT_KEYS)
    defaults = IncidentSettings()
    for key in ("acknowledge_within", "contain_within"):
        if key in values:
            given = raw.get(key, {}) if isinstance(raw, dict) else {}
            kept = {name: s for name, s in getattr(defaults, f"{key}_s").items() if name not in given}
            values[key] = kept | values[key]
    return IncidentSettings(**{f"{key}_s": value for key, value in values.items()})
