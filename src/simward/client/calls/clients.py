"""Calls about clients."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import Sequence

from simward.client.answers.clients import Client, ClientsListed, MadeClient
from simward.client.caller import AsyncCaller, Caller, path


class ClientsCalls:
    """Calls about clients."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create(
        self, *, name: str, scopes: Sequence[str], actor: str | None = None, because: str | None = None, tenant: str |
        None = None, expires_in_s: int | None = None, key: str | None = None,
    ) -> MadeClient:  # fmt: skip
        """Make a client. Who is bound to a tenant makes them for that tenant alone."""
        answer: MadeClient = self._caller.call(
            "POST", "/v1/clients", body={"actor": actor, "because": because, "name": name, "scopes": scopes, "tenant":
            tenant, "expires_in_s": expires_in_s}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    def list(self, *, all: bool | None = None) -> ClientsListed:
        """Those in force; with `all` also what has expired or was revoked, for 400 days."""
        answer: ClientsListed = self._caller.call("GET", "/v1/clients", query={"all": all})
        return answer

    def revoke(
        self, id_or_name: str, *, actor: str | None = None, because: str | None = None, key: str | None = None,
    ) -> Client:  # fmt: skip
        """It gets no token from now on, and those that it has open nothing. Again changes nothing."""
        answer: Client = self._caller.call(
            "POST", path("/v1/clients/{id_or_name}/revoke", id_or_name), body={"actor": actor, "because": because},
            key=key, keyed=True,
        )  # fmt: skip
        return answer


class AsyncClientsCalls:
    """Calls about clients."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create(
        self, *, name: str, scopes: Sequence[str], actor: str | None = None, because: str | None = None, tenant: str |
        None = None, expires_in_s: int | None = None, key: str | None = None,
    ) -> MadeClient:  # fmt: skip
        """Make a client. Who is bound to a tenant makes them for that tenant alone."""
        answer: MadeClient = await self._caller.call(
            "POST", "/v1/clients", body={"actor": actor, "because": because, "name": name, "scopes": scopes, "tenant":
            tenant, "expires_in_s": expires_in_s}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def list(self, *, all: bool | None = None) -> ClientsListed:
        """Those in force; with `all` also what has expired or was revoked, for 400 days."""
        answer: ClientsListed = await self._caller.call("GET", "/v1/clients", query={"all": all})
        return answer

    async def revoke(
        self, id_or_name: str, *, actor: str | None = None, because: str | None = None, key: str | None = None,
    ) -> Client:  # fmt: skip
        """It gets no token from now on, and those that it has open nothing. Again changes nothing."""
        answer: Client = await self._caller.call(
            "POST", path("/v1/clients/{id_or_name}/revoke", id_or_name), body={"actor": actor, "because": because},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

