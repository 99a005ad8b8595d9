"""`/v1/jobs`: what takes longer than a request: one command for many subscriptions, a backtest; how far it is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from simward.control.api import paging
from simward.control.api.asking import Asking
from simward.control.api.permissions import needs, refused, speaker
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.control.api.words import Words
from simward.control.jobs import Jobs
from simward.engine.phrases import when
from simward.errors import IdentityError
from simward.identity import Iccid
from simward.logs import called
from simward.registry import choosing
from simward.registry import jobs as kept
from simward.registry.audit import Deed, note
from simward.registry.database import Registry
from simward.registry.spaced_commands import ask_gate_for
from simward.registry.tables import DEFAULT_TENANT

log = logging.getLogger(__name__)

PATH = "/v1/jobs"
SUBSCRIPTIONS_MOST = 20_000
SHOWN = 20
DOES = ("lock", "quarantine", "release", "disconnect")
Number = Annotated[int, Path(ge=1, lt=2**63)]
Name = Annotated[str, StringConstraints(max_length=63)]
State = Literal["waiting", "running", "done", "failed", "cancelled"]
Result = Literal[
    "open", "applied", "duplicate", "stale", "limited", "not-found", "not-permitted", "refused", "expired", "cancelled"
]


class Selected(BaseModel):
    """Subscriptions as the registry mirrors them; all that is given must fit."""

    model_config = ConfigDict(extra="forbid", strict=True)

    use_case: Name | None = None
    segment: Name | None = None
    tenant: Name | None = None
    locked: bool | None = Field(default=None, description="Locked, or in quarantine by a command.")
    model: Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")] | None = Field(
        default=None, description="The TAC of the device that it is bound to."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Selected:
        if not self.model_dump(exclude_none=True):
            raise ValueError("say at least one of use_case, segment, tenant, locked, model")
        return self


class NewJob(BaseModel):
    """One command for many subscriptions: `iccids` or `select`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    do: Literal["lock", "quarantine", "release", "disconnect"]
    because: Words = Field(min_length=1, pattern=r"\S", description="Why; kept for the audit.")
    actor: Words = Field(default="", description="Who asks. Only the owner's socket may name somebody else.")
    iccids: list[Annotated[str, StringConstraints(max_length=30)]] | None = Field(
        default=None, min_length=1, max_length=SUBSCRIPTIONS_MOST
    )
    select: Selected | None = None
    rebind: bool = Field(default=False, description="With release: also forget the bound devices.")
    limits: bool = Field(
        default=True, description="Held by the limits of use cases and never-cut, as automation is. False: as commands "
        "of a person, which no limit holds; needs the permission `approve` besides.",
    )  # fmt: skip
    dry_run: bool = Field(default=False, description="Only say how many it would be about.")

    @field_validator("iccids")
    @classmethod
    def _are_iccids(cls, iccids: list[str] | None) -> list[str] | None:
        found: dict[str, None] = {}
        for position, one in enumerate(iccids or ()):
            try:
                found[Iccid.parse(one).text] = None
            except IdentityError as error:
                raise ValueError(f"{position}: {error}") from None
        return None if iccids is None else list(found)

    @model_validator(mode="after")
    def _is_about_some(self) -> NewJob:
        if (self.iccids is None) == (self.select is None):
            raise ValueError("iccids or select: one of them")
        if self.rebind and self.do != "release":
            raise ValueError("rebind goes with release alone")
        return self


class Job(BaseModel):
    """A job, as it stands."""

    number: int
    kind: Literal["commands", "backtest"]
    state: State
    tenant: str | None = Field(description="Whose it is; null: of who may see all.")
    actor: str
    because: str
    asked_at: str
    begun_at: str | None
    ended_at: str | None
    done: int = Field(description="How far it is, of `total`: subscriptions, or sequences of the journal.")
    total: int
    arguments: dict[str, Any]
    result: dict[str, Any] | None = Field(description="Of a backtest: as `simward backtest --json` says it.")
    error: str | None


class MadeJob(BaseModel):
    """What a job is about; `job` is null where nothing was made (`dry_run`)."""

    job: int | None
    subscriptions: int
    unknown: int = Field(description="ICCIDs that there are not, or that the caller may not see.")
    examples: list[str]


class JobList(BaseModel):
    """A page, the newest first."""

    jobs: list[Job]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


