"""`[behaviour]` of simward.toml: how many statistical findings the owner wants at most, and when a day is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simward import toml_reading as read
from simward.quantities import QuantityError

FINDINGS_MOST = 100_000
FINDINGS_A_DAY_MOST, SUBSCRIPTION_DAYS_A_FINDING = 5.0, 4000
"""The alarm budget that a fleet has whose owner sets none."""
BENIGN_DAYS = 30


@dataclass(frozen=True)
class BehaviourSettings:
    """`[behaviour]`."""

    findings_a_day: float | None = None
    """The alarm budget: so many statistical findings a day for the whole fleet; the threshold is derived from it. None:
    it follows the fleet (`budget_of`)."""
    grace_s: int = 7200
    """So long after its midnight (UTC) is a day still added to: records come late."""
    benign_for_s: int = BENIGN_DAYS * 86_400
    """How long a device or cohort is allowed more after somebody found it to be benign."""


def budget_of(heard: int) -> float:
    """The alarm budget of a day on which so many subscriptions were heard, where the owner set none."""
    return min(FINDINGS_A_DAY_MOST, heard / SUBSCRIPTION_DAYS_A_FINDING)


def budget(raw: object) -> float:
    """A number above 0: one every ten days is 0.1."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not 0 < raw <= FINDINGS_MOST:
        raise QuantityError(f"{raw!r} is no number of findings a day", f"a number above 0, at most {FINDINGS_MOST}")
    return float(raw)


def within(least_s: int, most_s: int, said: str) -> Callable[[Any], int]:
    """A duration between two others."""

    def reading(raw: object) -> int:
        found = read.duration(raw)
        if not least_s <= found <= most_s:
            raise QuantityError(f"{raw!r} is out of range", said)
        return int(found)

    return reading


BEHAVIOUR_KEYS: dict[str, Callable[[Any], Any]] = {
    "findings_a_day": budget, "grace": within(1, 72_000, "1s to 20h"),
    "benign_for": within(86_400, 365 * 86_400, "1d to 365d"),
}


def behaviour_settings(reading: read.Reading, raw: object) -> BehaviourSettings:
    """The section, checked."""
    values = reading.table(("behaviour",), raw, BEHAVIOUR_KEYS)
    renamed = {key if key == "findings_a_day" else f"{key}_s": value for key, value in values.items()}
    return BehaviourSettings(**renamed)
