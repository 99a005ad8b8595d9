"""Calls about accounts."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import Sequence

from simward.client.answers.accounts import Account, AccountsListed, AccountWithLink, Membership
from simward.client.caller import AsyncCaller, Caller, path


class AccountsCalls:
    """Calls about accounts."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self) -> AccountsListed:
        """All of them by name."""
        answer: AccountsListed = self._caller.call("GET", "/v1/accounts")
        return answer

    def create(
        self, *, name: str, memberships: Sequence[Membership], actor: str | None = None, because: str | None = None,
        needs_second_factor: bool | None = None,
    ) -> AccountWithLink:  # fmt: skip
        """Make an account; the link lets its person choose a password. Who is bound to a tenant makes them for that."""
        answer: AccountWithLink = self._caller.call(
            "POST", "/v1/accounts", body={"actor": actor, "because": because, "name": name, "memberships": memberships,
            "needs_second_factor": needs_second_factor},
        )  # fmt: skip
        return answer

    def get(self, name: str) -> Account:
        """One of them."""
        answer: Account = self._caller.call("GET", path("/v1/accounts/{name}", name))
        return answer

    def change(
        self, name: str, *, actor: str | None = None, because: str | None = None, memberships: Sequence[Membership] |
        None = None, needs_second_factor: bool | None = None, enabled: bool | None = None,
    ) -> Account:  # fmt: skip
        """Change what it is and may; it holds from the next request on. Who is disabled is signed out."""
        answer: Account = self._caller.call(
            "POST", path("/v1/accounts/{name}/change", name), body={"actor": actor, "because": because, "memberships":
            memberships, "needs_second_factor": needs_second_factor, "enabled": enabled},
        )  # fmt: skip
        return answer

    def reset(self, name: str, *, actor: str | None = None, because: str | None = None) -> AccountWithLink:
        """Take its password and second factor, and sign it out; the link lets its person choose a new password."""
        answer: AccountWithLink = self._caller.call(
            "POST", path("/v1/accounts/{name}/reset", name), body={"actor": actor, "because": because},
        )  # fmt: skip
        return answer


class AsyncAccountsCalls:
    """Calls about accounts."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self) -> AccountsListed:
        """All of them by name."""
        answer: AccountsListed = await self._caller.call("GET", "/v1/accounts")
        return answer

    async def create(
        self, *, name: str, memberships: Sequence[Membership], actor: str | None = None, because: str | None = None,
        needs_second_factor: bool | None = None,
    ) -> AccountWithLink:  # fmt: skip
        """Make an account; the link lets its person choose a password. Who is bound to a tenant makes them for that."""
        answer: AccountWithLink = await self._caller.call(
            "POST", "/v1/accounts", body={"actor": actor, "because": because, "name": name, "memberships": memberships,
            "needs_second_factor": needs_second_factor},
        )  # fmt: skip
        return answer

    async def get(self, name: str) -> Account:
        """One of them."""
        answer: Account = await self._caller.call("GET", path("/v1/accounts/{name}", name))
        return answer

    async def change(
        self, name: str, *, actor: str | None = None, because: str | None = None, memberships: Sequence[Membership] |
        None = None, needs_second_factor: bool | None = None, enabled: bool | None = None,
    ) -> Account:  # fmt: skip
        """Change what it is and may; it holds from the next request on. Who is disabled is signed out."""
        answer: Account = await self._caller.call(
            "POST", path("/v1/accounts/{name}/change", name), body={"actor": actor, "because": because, "memberships":
            memberships, "needs_second_factor": needs_second_factor, "enabled": enabled},
        )  # fmt: skip
        return answer

    async def reset(self, name: str, *, actor: str | None = None, because: str | None = None) -> AccountWithLink:
        """Take its password and second factor, and sign it out; the link lets its person choose a new password."""
        answer: AccountWithLink = await self._caller.call(
            "POST", path("/v1/accounts/{name}/reset", name), body={"actor": actor, "because": because},
        )  # fmt: skip
        return answer