class JobRow(BaseModel):
    """One subscription of a job of commands."""

    id: str
    iccid: str | None
    result: Result = Field(description="As the gate answered; open: it has not yet; expired: too late for automation.")
    sequence: int | None
    answered_at: str | None


class JobRows(BaseModel):
    """A page, in their order."""

    rows: list[JobRow]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


def job_routes(
    registry: Registry, jobs: Jobs, now: Callable[[], int], decided: Callable[[], None] = lambda: None
) -> APIRouter:
    """All of them. `decided` is called when there are new commands for the gate."""
    routes, asking = APIRouter(prefix=PATH, tags=["jobs"]), Asking(registry)
    _add_looking(routes, asking)
    _add_making(routes, asking, now, decided)
    _add_cancelling(routes, asking, jobs, now)
    return routes


def _add_looking(routes: APIRouter, asking: Asking) -> None:
    declared: dict[str, Any] = {"response_model": None, "openapi_extra": needs("read-jobs")}

    @routes.get("", responses={200: {"model": JobList}}, **declared)
    async def listed(
        request: Request, kind: Literal["commands", "backtest"] | None = None, state: State | None = None,
        after: paging.After = None, limit: paging.Limit = 100,
    ) -> Response:  # fmt: skip
        """The newest first."""
        key, tenant = paging.key_of("jobs", after, int), request.state.principal.tenant
        rows = await asking.read(lambda c: kept.listed(
            c, tenant=tenant, before=key and key[0], limit=limit + 1, kind=kind, state=state
        ))  # fmt: skip
        more = paging.cursor_of("jobs", rows[limit - 1].number) if len(rows) > limit else None
        return paging.page("jobs", [{**job_told(row), "result": None} for row in rows[:limit]], more)

    @routes.get("/{number}", responses={200: {"model": Job}}, **declared)
    async def job(number: Number, request: Request) -> dict[str, Any]:
        """One of them; a list says no `result`."""
        return job_told(await asking.read(lambda c: _must_be(c, number, request.state.principal)))

    @routes.get("/{number}/rows", responses={200: {"model": JobRows}}, **declared)
    async def rows(
        number: Number, request: Request, result: Annotated[Result | None, Query()] = None,
        after: paging.After = None, limit: paging.Limit = 100,
    ) -> Response:  # fmt: skip
        """Of a job of commands, each subscription and what the gate answered."""
        key = paging.key_of("job-rows", after, str)

        def look(connection: sa.Connection) -> Any:
            _must_be(connection, number, request.state.principal)
            return kept.rows(connection, number, after=key and key[0], limit=limit + 1, result=result)

        found = await asking.read(look)
        more = paging.cursor_of("job-rows", found[limit - 1].id) if len(found) > limit else None
        return paging.page("rows", [_row_told(row) for row in found[:limit]], more)


def _add_making(
    routes: APIRouter, asking: Asking, now: Callable[[], int], decided: Callable[[], None]
) -> None:
    @routes.post(
        "", status_code=202, response_model=None, responses={202: {"model": MadeJob}}, openapi_extra=needs(*DOES)
    )
    async def make(asked: NewJob, request: Request, response: Response) -> dict[str, Any]:
        """One command for each of many subscriptions, at most fifty a second; a restart loses none."""
        principal: Principal = request.state.principal
        speaker(principal, asked.actor)
        if not (principal.allows(asked.do, None) or asked.do in principal.about_some):
            raise refused(principal, asked.do)
        if not asked.limits and not principal.allows("approve", None):
            raise refused(principal, "approve, which limits: false needs")
        made = await asking.write(lambda c: _make(c, asked, principal, now()))
        if made["job"] is not None:
            decided()
            response.headers["Location"] = f"{PATH}/{made['job']}"
            log.info(
                "job %d: %s of %d by %r", made["job"], asked.do, made["subscriptions"], principal.name,
                extra=called("job-asked", job=made["job"], actor=principal.name),
            )
        return made


