"""Identities: every form that people type is read once, and nothing printed names anybody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.errors import IdentityError
from simward.identity import (
    RATS,
    Cell,
    Eid,
    Iccid,
    Imei,
    Imsi,
    Msisdn,
    Plmn,
    Tac,
    cell_text,
    iccid_text,
    imei_text,
    imsi_text,
    luhn_digit,
    msisdn_text,
    plmn_text,
    rat_number,
    rat_text,
)

digits = st.text("0123456789", min_size=1)


@pytest.mark.parametrize(
    "text", ["001010000000001", "001-01-0000000001", " 00101 0000000001 ", "IMSI: 001010000000001"]
)
def test_imsi_as_people_type_it(text: str) -> None:
    assert Imsi.parse(text).number == 1001010000000001
    assert Imsi.parse(text).text == "001010000000001"


@pytest.mark.parametrize("text", ["", "0010100000000", "0010100000000001", "00101000000000x", "٠٠١٠١٠٠٠٠٠٠٠٠٠١"])
def test_what_is_no_imsi(text: str) -> None:
    with pytest.raises(IdentityError):
        Imsi.parse(text)


@given(st.text("0123456789", min_size=14, max_size=15))
def test_imsi_keeps_zeros_and_length(text: str) -> None:
    assert imsi_text(Imsi.parse(text).number) == text


@pytest.mark.parametrize(
    ("text", "number", "software"),
    [
        ("35-209900-176148-1", 35209900176148, -1),
        ("35209900 176148 23", 35209900176148, 23),
        ("35209900176148", 35209900176148, -1),
        ("IMEI 35.209900.176148.1", 35209900176148, -1),
        ("imeisv-3520990017614800", 35209900176148, 0),
        ("004999010640000", 499901064000, -1),
    ],
)
def test_imei_as_people_type_it(text: str, number: int, software: int) -> None:
    imei = Imei.parse(text.replace("imeisv-", "imeisv:"))
    assert (imei.number, imei.software) == (number, software)


def test_imei_parts() -> None:
    imei = Imei.parse("49-015420-323751-8")
    assert (imei.text, imei.tac, imei.check_digit) == ("49015420323751", Tac(49015420), 8)
    assert imei_text(499901064000) == "00499901064000" and imei_text(0) == ""


@pytest.mark.parametrize("text", ["00000000000000", "000000000000000", "3520990017614", "35209900176148231"])
def test_what_is_no_imei(text: str) -> None:
    with pytest.raises(IdentityError):
        Imei.parse(text)


def test_tac_keeps_its_zeros() -> None:
    assert Tac.parse("00499901").text == "00499901"
    with pytest.raises(IdentityError):
        Tac.parse("4999010")


@pytest.mark.parametrize(
    ("text", "full", "luhn_ok"),
    [
        ("8944500102198304826", "8944500102198304826", True),
        ("8944 5001 0219 8304 826", "8944500102198304826", True),
        ("8944500102198304826F", "8944500102198304826", True),
        ("8944500102198304827", "8944500102198304827", False),
        ("894450010219830482", "894450010219830482", True),  # without a check digit there is nothing to check
    ],
)
def test_iccid(text: str, full: str, luhn_ok: bool) -> None:
    iccid = Iccid.parse(text)
    assert (iccid.text, iccid_text(iccid.number), iccid.luhn_ok) == (full, full, luhn_ok)


@pytest.mark.parametrize("text", ["", "F", "8844500102198304826", "89445001021983048", "894450010219830482612"])
def test_what_is_no_iccid(text: str) -> None:
    with pytest.raises(IdentityError):
        Iccid.parse(text)


@given(st.text("0123456789", min_size=16, max_size=17))
def test_iccid_with_its_luhn_digit_is_right(body: str) -> None:
    text = "89" + body
    assert Iccid.parse(text + str(luhn_digit(text))).luhn_ok
    assert not Iccid.parse(text + str((luhn_digit(text) + 1) % 10)).luhn_ok


def test_eid() -> None:
    body = "890010012345678901234567890123"
    good = body + f"{98 - int(body + '00') % 97:02d}"  # SGP.29
    assert Eid.parse(good).checksum_ok and Eid.parse(good).text == good
    assert not Eid.parse(body + f"{(int(good[-2:]) + 1) % 100:02d}").checksum_ok
    with pytest.raises(IdentityError):
        Eid.parse(good[:-1])


@pytest.mark.parametrize(
    "text", ["+47 400 00 001", "004740000001", "4740000001", "tel:+47-400-00-001", "+47 (400) 00001"]
)
def test_msisdn_as_people_type_it(text: str) -> None:
    assert Msisdn.parse(text).number == 14740000001
    assert msisdn_text(14740000001) == "+4740000001"


@pytest.mark.parametrize("text", ["", "+", "1234", "+0047400", "12345678901234567", "call me"])
def test_what_is_no_msisdn(text: str) -> None:
    with pytest.raises(IdentityError):
        Msisdn.parse(text)


def test_two_and_three_digit_networks_are_apart() -> None:
    two, three = Plmn.parse("001-01"), Plmn.parse("001/010")
    assert two != three and (two.mcc, two.mnc, three.mnc) == ("001", "01", "010")
    assert (two.number, three.number) == (100101, 1001010)
    assert plmn_text(two.number) == "00101"


@pytest.mark.parametrize("text", ["ecgi:1234567", "ncgi:68719476735", "cgi:4660-22136", "sai:1-2", "rai:4660-7"])
def test_cells_are_written_as_they_are_read(text: str) -> None:
    assert cell_text(Cell.parse(text).number) == text
    assert Cell.parse(text) == Cell.of(Cell.parse(text).kind, Cell.parse(text).value)


@pytest.mark.parametrize(
    "text", ["", "1234567", "ecgi:", "ecgi:268435456", "cgi:1", "rai:1-256", "ecgi:1-2", "lte:5", "ecgi:x"]
)
def test_what_is_no_cell(text: str) -> None:
    with pytest.raises(IdentityError):
        Cell.parse(text)


@pytest.mark.parametrize("name", RATS)
def test_radio_access_by_name(name: str) -> None:
    assert rat_number(name.upper().replace("-", "_")) == RATS[name]
    assert rat_number(rat_text(RATS[name])) == RATS[name]


def test_unknown_radio_access() -> None:
    assert rat_text(0) == "" and rat_text(200) == "rat-200"
    with pytest.raises(IdentityError):
        rat_number("smoke signals")


@pytest.mark.parametrize(
    ("identity", "hidden"),
    [
        (Imsi.parse("001010123456789"), "012345"),
        (Imei.parse("3520990017614823"), "1761"),
        (Iccid.parse("8944500102198304826"), "0219830"),
        (Msisdn.parse("+4740012345"), "4001"),
        (Eid.parse("89001001234567890123456789012345"), "345678901234567890"),
    ],
)
def test_nothing_printed_names_anybody(identity: object, hidden: str) -> None:
    for shown in (str(identity), repr(identity), f"{identity}", f"{[identity]}"):
        assert hidden not in shown and "…" in shown


def test_errors_do_not_repeat_what_was_typed() -> None:
    with pytest.raises(IdentityError) as error:
        Imsi.parse("00101012345678x")
    assert "12345678" not in str(error.value)
