"""Access-Requests and Accounting-Requests as a gateway sends them, built in bulk and signed with hashlib."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.load.fleet import PLMN_DIGITS, Fleet

STRIDE = 288
"""Room for one packet."""
ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE = 1, 2, 3, 4, 5
START, STOP, INTERIM = 1, 2, 3
_3GPP = (10415).to_bytes(4, "big")
_PLMN_BCD = bytes.fromhex("00f110")
"""001/01 as TS 24.008 10.5.1.3 codes it."""


@dataclass
class Packets:
    """`octets` is uint8[n, STRIDE]; packet i is its first `lengths[i]` octets."""

    octets: np.ndarray
    lengths: np.ndarray
    code: int

    def __len__(self) -> int:
        return len(self.octets)

    def packet(self, number: int) -> bytes:
        """One packet as it goes out."""
        return self.octets[number, : self.lengths[number]].tobytes()


class _Attributes:
    """Collects attributes, fixed or one value a packet, as columns of octets."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.columns: list[np.ndarray] = []

    def octets(self, value: bytes | np.ndarray) -> None:
        if isinstance(value, bytes):
            value = np.broadcast_to(np.frombuffer(value, np.uint8), (self.count, len(value)))
        self.columns.append(value)

    def add(self, kind: int, value: bytes | np.ndarray) -> None:
        """A standard attribute (RFC 2865 5)."""
        width = len(value) if isinstance(value, bytes) else value.shape[1]
        self.octets(bytes([kind, 2 + width]))
        self.octets(value)

    def number(self, kind: int, value: int | np.ndarray) -> None:
        self.add(kind, value.to_bytes(4, "big") if isinstance(value, int) else big_endian(value))

    def vendor(self, kind: int, value: bytes | np.ndarray) -> None:
        """A 3GPP attribute (TS 29.061 16.4.7)."""
        width = len(value) if isinstance(value, bytes) else value.shape[1]
        self.octets(bytes([26, 8 + width]) + _3GPP + bytes([kind, 2 + width]))
        self.octets(value)

    def joined(self) -> np.ndarray:
        return np.hstack(self.columns)


def big_endian(values: np.ndarray) -> np.ndarray:
    """uint32 values as uint8[n, 4], network order."""
    return np.ascontiguousarray(values.astype(">u4")).view(np.uint8).reshape(len(values), 4)


def access_requests(fleet: Fleet, subscriptions: np.ndarray, secret: bytes, sockets: int, seed: int) -> Packets:
    """One Access-Request for each entry of `subscriptions`, with CHAP-Password and Message-Authenticator."""
    count = len(subscriptions)
    noise = np.random.default_rng(seed).integers(0, 256, (count, 32), np.uint8)
    attributes = _Attributes(count)
    attributes.add(80, bytes(16))  # Message-Authenticator, first (RFC 3579 3.2; position as CVE-2024-3596 advises)
    attributes.add(1, fleet.imsi(subscriptions))  # User-Name
    attributes.add(3, np.hstack([np.ones((count, 1), np.uint8), noise[:, 16:32]]))  # CHAP-Password
    attributes.number(6, 2)  # Service-Type: Framed
    attributes.number(7, 7)  # Framed-Protocol: GPRS-PDP-Context (TS 29.061 16.4.1)
    _gateway_and_subscriber(attributes, fleet, subscriptions)
    attributes.vendor(12, b"0")  # 3GPP-Selection-Mode
    return _framed(attributes.joined(), ACCESS_REQUEST, noise[:, :16], secret, sockets)


def accounting_requests(
    fleet: Fleet, subscriptions: np.ndarray, status: np.ndarray, session: np.ndarray, step: np.ndarray,
    secret: bytes, sockets: int,
) -> Packets:
    """Accounting-Requests: `status` (START, INTERIM, STOP), `session` numbers, and the `step` within the session."""
    octets = np.zeros((len(subscriptions), STRIDE), np.uint8)
    lengths = np.zeros(len(subscriptions), np.int64)
    for kind in (START, INTERIM, STOP):
        chosen = np.flatnonzero(status == kind)
        if len(chosen):
            body = _accounting(fleet, subscriptions[chosen], kind, session[chosen], step[chosen])
            octets[chosen, 20 : 20 + body.shape[1]] = body
            lengths[chosen] = 20 + body.shape[1]
    return _signed(octets, lengths, ACCOUNTING_REQUEST, np.zeros((len(octets), 16), np.uint8), secret, sockets)


def _accounting(
    fleet: Fleet, subscriptions: np.ndarray, kind: int, session: np.ndarray, step: np.ndarray
) -> np.ndarray:
    attributes = _Attributes(len(subscriptions))
    attributes.number(40, kind)  # Acct-Status-Type
    # Acct-Session-Id: gateway address and Charging-ID in hexadecimal (TS 29.061 16.4.3)
    gateway = np.broadcast_to(np.frombuffer(b"7F000001", np.uint8), (len(session), 8))
    attributes.add(44, np.hstack([gateway, hexadecimal(session)]))
    attributes.add(1, fleet.imsi(subscriptions))
    attributes.number(8, 0x0A400001 + subscriptions)  # Framed-IP-Address
    attributes.number(41, 0)  # Acct-Delay-Time
    attributes.number(55, int(time.time()))  # Event-Timestamp
    _gateway_and_subscriber(attributes, fleet, subscriptions)
    if kind != START:
        attributes.number(42, 1200 * (step + 1))  # Acct-Input-Octets
        attributes.number(43, 4800 * (step + 1))  # Acct-Output-Octets
        attributes.number(46, 900 * (step + 1))  # Acct-Session-Time
        attributes.number(47, 12 * (step + 1))  # Acct-Input-Packets
        attributes.number(48, 24 * (step + 1))  # Acct-Output-Packets
    if kind == STOP:
        attributes.number(49, 1)  # Acct-Terminate-Cause: User-Request
    return attributes.joined()


