"""What `client.clients` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Literal, TypedDict


class Client(TypedDict):
    """A client, as it may be shown: all but the secret."""

    id: str
    name: str
    scopes: list[str]
    tenant: str | None
    state: Literal["in force", "expired", "revoked"]
    made_at: str
    made_by: str
    expires_at: str
    revoked_at: str | None
    revoked_by: str | None

class MadeClient(TypedDict):
    """A new client: this answer is the only place where its secret stands."""

    id: str
    name: str
    scopes: list[str]
    tenant: str | None
    state: Literal["in force", "expired", "revoked"]
    made_at: str
    made_by: str
    expires_at: str
    revoked_at: str | None
    revoked_by: str | None
    secret: str

class ClientsListed(TypedDict):
    """Clients, the newest first."""

    clients: list[Client]
