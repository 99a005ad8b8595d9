"""`[control]`: where people and programs come in, under which name, and how long they stay."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simward import toml_reading as read
from simward.quantities import duration_s
from simward.toml_reading import Address, Network, Reading, Wrong

HOUR_S = 3600
KEY_FILE = "data/secrets.key"


@dataclass(frozen=True)
class ControlSettings:
    """`[control]`."""

    http: Address | None = Address("127.0.0.1", 8080)
    """Where the API is served over TCP; None: nowhere."""
    public_url: str = ""
    """How people reach it (scheme, host, port; no slash at the end); empty: by the address that it listens at."""
    tls_certificate: str = ""
    """The certificate and what leads from it to its root, as PEM; a path, from the folder on. Empty: without TLS."""
    tls_key: str = ""
    """Its private key, as PEM without a password."""
    proxies: tuple[Network, ...] = ()
    """Where proxies are that do TLS in front of it: they are believed whom they speak for."""
    proxy_header: str = "x-forwarded-for"
    """The header in which they say it."""
    key_file: str = KEY_FILE
    """What secrets in the registry are sealed with; a path, from the folder on."""
    key_env: str = ""
    """The environment variable that has it instead."""
    session_idle_s: int = 2 * HOUR_S
    """Who does nothing for so long is signed out."""
    session_most_s: int = 12 * HOUR_S
    """Who signed in so long ago is signed out."""
    second_factor: str = "optional"
    """Or "required": who signs in with a password has to set one up."""


def _url(raw: object) -> str:
    text = read.string(raw)
    parts = urlsplit(text)
    try:
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if parts.scheme not in ("https", "http") or not whole or "@" in parts.netloc:
        raise Wrong(f"{text!r} is no URL of a server", "write it like https://simward.example")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise Wrong(f"{text!r} has more than scheme, host and port", f"{parts.scheme}://{parts.netloc}")
    return f"{parts.scheme}://{parts.netloc.lower()}"


CONTROL_KEYS: dict[str, Callable[[Any], Any]] = {
    "http": read.address_or_none, "public_url": _url, "tls_certificate": read.string, "tls_key": read.string,
    "proxies": lambda raw: tuple(read.network(one) for one in read.strings(raw)),
    "proxy_header": read.choice("x-forwarded-for", "forwarded"), "key_file": read.string, "key_env": read.string,
    "session_idle": duration_s, "session_most": duration_s, "second_factor": read.choice("optional", "required"),
}  # fmt: skip


def control_settings(reading: Reading, raw: object) -> ControlSettings:
    """The table; what is wrong in it is reported."""
    values = reading.table(("control",), raw, CONTROL_KEYS)
    for name in ("session_idle", "session_most"):
        if name in values:
            values[f"{name}_s"] = values.pop(name)
    if "http" in values:
        values["http"] = values["http"] or None
    if "key_file" in values and "key_env" in values:
        reading.report(("control", "key_env"), "key_file is given too", "one of key_file, key_env")
    made = ControlSettings(**values)
    _hold_to_tls(reading, made, {"tls_certificate", "tls_key", "proxy_header"} & values.keys())
    if made.session_idle_s > made.session_most_s:
        reading.report(("control", "session_idle"), "is longer than session_most", "it is the shorter of the two")
    return made


def _hold_to_tls(reading: Reading, control: ControlSettings, given: set[str]) -> None:
    """Passwords, cookies and tokens leave this machine by TLS alone."""
    for one, other in (("tls_certificate", "tls_key"), ("tls_key", "tls_certificate")):
        if one in given and other not in given:
            reading.report(("control", one), f"means nothing without {other}")
    if "proxy_header" in given and not control.proxies:
        reading.report(("control", "proxy_header"), "means nothing without proxies")
    if control.proxies and not control.public_url.startswith("https:"):
        what = "proxies do TLS, and under which name is not said"
        reading.report(("control", "proxies"), what, 'public_url = "https://simward.example"')
    if control.tls_certificate and control.public_url.startswith("http:"):
        reading.report(("control", "public_url"), "is http, and it is served by TLS", f"https:{control.public_url[5:]}")
    secured = bool(control.tls_certificate or control.proxies)
    if control.http is not None and not secured and not ipaddress.ip_address(control.http.host).is_loopback:
        what = "reaches beyond this machine, and passwords and tokens would go without TLS"
        reading.report(("control", "http"), what, "tls_certificate and tls_key, or proxies that do TLS in front of it")


def key_path(directory: Path, control: ControlSettings) -> Path:
    """The file of the key."""
    return directory / control.key_file
