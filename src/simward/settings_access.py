"""`[control]`: where people and programs come in, under which name, and how long they stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simward import toml_reading as read
from simward.quantities import duration_s
from simward.toml_reading import Address, Reading, Wrong

HOUR_S = 3600
KEY_FILE = "data/secrets.key"


@dataclass(frozen=True)
class ControlSettings:
    """`[control]`."""

    http: Address | None = Address("127.0.0.1", 8080)
    """Where the API is served over TCP; None: nowhere."""
    public_url: str = ""
    """How people reach it (scheme, host, port; no slash at the end); empty: by the address that it listens at."""
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
    "http": read.address_or_none, "public_url": _url, "key_file": read.string, "key_env": read.string,
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
    if made.session_idle_s > made.session_most_s:
        reading.report(("control", "session_idle"), "is longer than session_most", "it is the shorter of the two")
    return made


def key_path(directory: Path, control: ControlSettings) -> Path:
    """The file of the key."""
    return directory / control.key_file
