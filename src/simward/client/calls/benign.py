"""Calls about benign."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal

from simward.client.answers.benign import Verdicted, Verdicts, Waiting
from simward.client.caller import AsyncCaller, Caller


class BenignCalls:
    """Calls about benign."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, in_force: bool | None = None, imsi: str | None = None, sort: Literal["-at", "at"] | None = None,
        fields: str | None = None, after: str | None = None, limit: int | None = None,
    ) -> Verdicts:  # fmt: skip
        """The newest first unless `sort=at`: those that are in force, or (`in_force=false`) also what expired and
        what was taken back."""
        answer: Verdicts = self._caller.call(
            "GET", "/v1/benign", query={"in_force": in_force, "imsi": imsi, "sort": sort, "fields": fields, "after":
            after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, in_force: bool | None = None, imsi: str | None = None, sort: Literal["-at", "at"] | None = None,
        fields: str | None = None, limit: int | None = None,
    ) -> Iterator[Verdicted]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/benign", "benign", query={"in_force": in_force, "imsi": imsi, "sort": sort, "fields": fields, "limit":
            limit},
        )  # fmt: skip

    def create(
        self, *, because: str, finding: str, actor: str | None = None, days: int | None = None, key: str | None = None,
    ) -> Waiting:  # fmt: skip
        """A finding of behaviour is right as it is: of its device or cohort more is allowed, and its incident is
        over unless something else of it lasts."""
        answer: Waiting = self._caller.call(
            "POST", "/v1/benign", body={"actor": actor, "because": because, "finding": finding, "days": days}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    def withdraw(self, *, because: str, finding: str, actor: str | None = None, key: str | None = None) -> Waiting:
        """It is not benign after all: nothing more is allowed from now on, and its incident is open again."""
        answer: Waiting = self._caller.call(
            "POST", "/v1/benign/withdraw", body={"actor": actor, "because": because, "finding": finding}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer


class AsyncBenignCalls:
    """Calls about benign."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(
        self, *, in_force: bool | None = None, imsi: str | None = None, sort: Literal["-at", "at"] | None = None,
        fields: str | None = None, after: str | None = None, limit: int | None = None,
    ) -> Verdicts:  # fmt: skip
        """The newest first unless `sort=at`: those that are in force, or (`in_force=false`) also what expired and
        what was taken back."""
        answer: Verdicts = await self._caller.call(
            "GET", "/v1/benign", query={"in_force": in_force, "imsi": imsi, "sort": sort, "fields": fields, "after":
            after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, in_force: bool | None = None, imsi: str | None = None, sort: Literal["-at", "at"] | None = None,
        fields: str | None = None, limit: int | None = None,
    ) -> AsyncIterator[Verdicted]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/benign", "benign", query={"in_force": in_force, "imsi": imsi, "sort": sort, "fields": fields, "limit":
            limit},
        )  # fmt: skip

    async def create(
        self, *, because: str, finding: str, actor: str | None = None, days: int | None = None, key: str | None = None,
    ) -> Waiting:  # fmt: skip
        """A finding of behaviour is right as it is: of its device or cohort more is allowed, and its incident is
        over unless something else of it lasts."""
        answer: Waiting = await self._caller.call(
            "POST", "/v1/benign", body={"actor": actor, "because": because, "finding": finding, "days": days}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    async def withdraw(
        self, *, because: str, finding: str, actor: str | None = None, key: str | None = None,
    ) -> Waiting:  # fmt: skip
        """It is not benign after all: nothing more is allowed from now on, and its incident is open again."""
        answer: Waiting = await self._caller.call(
            "POST", "/v1/benign/withdraw", body={"actor": actor, "because": because, "finding": finding}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

