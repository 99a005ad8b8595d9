"""`/sign-in/openid`: to the provider, and back as somebody that its claims make something here; else nothing is open.

What has to come back unchanged, and what only this browser may know, waits in a sealed cookie: nothing is kept here of
who does not come back.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from simward.control.access.attempts import Attempts
from simward.control.access.openid import NoProvider, NotProved, OpenId
from simward.control.access.pages import Provider, SignInPages, caller_of
from simward.control.access.rendering import SEE_OTHER
from simward.control.access.signing_in import ADDRESS_TRIES, ADDRESS_WITHIN_S, SigningIn, audit, sealed_text, unsealed
from simward.control.access.site import Site, local_path, of_headers
from simward.control.api.asking import Asking
from simward.control.api.permissions import ANYBODY, needs
from simward.control.api.wrong_tokens import counted_as
from simward.errors import RefusedError, RegistryError
from simward.logs import called
from simward.registry import accounts
from simward.registry.database import Registry
from simward.registry.sealing import Vault
from simward.settings_openid import Grant

log = logging.getLogger(__name__)

COOKIE, CONTEXT = "simward-openid", "sign-in by OpenID Connect"
PATH, BACK = "/sign-in/openid", "/sign-in/openid/callback"
WITHIN_S = 600
CODE_MAX = 4096
HOW = "OpenID Connect"
ELSEWHERE = "This sign-in was begun in another browser, or too long ago: begin again."
NO_ROLE = "You are known to your provider, and nothing there makes you anything here. Ask an administrator."


class OpenIdPages:
    """The way there and back."""

    def __init__(
        self, registry: Registry, site: Site, vault: Vault, signing_in: SigningIn, pages: SignInPages, provider: OpenId,
        now: Callable[[], int],
    ) -> None:  # fmt: skip
        self._asking, self._site, self._vault, self._now = Asking(registry), site, vault, now
        self._signing_in, self._pages, self._provider = signing_in, pages, provider
        self._tries = Attempts(ADDRESS_TRIES, ADDRESS_WITHIN_S)
        pages.providers = [Provider(provider.settings.label, PATH)]
        pages.sign_out_url = self._sign_out_url

    def routes(self) -> APIRouter:
        """Both."""
        routes = APIRouter(include_in_schema=False)
        # RFC 6749 4.1.2: what else an answer has is ignored.
        for path, page_of, needed in (
            (PATH, self.go, needs(ANYBODY)), (BACK, self.come_back, needs(ANYBODY, any_query=True)),
        ):  # fmt: skip
            routes.add_api_route(path, page_of, methods=["GET"], openapi_extra=needed, response_model=None)
        return routes

    async def go(self, request: Request, next: str = "") -> Response:
        """To the provider."""
        if wait_s := self._tries.begin(counted_as(caller_of(request, self._site).address)):
            return self._pages.refuse("Too many tries: wait a minute, and try again.", 429, wait_s=wait_s)
        try:
            begun = await self._provider.begin(self._site.url + BACK)
        except NoProvider as error:
            return self._unreachable(error)
        kept = {"state": begun.state, "nonce": begun.nonce, "verifier": begun.verifier, "next": local_path(next),
                "until": self._now() + WITHIN_S * 1_000_000}  # fmt: skip
        response = RedirectResponse(begun.url, SEE_OTHER)
        self._site.give(response, COOKIE, sealed_text(self._vault, CONTEXT, kept), WITHIN_S)
        return response

    async def come_back(
        self, request: Request, code: str = "", state: str = "", error: str = "", iss: str = ""
    ) -> Response:
        """From the provider."""
        response = await self._came(request, code[:CODE_MAX], state, error, iss)
        self._site.take(response, COOKIE)  # it was for this once
        return response

    async def _came(self, request: Request, code: str, state: str, error: str, issuer: str) -> Response:
        kept = self._kept(request, state)
        if kept is None:
            return self._pages.refuse(ELSEWHERE, 403)
        if error or not code:
            log.info(
                "sign-in by OpenID Connect: the provider said %r", error[:100], extra=called("provider-refused"),
            )
            return self._pages.refuse("Your provider did not sign you in.", 403, next=kept["next"])
        try:
            claims = await self._provider.claims(
                code, issuer, kept["nonce"], kept["verifier"], self._site.url + BACK
            )
        except NoProvider as failed:
            return self._unreachable(failed)
        except NotProved as failed:
            log.warning("sign-in by OpenID Connect refused: %s", failed, extra=called("sign-in-refused"))
            return self._pages.refuse("What your provider said does not prove who you are.", 403, next=kept["next"])
        settings, caller = self._provider.settings, caller_of(request, self._site)
        wanted = memberships_of(claims, settings.grants)
        name = str(found_in(claims, settings.name_claim) or claims["sub"]).strip().lower()
        subject = str(claims["sub"])

        def settle(connection: sa.Connection) -> Any | None:
            return settled(connection, settings.issuer, subject, name, wanted, self._now(), caller.address)

        try:
            row = await self._asking.write(settle)
        except RefusedError as refused:
            return self._pages.refuse(f"You cannot have an account here: {refused}.", 403)
        if row is None:
            return self._pages.refuse(NO_ROLE, 403)
        return await self._pages.let_in(request, await self._signing_in.begin(row, HOW, caller), kept["next"])

    def _kept(self, request: Request, state: str) -> dict[str, Any] | None:
        """What this browser was sent away with; None where that is not what came back."""
        try:
            kept = unsealed(self._vault, CONTEXT, self._site.shown(of_headers(request), COOKIE))
        except (RegistryError, ValueError):
            return None
        same = hmac.compare_digest(state.encode(), str(kept["state"]).encode())
        return kept if same and self._now() < kept["until"] else None

    def _unreachable(self, error: NoProvider) -> Response:
        log.error("sign-in by OpenID Connect is not possible: %s", error, extra=called("provider-failed"))
        return self._pages.refuse("Your provider cannot be reached now. Try again in a moment.", 503, wait_s=5)

    async def _sign_out_url(self, account: str) -> str:
        """Where this account signs out of the provider too; empty for who does not come by it."""
        row = await self._asking.read(lambda c: accounts.by_id(c, account))
        if row is None or row.issuer != self._provider.settings.issuer:
            return ""
        return await self._provider.sign_out_url(self._site.url + "/sign-in")


def settled(
    connection: sa.Connection, issuer: str, subject: str, name: str, wanted: Mapping[str, str], now: int, address: str
) -> Any | None:
    """The account of whom the issuer calls so, which is now what its claims make it; None where that is nothing.

    It is found by issuer and subject alone: a name, or an address of e-mail, can be anybody's. RefusedError where a new
    account cannot be called so.
    """
    row = accounts.by_subject(connection, issuer, subject)
    if row is None:
        if not wanted:
            who = {"issuer": issuer, "subject": subject, "address": address, "why": "no grant fits"}
            audit(connection, now, name[:127], "session.refused", "no account", None, after=who)
            return None
        id_ = accounts.make(connection, name, wanted, now, HOW, issuer=issuer, subject=subject)
        made = {"memberships": dict(wanted), "issuer": issuer, "subject": subject}
        audit(connection, now, name, "account.make", f"account {name}", None, after=made)
        return accounts.by_id(connection, id_)
    was = accounts.memberships(connection, [row.id])[row.id]
    if was != wanted:
        audit(connection, now, row.name, "account.change", f"account {row.name}", None,
              why=f"what {issuer} says", before={"memberships": was}, after={"memberships": dict(wanted)})  # fmt: skip
        accounts.become(connection, row.id, wanted)
    if wanted and row.enabled:
        return row
    why = "no grant fits" if row.enabled else "it is disabled"
    after = {"address": address, "why": why}
    audit(connection, now, row.name, "session.refused", f"account {row.name}", None, after=after)
    return None


def memberships_of(claims: Mapping[str, Any], grants: tuple[Grant, ...]) -> dict[str, str]:
    """Tenant (or *) -> role: of each tenant the first that fits."""
    found: dict[str, str] = {}
    for one in grants:
        held = found_in(claims, one.claim)
        if one.value in (held if isinstance(held, list) else [held]):
            found.setdefault(one.tenant, one.role)
    return found


def found_in(claims: Mapping[str, Any], name: str) -> Any:
    """A claim of this name, else what stands under names joined by dots; None where there is none."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found

