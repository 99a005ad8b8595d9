"""Templates of call detail records: the shipped ones are right; what is wrong in another is named with its line."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from simward.engine.call_records import HOME, INTERNATIONAL, NATIONAL, PREMIUM
from simward.errors import ConfigurationError, UsageError
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
        (PLAIN + "destinations: {premium: [999]}\n", "999 is no beginning of a number"),
        (PLAIN + "destinations: {premum: ['999']}\n", "did you mean 'premium'?"),
        (PLAIN + "destinations: {premium: ['9'], home: ['+9']}\n", "9 has two classes"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as found:
        template_of(text, "x.yaml")
    assert said in str(found.value)


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


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("epoch-s", "1789977600"), ("epoch-ms", "1789977600000"), ("iso", "2026-09-21 08:00:00"),
        ("iso", "2026-09-21T10:00:00+02:00"), ("'%d.%m.%Y %H%M'", "21.09.2026 0800"),
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


def test_an_id_is_hashed_alike_everywhere() -> None:
    """Were it otherwise, everything would be imported once more after an upgrade."""
    table = pa.table({"a": ["x", "y"], "b": ["v"] * 2, "c": ["2026-09-21"] * 2, "d": ["001010000000001"] * 2})
    ids = Columns(template_of(PLAIN, "x"), 0, 1 << 62).records(table)[0]["record_id"]
    assert np.array_equal(ids, [IDS["x"], IDS["y"]])


IDS = {"x": 1011650860000215580, "y": 4047282552784187581}
