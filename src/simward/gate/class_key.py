"""The key that our Class attributes are written with: eight octets in `data/class.key`, made once."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from simward.errors import ConfigurationError, Problem
from simward.wire.radius.class_token import KEY_OCTETS

FILE_NAME = "class.key"


def class_key_of(data_dir: Path) -> bytes:
    """The key of a working folder, a new one where it has none yet.

    Without the old key nothing is lost but that sessions which began before are no longer tied to their decisions.
    ConfigurationError where the file holds something else.
    """
    path = data_dir / FILE_NAME
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = secrets.token_bytes(KEY_OCTETS)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
    if len(key) != KEY_OCTETS:
        what = f"should hold {KEY_OCTETS} octets, and holds {len(key)}"
        raise ConfigurationError([Problem(str(path), 1, "", what, "remove it: the gate makes a new one")])
    return key
