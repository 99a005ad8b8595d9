"""Calls about work orders."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from simward.client.answers.work_orders import Select, Wanted
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
    ) -> dict[str, Any]:  # fmt: skip
        """Make an order and have the gate told; with `dry_run`, only say what it would be about."""
        answer: dict[str, Any] = self._caller.call(
            "POST", "/v1/work-orders", body={"actor": actor, "because": because, "kind": kind, "title": title, "from":
            from_, "until": until, "items": items, "select": select, "device": device, "place": place, "source":
            source, "dry_run": dry_run}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    def list(
        self, *, state: Sequence[Literal["open", "done", "overdue", "refused", "cancelled"]] | None = None, limit: int
        | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The newest first; open and overdue ones unless `state` says."""
        answer: dict[str, Any] = self._caller.call(
            "GET", "/v1/work-orders", query={"state": state, "limit": limit},
        )  # fmt: skip
        return answer

    def get(self, number: int) -> dict[str, Any]:
        """An order with its items."""
        answer: dict[str, Any] = self._caller.call("GET", path("/v1/work-orders/{number}", number))
        return answer

    def cancel(self, number: int, *, because: str, actor: str | None = None, key: str | None = None) -> dict[str, Any]:
        """Take back what is still to come."""
        answer: dict[str, Any] = self._caller.call(
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
    ) -> dict[str, Any]:  # fmt: skip
        """Make an order and have the gate told; with `dry_run`, only say what it would be about."""
        answer: dict[str, Any] = await self._caller.call(
            "POST", "/v1/work-orders", body={"actor": actor, "because": because, "kind": kind, "title": title, "from":
            from_, "until": until, "items": items, "select": select, "device": device, "place": place, "source":
            source, "dry_run": dry_run}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def list(
        self, *, state: Sequence[Literal["open", "done", "overdue", "refused", "cancelled"]] | None = None, limit: int
        | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The newest first; open and overdue ones unless `state` says."""
        answer: dict[str, Any] = await self._caller.call(
            "GET", "/v1/work-orders", query={"state": state, "limit": limit},
        )  # fmt: skip
        return answer

    async def get(self, number: int) -> dict[str, Any]:
        """An order with its items."""
        answer: dict[str, Any] = await self._caller.call("GET", path("/v1/work-orders/{number}", number))
        return answer

    async def cancel(
        self, number: int, *, because: str, actor: str | None = None, key: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Take back what is still to come."""
        answer: dict[str, Any] = await self._caller.call(
            "POST", path("/v1/work-orders/{number}/cancel", number), body={"actor": actor, "because": because},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

