"""`usage` says which services nobody uses, and what one subscription has used."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

import pytest
from calling import CallStory
from click.testing import CliRunner

from simward.cli import cli
from simward.engine import call_records as c
from simward.engine.behaviour.layouts import CENTRE_OFFSET, ONE_BIT, READY, UNUSUAL, UP, Q
from simward.engine.watching.behind import Behind

AWAY = 1_90199


@pytest.fixture
def work(tmp_path: Path) -> Path:
    assert CliRunner().invoke(cli, ["--dir", str(tmp_path / "work"), "init"]).exit_code == 0
    return tmp_path / "work"


def asked(work: Path, story: CallStory, *words: str) -> list[dict[str, Any]]:
    """What the command says of a story, as of its snapshot."""
    Behind(story.fold, story.watch).save(work / "data")
    done = CliRunner().invoke(cli, ["--dir", str(work), "usage", "--json", *words])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_service_that_nobody_used_for_long_can_be_taken_off(work: Path) -> None:
    story = CallStory("sms: none", members=3).starts().writes(member=1).at(20, 6, month=12).stops(9, lasted=60)
    data, voice, sms = asked(work, story, "--unused-for", "30")
    assert (data["use_case"], data["service"], data["said"], data["members"]) == ("meter", "data", "unlimited", 3)
    assert (data["ever"], data["lately"], data["verdict"], data["risk"]) == (1, 1, "used", "")
    assert (voice["said"], voice["ever"], voice["verdict"]) == ("", 0, "unused") and "premium" in voice["risk"]
    assert (sms["said"], sms["ever"], sms["lately"], sms["verdict"]) == ("none", 1, 0, "none")


def test_what_nothing_tells_of_is_not_known(work: Path) -> None:
    story = CallStory().starts().at(20, 6, month=12)
    assert [one["verdict"] for one in asked(work, story, "--unused-for", "30")] == ["unused", *["not known yet"] * 2]
    story.calls(member=1)
    assert [one["verdict"] for one in asked(work, story, "--unused-for", "30")] == ["unused", "used", "not known yet"]


def test_few_users_and_users_where_policy_has_none(work: Path) -> None:
    story = CallStory("voice: none", members=100).writes().at(20, 6, month=12).writes().calls()
    _, voice, sms = asked(work, story, "--unused-for", "30")
    assert voice["verdict"] == "used though none" and (sms["verdict"], sms["lately"]) == ("used by few", 1)


def test_what_one_has_used_today_and_this_month(work: Path) -> None:
    story = CallStory().starts().at(14, 7).stops(300, 100, lasted=3600).calls(c.PREMIUM, 60).writes(network=AWAY)
    story.at(15, 7).calls(c.HOME, 5).told_of(story.record(c.DATA, 0, octets=500, network=AWAY))
    (one,) = asked(work, story, "001010000000001")
    assert one["month"]["uplink_octets"] == 300 and one["day"]["uplink_octets"] == 0 and one["month"]["sessions"] == 1
    assert (one["day"]["voice_s"]["home"], one["day"]["voice_s"]["premium"]) == (5, 0)
    assert one["month"]["voice_s"]["premium"] == 60 and (one["day"]["messages"], one["month"]["messages"]) == (0, 1)
    assert one["month"]["networks"]["90199"] == {"voice_s": 0, "messages": 1, "octets": 1000}
    text = CliRunner().invoke(cli, ["--dir", str(work), "usage", "001010000000001"]).stdout
    assert "calls, premium (s)" in text and "90199: octets" in text


def test_how_well_one_is_known_and_what_is_usual_of_it(work: Path) -> None:
    story = CallStory().starts()
    (new,) = asked(work, story, "001010000000001")
    assert new["behaviour"] == {
        "state": "new", "learnt_days": 0, "settled": None, "evidence_bits": 0.0, "unusual_since": None,
        "benign_until": None, "hours_of_week": 0, "usual": {},
    }  # fmt: skip
    row = story.watch.state.behaviour[0]
    row["state"], row["learnt"], row["settled_day"], row["total"] = READY, 9, 20_740, 20 * ONE_BIT
    row["class"], row["since"], row["taught"], row["presence"][:2] = UNUSUAL, 20_739, 1 << UP, 0b111
    row["centre"][UP], row["scale"][UP] = CENTRE_OFFSET + 12 * Q, Q
    (known,) = asked(work, story, "001010000000001")
    assert known["behaviour"] == {
        "state": "ready", "learnt_days": 9, "settled": "2026-10-14", "evidence_bits": 20.0,
        "unusual_since": "2026-10-13", "benign_until": None, "hours_of_week": 6,
        "usual": {"up": {"low": 1023, "high": 16383}},
    }  # fmt: skip
    text = CliRunner().invoke(cli, ["--dir", str(work), "usage", "001010000000001"]).stdout
    assert "Behaviour: ready, 9 days learnt, traffic in 6 of the week's 168 hours" in text
    assert "Unusual since 2026-10-13, by 20 bits of evidence" in text and "1.0 kB to 16.4 kB" in text


def test_it_says_what_is_missing(work: Path) -> None:
    done = CliRunner().invoke(cli, ["--dir", str(work), "usage"])
    assert done.exit_code == 2 and "no snapshot of the watch yet" in done.output
    asked(work, CallStory())
    done = CliRunner().invoke(cli, ["--dir", str(work), "usage", "001010000009999"])
    assert done.exit_code == 2 and "no subscription in the inventory is 001010000009999" in done.output
    table = CliRunner().invoke(cli, ["--dir", str(work), "usage"]).stdout
    assert table.splitlines()[0].split()[:4] == ["use", "case", "service", "policy"]
