"""Records in the forms in which they are exported and published: each is read, or it is said what is missing."""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from simward import identity
from simward.cli import cli
from simward.engine import events as ev
from simward.engine.texts import Texts
from simward.inputs.event_files import EventFile
from simward.inputs.foreign.choosing import is_spoilt
from simward.inputs.foreign.names import usual
from simward.inputs.foreign.source import is_record

NINE_US = 1_767_603_600_000_000
"""2026-01-05T09:00:00Z."""


def convert(folder: Path, text: str | bytes, *words: str, name: str = "r.csv") -> Result:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return CliRunner().invoke(cli, ["convert", str(folder / name), "--into", str(folder / "study"), *words])


def events_of(folder: Path) -> np.ndarray:
    return np.concatenate(list(EventFile(folder / "study" / "events.parquet", Texts()).events()))


def stop_of(folder: Path) -> Any:
    events = events_of(folder)
    return events[events["kind"] == ev.ACCOUNTING_STOP][0]


def labels(folder: Path) -> list[str]:
    with (folder / "study" / "inventory.csv").open() as file:
        return [row["label"] for row in csv.DictReader(file)]


SHAPES = {
    "spreadsheet": (
        "Bearer Id,Start,Start ms,End,Dur. (ms),IMSI,MSISDN/Number,IMEI,Last Location Name,Total UL (Bytes),"
        "Total DL (Bytes)\n"
        "1.31E+19,1/5/2026 9:00,7,1/5/2026 9:01,60000,2.08201E+14,447700900001,3.55E+13,L77,10,20\n"
        "1.31E+19,1/13/2026 9:00,7,1/13/2026 9:01,60000,2.08201E+14,447700900001,3.55E+13,L77,10,20\n",
        (), "447700900001", (60, 10, 20),
    ),
    "fractions": (
        "start,end,imsi,imei,ul_kb,dl_kb\n2026-01-05 09:00:00,2026-01-05 09:01:00,001010000000009.0,"
        "35209900176148.0,0.01,0.02\n", (), "001010000000009", (60, 10, 20),
    ),
    "semicolons": (
        '\ufeff"Kunde";"Beginn";"Sekunden";"Up (kB)";"Down (kB)"\r\n"k1";"05.01.2026 10:00:00";"60";"0,01";"0,02"\r\n',
        ("--column", "subscription=Kunde", "--column", "began_at=Beginn", "--column", "duration=Sekunden",
         "--zone", "Europe/Oslo"), "k1", (60, 10, 20),
    ),
    "no-names": (
        "05-01-2026;09:00:00;iot.example;10;20;60;001010000000009\n"
        "13-01-2026;09:00:00;iot.example;10;20;60;001010000000009\n",
        ("--column", "began_at=1", "--column", "began_at=2", "--column", "uplink=4", "--column", "downlink=5",
         "--column", "duration=6", "--column", "subscription=7"), "001010000000009", (60, 10, 20),
    ),
    "parted-date": (
        "Calling No,Date,Time,Duration(sec),IMEI,up_bytes,down_bytes\n"
        "'447700900001,05/01/2026,09:00:00,60,352099001761481,10,20\n"
        "'447700900001,13/01/2026,09:00:00,60,352099001761481,10,20\n", (), "447700900001", (60, 10, 20),
    ),
    "database": (
        "radacctid,acctsessionid,username,acctstarttime,acctstoptime,acctsessiontime,acctinputoctets,acctoutputoctets,"
        "callingstationid\n1,0A,u,2026-01-05 09:00:00,NULL,60,10,20,447700900001\n", (), "447700900001", (60, 10, 20),
    ),
    "digits": ("imsi|begin_time|dur|ul|dl\n001010000000009|20260105090000|60|10|20\n", (), "001010000000009",
               (60, 10, 20)),
    "end-alone": ("imsi\tend\tduration\tul\tdl\n001010000000009\t1767603660\t60\t10\t20\n", (), "001010000000009",
                  (60, 10, 20)),
    "thousands": ('imsi,start,duration,ul,dl\n001010000000009,1767603600.25,0 days 00:01:00,"1,000","2,000"\n', (),
                  "001010000000009", (60, 1000, 2000)),
    "titles-first": ("Report: usage\nAccount: 1\n\nICCID,IMSI,Session Start,Session End,ul,dl\n8901,001010000000009,"
                     "2026-01-05 09:00:00,2026-01-05 09:01:00,10,20\n", (), "001010000000009", (60, 10, 20)),
    "names-of-ours-in-rows": ("Kunde;Start;ul;dl;s\nup;2026-01-05 09:00:00;10;20;60\n",
                              ("--column", "subscription=Kunde", "--column", "duration=s"), "up", (60, 10, 20)),
    "spreadsheet-days": ("imsi,start,duration,ul,dl\n001010000000009,46027.375,60,10,20\n", (), "001010000000009",
                         (60, 10, 20)),
    "spaces": ("u1 1767603600 60 10 20\n", ("--column", "subscription=1", "--column", "began_at=2", "--column",
               "duration=3", "--column", "uplink=4", "--column", "downlink=5"), "u1", (60, 10, 20)),
    "latin-1": ("Benutzer-Größe,start,duration,ul,dl\nJörg,1767603600,60,10,20\n".encode("latin-1"),
                ("--column", "subscription=Benutzer-Größe"), "Jörg", (60, 10, 20)),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_read(tmp_path: Path, shape: str) -> None:
    text, words, label, (lasted, up, down) = SHAPES[shape]
    result = convert(tmp_path, text, *words)
    assert result.exit_code == 0, result.output
    stop = stop_of(tmp_path)
    assert labels(tmp_path) == [label]
    assert abs(int(events_of(tmp_path)["received_at"][0]) - NINE_US) < 1_000_000
    assert (stop["duration_s"], stop["uplink_octets"], stop["downlink_octets"]) == (lasted, up, down)


NESTED = {
    "imsi": "001010000000009", "start_timestamp": "2026-01-05 09:00:00", "end_timestamp": "2026-01-05 09:01:00",
    "endpoint": {"ip_address": "192.0.2.1", "imei": "1"}, "imei": "3520990017614801",
    "operator": {"mcc": "001", "mnc": "1", "country": {"mcc": "999"}}, "volume": {"tx": 0.5, "rx": 1.5, "total": 2.0},
}  # fmt: skip


@pytest.mark.parametrize(
    "text", [json.dumps(NESTED) + "\n", json.dumps([NESTED], indent=1), json.dumps(NESTED, indent=1)]
)
def test_keys_inside_keys_are_found(tmp_path: Path, text: str) -> None:
    assert convert(tmp_path, text, "--octets", "MB", name="r.json").exit_code == 0
    stop = stop_of(tmp_path)
    assert (stop["uplink_octets"], stop["downlink_octets"], stop["duration_s"]) == (500_000, 1_500_000, 60)
    assert stop["plmn"] == identity.Plmn.parse("00101").number and stop["address"] != 0
    assert identity.imei_text(int(stop["imei"])) == "35209900176148"


def test_what_lost_its_digits_is_said_and_not_taken(tmp_path: Path) -> None:
    result = convert(tmp_path, SHAPES["spreadsheet"][0])
    assert "IMEI is not taken: its numbers lost their last digits in a spreadsheet (3.55E+13)" in result.output
    assert events_of(tmp_path)["imei"].tolist() == [0] * 6
    result = convert(tmp_path, "imsi,start\n2.08201E+14,1767603600\n", name="only.csv")
    assert result.exit_code == 2 and "name nobody" in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [("imsi,start\n1,4/5/2026 9:00\n", "--time day-first or --time month-first"),
     ("A594,2026-01-05 09:00:00,5\n", "say which column is which: --column subscription=1"),
     (b"PK\x03\x04....", "a zip archive"), ("", "is empty"),
     ("imsi,time\n1,09:00:00\n", "holds times of day"),
     ('{"data": [{"imsi": 1}]}', "the records are inside 'data'"), (gzip.compress(b"imsi,start\n", mtime=0), "call it"),
     ("imsi,start\n1,86400\n", "a time before 1990")],
)  # fmt: skip
def test_what_cannot_be_told_is_asked_for(tmp_path: Path, text: str | bytes, said: str) -> None:
    result = convert(tmp_path, text)
    assert result.exit_code == 2 and said in " ".join(result.output.split())


