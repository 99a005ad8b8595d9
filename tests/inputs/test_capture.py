"""Captures of every shape give the requests in them, proved as live; what is none is counted by what it was."""

from __future__ import annotations

import gzip
import shutil
import struct
import subprocess
from ipaddress import ip_network
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inputs.framing import AT_S, SECRET, access, accounting, ethernet, ipv4, ipv6, pcap, pcapng, udp
from simward.engine import events as ev
from simward.engine.texts import Texts
from simward.errors import UsageError
from simward.identity import imsi_text
from simward.inputs.capture import port_table
from simward.inputs.fragments import PENDING_MAX, PENDING_OCTETS_MAX, WAITS_AT_MOST_US, Reassembly
from simward.inputs.radius import CaptureEvents
from simward.settings import GatewayClient

GATEWAYS = [
    GatewayClient("pgw1", ip_network("127.0.0.1"), SECRET), GatewayClient("pgw6", ip_network("2001:db8::/64"), SECRET),
]  # fmt: skip


def read(path: Path, *, unverified: bool = False) -> tuple[CaptureEvents, np.ndarray]:
    reader = CaptureEvents(path, port_table(), GATEWAYS, Texts(), unverified=unverified)
    found = list(reader.events())
    return reader, np.concatenate(found) if found else ev.empty(0)


