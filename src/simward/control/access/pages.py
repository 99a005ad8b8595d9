"""The pages by which people come and go: `/sign-in`, `/sign-in/code`, `/sign-out` and `/first/...`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.access.csrf import form_of, from_here
from simward.control.access.links import Links
from simward.control.access.passwords import MOST, Passwords, too_weak
from simward.control.access.rendering import go_to, page
from simward.control.access.signing_in import KNOWN_S, Caller, Outcome, SigningIn, audit
from simward.control.access.site import KNOWN, SESSION, Site, local_path, of_headers
from simward.control.api.asking import Asking
from simward.control.api.permissions import ANYBODY, needs
from simward.control.api.permissions import KNOWN as WHOEVER_IS_KNOWN
from simward.control.api.principals import Principal
from simward.control.api.wrong_tokens import counted_as
from simward.errors import RefusedError
from simward.registry import accounts, sessions
from simward.registry.database import Registry

GONE = "This link was used, or is too old. An administrator makes another: simward account reset NAME."
BY_LINK = "link"
SHOWN_MAX = 512


class Provider(NamedTuple):
    """Where else one can sign in."""

    label: str
    path: str


class SignInPages:
    """The pages of who is not known yet, and the way out."""

    def __init__(
        self, registry: Registry, site: Site, signing_in: SigningIn, links: Links, passwords: Passwords,
        now: Callable[[], int],
    ) -> None:  # fmt: skip
        self._asking, self._site, self._signing_in, self._now = Asking(registry), site, signing_in, now
        self._links, self._passwords = links, passwords
        self.providers: Sequence[Provider] = ()
        self.sign_out_url: Callable[[str], Awaitable[str]] | None = None
        """Where an account (id) signs out of its provider too; empty where nowhere."""

    def routes(self) -> APIRouter:
        """All of them."""
        routes = APIRouter(include_in_schema=False)
        for method, path, page_of, needed in (
            ("GET", "/sign-in", self.form, ANYBODY), ("POST", "/sign-in", self.sign_in, ANYBODY),
            ("POST", "/sign-in/code", self.code, ANYBODY), ("POST", "/sign-out", self.sign_out, WHOEVER_IS_KNOWN),
            ("GET", "/first/{link}", self.opened, ANYBODY), ("POST", "/first/{link}", self.use, ANYBODY),
        ):  # fmt: skip
            routes.add_api_route(path, page_of, methods=[method], openapi_extra=needs(needed), response_model=None)
        return routes

    async def form(self, next: str = "") -> Response:
        """Name and password."""
        return self._form(next=local_path(next))

    async def sign_in(self, request: Request) -> Response:
        """A name and a password."""
        from_here(request)
        fields = await fields_of(request)
        name, next_ = fields.get("name", ""), local_path(fields.get("next", ""))
        outcome = await self._signing_in.password(name, fields.get("password", ""), self._caller(request))
        if outcome.said:
            return self._form(_status(outcome), next=next_, name=name[:128], said=outcome.said, wait_s=outcome.wait_s)
        if outcome.passed:
            return page("code", next=next_, passed=outcome.passed, said="")
        return await self.let_in(request, outcome, next_)

    async def code(self, request: Request) -> Response:
        """A code."""
        from_here(request)
        fields = await fields_of(request)
        next_, passed = local_path(fields.get("next", "")), fields.get("passed", "")
        outcome = await self._signing_in.code(passed, fields.get("code", ""), self._caller(request))
        if not outcome.said:
            return await self.let_in(request, outcome, next_)
        if not outcome.passed and not outcome.wait_s:
            return self._form(_status(outcome), next=next_, said=outcome.said)
        return page("code", _status(outcome), wait_s=outcome.wait_s, next=next_, passed=passed, said=outcome.said)

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        principal: Principal = request.state.principal
        at = self._now()

        def act(connection: sa.Connection) -> None:
            if sessions.end(connection, principal.session, principal.account):
                audit(connection, at, principal.name, "session.end", f"account {principal.name}", principal.tenant)

        await self._asking.write(act)
        provider = "" if self.sign_out_url is None else await self.sign_out_url(principal.account)
        response = page("signed_out", provider=provider)
        self._site.take(response, SESSION)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    async def opened(self, link: str, request: Request) -> Response:
        """The form of a link. To look at it changes nothing: programs that look before people do not use it up."""
        row = await self._link_of(request, link)
        if row is None:
            return page("no_link", 404, said=GONE)
        if row.signs_in:
            return page("enter", name=await self._named(row))
        return page("first", name=await self._named(row), chooses_name=row.account is None, said="")

    async def use(self, link: str, request: Request) -> Response:
        """Choose a password, unless the link signs in by itself, and be signed in."""
        from_here(request)
        fields, row = await fields_of(request), await self._link_of(request, link)
        if row is None:
            return page("no_link", 404, said=GONE)
        if row.signs_in:
            return await self._enter(row, request)
        first = row.account is None
        name = (fields.get("name", "").strip().lower() if first else await self._named(row))[:128]
        password = fields.get("password", "")
        said = too_weak(password, name)
        if not said and password != fields.get("again", ""):
            said = "The two passwords differ."
        if said:
            return page("first", 422, name=name, chooses_name=first, said=said)
        encoded = await self._passwords.hash(password)
        try:
            account = await self._asking.write(lambda c: _take(c, row, name, encoded, self._now()))
        except RefusedError as error:
            return page("first", 409, name=name, chooses_name=first, said=f"{error}.")
        if account is None:
            return page("no_link", 404, said=GONE)
        if first:
            self._links.forget_first()
        return await self.let_in(request, await self._signing_in.begin(account, BY_LINK, self._caller(request)), "")

    async def _enter(self, link: Any, request: Request) -> Response:
        """By a link that stands for the password; who has a second factor shows a code of it as ever."""
        account = await self._asking.write(
            lambda c: accounts.by_id(c, link.account) if sessions.use_link(c, link.id) else None
        )
        if account is None or not account.enabled:
            return page("no_link", 404, said=GONE)
        outcome = await self._signing_in.past_password(account, BY_LINK, self._caller(request))
        if outcome.passed:
            return page("code", next="", passed=outcome.passed, said="")
        return await self.let_in(request, outcome, "")

    async def let_in(self, request: Request, outcome: Outcome, path: str) -> Response:
        """With a session that has never been seen before; the one that the browser had is over."""
        if outcome.said:
            return self._form(_status(outcome), next=path, said=outcome.said)
        earlier = self._site.shown(of_headers(request), SESSION)
        if earlier:
            await self._asking.write(lambda c: _end(c, earlier, self._now()))
        response = go_to("/account" if outcome.lacks_second_factor else path)
        self._site.give(response, SESSION, outcome.cookie)
        self._site.give(response, KNOWN, outcome.known, KNOWN_S)
        return response

    def _form(self, status: int = 200, *, next: str, name: str = "", said: str = "", wait_s: int = 0) -> Response:
        values = {"next": next, "name": name, "said": said, "providers": self.providers}
        return page("sign_in", status, wait_s=wait_s, **values)

    def refuse(self, said: str, status: int, *, next: str = "", wait_s: int = 0) -> Response:
        """The form again, with what did not go."""
        return self._form(status, next=next, said=said, wait_s=wait_s)

    async def _link_of(self, request: Request, shown: str) -> Any | None:
        """The row of a link that works; of an address that tries many none does."""
        if self._signing_in.by_address.begin(counted_as(self._caller(request).address)):
            return None
        return await self._asking.read(lambda c: sessions.link_of(c, shown, self._now()))

    async def _named(self, row: Any) -> str:
        if row.account is None:
            return ""
        account = await self._asking.read(lambda c: accounts.by_id(c, row.account))
        return "" if account is None else str(account.name)

    def _caller(self, request: Request) -> Caller:
        return caller_of(request, self._site)


def _status(outcome: Outcome) -> int:
    return 429 if outcome.wait_s else 403


def _take(connection: sa.Connection, link: Any, name: str, encoded: str, now: int) -> Any | None:
    """The account that a link was for, with its password; None where the link was used meanwhile."""
    if not sessions.use_link(connection, link.id):
        return None
    if link.account is None:
        everything = {accounts.EVERY: accounts.ADMINISTRATOR}
        id_ = accounts.make(connection, name, everything, now, "first administrator's link")
        audit(connection, now, name, "account.make", f"account {name}", None, after={"role": accounts.ADMINISTRATOR})
    else:
        id_ = link.account
    accounts.set_password(connection, id_, encoded, now)
    row = accounts.by_id(connection, id_)
    assert row is not None
    if not row.enabled:
        raise RefusedError(f"{row.name} is disabled")
    audit(connection, now, row.name, "account.password", f"account {row.name}", None, after={"by": "a link"})
    return row


def _end(connection: sa.Connection, cookie: str, now: int) -> None:
    row = sessions.opened_by(connection, cookie, now)
    if row is not None:
        sessions.end(connection, row.id, row.account)


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form, each of a length that can be meant."""
    most = {"password": MOST, "again": MOST, "old": MOST}
    shown = {name: value for name, value in (await form_of(request)).items() if isinstance(value, str)}
    return {name: value[: 4 * most.get(name, SHOWN_MAX)] for name, value in shown.items()}


def caller_of(request: Request, site: Site) -> Caller:
    """Where a request comes from."""
    address = request.client.host if request.client else ""
    return Caller(address, request.headers.get("user-agent", ""), site.shown(of_headers(request), KNOWN))
