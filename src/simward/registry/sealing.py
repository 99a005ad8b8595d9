"""Secrets in the registry are sealed: AES-256-GCM under a key that is kept outside it, bound to where they stand.

What is sealed names its key, so that a new key can come while the old one still opens what it sealed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from simward.errors import RegistryError
from simward.registry import tables as t

KEY_OCTETS, NONCE_OCTETS, NAME_OCTETS = 32, 12, 4
VERSION = b"\x01"


@dataclass(frozen=True)
class SealedColumn:
    """A column whose values are sealed, each bound to its row by `context` and its key."""

    table: sa.Table
    column: str
    context: str


SINK_TOKEN = SealedColumn(t.camara_subscription, "credential", "sink's token of CAMARA subscription")
SEALED = [SealedColumn(t.account, "second_factor", "second factor of account"), SINK_TOKEN]
"""Every such column there is: a change of the key goes through them."""


class Vault:
    """Seals with its first key, opens with any."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys` of KEY_OCTETS each; ValueError where one is not, or there is none."""
        self.take(keys)

    def take(self, keys: Sequence[bytes]) -> None:
        """These, and no others any more. ValueError."""
        if not keys or any(len(key) != KEY_OCTETS for key in keys):
            raise ValueError(f"a key has {KEY_OCTETS} octets")
        self._keys = {name_of(key): AESGCM(key) for key in keys}
        self.current = name_of(keys[0])

    @property
    def only_one(self) -> bool:
        """Has it one key, and no older ones?"""
        return len(self._keys) == 1

    def seal(self, context: str, plain: bytes) -> bytes:
        """`plain`, for nobody to read or change; `context` says what it is of, and has to be said again to open it."""
        nonce = secrets.token_bytes(NONCE_OCTETS)
        head = VERSION + self.current
        return head + nonce + self._keys[self.current].encrypt(nonce, plain, head + context.encode())

    def open(self, context: str, sealed: bytes) -> bytes:
        """What was sealed. RegistryError where its key is not here, or it was not sealed as this."""
        start = len(VERSION) + NAME_OCTETS
        head, nonce, rest = sealed[:start], sealed[start : start + NONCE_OCTETS], sealed[start + NONCE_OCTETS :]
        key = self._keys.get(head[len(VERSION) :])
        if head[: len(VERSION)] != VERSION or key is None:
            raise RegistryError(f"the {context} is sealed with a key that is not here")
        try:
            return key.decrypt(nonce, rest, head + context.encode())
        except (InvalidTag, ValueError):
            raise RegistryError(f"the {context} is not as it was sealed") from None


def name_of(key: bytes) -> bytes:
    """What a key is known by in what it sealed: it says nothing of the key."""
    return hashlib.sha256(b"simward key" + key).digest()[:NAME_OCTETS]


def key_of(text: str) -> bytes:
    """The key that is written so (base64 of 32 octets). ValueError where it is none."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_OCTETS:
        raise ValueError(f"is no key: base64 of {KEY_OCTETS} octets")
    return key


def context_of(column: SealedColumn, key: str) -> str:
    """What a value of this column is bound to."""
    return f"{column.context} {key}"


def seal_again(connection: sa.Connection, vault: Vault) -> int:
    """Seal with the vault's first key whatever another one sealed; gives how many values that were."""
    changed = 0
    for one in SEALED:
        (key,) = one.table.primary_key.columns
        column = one.table.c[one.column]
        for row in connection.execute(sa.select(key, column).where(column.is_not(None))).all():
            sealed = bytes(row[1])
            if sealed[len(VERSION) : len(VERSION) + NAME_OCTETS] != vault.current:
                context = context_of(one, row[0])
                again = vault.seal(context, vault.open(context, sealed))
                connection.execute(sa.update(one.table).where(key == row[0]).values({one.column: again}))
                changed += 1
    return changed


def anything_sealed(connection: sa.Connection) -> bool:
    """Is there anything that a new key could not open?"""
    return any(
        connection.execute(sa.select(sa.literal(1)).where(one.table.c[one.column].is_not(None)).limit(1)).scalar()
        for one in SEALED
    )
