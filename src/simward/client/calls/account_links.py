"""Calls about account links."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from simward.client.answers.account_links import MadeLink
from simward.client.caller import AsyncCaller, Caller


class AccountLinksCalls:
    """Calls about account links."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create(
        self, *, actor: str | None = None, because: str | None = None, name: str | None = None, signs_in: bool | None =
        None,
    ) -> MadeLink:  # fmt: skip
        """A link for an account, or for whoever becomes administrator with it. The owner's alone."""
        answer: MadeLink = self._caller.call(
            "POST", "/v1/account-links", body={"actor": actor, "because": because, "name": name, "signs_in": signs_in},
        )  # fmt: skip
        return answer


class AsyncAccountLinksCalls:
    """Calls about account links."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create(
        self, *, actor: str | None = None, because: str | None = None, name: str | None = None, signs_in: bool | None =
        None,
    ) -> MadeLink:  # fmt: skip
        """A link for an account, or for whoever becomes administrator with it. The owner's alone."""
        answer: MadeLink = await self._caller.call(
            "POST", "/v1/account-links", body={"actor": actor, "because": because, "name": name, "signs_in": signs_in},
        )  # fmt: skip
        return answer

