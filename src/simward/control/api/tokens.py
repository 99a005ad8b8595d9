"""`/v1/tokens`: who may come by TCP, as what, for how long. The token itself is in one answer and nowhere else."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from simward.control.api import paging
from simward.control.api.asking import Asking
from simward.control.api.permissions import needs, speaker
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.control.api.words import Words
from simward.engine.phrases import when
from simward.errors import RefusedError
from simward.logs import called
from simward.registry import tokens as kept
from simward.registry.audit import Deed, note
from simward.registry.database import Registry
from simward.registry.tables import DEFAULT_TENANT

log = logging.getLogger(__name__)

DAY_S = 86_400
EXPIRES_IN_S, EXPIRES_IN_MOST_S = 90 * DAY_S, 2 * 366 * DAY_S
Name = Annotated[str, StringConstraints(pattern=re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"))]
Role = Literal["viewer", "installer", "operator", "approver", "policy-author", "auditor", "administrator"]


class Asked(BaseModel):
    """Who asks, and why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    actor: Words = Field(default="", description="Who asks. Only the owner's socket may name somebody else.")
    because: Words = Field(default="", description="Why; kept for the audit.")

    def by(self, principal: Principal) -> str:
        """Who is said to have done it. Raises Problem for who speaks for somebody else and may not."""
        return speaker(principal, self.actor)


class NewToken(Asked):
    """A token to be made."""

    name: Name = Field(description="Whose it is; one in force has it at a time.")
    role: Role = Field(description="What it may.")
    tenant: Name | None = Field(
        default=None, description="The only tenant that it sees; not given: all."
    )
    expires_in_s: int = Field(default=EXPIRES_IN_S, ge=1, le=EXPIRES_IN_MOST_S, description="How long it is in force.")


class Token(BaseModel):
    """A token, as it may be shown: all but the token."""

    id: str
    name: str
    role: str
    tenant: str | None = Field(description="The only tenant that it sees; null: all.")
    state: Literal["in force", "expired", "revoked"]
    made_at: str
    made_by: str
    expires_at: str
    revoked_at: str | None
    revoked_by: str | None
    used_at: str | None = Field(description="When it was last used, to ten minutes.")


class MadeToken(Token):
    """A new token: this answer is the only place where it stands."""

    token: str


class Listed(BaseModel):
    """Tokens, the newest first."""

    tokens: list[Token]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


def token_routes(registry: Registry, now: Callable[[], int]) -> APIRouter:
    """All of them."""
    routes, asking = APIRouter(prefix="/v1/tokens", tags=["tokens"]), Asking(registry)

    @routes.post("", status_code=201, response_model=MadeToken, openapi_extra=needs("manage-tokens"))
    async def make(asked: NewToken, request: Request, response: Response) -> dict[str, Any]:
        """Make a token. Who is bound to a tenant makes them for that tenant alone."""
        principal: Principal = request.state.principal
        actor = asked.by(principal)
        if principal.tenant is not None and asked.tenant != principal.tenant:
            detail = f"tenant: {principal.name} makes tokens for {principal.tenant} alone."
            raise Problem(403, "not-permitted", "Not permitted", detail)
        at = now()

        def act(connection: sa.Connection) -> dict[str, Any]:
            until = at + asked.expires_in_s * 1_000_000
            made = kept.make(connection, asked.name, asked.role, asked.tenant, at, until, actor)
            after = {"name": asked.name, "role": asked.role, "tenant": asked.tenant, "expires_at": when(until)}
            _audit(connection, at, actor, "token.make", made.id, asked.tenant, asked.because, after)
            return {**told(kept.find(connection, made.id, at), at), "token": made.token}

        try:
            answer = await asking.write(act)
        except RefusedError as error:
            raise Problem(409, "token-refused", "No such token can be made", str(error)) from None
        log.info(
            "token %s (%s) made by %r", answer["id"], answer["role"], actor,
            extra=called("token-made", token=answer["id"], role=answer["role"], actor=actor),
        )
        response.headers["Cache-Control"] = "no-store"
        return answer

    @routes.get("", response_model=Listed, openapi_extra=needs("manage-tokens"))
    async def listed(
        request: Request, all: bool = False, after: paging.After = None, limit: paging.Limit = paging.LISTED_MOST
    ) -> Response:
        """Those in force; with `all` also what has expired or was revoked, for 400 days."""
        at, tenant, key = now(), request.state.principal.tenant, paging.key_of("tokens", after, int, str)
        found = await asking.read(
            lambda c: kept.listed(c, at, tenant=tenant, every=all, before=key, limit=limit + 1)
        )
        last = found[limit - 1] if len(found) > limit else None
        more = None if last is None else paging.cursor_of("tokens", last.made_at, last.id)
        return paging.page("tokens", [told(row, at) for row in found[:limit]], more)

    @routes.post("/{id_or_name}/revoke", response_model=Token, openapi_extra=needs("manage-tokens"))
    async def revoke(
        id_or_name: Annotated[str, Path(max_length=63)], asked: Asked, request: Request
    ) -> dict[str, Any]:
        """It opens nothing from now on. Again changes nothing."""
        principal: Principal = request.state.principal
        actor, at = asked.by(principal), now()

        def act(connection: sa.Connection) -> dict[str, Any]:
            row = kept.find(connection, id_or_name, at)
            if row is None or principal.tenant not in (None, row.tenant):
                raise Problem(404, "no-such-token", "No such token", f"There is no token {id_or_name} in force.")
            if row.revoked_at is None:
                kept.revoke(connection, row.id, at, actor)
                _audit(connection, at, actor, "token.revoke", row.id, row.tenant, asked.because, {"name": row.name})
            return told(kept.find(connection, row.id, at), at)

        answer = await asking.write(act)
        log.info(
            "token %s revoked by %r", answer["id"], actor,
            extra=called("token-revoked", token=answer["id"], actor=actor),
        )
        return answer

    return routes


def told(row: Any, now: int) -> dict[str, Any]:
    """A token as JSON."""
    state = "in force" if kept.in_force(row, now) else "revoked" if row.revoked_at is not None else "expired"
    times = {name: None if getattr(row, name) is None else when(getattr(row, name))
             for name in ("made_at", "expires_at", "revoked_at", "used_at")}  # fmt: skip
    names = ("id", "name", "role", "tenant", "made_by", "revoked_by")
    return {"state": state, **{name: getattr(row, name) for name in names}, **times}


def _audit(
    connection: sa.Connection, at: int, actor: str, what: str, id_: str, tenant: str | None, why: str,
    after: dict[str, Any],
) -> None:  # fmt: skip
    note(connection, Deed(
        at=at, actor=actor, what=what, object=f"token {id_}", tenant=tenant or DEFAULT_TENANT, why=why, after=after
    ))  # fmt: skip
