"""Wireshark, which nobody here wrote, reads what we send as we meant it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simward.engine.outputs import RESULT
from simward.wire.radius.answer import Answerer
from simward.wire.radius.batch import PacketBatch
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet
from wire.asking import IMSI, SECRET, Reading, access, accounting, signed
from wire.wireshark import complaints, decoded, flat


def test_requests_and_answers(tshark: str, tmp_path: Path) -> None:
    reading = Reading()
    where = bytes.fromhex("8900f11001000300f1100123456789")
    request = access([
        ("User-Name", IMSI), ("3GPP-IMSI", IMSI), ("3GPP-IMEISV", "3520990017614823"),
        ("3GPP-User-Location-Info", where), ("Called-Station-Id", "meters.iot"),
    ])
    record = accounting("Stop")
    octets = [signed(request), signed(record)]
    result = reading.read(octets[0])
    decided = np.zeros(1, RESULT)
    decided["address"], decided["interim_interval_s"] = 0x0A400001, 900
    out = PacketBatch(4)
    Answerer(reading.clients, {}).answer(reading.batch, result, decided, out)
    (accept,) = out.datagrams()
    disconnect = Packet(Code.DISCONNECT_REQUEST, 7).add("Acct-Session-Id", "a1").add("3GPP-IMSI", IMSI)
    sent = [
        (40_000, 1812, octets[0]), (1812, 40_000, accept), (40_001, 1813, octets[1]),
        (40_002, 3799, disconnect.sign_dynauth_request(SECRET)),
    ]
    layers = [flat(one) for one in decoded(tshark, tmp_path / "radius.pcap", sent)]
    assert [one["radius.code"] for one in layers] == ["1", "2", "4", "40"]
    assert layers[0]["e212.imsi"] == IMSI and layers[0]["radius.3GPP_IMEISV"] == "3520990017614823"
    assert layers[0]["radius.Called_Station_Id"] == "meters.iot"
    assert layers[1]["radius.Framed-IP-Address"] == "10.64.0.1" and layers[1]["radius.Acct_Interim_Interval"] == "900"
    assert layers[2]["radius.Acct_Status_Type"] == "2"
    assert layers[3]["radius.Acct_Session_Id"] == "a1"
    assert layers[1]["radius.authenticator.valid"] == "1"


def test_addresses_of_every_family(tshark: str, tmp_path: Path) -> None:
    """RFC 2865 5.8, RFC 3162 2.3, RFC 4818 3 and RFC 6911 3.1, as Wireshark has them."""
    reading = Reading()
    request = signed(access([("User-Name", IMSI), ("3GPP-IMSI", IMSI)]))
    result, decided = reading.read(request), np.zeros(1, RESULT)
    decided["address"] = 0x0A400001
    decided["prefix_high"], decided["prefix_length"] = 0x20010DB8_64000001, 64
    decided["ipv6_high"], decided["ipv6_low"] = 0x20010DB8_00AA0000, -1
    decided["delegated_high"], decided["delegated_length"] = 0x20010DB8_80000100, 56
    out = PacketBatch(4)
    Answerer(reading.clients, {}).answer(reading.batch, result, decided, out)
    (accept,) = out.datagrams()
    path = tmp_path / "addresses.pcap"
    asked, answered = (flat(one) for one in decoded(tshark, path, [(40_000, 1812, request), (1812, 40_000, accept)]))
    assert asked["radius.code"] == "1" and answered["radius.authenticator.valid"] == "1"
    assert answered["radius.Framed-IP-Address"] == "10.64.0.1"
    assert answered["radius.Framed_IPv6_Address"] == "2001:db8:aa:0:ffff:ffff:ffff:ffff"
    assert answered["radius.Framed_IPv6_Prefix"].replace(":", "") == "004020010db864000001"
    assert answered["radius.Delegated_IPv6_Prefix"].replace(":", "") == "003820010db8800001"
    assert complaints(tshark, path) == ""


LOCATIONS = {
    "0000f1101234abcd": {"gtpv2.uli_cgi_lac": 0x1234, "gtpv2.uli_cgi_ci": 0xABCD},
    "8000f1100007": {"gtpv2.tai_tac": 7},
    "8200f110000700f11001234567": {"gtpv2.tai_tac": 7, "gtpv2.ecgi_eci": 0x1234567},
    "8800f110010003": {"gtpv2.5gs_tai_tac": 0x010003},
    "8900f11001000300f1100123456780": {"gtpv2.5gs_tai_tac": 0x010003, "gtpv2.ncgi_nrci": 0x12345678},
}
"""3GPP-User-Location-Info, and what Wireshark's fields are to say: the area first, then what the cell ends in."""


def test_locations_are_read_alike(tshark: str, tmp_path: Path) -> None:
    reading = Reading()
    values = [("3GPP-User-Location-Info", bytes.fromhex(text)) for text in LOCATIONS]
    requests = [signed(access([value], seed=row)) for row, value in enumerate(values)]
    events = reading.read(*requests).events
    trees = decoded(tshark, tmp_path / "location.pcap", [(40_000 + row, 1812, one) for row, one in enumerate(requests)])
    for event, tree, expected in zip(events, trees, LOCATIONS.values(), strict=True):
        shown = flat(tree)
        assert {name: int(shown[name], 0) for name in expected} == expected
        area, *cell = expected.values()
        assert int(event["area"]) == area and event["plmn"] == 100101
        mask = 0xFFFF if "gtpv2.uli_cgi_ci" in expected else (1 << 36) - 1
        assert [int(event["cell"]) & mask] == (cell or [0])
