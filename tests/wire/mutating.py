"""Requests that went wrong on the way, or were made with bad intentions: seeded, so that they come again."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Callable

from simward.wire.radius.batch import ACCOUNTING
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet
from wire.asking import IMSI, access, accounting, signed

HEADER = 20
ROOM = 4096
MESSAGE_AUTHENTICATOR = b"\x50\x12"
LENGTHS = (0, 1, 2, 3, 4, 6, 17, 18, 19, 26, 33, 80, 253, 255)
ZEROS = bytes(16)


def originals(secret: bytes) -> list[bytes]:
    """A signed request of each kind, with most of what the decoder knows."""
    where = bytes.fromhex("8200f110000100f11001234567")
    full = access([
        ("User-Name", IMSI), ("Called-Station-Id", "meters.iot.mnc001.mcc001.gprs"), ("NAS-Identifier", "pgw1"),
        ("3GPP-IMSI", IMSI), ("3GPP-IMEISV", "3520990017614823"), ("3GPP-RAT-Type", "NB-IoT"),
        ("3GPP-User-Location-Info", where), ("Proxy-State", b"\x01\x02"),
    ])
    stop = accounting("Stop").add_all([("Acct-Session-Time", 9), ("Acct-Input-Octets", 7), ("Proxy-State", b"x")])
    status = Packet(Code.STATUS_SERVER, 1, bytes(range(16)))
    return [signed(one, secret) for one in (full, stop, status)]


class Mutations:
    """An endless supply of changed requests. Some are signed after the change, so that what reads them is reached."""

    def __init__(self, seed: int, secret: bytes, *, resigned: float = 0.4) -> None:
        self._random = random.Random(seed)
        self._secret, self._resigned = secret, resigned
        self._sources = originals(secret)
        self._attributes = [one for source in self._sources for one in attributes(source[HEADER:])]

    def next(self) -> bytes:
        """One changed request; now and then it is one of the sources, unchanged, or octets without any sense."""
        dice = self._random
        if dice.random() < 0.02:
            return dice.randbytes(dice.randrange(0, 300))
        changed = bytearray(dice.choice(self._sources))
        for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3, 5))):
            dice.choice(WAYS)(self, changed)
        if len(changed) > 4 and dice.random() < 0.6:
            changed[2:4] = min(len(changed), ROOM).to_bytes(2, "big")
        del changed[ROOM:]
        if dice.random() >= self._resigned or len(changed) < HEADER:
            return bytes(changed)
        changed[1], changed[4:20] = dice.randrange(256), dice.randbytes(16)  # not a retransmission of the last one
        return resigned(changed, self._secret)

    def _place(self, changed: bytearray) -> int:
        return self._random.randrange(len(changed)) if changed else 0

    def _flip(self, changed: bytearray) -> None:
        if changed:
            changed[self._place(changed)] ^= 1 << self._random.randrange(8)

    def _overwrite(self, changed: bytearray) -> None:
        if changed:
            changed[self._place(changed)] = self._random.choice(LENGTHS)

    def _cut(self, changed: bytearray) -> None:
        del changed[self._place(changed) :]

    def _insert(self, changed: bytearray) -> None:
        at = self._place(changed)
        changed[at:at] = self._random.randbytes(self._random.randrange(1, 40))

    def _repeat(self, changed: bytearray) -> None:
        if self._random.random() < 0.3:
            changed += changed[HEADER:]

    def _lie_about_the_packet(self, changed: bytearray) -> None:
        if len(changed) > 4:
            changed[2:4] = self._random.randrange(0, len(changed) + 3).to_bytes(2, "big")

    def _lie_about_an_attribute(self, changed: bytearray) -> None:
        starts = places(changed)
        if starts:
            changed[self._random.choice(starts) + 1] = self._random.choice(LENGTHS)

    def _splice(self, changed: bytearray) -> None:
        """An attribute of another request, whole or with its value made up, between two of this one."""
        at = self._random.choice([*places(changed), len(changed)])
        attribute = self._random.choice(self._attributes)
        if self._random.random() < 0.5:
            size = self._random.choice((0, 1, 2, 4, 15, 16, 251, 253))
            attribute = bytes([self._random.randrange(256), min(size + 2, 255)]) + self._random.randbytes(size)
        changed[at:at] = attribute

    def _double_or_drop(self, changed: bytearray) -> None:
        starts = places(changed)
        if starts:
            at = self._random.choice(starts)
            end = at + max(changed[at + 1], 2)
            changed[at:end] = self._random.choice((b"", 2 * changed[at:end], 12 * changed[at:end]))


Way = Callable[[Mutations, bytearray], None]
WAYS: tuple[Way, ...] = (
    Mutations._flip, Mutations._flip, Mutations._overwrite, Mutations._cut, Mutations._insert, Mutations._repeat,
    Mutations._lie_about_the_packet, Mutations._lie_about_an_attribute, Mutations._splice, Mutations._double_or_drop,
)


def places(packet: bytes | bytearray) -> list[int]:
    """Where attributes begin, as far as they can be followed."""
    found, at = [], HEADER
    while at + 2 <= len(packet):
        size = packet[at + 1]
        if size < 2 or at + size > len(packet):
            break
        found.append(at)
        at += size
    return found


def attributes(body: bytes) -> list[bytes]:
    """The attributes of a whole packet's body."""
    packet = bytes(HEADER) + body
    return [packet[at : at + packet[at + 1]] for at in places(packet)]


