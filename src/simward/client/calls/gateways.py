"""Calls about gateways."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from simward.client.answers.gateways import Gateway, Gateways
from simward.client.caller import AsyncCaller, Caller


class GatewaysCalls:
    """Calls about gateways."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self, *, after: str | None = None) -> Gateways:
        """As the gate knows them now: it must be running."""
        answer: Gateways = self._caller.call("GET", "/v1/gateways", query={"after": after})
        return answer

    def all(self) -> Iterator[Gateway]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages("/v1/gateways", "gateways", query={})


class AsyncGatewaysCalls:
    """Calls about gateways."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self, *, after: str | None = None) -> Gateways:
        """As the gate knows them now: it must be running."""
        answer: Gateways = await self._caller.call("GET", "/v1/gateways", query={"after": after})
        return answer

    def all(self) -> AsyncIterator[Gateway]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages("/v1/gateways", "gateways", query={})

