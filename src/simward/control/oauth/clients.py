"""`/v1/clients`: which systems may ask for access tokens, for which scopes. A secret is in one answer alone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field, field_validator

from simward.control.api.asking import Asking
from simward.control.api.permissions import needs
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.control.api.scopes import SCOPES
from simward.control.api.tokens import EXPIRES_IN_MOST_S, Asked, Name
from simward.engine.phrases import when
from simward.errors import RefusedError
from simward.logs import called
from simward.registry import clients as kept
from simward.registry.audit import Deed, note
from simward.registry.database import Registry
from simward.registry.tables import DEFAULT_TENANT

log = logging.getLogger(__name__)

EXPIRES_IN_S = 366 * 86_400


class NewClient(Asked):
    """A client to be made."""

    name: Name = Field(description="Whose it is; one in force has it at a time.")
    scopes: list[str] = Field(min_length=1, max_length=len(SCOPES), description="What it may ask for.")
    tenant: Name | None = Field(default=None, description="The only tenant that it sees; not given: all.")
    expires_in_s: int = Field(default=EXPIRES_IN_S, ge=1, le=EXPIRES_IN_MOST_S, description="How long it is in force.")

    @field_validator("scopes")
    @classmethod
    def _are_scopes(cls, scopes: list[str]) -> list[str]:
        unknown = [one for one in scopes if one not in SCOPES]
        if unknown:
            raise ValueError(f"there is no such scope; there are: {', '.join(SCOPES)}")
        return scopes


class Client(BaseModel):
    """A client, as it may be shown: all but the secret."""

    id: str = Field(description="Its client_id.")
    name: str
    scopes: list[str]
    tenant: str | None = Field(description="The only tenant that it sees; null: all.")
    state: Literal["in force", "expired", "revoked"]
    made_at: str
    made_by: str
    expires_at: str
    revoked_at: str | None
    revoked_by: str | None


class MadeClient(Client):
    """A new client: this answer is the only place where its secret stands."""

    secret: str


class Listed(BaseModel):
    """Clients, the newest first."""

    clients: list[Client]


def client_routes(registry: Registry, now: Callable[[], int]) -> APIRouter:
    """All of them."""
    routes, asking = APIRouter(prefix="/v1/clients", tags=["clients"]), Asking(registry)

    @routes.post("", status_code=201, response_model=MadeClient, openapi_extra=needs("manage-tokens"))
    async def make(asked: NewClient, request: Request, response: Response) -> dict[str, Any]:
        """Make a client. Who is bound to a tenant makes them for that tenant alone."""
        principal: Principal = request.state.principal
        actor = asked.by(principal)
        if principal.tenant is not None and asked.tenant != principal.tenant:
            detail = f"tenant: {principal.name} makes clients for {principal.tenant} alone."
            raise Problem(403, "not-permitted", "Not permitted", detail)
        at = now()

        def act(connection: sa.Connection) -> dict[str, Any]:
            until = at + asked.expires_in_s * 1_000_000
            made = kept.make(connection, asked.name, asked.scopes, asked.tenant, at, until, actor)
            after = {"name": asked.name, "scopes": sorted(set(asked.scopes)), "expires_at": when(until)}
            _audit(connection, at, actor, "client.make", made.id, asked.tenant, asked.because, after)
            return {**told(kept.find(connection, made.id, at), at), "secret": made.secret}

        try:
            answer = await asking.write(act)
        except RefusedError as error:
            raise Problem(409, "client-refused", "No such client can be made", str(error)) from None
        log.info(
            "client %s (%s) made by %r", answer["id"], answer["name"], actor,
            extra=called("client-made", client=answer["id"], actor=actor),
        )
        response.headers["Cache-Control"] = "no-store"
        return answer

    @routes.get("", response_model=Listed, openapi_extra=needs("manage-tokens"))
    async def listed(request: Request, all: bool = False) -> dict[str, Any]:
        """Those in force; with `all` also what has expired or was revoked, for 400 days."""
        at, tenant = now(), request.state.principal.tenant
        found = await asking.read(lambda c: kept.listed(c, at, tenant=tenant, every=all))
        return {"clients": [told(row, at) for row in found]}

    @routes.post("/{id_or_name}/revoke", response_model=Client, openapi_extra=needs("manage-tokens"))
    async def revoke(
        id_or_name: Annotated[str, Path(max_length=63)], asked: Asked, request: Request
    ) -> dict[str, Any]:
        """It gets no token from now on, and those that it has open nothing. Again changes nothing."""
        principal: Principal = request.state.principal
        actor, at = asked.by(principal), now()

        def act(connection: sa.Connection) -> dict[str, Any]:
            row = kept.find(connection, id_or_name, at)
            if row is None or principal.tenant not in (None, row.tenant):
                raise Problem(404, "no-such-client", "No such client", f"There is no client {id_or_name} in force.")
            if row.revoked_at is None:
                kept.revoke(connection, row.id, at, actor)
                _audit(connection, at, actor, "client.revoke", row.id, row.tenant, asked.because, {"name": row.name})
            return told(kept.find(connection, row.id, at), at)

        answer = await asking.write(act)
        log.info(
            "client %s revoked by %r", answer["id"], actor,
            extra=called("client-revoked", client=answer["id"], actor=actor),
        )
        return answer

    return routes


def told(row: Any, now: int) -> dict[str, Any]:
    """A client as JSON."""
    state = "in force" if kept.in_force(row, now) else "revoked" if row.revoked_at is not None else "expired"
    times = {name: None if getattr(row, name) is None else when(getattr(row, name))
             for name in ("made_at", "expires_at", "revoked_at")}  # fmt: skip
    names = ("id", "name", "scopes", "tenant", "made_by", "revoked_by")
    return {"state": state, **{name: getattr(row, name) for name in names}, **times}


def _audit(
    connection: sa.Connection, at: int, actor: str, what: str, id_: str, tenant: str | None, why: str,
    after: dict[str, Any],
) -> None:  # fmt: skip
    note(connection, Deed(
        at=at, actor=actor, what=what, object=f"client {id_}", tenant=tenant or DEFAULT_TENANT, why=why, after=after
    ))  # fmt: skip