def resigned(changed: bytearray, secret: bytes) -> bytes:
    """The same with every authenticator made right again, as far as there is room for them; 20 octets at least."""
    length = min(max(int.from_bytes(changed[2:4], "big"), HEADER), len(changed))
    is_accounting = changed[0] == Code.ACCOUNTING_REQUEST
    if is_accounting:
        changed[4:20] = ZEROS
    signatures = [at for at in places(changed[:length]) if changed[at : at + 2] == MESSAGE_AUTHENTICATOR]
    for at in signatures[:1]:
        changed[at + 2 : at + 18] = ZEROS
        changed[at + 2 : at + 18] = hmac.digest(secret, bytes(changed[:length]), "md5")
    if is_accounting:
        changed[4:20] = hashlib.md5(changed[:length] + secret).digest()
    return bytes(changed)


def is_genuine(octets: bytes, port_kind: int, secret: bytes) -> bool:
    """Could this only have been sent by somebody who knows the secret? Told by hashlib alone, from the RFCs' words."""
    if len(octets) < HEADER:
        return False
    length = int.from_bytes(octets[2:4], "big")
    if not HEADER <= length <= min(len(octets), ROOM):
        return False
    packet = octets[:length]
    starts = places(packet)
    if sum(packet[at + 1] for at in starts) != length - HEADER:
        return False
    code, signatures = packet[0], [at for at in starts if packet[at] == MESSAGE_AUTHENTICATOR[0]]
    if code not in (Code.STATUS_SERVER, Code.ACCOUNTING_REQUEST if port_kind == ACCOUNTING else Code.ACCESS_REQUEST):
        return False
    authenticator = ZEROS if code == Code.ACCOUNTING_REQUEST else packet[4:20]
    if len(signatures) > 1 or (code != Code.ACCOUNTING_REQUEST and not signatures):
        return False
    for at in signatures:  # RFC 3579 3.2
        blank = packet[:4] + authenticator + packet[20 : at + 2] + ZEROS + packet[at + 18 :]
        if packet[at + 1] != 18 or hmac.digest(secret, blank, "md5") != packet[at + 2 : at + 18]:
            return False
    # RFC 2866 3
    return code != Code.ACCOUNTING_REQUEST or (
        hashlib.md5(packet[:4] + ZEROS + packet[20:] + secret).digest() == packet[4:20]
    )
