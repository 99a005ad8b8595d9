"""Calls about readyz."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from simward.client.answers.readyz import Ready
from simward.client.caller import AsyncCaller, Caller


class ReadyzCalls:
    """Calls about readyz."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def get(self) -> Ready:
        """Everything that it needs is there: 200, or 503 with what is not."""
        answer: Ready = self._caller.call("GET", "/readyz")
        return answer


class AsyncReadyzCalls:
    """Calls about readyz."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def get(self) -> Ready:
        """Everything that it needs is there: 200, or 503 with what is not."""
        answer: Ready = await self._caller.call("GET", "/readyz")
        return answer

