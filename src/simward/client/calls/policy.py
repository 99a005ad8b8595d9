"""Calls about policy."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from simward.client.answers.policy import InForce
from simward.client.caller import AsyncCaller, Caller


class PolicyCalls:
    """Calls about policy."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self) -> InForce:
        """The documents in force, who owns each, and their texts."""
        answer: InForce = self._caller.call("GET", "/v1/policy")
        return answer


class AsyncPolicyCalls:
    """Calls about policy."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self) -> InForce:
        """The documents in force, who owns each, and their texts."""
        answer: InForce = await self._caller.call("GET", "/v1/policy")
        return answer

