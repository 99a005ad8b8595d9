"""Calls about rule actions."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal

from simward.client.answers.rule_actions import Action, Actions
from simward.client.caller import AsyncCaller, Caller


class RuleActionsCalls:
    """Calls about rule actions."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, rule: str | None = None, state: Literal["waiting", "sent", "done", "cancelled", "held", "dry-run",
        "refused", "too-old"] | None = None, after: str | None = None, limit: int | None = None,
    ) -> Actions:  # fmt: skip
        """What rules do and did, the newest first by what set it off; `state=held` is what waits for a person."""
        answer: Actions = self._caller.call(
            "GET", "/v1/rule-actions", query={"rule": rule, "state": state, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, rule: str | None = None, state: Literal["waiting", "sent", "done", "cancelled", "held", "dry-run",
        "refused", "too-old"] | None = None, limit: int | None = None,
    ) -> Iterator[Action]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/rule-actions", "actions", query={"rule": rule, "state": state, "limit": limit},
        )  # fmt: skip


class AsyncRuleActionsCalls:
    """Calls about rule actions."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(
        self, *, rule: str | None = None, state: Literal["waiting", "sent", "done", "cancelled", "held", "dry-run",
        "refused", "too-old"] | None = None, after: str | None = None, limit: int | None = None,
    ) -> Actions:  # fmt: skip
        """What rules do and did, the newest first by what set it off; `state=held` is what waits for a person."""
        answer: Actions = await self._caller.call(
            "GET", "/v1/rule-actions", query={"rule": rule, "state": state, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, rule: str | None = None, state: Literal["waiting", "sent", "done", "cancelled", "held", "dry-run",
        "refused", "too-old"] | None = None, limit: int | None = None,
    ) -> AsyncIterator[Action]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/rule-actions", "actions", query={"rule": rule, "state": state, "limit": limit},
        )  # fmt: skip

