"""Signed heads: each minute how far audit and journal have come, for where a cutter of tails cannot reach.

A chain of digests shows that nothing inside it was changed; that its newest end was cut off only somebody can show who
kept an earlier head. A head is a JSON line: at, audit {number, digest}, journal {sequence, digest}, key, signature.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from simward.errors import RegistryError, UsageError
from simward.registry import audit
from simward.registry.database import Registry

FOLDER, HEADS_NAME, KEY_NAME, PUBLIC_NAME = "audit", "heads.jsonl", "signing.key", "signing.pub"
EVERY_S = 60
BEGINS = b'{"at":'
"""Every head does: "at" is the first of its names."""


@dataclass(frozen=True)
class Signer:
    """The key that heads are signed with (Ed25519). Whoever verifies needs its public half, kept elsewhere."""

    private: Ed25519PrivateKey

    @staticmethod
    def of(data_dir: Path) -> Signer:
        """The installation's key, made where there is none."""
        path = data_dir / FOLDER / KEY_NAME
        try:
            found = load_pem_private_key(path.read_bytes(), None)
        except FileNotFoundError:
            return _made(data_dir)
        except ValueError as error:
            raise RegistryError(f"{path} is no key: {error}") from None
        if not isinstance(found, Ed25519PrivateKey):
            raise RegistryError(f"{path} is no Ed25519 key")
        return Signer(found)

    def sign(self, said: dict[str, Any]) -> dict[str, Any]:
        """A head with the key's fingerprint and the signature over all of it."""
        whole = {**said, "key": fingerprint(self.private.public_key())}
        return {**whole, "signature": base64.b64encode(self.private.sign(canonical(whole))).decode()}


def _made(data_dir: Path) -> Signer:
    folder = data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    signer = Signer(Ed25519PrivateKey.generate())
    private = signer.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with open(os.open(folder / KEY_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)
    public = signer.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / PUBLIC_NAME).write_bytes(public)
    return signer


def canonical(said: dict[str, Any]) -> bytes:
    """What is signed: JSON with sorted keys and no spaces."""
    return json.dumps(said, separators=(",", ":"), sort_keys=True).encode()


def fingerprint(public: Ed25519PublicKey) -> str:
    """A name of a key: the first half of the SHA-256 of its 32 octets."""
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:32]


class Heads:
    """Appends a signed head each minute in which anything was added."""

    def __init__(self, path: Path, signer: Signer, registry: Registry) -> None:
        self.path, self._signer, self._registry = path, signer, registry
        self._last: tuple[int, int] = (-1, -1)
        self._due_at = 0.0

    def each_second(
        self, monotonic: float, now_us: int, journal: Callable[[], tuple[int, bytes]]
    ) -> dict[str, Any] | None:
        """Write one if a minute has passed; `journal` gives the last sequence and the digest there."""
        if monotonic < self._due_at:
            return None
        self._due_at = monotonic + EVERY_S
        return self.write(now_us, journal())

    def write(self, now_us: int, journal: tuple[int, bytes]) -> dict[str, Any] | None:
        """Write one now; None where nothing was added since the last."""
        with self._registry.reading() as connection:
            number, digest = audit.head(connection)
        if (number, journal[0]) == self._last:
            return None
        said = self._signer.sign(
            {"at": now_us, "audit": {"number": number, "digest": digest.hex()},
             "journal": {"sequence": journal[0], "digest": journal[1].hex()}}
        )  # fmt: skip
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _append(self.path, canonical(said) + b"\n")
        self._last = (number, journal[0])
        return said


def _append(path: Path, line: bytes) -> None:
    """Add a line; first end the one that a crash or a full disk cut short, which cannot be taken back where a file may
    only be added to."""
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+b", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        is_torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
        whole = (b"\n" if is_torn else b"") + line
        if file.write(whole) != len(whole):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(file.fileno())


def read_heads(path: Path) -> Iterator[dict[str, Any]]:
    """The heads of a file; UsageError where a line is none. One that a crash or a full disk cut short is left out."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                said = json.loads(line)
            except ValueError:
                if line[:-1] and BEGINS.startswith(line[:-1][: len(BEGINS)]):
                    continue
                raise UsageError(f"{path}:{number}: no head of an audit") from None
            try:
                int(said["audit"]["number"]), bytes.fromhex(said["audit"]["digest"]), said["signature"], said["key"]
                int(said["journal"]["sequence"])
            except (ValueError, KeyError, TypeError):
                raise UsageError(f"{path}:{number}: no head of an audit") from None
            yield said


def public_key(path: Path) -> Ed25519PublicKey:
    """The public half of a key, from a PEM file."""
    try:
        found = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as a public key: {error}") from None
    if not isinstance(found, Ed25519PublicKey):
        raise UsageError(f"{path} is no Ed25519 key")
    return found


def is_signed(said: dict[str, Any], public: Ed25519PublicKey) -> bool:
    """Did this key sign this head?"""
    whole = {name: value for name, value in said.items() if name != "signature"}
    try:
        public.verify(base64.b64decode(said["signature"]), canonical(whole))
    except (InvalidSignature, ValueError):
        return False
    return said["key"] == fingerprint(public)
