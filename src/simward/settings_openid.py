"""`[openid]`: who else says who people are, and what it takes there to be something here."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from simward import toml_reading as read
from simward.settings_secrets import secret_keys, secret_of
from simward.toml_reading import KeyPath, Reading, Wrong

EVERY = "*"
ROLES = ("viewer", "installer", "operator", "approver", "policy-author", "auditor", "administrator")


@dataclass(frozen=True)
class Grant:
    """`[[openid.grant]]`: whose claim has this value, is this."""

    claim: str
    """A name, or names joined by dots for what stands inside of others."""
    value: str
    """What it is, or what is among it where it is a list."""
    role: str
    tenant: str = EVERY
    """Where: in all of them unless said."""


@dataclass(frozen=True)
class OpenIdSettings:
    """`[openid]`: a provider of OpenID Connect."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    """Empty: it is a public client, which shows nothing but PKCE's proof."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    name_claim: str = "email"
    """What people are called here."""
    label: str = "Sign in with OpenID Connect"
    """What the button says."""
    grants: tuple[Grant, ...] = ()
    """The first that fits counts for its tenant. Whom none fits is not let in."""


def url_of_provider(raw: object) -> str:
    """https, or http on this machine. Raises Wrong."""
    text = read.string(raw)
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise Wrong(f"{text!r} is no issuer", "write it like https://login.example")
    if parts.scheme == "http" and not _is_here(parts.hostname):
        raise Wrong(f"{text!r} is reached without TLS", f"https:{text[5:]}")
    return text


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


OPENID_KEYS: dict[str, Callable[[Any], Any]] = {
    "issuer": url_of_provider, "client_id": read.string, **secret_keys("client_secret"), "scopes": read.strings,
    "name_claim": read.string, "label": read.string, "grant": lambda raw: raw,
}
OPENID_GRANT_KEYS: dict[str, Callable[[Any], Any]] = {
    "claim": read.string, "value": read.string, "role": read.choice(*ROLES), "tenant": read.string,
}


def openid_settings(reading: Reading, raw: object) -> OpenIdSettings | None:
    """The table; None where there is none, or what is there is wrong (and reported)."""
    if raw is None:
        return None
    where: KeyPath = ("openid",)
    values = reading.table(where, raw, OPENID_KEYS)
    complete = reading.need(where, raw, "issuer", "client_id", "grant")
    secret = secret_of(reading, where, values, raw, needed=False, stem="client_secret", short="")
    scopes = values.get("scopes", OpenIdSettings.scopes)
    if "openid" not in scopes:
        reading.report((*where, "scopes"), "without openid it is not OpenID Connect", '["openid", "email"]')
    listed = values.pop("grant", [])
    if not isinstance(listed, list) or not listed:
        reading.report((*where, "grant"), "says whom it lets in as what", "write [[openid.grant]] for each")
        return None
    grants = [_grant(reading, (*where, "grant", number), one) for number, one in enumerate(listed)]
    if not complete or "issuer" not in values or "client_id" not in values:
        return None
    for key in secret_keys("client_secret"):
        values.pop(key, None)
    kept = tuple(one for one in grants if one is not None)
    return OpenIdSettings(**values, client_secret=secret.decode("utf-8", "replace"), grants=kept)


def _grant(reading: Reading, where: KeyPath, raw: object) -> Grant | None:
    values = reading.table(where, raw, OPENID_GRANT_KEYS)
    complete = reading.need(where, raw, "claim", "value", "role")
    return Grant(**values) if complete and {"claim", "value", "role"} <= values.keys() else None
