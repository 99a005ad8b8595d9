"""Calls about tenants."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from simward.client.answers.tenants import Tenant, Tenants
from simward.client.caller import AsyncCaller, Caller, path


class TenantsCalls:
    """Calls about tenants."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self, *, fields: str | None = None, after: str | None = None, limit: int | None = None) -> Tenants:
        """What the policy in force declares, by name, with how many subscriptions are in it."""
        answer: Tenants = self._caller.call(
            "GET", "/v1/tenants", query={"fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, fields: str | None = None, limit: int | None = None) -> Iterator[Tenant]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/tenants", "tenants", query={"fields": fields, "limit": limit},
        )  # fmt: skip

    def get(self, name: str) -> Tenant:
        """One of them. Its ETag is of what is declared; counts have no part in it."""
        answer: Tenant = self._caller.call("GET", path("/v1/tenants/{name}", name))
        return answer


class AsyncTenantsCalls:
    """Calls about tenants."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(self, *, fields: str | None = None, after: str | None = None, limit: int | None = None) -> Tenants:
        """What the policy in force declares, by name, with how many subscriptions are in it."""
        answer: Tenants = await self._caller.call(
            "GET", "/v1/tenants", query={"fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, fields: str | None = None, limit: int | None = None) -> AsyncIterator[Tenant]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/tenants", "tenants", query={"fields": fields, "limit": limit},
        )  # fmt: skip

    async def get(self, name: str) -> Tenant:
        """One of them. Its ETag is of what is declared; counts have no part in it."""
        answer: Tenant = await self._caller.call("GET", path("/v1/tenants/{name}", name))
        return answer

