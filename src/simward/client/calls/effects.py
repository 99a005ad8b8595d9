"""Calls about effects."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal

from simward.client.answers.effects import Effect, Effects
from simward.client.caller import AsyncCaller, Caller, path


class EffectsCalls:
    """Calls about effects."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, imsi: str | None = None, incident: int | None = None, since: int | None = None, until: int | None =
        None, sort: Literal["-at", "at"] | None = None, fields: str | None = None, after: str | None = None, limit: int
        | None = None,
    ) -> Effects:  # fmt: skip
        """The newest first unless `sort=at`; `since` and `until` are of when they were first sent."""
        answer: Effects = self._caller.call(
            "GET", "/v1/effects", query={"imsi": imsi, "incident": incident, "since": since, "until": until, "sort":
            sort, "fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, imsi: str | None = None, incident: int | None = None, since: int | None = None, until: int | None =
        None, sort: Literal["-at", "at"] | None = None, fields: str | None = None, limit: int | None = None,
    ) -> Iterator[Effect]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/effects", "effects", query={"imsi": imsi, "incident": incident, "since": since, "until": until,
            "sort": sort, "fields": fields, "limit": limit},
        )  # fmt: skip

    def get(self, id: str) -> Effect:
        """One of them: its id has slashes."""
        answer: Effect = self._caller.call("GET", path("/v1/effects/{id}", id))
        return answer


class AsyncEffectsCalls:
    """Calls about effects."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(
        self, *, imsi: str | None = None, incident: int | None = None, since: int | None = None, until: int | None =
        None, sort: Literal["-at", "at"] | None = None, fields: str | None = None, after: str | None = None, limit: int
        | None = None,
    ) -> Effects:  # fmt: skip
        """The newest first unless `sort=at`; `since` and `until` are of when they were first sent."""
        answer: Effects = await self._caller.call(
            "GET", "/v1/effects", query={"imsi": imsi, "incident": incident, "since": since, "until": until, "sort":
            sort, "fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, imsi: str | None = None, incident: int | None = None, since: int | None = None, until: int | None =
        None, sort: Literal["-at", "at"] | None = None, fields: str | None = None, limit: int | None = None,
    ) -> AsyncIterator[Effect]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/effects", "effects", query={"imsi": imsi, "incident": incident, "since": since, "until": until,
            "sort": sort, "fields": fields, "limit": limit},
        )  # fmt: skip

    async def get(self, id: str) -> Effect:
        """One of them: its id has slashes."""
        answer: Effect = await self._caller.call("GET", path("/v1/effects/{id}", id))
        return answer

