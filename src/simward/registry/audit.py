"""The audit: every write and automatic decision, with who, what, why, before and after, in a chain of digests.

What an entry says is sealed (AES-256-GCM) under a key of its own, and the digest is over the sealed octets. So the
keys of what was said of a subscription can be destroyed, and with them what was said: the chain still verifies.
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
from simward.registry.spellings import Spellings

NO_DIGEST = bytes(32)
NONCE_OCTETS = 12
ACTOR_MAX, WHAT_MAX, NAME_MAX = 100, 48, 96
_NUMBERS = struct.Struct("<2q7I")
PAGE = 1000
ERASE = "erase"
"""The entry of an erasure: it names the entries that nobody can read since."""


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
    last = connection.execute(_TAIL).one_or_none()
    number, previous = (last.number + 1, bytes(last.digest)) if last else (1, NO_DIGEST)
    subject = subject_of(connection, deed.imsi, deed.at) if deed.imsi else ""
    values: dict[str, Any] = {
        "number": number, "at": deed.at, "tenant": deed.tenant, "actor": deed.actor[:ACTOR_MAX],
        "what": deed.what[:WHAT_MAX], "object": deed.object[:NAME_MAX], "cause": deed.cause[:NAME_MAX],
        "subject": subject, "content": _sealed(connection, number, deed),
    }  # fmt: skip
    values["digest"] = digest_of(previous, values)
    connection.execute(_ENTRY, values)
    return int(number)


# Made once: making a statement takes longer than running it.
_TAIL = sa.select(t.audit.c.number, t.audit.c.digest).order_by(t.audit.c.number.desc()).limit(1)
_SUBJECT = sa.select(t.audit_subject.c.subject).where(t.audit_subject.c.imsi == sa.bindparam("of"))
_ENTRY, _KEY = sa.insert(t.audit), sa.insert(t.audit_key)


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
    wanted = None
    if imsi is not None:
        asked = sa.select(t.audit_subject.c.subject).where(t.audit_subject.c.imsi == imsi)
        wanted = connection.execute(asked).scalar()
        if wanted is None:
            return
    for row in _rows(connection, after, wanted):
        yield _entry(row)


def page(
    connection: sa.Connection, *, tenant: str | None, after: int | None, limit: int, imsi: str | None = None,
    ascending: bool = False,
) -> list[Entry]:  # fmt: skip
    """At most so many entries behind the number `after`, the newest first unless `ascending`; of one tenant, or all;
    with `imsi`, those about it."""
    a = t.audit.c
    asked = sa.select(t.audit, t.audit_key.c.key).outerjoin(t.audit_key, a.number == t.audit_key.c.number)
    if imsi is not None:
        subject = connection.execute(_SUBJECT, {"of": imsi}).scalar()
        if subject is None:
            return []
        asked = asked.where(a.subject == subject)
    asked = asked if tenant is None else asked.where(a.tenant == tenant)
    if after is not None:
        asked = asked.where(a.number > after if ascending else a.number < after)
    found = connection.execute(asked.order_by(a.number if ascending else a.number.desc()).limit(limit)).mappings()
    return [_entry(row) for row in found]


def _entry(row: Any) -> Entry:
    known = {name: row[name] for name in Entry.__slots__ if name != "content"}
    return Entry(**known, content=_opened(row))


def unreadable(connection: sa.Connection) -> list[int]:
    """Entries that nobody can read and that no erasure names: their keys were removed or exchanged past the audit.

    The chain is over what is sealed, and says nothing of keys.
    """
    dark: set[int] = set()
    named: set[int] = set()
    for one in entries(connection):
        dark |= {one.number} if one.content is None else set()
        named.update(_erased_by(one))
    return sorted(dark - named)


def _erased_by(entry: Entry) -> list[int]:
    """The entries that one about an erasure names."""
    if entry.what != ERASE or entry.content is None:
        return []
    return [int(one) for one in (entry.content.get("after") or {}).get("entries", ())]


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


def subject_of(connection: sa.Connection, imsi: str, at: int) -> str:
    """The name of a subscription in the audit, made where it had none. It says nothing of the IMSI."""
    known = connection.execute(_SUBJECT, {"of": imsi}).scalar()
    if known is not None:
        return str(known)
    subject = secrets.token_hex(16)
    connection.execute(sa.insert(t.audit_subject).values(subject=subject, imsi=imsi, made_at=at))
    return subject


def destroy_keys(connection: sa.Connection, imsi: str, spellings: Spellings, at: int) -> list[int]:
    """Erase what the audit says of a subscription: the keys of the entries about it, and of those that name it.

    Gives the numbers of the entries that nobody can read from now on: the entry of the erasure has to name them
    (`unreadable`).
    """
    asked = sa.select(t.audit_subject.c.subject).where(t.audit_subject.c.imsi == imsi)
    subject = connection.execute(asked).scalar()
    gone: list[int] = []
    for one in entries(connection):
        is_about = subject is not None and one.subject == subject
        if one.content is not None and (is_about or spellings.names(one.content)):
            gone.append(one.number)
            gone += _erased_by(one)  # it said so in words that go now: from here on, the entry of this erasure does
    for start in range(0, len(gone), PAGE):
        connection.execute(sa.delete(t.audit_key).where(t.audit_key.c.number.in_(gone[start : start + PAGE])))
    forgotten = sa.update(t.audit_subject).where(t.audit_subject.c.imsi == imsi)
    connection.execute(forgotten.values(imsi=None, erased_at=at))
    return sorted(set(gone))


def _sealed(connection: sa.Connection, number: int, deed: Deed) -> bytes:
    said = {name: getattr(deed, name) for name in ("imsi", "iccid", "why", "before", "after") if getattr(deed, name)}
    plain = json.dumps(said, separators=(",", ":"), sort_keys=True, default=str).encode()
    key, nonce = AESGCM.generate_key(256), secrets.token_bytes(NONCE_OCTETS)
    connection.execute(_KEY, {"number": number, "key": key})
    return nonce + AESGCM(key).encrypt(nonce, plain, str(number).encode())


def _opened(row: Any) -> dict[str, Any] | None:
    if row["key"] is None:
        return None
    content = bytes(row["content"])
    try:
        plain = AESGCM(bytes(row["key"])).decrypt(
            content[:NONCE_OCTETS], content[NONCE_OCTETS:], str(row["number"]).encode()
        )
    except InvalidTag:
        return None  # what is sealed was changed, as the chain shows; or the key was, as `unreadable` does
    said: dict[str, Any] = json.loads(plain)
    return said


def _rows(connection: sa.Connection, after: int, subject: str | None = None) -> Iterator[Any]:
    """A page at a time: an audit of years does not fit in memory."""
    with_keys = t.audit.outerjoin(t.audit_key, t.audit.c.number == t.audit_key.c.number)
    while True:
        asked = sa.select(t.audit, t.audit_key.c.key).select_from(with_keys).where(t.audit.c.number > after)
        if subject is not None:
            asked = asked.where(t.audit.c.subject == subject)
        found = connection.execute(asked.order_by(t.audit.c.number).limit(PAGE)).mappings().all()
        yield from found
        if len(found) < PAGE:
            return
        after = found[-1]["number"]
