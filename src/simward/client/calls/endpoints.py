"""Calls about endpoints."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simward.client.caller import AsyncCaller, Caller, path


class EndpointsCalls:
    """Calls about endpoints."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self) -> dict[str, Any]:
        """Every endpoint of the settings: what waits, what died, whether it is up."""
        answer: dict[str, Any] = self._caller.call("GET", "/v1/endpoints")
        return answer

    def dead(self, name: str, *, limit: int | None = None) -> dict[str, Any]:
        """What could not be delivered, the newest first."""
        answer: dict[str, Any] = self._caller.call(
            "GET", path("/v1/endpoints/{name}/dead", name), query={"limit": limit},
        )  # fmt: skip
        return answer

    def redeliver(self, name: str, *, announcement: str, key: str | None = None) -> dict[str, Any]:
        """An announcement is delivered to an endpoint once more, under its id, after what waits in its lane."""
        answer: dict[str, Any] = self._caller.call(
            "POST", path("/v1/endpoints/{name}/redeliver", name), body={"announcement": announcement}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    def redrive(self, name: str, *, deliveries: Sequence[int] | None = None, key: str | None = None) -> dict[str, Any]:
        """Dead letters wait again, for another day, each before what waits in its lane."""
        answer: dict[str, Any] = self._caller.call(
            "POST", path("/v1/endpoints/{name}/redrive", name), body={"deliveries": deliveries}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    def test(self, name: str, *, key: str | None = None) -> dict[str, Any]:
        """Send a test now, past all that waits. An endpoint that takes it counts as up again."""
        answer: dict[str, Any] = self._caller.call(
            "POST", path("/v1/endpoints/{name}/test", name), key=key, keyed=True,
        )  # fmt: skip
        return answer


class AsyncEndpointsCalls:
    """Calls about endpoints."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self) -> dict[str, Any]:
        """Every endpoint of the settings: what waits, what died, whether it is up."""
        answer: dict[str, Any] = await self._caller.call("GET", "/v1/endpoints")
        return answer

    async def dead(self, name: str, *, limit: int | None = None) -> dict[str, Any]:
        """What could not be delivered, the newest first."""
        answer: dict[str, Any] = await self._caller.call(
            "GET", path("/v1/endpoints/{name}/dead", name), query={"limit": limit},
        )  # fmt: skip
        return answer

    async def redeliver(self, name: str, *, announcement: str, key: str | None = None) -> dict[str, Any]:
        """An announcement is delivered to an endpoint once more, under its id, after what waits in its lane."""
        answer: dict[str, Any] = await self._caller.call(
            "POST", path("/v1/endpoints/{name}/redeliver", name), body={"announcement": announcement}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    async def redrive(
        self, name: str, *, deliveries: Sequence[int] | None = None, key: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Dead letters wait again, for another day, each before what waits in its lane."""
        answer: dict[str, Any] = await self._caller.call(
            "POST", path("/v1/endpoints/{name}/redrive", name), body={"deliveries": deliveries}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def test(self, name: str, *, key: str | None = None) -> dict[str, Any]:
        """Send a test now, past all that waits. An endpoint that takes it counts as up again."""
        answer: dict[str, Any] = await self._caller.call(
            "POST", path("/v1/endpoints/{name}/test", name), key=key, keyed=True,
        )  # fmt: skip
        return answer

