"""One RADIUS packet as a Python object: what peers, tests and tools use, and what the compiled path is checked against.

Nothing here is shared with the compiled path: framing is read again, hashes are hashlib's.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from simward.wire.radius.dictionary import VENDOR_SPECIFIC, Code, Key, Value, by_key, name_of, named

HEADER_OCTETS = 20
PACKET_OCTETS_MAX = 4096
MESSAGE_AUTHENTICATOR = 80
USER_PASSWORD = 2
ZEROS = bytes(16)
ACCESS_CODES = (Code.ACCESS_REQUEST, Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE, Code.STATUS_SERVER)


class PacketError(ValueError):
    """Octets that are not a RADIUS packet; `reason` is the counter's name (receive.py)."""

    def __init__(self, reason: str, what: str) -> None:
        self.reason = reason
        super().__init__(f"{reason}: {what}")


@dataclass
class Packet:
    """A packet in the clear. `attributes` keep their order; keys are numbers, or (vendor, number).

    `octets` is what it was decoded from (without padding), None for one made here.
    """

    code: int
    identifier: int = 0
    authenticator: bytes = ZEROS
    attributes: list[tuple[Key, bytes]] = field(default_factory=list)
    octets: bytes | None = field(default=None, compare=False, repr=False)

    @classmethod
    def decode(cls, octets: bytes) -> Packet:
        """Read a datagram (RFC 2865 3 and 5). Octets past the Length field are padding and are ignored."""
        if len(octets) < HEADER_OCTETS:
            raise PacketError("too_short", f"{len(octets)} octets, a packet has at least 20")
        length = int.from_bytes(octets[2:4], "big")
        if not HEADER_OCTETS <= length <= PACKET_OCTETS_MAX or length > len(octets):
            raise PacketError("bad_length", f"Length is {length}, the datagram {len(octets)}")
        packet = cls(octets[0], octets[1], octets[4:20], [], octets[:length])
        at = HEADER_OCTETS
        while at < length:
            size = octets[at + 1] if at + 1 < length else 0
            if size < 2 or at + size > length:
                raise PacketError("malformed_attribute", f"attribute {octets[at]} at octet {at} has length {size}")
            packet.attributes.extend(_attribute(octets[at], octets[at + 2 : at + size]))
            at += size
        return packet

    def encode(self) -> bytes:
        """The packet as octets, authenticators as they stand."""
        body = b"".join(_encoded(key, value) for key, value in self.attributes)
        if HEADER_OCTETS + len(body) > PACKET_OCTETS_MAX:
            raise PacketError("bad_length", f"{HEADER_OCTETS + len(body)} octets do not fit a packet of 4096")
        head = bytes([self.code, self.identifier]) + (HEADER_OCTETS + len(body)).to_bytes(2, "big")
        return head + self.authenticator + body

    def add(self, name: str, value: Value) -> Packet:
        """Append an attribute by its dictionary name; gives the packet back, for chains."""
        attribute = named(name)
        octets = attribute.to_octets(value)
        if len(octets) > (247 if isinstance(attribute.key, tuple) else 253):
            raise ValueError(f"{name}: {len(octets)} octets do not fit an attribute")
        self.attributes.append((attribute.key, octets))
        return self

    def add_all(self, values: Iterable[tuple[str, Value]]) -> Packet:
        """Append several."""
        for name, value in values:
            self.add(name, value)
        return self

    def get(self, name: str) -> Value | None:
        """The first attribute of that name as its type says, or None."""
        values = self.all(name)
        return values[0] if values else None

    def all(self, name: str) -> list[Value]:
        """Every attribute of that name, in order."""
        attribute = named(name)
        return [attribute.from_octets(value) for key, value in self.attributes if key == attribute.key]

    def items(self) -> list[tuple[str, Value]]:
        """Names and typed values, in order."""
        known = by_key()
        return [
            (name_of(key), known[key].from_octets(value) if key in known else value) for key, value in self.attributes
        ]

    # Signing. Each gives the octets to send and leaves the authenticators in the packet.

    def sign_access_request(self, secret: bytes) -> bytes:
        """Put Message-Authenticator first and sign; the Request Authenticator must already be unpredictable."""
        return self._with_message_authenticator(secret, self.authenticator)

    sign_status_server = sign_access_request
    """RFC 5997 3: a Status-Server is signed as an Access-Request is."""

    def sign_accounting_request(self, secret: bytes, message_authenticator: bool = False) -> bytes:
        """RFC 2866 3: the Request Authenticator is MD5 over the packet with zeros in its place, and the secret."""
        if message_authenticator:
            self._with_message_authenticator(secret, ZEROS)
        self.authenticator = ZEROS
        self.authenticator = hashlib.md5(self.encode() + secret).digest()
        return self.encode()

    def sign_dynauth_request(self, secret: bytes) -> bytes:
        """RFC 5176 2.3 and 3.4: as Accounting-Request, with a Message-Authenticator."""
        return self.sign_accounting_request(secret, message_authenticator=True)

    def sign_response(self, request_authenticator: bytes, secret: bytes, message_authenticator: bool = True) -> bytes:
        """RFC 2865 3: the Response Authenticator; a Message-Authenticator stands first against CVE-2024-3596."""
        if message_authenticator:
            self._with_message_authenticator(secret, request_authenticator)
        self.authenticator = request_authenticator
        self.authenticator = hashlib.md5(self.encode() + secret).digest()
        return self.encode()

    # Verifying. The octets as received are what is hashed.

    def verify_request(self, secret: bytes, require_message_authenticator: bool = False) -> bool:
        """Is this request from somebody who knows the secret?"""
        octets = self._octets()
        claimed = self.authenticator if self.code in ACCESS_CODES else ZEROS
        if not self._message_authenticator_ok(octets, secret, claimed, require_message_authenticator):
            return False
        if self.code in ACCESS_CODES:
            return True
        return hmac.compare_digest(_digest(octets, ZEROS, secret), self.authenticator)

    def verify_response(
        self, request_authenticator: bytes, secret: bytes, require_message_authenticator: bool = False
    ) -> bool:
        """Is this the answer to the request with that authenticator?"""
        octets = self._octets()
        if not self._message_authenticator_ok(octets, secret, request_authenticator, require_message_authenticator):
            return False
        return hmac.compare_digest(_digest(octets, request_authenticator, secret), self.authenticator)

    # User-Password (RFC 2865 5.2).

    def add_user_password(self, password: bytes, secret: bytes) -> Packet:
        """Append a hidden User-Password; the Request Authenticator must be set."""
        padded = password.ljust(max(16, -(-len(password) // 16) * 16), b"\0")
        hidden, last = b"", self.authenticator
        for at in range(0, len(padded), 16):
            last = _xor(padded[at : at + 16], hashlib.md5(secret + last).digest())
            hidden += last
        self.attributes.append((USER_PASSWORD, hidden))
        return self

    def user_password(self, secret: bytes) -> bytes | None:
        """The User-Password in the clear, or None where there is none."""
        hidden = next((value for key, value in self.attributes if key == USER_PASSWORD), None)
        if hidden is None:
            return None
        clear, last = b"", self.authenticator
        for at in range(0, len(hidden), 16):
            clear += _xor(hidden[at : at + 16], hashlib.md5(secret + last).digest())
            last = hidden[at : at + 16]
        return clear.rstrip(b"\0")

    def _with_message_authenticator(self, secret: bytes, authenticator: bytes) -> bytes:
        others = [one for one in self.attributes if one[0] != MESSAGE_AUTHENTICATOR]
        self.attributes = [(MESSAGE_AUTHENTICATOR, ZEROS), *others]
        kept, self.authenticator = self.authenticator, authenticator
        signature = hmac.digest(secret, self.encode(), "md5")
        self.attributes[0] = (MESSAGE_AUTHENTICATOR, signature)
        self.authenticator = kept
        return self.encode()

    def _message_authenticator_ok(self, octets: bytes, secret: bytes, authenticator: bytes, required: bool) -> bool:
        places = _places(octets, MESSAGE_AUTHENTICATOR)
        if not places:
            return not required
        if len(places) > 1 or octets[places[0] + 1] != 18:
            return False
        at = places[0] + 2
        blank = octets[:4] + authenticator + octets[20:at] + ZEROS + octets[at + 16 :]
        return hmac.compare_digest(hmac.digest(secret, blank, "md5"), octets[at : at + 16])

    def _octets(self) -> bytes:
        return self.octets if self.octets is not None else self.encode()


def _attribute(number: int, value: bytes) -> list[tuple[Key, bytes]]:
    """One attribute, or the attributes inside a Vendor-Specific one; kept whole where its inside cannot be read."""
    if number != VENDOR_SPECIFIC or len(value) < 6 or value[0] != 0:
        return [(number, value)]
    vendor, inside, at = int.from_bytes(value[:4], "big"), [], 4
    while at < len(value):
        size = value[at + 1] if at + 1 < len(value) else 0
        if size < 2 or at + size > len(value):
            return [(number, value)]  # RFC 2865 5.26: the inside is the vendor's own business
        inside.append(((vendor, value[at]), value[at + 2 : at + size]))
        at += size
    return list(inside)


def _encoded(key: Key, value: bytes) -> bytes:
    if isinstance(key, tuple):
        inside = bytes([key[1], len(value) + 2]) + value
        return bytes([VENDOR_SPECIFIC, len(inside) + 6]) + key[0].to_bytes(4, "big") + inside
    return bytes([key, len(value) + 2]) + value


def _places(octets: bytes, number: int) -> list[int]:
    at, found = HEADER_OCTETS, []
    while at < len(octets):
        if octets[at] == number:
            found.append(at)
        at += octets[at + 1]
    return found


def _digest(octets: bytes, authenticator: bytes, secret: bytes) -> bytes:
    return hashlib.md5(octets[:4] + authenticator + octets[20:] + secret).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(left, right, strict=True))