def _add_cancelling(routes: APIRouter, asking: Asking, jobs: Jobs, now: Callable[[], int]) -> None:
    @routes.post(
        "/{number}/cancel", response_model=None, responses={200: {"model": Job}},
        openapi_extra=needs(*DOES, "propose-policy"),
    )  # fmt: skip
    async def cancel(number: Number, request: Request) -> dict[str, Any]:
        """What was not begun is not done any more; what the gate was asked already is."""
        principal: Principal = request.state.principal

        def act(connection: sa.Connection) -> Any:
            row = _must_be(connection, number, principal)
            needed = "propose-policy" if row.kind == kept.BACKTEST else str(row.arguments["do"])
            if not (principal.allows(needed, None) or needed in principal.about_some):
                raise refused(principal, needed)
            if row.state not in (kept.WAITING, kept.RUNNING):
                return row
            at = now()
            if row.kind == kept.COMMANDS:
                kept.cancel_commands(connection, number, at)
                kept.settle(connection, at)
            kept.change(connection, number, state=kept.CANCELLED, ended_at=at)
            note(connection, Deed(
                at=at, actor=principal.name, what="job.cancel", object=f"job {number}",
                tenant=row.tenant or DEFAULT_TENANT,
            ))  # fmt: skip
            return _must_be(connection, number, principal)

        row = await asking.write(act)
        jobs.stop(number)
        return job_told(row)


def _make(connection: sa.Connection, asked: NewJob, principal: Principal, at: int) -> dict[str, Any]:
    """Choose, and write the job with its commands. Raises Problem where it is about too many or about none."""
    iccids = asked.iccids if asked.iccids is not None else _selected(connection, asked, principal)
    there = choosing.known(connection, iccids, principal.tenant)
    said = {"subscriptions": len(iccids), "unknown": len(iccids) - len(there), "examples": iccids[:SHOWN]}
    if asked.dry_run or not iccids:
        return {"job": None, **said}
    actor = speaker(principal, asked.actor)
    arguments = {
        "do": asked.do, "limits": asked.limits, "rebind": asked.rebind,
        "select": asked.select.model_dump(exclude_none=True) if asked.select is not None else None,
    }  # fmt: skip
    number = kept.make(connection, kept.COMMANDS, at, actor, asked.because, principal.tenant, arguments, len(iccids))
    cause, commands = kept.cause_of(number), []
    for position, iccid in enumerate(iccids):
        wrong = "not-found" if iccid not in there else None
        wrong = wrong or (None if principal.allows(asked.do, iccid) else "not-permitted")
        commands.append({
            "id": f"job-{number}-{position:06d}", "tenant": there.get(iccid, principal.tenant or DEFAULT_TENANT),
            "do": asked.do, "iccid": iccid, "actor": actor, "because": asked.because, "cause": cause,
            "automation": asked.limits, "arguments": {"rebind": True} if asked.rebind else None,
            "result": wrong, "answered_at": at if wrong else None,
        })  # fmt: skip
    ask_gate_for(connection, commands, at)
    after = {**arguments, "subscriptions": len(iccids)}
    note(connection, Deed(
        at=at, actor=actor, what=f"job.{asked.do}", object=cause, why=asked.because, after=after,
        tenant=principal.tenant or DEFAULT_TENANT,
    ))  # fmt: skip
    return {"job": number, **said}


def _selected(connection: sa.Connection, asked: NewJob, principal: Principal) -> list[str]:
    assert asked.select is not None
    choice = choosing.Choice(**asked.select.model_dump())
    found = choosing.chosen(connection, choice, principal.tenant, SUBSCRIPTIONS_MOST + 1)
    if len(found) > SUBSCRIPTIONS_MOST:
        said = f"select: more than {SUBSCRIPTIONS_MOST:,} subscriptions fit; choose fewer, several times."
        raise Problem(422, "too-many", "Too many subscriptions", said)
    return found


def job_told(row: Any) -> dict[str, Any]:
    """A job as JSON."""
    names = ("number", "kind", "state", "tenant", "actor", "because", "done", "total", "arguments", "result", "error")
    times = {name: _when(getattr(row, name)) for name in ("asked_at", "begun_at", "ended_at")}
    return {**{name: getattr(row, name) for name in names}, **times}


def _row_told(row: Any) -> dict[str, Any]:
    return {
        "id": row.id, "iccid": row.iccid, "result": row.result or "open", "sequence": row.sequence,
        "answered_at": _when(row.answered_at),
    }  # fmt: skip


def _must_be(connection: sa.Connection, number: int, principal: Principal) -> Any:
    row = kept.find(connection, number, principal.tenant)
    if row is None:
        raise Problem(404, "no-such-job", "No such job", f"There is no job {number}.")
    return row


def _when(at: int | None) -> str | None:
    return None if at is None else when(at)
