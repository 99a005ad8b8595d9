"""Who asks: what a listener, or an authenticator, knows of the caller, and what the caller may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


def _everything(permission: str, iccid: str | None) -> bool:
    return True


@dataclass(frozen=True)
class Principal:
    """A caller that is known."""

    name: str
    allows: Callable[[str, str | None], bool] = _everything
    """Has it this permission, about this subscription (ICCID; None: about whatever it may see)?"""
    local: bool = False
    """It came by the unix socket that the owner alone may open: it may speak for others, and names files here."""
    role: str = ""
    """A role of permissions.ROLES, where it has one."""
    tenant: str | None = None
    """The only tenant that it may see and act on; None: all of them."""
    about_some: frozenset[str] = frozenset()
    """Permissions that it has about some subscriptions alone: a route that they let in asks `allows` about each."""
    token: str = ""
    """The id of the token that it showed."""
    session: str = ""
    """The id of the session whose cookie it showed."""
    account: str = ""
    """The id of the account that is signed in there."""
    csrf: str = ""
    """What a request has to hold that changes something; empty: it did not come by a cookie."""
    client: str = ""
    """The client of OAuth 2.0 that its access token was given to."""
    number: str | None = None
    """The phone number (E.164, with its +) that a three-legged access token is about."""


LOCAL = Principal("local", local=True)


class Authenticator(Protocol):
    """Knows callers by what they show in a request over TCP."""

    async def authenticate(self, headers: Mapping[bytes, bytes]) -> Principal | None:
        """Who it is, by the request's headers (names in lower case); None where this authenticator does not know."""
