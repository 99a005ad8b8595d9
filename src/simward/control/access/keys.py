"""The key that secrets in the registry are sealed with: read from a file or the environment, made on the first start.

A file has a key a line (base64 of 32 octets). The first seals; those below open what they sealed before.
"""

from __future__ import annotations

import base64
import logging
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from simward import errors
from simward.logs import called
from simward.registry.database import Registry
from simward.registry.sealing import KEY_OCTETS, Vault, anything_sealed, key_of
from simward.settings import Settings
from simward.settings_access import key_path

log = logging.getLogger(__name__)


def vault_of(settings: Settings, registry: Registry) -> Vault:
    """The vault of a folder, with a new key where there was none. ConfigurationError where the key cannot be had."""
    if name := settings.control.key_env:
        return Vault(_keys(os.environ.get(name, "").replace(",", "\n"), f"the environment variable {name}"))
    path = key_path(settings.dir, settings.control)
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return Vault([_first(path, registry)])
    except OSError as error:
        raise _wrong(str(path), f"cannot be read: {error.strerror}") from None
    if path.stat().st_mode & 0o077:
        log.warning(
            "%s holds the key of all secrets, and others may read it: chmod 600", path,
            extra=called("key-readable-by-others"),
        )
    return Vault(_keys(text, str(path)))


def kept_in(settings: Settings) -> tuple[Path, list[bytes]]:
    """The file and its keys. RefusedError where they are in the environment, ConfigurationError where none is there."""
    if name := settings.control.key_env:
        what = f"the key is in the environment variable {name}, which is not ours to write: put the new key in front of"
        raise errors.RefusedError(f"{what} the old one there, with a comma between them, and start anew")
    path = key_path(settings.dir, settings.control)
    try:
        return path, _keys(path.read_text(encoding="ascii", errors="replace"), str(path))
    except OSError as error:
        raise _wrong(str(path), f"cannot be read: {error.strerror}") from None


def new_key() -> bytes:
    """A new one."""
    return secrets.token_bytes(KEY_OCTETS)


def write(path: Path, keys: Sequence[bytes]) -> None:
    """Put these into the file, whole or not at all; OSError."""
    beside = path.with_name(f"{path.name}.unfinished")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.writelines(base64.b64encode(key).decode() + "\n" for key in keys)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # what is sealed from now on must not outlive its key
    finally:
        os.close(folder)


def _first(path: Path, registry: Registry) -> bytes:
    with registry.reading() as connection:
        if anything_sealed(connection):
            what = "is not there, and the registry holds secrets that it opens"
            raise _wrong(str(path), what, "put the file back, or reset the accounts' second factors in a new registry")
    key = new_key()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write(path, [key])
    except OSError as error:
        raise _wrong(str(path), f"cannot be written: {error.strerror}") from None
    log.info("made %s: whoever has it and the registry can read the secrets there", path, extra=called("key-made"))
    return key


def _keys(text: str, where: str) -> list[bytes]:
    try:
        keys = [key_of(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise _wrong(where, str(error), "make one with: openssl rand -base64 32") from None
    if not keys:
        raise _wrong(where, "holds no key", "make one with: openssl rand -base64 32")
    return keys


def _wrong(where: str, what: str, instead: str = "") -> errors.ConfigurationError:
    return errors.ConfigurationError([errors.Problem(where, 1, "", what, instead)])
