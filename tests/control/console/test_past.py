"""The past of a subscription as pictures: sessions, absences as gaps, what it used when, what detectors say."""

from __future__ import annotations

from typing import Any

from simward.control.console.acts import preview
from simward.control.console.detector_words import meaning, words_of
from simward.control.console.past import DAY_US, PAST_US, past
from simward.control.console.words import shown
from simward.engine.phrases import when

NOW = 1_790_000_000_000_000
HOUR_US = 3_600_000_000


def session(began: int, lasts: int, **more: Any) -> dict[str, Any]:
    return {
        "at": when(began), "what": "session", "text": "Session.", "from": when(began), "until": when(began + lasts),
        "last_heard": when(began + lasts), "uplink_octets": 1000, "downlink_octets": 3000, "device": "35000001000001",
        "software": "01", "cell": "ecgi:1", **more,
    }  # fmt: skip


def absence(began: int, lasts: int, *changes: dict[str, str]) -> dict[str, Any]:
    away = lasts // 1_000_000
    return {"at": when(began), "what": "absence", "text": "Away.", "away_s": away, "changes": list(changes)}


def test_sessions_and_gaps_lie_where_they_were() -> None:
    begin = NOW - 10 * DAY_US
    moved = {"fact": "cell", "was": "ecgi:1", "now": "ecgi:2"}
    chapters = [
        session(begin, DAY_US), absence(begin + DAY_US, DAY_US), session(begin + 2 * DAY_US, DAY_US),
        absence(begin + 3 * DAY_US, 2 * DAY_US, moved), session(begin + 5 * DAY_US, HOUR_US, cell="ecgi:2"),
    ]  # fmt: skip
    made = past(chapters, NOW)
    assert [(one.left, one.width) for one in made.sessions[:2]] == [(0, 100), (200, 100)]
    assert [(one.left, one.width, one.tone) for one in made.gaps] == [(100, 100, ""), (300, 200, "changed")]
    assert made.quiet_absences == 1 and made.absences == [chapters[3]] and made.count == 3
    assert [one["cell"] for one in made.places] == ["ecgi:2", "ecgi:1"] and made.devices[0]["sessions"] == 3


def test_what_a_session_used_is_spread_over_it() -> None:
    begin = (NOW - 20 * DAY_US) // DAY_US * DAY_US
    made = past([session(begin + DAY_US // 2, DAY_US)], NOW)
    down = next(one for one in made.usage["series"] if one["label"] == "down")
    assert sum(down["values"]) == 3000 == made.downlink and made.uplink == 1000
    assert down["values"][:2] == [0, 1500] or down["values"][:2] == [1500, 1500]


def test_a_bar_says_for_how_long_it_stands() -> None:
    """Where there is one alone, nothing else would: the chart showed years around it."""
    made = past([session(NOW - HOUR_US // 4, HOUR_US // 8)], NOW)
    assert made.usage["step"] * len(made.usage["times"]) <= 2 * 3600
    later = past([session(NOW - 20 * DAY_US, DAY_US)], NOW).usage
    assert {b - a for a, b in zip(later["times"], later["times"][1:], strict=False)} == {later["step"]}


def test_only_a_month_is_shown() -> None:
    made = past([session(NOW - PAST_US - DAY_US, HOUR_US), session(NOW - DAY_US, HOUR_US)], NOW)
    assert made.count == 1 and made.begin == NOW - PAST_US


def test_one_that_was_never_heard_has_no_past() -> None:
    made = past([{"at": when(NOW), "what": "declared", "text": "Declared."}], NOW)
    assert made.count == 0 and made.usage == {}


def test_detectors_say_what_to_do() -> None:
    assert meaning("device-change/other-model") == "The SIM is in a device that it does not belong in."
    words = words_of("device-change")
    assert words.of("same-model").startswith("another device with the same TAC") and "work order" in words.what_to_do
    assert meaning("no-such-detector") == "" == meaning("../../etc/passwd")


def test_a_time_in_evidence_is_said_as_a_time() -> None:
    assert shown("2026-03-01T14:15:09.000000Z") == "2026-03-01 14:15:09 UTC"


class Row:
    """A subscription as far as a preview looks at it."""

    locked_at, confined, device = None, False, "35000001000001 software 01"


def test_a_preview_says_what_will_happen() -> None:
    assert preview("lock", Row, ["S1"], None)[1] == (
        "1 live session ended: the gateway is sent a Disconnect-Request for S1."
    )
    assert preview("lock", Row, [], None)[1] == "It has no live session now."
    assert preview("release", Row, None, None) == ["It is neither locked nor in quarantine: nothing changes."]
    told = preview("disconnect", Row, None, {"parties": [{"party": "dm"}]})
    assert told[-1] == "Told of it: dm."