def test_requests_of_both_ports_become_events_with_the_times_of_the_capture(tmp_path: Path) -> None:
    packets = [(access(1), 1812), (accounting(2), 1813), (accounting(3, 2), 1646), (access(4, 2), 1645)]
    frames = [ethernet(ipv4(udp(packet, target=port))) for packet, port in packets]
    _, events = read(pcap(tmp_path / "x.pcap", frames))
    assert events["kind"].tolist() == [ev.ACCESS_REQUEST, ev.ACCOUNTING_START, ev.ACCOUNTING_START, ev.ACCESS_REQUEST]
    assert events["received_at"].tolist() == [AT_S * 1_000_000 + 1000 * number for number in range(4)]
    assert events["happened_at"].tolist() == events["received_at"].tolist()
    assert [imsi_text(int(one)) for one in events["imsi"]] == [f"00101{number:010d}" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("shape", ["us", "ns", "pcapng", "pcapng-ns", "pcapng-ms", "gzip"])
def test_every_container_says_the_same(tmp_path: Path, order: str, shape: str) -> None:
    frames = [ethernet(ipv4(udp(accounting(number % 250, number % 250)))) for number in range(300)]
    path = tmp_path / "x.pcap"
    if shape.startswith("pcapng"):
        pcapng(path, frames, order=order, resolution={"pcapng": 6, "pcapng-ns": 9, "pcapng-ms": 3}[shape])
    else:
        pcap(path, frames, order=order, nanoseconds=shape == "ns")
    if shape == "gzip":
        path.write_bytes(gzip.compress(path.read_bytes()))
    reader, events = read(path)
    assert len(events) == 250 and reader.counts["duplicate_in_flight"] == 50
    assert (events["received_at"] - AT_S * 1_000_000).tolist() == [1000 * number for number in range(250)]


@pytest.mark.parametrize(("offset_s", "rows"), [
    (3600, 2), (-3600, 2), ((1 << 63) - 1, 0), (-(1 << 63), 0), (10**13, 0),
])  # fmt: skip
@pytest.mark.parametrize("order", ["<", ">"])
def test_times_of_an_interface_with_an_offset(tmp_path: Path, offset_s: int, rows: int, order: str) -> None:
    """What is no time is counted; another interface's packets would be read."""
    frames = [ethernet(ipv4(udp(accounting(one, one)))) for one in (1, 2)]
    reader, events = read(pcapng(tmp_path / "x.pcapng", frames, order=order, offset_s=offset_s))
    assert (events["received_at"] - AT_S * 1_000_000).tolist() == [0, 1000][:rows]
    assert reader.counts.get("without_time", 0) == 2 - rows


@pytest.mark.parametrize("resolution", [0, 1, 9, 127, 128 + 1, 128 + 20, 255])
def test_units_of_time_that_fit_no_number_are_counted(tmp_path: Path, resolution: int) -> None:
    path = pcapng(tmp_path / "x.pcapng", [ethernet(ipv4(udp(accounting())))], resolution=6)
    octets = bytearray(path.read_bytes())
    at = octets.index(struct.pack("<HHB", 9, 1, 6))
    octets[at + 4] = resolution
    where = octets.index(struct.pack("<I", (AT_S * 1_000_000) >> 32))
    octets[where : where + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(bytes(octets))
    reader, events = read(path)
    assert reader.counts.get("without_time", 0) + len(events) == 1
    assert all(0 <= one < 10**18 for one in events["received_at"].tolist())


VLAN, QINQ = b"\x81\x00\x00\x05", b"\x88\xa8\x00\x09\x81\x00\x00\x05"
HOP_BY_HOP = bytes([60, 0]) + bytes(6)
DESTINATION = bytes([17, 1]) + bytes(14)


@pytest.mark.parametrize(("link", "frame"), [
    (1, lambda packet: ethernet(packet)), (1, lambda packet: ethernet(packet, VLAN)),
    (1, lambda packet: ethernet(packet, QINQ)), (101, lambda packet: packet), (228, lambda packet: packet),
    (113, lambda packet: bytes(14) + b"\x08\x00" + packet),
    (113, lambda packet: bytes(14) + b"\x81\x00\x00\x05\x08\x00" + packet),
    (276, lambda packet: b"\x08\x00" + bytes(18) + packet), (0, lambda packet: b"\x02\0\0\0" + packet),
    (1, lambda packet: ethernet(packet) + bytes(9)),
], ids=["ethernet", "vlan", "qinq", "raw", "ipv4", "sll", "sll-vlan", "sll2", "null", "padded"])  # fmt: skip
def test_every_link_layer(tmp_path: Path, link: int, frame: object) -> None:
    assert callable(frame)
    _, events = read(pcap(tmp_path / "x.pcap", [frame(ipv4(udp(accounting())))], link))
    assert len(events) == 1


@pytest.mark.parametrize("extension", [b"", HOP_BY_HOP + DESTINATION])
def test_ipv6(tmp_path: Path, extension: bytes) -> None:
    packet = ipv6(udp(accounting()), kind=0 if extension else 17, extension=extension)
    stranger = ethernet(ipv6(udp(accounting()), "2001:db9::1"))
    reader, events = read(pcap(tmp_path / "x.pcap", [ethernet(packet), stranger]))
    assert len(events) == 1 and reader.counts["unknown_client"] == 1


def test_what_is_no_request_is_counted(tmp_path: Path) -> None:
    whole = ethernet(ipv4(udp(accounting())))
    frames = [
        ethernet(ipv4(udp(b"\x05" + bytes(19), source=1813, target=40_000))),
        ethernet(ipv4(udp(b"\x02" + bytes(19), source=1812, target=1812))),
        ethernet(ipv4(udp(b"\x28" + bytes(19), target=3799))), ethernet(ipv4(udp(b"x", target=53))),
        bytes(12) + b"\x08\x06" + bytes(28),
        ethernet(ipv4(udp(accounting()))[:9] + b"\x06" + ipv4(udp(accounting()))[10:]),
        whole[:60], whole[:10], ethernet(ipv4(udp(accounting(), target=1812))), ethernet(ipv4(udp(b"\x04\0"))),
    ]  # fmt: skip
    reader, events = read(pcap(tmp_path / "x.pcap", frames))
    assert len(events) == 0
    assert reader.counts == {
        "request": 2, "response": 2, "dynamic_authorization": 1, "other_port": 1, "not_ip": 1, "not_udp": 1,
        "cut_short": 2, "bad_code": 1, "too_short": 1,
    }  # fmt: skip


def test_packets_that_nobody_proves_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    other = b"another secret of somebody"
    frames = [
        ethernet(ipv4(udp(accounting(1)))), ethernet(ipv4(udp(accounting(2, 2, other)))),
        ethernet(ipv4(udp(access(3, 3, other), target=1812))), ethernet(ipv4(udp(accounting(4, 4)), "192.0.2.1")),
        ethernet(ipv4(udp(struct.pack("!BBH", 4, 1, 700) + bytes(30)))),
    ]  # fmt: skip
    path = pcap(tmp_path / "x.pcap", frames)
    reader, events = read(path)
    assert len(events) == 1
    for name in ("bad_authenticator", "bad_message_authenticator", "unknown_client"):
        assert reader.counts[name] == 1
    reader, events = read(path, unverified=True)
    assert [int(one) % 10 for one in events["imsi"]] == [1, 2, 3, 4]
    assert reader.counts["unverified"] == 3 and reader.counts["bad_length"] == 1
    assert "unknown_client" not in reader.counts
    assert reader._receiver._texts.name(int(events["client"][3])) == "unverified"


@pytest.mark.parametrize("size", [8, 600])
def test_fragments_are_put_together(tmp_path: Path, size: int) -> None:
    whole = udp(accounting(padding=8))
    pieces = [(at, whole[at : at + size]) for at in range(0, len(whole), size)]
    frames = [ethernet(ipv4(part, at=at, more=at + size < len(whole))) for at, part in pieces[::-1]]
    if size == 8:  # more pieces than an honest sender makes
        reader, events = read(pcap(tmp_path / "x.pcap", frames))
        assert len(events) == 0 and reader.counts["incomplete"] >= 1
        return
    lost = ethernet(ipv4(whole[:8], more=True, name=9))
    reader, events = read(pcap(tmp_path / "x.pcap", [lost, *frames, ethernet(ipv4(udp(accounting(2, 2))))]))
    assert sorted(int(one) % 10 for one in events["imsi"]) == [1, 2]
    assert (reader.counts["reassembled"], reader.counts["incomplete"]) == (1, 1)
    assert np.all(np.diff(events["received_at"]) >= 0)


def test_fragments_of_ipv6_are_put_together(tmp_path: Path) -> None:
    whole = udp(accounting(padding=8))
    frames = []
    for at in range(0, len(whole), 800):
        head = struct.pack("!BBHI", 17, 0, at | (at + 800 < len(whole)), 77)
        frames.append(ethernet(ipv6(whole[at : at + 800], kind=44, extension=head)))
    reader, events = read(pcap(tmp_path / "x.pcap", frames))
    assert len(events) == 1 and reader.counts["reassembled"] == 1


def test_fragments_that_wait_are_bounded() -> None:
    reassembly = Reassembly()
    for name in range(PENDING_MAX + 50):
        assert reassembly.take(ipv4(b"x" * 8, more=True, name=name), 0) is None
    assert reassembly.incomplete == PENDING_MAX + 50 and len(reassembly._pending) <= PENDING_MAX


def test_what_fragments_take_while_they_wait_is_bounded() -> None:
    """As many datagrams as may wait, each with all pieces but the first and the last of a large one."""
    reassembly, size = Reassembly(), 1008
    for name in range(PENDING_MAX):
        for at in range(size, 64 * size, size):
            assert reassembly.take(ipv4(bytes(size), at=at, more=True, name=name), 0) is None
            assert reassembly.pending_octets <= PENDING_OCTETS_MAX
    kept = sum(len(piece) for one in reassembly._pending.values() for piece in one.pieces.values())
    assert kept == reassembly.pending_octets > PENDING_OCTETS_MAX // 2
    assert reassembly.incomplete == PENDING_MAX
    assert reassembly.take(ipv4(bytes(size), at=0, more=True, name=name), 0) is None
    whole = reassembly.take(ipv4(b"end", at=64 * size, name=name), 0)
    assert whole is not None and len(whole) == 20 + 64 * size + 3, "the newest still becomes whole"


@pytest.mark.parametrize("at", [8, 16])
def test_a_datagram_whose_pieces_overlap_is_dropped_whole(at: int) -> None:
    """RFC 5722: also what comes of it later, until its name may be another's."""
    reassembly = Reassembly()
    assert reassembly.take(ipv4(b"x" * 16, at=8, more=True), 0) is None
    assert reassembly.take(ipv4(b"y" * 16, at=at, more=True), 1) is None
    assert reassembly.take(ipv4(b"x" * 16, at=0, more=True), 2) is None
    assert reassembly.take(ipv4(b"x" * 8, at=24), 3) is None
    assert (reassembly.overlapping, reassembly.incomplete, reassembly.pending_octets) == (1, 0, 0)
    later = WAITS_AT_MOST_US + 4
    assert reassembly.take(ipv4(b"z" * 8, more=True), later) is None
    assert reassembly.take(ipv4(b"z" * 8, at=8), later) is not None


def test_a_piece_that_comes_twice_harms_nothing_and_one_that_waited_too_long_is_given_up() -> None:
    reassembly = Reassembly()
    for _ in range(2):
        assert reassembly.take(ipv4(b"x" * 8, more=True), 0) is None
    assert reassembly.take(ipv4(b"y" * 8, at=8), WAITS_AT_MOST_US) is not None
    assert reassembly.take(ipv4(b"x" * 8, more=True), 0) is None
    assert reassembly.take(ipv4(b"y" * 8, at=8), WAITS_AT_MOST_US + 1) is None
    assert (reassembly.whole, reassembly.incomplete) == (1, 2)


def test_overlapping_fragments_are_counted(tmp_path: Path) -> None:
    whole = udp(accounting(padding=8))
    parts = [(0, 600, True), (592, 1200, True), (1200, len(whole), False)]
    frames = [ethernet(ipv4(whole[at:end], at=at, more=more)) for at, end, more in parts]
    reader, events = read(pcap(tmp_path / "x.pcap", [*frames, ethernet(ipv4(udp(accounting(2, 2))))]))
    assert len(events) == 1 and reader.counts["overlapping"] == 1


def test_a_retransmission_is_no_second_event_but_the_same_name_later_is(tmp_path: Path) -> None:
    frame = ethernet(ipv4(udp(accounting())))
    path = tmp_path / "x.pcap"
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)]
    for second in (0, 3, 29, 61):
        parts.append(struct.pack("<IIII", AT_S + second, 0, len(frame), len(frame)) + frame)
    path.write_bytes(b"".join(parts))
    reader, events = read(path)
    assert ((events["received_at"] // 1_000_000) - AT_S).tolist() == [0, 61]
    assert reader.counts["duplicate_in_flight"] == 2


def test_a_capture_that_ends_within_a_packet_says_so(tmp_path: Path) -> None:
    path = pcap(tmp_path / "x.pcap", [ethernet(ipv4(udp(accounting(one, one)))) for one in range(3)])
    path.write_bytes(path.read_bytes()[:-5])
    reader, events = read(path)
    assert len(events) == 2 and reader.capture.damage == "cut short after 2 frames"


@pytest.mark.parametrize("octets", [b"", b"PK\x03\x04" + bytes(40), b"\xd4\xc3\xb2\xa1"])
def test_what_is_no_capture_is_refused(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "x.pcap").write_bytes(octets)
    with pytest.raises(UsageError, match="no capture"):
        read(tmp_path / "x.pcap")


def test_an_unknown_link_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="link type 195"):
        read(pcap(tmp_path / "x.pcap", [b"x" * 40], 195))


_ORIGINALS = [
    ethernet(ipv4(udp(accounting()))), ethernet(ipv6(udp(access(), target=1812)), VLAN),
    ethernet(ipv4(b"x" * 40, at=8)),
]  # fmt: skip


@settings(max_examples=60)
@given(st.booleans(), st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=12), st.integers(0, 700))
def test_no_octets_harm_the_reader(ng: bool, changes: list[tuple[int, int]], cut: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = (pcapng if ng else pcap)(Path(folder) / "x.pcap", _ORIGINALS)
        octets = bytearray(path.read_bytes())
        for at, value in changes:
            octets[at % len(octets)] = value
        path.write_bytes(bytes(octets[: max(30, len(octets) - cut % 90)]))
        try:
            _, events = read(path, unverified=True)
        except UsageError:
            return
        assert len(events) <= len(_ORIGINALS)


needs_editcap = pytest.mark.skipif(not shutil.which("editcap"), reason="editcap (wireshark-common) is not there")


@needs_editcap
@pytest.mark.parametrize("words", [["-F", "pcapng"], ["-F", "nsecpcap"], ["-F", "pcap"], ["-F", "modpcap"]])
def test_captures_that_editcap_wrote(tmp_path: Path, words: list[str]) -> None:
    path = pcap(tmp_path / "x.pcap", [ethernet(ipv4(udp(accounting(one, one)))) for one in range(5)])
    subprocess.run(["editcap", *words, str(path), str(tmp_path / "y")], check=True)
    if words == ["-F", "modpcap"]:
        with pytest.raises(UsageError):
            read(tmp_path / "y")
        return
    assert read(tmp_path / "y")[1].tobytes() == read(path)[1].tobytes()


@needs_editcap
def test_captures_of_two_links_that_mergecap_put_together(tmp_path: Path) -> None:
    one = pcap(tmp_path / "1.pcap", [ethernet(ipv4(udp(accounting(one, one)))) for one in range(1, 4)])
    other = pcap(tmp_path / "2.pcap", [ipv6(udp(accounting(one, one))) for one in range(4, 7)], 101)
    subprocess.run(["mergecap", "-w", str(tmp_path / "both"), str(one), str(other)], check=True)
    reader, events = read(tmp_path / "both")
    assert sorted(int(one) % 10 for one in events["imsi"]) == [1, 2, 3, 4, 5, 6] and reader.counts["request"] == 6


def test_tshark_sees_the_same_requests(tmp_path: Path, tshark: str) -> None:
    frames = [ethernet(ipv4(udp(accounting(one, one)))) for one in range(40)]
    frames += [ethernet(ipv4(udp(b"\x05\0\0\x14" + bytes(16), source=1813, target=40_000)))] * 3
    path = pcapng(tmp_path / "x.pcapng", frames)
    command = [tshark, "-r", str(path), "-Y", "radius.code == 4", "-T", "fields", "-e", "frame.time_epoch"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    _, events = read(path)
    assert len(said) == len(events) == 40
    for line, event in zip(said, events, strict=True):
        assert round(float(line) * 1e6) == event["received_at"]
