"""Calls about healthz."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from simward.client.answers.healthz import Alive
from simward.client.caller import AsyncCaller, Caller


class HealthzCalls:
    """Calls about healthz."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def get(self) -> Alive:
        """The process answers; nothing more is asked."""
        answer: Alive = self._caller.call("GET", "/healthz")
        return answer


class AsyncHealthzCalls:
    """Calls about healthz."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def get(self) -> Alive:
        """The process answers; nothing more is asked."""
        answer: Alive = await self._caller.call("GET", "/healthz")
        return answer

