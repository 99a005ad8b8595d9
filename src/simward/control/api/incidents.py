"""`/v1/incidents`: what needs somebody; read by whoever may, changed with who and why."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from simward.control.api import paging
from simward.control.api.answers import Incident, Incidents, WholeIncident, answered
from simward.control.api.permissions import needs, speaker
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem, no_registry
from simward.control.api.words import Words
from simward.control.chapters import chapters_of
from simward.errors import JournalError, RefusedError, RegistryError, UsageError
from simward.logs import called
from simward.registry import incidents as kept
from simward.registry.database import Registry
from simward.response.incident_life import told
from simward.response.incident_story import document, story, subscriptions_of
from simward.response.judging import Judging, NoSuchIncident

log = logging.getLogger(__name__)

Severity = Literal["info", "low", "medium", "high", "critical"]
State = Literal["open", "acknowledged", "contained", "resolved"]


class Asked(BaseModel):
    """What every write says: who (only the owner's socket may name somebody else) and why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    actor: Words = Field(default="", description="Who asks. Only the owner's socket may name somebody else.")
    because: Words = Field(default="", description="Why; kept for the audit.")


class Explained(Asked):
    """A write that needs a reason."""

    because: Words = Field(min_length=1, description="Why; kept for the audit.")


class Resolution(Explained):
    """The end of an incident, judged."""

    outcome: Literal["true-positive", "benign", "false-positive"]


class Assignment(Asked):
    """Whose it is from now on."""

    to: Words = Field(min_length=1, description="Who sees to it.")


class Cases:
    """Incidents, one at a time, as somebody asks for them; every question in a thread. Raises Problem."""

    def __init__(self, registry: Registry, judging: Judging, data_dir: Path, now: Callable[[], int]) -> None:
        self._registry, self._judging, self._data_dir, self._now = registry, judging, data_dir, now

    async def whole(self, number: int, tenant: str | None) -> dict[str, Any]:
        """The whole of one, for who may see this tenant (None: all)."""

        def look() -> dict[str, Any]:
            with self._registry.reading() as connection:
                row = _visible(connection, number, tenant)
                whose = subscriptions_of(connection, number)
                return document(connection, row, story(connection, row, chapters_of(self._data_dir, whose)))

        answer: dict[str, Any] = await _run(look)
        return answer

    async def act(
        self, principal: Principal, number: int, action: str, asked: Asked, **more: Any
    ) -> dict[str, Any]:  # fmt: skip
        """Do one of judging.ACTIONS, for somebody; the incident as it then stands."""
        actor, tenant = speaker(principal, asked.actor), principal.tenant

        def act() -> dict[str, Any]:
            with self._registry.writing() as connection:
                _visible(connection, number, tenant)
                return told(self._judging.act(
                    connection, number, action, self._now(), actor, asked.because, tenant=tenant, **more
                ))  # fmt: skip

        answer: dict[str, Any] = await _run(act)
        log.info(
            "incident %s: %s by %r", answer["number"], action, actor,
            extra=called("incident-judged", incident=answer["number"], action=action, actor=actor),
        )
        return answer

    async def did(
        self, principal: Principal, number: int, do: str, iccid: str, result: str, because: str
    ) -> None:  # fmt: skip
        """Enter into one what somebody had the gate do because of it, and what the gate answered."""

        def enter() -> None:
            with self._registry.writing() as connection:
                _visible(connection, number, principal.tenant)
                self._judging.did(connection, number, self._now(), principal.name, do, iccid, result, because)

        await _run(enter)


def incident_routes(registry: Registry, judging: Judging, data_dir: Path, now: Callable[[], int]) -> APIRouter:
    """The routes; writes run in a thread, since the registry has one writer at a time."""
    routes, cases = APIRouter(prefix="/v1/incidents", tags=["incidents"]), Cases(registry, judging, data_dir, now)

    @routes.get("", openapi_extra=needs("read-incidents"), **answered(Incidents))
    async def listed(
        request: Request, state: Annotated[list[State] | None, Query()] = None,
        severity: Annotated[list[Severity] | None, Query()] = None, use_case: str | None = None,
        imsi: paging.Digits = None, since: paging.Moment = None, sort: paging.Sort = "-at",
        fields: paging.Fields = None, after: paging.After = None, limit: paging.Limit = 100,
    ) -> dict[str, Any]:  # fmt: skip
        """The newest first unless `sort=at`, those that are not resolved unless `state` says; `since` (us UTC) of the
        last change."""
        tenant, wanted = request.state.principal.tenant, paging.sparse(Incident, fields)
        key = paging.key_of(f"incidents {sort}", after, int)

        def look() -> Response:
            with registry.reading() as connection:
                found = kept.page(
                    connection, states=state or kept.UNRESOLVED, severities=severity or (), use_case=use_case,
                    tenant=tenant, since=since, imsi=imsi, limit=limit, after=key, ascending=sort == "at",
                )  # fmt: skip
                rows = [paging.picked(told(one), wanted) for one in found.rows]
                return paging.page("incidents", rows, paging.next_of(f"incidents {sort}", found.on))

        return await _run(look)

    @routes.get("/{number}", openapi_extra=needs("read-incidents"), **answered(WholeIncident))
    async def one(number: int, request: Request) -> dict[str, Any]:
        """The whole of one: its story, evidence, effects, parties and entries."""
        return await cases.whole(number, request.state.principal.tenant)

    async def write(request: Request, number: int, action: str, asked: Asked, **more: Any) -> dict[str, Any]:
        return await cases.act(request.state.principal, number, action, asked, **more)

    @routes.post("/{number}/acknowledge", openapi_extra=needs("judge-incidents"), **answered(Incident))
    async def acknowledge(number: int, asked: Asked, request: Request) -> dict[str, Any]:
        """Somebody sees to it."""
        return await write(request, number, "acknowledge", asked)

    @routes.post("/{number}/assign", openapi_extra=needs("judge-incidents"), **answered(Incident))
    async def assign(number: int, asked: Assignment, request: Request) -> dict[str, Any]:
        """It is somebody else's."""
        return await write(request, number, "assign", asked, to=asked.to)

    @routes.post("/{number}/note", openapi_extra=needs("judge-incidents"), **answered(Incident))
    async def note(number: int, asked: Explained, request: Request) -> dict[str, Any]:
        """One more line of its story; the text is `because`."""
        return await write(request, number, "note", asked)

    @routes.post("/{number}/resolve", openapi_extra=needs("judge-incidents"), **answered(Incident))
    async def resolve(number: int, asked: Resolution, request: Request) -> dict[str, Any]:
        """It is over, and was this."""
        return await write(request, number, "resolve", asked, outcome=asked.outcome)

    @routes.post("/{number}/reopen", openapi_extra=needs("judge-incidents"), **answered(Incident))
    async def reopen(number: int, asked: Explained, request: Request) -> dict[str, Any]:
        """It is not over."""
        return await write(request, number, "reopen", asked)

    return routes


def _visible(connection: sa.Connection, number: int, tenant: str | None) -> kept.Incident:
    """The incident, for who may see this tenant (None: all); of another tenant there is none."""
    row = kept.find(connection, number) if 0 < number < 2**63 else None
    if row is None or tenant not in (None, row.tenant):
        raise NoSuchIncident(f"there is no incident {number}")
    return row


async def _run(work: Callable[[], Any]) -> Any:
    try:
        return await asyncio.to_thread(work)
    except NoSuchIncident as error:
        raise Problem(404, "no-such-incident", "No such incident", str(error)) from None
    except RefusedError as error:
        raise Problem(409, "incident-refused", "Not as the incident stands", str(error)) from None
    except UsageError as error:
        raise Problem(422, "invalid-request", "The request is not valid", str(error)) from None
    except (RegistryError, JournalError) as error:
        raise no_registry(error) from None
