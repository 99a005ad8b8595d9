"""What a silence is told with, in words: the last word, and the hours of a habit."""

from __future__ import annotations

from simward.engine.chapters import finding_sentence
from simward.engine.events import ACCESS_REQUEST, ACCOUNTING_INTERIM, ACCOUNTING_STOP
from simward.engine.last_words import hours_text, last_word, last_word_sentence
from simward.engine.watching.cadence import TERMINATE_CAUSES
from simward.engine.watching.cadence_layouts import WEEKDAYS_SHIFT, WORD_MOVED, WORD_OTHER_MODEL

LOST_CARRIER = 2


def test_tells_how_the_last_session_ended_and_what_was_otherwise() -> None:
    told = last_word(ACCOUNTING_STOP + WORD_MOVED + WORD_OTHER_MODEL + TERMINATE_CAUSES * LOST_CARRIER)
    assert told == {"what": "accounting-stop", "terminate_cause": "lost carrier", "changed": ["device", "cell"]}
    said = last_word_sentence(told)
    assert said.startswith("its last word was the end of its session (lost carrier); on that day ")
    assert said.endswith("another device, cell than before")


def test_tells_a_request_and_a_session_that_has_no_end() -> None:
    assert last_word(ACCESS_REQUEST) == {"what": "access-request", "terminate_cause": None, "changed": []}
    interim = last_word(ACCOUNTING_INTERIM)
    assert interim is not None and "goes on" in last_word_sentence(interim)
    assert last_word(0) is None


def test_stands_in_the_sentence_of_a_finding() -> None:
    finding = {
        "detector": "silent", "class": "cadence", "severity": "medium", "was": "2026-01-10T07:17:00.000000Z",
        "now": None, "expected": None, "segment": None, "projection": None, "response": "observe", "held": None,
        "wanted": "observe", "at": "x", "ended_at": None, "id": "w0/1/0", "last_word": last_word(ACCESS_REQUEST),
    }  # fmt: skip
    assert "; its last word was a request to connect. Response: observe" in finding_sentence(finding)


def test_tells_hours_and_days() -> None:
    assert hours_text(1 << 2 | 1 << 3 | 1 << 23) == "02-04, 23-24"
    assert hours_text(1 << 4 | 31 << WEEKDAYS_SHIFT) == "04-05 on mon-fri"
    assert hours_text(1 << 4 | 127 << WEEKDAYS_SHIFT) == "04-05"
    assert hours_text(64 << WEEKDAYS_SHIFT) == "any hour on sun"
