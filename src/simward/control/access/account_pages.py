"""`/account`: one's own password, second factor, sessions, and the tenant that one works in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from simward.control.access import second_factor
from simward.control.access.pages import caller_of, fields_of
from simward.control.access.passwords import Passwords, too_weak
from simward.control.access.rendering import SEE_OTHER, page
from simward.control.access.signing_in import Outcome, SigningIn, audit
from simward.control.access.site import SESSION, Site
from simward.control.api.asking import Asking
from simward.control.api.permissions import KNOWN, needs
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.engine.phrases import when
from simward.errors import RegistryError
from simward.registry import accounts, sessions
from simward.registry.database import Registry
from simward.registry.sealing import Vault

SAID = {
    "password": "The password is changed. You are signed out everywhere else.",
    "no-second-factor": "The second factor is removed. You are signed out everywhere else.",
    "session": "That session is over.",
    "tenant": "From now on you work in another tenant.",
}
"""What the page says after something was done, by the word in its address."""


class AccountPages:
    """The pages of who is signed in. Who came by a token or the owner's socket has none."""

    def __init__(
        self, registry: Registry, site: Site, vault: Vault, signing_in: SigningIn, passwords: Passwords,
        now: Callable[[], int],
    ) -> None:  # fmt: skip
        self._asking, self._site, self._vault, self._now = Asking(registry), site, vault, now
        self._signing_in, self._passwords = signing_in, passwords

    def routes(self) -> APIRouter:
        """All of them."""
        routes = APIRouter(prefix="/account", include_in_schema=False)
        for method, path, page_of in (
            ("GET", "", self.look), ("POST", "/password", self.change_password), ("POST", "/tenant", self.work_in),
            ("GET", "/second-factor", self.offer), ("POST", "/second-factor", self.set_up),
            ("POST", "/second-factor/remove", self.remove), ("POST", "/sessions/{session}/end", self.end),
        ):
            routes.add_api_route(path, page_of, methods=[method], openapi_extra=needs(KNOWN), response_model=None)
        return routes

    async def look(self, request: Request, done: str = "") -> Response:
        """The page."""
        return await self._page(request, done=SAID.get(done, ""))

    async def change_password(self, request: Request) -> Response:
        """The old one, and a new one twice."""
        row, fields = await self._mine(request), await fields_of(request)
        password = fields.get("password", "")
        said = await self._signing_in.confirms(row, fields.get("old", "")) or too_weak(password, row.name)
        if not said and password != fields.get("again", ""):
            said = "The two passwords differ."
        if said:
            return await self._page(request, 422, said=said)
        encoded = await self._passwords.hash(password)
        outcome = await self._anew(
            request, row, "account.password", lambda c: accounts.set_password(c, row.id, encoded, self._now())
        )
        return self._back("password", outcome)

    async def offer(self, request: Request) -> Response:
        """A new secret, to be shown back by a code of it."""
        return self._offer(request, await self._mine(request))

    async def set_up(self, request: Request) -> Response:
        """A code of the secret that was offered: it is the second factor from now on."""
        row, fields = await self._mine(request), await fields_of(request)
        try:
            offered = bytes.fromhex(fields.get("offered", ""))
            secret = self._vault.open(f"offer to account {row.id}", offered).decode()
        except (ValueError, RegistryError):
            return self._offer(request, row, said="The page is too old: here is another secret.")
        step = second_factor.step_of(secret, fields.get("code", ""), self._now() // 1_000_000)
        if step is None:
            said = "That is no code of this secret. Is the clock of the telephone right?"
            return self._offer(request, row, secret, said)
        if said := await self._signing_in.confirms(row, fields.get("old", "")):
            return self._offer(request, row, secret, said)
        sealed = self._vault.seal(f"second factor of account {row.id}", secret.encode())
        codes = second_factor.recovery_codes()
        digests = [one for one in map(second_factor.recovery_digest, codes) if one is not None]

        def act(connection: sa.Connection) -> None:
            accounts.set_second_factor(connection, row.id, sealed, digests)
            accounts.use_step(connection, row.id, step)
            accounts.end_sessions(connection, row.id)

        outcome = await self._anew(request, row, "account.second-factor", act)
        response = page("recovery_codes", me=request.state.principal, codes=codes)
        self._site.give(response, SESSION, outcome.cookie)
        return response

    async def remove(self, request: Request) -> Response:
        """The password once more: it is enough by itself from now on."""
        row, fields = await self._mine(request), await fields_of(request)
        if said := await self._signing_in.confirms(row, fields.get("old", "")):
            return await self._page(request, 422, said=said)

        def act(connection: sa.Connection) -> None:
            accounts.set_second_factor(connection, row.id, None)
            accounts.end_sessions(connection, row.id)

        return self._back("no-second-factor", await self._anew(request, row, "account.no-second-factor", act))

    async def end(self, session: str, request: Request) -> Response:
        """Sign out one of one's own sessions."""
        row, at = await self._mine(request), self._now()

        def act(connection: sa.Connection) -> None:
            if not sessions.end(connection, session, row.id):
                raise Problem(404, "no-such-session", "No such session", "You have no session of this id.")
            audit(connection, at, row.name, "session.end", f"account {row.name}", None, after={"session": session})

        await self._asking.write(act)
        return self._back("session")

    async def work_in(self, request: Request) -> Response:
        """Another tenant that one is something in."""
        row, wanted = await self._mine(request), (await fields_of(request)).get("tenant", "")

        def act(connection: sa.Connection) -> None:
            if wanted not in accounts.memberships(connection, [row.id])[row.id]:
                raise Problem(404, "no-such-tenant", "No such tenant", "You are a member of no tenant of this name.")
            sessions.work_in(connection, request.state.principal.session, wanted)

        await self._asking.write(act)
        return self._back("tenant")

    async def _mine(self, request: Request) -> Any:
        """The row of whoever asks. Raises Problem for who has none."""
        principal: Principal = request.state.principal
        row = await self._asking.read(lambda c: accounts.by_id(c, principal.account)) if principal.account else None
        if row is None:
            raise Problem(403, "not-permitted", "Not permitted", "These pages are for people who have signed in.")
        return row

    async def _anew(
        self, request: Request, row: Any, what: str, act: Callable[[sa.Connection], None]
    ) -> Outcome:
        """Do it, with a new session in place of all others: what was stolen before opens nothing."""
        principal: Principal = request.state.principal

        def both(connection: sa.Connection) -> None:
            act(connection)
            audit(connection, self._now(), row.name, what, f"account {row.name}", principal.tenant)

        how = await self._asking.read(lambda c: sessions.again(c, principal.session, self._now()))
        said = "password" if how is None else str(how.how)
        caller = caller_of(request, self._site)
        return await self._signing_in.begin(row, said, caller, tenant=principal.tenant or "", more=both)

    def _back(self, done: str, outcome: Outcome | None = None) -> Response:
        response = RedirectResponse(f"/account?done={done}", SEE_OTHER)
        if outcome is not None:
            self._site.give(response, SESSION, outcome.cookie)
        return response

    def _offer(self, request: Request, row: Any, secret: str = "", said: str = "") -> Response:
        if row.password is None:
            said = "Your provider signs you in: a second factor is its matter."
            raise Problem(409, "no-password", "No password", said)
        offer = second_factor.offer(row.name, secret)
        offered = self._vault.seal(f"offer to account {row.id}", offer.secret.encode()).hex()
        me, status = request.state.principal, 422 if said else 200
        return page("second_factor", status, me=me, offer=offer, offered=offered, said=said)

    async def _page(self, request: Request, status: int = 200, *, said: str = "", done: str = "") -> Response:
        row, now = await self._mine(request), self._now()

        def look(connection: sa.Connection) -> tuple[Any, ...]:
            return (
                accounts.memberships(connection, [row.id])[row.id], sessions.of_account(connection, row.id, now),
                accounts.recovery_codes_left(connection, row.id),
            )

        tenants, signed_in, codes_left = await self._asking.read(look)
        return page(
            "account", status, me=request.state.principal, account=row, tenants=tenants, sessions=signed_in,
            codes_left=codes_left, said=said, done=done, when=when,
        )  # fmt: skip
