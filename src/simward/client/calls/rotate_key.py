"""Calls about rotate key."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from simward.client.answers.rotate_key import Rotated
from simward.client.caller import AsyncCaller, Caller


class RotateKeyCalls:
    """Calls about rotate key."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create(self, *, actor: str | None = None, because: str | None = None, key: str | None = None) -> Rotated:
        """Make a new key, seal everything again under it, and forget the old one. The owner's alone."""
        answer: Rotated = self._caller.call(
            "POST", "/v1/rotate-key", body={"actor": actor, "because": because}, key=key, keyed=True,
        )  # fmt: skip
        return answer


class AsyncRotateKeyCalls:
    """Calls about rotate key."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create(self, *, actor: str | None = None, because: str | None = None, key: str | None = None) -> Rotated:
        """Make a new key, seal everything again under it, and forget the old one. The owner's alone."""
        answer: Rotated = await self._caller.call(
            "POST", "/v1/rotate-key", body={"actor": actor, "because": because}, key=key, keyed=True,
        )  # fmt: skip
        return answer

