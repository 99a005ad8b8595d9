"""Templates of call detail records: the shipped ones are right; what is wrong in another is named with its line."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from simward.engine.call_records import (
    DATA,
    HOME,
    INTERNATIONAL,
    NATIONAL,
    PREMIUM,
    SHORT_MESSAGE,
    VOICE,
)
from simward.errors import ConfigurationError, UsageError
from simward.identity import msisdn_text, plmn_text
from simward.wire.cdr.columns import Columns
from simward.wire.cdr.template import EXAMPLES, Template, template_of

PLAIN = "cdr: x\ncolumns: {record_id: a, kind: b, happened_at: c, imsi: d}\nkinds: {v: voice}\n"
HOUR_US = 3_600_000_000


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_templates_are_right(path) -> None:
    assert Template.named(path.stem).name == path.stem


def test_one_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="operator-csv"):
        Template.named("operater-csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "no YAML"),
        ("- a", "should hold keys"),
        (PLAIN + "delimeter: ';'\n", "x.yaml:4: delimeter: unknown key (did you mean 'delimiter'?)"),
        (PLAIN.replace("imsi: d", "isdn: d"), "names no column for imsi or msisdn"),
        (PLAIN.replace("record_id: a, ", ""), "names no column for record_id"),
        (PLAIN.replace("v: voice", "v: vioce"), "did you mean 'voice'?"),
        (PLAIN + "format: xml\n", "'xml' is not a choice"),
        (PLAIN + "time: whenever\n", "'whenever' is not a choice"),
        (PLAIN + "delimiter: ab\n", "should be one character"),
        (PLAIN + "destinations: {premium: [9x9]}\n", "'9x9' is no beginning of a number"),
        (PLAIN + "zone: Mars/North\n", "'Mars/North' is no time zone"),
        (PLAIN + "time: '%H:%M %Z'\n", "%Z names no offset"),
        (PLAIN + "duration: hours\n", "x.yaml:4: duration: 'hours' is not a choice"),
        (PLAIN + "octets: kb\n", "'kb' is not a choice (one of: B, GB"),
        (PLAIN + "decimal: ;\n", "';' is not a choice"),
        (PLAIN + "header: no\n", "true or false"),
        (PLAIN + "header: false\n", "'a' is no number of a column"),
        (PLAIN + "inside: data\n", "is of no use in csv"),
        (PLAIN + "networks: {AAA01: x}\n", "'x' is no MCC and MNC"),
        (PLAIN.replace("imsi: d", "imsi: [d, e]"), "columns.imsi: is of one column"),
        (PLAIN.replace("record_id: a", "record_id: []"), "should be the name of a column"),
        (PLAIN.replace("{v: voice}", "voice"), "is one kind for all of a file"),
        (PLAIN.replace("b: voice, ", "").replace("kind: b, ", ""), "names no column for kind"),
        (PLAIN + "destinations: {premum: ['999']}\n", "did you mean 'premium'?"),
        (PLAIN + "destinations: {premium: ['9'], home: ['+9']}\n", "9 has two classes"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as found:
        template_of(text, "x.yaml")
    assert said in str(found.value)


def test_what_stands_there_is_taken_as_it_stands() -> None:
    text = PLAIN.replace("{v: voice}", "{01: voice, 1: sms, yes: data}") + "destinations: {premium: [0999]}\n"
    template = template_of(text, "x.yaml")
    assert template.kinds == {"01": VOICE, "1": SHORT_MESSAGE, "yes": DATA}
    assert template.destinations == (("0999", PREMIUM),)


def records(text: str, **theirs: list[str]) -> tuple[np.ndarray, list[int]]:
    """What is made of columns of texts, and which rows are odd; columns that are not given have something fit."""
    count = len(next(iter(theirs.values())))
    fit = {"a": [str(one) for one in range(count)], "b": ["v"] * count, "d": ["001010000000001"] * count,
           "c": ["2026-09-21T10:00:00Z"] * count}  # fmt: skip
    made, _, odd = Columns(template_of(text, "x"), 0, 1 << 62).records(pa.table({**fit, **theirs}))
    return made, np.flatnonzero(odd).tolist()


def classes(*called: str) -> list[int]:
    text = PLAIN.replace("imsi: d", "imsi: d, called_number: e")
    prefixes = "destinations: {home: ['9991'], national: ['999', '0'], premium: ['99982', '2005']}\n"
    template = template_of(text + prefixes, "x")
    count = len(called)
    table = pa.table({
        "a": [str(one) for one in range(count)], "b": ["v"] * count, "c": ["2026-09-21T10:00:00Z"] * count,
        "d": ["001010000000001"] * count, "e": list(called),
    })  # fmt: skip
    return Columns(template, 0, 1 << 62).records(table)[0]["destination"].tolist()


def test_the_longest_beginning_decides_the_class() -> None:
    assert classes("+9991", "00999", "99982", "9998", "2005", "200", "4712345678", "") == [
        HOME, NATIONAL, PREMIUM, NATIONAL, PREMIUM, INTERNATIONAL, INTERNATIONAL, 0
    ]  # fmt: skip
    assert classes("012") == [NATIONAL], "a zero that is no part of 00"
    assert classes("+999 82-1", "00 99982", "99982F", "99982123456789012345", "99982p123") == [PREMIUM] * 5


@pytest.mark.parametrize(
    ("unit", "said", "seconds"),
    [
        ("duration: s", ["65", "00:01:05", "1:00:00", "65.0", "64.2", "+7", ""], [65, 65, 3600, 65, 65, 7, -1]),
        ("duration: ms", ["65000", "64001", "0", "00:01:05"], [65, 65, 0, 65]),
        ("duration: min", ["2", "1.5"], [120, 90]),
        ("decimal: ','", ["64,2", "65"], [65, 65]),
    ],
)
def test_durations(unit: str, said: list[str], seconds: list[int]) -> None:
    made, odd = records(PLAIN.replace("imsi: d", "imsi: d, duration_s: e") + unit, e=said)
    assert (made["duration_s"].tolist(), odd) == (seconds, [])


@pytest.mark.parametrize("said", ["64,2", "1.234,5", "00:61:00", "05:00", "65s", "-1", ".5", "2147483648", "1e3"])
def test_what_is_no_duration(said: str) -> None:
    assert records(PLAIN.replace("imsi: d", "imsi: d, duration_s: e"), e=[said, "1"])[1] == [0]


@pytest.mark.parametrize(
    ("unit", "said", "octets"),
    [
        ("B", ["281474976710655", "", "1.0"], [(1 << 48) - 1, -1, 1]), ("kB", ["1.5", "2", "0.0001"], [1500, 2000, 1]),
        ("MB", ["1", "0.1"], [1_000_000, 100_000]), ("KiB", ["1.5"], [1536]), ("GiB", ["262143"], [262143 << 30]),
    ],
)  # fmt: skip
def test_octets_in_units(unit: str, said: list[str], octets: list[int]) -> None:
    made, odd = records(PLAIN.replace("imsi: d", "imsi: d, uplink_octets: e") + f"octets: {unit}", e=said)
    assert (made["uplink_octets"].tolist(), odd) == (octets, [])


@pytest.mark.parametrize("unit", ["B", "GiB"])
def test_too_many_octets(unit: str) -> None:
    said = ["281474976710656", "999999999999999999", "9" * 30, "281474976710655.5", "00:00:01"]
    assert records(PLAIN.replace("imsi: d", "imsi: d, uplink_octets: e") + f"octets: {unit}", e=said)[1] == [*range(5)]


def test_networks_in_several_notations() -> None:
    text = PLAIN.replace("imsi: d", "imsi: d, network: e") + 'networks: {AAA01: "00101"}\n'
    said = ["00101", "001-01", "001 01", "001/001", "AAA01", "AAA02", "0011", ""]
    made, odd = records(text, e=said)
    assert [plmn_text(one) for one in made["plmn"][:5].tolist()] == ["00101", "00101", "00101", "001001", "00101"]
    assert odd == [5, 6]


def test_values_of_several_columns_are_one() -> None:
    text = (
        "cdr: x\nkinds: sms\ntime: '%d.%m.%Y %H:%M'\n"
        "columns: {record_id: [a, part], happened_at: [day, hour], imsi: d, network: [mcc, mnc]}\n"
    )
    made, odd = records(text, a=["x", "x", "", "x1"], part=["1", "2", "", ""], day=["21.09.2026"] * 4,
                        hour=["08:00"] * 4, mcc=["001"] * 4, mnc=["01"] * 4)  # fmt: skip
    assert odd == [2] and (made["kind"] == SHORT_MESSAGE).all()
    assert len(set(made["record_id"].tolist())) == 4, "x and part 1 is another one than x1"
    assert made["happened_at"][0] == 1_789_977_600_000_000 and plmn_text(int(made["plmn"][0])) == "00101"


def test_telephone_numbers_as_people_write_them() -> None:
    said = ["+99950000001", "0099950000001", "999 5000-0001", "(999) 50.000.001", "99950000001"]
    made, odd = records(PLAIN.replace("imsi: d", "msisdn: d"), d=said)
    assert odd == [] and {msisdn_text(one) for one in made["msisdn"].tolist()} == {"+99950000001"}


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("epoch-s", "1789977600"), ("epoch-ms", "1789977600000"), ("iso", "2026-09-21 08:00:00"),
        ("iso", "2026-09-21T10:00:00+02:00"), ("'%d.%m.%Y %H%M'", "21.09.2026 0800"), ("epoch-s", "1789977600.0"),
        ("epoch-us", "1789977600000000"), ("'%Y%m%d%H%M%S%z'", "20260921100000+0200"), ("iso", "20260921T080000Z"),
        ("'%Y-%m-%d %H:%M:%S.%f'", "2026-09-21 08:00:00.000"), ("'%d/%m/%y %I:%M %p'", "21/09/26 08:00 AM"),
    ],
)  # fmt: skip
def test_times(form: str, value: str) -> None:
    template = template_of(PLAIN + f"time: {form}\n", "x")
    table = pa.table({"a": ["1"], "b": ["v"], "c": [value], "d": ["001010000000001"]})
    records, _, odd = Columns(template, 0, 1 << 62).records(table)
    assert not odd.any()
    assert records["happened_at"][0] == 1_789_977_600_000_000


@pytest.mark.parametrize("form", ["epoch-s", "epoch-ms", "iso", "'%Y%m%d%H%M%S'"])
@pytest.mark.parametrize("value", ["", "x", "99999999999999999999", "2026-13-01T00:00:00Z", "-5"])
def test_what_is_no_time(form: str, value: str) -> None:
    template = template_of(PLAIN + f"time: {form}\n", "x")
    table = pa.table({"a": ["1"], "b": ["v"], "c": [value], "d": ["001010000000001"]})
    assert Columns(template, HOUR_US, 1 << 61).records(table)[2].all()


@pytest.mark.parametrize("form", ["iso", "'%Y-%m-%dT%H:%M:%S'", "'%Y-%m-%dT%H:%M:%S.%f'", "'%Y-%m-%dT%H:%M:%S%z'"])
def test_local_times(form: str) -> None:
    """In Norway clocks went from 2026-03-29 02:00 to 03:00 (+02:00), and from 2026-10-25 03:00 to 02:00 (+01:00)."""
    local = {
        "2026-01-15T12:00:00": "2026-01-15T11:00", "2026-07-15T12:00:00": "2026-07-15T10:00",
        "2026-03-29T01:59:59": "2026-03-29T00:59", "2026-03-29T03:00:00": "2026-03-29T01:00",
        "2026-03-29T02:30:00": "2026-03-29T01:30",  # left out: as if clocks had not been put forward yet
        "2026-10-25T01:59:59": "2026-10-24T23:59", "2026-10-25T03:00:00": "2026-10-25T02:00",
        "2026-10-25T02:30:00": "2026-10-25T00:30",  # comes twice: the first
        "2026-12-31T23:59:59": "2026-12-31T22:59",
    }  # fmt: skip
    tail = ".0" if "%f" in form else "+0000" if "%z" in form else ""
    made, odd = records(PLAIN + f"time: {form}\nzone: Europe/Oslo\n", c=[one + tail for one in local])
    said = [str(np.datetime64(int(one), "us"))[:16] for one in made["happened_at"]]
    assert (said, odd) == ([one[:16] for one in local] if "%z" in form else list(local.values()), [])


def test_times_that_say_their_offset_are_not_local() -> None:
    said = ["2026-09-21T08:00:00Z", "2026-09-21T10:00:00+02:00", "1789977600000000", "2026-09-21 10:00:00.000"]
    made, odd = records(PLAIN + "zone: Europe/Oslo\n", c=said)
    assert odd == [] and (made["happened_at"] == 1_789_977_600_000_000).all()


def test_an_id_is_hashed_alike_everywhere() -> None:
    """Were it otherwise, everything would be imported once more after an upgrade."""
    table = pa.table({"a": ["x", "y"], "b": ["v"] * 2, "c": ["2026-09-21"] * 2, "d": ["001010000000001"] * 2})
    ids = Columns(template_of(PLAIN, "x"), 0, 1 << 62).records(table)[0]["record_id"]
    assert np.array_equal(ids, [IDS["x"], IDS["y"]])


IDS = {"x": 1011650860000215580, "y": 4047282552784187581}
