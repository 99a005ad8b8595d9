"""What `client.accounts` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class Account(TypedDict):
    """An account, as it may be shown."""

    id: str
    name: str
    enabled: bool
    memberships: list[dict[str, str | None]]
    signs_in_by: list[Literal["password", "openid"]]
    second_factor: Literal["none", "needed", "set up"]
    made_at: str
    made_by: str
    signed_in_at: str | None

class AccountWithLink(TypedDict):
    """An account, and a link that works once: this answer is the only place where it stands."""

    id: str
    name: str
    enabled: bool
    memberships: list[dict[str, str | None]]
    signs_in_by: list[Literal["password", "openid"]]
    second_factor: Literal["none", "needed", "set up"]
    made_at: str
    made_by: str
    signed_in_at: str | None
    link: str
    link_ends_at: str

class Membership(TypedDict):
    """What an account is, and where."""

    role: Literal["viewer", "installer", "operator", "approver", "policy-author", "auditor", "administrator"]
    tenant: NotRequired[str | None]

class AccountsListed(TypedDict):
    """Accounts by name."""

    accounts: list[Account]
