"""Calls about parties."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from simward.client.answers.parties import Parties, Party
from simward.client.caller import AsyncCaller, Caller


class PartiesCalls:
    """Calls about parties."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self, *, after: str | None = None, limit: int | None = None) -> Parties:
        """Every party of the settings by name: whom it is told through, what it may ask for, what it has not
        answered."""
        answer: Parties = self._caller.call(
            "GET", "/v1/parties", query={"after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, limit: int | None = None) -> Iterator[Party]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages("/v1/parties", "parties", query={"limit": limit})


class AsyncPartiesCalls:
    """Calls about parties."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self, *, after: str | None = None, limit: int | None = None) -> Parties:
        """Every party of the settings by name: whom it is told through, what it may ask for, what it has not
        answered."""
        answer: Parties = await self._caller.call(
            "GET", "/v1/parties", query={"after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, limit: int | None = None) -> AsyncIterator[Party]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages("/v1/parties", "parties", query={"limit": limit})

