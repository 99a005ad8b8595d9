"""Calls about rule actions."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any, Literal

from simward.client.caller import AsyncCaller, Caller


class RuleActionsCalls:
    """Calls about rule actions."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, rule: str | None = None, state: Literal["waiting", "sent", "done", "cancelled", "held", "dry-run",
        "refused", "too-old"] | None = None, limit: int | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """What rules do and did, the newest first; `state=held` is what waits for a person."""
        answer: dict[str, Any] = self._caller.call(
            "GET", "/v1/rule-actions", query={"rule": rule, "state": state, "limit": limit},
        )  # fmt: skip
        return answer


class AsyncRuleActionsCalls:
    """Calls about rule actions."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(
        self, *, rule: str | None = None, state: Literal["waiting", "sent", "done", "cancelled", "held", "dry-run",
        "refused", "too-old"] | None = None, limit: int | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """What rules do and did, the newest first; `state=held` is what waits for a person."""
        answer: dict[str, Any] = await self._caller.call(
            "GET", "/v1/rule-actions", query={"rule": rule, "state": state, "limit": limit},
        )  # fmt: skip
        return answer

