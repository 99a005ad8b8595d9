"""`/v1/accounts` and `/v1/me`: the people who sign in, what each is in which tenant, and who asks right now."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field, model_validator

from simward.control.access.links import Link, Links
from simward.control.access.signing_in import audit
from simward.control.api.asking import Asking
from simward.control.api.permissions import KNOWN, OWNER, PERMISSIONS, needs
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.control.api.tokens import Asked, Name, Role
from simward.engine.phrases import when
from simward.errors import RefusedError
from simward.registry import accounts as kept
from simward.registry.database import Registry

log = logging.getLogger(__name__)

MEMBERSHIPS_MAX = 100
OfAccount = Annotated[str, Path(max_length=127)]


class Membership(BaseModel, extra="forbid", strict=True):
    """What an account is, and where."""

    role: Role = Field(description="What it may.")
    tenant: Name | None = Field(default=None, description="In which tenant; not given: in all of them.")


class NewAccount(Asked):
    """An account to be made."""

    name: Annotated[str, Field(max_length=127)] = Field(description="Small letters, digits and . _ @ + -")
    memberships: list[Membership] = Field(min_length=1, max_length=MEMBERSHIPS_MAX)
    needs_second_factor: bool = Field(default=False, description="Has it to set up a second factor?")


class Changed(Asked):
    """What is to be another way."""

    memberships: list[Membership] | None = Field(default=None, min_length=1, max_length=MEMBERSHIPS_MAX)
    needs_second_factor: bool | None = None
    enabled: bool | None = None


class LinkFor(Asked):
    """Whom a link is for."""

    name: Annotated[str, Field(max_length=127)] | None = Field(
        default=None, description="An account, which chooses a password with it; none: whoever becomes administrator."
    )
    signs_in: bool = Field(
        default=False, description="It signs the account in by itself, and no password is chosen; it needs a name."
    )

    @model_validator(mode="after")
    def _signs_somebody_in(self) -> LinkFor:
        if self.signs_in and self.name is None:
            raise ValueError("signs_in needs the name of an account")
        return self


class Account(BaseModel):
    """An account, as it may be shown."""

    id: str
    name: str
    enabled: bool
    memberships: list[dict[str, str | None]]
    signs_in_by: list[Literal["password", "openid"]]
    second_factor: Literal["none", "needed", "set up"]
    made_at: str
    made_by: str
    signed_in_at: str | None


class AccountWithLink(Account):
    """An account, and a link that works once: this answer is the only place where it stands."""

    link: str
    link_ends_at: str


class Listed(BaseModel):
    """Accounts by name."""

    accounts: list[Account]


class MadeLink(BaseModel):
    """A link that works once."""

    link: str
    link_ends_at: str


class Me(BaseModel):
    """Who asks."""

    name: str
    kind: Literal["owner", "account", "token", "other"]
    role: str | None
    tenant: str | None = Field(description="The only tenant that it sees and acts on; null: all.")
    permissions: list[str]
    csrf: str | None = Field(description="What x-csrf-token has to be where something is changed by a session.")


def account_routes(registry: Registry, links: Links, now: Callable[[], int]) -> APIRouter:
    """All of them."""
    routes, made = APIRouter(prefix="/v1", tags=["accounts"]), _Accounts(registry, links, now)
    manage = needs("manage-accounts")
    routes.add_api_route("/me", who, methods=["GET"], response_model=Me, openapi_extra=needs(KNOWN))
    routes.add_api_route("/accounts", made.make, methods=["POST"], status_code=201, response_model=AccountWithLink,
                         openapi_extra=manage)  # fmt: skip
    routes.add_api_route("/accounts", made.listed, methods=["GET"], response_model=Listed, openapi_extra=manage)
    routes.add_api_route("/accounts/{name}", made.one, methods=["GET"], response_model=Account, openapi_extra=manage)
    routes.add_api_route("/accounts/{name}/change", made.change, methods=["POST"], response_model=Account,
                         openapi_extra=manage)  # fmt: skip
    routes.add_api_route("/accounts/{name}/reset", made.reset, methods=["POST"], response_model=AccountWithLink,
                         openapi_extra=manage)  # fmt: skip
    routes.add_api_route("/account-links", made.link, methods=["POST"], status_code=201, response_model=MadeLink,
                         openapi_extra=needs(OWNER))  # fmt: skip
    return routes


async def who(request: Request) -> dict[str, Any]:
    """Who asks, and what it may."""
    principal: Principal = request.state.principal
    kinds = (("owner", principal.local), ("account", principal.account), ("token", principal.token), ("other", 1))
    kind = next(name for name, there in kinds if there)
    return {"name": principal.name, "kind": kind, "role": principal.role or None, "tenant": principal.tenant,
            "permissions": permissions_of(principal), "csrf": principal.csrf or None}  # fmt: skip


class _Accounts:
    """The routes."""

    def __init__(self, registry: Registry, links: Links, now: Callable[[], int]) -> None:
        self._asking, self._links, self._now = Asking(registry), links, now

    async def make(self, asked: NewAccount, request: Request, response: Response) -> dict[str, Any]:
        """Make an account; the link lets its person choose a password. Who is bound to a tenant makes them for that."""
        principal: Principal = request.state.principal
        actor, wanted, at = asked.by(principal), _of_its_own(principal, asked.memberships), self._now()

        def act(connection: sa.Connection) -> dict[str, Any]:
            id_ = kept.make(connection, asked.name, wanted, at, actor, needs_second_factor=asked.needs_second_factor)
            link = self._links.make(connection, id_, actor)
            audit(connection, at, actor, "account.make", f"account {asked.name}", principal.tenant, why=asked.because,
                  after={"memberships": wanted, "needs_second_factor": asked.needs_second_factor})  # fmt: skip
            return {**_one(connection, id_), **_told_link(link)}

        return await self._write(act, response)

    async def listed(self, request: Request) -> dict[str, Any]:
        """All of them by name."""
        tenant = request.state.principal.tenant

        def look(connection: sa.Connection) -> list[dict[str, Any]]:
            found = kept.listed(connection, tenant=tenant)
            memberships = kept.memberships(connection, [row.id for row in found])
            return [told(row, _seen_by(tenant, memberships[row.id])) for row in found]

        return {"accounts": await self._asking.read(look)}

    async def one(self, name: OfAccount, request: Request) -> dict[str, Any]:
        """One of them."""
        tenant = request.state.principal.tenant

        def look(connection: sa.Connection) -> dict[str, Any]:
            row, memberships = _find(connection, name, tenant)
            return told(row, _seen_by(tenant, memberships))

        return await self._asking.read(look)

    async def change(self, name: OfAccount, asked: Changed, request: Request) -> dict[str, Any]:
        """Change what it is and may; it holds from the next request on. Who is disabled is signed out."""
        principal: Principal = request.state.principal
        actor, at = asked.by(principal), self._now()
        wanted = None if asked.memberships is None else _of_its_own(principal, asked.memberships)

        def act(connection: sa.Connection) -> dict[str, Any]:
            row, memberships = _find(connection, name, principal.tenant)
            before = {"memberships": memberships, "enabled": row.enabled}
            values = {key: getattr(asked, key) for key in ("needs_second_factor", "enabled")}
            values = {key: value for key, value in values.items() if value is not None}
            if values:
                _whole(principal, row, memberships)
                kept.change(connection, row.id, **values)
            if wanted is not None:
                others = {} if principal.tenant is None else memberships
                kept.join(connection, row.id, {**others, **wanted})
            audit(connection, at, actor, "account.change", f"account {name}", principal.tenant, why=asked.because,
                  before=before, after={**values, **({} if wanted is None else {"memberships": wanted})})  # fmt: skip
            return _one(connection, row.id, principal.tenant)

        return await self._write(act)

    async def reset(self, name: OfAccount, asked: Asked, request: Request, response: Response) -> dict[str, Any]:
        """Take its password and second factor, and sign it out; the link lets its person choose a new password."""
        principal: Principal = request.state.principal
        actor, at = asked.by(principal), self._now()

        def act(connection: sa.Connection) -> dict[str, Any]:
            row, memberships = _find(connection, name, principal.tenant)
            _whole(principal, row, memberships)
            kept.set_password(connection, row.id, None, at)
            kept.set_second_factor(connection, row.id, None)
            link = self._links.make(connection, row.id, actor)
            audit(connection, at, actor, "account.reset", f"account {name}", principal.tenant, why=asked.because)
            return {**_one(connection, row.id, principal.tenant), **_told_link(link)}

        return await self._write(act, response)

    async def link(self, asked: LinkFor, request: Request, response: Response) -> dict[str, Any]:
        """A link for an account, or for whoever becomes administrator with it. The owner's alone."""
        actor, at = asked.by(request.state.principal), self._now()

        def act(connection: sa.Connection) -> dict[str, Any]:
            row = None if asked.name is None else _find(connection, asked.name, None)[0]
            made = self._links.make(connection, None if row is None else row.id, actor, signs_in=asked.signs_in)
            whose = "first administrator" if row is None else f"account {row.name}"
            after = {"signs_in": True} if asked.signs_in else None
            audit(connection, at, actor, "link.make", whose, None, why=asked.because, after=after)
            return _told_link(made)

        return await self._write(act, response)

    async def _write(
        self, act: Callable[[sa.Connection], dict[str, Any]], response: Response | None = None
    ) -> dict[str, Any]:
        if response is not None:
            response.headers["Cache-Control"] = "no-store"
        try:
            return await self._asking.write(act)
        except RefusedError as error:
            raise Problem(409, "account-refused", "That cannot be done", str(error)) from None


