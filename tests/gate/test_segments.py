"""Which answers travel as one message: by peer and size, within what the kernel cuts, and in order."""

from __future__ import annotations

import socket
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.gate import segments
from simward.gate.sockets import HAVE_MMSG, PEER_OCTETS, SegmentSender, have_segments, open_udp, peer_octets

PEERS: list[tuple[str, int] | tuple[str, int, int, int]] = [
    ("127.0.0.1", 4001), ("127.0.0.1", 4002), ("127.0.0.2", 4001), ("::1", 4001, 0, 0), ("fe80::1", 4001, 0, 3),
]


def grouped(asked: list[tuple[int, int]], start: int = 0) -> list[list[int]]:
    """The messages that (peer, length) from slot `start` on become, as lists of slots."""
    slots = start + len(asked)
    lengths, peers = np.zeros(slots, np.int32), np.zeros((slots, PEER_OCTETS), np.uint8)
    for slot, (peer, length) in enumerate(asked, start):
        lengths[slot], peers[slot] = length, np.frombuffer(peer_octets(PEERS[peer]), np.uint8)
    plan = segments.new_plan(slots)
    nowhere = np.zeros((0, 10), np.int32)
    count = segments.group_slots(lengths, peers.view(np.int32), nowhere, 0, start, slots, plan)
    begins, counts = plan.begins[:count].tolist(), plan.counts[:count].tolist()
    return [plan.order[begin : begin + n].tolist() for begin, n in zip(begins, counts, strict=True)]


def test_equal_sizes_to_one_peer_are_one_message() -> None:
    assert grouped([(0, 20)] * 5, start=3) == [[3, 4, 5, 6, 7]]


def test_each_peer_has_its_own_message() -> None:
    assert grouped([(0, 20), (1, 20), (2, 20), (3, 20), (4, 20)] * 2) == [[0, 5], [1, 6], [2, 7], [3, 8], [4, 9]]


def test_a_shorter_one_is_the_last_and_a_longer_one_begins_anew() -> None:
    assert grouped([(0, 30), (0, 30), (0, 20), (0, 20), (0, 30), (0, 30)]) == [[0, 1, 2], [3], [4, 5]]


def test_no_more_than_the_kernel_cuts() -> None:
    assert [len(message) for message in grouped([(0, 20)] * 130)] == [64, 64, 2]
    assert [len(message) for message in grouped([(0, 1232)] * 60)] == [52, 8]


@pytest.mark.parametrize("length", [0, 1233, 4096])
def test_what_may_need_fragments_and_what_is_empty_goes_alone(length: int) -> None:
    assert grouped([(0, length), (0, length), (0, 20)]) == [[0], [1], [2]]


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0, 20, 20, 20, 44, 1000, 2000])), max_size=300))
def test_every_slot_once_in_order_of_its_peer(asked: list[tuple[int, int]]) -> None:
    messages = grouped(asked)
    flat = [slot for message in messages for slot in message]
    assert sorted(flat) == list(range(len(asked)))
    for peer in range(len(PEERS)):
        own = [slot for slot in flat if asked[slot][0] == peer]
        assert own == sorted(own)
    for message in messages:
        lengths = [asked[slot][1] for slot in message]
        assert len({asked[slot][0] for slot in message}) == 1
        assert len(set(lengths[:-1])) <= 1 and lengths[-1] <= lengths[0]
        assert len(message) <= 64 and sum(lengths) <= segments.MESSAGE_OCTETS_MAX


needs_segments = pytest.mark.skipif(not (HAVE_MMSG and have_segments()), reason="this kernel knows no UDP_SEGMENT")


class Far:
    """A sender with slots, and far ends that hear what it sends."""

    def __init__(self, host: str, peers: int, slots: int = 200) -> None:
        self.octets = np.zeros((slots, 2048), np.uint8)
        self.lengths = np.zeros(slots, np.int32)
        self.peers = np.zeros((slots, PEER_OCTETS), np.uint8)
        self.opened = open_udp(host, 0)
        self.ends = [open_udp(host, 0) for _ in range(peers)]
        self.sender = SegmentSender(self.octets, self.lengths, self.peers)

    def fill(self, asked: list[tuple[int, int]]) -> list[list[bytes]]:
        """Slots of (peer, length), each with a content of its own; what each peer is to hear."""
        wanted: list[list[bytes]] = [[] for _ in self.ends]
        for slot, (peer, length) in enumerate(asked):
            text = (struct.pack("!H", slot) * 1024)[:length]
            self.octets[slot, :length] = np.frombuffer(text, np.uint8)
            self.lengths[slot] = length
            self.peers[slot] = np.frombuffer(peer_octets(self.ends[peer].getsockname()), np.uint8)
            wanted[peer].append(text)
        return wanted

    def heard(self) -> list[list[bytes]]:
        """Everything that has come to each far end."""
        return [list(iter(lambda end=end: received(end), None)) for end in self.ends]  # type: ignore[misc]

    def close(self) -> None:
        for one in (self.opened, *self.ends):
            one.close()


def received(end: socket.socket) -> bytes | None:
    try:
        return end.recv(4096)
    except BlockingIOError:
        return None


MIXED = [(slot % 3, (20, 20, 20, 44, 1800)[slot * 7 % 5]) for slot in range(150)]


@needs_segments
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_every_peer_hears_its_answers_in_order(host: str) -> None:
    far = Far(host, 3)
    for asked in (MIXED, [(0, 20)] * 150, [(slot % 3, 20) for slot in range(150)]):
        wanted = far.fill(asked)
        assert far.sender.send(far.opened, 0, len(asked)) == len(asked)
        assert far.heard() == wanted
    assert far.sender.segments and far.sender.dropped == 0
    far.close()


@needs_segments
@pytest.mark.parametrize("error", [5, 22, 90])  # EIO, EINVAL, EMSGSIZE
def test_where_segments_are_refused_the_answers_go_uncut(error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    far = Far("127.0.0.1", 3)
    wanted = far.fill(MIXED)
    refuse_segments(far, error, monkeypatch)
    assert far.sender.send(far.opened, 0, len(MIXED)) == len(MIXED)
    assert [sorted(texts) for texts in far.heard()] == [sorted(texts) for texts in wanted]
    assert far.sender.segments == (error == 90)  # too narrow for one message says nothing about the next
    assert far.sender.send(far.opened, 0, len(MIXED)) == len(MIXED)
    assert far.heard() == wanted or error == 90
    far.close()


def refuse_segments(far: Far, error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that refuses every message that is to be cut, and takes one message a call."""
    real, messages, at = far.sender._sendmmsg, far.sender._messages.messages, far.sender._messages_at

    def stubborn(number: int, address: int, count: int, flags: int) -> int:
        row = (address - at) // messages.dtype.itemsize
        if 0 <= row < len(messages) and messages[row]["control_octets"]:
            monkeypatch.setattr("ctypes.get_errno", lambda: error)
            return -1
        return int(real(number, address, 1, flags))

    monkeypatch.setattr(far.sender, "_sendmmsg", stubborn)


@needs_segments
def test_a_peer_that_cannot_be_sent_to_costs_the_others_nothing() -> None:
    far = Far("127.0.0.1", 3)
    wanted = far.fill(MIXED)
    far.peers[[slot for slot, (peer, _) in enumerate(MIXED) if peer == 1], 2:4] = 0  # port 0
    assert far.sender.send(far.opened, 0, len(MIXED)) == 100
    assert far.heard() == [wanted[0], [], wanted[2]]
    assert far.sender.dropped == 50 and far.sender.segments
    far.close()
