"""`/v1/behaviour`: how the judging of behaviour stands: its alarm budget, what of it is in use, and what is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from simward.control.api.permissions import needs
from simward.control.api.problems import Problem
from simward.observing.watch import read_status

State = Literal["begins", "warming", "small", "unheard", "unfitted", "capped", "rolled-up", "drifting", "ready", "late"]


class Behaviour(BaseModel):
    """As of the day that was settled last."""

    state: State
    says: str = Field(description="The state in a sentence.")
    day: str | None = Field(description="The day settled last (UTC); null: none is yet.")
    findings_a_day: float | None = Field(
        description="The alarm budget: `[behaviour] findings_a_day`, or what follows from how many were heard on that "
        "day where it is not set; null: that is not known before a day is settled."
    )
    budget_is_derived: bool = Field(description="It follows from the fleet; else it is set.")
    expected_a_day: float = Field(description="So many a day does the threshold of that day let through by chance.")
    began: int = Field(description="Findings about subscriptions that began with that day.")
    cohorts_began: int = Field(description="And about cohorts.")
    rolled_up: int = Field(description="Subscriptions that were unusual and are told as one, beyond the hard cap.")
    heard: int = Field(description="Subscriptions that were heard on that day.")
    judged: int = Field(description="Of them, those that have learnt enough to be judged.")
    cohorts: int
    subscriptions: dict[str, int] = Field(description="How many are in which state: new, warming, ready, ...")
    fitting: bool = Field(description="A day is being fitted now.")
    fit_seconds: float = Field(description="How long the newest fit took.")
    fitted: int = Field(description="Days that were fitted since the watch began.")
    fits_failed: int
    unfitted: int = Field(description="Days that passed unjudged since the watch began.")
    failing_because: str
    verdicts: int = Field(description="Verdicts that were taken since the watch began.")
    verdicts_dropped: int
    late_records: int = Field(description="Records of days that were settled when they came.")


def behaviour_routes(data_dir: Path) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1/behaviour", tags=["behaviour"])

    @routes.get(
        "", response_model=None, responses={200: {"model": Behaviour}},
        openapi_extra=needs("read-status", all_tenants=True),
    )  # fmt: skip
    async def behaviour() -> dict[str, Any]:
        """As the watch says it: it must be running."""
        said = behaviour_of(data_dir)
        if said is None:
            detail = "It is not running, or has said nothing for long: what it knows of behaviour is not known."
            raise Problem(503, "watch-unreachable", "The watch does not answer", detail)
        return dict(said)

    return routes


def behaviour_of(data_dir: Path) -> Mapping[str, Any] | None:
    """What a running watch said last; None where none runs."""
    said = read_status(data_dir)
    return said.get("behaviour") if said is not None else None