def test_times_may_count_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("origin: 2026-01-05T09:00:00Z\n")
    assert convert(tmp_path, "imsi,start\n001010000000009,60\n", "--mapping", str(tmp_path / "m.yaml")).exit_code == 0
    assert events_of(tmp_path)["received_at"][0] == NINE_US + 60_000_000


SPELLED = (
    "2026-01-05T10:00:00.000+0100", "2026/01/05 09:00", "5 Jan 2026 09:00:00", "05-Jan-2026 09:00",
    "Jan 5, 2026 09:00:00", "Mon Jan 05 09:00:00 2026", "2026.01.05 09:00:00", "05-JAN-26 09.00.00.000000 AM",
    "20260105090000", "202601050900", "1767603600000", "2026-01-05 09:00:00 UTC",
)  # fmt: skip


@pytest.mark.parametrize("spelled", SPELLED)
def test_a_time_is_read_however_it_is_spelled(tmp_path: Path, spelled: str) -> None:
    assert convert(tmp_path, f'imsi,start\n001010000000009,"{spelled}"\n').exit_code == 0
    assert events_of(tmp_path)["received_at"][0] == NINE_US


def test_fields_inside_columns_of_parquet_are_found(tmp_path: Path) -> None:
    rows = [{"imsi": 1010000000009, "ts": datetime(2026, 1, 5, 9, tzinfo=UTC), "where": {"lac": 1, "ci": 2}}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "r.parquet")
    result = CliRunner().invoke(cli, ["convert", str(tmp_path / "r.parquet"), "--into", str(tmp_path / "study")])
    assert "area = where.lac, cell = where.ci" in result.output, result.output
    assert identity.cell_text(int(events_of(tmp_path)["cell"][0])) == "cgi:1-2"


