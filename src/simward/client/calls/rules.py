"""Calls about rules."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simward.client.caller import AsyncCaller, Caller, path


class RulesCalls:
    """Calls about rules."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self) -> dict[str, Any]:
        """Every rule, with how many of its actions are in which state."""
        answer: dict[str, Any] = self._caller.call("GET", "/v1/rules")
        return answer

    def get(self, name: str) -> dict[str, Any]:
        """One of them."""
        answer: dict[str, Any] = self._caller.call("GET", path("/v1/rules/{name}", name))
        return answer

    def approve(
        self, name: str, *, because: str, actor: str | None = None, ids: Sequence[str] | None = None, key: str | None =
        None,
    ) -> dict[str, Any]:  # fmt: skip
        """Let held actions go: as commands of the person, which no limit holds. Much takes a second person."""
        answer: dict[str, Any] = self._caller.call(
            "POST", path("/v1/rules/{name}/approve", name), body={"actor": actor, "because": because, "ids": ids},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

    def pause(self, name: str, *, because: str, actor: str | None = None, key: str | None = None) -> dict[str, Any]:
        """Until it is resumed, the rule only says what it would do."""
        answer: dict[str, Any] = self._caller.call(
            "POST", path("/v1/rules/{name}/pause", name), body={"actor": actor, "because": because}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    def reject(
        self, name: str, *, because: str, actor: str | None = None, ids: Sequence[str] | None = None, key: str | None =
        None,
    ) -> dict[str, Any]:  # fmt: skip
        """Held actions are not to be done."""
        answer: dict[str, Any] = self._caller.call(
            "POST", path("/v1/rules/{name}/reject", name), body={"actor": actor, "because": because, "ids": ids},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

    def resume(self, name: str, *, because: str, actor: str | None = None, key: str | None = None) -> dict[str, Any]:
        """It acts again as its mode says."""
        answer: dict[str, Any] = self._caller.call(
            "POST", path("/v1/rules/{name}/resume", name), body={"actor": actor, "because": because}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer


class AsyncRulesCalls:
    """Calls about rules."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self) -> dict[str, Any]:
        """Every rule, with how many of its actions are in which state."""
        answer: dict[str, Any] = await self._caller.call("GET", "/v1/rules")
        return answer

    async def get(self, name: str) -> dict[str, Any]:
        """One of them."""
        answer: dict[str, Any] = await self._caller.call("GET", path("/v1/rules/{name}", name))
        return answer

    async def approve(
        self, name: str, *, because: str, actor: str | None = None, ids: Sequence[str] | None = None, key: str | None =
        None,
    ) -> dict[str, Any]:  # fmt: skip
        """Let held actions go: as commands of the person, which no limit holds. Much takes a second person."""
        answer: dict[str, Any] = await self._caller.call(
            "POST", path("/v1/rules/{name}/approve", name), body={"actor": actor, "because": because, "ids": ids},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def pause(
        self, name: str, *, because: str, actor: str | None = None, key: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Until it is resumed, the rule only says what it would do."""
        answer: dict[str, Any] = await self._caller.call(
            "POST", path("/v1/rules/{name}/pause", name), body={"actor": actor, "because": because}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    async def reject(
        self, name: str, *, because: str, actor: str | None = None, ids: Sequence[str] | None = None, key: str | None =
        None,
    ) -> dict[str, Any]:  # fmt: skip
        """Held actions are not to be done."""
        answer: dict[str, Any] = await self._caller.call(
            "POST", path("/v1/rules/{name}/reject", name), body={"actor": actor, "because": because, "ids": ids},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def resume(
        self, name: str, *, because: str, actor: str | None = None, key: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """It acts again as its mode says."""
        answer: dict[str, Any] = await self._caller.call(
            "POST", path("/v1/rules/{name}/resume", name), body={"actor": actor, "because": because}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

