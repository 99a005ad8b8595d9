"""What is believed of a datagram from a gateway's port 3799: only the answer to a request that is under way, signed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

from simward.wire.radius.dynauth import DynauthClient, Peer, Session
from simward.wire.radius.packet import Packet

OCTETS_MAX = 4_096
SECRET = b"a secret of the fuzzer"
PEER = Peer(("127.0.0.1", 3799), SECRET)
ACK, NAK = 41, 42


def seeds() -> Iterator[bytes]:
    """Answers of both kinds, with and without what may be in them."""
    for code in (ACK, NAK, 40, 44, 45):
        for values in ([], [("Error-Cause", 503)], [("Proxy-State", b"p"), ("Error-Cause", b"\1")]):
            yield Packet(code).add_all(values).encode()


def check(octets: bytes) -> None:
    """As it came, and signed as the gateway would."""
    client = DynauthClient(lambda: 0.0)
    request = client.disconnect(PEER, Session(b"S1"), 1, 0.0, "token")
    judge(client, octets, request)
    if len(octets) < 20 or not client.pending:
        return
    changed = bytearray(octets)
    changed[1] = request[1]
    changed[2:4] = len(changed).to_bytes(2, "big")
    changed[4:20] = hashlib.md5(changed[:4] + request[4:20] + changed[20:] + SECRET).digest()
    judge(client, bytes(changed), request)


def judge(client: DynauthClient, octets: bytes, request: bytes) -> None:
    """Believed only if signed; whatever is not is counted, and the request goes on waiting."""
    dropped, pending = sum(client.dropped.values()), client.pending
    answer = client.receive(octets, PEER.address)
    if answer is None:
        assert (sum(client.dropped.values()), client.pending) == (dropped + 1, pending)
        return
    length = int.from_bytes(octets[2:4], "big")
    packet = octets[:length]
    proof = hashlib.md5(packet[:4] + request[4:20] + packet[20:] + SECRET).digest()
    assert hmac.compare_digest(proof, packet[4:20]), octets.hex()
    assert packet[0] in (ACK, NAK) and packet[1] == request[1] and answer.accepted == (packet[0] == ACK)
    assert answer.token == "token" and 0 <= answer.error_cause < 2**32
    assert client.pending == pending - 1
