"""inventory.csv: fast and slow ways of reading agree, every mistake has its line, and big files stay quick."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.errors import ConfigurationError
from simward.identity import Iccid, Imei, Imsi, Msisdn, luhn_digit
from simward.policy.columns import digits_of, luhn_wrong, prefixed
from simward.policy.inventory import Inventory, load_inventory, lookup, read_inventory
from simward.policy.load import read_policies

USE_CASES = ("lift-alarm", "water-meter")
ICCID = "8900101000000000019"


def write(folder: Path, text: str) -> Path:
    """An inventory with this text."""
    path = folder / "inventory.csv"
    path.write_bytes(text.encode())
    return path


def load(folder: Path, text: str) -> Inventory:
    return load_inventory(write(folder, text), USE_CASES)


def problems(folder: Path, text: str) -> list[str]:
    """What is wrong with an inventory, without its folder."""
    with pytest.raises(ConfigurationError) as caught:
        load(folder, text)
    return [str(problem).removeprefix(f"{folder}/inventory.csv:") for problem in caught.value.problems]


def iccid(number: int) -> str:
    """A synthetic ICCID with its check digit."""
    body = f"8900101{number:011d}"
    return f"{body}{luhn_digit(body)}"


def fleet(count: int) -> str:
    """An inventory of so many lines."""
    lines = ["iccid,imsi,use_case,msisdn,imei,label"]
    for number in range(count):
        imei = 35_000_000_000_000 + number
        named = f"{iccid(number)},00101{number:010d},{USE_CASES[number % 2]}"
        lines.append(f"{named},+4759{number:08d},{imei},Unit {number}")
    return "\n".join(lines) + "\n"


def test_a_line_becomes_a_row(tmp_path: Path) -> None:
    inventory = load(
        tmp_path,
        "imsi,iccid,state,use_case,msisdn,imei,latitude,longitude,label,eid,form_factor,installed_at\n"
        f"001010000000001,{ICCID},,water-meter,+47 590 00 001,35-000001-000001-7,"
        '59.9,-10.7,"Pit 7, north",,MFF2,2026-02-28\n'
        f"00101000000002,{iccid(2)}F,retired,lift-alarm,,,,,,,,\n",
    )
    first, second = inventory.declared
    assert first["imsi"] == Imsi.parse("001010000000001").number
    assert first["iccid"] == Iccid.parse(ICCID).number
    assert first["msisdn"] == Msisdn.parse("+4759000001").number
    assert first["imei"] == Imei.parse("35000001000001").number
    assert (inventory.use_cases[first["use_case"]], first["state"]) == ("water-meter", 0)
    assert (second["imsi"], second["msisdn"], second["imei"], second["state"]) == (100_101_000_000_002, 0, 0, 3)
    assert inventory.lines.tolist() == [2, 3]
    assert len(inventory) == 2


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_spreadsheets_write_is_read(tmp_path: Path, ends: str, mark: str) -> None:
    text = f'{mark}"ICCID","IMSI","Use_Case"{ends}"{ICCID}","001010000000001","water-meter"{ends}{ends}'
    assert len(load(tmp_path, text)) == 1


HEADER = "iccid,imsi,use_case,msisdn,imei,state,latitude,installed_at\n"
LINE = f"{HEADER}{ICCID},001010000000001"
WRONG = [
    ("iccid,imsi\n", "1: use_case: this column is missing (the header needs iccid,imsi,use_case)"),
    ("iccid,imsi,use_case,use_case\n", "1: use_case: is there twice"),
    ("iccid,imsi,usecase\n", "1: usecase: unknown column (did you mean 'use_case'?)"),
    ("iccid;imsi;use_case\n", "1: the columns are not divided by commas (write it like iccid,imsi,use_case)"),
    ("", "1: iccid: this column is missing (the header needs iccid,imsi,use_case)"),
    (f"{HEADER}{ICCID},001010000000001\n", "2: has 2 fields, the header has 8"),
    (f"{HEADER}{ICCID},00101,water-meter,,,,,\n", "2: imsi: '00101': an IMSI has 14 or 15 digits, this has 5"),
    (f"{HEADER}{ICCID},,water-meter,,,,,\n", "2: imsi: is empty"),
    (f"{HEADER}88{ICCID[2:]},001010000000001,water-meter,,,,,\n",
     "2: iccid: '8800101000000000019': an ICCID begins with 89 (ITU-T E.118)"),
    (f"{LINE},watermeter,,,,,\n", "2: use_case: no use case 'watermeter' (did you mean 'water-meter'?)"),
    (f"{LINE},,,,,,\n", "2: use_case: is empty (one of: lift-alarm, water-meter)"),
    (f"{LINE},water-meter,0012,,,,\n",
     "2: msisdn: '0012': an MSISDN has 5 to 15 digits with its country code, this has 2"),
    (f"{LINE},water-meter,,00000000000000,,,\n",
     "2: imei: '00000000000000': an IMEI of zeros means that the device reported none"),
    (f"{LINE},water-meter,,,actve,,\n", "2: state: no state 'actve' (did you mean 'active'?)"),
    (f"{LINE},water-meter,,,,91,\n", "2: latitude: '91': degrees from -90 to 90"),
    (f"{LINE},water-meter,,,,,yesterday\n", "2: installed_at: 'yesterday': a date or time like 2026-02-28T12:00:00Z"),
    (f'{HEADER}{ICCID},"001010000000001,water-meter,,,,,\n', "2: not CSV: unexpected end of data"),
    (
        f"{LINE},water-meter,,,,,\n{iccid(2)},001010000000001,water-meter,,,,,\n",
        "3: imsi: 001010000000001 is there twice, first in line 2",
    ),
    (
        f"{LINE},water-meter,4759000001,,,,\n{iccid(2)},001010000000002,water-meter,4759000001,,,,\n",
        "3: msisdn: +4759000001 is there twice, first in line 2",
    ),
    (
        f"{LINE},water-meter,,,,,\n{ICCID},001010000000002,lift-alarm,,,,,\n",
        f"3: use_case: ICCID {ICCID} is of another use case in line 2",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_mistake_has_its_line(tmp_path: Path, text: str, message: str) -> None:
    assert problems(tmp_path, text)[0] == message


def test_lines_are_counted_through_quoted_line_ends(tmp_path: Path) -> None:
    text = f'iccid,imsi,use_case,label\n{ICCID},001010000000001,water-meter,"two\nlines"\n{iccid(2)},x,water-meter,\n'
    assert problems(tmp_path, text) == ["4: imsi: 'x': not an IMSI: only digits and separators may be there"]


def test_problems_are_bounded_and_counted(tmp_path: Path) -> None:
    lines = "".join(f"{iccid(number)},x,water-meter\n" for number in range(1000))
    found = problems(tmp_path, "iccid,imsi,use_case\n" + lines)
    assert len(found) == 101
    assert found[-1] == "101: ... and 900 problems more"


def test_text_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "inventory.csv"
    path.write_bytes(f"iccid,imsi,use_case,label\n{ICCID},001010000000001,water-meter,M\xe5ler\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="not UTF-8 from about this line on"):
        load_inventory(path, USE_CASES)


def test_no_inventory_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="its header is: iccid,imsi,use_case"):
        load_inventory(tmp_path / "inventory.csv", USE_CASES)


def test_one_iccid_may_carry_several_imsis(tmp_path: Path) -> None:
    lines = "".join(f"{ICCID},00101000000000{n},water-meter,4759000001,35000001000001\n" for n in range(3))
    inventory = load(tmp_path, "iccid,imsi,use_case,msisdn,imei\n" + lines)
    assert len(inventory) == 3
    assert not inventory.warnings


def test_doubtful_things_are_warnings(tmp_path: Path) -> None:
    text = (
        "iccid,imsi,use_case,imei\n"
        f"{ICCID[:-1]}5,001010000000001,water-meter,35000001000001\n"
        f"{iccid(2)},001010000000002,water-meter,35000001000001\n"
    )
    assert [one.what for one in load(tmp_path, text).warnings] == [
        "8900101000000000015: the last digit is not the check digit of the others",
        "35000001000001 is declared twice, first in line 2",
    ]


def test_warnings_are_bounded_and_counted(tmp_path: Path) -> None:
    lines = "".join(f"{iccid(n)[:-1]}{(int(iccid(n)[-1]) + 1) % 10},00101{n:010d},water-meter\n" for n in range(50))
    warnings = load(tmp_path, "iccid,imsi,use_case\n" + lines).warnings
    assert [one.what for one in warnings][5:] == ["... and 45 more"]


def test_a_pool_of_ipv6_addresses_that_is_too_small_is_a_warning(tmp_path: Path) -> None:
    for length, warned in ((126, False), (127, True)):
        policy = read_policies({"p.yaml": (
            "use_case: water-meter\nsegment: s\n---\nuse_case: lift-alarm\nsegment: s\n---\n"
            f"segment: s\napn: a\npool: 10.0.0.0/16\naddress_pool6: 2001:db8::/{length}\n"
        )})  # fmt: skip
        inventory = read_inventory(write(tmp_path, fleet(3)), policy)
        said = [str(one) for one in inventory.warnings]
        what = "2 addresses for 3 subscriptions: the last ones will be refused (a larger pool)"
        assert said == [f"p.yaml:10: warning: address_pool6: {what}"] * warned


def test_what_members_lack_is_a_warning(tmp_path: Path) -> None:
    policy = read_policies({"p.yaml": (
        "use_case: water-meter\nsegment: s\nbinding: declared\n---\n"
        "use_case: lift-alarm\nsegment: s\n---\nsegment: s\napn: a\npool: 10.0.0.0/30\n"
    )})  # fmt: skip
    inventory = read_inventory(write(tmp_path, fleet(3).replace("35000000000001", "")), policy)
    assert [str(one) for one in inventory.warnings] == [
        "p.yaml:3: warning: binding.mode: 1 of 1 subscriptions have no imei in the inventory, so nothing binds them",
        "p.yaml:10: warning: pool: 2 addresses for 3 subscriptions: the last ones will be refused (a larger pool)",
    ]


def test_twenty_thousand_lines_in_chunks_with_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simward.policy.inventory.CHUNK", 6_000)
    seen: list[tuple[int, int]] = []
    path = write(tmp_path, fleet(20_000))
    inventory = load_inventory(path, USE_CASES, lambda done, whole: seen.append((done, whole)))
    assert len(inventory) == 20_000
    assert len(np.unique(inventory.declared["imsi"])) == 20_000
    assert np.array_equal(inventory.lines, np.arange(2, 20_002))
    assert len(seen) == 5
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)


def test_one_line_is_found_again(tmp_path: Path) -> None:
    spaced = "89-00101-000000-09990,00101 0000009999,water-meter,,,written with separators\n"
    path = write(tmp_path, fleet(500) + spaced)
    assert (lookup(path, iccid=Iccid.parse(iccid(123)).number) or {})["label"] == "Unit 123"
    found = lookup(path, imsi=Imsi.parse("001010000000499").number)
    assert found is not None
    assert (found["label"], found["msisdn"]) == ("Unit 499", "+475900000499")
    assert (lookup(path, imsi=Imsi.parse("001010000009999").number) or {})["label"] == "written with separators"
    assert lookup(path, imsi=Imsi.parse("001010000000500").number) is None
    assert lookup(path) is None
    assert lookup(tmp_path / "none.csv", imsi=1) is None


@given(st.lists(st.text(alphabet="0123456789x -", max_size=23), min_size=1, max_size=30))
def test_columns_at_once_and_one_by_one_agree(texts: list[str]) -> None:
    digits, counts = digits_of(texts)
    for column, kind in (("imsi", Imsi), ("iccid", Iccid), ("msisdn", Msisdn)):
        numbers, plain = prefixed(digits, counts, column)
        for text, number, sure in zip(texts, numbers.tolist(), plain.tolist(), strict=True):
            if sure:
                assert kind.parse(text).number == number  # type: ignore[attr-defined]


@given(st.lists(st.from_regex(r"89[0-9]{16,18}", fullmatch=True), min_size=1, max_size=30))
def test_check_digits_at_once_and_one_by_one_agree(texts: list[str]) -> None:
    identities = [Iccid.parse(text) for text in texts]
    wrong = luhn_wrong(np.array([one.number for one in identities], np.int64))
    assert wrong.tolist() == [not one.luhn_ok for one in identities]
