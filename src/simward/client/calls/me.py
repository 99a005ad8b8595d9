"""Calls about me."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from simward.client.answers.me import Me
from simward.client.caller import AsyncCaller, Caller


class MeCalls:
    """Calls about me."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self) -> Me:
        """Who asks, and what it may."""
        answer: Me = self._caller.call("GET", "/v1/me")
        return answer


class AsyncMeCalls:
    """Calls about me."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self) -> Me:
        """Who asks, and what it may."""
        answer: Me = await self._caller.call("GET", "/v1/me")
        return answer

