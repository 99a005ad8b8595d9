"""`/v1/benign`: what people found to be benign, said and taken back; of that device or cohort more is allowed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from simward.control.api import paging
from simward.control.api.answers import answered
from simward.control.api.asking import Asking, in_thread
from simward.control.api.permissions import needs, speaker
from simward.control.api.problems import Problem
from simward.control.api.words import Words
from simward.engine.benign import DAY_US, last_day
from simward.engine.phrases import when
from simward.engine.verdict_files import Verdict, leave
from simward.logs import called
from simward.registry import benign, listing
from simward.registry.database import Registry
from simward.response.judging import unjudgeable

log = logging.getLogger(__name__)

DAY_S = 86_400
FindingId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class TakenBack(BaseModel):
    """It is not benign after all."""

    model_config = ConfigDict(extra="forbid", strict=True)

    actor: Words = Field(default="", description="Who asks. Only the owner's socket may name somebody else.")
    because: Words = Field(min_length=1, description="Why; kept for the audit.")
    finding: FindingId = Field(description="The id of an unusual-behaviour or cohort-shift.")


class Said(TakenBack):
    """It is benign."""

    days: int | None = Field(
        default=None, ge=1, le=365, description="How long that holds; null: as long as `[behaviour] benign_for` says."
    )


class Waiting(BaseModel):
    """It waits for the watch, which takes it within a second while it runs, or when it is next started."""

    finding: str
    benign: bool
    state: Literal["waiting"]


class Verdicted(BaseModel):
    """The newest verdict on a device or a cohort."""

    model_config = ConfigDict(json_schema_extra=paging.optional)

    finding: str = Field(description="The finding that was judged last.")
    about: str = Field(description="Of whom more is allowed: a subscription, or a cohort in words.")
    tenant: str
    imsi: str | None = Field(description="Null where it is about a cohort.")
    iccid: str | None
    use_case: str | None
    at: str = Field(description="When the watch took it.")
    by: str
    because: str
    until: str | None = Field(description="The last day on which more is allowed (UTC); null: it was taken back.")
    in_force: bool


class Verdicts(BaseModel):
    """A page, the newest first."""

    benign: list[Verdicted]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


def benign_routes(registry: Registry, data_dir: Path, now: Callable[[], int]) -> APIRouter:
    """All of them; `now` in us UTC."""
    routes, asking = APIRouter(prefix="/v1/benign", tags=["benign"]), Asking(registry)

    @routes.get("", openapi_extra=needs("read-findings"), **answered(Verdicts))
    async def listed(
        request: Request, in_force: bool = True, imsi: paging.Digits = None, sort: paging.Sort = "-at",
        fields: paging.Fields = None, after: paging.After = None, limit: paging.Limit = 100,
    ) -> Response:  # fmt: skip
        """The newest first unless `sort=at`: those that are in force, or (`in_force=false`) also what expired and what
        was taken back."""
        key, wanted = paging.key_of(f"benign {sort}", after, int, str), paging.sparse(Verdicted, fields)
        tenant, at = request.state.principal.tenant, now()
        found = await asking.read(lambda c: benign.listed(
            c, tenant=tenant, after=key, limit=limit, ascending=sort == "at", imsi=imsi,
            in_force_on=at // DAY_US if in_force else None,
        ))  # fmt: skip
        rows = [paging.picked(told(one, at), wanted) for one in found.rows]
        return paging.page("benign", rows, paging.next_of(f"benign {sort}", found.on))

    @routes.post("", status_code=202, openapi_extra=needs("judge-incidents"), **answered(Waiting, 202))
    async def say(asked: Said, request: Request) -> dict[str, Any]:
        """A finding of behaviour is right as it is: of its device or cohort more is allowed, and its incident is over
        unless something else of it lasts."""
        return await tell(request, asked, None if asked.days is None else asked.days * DAY_S)

    @routes.post("/withdraw", status_code=202, openapi_extra=needs("judge-incidents"), **answered(Waiting, 202))
    async def withdraw(asked: TakenBack, request: Request) -> dict[str, Any]:
        """It is not benign after all: nothing more is allowed from now on, and its incident is open again."""
        return await tell(request, asked, 0)

    async def tell(request: Request, asked: TakenBack, for_s: int | None) -> dict[str, Any]:
        actor, tenant = speaker(request.state.principal, asked.actor), request.state.principal.tenant
        row = await asking.read(lambda c: listing.finding(c, tenant, asked.finding))
        if row is None:
            raise Problem(404, "no-such-finding", "No such finding", "There is no finding with this id.")
        why_not = unjudgeable(row.tenant, row.document, tenant)
        if why_not:
            raise Problem(409, "finding-not-judged", "Not to be judged by itself", f"{asked.finding}: {why_not}.")
        await in_thread(lambda: _leave(data_dir, Verdict(asked.finding, for_s, asked.because, actor, now())))
        log.info(
            "%s: %s by %r", asked.finding, "not benign" if for_s == 0 else "benign", actor,
            extra=called("finding-judged", finding=asked.finding, benign=for_s != 0, actor=actor),
        )
        return {"finding": asked.finding, "benign": for_s != 0, "state": "waiting"}

    return routes


def _leave(data_dir: Path, verdict: Verdict) -> None:
    """For the watch. Raises Problem."""
    try:
        left = leave(data_dir, verdict)
        trouble = "" if left else "too many verdicts wait already: is the watch running?"
    except (OSError, ValueError) as error:
        trouble = str(error)
    if trouble:
        raise Problem(503, "watch-unreachable", "The watch cannot be told", trouble, headers={"Retry-After": "1"})


def told(row: Any, now: int) -> dict[str, Any]:
    """A verdict of the registry as JSON, as of `now` (us UTC)."""
    return {
        "finding": row.finding, "about": row.about, "tenant": row.tenant, "imsi": row.imsi, "iccid": row.iccid,
        "use_case": row.use_case, "at": when(row.at), "by": row.actor, "because": row.because,
        "until": last_day(row.until_day), "in_force": row.until_day >= now // DAY_US,
    }  # fmt: skip