def test_options_are_checked(tmp_path: Path) -> None:
    text = "imsi,start\n1,1767603600\n"
    assert "subscription" in convert(tmp_path, text, "--column", "subscripton=imsi").output
    assert "no such column" in convert(tmp_path, text, "--column", "cell=Zelle").output
    assert "is not a choice" in convert(tmp_path, text, "--octets", "kb").output


def test_rows_that_are_there_twice_count_once(tmp_path: Path) -> None:
    row = "001010000000009,1767603600,60,10\n"
    result = convert(tmp_path, "imsi,start,duration,octets\n" + row + row, "--json")
    said = json.loads(result.stdout.splitlines()[-1])
    assert (said["rows"], said["repeated"], said["events"]) == (2, 1, 3)


def test_names_carry_units() -> None:
    assert usual("Dur. (ms)")[::2] == ("duration", "ms") and usual("Total UL (Bytes)")[::2] == ("uplink", "B")
    assert usual("Volume (MB)")[::2] == ("octets", "MB") and usual("Social Media DL (Bytes)")[0] == ""


def test_a_unit_in_a_name_counts_also_where_the_name_is_not_usual(tmp_path: Path) -> None:
    text = "imsi;start;Volumen (MB);Dauer [ms]\n001010000000009;1767603600;1,5;60000\n"
    result = convert(tmp_path, text, "--column", "octets=Volumen (MB)", "--column", "duration=Dauer [ms]")
    assert "octets = Volumen (MB) in MB, duration = Dauer [ms] in ms" in result.output
    assert (stop_of(tmp_path)["downlink_octets"], stop_of(tmp_path)["duration_s"]) == (1_500_000, 60)
    again = convert(tmp_path, text, "--column", "octets=Volumen (MB)", "--octets", "kB")
    assert "in kB" in again.output and stop_of(tmp_path)["downlink_octets"] == 1500


def test_a_number_is_spoilt_where_digits_are_missing() -> None:
    assert is_spoilt("2.08E+14") and is_spoilt("2E+3") and not is_spoilt("2.08201448079117E+14")
    assert not is_spoilt("208201448079117") and not is_spoilt("8e12345600000012"), "a hash is no number"
    assert is_record(["A1", "2026-01-05 09:00:00"]) and not is_record(["a", "b"]) and not is_record(["imsi", "2026"])


