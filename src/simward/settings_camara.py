"""The part of `simward.toml` about callers from elsewhere: issuers of access tokens, and CAMARA's interfaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simward import toml_reading as read
from simward.toml_reading import KeyPath, Reading

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a private key alone (RFC 7518 3.1, RFC 8037): whoever checks one of them cannot make one."""
DAYS_MOST = 3660


@dataclass(frozen=True)
class Issuer:
    """`[[issuer]]`: whose JWT access tokens are believed (RFC 9068)."""

    name: str
    issuer: str
    audience: str
    jwks_url: str = ""
    jwks_file: Path | None = None
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256")
    scopes: Mapping[str, str] = field(default_factory=dict)
    """Permission by scope, for scopes that this issuer spells in its own way."""
    tenant: str | None = None
    """The only tenant that its callers see; None: all."""
    number_claim: str = "phone_number"
    """The claim that names the phone number which a three-legged token is about (OpenID Connect Core 5.1)."""


@dataclass(frozen=True)
class CamaraSettings:
    """`[camara]`."""

    monitored_days: int = 0
    """Changes of device and SIM that are older are not told; 0 = all that are known are."""
    allow_private_sinks: bool = False
    sink_ca_file: Path | None = None
    """Certificates that those of sinks must descend from, instead of the system's."""


def _days(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= DAYS_MOST:
        raise read.Wrong(f"{raw!r} is no number of days", f"a whole number from 0 (all) to {DAYS_MOST}")
    return raw


def _scopes(raw: object) -> dict[str, str]:
    if not isinstance(raw, dict) or not all(isinstance(one, str) for one in raw.values()):
        raise read.Wrong(f"{raw!r} is no table of scopes", 'write it like {"fleet.read" = "read-subscriptions"}')
    return dict(raw)


CAMARA_KEYS: dict[str, Callable[[Any], Any]] = {
    "monitored_days": _days, "allow_private_sinks": read.boolean, "sink_ca_file": read.string,
}
ISSUER_KEYS: dict[str, Callable[[Any], Any]] = {
    "name": read.string, "issuer": read.string, "audience": read.string, "jwks_url": read.string,
    "jwks_file": read.string, "algorithms": read.choices(*ALGORITHMS), "scopes": _scopes, "tenant": read.string,
    "number_claim": read.string,
}  # fmt: skip


def camara_settings(reading: Reading, raw: object) -> CamaraSettings:
    """The section, checked."""
    values = reading.table(("camara",), raw, CAMARA_KEYS)
    if "sink_ca_file" in values:
        values["sink_ca_file"] = reading.directory / values["sink_ca_file"]
        if not values["sink_ca_file"].is_file():
            reading.report(("camara", "sink_ca_file"), f"no such file: {values['sink_ca_file']}")
    return CamaraSettings(**values)


def read_issuer(reading: Reading, where: KeyPath, raw: object) -> Issuer | None:
    """One `[[issuer]]`; None where it is not whole (and reported)."""
    values = reading.table(where, raw, ISSUER_KEYS)
    needed = ("name", "issuer", "audience")
    complete = reading.need(where, raw, *needed)
    given = [key for key in ("jwks_url", "jwks_file") if key in values]
    if len(given) != 1:
        reading.report(where, "where are its keys?", "exactly one of jwks_url, jwks_file")
    if not complete or not set(needed) <= set(values) or len(given) != 1:
        return None
    if "jwks_url" in values:
        _check_url(reading, (*where, "jwks_url"), values["jwks_url"])
    else:
        values["jwks_file"] = reading.directory / values["jwks_file"]
        if not values["jwks_file"].is_file():
            reading.report((*where, "jwks_file"), f"no such file: {values['jwks_file']}")
    return Issuer(**values)


def _check_url(reading: Reading, at: KeyPath, url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        reading.report(at, f"is no URL: {error}")
        return
    nearby = host in ("localhost", "127.0.0.1", "::1")
    if not host or parts.scheme not in ("https", "http"):
        reading.report(at, f"{url!r} is not a URL of HTTP", "write it like https://idp.example/jwks")
    elif parts.scheme == "http" and not nearby:
        reading.report(at, "whoever stands in between could put keys in place of it", "use https")
