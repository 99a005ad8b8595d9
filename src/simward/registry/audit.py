"""The audit: every write and automatic decision, with who, what, why, before and after, in a chain of digests.

What an entry says of a subscription is sealed (AES-256-GCM) under that subscription's own key; the digest is over the
sealed octets. So a key that is destroyed erases what was said, and the chain still verifies.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from simward.registry import tables as t
from simward.registry.upsert import insert

NO_DIGEST = bytes(32)
NONCE_OCTETS = 12
ACTOR_MAX, WHAT_MAX, NAME_MAX = 100, 48, 96
_NUMBERS = struct.Struct("<2q7I")
PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing to be audited. `object` is what it was done to (incident 12); `cause` the id of what led to it."""

    at: int
    actor: str
    what: str
    object: str = ""
    cause: str = ""
    tenant: str = t.DEFAULT_TENANT
    imsi: str | None = None
    iccid: str | None = None
    why: str = ""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it is read. `content` holds why, before, after, imsi, iccid; None where its key was destroyed."""

    number: int
    at: int
    tenant: str
    actor: str
    what: str
    object: str
    cause: str
    subject: str
    digest: bytes
    content: dict[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk along the chain found. `wrong` is the first number that is not as it was written, 0 = none."""

    entries: int
    last: int
    digest: bytes
    wrong: int = 0
    reason: str = ""


def note(connection: sa.Connection, deed: Deed) -> int:
    """Append an entry, in the transaction of what it is about; gives its number."""
    tail = connection.execute(sa.select(t.audit.c.number, t.audit.c.digest).order_by(t.audit.c.number.desc()).limit(1))
    last = tail.one_or_none()
    number, previous = (last.number + 1, bytes(last.digest)) if last else (1, NO_DIGEST)
    subject, content = _content(connection, deed)
    values: dict[str, Any] = {
        "number": number, "at": deed.at, "tenant": deed.tenant, "actor": deed.actor[:ACTOR_MAX],
        "what": deed.what[:WHAT_MAX], "object": deed.object[:NAME_MAX], "cause": deed.cause[:NAME_MAX],
        "subject": subject, "content": content,
    }  # fmt: skip
    values["digest"] = digest_of(previous, values)
    connection.execute(sa.insert(t.audit).values(values))
    return int(number)


def digest_of(previous: bytes, entry: dict[str, Any]) -> bytes:
    """SHA-256 over the digest before and all of an entry; every length first, so that nothing can shift."""
    names = ("tenant", "actor", "what", "object", "cause", "subject")
    texts = [str(entry[name]).encode() for name in names]
    content = bytes(entry["content"])
    sizes = _NUMBERS.pack(entry["number"], entry["at"], *map(len, texts), len(content))
    return hashlib.sha256(b"".join((previous, sizes, *texts, content))).digest()


def walk(connection: sa.Connection) -> Walked:
    """Compute the chain again, from its beginning; stop at the first entry that is not as it was written."""
    previous, expected = NO_DIGEST, 1
    for row in _rows(connection, 0):
        if row["number"] != expected:
            return Walked(expected - 1, expected - 1, previous, expected, f"missing: the next entry is {row['number']}")
        digest = digest_of(previous, row)
        if digest != bytes(row["digest"]):
            return Walked(expected - 1, expected - 1, previous, expected, "changed since it was written")
        previous, expected = digest, expected + 1
    return Walked(expected - 1, expected - 1, previous)


def entries(connection: sa.Connection, after: int = 0, *, imsi: str | None = None) -> Iterator[Entry]:
    """The entries above `after`, unsealed where their key is there; with `imsi`, those about one subscription."""
    keys: dict[str, bytes] = {}
    for key in connection.execute(sa.select(t.audit_key).where(t.audit_key.c.key.is_not(None))):
        if imsi is None or key.imsi == imsi:
            keys[key.subject] = bytes(key.key)
    for row in _rows(connection, after):
        if imsi is None or row["subject"] in keys:
            known = {name: row[name] for name in Entry.__slots__ if name != "content"}
            yield Entry(**known, content=_opened(row, keys))


def head(connection: sa.Connection) -> tuple[int, bytes]:
    """The number and digest of the last entry."""
    found = connection.execute(
        sa.select(t.audit.c.number, t.audit.c.digest).order_by(t.audit.c.number.desc()).limit(1)
    ).one_or_none()
    return (found.number, bytes(found.digest)) if found else (0, NO_DIGEST)


def digest_at(connection: sa.Connection, number: int) -> bytes | None:
    """The digest of one entry; None where there is none."""
    if number == 0:
        return NO_DIGEST
    found = connection.execute(sa.select(t.audit.c.digest).where(t.audit.c.number == number)).scalar()
    return None if found is None else bytes(found)


def subject_of(connection: sa.Connection, imsi: str, at: int) -> tuple[str, bytes]:
    """The name and key of a subscription in the audit, made where it had none. The name says nothing of the IMSI."""
    known = connection.execute(sa.select(t.audit_key).where(t.audit_key.c.imsi == imsi)).one_or_none()
    if known is not None:
        return known.subject, bytes(known.key)
    subject, key = secrets.token_hex(16), AESGCM.generate_key(256)
    values = {"subject": subject, "imsi": imsi, "key": key, "made_at": at}
    connection.execute(insert(connection, t.audit_key).values(values))
    return subject, key


def destroy_key(connection: sa.Connection, imsi: str, at: int) -> str | None:
    """Erase what the audit says of a subscription: its key goes, and whose it was. Gives its name; None without one."""
    subject = connection.execute(sa.select(t.audit_key.c.subject).where(t.audit_key.c.imsi == imsi)).scalar()
    if subject is not None:
        gone = sa.update(t.audit_key).where(t.audit_key.c.subject == subject)
        connection.execute(gone.values(imsi=None, key=None, destroyed_at=at))
    return subject


def _content(connection: sa.Connection, deed: Deed) -> tuple[str, bytes]:
    said = {name: getattr(deed, name) for name in ("imsi", "iccid", "why", "before", "after") if getattr(deed, name)}
    plain = json.dumps(said, separators=(",", ":"), sort_keys=True, default=str).encode()
    if not deed.imsi:
        return "", plain
    subject, key = subject_of(connection, deed.imsi, deed.at)
    nonce = secrets.token_bytes(NONCE_OCTETS)
    return subject, nonce + AESGCM(key).encrypt(nonce, plain, subject.encode())


def _opened(row: Any, keys: dict[str, bytes]) -> dict[str, Any] | None:
    content = bytes(row["content"])
    if row["subject"]:
        key = keys.get(row["subject"])
        if key is None:
            return None
        try:
            content = AESGCM(key).decrypt(content[:NONCE_OCTETS], content[NONCE_OCTETS:], row["subject"].encode())
        except InvalidTag:
            return None
    said: dict[str, Any] = json.loads(content)
    return said


def _rows(connection: sa.Connection, after: int) -> Iterator[Any]:
    """A page at a time: an audit of years does not fit in memory."""
    while True:
        asked = sa.select(t.audit).where(t.audit.c.number > after).order_by(t.audit.c.number).limit(PAGE)
        found = connection.execute(asked).mappings().all()
        yield from found
        if len(found) < PAGE:
            return
        after = found[-1]["number"]
