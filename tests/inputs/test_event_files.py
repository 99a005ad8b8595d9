"""Event files: every column as people write it, and every mistake with its line, its column and what would be right."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from simward.cli import cli
from simward.engine import events as ev
from simward.engine.texts import Texts
from simward.errors import ConfigurationError, UsageError
from simward.identity import Cell, Iccid
from simward.inputs import event_files
from simward.inputs.event_columns import COLUMNS, NO_COLUMNS, WRITTEN_TOGETHER, all_columns
from simward.inputs.event_files import EventFile, suffix_of

AT_US = 1_795_392_000_000_000  # 2026-11-23T00:00:00Z
ROW: dict[str, Any] = {
    "received_at": "2026-11-23T00:00:00.25Z", "happened_at": "2026-11-23 00:00:00", "kind": "accounting-start",
    "imsi": "001010000000001", "user": "001010000000001", "msisdn": "+4740000001", "imei": "3500000100000102",
    "plmn": "00101", "cell": "ecgi:1001", "rat": "nb-iot", "area": 7, "address": "10.64.0.1", "apn": "Meters.IoT",
    "gateway": "pgw1", "client": "proxy", "session_id": "A1", "uplink_octets": 2000, "terminate_cause": "user request",
    "flags": ["event-timestamp"], "prefix": "2001:db8:1::/64", "delegated": "2001:db8:ff00::/56", "pdp_type": "ipv4v6",
    "ipv6_address": "2001:db8:aa::7", "credentials": "missing",
}  # fmt: skip


def read(path: Path) -> tuple[np.ndarray, Texts]:
    texts = Texts()
    found = list(EventFile(path, texts).events())
    return np.concatenate(found) if found else ev.empty(0), texts


def as_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(names)]
    for row in rows:
        values = [" ".join(one) if isinstance(one := row.get(name), list) else one for name in names]
        lines.append(",".join("" if one is None else str(one) for one in values))
    path.write_text("\n".join(lines) + "\n")
    return path


def as_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def as_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


WRITERS = {".csv": as_csv, ".jsonl": as_jsonl, ".parquet": as_parquet}
every_form = pytest.mark.parametrize("suffix", WRITERS)


@every_form
def test_every_column_is_read(tmp_path: Path, suffix: str) -> None:
    events, texts = read(WRITERS[suffix](tmp_path / f"x{suffix}", [ROW]))
    (event,) = events
    assert (event["received_at"], event["happened_at"]) == (AT_US + 250_000, AT_US)
    assert (event["kind"], event["rat"], event["cause"], event["flags"]) == (2, 8, 1, ev.FLAG_TIMESTAMP)
    assert (event["imsi"], event["user"], event["msisdn"]) == (1001010000000001, 1001010000000001, 14740000001)
    assert (event["imei"], event["software"], event["plmn"], event["area"]) == (35000001000001, 2, 100101, 7)
    assert (event["cell"], event["address"]) == (Cell.parse("ecgi:1001").number, 0x0A400001)
    assert [texts.name(int(event[name])) for name in ("apn", "gateway", "client")] == ["meters.iot", "pgw1", "proxy"]
    assert bytes(event["session_id"][:3]) == b"A1\0" and event["session_id_octets"] == 2
    assert (event["prefix_high"], event["prefix_low"], event["prefix_length"]) == (0x20010DB8_00010000, 0, 64)
    assert (event["delegated_high"], event["delegated_length"]) == (0x20010DB8_FF000000, 56)
    assert (event["ipv6_high"], event["ipv6_low"]) == (0x20010DB8_00AA0000, 7)
    assert event["pdp_type"] == ev.PDP_IPV4V6 and event["credentials"] == ev.CREDENTIALS_MISSING
    assert (event["uplink_octets"], event["downlink_octets"], event["duration_s"]) == (2000, -1, -1)


@every_form
def test_missing_columns_are_not_reported(tmp_path: Path, suffix: str) -> None:
    rows = [{"happened_at": f"2026-11-23T00:00:0{second}Z", "kind": "tick"} for second in (1, 0)]
    events, _ = read(WRITERS[suffix](tmp_path / f"x{suffix}", rows))
    assert events["received_at"].tolist() == [AT_US, AT_US + 1_000_000], "in the order of time"
    assert (events["area"][0], events["imsi"][0], events["software"][0]) == (-1, 0, -1)
    assert len(set(events["request"].tolist())) == 2, "no two are taken for one another"


@pytest.mark.parametrize(("value", "micros"), [
    ("2026-11-23T00:00:00Z", 0), ("2026-11-23T01:00:00+01:00", 0), ("2026-11-23", 0),
    ("2026-11-23 00:00:00.5", 500_000), ("2026-11-23T00:00:00.000001Z", 1), (str(AT_US), 0),
    (str(AT_US // 1_000_000), 0), (str(AT_US // 1000 + 7), 7000),
    ("2026-11-23T00:00:00 UTC", 0), ("2024-02-29T00:00:00Z", (-998 * 86_400) * 1_000_000),
])  # fmt: skip
def test_times_as_people_write_them(tmp_path: Path, value: str, micros: int) -> None:
    events, _ = read(as_csv(tmp_path / "x.csv", [{"received_at": value, "kind": "tick"}]))
    assert events["received_at"][0] == AT_US + micros


def test_times_as_numbers_and_as_timestamps(tmp_path: Path) -> None:
    for unit, scale in (("s", 1), ("ms", 1000), ("us", 1_000_000), ("ns", 1_000_000_000)):
        column = pa.array([AT_US // 1_000_000 * scale]).cast(pa.timestamp(unit, "UTC"))
        pq.write_table(pa.table({"received_at": column, "kind": ["tick"]}), tmp_path / "x.parquet")
        assert read(tmp_path / "x.parquet")[0]["received_at"][0] == AT_US
    for number in (AT_US, AT_US // 1000, AT_US // 1_000_000):
        assert read(as_jsonl(tmp_path / "x.jsonl", [{"received_at": number, "kind": 10}]))[0]["received_at"][0] == AT_US


def test_identities_with_what_people_put_between(tmp_path: Path) -> None:
    row = {**ROW, "imsi": "001-01-0000000001", "imei": "35-000001-000001-0", "msisdn": "+47 400 00 001"}
    (event,) = read(as_jsonl(tmp_path / "x.jsonl", [row]))[0]
    assert (event["imsi"], event["imei"], event["msisdn"]) == (1001010000000001, 35000001000001, 14740000001)


def test_a_command_names_its_card(tmp_path: Path) -> None:
    row = {"received_at": AT_US, "kind": "lock", "iccid": "8900101000000000019", "imsi": "001010000000001"}
    assert read(as_jsonl(tmp_path / "x.jsonl", [row]))[0]["subject"][0] == Iccid.parse("8900101000000000019").number


def test_lines_of_json_may_differ_in_keys_and_types(tmp_path: Path) -> None:
    rows = [{"kind": "tick", "received_at": AT_US},
            {"kind": "tick", "received_at": "2026-11-23T00:00:01Z", "area": None},
            {"received_at": "2026-11-23T00:00:02Z", "kind": 10, "plmn": "00101"}]  # fmt: skip
    events, _ = read(as_jsonl(tmp_path / "x.jsonl", rows))
    assert events["received_at"].tolist() == [AT_US, AT_US + 1_000_000, AT_US + 2_000_000]
    assert events["plmn"].tolist() == [0, 0, 100101]


@pytest.mark.parametrize(("change", "said"), [
    ({"imsi": "00101x"}, ["x.csv:3", "imsi", "'00101x' is wrong"]),
    ({"imsi": "12345"}, ["imsi", "14 or 15 digits"]),
    ({"kind": "acounting-start"}, ["kind", "did you mean 'accounting-start'?"]),
    ({"kind": ""}, ["kind", "needed in every line"]),
    ({"received_at": "soon", "happened_at": ""}, ["received_at", "a time like"]),
    ({"received_at": "2026-02-30T00:00:00Z"}, ["received_at", "a time like"]),
    ({"received_at": "", "happened_at": ""}, ["received_at", "no time"]),
    ({"address": "10.64.0.256"}, ["address", "an IPv4 address"]),
    ({"prefix": "2001:db8::/129"}, ["prefix", "an IPv6 prefix"]),
    ({"ipv6_address": "2001:db8::/64"}, ["ipv6_address", "an IPv6 address"]),
    ({"cell": "1001"}, ["cell", "ecgi:"]), ({"rat": "6g"}, ["rat", "6g"]),
    ({"area": "x"}, ["area", "a whole number"]), ({"area": 5_000_000_000}, ["area", "a number from"]),
    ({"uplink_octets": 1 << 63}, ["uplink_octets", "is wrong", "a "]),
    ({"request": 10**19}, ["request", "is wrong", "a "]), ({"flags": 1 << 64}, ["flags", "a number"]),
    ({"multi_session_id": "8000000000000000"}, ["multi_session_id", "16 hexadecimal digits"]),
    ({"multi_session_id": "f" * 9000}, ["multi_session_id", "fff ... is wrong", "16 hexadecimal digits"]),
    ({"multi_session_id": "-1"}, ["multi_session_id", "16 hexadecimal digits"]),
    ({"area": "9" * 9000}, ["area", "a whole number"]),
    ({"session_id": "x" * 49}, ["session_id", "at most 48 octets"]),
    ({"terminate_cause": "bored"}, ["terminate_cause", "bored"]),
    ({"credentials": "rigth"}, ["credentials", "did you mean 'right'?"]),
])  # fmt: skip
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_wrong_value_is_named_with_line_column_and_what_would_be_right(
    tmp_path: Path, change: dict[str, Any], said: list[str], suffix: str
) -> None:
    path = tmp_path / f"x{suffix}"
    WRITERS[suffix](path, [ROW, {**ROW, **change}])
    with pytest.raises(ConfigurationError) as caught:
        read(path)
    problem = caught.value.problems[0]
    assert problem.line == (3 if suffix == ".csv" else 2)
    for part in said:
        assert part.replace("x.csv:3", f"x{suffix}:{problem.line}") in str(caught.value)


@every_form
def test_an_unknown_column_is_named_with_the_nearest(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ConfigurationError, match=r"imsy: no such column \(did you mean 'imsi'\?\)"):
        read(WRITERS[suffix](tmp_path / f"x{suffix}", [{"received_at": "2026-11-23", "kind": "tick", "imsy": "1"}]))


@pytest.mark.parametrize("column", ["kind", "received_at"])
def test_what_every_event_needs(tmp_path: Path, column: str) -> None:
    row = {"received_at": "2026-11-23", "kind": "tick"}
    del row[column]
    with pytest.raises(ConfigurationError, match=f"{column}: is missing"):
        read(as_csv(tmp_path / "x.csv", [row]))


def test_identities_as_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="zeros in front"):
        read(as_parquet(tmp_path / "x.parquet", [{"received_at": AT_US, "kind": 1, "imsi": 1010000000001}]))


@pytest.mark.parametrize(("text", "said"), [
    ("kind,received_at\ntick\n", "x.csv:2"), ("kind,received_at\ntick,2026-11-23,7\n", "3 values under 2 columns"),
    ("", "is empty"), ("kind,kind,received_at\n", "there twice"),
])  # fmt: skip
def test_what_is_no_csv(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises((ConfigurationError, UsageError), match=said):
        read(tmp_path / "x.csv")


@pytest.mark.parametrize(("text", "said"), [
    ('{"kind": "tick", "received_at": "2026-11-23"}\n{"kind":\n', "x.jsonl:2: not JSON"),
    ("[1]\n", "x.jsonl:1: not an object"),
    ('\n\n{"kind": "tick", "received_at": "never"}\n', "x.jsonl:3: received_at"),
])  # fmt: skip
def test_what_is_no_json(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises((ConfigurationError, UsageError), match=said):
        read(tmp_path / "x.jsonl")


OF_EITHER = (1e300, float("inf"), float("nan"), {"a": 1}, [[1]])
OF_JSON = (1 << 63, 10**30, -(1 << 63) - 1)  # Parquet holds no such value


@pytest.mark.parametrize(
    ("suffix", "value"),
    [
        *((suffix, value) for suffix in (".jsonl", ".parquet") for value in OF_EITHER),
        *((".jsonl", one) for one in OF_JSON),
    ],
)
@pytest.mark.parametrize("column", ["received_at", "uplink_octets", "error_cause", "flags", "rat", "apn", "prefix"])
def test_numbers_of_json_and_parquet_that_no_field_holds(
    tmp_path: Path, column: str, value: object, suffix: str
) -> None:
    """Refused by file, line and column, or taken as text where the column is one; never a traceback."""
    row = {"received_at": AT_US, "kind": 10}
    path = tmp_path / f"x{suffix}"
    WRITERS[suffix](path, [{**row, column: value}])
    try:
        read(path)
    except ConfigurationError as error:
        assert f"x{suffix}:1: {column}: " in str(error)
        return
    assert column == "apn"


@pytest.mark.parametrize("number", [-1, -5e18, 10**18])
def test_times_that_are_none(tmp_path: Path, number: float) -> None:
    with pytest.raises(ConfigurationError, match=r"x.jsonl:1: received_at: .*a time since 1970"):
        read(as_jsonl(tmp_path / "x.jsonl", [{"received_at": number, "kind": 10}]))


@pytest.mark.parametrize("depth", [100, 5000, 200_000])
@pytest.mark.parametrize("between", ["", "\n"])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deeply_nested_lines_are_refused(
    tmp_path: Path, depth: int, between: str, opening: str, closing: str
) -> None:
    """Arrow would end the process: it goes down one level of its stack a bracket."""
    first = '{"kind": "tick", "received_at": "2026-11-23"}\n'
    deep = (opening + between) * depth + "1" + closing * depth
    (tmp_path / "x.jsonl").write_text(first + '{"kind": "tick", "received_at": ' + deep + "}\n")
    with pytest.raises(ConfigurationError, match=r"x.jsonl:2: "):
        read(tmp_path / "x.jsonl")


@pytest.mark.parametrize("packed", [".gz", ".zst"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_packed_files(tmp_path: Path, suffix: str, packed: str) -> None:
    rows = [{"received_at": f"2026-11-23T14:05:{second:02d}Z", "kind": "access-request"} for second in range(60)]
    text = "".join(f"{line}\n" for line in (
        ["received_at,kind", *(",".join(row.values()) for row in rows)] if suffix == ".csv" else map(json.dumps, rows)
    ))  # fmt: skip
    octets = gzip.compress(text.encode()) if packed == ".gz" else pa.Codec("zstd").compress(text.encode(), asbytes=True)
    path = tmp_path / f"events{suffix}{packed}"
    path.write_bytes(octets)
    assert suffix_of(path) == suffix
    read = EventFile(path, Texts())
    assert sum(map(len, read.events())) == 60 and read.octets_read == len(octets)
    path.write_bytes(octets[:-20])
    with pytest.raises(UsageError, match="cannot be read to its end"):
        list(EventFile(path, Texts()).events())


def test_what_is_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match="no Parquet file"):
        read(tmp_path / "x.parquet")


def test_every_field_of_an_event_has_a_column() -> None:
    fields = {column.field for column in all_columns().values()} | {*WRITTEN_TOGETHER, *NO_COLUMNS}
    assert fields == set(ev.EVENT.names or ())
    assert set(COLUMNS) <= set(all_columns())


def test_large_files_are_read_in_parts(tmp_path: Path) -> None:
    count = 300_000
    lines = [f"{AT_US + number},tick,{number % 1000}" for number in range(count)]
    (tmp_path / "x.csv").write_text("received_at,kind,area\n" + "\n".join(lines) + "\n")
    file = EventFile(tmp_path / "x.csv", Texts())
    sizes = [len(one) for one in file.events()]
    assert sum(sizes) == count and len(sizes) > 1 and file.octets_read == (tmp_path / "x.csv").stat().st_size


def test_values_that_a_file_has_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dictionary holds what other batches have: a value there is wrong in its own line, and nulls are none."""
    monkeypatch.setattr(event_files, "BATCH_ROWS", 4)
    lines = [{**ROW, "rat": ("nb-iot", None, "lte-m")[row % 3], "apn": f"apn{row}"} for row in range(10)]
    events, texts = read(as_parquet(tmp_path / "right.parquet", lines))
    assert events["rat"].tolist() == [(8, 0, 9)[row % 3] for row in range(10)]
    assert [texts.name(int(one)) for one in events["apn"]] == [f"apn{row}" for row in range(10)]

    lines[6]["rat"] = "5g-ish"
    reading = EventFile(as_parquet(tmp_path / "wrong.parquet", lines), Texts()).events()
    assert len(next(reading)) == 4
    with pytest.raises(ConfigurationError, match=r"wrong\.parquet:7: rat: '5g-ish'"):
        next(reading)


@pytest.mark.parametrize("folder", ["ready", "bare"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.csv", "user_id,start,end\na,2026-01-05,2026-01-06\n"), ("r.csv", "user_id;start;end\na;b;c\n"),
        ("r.jsonl", '{"user_id": "a", "start": "2026-01-05"}\n'), ("r.json", '[\n{"user_id": "a"}\n]\n'),
    ],
)  # fmt: skip
def test_records_of_elsewhere_are_told_the_way(tmp_path: Path, folder: str, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    if folder == "ready":
        assert CliRunner().invoke(cli, ["--dir", str(tmp_path), "init"]).exit_code == 0
    done = CliRunner().invoke(cli, ["--dir", str(tmp_path), "replay", str(tmp_path / name)])
    assert done.exit_code == 2 and "simward convert FILE" in str(done.output) + str(done.exception)
