"""Batches of datagrams over real sockets: the fast and the portable way do the same."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import numpy as np
import pytest

from simward.errors import PeerError
from simward.gate import sockets

WAYS: list[tuple[str, type, type]] = [("portable", sockets.PortableReceiver, sockets.PortableSender)]
if sockets.HAVE_MMSG:
    WAYS.append(("mmsg", sockets.MmsgReceiver, sockets.MmsgSender))
if sockets.have_segments():
    WAYS.append(("segments", sockets.MmsgReceiver, sockets.SegmentSender))
HOSTS = ["127.0.0.1", "::1"]


class Wire:
    """One listening socket with its buffers, and the far end."""

    def __init__(self, way: tuple[str, type, type], host: str, slots: int = 8) -> None:
        self.octets = np.zeros((slots, 64), np.uint8)
        self.lengths = np.zeros(slots, np.int32)
        self.peers = np.zeros((slots, sockets.PEER_OCTETS), np.uint8)
        self.opened = sockets.open_udp(host, 0)
        self.far = socket.socket(self.opened.family, socket.SOCK_DGRAM)
        self.far.bind((host, 0))
        self.far.settimeout(2)
        self.receiver = way[1](self.octets, self.lengths, self.peers)
        self.sender = way[2](self.octets, self.lengths, self.peers)

    def say(self, *texts: bytes) -> None:
        for text in texts:
            self.far.sendto(text, self.opened.getsockname())

    def heard(self, slot: int) -> bytes:
        return self.octets[slot, : self.lengths[slot]].tobytes()


@pytest.fixture(params=[(way, host) for way in WAYS for host in HOSTS], ids=lambda one: f"{one[0][0]}-{one[1]}")
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    made = Wire(*request.param)
    yield made
    made.opened.close()
    made.far.close()


def test_a_batch_lands_in_its_slots(wire: Wire) -> None:
    wire.say(b"one", b"", b"three")
    assert wire.receiver.receive(wire.opened, 2, 8) == 3
    assert [wire.heard(slot) for slot in (2, 3, 4)] == [b"one", b"", b"three"]
    assert sockets.peer_address(wire.peers[2].tobytes()) == wire.far.getsockname()
    assert sockets.peer_octets(wire.far.getsockname()) == wire.peers[4].tobytes()


def test_what_does_not_fit_is_seen_to_be_longer(wire: Wire) -> None:
    wire.say(b"x" * 64, b"y" * 65, b"z" * 9000, b"next")
    assert wire.receiver.receive(wire.opened, 0, 8) == 4
    fits, by_one, by_far, last = wire.lengths[:4].tolist()
    assert (fits, last) == (64, 4) and by_one == 65 and by_far > 64


def test_nothing_there_is_no_packet(wire: Wire) -> None:
    assert wire.receiver.receive(wire.opened, 0, 8) == 0


def test_a_full_batch_leaves_the_rest_for_the_next(wire: Wire) -> None:
    wire.say(*(bytes([number]) for number in range(10)))
    assert wire.receiver.receive(wire.opened, 0, 8) == 8
    assert wire.receiver.receive(wire.opened, 8, 8) == 0
    assert wire.receiver.receive(wire.opened, 6, 8) == 2
    assert [wire.heard(slot) for slot in (6, 7)] == [b"\x08", b"\x09"]


def test_answers_go_back_in_order(wire: Wire) -> None:
    wire.say(b"who", b"what")
    wire.receiver.receive(wire.opened, 0, 8)
    for slot, text in ((3, b"three"), (4, b"four")):
        wire.octets[slot, : len(text)] = np.frombuffer(text, np.uint8)
        wire.lengths[slot] = len(text)
        wire.peers[slot] = wire.peers[0]
    assert wire.sender.send(wire.opened, 3, 5) == 2
    assert [wire.far.recv(64), wire.far.recv(64)] == [b"three", b"four"]


def test_a_peer_that_is_gone_does_not_stop_the_others(wire: Wire) -> None:
    gone = socket.socket(wire.opened.family, socket.SOCK_DGRAM)
    gone.bind((wire.opened.getsockname()[0], 0))
    nowhere = sockets.peer_octets(gone.getsockname())
    gone.close()
    wire.say(b"who")
    wire.receiver.receive(wire.opened, 0, 8)
    wire.lengths[1:4] = wire.lengths[0]
    wire.octets[1:4] = wire.octets[0]
    wire.peers[1] = np.frombuffer(nowhere, np.uint8)
    wire.peers[2] = wire.peers[3] = wire.peers[0]
    wire.peers[2, 2:4] = 0  # port 0 cannot be sent to: an error of this one packet
    for _ in range(3):
        wire.sender.send(wire.opened, 1, 4)
        assert wire.far.recv(64) == b"who"
    assert wire.sender.dropped >= 3
    assert wire.receiver.receive(wire.opened, 0, 8) == 0


def test_more_than_the_far_end_takes_is_bounded(wire: Wire) -> None:
    """A thousand answers to a peer that does not read: the kernel drops them, and nobody waits."""
    wire.say(b"who")
    wire.receiver.receive(wire.opened, 0, 8)
    for slot in range(1, 8):
        wire.lengths[slot], wire.peers[slot] = 64, wire.peers[0]
    for _ in range(150):
        assert wire.sender.send(wire.opened, 1, 8) == 7


def test_an_address_in_use_is_said_by_name() -> None:
    first = sockets.open_udp("127.0.0.1", 0)
    with pytest.raises(PeerError, match=f"127.0.0.1:{first.getsockname()[1]}"):
        sockets.open_udp("127.0.0.1", first.getsockname()[1])
    first.close()
