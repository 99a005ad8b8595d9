"""The outward part of `simward.toml`: endpoints that are told what happened, and parties that answer."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simward import toml_reading as read
from simward.quantities import duration_s
from simward.settings_secrets import secret_keys, secret_of
from simward.toml_reading import KeyPath, Reading

KINDS = ("webhook",)
MODES = ("structured", "binary")
ACTIONS = ("release", "keep", "lock", "quarantine", "disconnect")
"""What a party may ask for. "keep" is to leave it as it is."""
SECRET_PREFIX = "whsec_"
SIGNING_KEY_OCTETS = range(24, 65)
"""Standard Webhooks, "Signature scheme": at least 192 bits, at most 512."""


@dataclass(frozen=True)
class Endpoint:
    """`[[endpoint]]`: the target of a connector."""

    name: str
    kind: str
    url: str = ""
    secret: bytes = field(default=b"", repr=False)
    """As it is written: `whsec_` and base64."""
    events: tuple[str, ...] = ()
    allow_private: bool = False
    previous_secret: bytes = field(default=b"", repr=False)
    """While a secret is exchanged: what is sent is signed with both."""
    mode: str = "structured"
    """The content mode of CloudEvents: structured or binary."""
    ca_file: Path | None = None
    """Certificates that this endpoint's must descend from, instead of the system's."""
    tenant: str = "default"
    """Whose it is: it is told what concerns this owner alone."""


@dataclass(frozen=True)
class Party:
    """`[[party]]`: who must be told, and may ask for what."""

    name: str
    endpoint: str
    use_cases: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    acknowledge_within_s: int = 0
    """0 = need not acknowledge."""
    token: bytes = field(default=b"", repr=False)
    """What it shows (Authorization: Bearer) when it answers; empty = it cannot answer by itself."""


def _name(characters_max: int) -> Callable[[object], str]:
    def read_name(raw: object) -> str:
        name = read.string(raw)
        if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{characters_max - 1}}}", name):
            raise read.Wrong(f"{name!r} is no name", f"letters, digits, . _ and -, at most {characters_max}")
        return name

    return read_name


def _events(raw: object) -> tuple[str, ...]:
    patterns = read.strings(raw)
    for pattern in patterns:
        if not pattern or not set(pattern) <= set("abcdefghijklmnopqrstuvwxyz_.*?-"):
            what = f"{pattern!r} is not a pattern of a type"
            raise read.Wrong(what, 'write it like "binding.*" or "incident.opened"')
    return patterns


ENDPOINT_KEYS: dict[str, Callable[[Any], Any]] = {
    "name": _name(64), "kind": read.choice(*KINDS), "url": read.string, **secret_keys("secret"),
    **secret_keys("previous_secret"), "events": _events, "mode": read.choice(*MODES), "ca_file": read.string,
    "allow_private": read.boolean, "tenant": _name(64),
}  # fmt: skip
PARTY_KEYS: dict[str, Callable[[Any], Any]] = {
    "name": _name(40), "endpoint": read.string, "use_cases": read.strings, "may": read.choices(*ACTIONS),
    "acknowledge_within": duration_s, **secret_keys("token"),
}  # fmt: skip


def read_endpoint(reading: Reading, where: KeyPath, raw: object) -> Endpoint | None:
    """One `[[endpoint]]`; None where it is not whole (and reported)."""
    values = reading.table(where, raw, ENDPOINT_KEYS)
    complete = reading.need(where, raw, "name", "kind", "url")
    secret = _signing_secret(reading, where, values, raw, "secret", needed=True)
    previous = _signing_secret(reading, where, values, raw, "previous_secret", needed=False)
    if not complete or not {"name", "kind", "url"} <= set(values):
        return None
    private = bool(values.get("allow_private", False))
    _check_url(reading, (*where, "url"), values["url"], private)
    ca_file = reading.directory / values["ca_file"] if "ca_file" in values else None
    if ca_file is not None and not ca_file.is_file():
        reading.report((*where, "ca_file"), f"no such file: {ca_file}")
    return Endpoint(
        values["name"], values["kind"], values["url"], secret, values.get("events", ()), private, previous,
        values.get("mode", "structured"), ca_file, values.get("tenant", "default"),
    )


def read_party(reading: Reading, where: KeyPath, raw: object) -> Party | None:
    """One `[[party]]`; None where it is not whole (and reported)."""
    values = reading.table(where, raw, PARTY_KEYS)
    short = "a token shorter than 16 octets can be guessed"
    token = secret_of(reading, where, values, raw, needed=False, stem="token", short=short)
    if not reading.need(where, raw, "name", "endpoint") or not {"name", "endpoint"} <= set(values):
        return None
    within = values.get("acknowledge_within", 0)
    if within and not token:
        what = "it cannot acknowledge without a token: only a person could do so for it"
        reading.report((*where, "acknowledge_within"), what, "give it a token_file", warning=True)
    return Party(
        values["name"], values["endpoint"], values.get("use_cases", ()), values.get("may", ()), within,
        token,
    )


def tokens_differ(reading: Reading, parties: Collection[Party]) -> None:
    """Two parties of one token could not be told apart."""
    seen: dict[bytes, str] = {}
    for index, party in enumerate(parties):
        if party.token and party.token in seen:
            reading.report(("party", index), f"has the token of {seen[party.token]!r}", "give each its own")
        seen[party.token] = party.name


def signing_key(secret: bytes) -> bytes:
    """The key that a secret of Standard Webhooks (`whsec_` and base64) stands for. ValueError where it is none."""
    text = secret.decode("ascii").removeprefix(SECRET_PREFIX)
    return base64.b64decode(text, validate=True)


def _signing_secret(
    reading: Reading, where: KeyPath, values: dict[str, Any], raw: object, stem: str, *, needed: bool
) -> bytes:
    secret = secret_of(reading, where, values, raw, needed=needed, stem=stem, short="")
    if not secret:
        return b""
    given = next(key for key in secret_keys(stem) if key in values)
    how = f"make one with: echo {SECRET_PREFIX}$(openssl rand -base64 32)"
    try:
        key = signing_key(secret)
    except (ValueError, binascii.Error):  # what it was is not said
        reading.report((*where, given), "is no secret of Standard Webhooks (whsec_ and base64)", how)
        return b""
    if len(key) not in SIGNING_KEY_OCTETS:
        what = f"is {len(key)} octets long: Standard Webhooks has 24 to 64"
        reading.report((*where, given), what, how, warning=len(key) > 0)
    return secret


def _check_url(reading: Reading, at: KeyPath, url: str, private: bool) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        reading.report(at, f"is no URL: {error}")
        return
    if parts.scheme not in ("https", "http") or not host:
        reading.report(at, f"{url!r} is not a URL of HTTP", "write it like https://app.example/hooks")
    elif parts.username is not None or parts.password is not None:
        reading.report(at, "names a user or a password: it would stand in logs", "requests are signed instead")
    elif parts.scheme == "http" and not private:
        reading.report(at, "identities would be sent in the clear", "use https, or allow_private for a receiver nearby")
    elif parts.scheme == "http" and not _is_loopback(host):
        reading.report(at, "identities are sent in the clear: whoever stands in between reads them", warning=True)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
