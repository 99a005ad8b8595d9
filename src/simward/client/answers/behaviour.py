"""What `client.behaviour` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Literal, TypedDict


class Behaviour(TypedDict):
    """As of the day that was settled last."""

    state: Literal["begins", "warming", "small", "unheard", "unfitted", "capped", "rolled-up", "drifting", "ready",
        "late"]
    says: str
    day: str | None
    findings_a_day: float | None
    budget_is_derived: bool
    expected_a_day: float
    began: int
    cohorts_began: int
    rolled_up: int
    heard: int
    judged: int
    cohorts: int
    subscriptions: dict[str, int]
    fitting: bool
    fit_seconds: float
    fitted: int
    fits_failed: int
    unfitted: int
    failing_because: str
    verdicts: int
    verdicts_dropped: int
    late_records: int
