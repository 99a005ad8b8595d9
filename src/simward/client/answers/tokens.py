"""What `client.tokens` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Literal, TypedDict


class MadeToken(TypedDict):
    """A new token: this answer is the only place where it stands."""

    id: str
    name: str
    role: str
    tenant: str | None
    state: Literal["in force", "expired", "revoked"]
    made_at: str
    made_by: str
    expires_at: str
    revoked_at: str | None
    revoked_by: str | None
    used_at: str | None
    token: str

class Token(TypedDict):
    """A token, as it may be shown: all but the token."""

    id: str
    name: str
    role: str
    tenant: str | None
    state: Literal["in force", "expired", "revoked"]
    made_at: str
    made_by: str
    expires_at: str
    revoked_at: str | None
    revoked_by: str | None
    used_at: str | None

class TokensListed(TypedDict):
    """Tokens, the newest first."""

    tokens: list[Token]
    next: str | None
