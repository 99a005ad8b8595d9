"""Passwords: hashed with argon2id (RFC 9106) beside the event loop, few at a time, and judged before they are taken.

The second recommended choice of RFC 9106 4 (64 MiB, three passes), but one lane: cores belong to the gate.
"""

from __future__ import annotations

import asyncio
import contextlib
import unicodedata
from collections.abc import AsyncIterator
from typing import NamedTuple

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from simward.control.api.problems import Problem

AT_ONCE, WAITING_MAX = 2, 32
"""Each takes 64 MiB and a core for a sixth of a second."""
LEAST, MOST = 12, 256
"""Characters. SP 800-63B 3.1.1.2 asks for at least 64 to be possible."""
DIFFERENT_LEAST = 5
NOT_IN_IT = ("password", "passwort", "simward", "12345678", "qwertyui", "abcdefgh", "letmein", "changeme")


class Verdict(NamedTuple):
    """Was a password right? `stale`: it was, and is to be hashed again, with the parameters of today."""

    right: bool
    stale: bool = False


class Passwords:
    """Hashes and verifies."""

    def __init__(self, hasher: argon2.PasswordHasher | None = None) -> None:
        self._hasher = hasher or argon2.PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._nobodys = ""

    async def hash(self, password: str) -> str:
        """What is kept of a password. Raises Problem where too many wait."""
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, normal(password))

    async def verify(self, encoded: str | None, password: str) -> Verdict:
        """Is it the one that `encoded` was made of? Takes as long where there is none (None). Raises Problem."""
        async with self._turn():
            return await asyncio.to_thread(self._verify, encoded, normal(password)[: 4 * MOST])

    def _verify(self, encoded: str | None, password: str) -> Verdict:
        if not self._nobodys:
            self._nobodys = self._hasher.hash("nobody has this one")
        try:
            self._hasher.verify(encoded or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return Verdict(False)
        return Verdict(encoded is not None, encoded is not None and self._hasher.check_needs_rehash(encoded))

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= WAITING_MAX:
            said = "Many are signing in right now; try again."
            raise Problem(503, "busy", "Too many requests at once", said, headers={"Retry-After": "2"})
        self._waiting += 1
        try:
            async with self._free:
                yield
        finally:
            self._waiting -= 1


def normal(password: str) -> str:
    """The same for what was typed on another keyboard (SP 800-63B 3.1.1.2: NFKC)."""
    return unicodedata.normalize("NFKC", password)


def too_weak(password: str, name: str) -> str:
    """What is wrong with a new password, in words; empty where nothing is."""
    text = normal(password).casefold()
    if len(text) < LEAST:
        return f"A password has at least {LEAST} characters; a few words in a row are easy to keep in mind."
    if len(text) > MOST:
        return f"A password has at most {MOST} characters."
    if len(set(text)) < DIFFERENT_LEAST:
        return f"A password has at least {DIFFERENT_LEAST} different characters."
    rest = text
    for known in (name.partition("@")[0].casefold(), *NOT_IN_IT):
        rest = rest.replace(known, "") if len(known) > 2 else rest
    if len(rest) < LEAST // 2:
        return "A password is not your name, nor one that everybody tries first."
    return ""
