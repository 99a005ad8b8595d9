"""Calls about bindings."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal

from simward.client.answers.bindings import Binding, Bindings
from simward.client.caller import AsyncCaller, Caller


class BindingsCalls:
    """Calls about bindings."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, imsi: str | None = None, imei: str | None = None, lasting: bool | None = None, sort:
        Literal["-began_at", "began_at"] | None = None, fields: str | None = None, after: str | None = None, limit: int
        | None = None,
    ) -> Bindings:  # fmt: skip
        """Which subscription belonged in which device, from when to when; `lasting`: those that still do."""
        answer: Bindings = self._caller.call(
            "GET", "/v1/bindings", query={"imsi": imsi, "imei": imei, "lasting": lasting, "sort": sort, "fields":
            fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, imsi: str | None = None, imei: str | None = None, lasting: bool | None = None, sort:
        Literal["-began_at", "began_at"] | None = None, fields: str | None = None, limit: int | None = None,
    ) -> Iterator[Binding]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/bindings", "bindings", query={"imsi": imsi, "imei": imei, "lasting": lasting, "sort": sort, "fields":
            fields, "limit": limit},
        )  # fmt: skip


class AsyncBindingsCalls:
    """Calls about bindings."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(
        self, *, imsi: str | None = None, imei: str | None = None, lasting: bool | None = None, sort:
        Literal["-began_at", "began_at"] | None = None, fields: str | None = None, after: str | None = None, limit: int
        | None = None,
    ) -> Bindings:  # fmt: skip
        """Which subscription belonged in which device, from when to when; `lasting`: those that still do."""
        answer: Bindings = await self._caller.call(
            "GET", "/v1/bindings", query={"imsi": imsi, "imei": imei, "lasting": lasting, "sort": sort, "fields":
            fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, imsi: str | None = None, imei: str | None = None, lasting: bool | None = None, sort:
        Literal["-began_at", "began_at"] | None = None, fields: str | None = None, limit: int | None = None,
    ) -> AsyncIterator[Binding]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/bindings", "bindings", query={"imsi": imsi, "imei": imei, "lasting": lasting, "sort": sort, "fields":
            fields, "limit": limit},
        )  # fmt: skip

