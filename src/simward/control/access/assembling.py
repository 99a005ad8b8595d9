"""Access put together: who is let in by what, the pages and routes of it, and what waits for a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from fastapi import APIRouter

from simward.control.access.account_pages import AccountPages
from simward.control.access.certificate import Certificate
from simward.control.access.keys import vault_of
from simward.control.access.links import Links
from simward.control.access.openid import OpenId
from simward.control.access.openid_pages import OpenIdPages
from simward.control.access.pages import SignInPages
from simward.control.access.passwords import Passwords
from simward.control.access.rotation import Rotation, finish
from simward.control.access.sessions import Sessions
from simward.control.access.signing_in import SigningIn
from simward.control.access.site import Site
from simward.control.access.tokens import Tokens
from simward.control.api.accounts import account_routes
from simward.control.api.principals import Authenticator, Principal
from simward.control.api.tokens import token_routes
from simward.registry.database import Registry
from simward.settings import Settings


class Access:
    """The authenticators and routes of one working folder. Raises ConfigurationError where its keys cannot be had."""

    def __init__(self, settings: Settings, registry: Registry, now: Callable[[], int]) -> None:
        self.site = Site(settings.control)
        self.certificate = Certificate.of(settings)
        self.vault = vault_of(settings, registry)
        finish(registry, self.vault)
        self._tokens = Tokens(registry, now)
        self._sessions = Sessions(registry, self.site, settings.control, now)
        passwords = Passwords()
        self.signing_in = SigningIn(registry, self.vault, passwords, self._sessions, now)
        self.links = Links(registry, self.site, settings.data_dir, now)
        self.authenticators: Sequence[Authenticator] = [self._tokens, self._sessions]
        sign_in = SignInPages(registry, self.site, self.signing_in, self.links, passwords, now)
        account = AccountPages(registry, self.site, self.vault, self.signing_in, passwords, now)
        self.routes: Sequence[APIRouter] = [
            token_routes(registry, now), account_routes(registry, self.links, now), sign_in.routes(), account.routes(),
            Rotation(settings, registry, self.vault, now).routes(),
            *self._by_provider(settings, registry, sign_in, now),
        ]

    def _by_provider(
        self, settings: Settings, registry: Registry, sign_in: SignInPages, now: Callable[[], int]
    ) -> Sequence[APIRouter]:
        if settings.openid is None:
            return []
        provider = OpenId(settings.openid, lambda: now() // 1_000_000)
        return [OpenIdPages(registry, self.site, self.vault, self.signing_in, sign_in, provider, now).routes()]

    async def still(self, principal: Principal) -> bool:
        """Would this caller be let in now?"""
        return await self._tokens.still(principal) and await self._sessions.still(principal)

    def tick(self, connection: sa.Connection, now: int) -> None:
        """See Ticking."""
        for one in (self._tokens, self._sessions, self.signing_in):
            one.tick(connection, now)
