"""How pages put times and values, and what a spreadsheet is given."""

from __future__ import annotations

import pytest

from simward.control.console.listings import _cell
from simward.control.console.times import exact, machine, micros, relative
from simward.control.console.words import count, number, sentence, shown
from simward.engine.phrases import when

AT = 1_772_374_509_123_456


def test_a_time_is_said_to_the_second_with_its_zone() -> None:
    assert exact(AT) == exact(when(AT)) == "2026-03-01 14:15:09 UTC"
    assert machine(AT) == "2026-03-01T14:15:09.123Z"
    assert micros(when(AT)) == AT


@pytest.mark.parametrize(
    ("apart_s", "said"),
    [(0, "now"), (-59, "59 s ago"), (-60, "1 min ago"), (-3 * 3600 - 59, "3 h ago"), (90_000, "in 1 d")],
)
def test_how_long_ago(apart_s: int, said: str) -> None:
    assert relative(AT + apart_s * 1_000_000, AT) == said


def test_values_in_words() -> None:
    assert number(1_234_567) == "1\u202f234\u202f567"
    assert count(1, "incident") == "1 incident" and count(2, "party", "parties") == "2 parties"
    assert shown(None) == "–" and shown({"imei": "35000000000001", "sv": None}) == "imei 35000000000001"
    assert sentence("it is not there") == "It is not there."


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx"])
def test_what_others_wrote_is_no_formula(text: str) -> None:
    assert _cell(text) == "'" + text
    assert _cell(-1) == -1