def permissions_of(principal: Principal) -> list[str]:
    """The permissions that a caller has, of whatever it may see."""
    return sorted(one for one in PERMISSIONS if principal.allows(one, None) or one in principal.about_some)


def told(row: Any, memberships: dict[str, str]) -> dict[str, Any]:
    """An account as JSON."""
    by = [name for name, there in (("password", row.password), ("openid", row.issuer)) if there is not None]
    factor = "set up" if row.second_factor is not None else "needed" if row.needs_second_factor else "none"
    return {
        "id": row.id, "name": row.name, "enabled": bool(row.enabled), "signs_in_by": by, "second_factor": factor,
        "memberships": [{"role": role, "tenant": None if tenant == kept.EVERY else tenant}
                        for tenant, role in memberships.items()],
        "made_at": when(row.made_at), "made_by": row.made_by,
        "signed_in_at": None if row.signed_in_at is None else when(row.signed_in_at),
    }  # fmt: skip


def _one(connection: sa.Connection, id_: str, tenant: str | None = None) -> dict[str, Any]:
    row = kept.by_id(connection, id_)
    return told(row, _seen_by(tenant, kept.memberships(connection, [id_])[id_]))


def _find(connection: sa.Connection, name: str, tenant: str | None) -> tuple[Any, dict[str, str]]:
    """Row and memberships. Raises Problem where there is none, or none that somebody of `tenant` may see."""
    row = kept.by_name(connection, name)
    memberships = {} if row is None else kept.memberships(connection, [row.id])[row.id]
    if row is None or (tenant is not None and tenant not in memberships):
        raise Problem(404, "no-such-account", "No such account", f"There is no account {name}.")
    return row, memberships


