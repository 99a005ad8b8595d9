"""Calls about endpoints."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

from simward.client.answers.endpoints import DeadLetter, DeadLetters, Endpoint, Endpoints, Redelivered, Redriven, Tested
from simward.client.caller import AsyncCaller, Caller, path


class EndpointsCalls:
    """Calls about endpoints."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self, *, after: str | None = None, limit: int | None = None) -> Endpoints:
        """Every endpoint of the settings by name: what waits, what died, whether it is up."""
        answer: Endpoints = self._caller.call(
            "GET", "/v1/endpoints", query={"after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, limit: int | None = None) -> Iterator[Endpoint]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages("/v1/endpoints", "endpoints", query={"limit": limit})

    def dead(self, name: str, *, after: str | None = None, limit: int | None = None) -> DeadLetters:
        """What could not be delivered, the newest first."""
        answer: DeadLetters = self._caller.call(
            "GET", path("/v1/endpoints/{name}/dead", name), query={"after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all_dead(self, name: str, *, limit: int | None = None) -> Iterator[DeadLetter]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            path("/v1/endpoints/{name}/dead", name), "dead", query={"limit": limit},
        )  # fmt: skip

    def redeliver(self, name: str, *, announcement: str, key: str | None = None) -> Redelivered:
        """An announcement is delivered to an endpoint once more, under its id, after what waits in its lane."""
        answer: Redelivered = self._caller.call(
            "POST", path("/v1/endpoints/{name}/redeliver", name), body={"announcement": announcement}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    def redrive(self, name: str, *, deliveries: Sequence[int] | None = None, key: str | None = None) -> Redriven:
        """Dead letters wait again, for another day, each before what waits in its lane."""
        answer: Redriven = self._caller.call(
            "POST", path("/v1/endpoints/{name}/redrive", name), body={"deliveries": deliveries}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    def test(self, name: str, *, key: str | None = None) -> Tested:
        """Send a test now, past all that waits. An endpoint that takes it counts as up again."""
        answer: Tested = self._caller.call(
            "POST", path("/v1/endpoints/{name}/test", name), key=key, keyed=True,
        )  # fmt: skip
        return answer


class AsyncEndpointsCalls:
    """Calls about endpoints."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self, *, after: str | None = None, limit: int | None = None) -> Endpoints:
        """Every endpoint of the settings by name: what waits, what died, whether it is up."""
        answer: Endpoints = await self._caller.call(
            "GET", "/v1/endpoints", query={"after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, limit: int | None = None) -> AsyncIterator[Endpoint]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages("/v1/endpoints", "endpoints", query={"limit": limit})

    async def dead(self, name: str, *, after: str | None = None, limit: int | None = None) -> DeadLetters:
        """What could not be delivered, the newest first."""
        answer: DeadLetters = await self._caller.call(
            "GET", path("/v1/endpoints/{name}/dead", name), query={"after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all_dead(self, name: str, *, limit: int | None = None) -> AsyncIterator[DeadLetter]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            path("/v1/endpoints/{name}/dead", name), "dead", query={"limit": limit},
        )  # fmt: skip

    async def redeliver(self, name: str, *, announcement: str, key: str | None = None) -> Redelivered:
        """An announcement is delivered to an endpoint once more, under its id, after what waits in its lane."""
        answer: Redelivered = await self._caller.call(
            "POST", path("/v1/endpoints/{name}/redeliver", name), body={"announcement": announcement}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    async def redrive(self, name: str, *, deliveries: Sequence[int] | None = None, key: str | None = None) -> Redriven:
        """Dead letters wait again, for another day, each before what waits in its lane."""
        answer: Redriven = await self._caller.call(
            "POST", path("/v1/endpoints/{name}/redrive", name), body={"deliveries": deliveries}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def test(self, name: str, *, key: str | None = None) -> Tested:
        """Send a test now, past all that waits. An endpoint that takes it counts as up again."""
        answer: Tested = await self._caller.call(
            "POST", path("/v1/endpoints/{name}/test", name), key=key, keyed=True,
        )  # fmt: skip
        return answer

