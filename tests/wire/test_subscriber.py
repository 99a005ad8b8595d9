"""Every form in which gateways write IMSI, device, number and location, read as defined."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.engine.events import FLAG_IMEI_UNREADABLE, FLAG_LOCATION_UNREADABLE
from simward.identity import CGI, ECGI, NCGI, RAI, SAI, Cell, Imei, Imsi, Plmn, rat_number
from wire.asking import IMSI, Reading, access

READING = Reading()


def tbcd(digits: str) -> bytes:
    digits += "F" * (len(digits) % 2)
    return bytes(int(digits[at + 1] + digits[at], 16) for at in range(0, len(digits), 2))


def event(name: str, value: bytes | str, seed: list[int] = [0]) -> Any:  # noqa: B006  each request another authenticator
    seed[0] += 1
    return READING.event(access([(name, value)], seed=seed[0]))


DEVICE = 35209900176148


@pytest.mark.parametrize(
    ("value", "imei", "software"),
    [
        (b"35209900176148", DEVICE, -1),
        (b"352099001761480", DEVICE, -1),  # TS 23.003: the 15th is sent as 0
        (b"352099001761481", DEVICE, -1),  # or is the check digit: ignored
        (b"352099001761489", DEVICE, -1),  # right or wrong
        (b"3520990017614823", DEVICE, 23),
        (b"3520990017614800", DEVICE, 0),
        (b"3520990017614899", DEVICE, 99),
        (b"35-209900-176148-23", DEVICE, 23),
        (b"35 209900 176148 1", DEVICE, -1),
        (b"3520990017614823\0", DEVICE, 23),
        (b"imeisv-3520990017614823", DEVICE, 23),
        (b"imei-352099001761481", DEVICE, -1),
        (tbcd("3520990017614823"), DEVICE, 23),
        (tbcd("3520990017614800"), DEVICE, 0),
        (tbcd("352099001761481"), DEVICE, -1),
        (tbcd("35209900176148"), DEVICE, -1),
        (b"0100000000000023", 1_000_000_000_000, 23),
        # Not reported.
        (b"0000000000000000", 0, -1),
        (b"000000000000000", 0, -1),
        (bytes(8), 0, -1),
        (b"\xff" * 8, 0, -1),
    ],
)
def test_device_is_read(value: bytes, imei: int, software: int) -> None:
    got = event("3GPP-IMEISV", value)
    assert (got.imei, got.software, got["flags"] & FLAG_IMEI_UNREADABLE) == (imei, software, 0)


@pytest.mark.parametrize(
    "value",
    [
        b"1", b"3520990017614", b"35209900176148231", b"12345678", b"unknown", b"35209900176148x3", b"imeisv", b"-",
        tbcd("352099001761") + b"\xaa\xbb", b"\x53\x02\x99\x00\x71\x16\xf4\x32",
        "３５２０９９００１７６１４８".encode(),
    ],
)
def test_junk_is_unreadable_and_no_device(value: bytes) -> None:
    got = event("3GPP-IMEISV", value)
    assert (got.imei, got.software, got["flags"] & FLAG_IMEI_UNREADABLE) == (0, -1, FLAG_IMEI_UNREADABLE)


def test_no_attribute_is_no_device_and_no_flag() -> None:
    got = event("3GPP-IMSI", IMSI)
    assert (got.imei, got.software, got["flags"]) == (0, -1, 0)


@given(st.text("0123456789", min_size=14, max_size=16))
def test_text_and_tbcd_say_the_same(digits: str) -> None:
    one = event("3GPP-IMEISV", digits)
    first = (int(one.imei), int(one.software))
    two = event("3GPP-IMEISV", tbcd(digits))
    assert first == (int(two.imei), int(two.software))
    if int(digits[:14]):
        assert first == (Imei.parse(digits).number, Imei.parse(digits).software)


@given(st.binary(min_size=1, max_size=40))
def test_no_octets_break_the_device(value: bytes) -> None:
    got = event("3GPP-IMEISV", value)
    assert 0 <= got.imei < 10**14 and -1 <= got.software <= 99


@pytest.mark.parametrize("value", [IMSI.encode(), IMSI.encode() + b"\0", tbcd(IMSI)])
def test_imsi_is_read(value: bytes) -> None:
    assert event("3GPP-IMSI", value).imsi == Imsi.parse(IMSI).number


@pytest.mark.parametrize("value", [b"0010100000000", b"0010100000000001", b"00101000000000x", b"12345678", b"\xff" * 8])
def test_no_imsi_is_made_up(value: bytes) -> None:
    assert event("3GPP-IMSI", value).imsi == 0


@pytest.mark.parametrize(
    ("value", "user"),
    [
        (IMSI, int("1" + IMSI)),
        (f"{IMSI}@nai.epc.mnc001.mcc001.3gppnetwork.org", int("1" + IMSI)),
        (f"0{IMSI}@wlan.mnc001.mcc001.3gppnetwork.org", int("1" + IMSI)),  # TS 23.003 19.3.2: EAP-AKA
        (f"1{IMSI}", int("1" + IMSI)),  # EAP-SIM
        (f"2{IMSI}", 0),  # 16 digits, and no root NAI
        ("+4740000001", 14740000001),
        ("meter-17", 0),
        ("@realm", 0),
        ("1" * 17, 0),
    ],
)
def test_user_name_is_a_number_or_nothing(value: str, user: int) -> None:
    assert event("User-Name", value).user == user


@pytest.mark.parametrize(
    ("value", "msisdn"),
    [("4740000001", 14740000001), ("+4740000001", 14740000001), ("+", 0), ("4740-1", 0), ("1234567890123456", 0)],
)
def test_number_of_the_caller(value: str, msisdn: int) -> None:
    assert event("Calling-Station-Id", value).msisdn == msisdn


P2, P3 = bytes.fromhex("00f110"), bytes.fromhex("001101")  # 001/01 and 001/101 (TS 24.008 10.5.1.3)
N2, N3 = Plmn.parse("00101").number, Plmn.parse("001101").number


@pytest.mark.parametrize(
    ("value", "plmn", "area", "cell"),
    [
        (b"\x00" + P2 + b"\x12\x34\x56\x78", N2, 0x1234, Cell.of(CGI, 0x12345678)),
        (b"\x01" + P3 + b"\x12\x34\x56\x78", N3, 0x1234, Cell.of(SAI, 0x12345678)),
        (b"\x02" + P2 + b"\x12\x34\x07", N2, 0x1234, Cell.of(RAI, 0x12340007)),
        (b"\x02" + P2 + b"\x12\x34\x07\xff", N2, 0x1234, Cell.of(RAI, 0x12340007)),
        (b"\x80" + P2 + b"\x00\x01", N2, 1, None),
        (b"\x81" + P2 + b"\x01\x23\x45\x67", N2, -1, Cell.of(ECGI, 0x1234567)),
        (b"\x81" + P2 + b"\xf1\x23\x45\x67", N2, -1, Cell.of(ECGI, 0x1234567)),  # the spare half octet is ignored
        (b"\x82" + P2 + b"\x00\x01" + P2 + b"\x01\x23\x45\x67", N2, 1, Cell.of(ECGI, 0x1234567)),
        (b"\x83" + P2 + b"\x01\x23\x45", N2, -1, None),
        (b"\x84" + P2 + b"\x00\x02" + P2 + b"\x01\x23\x45", N2, 2, None),
        (b"\x85" + P2 + b"\x01\x23\x45", N2, -1, None),
        (b"\x86" + P2 + b"\x00\x02" + P2 + b"\x01\x23\x45", N2, 2, None),
        (b"\x87" + P3 + b"\x01\x23\x45\x67\x89", N3, -1, Cell.of(NCGI, 0x12345678)),
        (b"\x88" + P2 + b"\x01\x00\x03", N2, 0x010003, None),
        (b"\x89" + P2 + b"\x01\x00\x03" + P2 + b"\xff\xff\xff\xff\xf7", N2, 0x010003, Cell.of(NCGI, 0xFFFFFFFFF)),
        (b"\x8a" + P2 + b"\x01\x02\x03\x04", N2, -1, None),
        (b"\x8b" + P2 + b"\x00\x00\x05" + P2 + b"\x01\x02\x03\x04", N2, 5, None),
    ],
)
def test_location_is_read(value: bytes, plmn: int, area: int, cell: Cell | None) -> None:
    got = event("3GPP-User-Location-Info", value)
    assert (got.plmn, got.area, got.cell) == (plmn, area, cell.number if cell else 0)
    assert not got["flags"] & FLAG_LOCATION_UNREADABLE


@pytest.mark.parametrize(
    "value",
    [b"\x03" + P2 + bytes(9), b"\x8c" + P2 + bytes(12), b"\x82" + P2 + bytes(8), b"\x80", b"\x80\xaa\xbb\xcc\0\0"],
)
def test_unreadable_location_leaves_the_serving_network(value: bytes) -> None:
    values = [("3GPP-User-Location-Info", value), ("3GPP-SGSN-MCC-MNC", "001101")]
    packet = access(values, seed=1_000_000 + len(value) + value[0] * 99)
    got = READING.event(packet)
    assert (got.plmn, got.area, got.cell, got["flags"]) == (N3, -1, 0, FLAG_LOCATION_UNREADABLE)


@given(st.binary(min_size=1, max_size=30))
def test_no_octets_break_the_location(value: bytes) -> None:
    got = event("3GPP-User-Location-Info", value)
    assert got.plmn == 0 or 100_000 <= got.plmn < 2_000_000
    assert -1 <= got.area < 1 << 24


def test_location_goes_before_the_serving_network() -> None:
    values = [("3GPP-SGSN-MCC-MNC", "001101"), ("3GPP-User-Location-Info", b"\x80" + P2 + b"\0\1")]
    assert READING.event(access(values, seed=2_000_000)).plmn == N2


@pytest.mark.parametrize(
    ("value", "rat"),
    [
        (b"\x06", "lte"), (b"\x08", "nb-iot"), (b"\x09", "lte-m"), (b"\x0a", "nr"), (b"\x33", "nr"),
        (b"\0\0\0\x08", "nb-iot"),
    ],
)
def test_radio_access(value: bytes, rat: str) -> None:
    assert event("3GPP-RAT-Type", value).rat == rat_number(rat)
