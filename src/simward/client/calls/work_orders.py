"""Calls about work orders."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Literal

from simward.client.answers.work_orders import CancelledOrder, MadeOrder, Order, Orders, Select, Wanted, WholeOrder
from simward.client.caller import AsyncCaller, Caller, path


class WorkOrdersCalls:
    """Calls about work orders."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create(
        self, *, because: str, actor: str | None = None, kind: Literal["plan", "swap", "refit"] | None = None, title:
        str | None = None, from_: str | None = None, until: str | None = None, items: Sequence[Wanted] | None = None,
        select: Select | None = None, device: bool | None = None, place: bool | None = None, source: str | None = None,
        dry_run: bool | None = None, key: str | None = None,
    ) -> MadeOrder:  # fmt: skip
        """Make an order and have the gate told; with `dry_run`, only say what it would be about."""
        answer: MadeOrder = self._caller.call(
            "POST", "/v1/work-orders", body={"actor": actor, "because": because, "kind": kind, "title": title, "from":
            from_, "until": until, "items": items, "select": select, "device": device, "place": place, "source":
            source, "dry_run": dry_run}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    def list(
        self, *, state: Sequence[Literal["open", "done", "overdue", "refused", "cancelled"]] | None = None, after: str
        | None = None, limit: int | None = None,
    ) -> Orders:  # fmt: skip
        """The newest first; open and overdue ones unless `state` says."""
        answer: Orders = self._caller.call(
            "GET", "/v1/work-orders", query={"state": state, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, state: Sequence[Literal["open", "done", "overdue", "refused", "cancelled"]] | None = None, limit: int
        | None = None,
    ) -> Iterator[Order]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/work-orders", "work_orders", query={"state": state, "limit": limit},
        )  # fmt: skip

    def get(self, number: int) -> WholeOrder:
        """An order with its items."""
        answer: WholeOrder = self._caller.call("GET", path("/v1/work-orders/{number}", number))
        return answer

    def cancel(self, number: int, *, because: str, actor: str | None = None, key: str | None = None) -> CancelledOrder:
        """Take back what is still to come."""
        answer: CancelledOrder = self._caller.call(
            "POST", path("/v1/work-orders/{number}/cancel", number), body={"actor": actor, "because": because},
            key=key, keyed=True,
        )  # fmt: skip
        return answer


class AsyncWorkOrdersCalls:
    """Calls about work orders."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create(
        self, *, because: str, actor: str | None = None, kind: Literal["plan", "swap", "refit"] | None = None, title:
        str | None = None, from_: str | None = None, until: str | None = None, items: Sequence[Wanted] | None = None,
        select: Select | None = None, device: bool | None = None, place: bool | None = None, source: str | None = None,
        dry_run: bool | None = None, key: str | None = None,
    ) -> MadeOrder:  # fmt: skip
        """Make an order and have the gate told; with `dry_run`, only say what it would be about."""
        answer: MadeOrder = await self._caller.call(
            "POST", "/v1/work-orders", body={"actor": actor, "because": because, "kind": kind, "title": title, "from":
            from_, "until": until, "items": items, "select": select, "device": device, "place": place, "source":
            source, "dry_run": dry_run}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def list(
        self, *, state: Sequence[Literal["open", "done", "overdue", "refused", "cancelled"]] | None = None, after: str
        | None = None, limit: int | None = None,
    ) -> Orders:  # fmt: skip
        """The newest first; open and overdue ones unless `state` says."""
        answer: Orders = await self._caller.call(
            "GET", "/v1/work-orders", query={"state": state, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, state: Sequence[Literal["open", "done", "overdue", "refused", "cancelled"]] | None = None, limit: int
        | None = None,
    ) -> AsyncIterator[Order]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/work-orders", "work_orders", query={"state": state, "limit": limit},
        )  # fmt: skip

    async def get(self, number: int) -> WholeOrder:
        """An order with its items."""
        answer: WholeOrder = await self._caller.call("GET", path("/v1/work-orders/{number}", number))
        return answer

    async def cancel(
        self, number: int, *, because: str, actor: str | None = None, key: str | None = None,
    ) -> CancelledOrder:  # fmt: skip
        """Take back what is still to come."""
        answer: CancelledOrder = await self._caller.call(
            "POST", path("/v1/work-orders/{number}/cancel", number), body={"actor": actor, "because": because},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