SPOKEN = {
    "用户标识": ("subscription", ""), "开始时间": ("began_at", ""), "小区ID": ("cell", ""), "终端型号": ("model", ""),
    "上行流量(KB)": ("uplink", "kB"), "下行流量（字节）": ("downlink", "B"), "时长(秒)": ("duration", "s"),
    "Abonné": ("subscription", ""), "Date de début": ("began_at", ""), "Durée (s)": ("duration", "s"),
    "Volume montant (Ko)": ("uplink", "kB"), "Volume total (Mo)": ("octets", "MB"), "Modèle": ("model", ""),
    "Teilnehmer-ID": ("subscription", ""), "Beginn": ("began_at", ""), "Dauer (Sek)": ("duration", "s"),
    "Endgerät": ("device", ""), "Datenvolumen (MB)": ("octets", "MB"), "Längengrad": ("longitude", ""),
    "ID de usuario": ("", ""), "id_usuario": ("subscription", ""), "Fecha de inicio": ("began_at", ""),
    "Duración (min)": ("duration", "min"), "Tráfico Bajada (MB)": ("downlink", "MB"), "Tecnología": ("rat", ""),
    "hashed_imsi": ("subscription", ""), "Encrypted IMEI": ("device", ""), "user_hash": ("subscription", ""),
    "MB": ("octets", "MB"), "mccmnc": ("network", ""), "bytes_total": ("octets", "B"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOKEN)
def test_columns_are_known_in_other_languages_and_under_other_names(name: str) -> None:
    assert usual(name)[::2] == SPOKEN[name]


def test_a_file_of_devices_alone_names_its_subscriptions_by_them(tmp_path: Path) -> None:
    text = "date,device_id,tac,bytes_total\n2026-01-05,9f3a,35000000,10\n2026-01-06,77c1,35000000,20\n"
    done = convert(tmp_path, text)
    assert done.exit_code == 0 and labels(tmp_path) == ["9f3a", "77c1"] and "device_id" in done.output
    assert {int(one["imei"]) // 10**6 for one in events_of(tmp_path)} == {35000000}


SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
BOOK_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def workbook(path: Path, *rows: str) -> None:
    with zipfile.ZipFile(path, "w") as file:
        sheets = '<sheet name="June" sheetId="1" r:id="rId7"/><sheet name="July" sheetId="2" r:id="rId8"/>'
        book = f'<workbook xmlns="{SHEET}" xmlns:r="{BOOK_RELATIONS}"><sheets>{sheets}</sheets></workbook>'
        file.writestr("xl/workbook.xml", book)
        target = '<Relationship Id="rId7" Target="worksheets/sheet1.xml"/>'
        file.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{RELATIONS}">{target}</Relationships>')
        texts = "<si><t>user id</t></si><si><r><t>start </t></r><r><t>time</t></r></si><si><t>end time</t></si>"
        file.writestr("xl/sharedStrings.xml", f'<sst xmlns="{SHEET}">{texts}</sst>')
        cells = f'<worksheet xmlns="{SHEET}"><sheetData>{"".join(rows)}</sheetData></worksheet>'
        file.writestr("xl/worksheets/sheet1.xml", cells)


NAMES = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="D1" t="s"><v>2</v></c></row>'


def test_the_first_sheet_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    inline = '<c r="A2" t="inlineStr"><is><t>anna</t></is></c>'
    workbook(tmp_path / "r.xlsx", NAMES, f'<row r="2">{inline}<c r="B2"><v>46027.375</v></c><c r="D2">'
             '<v>46027.416666666664</v></c></row>')  # fmt: skip
    done = CliRunner().invoke(cli, ["convert", str(tmp_path / "r.xlsx"), "--into", str(tmp_path / "study")])
    assert done.exit_code == 0 and "'June' is taken, and 1 more are not" in done.output
    stop = stop_of(tmp_path)
    assert labels(tmp_path) == ["anna"]
    assert stop["duration_s"] == 3600 and stop["received_at"] == NINE_US + 3_600_000_000


@pytest.mark.parametrize("row", ['<row><c t="s"><v>77</v></c></row>', "<row><c></row>", '<row><c r="ZZZ1"/></row>'])
def test_a_spreadsheet_that_is_damaged_is_said_to_be(tmp_path: Path, row: str) -> None:
    workbook(tmp_path / "r.xlsx", NAMES, row)
    done = CliRunner().invoke(cli, ["convert", str(tmp_path / "r.xlsx"), "--into", str(tmp_path / "study")])
    assert done.exit_code == 2 and "save it as CSV" in done.output


def test_units_that_cannot_be_meant_are_asked_for(tmp_path: Path) -> None:
    text = "user,start,duration,volume\na,2026-01-05 09:00,90000000,0.5\nb,2026-01-05 09:00,99000000,2\n"
    said = convert(tmp_path, text).output
    assert "--octets MB" in said and "if they are ms" in said
    said = convert(tmp_path, text.replace("volume", "volume_mb"), "--time", "auto").output
    assert "--octets MB" not in said


def test_a_tac_is_an_area_unless_it_has_eight_digits(tmp_path: Path) -> None:
    text = "imsi,start,tac,cell_id,imei\n001010000000009,1767603600,22849,123,35209900176148\n"
    assert "area = tac" in convert(tmp_path, text).output
    assert "device = tac" in convert(tmp_path, "imsi,start,tac\n001010000000009,1767603600,35209900\n").output
