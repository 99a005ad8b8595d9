"""Calls about behaviour."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from simward.client.answers.behaviour import Behaviour
from simward.client.caller import AsyncCaller, Caller


class BehaviourCalls:
    """Calls about behaviour."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def get(self) -> Behaviour:
        """As the watch says it: it must be running."""
        answer: Behaviour = self._caller.call("GET", "/v1/behaviour")
        return answer


class AsyncBehaviourCalls:
    """Calls about behaviour."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def get(self) -> Behaviour:
        """As the watch says it: it must be running."""
        answer: Behaviour = await self._caller.call("GET", "/v1/behaviour")
        return answer

