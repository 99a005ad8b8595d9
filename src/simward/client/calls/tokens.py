"""Calls about tokens."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal

from simward.client.answers.tokens import MadeToken, Token, TokensListed
from simward.client.caller import AsyncCaller, Caller, path


class TokensCalls:
    """Calls about tokens."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create(
        self, *, name: str, role: Literal["viewer", "installer", "operator", "approver", "policy-author", "auditor",
        "administrator"], actor: str | None = None, because: str | None = None, tenant: str | None = None,
        expires_in_s: int | None = None,
    ) -> MadeToken:  # fmt: skip
        """Make a token. Who is bound to a tenant makes them for that tenant alone."""
        answer: MadeToken = self._caller.call(
            "POST", "/v1/tokens", body={"actor": actor, "because": because, "name": name, "role": role, "tenant":
            tenant, "expires_in_s": expires_in_s},
        )  # fmt: skip
        return answer

    def list(self, *, all: bool | None = None, after: str | None = None, limit: int | None = None) -> TokensListed:
        """Those in force; with `all` also what has expired or was revoked, for 400 days."""
        answer: TokensListed = self._caller.call(
            "GET", "/v1/tokens", query={"all": all, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, all: bool | None = None, limit: int | None = None) -> Iterator[Token]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/tokens", "tokens", query={"all": all, "limit": limit},
        )  # fmt: skip

    def revoke(self, id_or_name: str, *, actor: str | None = None, because: str | None = None) -> Token:
        """It opens nothing from now on. Again changes nothing."""
        answer: Token = self._caller.call(
            "POST", path("/v1/tokens/{id_or_name}/revoke", id_or_name), body={"actor": actor, "because": because},
        )  # fmt: skip
        return answer


class AsyncTokensCalls:
    """Calls about tokens."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create(
        self, *, name: str, role: Literal["viewer", "installer", "operator", "approver", "policy-author", "auditor",
        "administrator"], actor: str | None = None, because: str | None = None, tenant: str | None = None,
        expires_in_s: int | None = None,
    ) -> MadeToken:  # fmt: skip
        """Make a token. Who is bound to a tenant makes them for that tenant alone."""
        answer: MadeToken = await self._caller.call(
            "POST", "/v1/tokens", body={"actor": actor, "because": because, "name": name, "role": role, "tenant":
            tenant, "expires_in_s": expires_in_s},
        )  # fmt: skip
        return answer

    async def list(
        self, *, all: bool | None = None, after: str | None = None, limit: int | None = None,
    ) -> TokensListed:  # fmt: skip
        """Those in force; with `all` also what has expired or was revoked, for 400 days."""
        answer: TokensListed = await self._caller.call(
            "GET", "/v1/tokens", query={"all": all, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, all: bool | None = None, limit: int | None = None) -> AsyncIterator[Token]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/tokens", "tokens", query={"all": all, "limit": limit},
        )  # fmt: skip

    async def revoke(self, id_or_name: str, *, actor: str | None = None, because: str | None = None) -> Token:
        """It opens nothing from now on. Again changes nothing."""
        answer: Token = await self._caller.call(
            "POST", path("/v1/tokens/{id_or_name}/revoke", id_or_name), body={"actor": actor, "because": because},
        )  # fmt: skip
        return answer