def _gateway_and_subscriber(attributes: _Attributes, fleet: Fleet, subscriptions: np.ndarray) -> None:
    attributes.add(4, bytes([127, 0, 0, 1]))  # NAS-IP-Address
    attributes.add(32, b"pgw1.example")  # NAS-Identifier
    attributes.add(30, fleet.apn.encode())  # Called-Station-Id
    attributes.add(31, fleet.msisdn(subscriptions))  # Calling-Station-Id
    attributes.vendor(1, fleet.imsi(subscriptions))  # 3GPP-IMSI
    attributes.vendor(18, PLMN_DIGITS.encode())  # 3GPP-SGSN-MCC-MNC
    attributes.vendor(20, fleet.imeisv(subscriptions))  # 3GPP-IMEISV
    attributes.vendor(21, bytes([6]))  # 3GPP-RAT-Type: E-UTRAN
    # 3GPP-User-Location-Info: 130 = TAI and ECGI (TS 29.274 8.21)
    location = big_endian(subscriptions % 4096)
    area = big_endian(subscriptions % 64)[:, 2:]
    plmn = np.broadcast_to(np.frombuffer(_PLMN_BCD, np.uint8), (len(subscriptions), 3))
    kind = np.full((len(subscriptions), 1), 130, np.uint8)
    attributes.vendor(22, np.hstack([kind, plmn, area, plmn, location]))
    attributes.vendor(23, bytes([0x04, 0]))  # 3GPP-MS-TimeZone


def hexadecimal(values: np.ndarray) -> np.ndarray:
    """uint32 values as eight upper-case hexadecimal digits."""
    nibbles = (values.astype(np.int64)[:, None] >> np.arange(28, -1, -4)) & 15
    octets: np.ndarray = np.frombuffer(b"0123456789ABCDEF", np.uint8)[nibbles]
    return octets


def _framed(body: np.ndarray, code: int, authenticators: np.ndarray, secret: bytes, sockets: int) -> Packets:
    octets = np.zeros((len(body), STRIDE), np.uint8)
    octets[:, 20 : 20 + body.shape[1]] = body
    lengths = np.full(len(body), 20 + body.shape[1], np.int64)
    return _signed(octets, lengths, code, authenticators, secret, sockets)


def _signed(
    octets: np.ndarray, lengths: np.ndarray, code: int, authenticators: np.ndarray, secret: bytes, sockets: int
) -> Packets:
    """Packet i goes out on socket i % sockets, where identifiers are taken in turn: so they are known now."""
    count = len(octets)
    octets[:, 0] = code
    octets[:, 1] = (np.arange(count) // sockets) % 256
    octets[:, 2:4] = big_endian(lengths)[:, 2:]
    octets[:, 4:20] = authenticators
    whole, size = octets.reshape(-1).data, lengths.tolist()
    if code == ACCESS_REQUEST:
        _sign_access(whole, octets, size, secret)
    else:
        md5 = hashlib.md5
        digests = b"".join(
            md5(bytes(whole[at * STRIDE : at * STRIDE + size[at]]) + secret).digest() for at in range(count)
        )
        octets[:, 4:20] = np.frombuffer(digests, np.uint8).reshape(count, 16)
    return Packets(octets, lengths, code)


def _sign_access(whole: memoryview, octets: np.ndarray, size: list[int], secret: bytes) -> None:
    """Message-Authenticator: HMAC-MD5 over the packet with the attribute zeroed (RFC 3579 3.2); it stands first."""
    key = (hashlib.md5(secret).digest() if len(secret) > 64 else secret).ljust(64, b"\0")
    inner, outer = hashlib.md5(bytes(byte ^ 0x36 for byte in key)), hashlib.md5(bytes(byte ^ 0x5C for byte in key))
    digests = []
    for at, length in enumerate(size):
        first = inner.copy()
        first.update(whole[at * STRIDE : at * STRIDE + length])
        second = outer.copy()
        second.update(first.digest())
        digests.append(second.digest())
    octets[:, 22:38] = np.frombuffer(b"".join(digests), np.uint8).reshape(len(size), 16)


def reply_is_authentic(request: bytes, reply: bytes, secret: bytes) -> bool:
    """Response Authenticator: MD5 over header, Request Authenticator, attributes and secret (RFC 2865 3)."""
    length = int.from_bytes(reply[2:4], "big")
    if length < 20 or length > len(reply):
        return False
    wanted = hashlib.md5(reply[:4] + request[4:20] + reply[20:length] + secret).digest()
    return wanted == reply[4:20]
