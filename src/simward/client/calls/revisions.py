"""Calls about revisions."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any

from simward.client.caller import AsyncCaller, Caller


class RevisionsCalls:
    """Calls about revisions."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def apply(self, *, revision: str, key: str | None = None) -> dict[str, Any]:
        """Have the gate take a revision; answered when its last piece is durable."""
        answer: dict[str, Any] = self._caller.call(
            "POST", "/v1/revisions", body={"revision": revision}, key=key, keyed=True,
        )  # fmt: skip
        return answer


class AsyncRevisionsCalls:
    """Calls about revisions."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def apply(self, *, revision: str, key: str | None = None) -> dict[str, Any]:
        """Have the gate take a revision; answered when its last piece is durable."""
        answer: dict[str, Any] = await self._caller.call(
            "POST", "/v1/revisions", body={"revision": revision}, key=key, keyed=True,
        )  # fmt: skip
        return answer

