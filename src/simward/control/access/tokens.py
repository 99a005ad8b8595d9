"""Lets systems in by their tokens: looks each up in the registry, and notes now and then that it was used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from simward.control.access.remembered import Remembered
from simward.control.api.permissions import ROLES
from simward.control.api.principals import Principal
from simward.registry import tokens
from simward.registry.database import Registry


class Tokens:
    """An Authenticator. What is remembered is void once anything is written: what was revoked opens nothing."""

    def __init__(self, registry: Registry, now: Callable[[], int]) -> None:
        self._registry, self._now = registry, now
        self._used: dict[str, int] = {}
        self._remembered = Remembered(registry)

    async def authenticate(self, headers: Mapping[bytes, bytes]) -> Principal | None:
        """See Authenticator (RFC 6750 2.1)."""
        scheme, _, shown = headers.get(b"authorization", b"").partition(b" ")
        shown = shown.strip()
        if scheme.lower() != b"bearer" or not tokens.FORM.fullmatch(shown):
            return None
        row, now = self._remembered.row(shown), self._now()
        if row is None:
            edition = self._remembered.edition
            row = await asyncio.to_thread(self._look_up, shown, now)
            if row is not None:
                self._remembered.keep(shown, row, edition)
        # A role of a later version opens nothing here.
        if row is None or not tokens.in_force(row, now) or row.role not in ROLES:
            return None
        if now - int(row.used_at or 0) >= tokens.USED_EVERY_US:
            self._used[row.id] = now
        return principal_of(row)

    async def still(self, principal: Principal) -> bool:
        """Would who was let in by a token be let in now? Asked by what goes on for long."""
        if not principal.token:
            return True
        return await asyncio.to_thread(self._still, principal.token)

    def tick(self, connection: sa.Connection, now: int) -> None:
        """See Ticking: write down what was used."""
        if self._used:
            used, self._used = self._used, {}
            tokens.used(connection, used)

    def _look_up(self, shown: bytes, now: int) -> Any | None:
        with self._registry.reading() as connection:
            return tokens.holder_of(connection, shown, now)

    def _still(self, id_: str) -> bool:
        now = self._now()
        with self._registry.reading() as connection:
            row = tokens.find(connection, id_, now)
        return row is not None and tokens.in_force(row, now)


def principal_of(row: Any) -> Principal:
    """Whoever shows the token of this row."""
    permissions = ROLES[row.role]
    return Principal(
        f"token {row.name}", lambda permission, iccid: permission in permissions, role=row.role, tenant=row.tenant,
        token=row.id,
    )  # fmt: skip
