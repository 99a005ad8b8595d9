"""Calls about rules."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

from simward.client.answers.rules import Approved, Rejected, Rule, Rules
from simward.client.caller import AsyncCaller, Caller, path


class RulesCalls:
    """Calls about rules."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self, *, after: str | None = None, limit: int | None = None) -> Rules:
        """Every rule by name, with how many of its actions are in which state."""
        answer: Rules = self._caller.call(
            "GET", "/v1/rules", query={"after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, limit: int | None = None) -> Iterator[Rule]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages("/v1/rules", "rules", query={"limit": limit})

    def get(self, name: str) -> Rule:
        """One of them."""
        answer: Rule = self._caller.call("GET", path("/v1/rules/{name}", name))
        return answer

    def approve(
        self, name: str, *, because: str, actor: str | None = None, ids: Sequence[str] | None = None, key: str | None =
        None,
    ) -> Approved:  # fmt: skip
        """Let held actions go: as commands of the person, which no limit holds. Much takes a second person."""
        answer: Approved = self._caller.call(
            "POST", path("/v1/rules/{name}/approve", name), body={"actor": actor, "because": because, "ids": ids},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

    def pause(self, name: str, *, because: str, actor: str | None = None, key: str | None = None) -> Rule:
        """Until it is resumed, the rule only says what it would do."""
        answer: Rule = self._caller.call(
            "POST", path("/v1/rules/{name}/pause", name), body={"actor": actor, "because": because}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    def reject(
        self, name: str, *, because: str, actor: str | None = None, ids: Sequence[str] | None = None, key: str | None =
        None,
    ) -> Rejected:  # fmt: skip
        """Held actions are not to be done."""
        answer: Rejected = self._caller.call(
            "POST", path("/v1/rules/{name}/reject", name), body={"actor": actor, "because": because, "ids": ids},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

    def resume(self, name: str, *, because: str, actor: str | None = None, key: str | None = None) -> Rule:
        """It acts again as its mode says."""
        answer: Rule = self._caller.call(
            "POST", path("/v1/rules/{name}/resume", name), body={"actor": actor, "because": because}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer


class AsyncRulesCalls:
    """Calls about rules."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self, *, after: str | None = None, limit: int | None = None) -> Rules:
        """Every rule by name, with how many of its actions are in which state."""
        answer: Rules = await self._caller.call(
            "GET", "/v1/rules", query={"after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, limit: int | None = None) -> AsyncIterator[Rule]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages("/v1/rules", "rules", query={"limit": limit})

    async def get(self, name: str) -> Rule:
        """One of them."""
        answer: Rule = await self._caller.call("GET", path("/v1/rules/{name}", name))
        return answer

    async def approve(
        self, name: str, *, because: str, actor: str | None = None, ids: Sequence[str] | None = None, key: str | None =
        None,
    ) -> Approved:  # fmt: skip
        """Let held actions go: as commands of the person, which no limit holds. Much takes a second person."""
        answer: Approved = await self._caller.call(
            "POST", path("/v1/rules/{name}/approve", name), body={"actor": actor, "because": because, "ids": ids},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def pause(self, name: str, *, because: str, actor: str | None = None, key: str | None = None) -> Rule:
        """Until it is resumed, the rule only says what it would do."""
        answer: Rule = await self._caller.call(
            "POST", path("/v1/rules/{name}/pause", name), body={"actor": actor, "because": because}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    async def reject(
        self, name: str, *, because: str, actor: str | None = None, ids: Sequence[str] | None = None, key: str | None =
        None,
    ) -> Rejected:  # fmt: skip
        """Held actions are not to be done."""
        answer: Rejected = await self._caller.call(
            "POST", path("/v1/rules/{name}/reject", name), body={"actor": actor, "because": because, "ids": ids},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def resume(self, name: str, *, because: str, actor: str | None = None, key: str | None = None) -> Rule:
        """It acts again as its mode says."""
        answer: Rule = await self._caller.call(
            "POST", path("/v1/rules/{name}/resume", name), body={"actor": actor, "because": because}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

