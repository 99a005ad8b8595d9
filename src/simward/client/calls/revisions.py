"""Calls about revisions."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from simward.client.answers.revisions import Plan, PolicyRevision, Revisions, Took, WentBack, WholeRevision
from simward.client.caller import AsyncCaller, Caller, path


class RevisionsCalls:
    """Calls about revisions."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self, *, after: str | None = None, limit: int | None = None) -> Revisions:
        """What was applied, the newest first; the first of them all is in force."""
        answer: Revisions = self._caller.call(
            "GET", "/v1/revisions", query={"after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, limit: int | None = None) -> Iterator[PolicyRevision]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages("/v1/revisions", "revisions", query={"limit": limit})

    def apply(self, *, revision: str, key: str | None = None) -> Took:
        """Have the gate take a revision; answered when its last piece is durable."""
        answer: Took = self._caller.call(
            "POST", "/v1/revisions", body={"revision": revision}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    def get(self, number: int) -> WholeRevision:
        """One of them, with the texts of the policy that was in force from then on."""
        answer: WholeRevision = self._caller.call("GET", path("/v1/revisions/{number}", number))
        return answer

    def plan(self, number: int) -> Plan:
        """What going back to the policy of this revision would change, and for whom."""
        answer: Plan = self._caller.call("GET", path("/v1/revisions/{number}/plan", number))
        return answer

    def roll_back(
        self, number: int, *, because: str, actor: str | None = None, confirm: bool | None = None, key: str | None =
        None, if_match: str | None = None,
    ) -> WentBack:  # fmt: skip
        """Have the policy of this revision in force again, as a new one. Subscriptions stay as they are declared."""
        answer: WentBack = self._caller.call(
            "POST", path("/v1/revisions/{number}/roll-back", number), body={"actor": actor, "because": because,
            "confirm": confirm}, key=key, keyed=True, if_match=if_match,
        )  # fmt: skip
        return answer


class AsyncRevisionsCalls:
    """Calls about revisions."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self, *, after: str | None = None, limit: int | None = None) -> Revisions:
        """What was applied, the newest first; the first of them all is in force."""
        answer: Revisions = await self._caller.call(
            "GET", "/v1/revisions", query={"after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, limit: int | None = None) -> AsyncIterator[PolicyRevision]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages("/v1/revisions", "revisions", query={"limit": limit})

    async def apply(self, *, revision: str, key: str | None = None) -> Took:
        """Have the gate take a revision; answered when its last piece is durable."""
        answer: Took = await self._caller.call(
            "POST", "/v1/revisions", body={"revision": revision}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def get(self, number: int) -> WholeRevision:
        """One of them, with the texts of the policy that was in force from then on."""
        answer: WholeRevision = await self._caller.call("GET", path("/v1/revisions/{number}", number))
        return answer

    async def plan(self, number: int) -> Plan:
        """What going back to the policy of this revision would change, and for whom."""
        answer: Plan = await self._caller.call(
            "GET", path("/v1/revisions/{number}/plan", number),
        )  # fmt: skip
        return answer

    async def roll_back(
        self, number: int, *, because: str, actor: str | None = None, confirm: bool | None = None, key: str | None =
        None, if_match: str | None = None,
    ) -> WentBack:  # fmt: skip
        """Have the policy of this revision in force again, as a new one. Subscriptions stay as they are declared."""
        answer: WentBack = await self._caller.call(
            "POST", path("/v1/revisions/{number}/roll-back", number), body={"actor": actor, "because": because,
            "confirm": confirm}, key=key, keyed=True, if_match=if_match,
        )  # fmt: skip
        return answer

