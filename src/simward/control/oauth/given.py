"""Lets in whoever shows an access token that this installation gave out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from simward.control.api.principals import Principal
from simward.registry import clients
from simward.registry.database import Registry


class GivenTokens:
    """An Authenticator. Nothing is remembered between requests: what was revoked opens nothing from then on."""

    def __init__(self, registry: Registry, now: Callable[[], int]) -> None:
        self._registry, self._now = registry, now

    async def authenticate(self, headers: Mapping[bytes, bytes]) -> Principal | None:
        """See Authenticator (RFC 6750 2.1). Such a token is two-legged: it is about no device."""
        scheme, _, shown = headers.get(b"authorization", b"").partition(b" ")
        shown = shown.strip()
        if scheme.lower() != b"bearer" or not clients.TOKEN_FORM.fullmatch(shown):
            return None
        return await asyncio.to_thread(self._look_up, shown)

    def _look_up(self, shown: bytes) -> Principal | None:
        with self._registry.reading() as connection:
            row = clients.holder_of(connection, shown, self._now())
        if row is None:
            return None
        scopes = frozenset(row.scopes)
        return Principal(
            f"client {row.name}", lambda permission, iccid: permission in scopes, tenant=row.tenant,
            client=f"client:{row.id}",
        )  # fmt: skip
