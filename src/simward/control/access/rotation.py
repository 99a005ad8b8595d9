"""Another key for what is sealed in the registry: everything is sealed again under it, then the old one is gone.

Wherever it is killed, the file has every key that something is still sealed with; doing it again finishes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from pydantic import BaseModel

from simward.control.access import keys
from simward.control.access.signing_in import audit
from simward.control.api.asking import Asking
from simward.control.api.permissions import OWNER, needs
from simward.control.api.problems import Problem
from simward.control.api.tokens import Asked
from simward.errors import ConfigurationError, RefusedError
from simward.registry.database import Registry
from simward.registry.sealing import Vault, name_of, seal_again
from simward.settings import Settings


class Rotated(BaseModel):
    """What was done."""

    key: str
    """What the new key is known by; it says nothing of the key."""
    sealed_again: int


class Rotation:
    """Changes the key of a running control process."""

    def __init__(self, settings: Settings, registry: Registry, vault: Vault, now: Callable[[], int]) -> None:
        self._settings, self._asking, self._vault, self._now = settings, Asking(registry), vault, now
        self._one_at_a_time = asyncio.Lock()

    def routes(self) -> APIRouter:
        """One, the owner's."""
        routes = APIRouter(prefix="/v1", tags=["accounts"])
        routes.add_api_route(
            "/rotate-key", self.rotate, methods=["POST"], response_model=Rotated, openapi_extra=needs(OWNER)
        )
        return routes

    async def rotate(self, asked: Asked, request: Request) -> dict[str, Any]:
        """Make a new key, seal everything again under it, and forget the old one. The owner's alone."""
        actor = asked.by(request.state.principal)
        async with self._one_at_a_time:
            try:
                path, old = keys.kept_in(self._settings)
                new = keys.new_key()
                await asyncio.to_thread(keys.write, path, [new, *old])
                self._vault.take([new, *old])
                changed = await self._asking.write(lambda connection: self._again(connection, actor, asked.because))
                await asyncio.to_thread(keys.write, path, [new])
            except (RefusedError, ConfigurationError) as error:
                raise Problem(409, "key-refused", "The key cannot be changed", str(error)) from None
            except OSError as error:
                raise Problem(503, "no-key-file", "The key's file cannot be written", str(error)) from None
            self._vault.take([new])
        return {"key": name_of(new).hex(), "sealed_again": changed}

    def _again(self, connection: sa.Connection, actor: str, because: str) -> int:
        changed = seal_again(connection, self._vault)
        after = {"key": self._vault.current.hex(), "sealed_again": changed}
        audit(connection, self._now(), actor, "key.rotate", "key of sealed secrets", None, why=because, after=after)
        return changed


def finish(registry: Registry, vault: Vault) -> int:
    """At a start: seal again what another key than the first has sealed, so that the others can be taken away.

    Gives how much that was. RegistryError where one of them is missing.
    """
    if vault.only_one:
        return 0
    with registry.writing() as connection:
        return seal_again(connection, vault)
