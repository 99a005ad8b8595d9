"""Lets people in by the cookie of their session: an Authenticator beside that of tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from simward.control.access.csrf import token_of
from simward.control.access.remembered import Remembered
from simward.control.access.site import SESSION, Site
from simward.control.api.permissions import ROLES
from simward.control.api.principals import Principal
from simward.registry import sessions as kept
from simward.registry.accounts import EVERY
from simward.registry.database import Registry
from simward.settings import ControlSettings

SEEN_EVERY_US = 60 * 1_000_000
"""Last use is known to a minute: not every request is worth a write."""
PRUNED_EVERY_US = 60 * 1_000_000
BY_PASSWORD = "password"
"""How who has shown one thing alone came in."""


class Sessions:
    """An Authenticator. What is remembered between requests is void once anything is written."""

    def __init__(self, registry: Registry, site: Site, control: ControlSettings, now: Callable[[], int]) -> None:
        self._registry, self._site, self._now = registry, site, now
        self.idle_us, self.most_us = control.session_idle_s * 1_000_000, control.session_most_s * 1_000_000
        self._second_factor = control.second_factor == "required"
        self._seen: dict[str, int] = {}
        self._pruned_at = 0
        self._remembered = Remembered(registry)

    async def authenticate(self, headers: Mapping[bytes, bytes]) -> Principal | None:
        """See Authenticator. Who shows a token is not known by a cookie."""
        shown = self._site.shown(headers, SESSION)
        if b"authorization" in headers or not kept.FORM.fullmatch(shown):
            return None
        row, now = self._remembered.row(shown.encode()), self._now()
        if row is None:
            edition = self._remembered.edition
            row = await asyncio.to_thread(self._look_up, shown, now)
            if row is not None:
                self._remembered.keep(shown.encode(), row, edition)
        if row is None or now >= row.ends_at or not self._open(row, now):
            return None
        if now - row.seen_at >= SEEN_EVERY_US:
            self._seen[row.id] = now
        return self._principal(row, token_of(shown))

    async def still(self, principal: Principal) -> bool:
        """Would who was let in by a session be let in now?"""
        return not principal.session or await asyncio.to_thread(self._still, principal)

    def tick(self, connection: sa.Connection, now: int) -> None:
        """See Ticking: write down what was seen, and remove what is over."""
        if self._seen:
            seen, self._seen = self._seen, {}
            kept.seen(connection, seen)
        if now - self._pruned_at >= PRUNED_EVERY_US:
            self._pruned_at = now
            kept.prune(connection, now, self.idle_us)

    def lacks_second_factor(self, row: Any) -> bool:
        """Has it to set up a second factor before anything else is open? `row`: of the session or its account."""
        return (self._second_factor or row.needs_second_factor) and not row.has_second_factor and not row.issuer

    def _look_up(self, shown: str, now: int) -> Any | None:
        with self._registry.reading() as connection:
            return kept.opened_by(connection, shown, now)

    def _still(self, principal: Principal) -> bool:
        now = self._now()
        with self._registry.reading() as connection:
            row = kept.again(connection, principal.session, now)
        same = row is not None and (row.role, _tenant(row)) == (principal.role, principal.tenant)
        return same and self._open(row, now)

    def _open(self, row: Any, now: int) -> bool:
        """Does its account still open anything, and was it used lately? A role of a later version opens nothing."""
        seen_at = max(row.seen_at, self._seen.get(row.id, 0))
        return bool(row.enabled) and row.role in ROLES and now - seen_at < self.idle_us

    def _principal(self, row: Any, csrf: str) -> Principal:
        lacks = self.lacks_second_factor(row)
        permissions = frozenset() if lacks else ROLES[row.role]
        return Principal(
            row.name, lambda permission, iccid: permission in permissions, role="" if lacks else row.role,
            tenant=_tenant(row), csrf=csrf, session=row.id, account=row.account,
        )  # fmt: skip


def _tenant(row: Any) -> str | None:
    return None if row.tenant == EVERY else str(row.tenant)
