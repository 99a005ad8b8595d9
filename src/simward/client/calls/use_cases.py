"""Calls about use cases."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from simward.client.answers.use_cases import UseCase, UseCases
from simward.client.caller import AsyncCaller, Caller, path


class UseCasesCalls:
    """Calls about use cases."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self, *, fields: str | None = None, after: str | None = None, limit: int | None = None) -> UseCases:
        """What the policy in force declares, by name, with how many subscriptions are in it."""
        answer: UseCases = self._caller.call(
            "GET", "/v1/use-cases", query={"fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, fields: str | None = None, limit: int | None = None) -> Iterator[UseCase]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/use-cases", "use_cases", query={"fields": fields, "limit": limit},
        )  # fmt: skip

    def get(self, name: str) -> UseCase:
        """One of them. Its ETag is of what is declared; counts have no part in it."""
        answer: UseCase = self._caller.call("GET", path("/v1/use-cases/{name}", name))
        return answer


class AsyncUseCasesCalls:
    """Calls about use cases."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self, *, fields: str | None = None, after: str | None = None, limit: int | None = None) -> UseCases:
        """What the policy in force declares, by name, with how many subscriptions are in it."""
        answer: UseCases = await self._caller.call(
            "GET", "/v1/use-cases", query={"fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, fields: str | None = None, limit: int | None = None) -> AsyncIterator[UseCase]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/use-cases", "use_cases", query={"fields": fields, "limit": limit},
        )  # fmt: skip

    async def get(self, name: str) -> UseCase:
        """One of them. Its ETag is of what is declared; counts have no part in it."""
        answer: UseCase = await self._caller.call("GET", path("/v1/use-cases/{name}", name))
        return answer

