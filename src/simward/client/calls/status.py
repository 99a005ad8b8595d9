"""Calls about status."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from simward.client.answers.status import Status
from simward.client.caller import AsyncCaller, Caller


class StatusCalls:
    """Calls about status."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def get(self) -> Status:
        """How the control plane stands."""
        answer: Status = self._caller.call("GET", "/v1/status")
        return answer


class AsyncStatusCalls:
    """Calls about status."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def get(self) -> Status:
        """How the control plane stands."""
        answer: Status = await self._caller.call("GET", "/v1/status")
        return answer

