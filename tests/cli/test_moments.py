"""Times as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from simward.commands.moments import parse_moment
from simward.engine.phrases import when

NOW = 1_795_442_700_000_000  # 2026-11-23T14:05:00Z


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-23T14:05:00Z", "2026-11-23T14:05:00.000000Z"),
        ("2026-11-23T15:05:00+01:00", "2026-11-23T14:05:00.000000Z"),
        ("2026-11-23T14:05:00", "2026-11-23T14:05:00.000000Z"),
        ("2026-11-23 14:05", "2026-11-23T14:05:00.000000Z"),
        ("2026-11-23 14:05 UTC", "2026-11-23T14:05:00.000000Z"),
        ("2026-11-23t14:05:00.000007z", "2026-11-23T14:05:00.000007Z"),
        ("2026-11-23", "2026-11-23T00:00:00.000000Z"),
        ("20261123", "2026-11-23T00:00:00.000000Z"),
        ("today", "2026-11-23T00:00:00.000000Z"),
        ("yesterday", "2026-11-22T00:00:00.000000Z"),
        ("now", "2026-11-23T14:05:00.000000Z"),
        ("2h", "2026-11-23T12:05:00.000000Z"),
        ("15m ago", "2026-11-23T13:50:00.000000Z"),
        ("1d12h", "2026-11-22T02:05:00.000000Z"),
        ("2 weeks ago", "2026-11-09T14:05:00.000000Z"),
        ("1.5 hours", "2026-11-23T12:35:00.000000Z"),
        ("1795442700", "2026-11-23T14:05:00.000000Z"),
        ("1795442700.25", "2026-11-23T14:05:00.250000Z"),
        ("1795442700250", "2026-11-23T14:05:00.250000Z"),
        ("1795442700250001", "2026-11-23T14:05:00.250001Z"),
    ],
)
def test_reads(text: str, meant: str) -> None:
    assert when(parse_moment(text, NOW)) == meant


@pytest.mark.parametrize(
    "text",
    ["", "soon", "14:05", "2h3", "2 fortnights", "2026-13-01", "-2h", "1h tomorrow", "5", "0", "1.5"],
)
def test_says_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time: write 2026"):
        parse_moment(text, NOW)


@given(some.integers(0, 4_000_000_000_000_000))
def test_reads_what_it_prints(at: int) -> None:
    assert parse_moment(when(at), NOW) == at
