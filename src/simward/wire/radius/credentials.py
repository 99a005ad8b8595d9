"""PAP and CHAP of an Access-Request, compared with the secret that the segment of its APN asks for; compiled.

Comparing takes the same time however much of a password is right. Nothing of it is kept: only what came of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from simward.engine.events import CREDENTIALS_MISSING, CREDENTIALS_NOT_ASKED, CREDENTIALS_RIGHT, CREDENTIALS_WRONG
from simward.engine.tables import ASKED_NOTHING, ASKED_PAP
from simward.wire.radius.compiling import uncounted
from simward.wire.radius.md5 import md5
from simward.wire.radius.octets import copy

USER_PASSWORD, CHAP_PASSWORD, CHAP_CHALLENGE = np.array([2, 3, 60])
PASSWORD_OCTETS_MAX = 128
"""RFC 2865 5.2: from 16 to 128 octets on the wire."""
AUTHENTICATOR_OCTETS = 16
CHAP_OCTETS = 17
BLOCK = 16


class Credentials(NamedTuple):
    """What is asked, by APN: `row_of[text id]` is a row of the rest; row 0 asks for nothing."""

    row_of: np.ndarray  # i4
    asked: np.ndarray  # u1: ASKED_*
    passwords: np.ndarray  # u1[row, 128], padded with zeros
    counts: np.ndarray  # i4: octets of each; 0 = not known, so that nothing is right

    def __repr__(self) -> str:
        return f"Credentials({len(self.asked) - 1} APNs)"  # a tuple would print what it holds


def credentials_of(asked: Iterable[tuple[int, int, bytes]]) -> Credentials:
    """The table of (text id of the APN, ASKED_*, password); ValueError where a password is too long to be sent."""
    rows = [(0, ASKED_NOTHING, b""), *asked]
    table = Credentials(
        np.zeros(max(apn for apn, _, _ in rows) + 1, np.int32), np.array([kind for _, kind, _ in rows], np.uint8),
        np.zeros((len(rows), PASSWORD_OCTETS_MAX), np.uint8), np.zeros(len(rows), np.int32),
    )
    for row, (apn, _, password) in enumerate(rows):
        if len(password) > PASSWORD_OCTETS_MAX:
            raise ValueError(f"a password of {len(password)} octets: at most {PASSWORD_OCTETS_MAX} (RFC 2865 5.2)")
        table.passwords[row, : len(password)] = np.frombuffer(password, np.uint8)
        table.counts[row] = len(password)
        if row and not table.row_of[apn]:  # segments that are declared stand before those that are only kept
            table.row_of[apn] = row
    return table


@uncounted
def read_credentials(octets, base, standard, apn, client, clients, work):  # type: ignore[no-untyped-def]
    """CREDENTIALS_* of the request that begins at `base`; `client` is the row of who sent it."""
    table = work.credentials
    if apn <= 0 or apn >= len(table.row_of):
        return np.int64(CREDENTIALS_NOT_ASKED)
    row = np.int64(table.row_of[apn])
    if table.asked[row] == ASKED_NOTHING:
        return np.int64(CREDENTIALS_NOT_ASKED)
    if table.asked[row] == ASKED_PAP:
        at = np.int64(standard[USER_PASSWORD])
        if at == 0:
            return np.int64(CREDENTIALS_MISSING)
        right = _pap_right(octets, base, at, row, table, client, clients, work)
    else:
        at = np.int64(standard[CHAP_PASSWORD])
        if at == 0:
            return np.int64(CREDENTIALS_MISSING)
        right = _chap_right(octets, base, at, np.int64(standard[CHAP_CHALLENGE]), row, table, work)
    return np.int64(CREDENTIALS_RIGHT) if right else np.int64(CREDENTIALS_WRONG)


@uncounted
def _pap_right(octets, base, at, row, table, client, clients, work):  # type: ignore[no-untyped-def]
    """RFC 2865 5.2: blocks of 16, each under MD5 of the shared secret and the block before; padded with NULs."""
    size = np.int64(octets[at - 1]) - np.int64(2)
    if size < BLOCK or size > PASSWORD_OCTETS_MAX or size % BLOCK != 0:
        return False
    scratch, state, own = work.scratch, work.state, clients.rows[client]
    differ = np.int64(table.counts[row] == 0)
    for block in range(0, size, BLOCK):
        before = base + np.int64(4) if block == 0 else at + np.int64(block - BLOCK)
        copy(scratch, 0, clients.secrets, own.secret_start, own.secret_octets)
        copy(scratch, own.secret_octets, octets, before, BLOCK)
        md5(scratch, own.secret_octets + BLOCK, state)
        for index in range(BLOCK):
            mask = (np.int64(state[index >> 2]) >> np.int64(8 * (index & 3))) & np.int64(255)
            clear = np.int64(octets[at + block + index]) ^ mask
            differ |= clear ^ np.int64(table.passwords[row, block + index])
    for index in range(size, PASSWORD_OCTETS_MAX):  # the rest of a password that is longer than what came
        differ |= np.int64(table.passwords[row, index])
    return differ == 0


@uncounted
def _chap_right(octets, base, at, challenge, row, table, work):  # type: ignore[no-untyped-def]
    """RFC 2865 5.3: MD5 over CHAP ident, password and challenge; without CHAP-Challenge (5.40) the challenge is the
    Request Authenticator."""
    if np.int64(octets[at - 1]) - np.int64(2) != CHAP_OCTETS:
        return False
    scratch, state = work.scratch, work.state
    begin, count = base + np.int64(4), np.int64(AUTHENTICATOR_OCTETS)
    if challenge > 0:
        begin, count = challenge, np.int64(octets[challenge - 1]) - np.int64(2)
    length = np.int64(table.counts[row])
    scratch[0] = octets[at]
    for index in range(length):
        scratch[1 + index] = table.passwords[row, index]
    copy(scratch, 1 + length, octets, begin, count)
    md5(scratch, 1 + length + count, state)
    differ = np.int64(length == 0)
    for index in range(BLOCK):
        digest = (np.int64(state[index >> 2]) >> np.int64(8 * (index & 3))) & np.int64(255)
        differ |= digest ^ np.int64(octets[at + 1 + index])
    return differ == 0
