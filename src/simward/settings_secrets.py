"""Secrets in settings: each is given in exactly one of three ways, and none is ever printed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simward import toml_reading as read
from simward.toml_reading import KeyPath, Reading

OCTETS_MIN = 16


def secret_keys(stem: str) -> dict[str, Callable[[Any], Any]]:
    """The three keys by which a secret is given: `stem` itself, `stem_file`, `stem_env`."""
    return dict.fromkeys((stem, f"{stem}_file", f"{stem}_env"), read.string)


SECRET_KEYS = secret_keys("secret")


def secret_of(
    reading: Reading, where: KeyPath, values: dict[str, Any], raw: object, *, needed: bool, stem: str = "secret",
    short: str = "a secret shorter than 16 octets can be guessed (RFC 2865 3)",
) -> bytes:
    """The secret from wherever it is kept; exactly one of the three keys. `short` is said of one that is."""
    keys = tuple(secret_keys(stem))
    given = [key for key in keys if isinstance(raw, dict) and key in raw]
    exactly = f"exactly one of {', '.join(keys)}"
    if len(given) > 1:
        reading.report((*where, given[1]), f"{given[0]} is given too", exactly)
        return b""
    if not given:
        if needed:
            reading.report(where, f"no {stem}", exactly)
        return b""
    key = given[0]
    if key not in values:
        return b""
    at: KeyPath = (*where, key)
    if key == stem:
        _warn_if_readable(reading, at, reading.path)
        secret = str(values[key]).encode()
    elif key == f"{stem}_file":
        secret = _secret_file(reading, at, reading.directory / str(values[key]))
    else:
        secret = os.environ.get(str(values[key]), "").encode()
        if not secret:
            reading.report(at, f"the environment variable {values[key]} is not set")
    if 0 < len(secret) < OCTETS_MIN and short:  # RFC 2865 3: "at least 16 octets" is preferred
        reading.report(at, short, warning=True)
    return secret


def _secret_file(reading: Reading, at: KeyPath, path: Path) -> bytes:
    try:
        secret = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        reading.report(at, f"{path} cannot be read: {error.strerror}")
        return b""
    _warn_if_readable(reading, at, path)
    if not secret:
        reading.report(at, f"{path} is empty")
    return secret


def _warn_if_readable(reading: Reading, at: KeyPath, path: Path) -> None:
    if path.stat().st_mode & 0o004:
        reading.report(at, f"{path.name} holds a secret and everybody may read it", f"chmod 600 {path}", warning=True)
