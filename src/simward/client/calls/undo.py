"""Calls about undo."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from simward.client.answers.undo import Undone
from simward.client.caller import AsyncCaller, Caller, path


class UndoCalls:
    """Calls about undo."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def begin(
        self, *, because: str, since: int, actor: str | None = None, rule: str | None = None, incident: int | None =
        None, key: str | None = None,
    ) -> Undone:  # fmt: skip
        """Release what a rule, or whatever acted because of an incident, has locked; one after the other."""
        answer: Undone = self._caller.call(
            "POST", "/v1/undo", body={"actor": actor, "because": because, "rule": rule, "incident": incident, "since":
            since}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    def get(self, undo: str) -> Undone:
        """How far one is."""
        answer: Undone = self._caller.call("GET", path("/v1/undo/{undo}", undo))
        return answer


class AsyncUndoCalls:
    """Calls about undo."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def begin(
        self, *, because: str, since: int, actor: str | None = None, rule: str | None = None, incident: int | None =
        None, key: str | None = None,
    ) -> Undone:  # fmt: skip
        """Release what a rule, or whatever acted because of an incident, has locked; one after the other."""
        answer: Undone = await self._caller.call(
            "POST", "/v1/undo", body={"actor": actor, "because": because, "rule": rule, "incident": incident, "since":
            since}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def get(self, undo: str) -> Undone:
        """How far one is."""
        answer: Undone = await self._caller.call("GET", path("/v1/undo/{undo}", undo))
        return answer

