"""Whatever octets come as a file of call detail records, lines are taken or told why not, and nothing else happens."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inputs.test_record_import import CALL, CSV, HEADER
from simward.errors import UsageError
from simward.inputs.record_files import RecordFile
from simward.wire.cdr.template import Template

FIELDS = st.sampled_from(
    [*CALL.split(";"), "", '"', '""', '"a', 'b"', "-1", "1e9", "9" * 30, "\u0660\u0661", "\x00", " ", "\r", "\ufeff"]
)
LINES = st.one_of(
    st.lists(FIELDS, min_size=8, max_size=11).map(";".join), st.just(CALL), st.text(max_size=60), st.just(""),
)  # fmt: skip
quickly = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path: Path, template: Template) -> tuple[int, int]:
    """How many records and rejected lines there are."""
    taken = rejected = 0
    for batch in RecordFile(path, template, 0, 1 << 62).batches():
        assert len(batch.records) == 0 or (batch.records["record_id"] != 0).all()
        taken, rejected = taken + len(batch.records) + batch.ignored, rejected + len(batch.rejected)
    return taken, rejected


@quickly
@given(lines=st.lists(LINES, max_size=12))
def test_every_line_of_csv_is_taken_or_rejected(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "x.csv"
    text = "\n".join([HEADER, *lines])
    path.write_bytes(text.encode("utf-8", "replace"))
    expected = sum(bool(line.strip()) for line in path.read_bytes().split(b"\n")[1:])
    assert sum(read(path, CSV)) == expected


@quickly
@given(lines=st.lists(LINES, max_size=12))
def test_a_good_line_is_taken_whatever_stands_around_it(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "x.csv"
    lines.insert(len(lines) // 2, CALL)
    path.write_bytes("\n".join([HEADER, *lines]).encode("utf-8", "replace"))
    assert read(path, CSV)[0] >= 1


@quickly
@given(octets=st.binary(max_size=300))
@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.csv.gz", "x.jsonl.zst"])
def test_octets_of_any_kind(tmp_path: Path, name: str, octets: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(octets)
    template = Template.named("platform-json") if "jsonl" in name else CSV
    try:
        read(path, template)
    except UsageError:
        pass