def _seen_by(tenant: str | None, memberships: dict[str, str]) -> dict[str, str]:
    """Who is bound to a tenant sees what somebody is there, and nothing of elsewhere."""
    return memberships if tenant is None else {one: role for one, role in memberships.items() if one == tenant}


def _whole(principal: Principal, row: Any, memberships: dict[str, str]) -> None:
    """What is about the whole account is for who sees all that it is in. Raises Problem."""
    if principal.tenant is not None and set(memberships) != {principal.tenant}:
        detail = f"{row.name} is a member of other tenants too: {principal.name} may only change what it is in its own."
        raise Problem(403, "not-permitted", "Not permitted", detail)


def _of_its_own(principal: Principal, asked: list[Membership]) -> dict[str, str]:
    """Tenant (or EVERY) -> role, as wanted. Raises Problem where it gives what the caller has not."""
    wanted = {one.tenant or kept.EVERY: str(one.role) for one in asked}
    if len(wanted) != len(asked):
        raise Problem(409, "account-refused", "That cannot be done", "memberships: a tenant is there twice.")
    if principal.tenant is not None and set(wanted) != {principal.tenant}:
        detail = f"memberships: {principal.name} gives them in {principal.tenant} alone."
        raise Problem(403, "not-permitted", "Not permitted", detail)
    return wanted


def _told_link(link: Link) -> dict[str, Any]:
    return {"link": link.url, "link_ends_at": when(link.ends_at)}
