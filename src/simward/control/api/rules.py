"""`/v1/rules` and `/v1/undo`: what rules do, what of it is held, and what people let go, stop and take back."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from simward.control.api import answers_outward as a
from simward.control.api import paging
from simward.control.api.answers import answered
from simward.control.api.asking import Asking
from simward.control.api.permissions import needs, refused, speaker
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.control.api.words import Words
from simward.logs import called
from simward.registry import audit
from simward.registry import rules as kept
from simward.registry.database import Registry
from simward.response.rules.acting import rules_of
from simward.response.rules.held import approve, reject
from simward.response.rules.telling import tenant_of, told_action, told_rule, told_rules, told_undo
from simward.response.rules.undoing import how_undo_stands, incident_tenant, undo_incident, undo_rule

log = logging.getLogger(__name__)

LISTED_MOST = 1000
IDS_MOST = 1000
Name = Annotated[str, StringConstraints(pattern=re.compile(r"^[a-z0-9][a-z0-9._-]{0,62}$"))]
State = Literal["waiting", "sent", "done", "cancelled", "held", "dry-run", "refused", "too-old"]
Answer = TypeVar("Answer")


class Asked(BaseModel):
    """What every write says: who (only the owner's socket may name somebody else) and why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    actor: Words = Field(default="", description="Who asks. Only the owner's socket may name somebody else.")
    because: Words = Field(min_length=1, description="Why; kept for the audit.")


class Chosen(Asked):
    """A decision about held actions of a rule."""

    ids: list[Annotated[str, StringConstraints(max_length=40)]] | None = Field(
        default=None, max_length=IDS_MOST, description="Which; all that are held where none is named."
    )


class Undoing(Asked):
    """What is to be taken back."""

    rule: Name | None = Field(default=None, description="What this rule locked or put into quarantine.")
    incident: int | None = Field(default=None, ge=1, lt=2**63, description="Or what was locked because of this one.")
    since: int = Field(ge=0, lt=2**63, description="Only what was locked since then, us UTC.")

    @model_validator(mode="after")
    def _names_one(self) -> Undoing:
        if (self.rule is None) == (self.incident is None):
            raise ValueError("name a rule or an incident")
        return self


def rule_routes(registry: Registry, now: Callable[[], int]) -> APIRouter:
    """All of them."""
    routes, asking = APIRouter(prefix="/v1", tags=["rules"]), Asking(registry)
    _add_looking(routes, asking)
    _add_deciding(routes, asking, now)
    _add_switching(routes, asking, now)
    _add_undoing(routes, asking, now)
    return routes


def _add_looking(routes: APIRouter, asking: Asking) -> None:
    @routes.get("/rules", openapi_extra=needs("read-rules"), **answered(a.Rules))
    async def rules(request: Request, after: paging.After = None, limit: paging.Limit = LISTED_MOST) -> Response:
        """Every rule by name, with how many of its actions are in which state."""
        key, tenant = paging.key_of("rules", after, str), request.state.principal.tenant
        found = await asking.read(lambda connection: told_rules(connection, tenant))
        rows = [row for row in found if key is None or row["rule"] > key[0]]
        more = paging.cursor_of("rules", rows[limit - 1]["rule"]) if len(rows) > limit else None
        return paging.page("rules", rows[:limit], more)

    @routes.get("/rules/{name}", openapi_extra=needs("read-rules"), **answered(a.Rule))
    async def rule(name: Name, request: Request) -> dict[str, Any]:
        """One of them."""
        return await asking.read(lambda connection: _must_be_one(connection, name, request))

    @routes.get("/rule-actions", openapi_extra=needs("read-rules"), **answered(a.Actions))
    async def actions(
        request: Request, rule: Name | None = None, state: State | None = None, after: paging.After = None,
        limit: paging.Limit = 100,
    ) -> Response:  # fmt: skip
        """What rules do and did, the newest first by what set it off; `state=held` is what waits for a person."""
        key = paging.key_of("rule-actions", after, int, str)
        found = await asking.read(lambda connection: kept.actions(
            connection, tenant=request.state.principal.tenant, rule=rule, state=state, before=key, most=limit + 1
        ))  # fmt: skip
        last = found[limit - 1] if len(found) > limit else None
        more = None if last is None else paging.cursor_of("rule-actions", last.trigger_at, last.id)
        return paging.page("actions", [told_action(row) for row in found[:limit]], more)


def _add_deciding(routes: APIRouter, asking: Asking, now: Callable[[], int]) -> None:
    @routes.post("/rules/{name}/approve", openapi_extra=needs("approve"), **answered(a.Approved))
    async def approving(name: Name, asked: Chosen, request: Request) -> dict[str, Any]:
        """Let held actions go: as commands of the person, which no limit holds. Much takes a second person."""
        actor = _actor(request, asked)

        def change(connection: sa.Connection) -> dict[str, Any]:
            _its_own(connection, name, request)
            came = approve(connection, rules_of(connection), name, actor, asked.because, now(), asked.ids)
            return {"released": came.released, "awaiting": came.awaiting}

        return await asking.write(change)

    @routes.post("/rules/{name}/reject", openapi_extra=needs("approve"), **answered(a.Rejected))
    async def rejecting(name: Name, asked: Chosen, request: Request) -> dict[str, Any]:
        """Held actions are not to be done."""
        actor = _actor(request, asked)

        def change(connection: sa.Connection) -> dict[str, Any]:
            _its_own(connection, name, request)
            return {"rejected": reject(connection, name, actor, asked.because, now(), asked.ids)}

        return await asking.write(change)


def _add_switching(routes: APIRouter, asking: Asking, now: Callable[[], int]) -> None:
    @routes.post("/rules/{name}/pause", openapi_extra=needs("pause"), **answered(a.Rule))
    async def pausing(name: Name, asked: Asked, request: Request) -> dict[str, Any]:
        """Until it is resumed, the rule only says what it would do."""
        actor = _actor(request, asked)

        def change(connection: sa.Connection) -> dict[str, Any]:
            owner = _its_own(connection, name, request)
            kept.pause_rule(connection, name, now(), actor, asked.because)
            _note(connection, now(), actor, "rule.pause", name, asked.because, owner)
            return _must_be_one(connection, name, request)

        return await asking.write(change)

    @routes.post("/rules/{name}/resume", openapi_extra=needs("resume"), **answered(a.Rule))
    async def resuming(name: Name, asked: Asked, request: Request) -> dict[str, Any]:
        """It acts again as its mode says."""
        actor = _actor(request, asked)

        def change(connection: sa.Connection) -> dict[str, Any]:
            owner = _its_own(connection, name, request)
            if kept.resume_rule(connection, name):
                _note(connection, now(), actor, "rule.resume", name, asked.because, owner)
            return _must_be_one(connection, name, request)

        return await asking.write(change)


def _add_undoing(routes: APIRouter, asking: Asking, now: Callable[[], int]) -> None:
    @routes.post("/undo", openapi_extra=needs("undo"), **answered(a.Undone))
    async def undoing(asked: Undoing, request: Request) -> dict[str, Any]:
        """Release what a rule, or whatever acted because of an incident, has locked; one after the other."""
        actor = _actor(request, asked)

        def change(connection: sa.Connection) -> dict[str, Any]:
            if asked.rule is not None:
                owner = _its_own(connection, asked.rule, request)
                return told_undo(undo_rule(connection, asked.rule, asked.since, actor, asked.because, now(), owner))
            assert asked.incident is not None
            tenant = incident_tenant(connection, asked.incident)
            if tenant is None or request.state.principal.tenant not in (None, tenant):
                raise Problem(404, "no-such-incident", "No such incident", f"There is no incident {asked.incident}.")
            return told_undo(
                undo_incident(connection, asked.incident, asked.since, actor, asked.because, now(), tenant)
            )

        answer = await asking.write(change)
        log.info(
            "undo %s asked by %r: %d releases", answer["undo"], actor, answer["releases"],
            extra=called("undo-asked", undo=answer["undo"], actor=actor),
        )
        return answer

    @routes.get("/undo/{undo}", openapi_extra=needs("read-rules"), **answered(a.Undone))
    async def undone(undo: Annotated[str, StringConstraints(max_length=40)], request: Request) -> dict[str, Any]:
        """How far one is."""
        tenant = request.state.principal.tenant
        found = await asking.read(lambda connection: how_undo_stands(connection, undo, tenant))
        if found is None:
            raise Problem(404, "no-such-undo", "No such undo", f"There is no undo {undo!r}.")
        return told_undo(found)


def _must_be_one(connection: sa.Connection, name: str, request: Request) -> dict[str, Any]:
    found = told_rule(connection, name, request.state.principal.tenant)
    if found is None:
        raise Problem(404, "no-such-rule", "No such rule", f"There is no rule {name!r}, and there was none.")
    return found


def _its_own(connection: sa.Connection, name: str, request: Request) -> str:
    """Whose the rule is, for who may change what it does.

    Raises Problem where there is none; and for who is bound to a tenant, where it acted for another before.
    """
    principal: Principal = request.state.principal
    found = _must_be_one(connection, name, request)
    whole = sum(kept.counts(connection).get(name, {}).values())
    if principal.tenant is not None and whole != sum(found["actions"].values()):
        raise refused(principal, "change what a rule did for another tenant")
    return principal.tenant or tenant_of(found["document"] or {})


def _actor(request: Request, asked: Asked) -> str:
    """Who it is that asks."""
    principal: Principal = request.state.principal
    name = speaker(principal, asked.actor)
    if not asked.because.strip():
        raise Problem(422, "invalid-request", "The request is not valid", "because: say why, it is kept for the audit.")
    return name


def _note(connection: sa.Connection, at: int, actor: str, what: str, name: str, why: str, tenant: str) -> None:
    audit.note(connection, audit.Deed(at=at, actor=actor, what=what, object=f"rule {name}", why=why, tenant=tenant))
