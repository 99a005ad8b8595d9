"""Calls about metrics."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from simward.client.caller import AsyncCaller, Caller


class MetricsCalls:
    """Calls about metrics."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self) -> str:
        """The metrics of all processes; of what does not answer there is `simward_up` 0 and nothing else."""
        answer: str = self._caller.call("GET", "/metrics")
        return answer


class AsyncMetricsCalls:
    """Calls about metrics."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self) -> str:
        """The metrics of all processes; of what does not answer there is `simward_up` 0 and nothing else."""
        answer: str = await self._caller.call("GET", "/metrics")
        return answer

