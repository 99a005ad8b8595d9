"""Stories of a policy that is tried on what has happened: whom it would have cut, and what really happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from backtest.trying import DAY, LOCKING, OBSERVED, REFUSING, days, recorded, run, tried
from engine.recording import HOUR, METER, PHONE, Recording
from history.recorded import member
from simward.engine import events as ev
from simward.engine.start import save
from simward.watch.following import Follower


@pytest.fixture(scope="module")
def swapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days; from the seventh on the second subscription's SIM is in a phone. Today's policy only observes."""
    return recorded(tmp_path_factory.mktemp("swapped") / "work", lambda story: days(story, 0, 10, {1: 6}))


def test_a_policy_that_locks_what_was_observed(swapped: Path) -> None:
    people, said, code = tried(swapped, LOCKING)
    assert code == 1
    (one,) = people
    assert (one["imsi"], one["use_case"]) == (member(1)["imsi"], "water-meter")
    assert (one["response"], one["because"]) == ("lock", "device-change/other-model")
    assert one["at"].startswith("2026-11-29T01:00") and one["strongest"] == "lock"
    assert (one["cuts"], one["new"], one["were"]) == (1, 1, 0)
    assert said["cuts"] == {"would_be": 1, "would_be_new": 1, "were": 0, "were_and_would_not_be": 0,
                            "subscriptions": 1, "subscriptions_new": 1}  # fmt: skip
    assert [(day["day"], day["would_be_new"]) for day in said["by_day"]] == [("2026-11-29", 1)]


def test_later_traffic_that_the_cut_would_have_prevented_is_flagged(swapped: Path) -> None:
    """The session that the cut request asked for, and those of three more days: 2,000 octets up and 300 down each."""
    (one,), said, _ = tried(swapped, LOCKING)
    assert one["open_loop"] == {"requests": 3, "sessions": 4, "uplink_octets": 8000, "downlink_octets": 1200,
                                "findings": one["open_loop"]["findings"]}  # fmt: skip
    assert said["open_loop"]["sessions"] == 4 and said["open_loop"]["subscriptions"] == 1


def test_the_policy_that_was_in_force_changes_nothing(swapped: Path) -> None:
    people, said, code = tried(swapped, OBSERVED)
    assert (people, code) == ([], 0) and said["by_day"] == []
    assert all(one["would_be"] == one["were"] for one in said["findings"]) and said["findings"]


def test_since_in_the_middle_begins_with_what_was_bound_then(swapped: Path) -> None:
    """The phone was there two days before: it is still not the bound device, and its next request is refused."""
    (one,), said, _ = tried(swapped, LOCKING, "--since", "2026-12-01")
    assert one["at"].startswith("2026-12-01T01:00") and one["because"] == "device-change/other-model"
    assert said["since"].startswith("2026-12-01") and one["open_loop"]["sessions"] == 2


def test_since_a_time_before_the_newest_event(swapped: Path) -> None:
    _, said, _ = tried(swapped, LOCKING, "--since", "2d")
    _, whole, _ = tried(swapped, LOCKING, "--since", "2020-01-01")
    assert said["since"].startswith("2026-12-01T") and whole["since"].startswith("2026-11-23T00:00")
    assert said["events"] < whole["events"] == 120


def test_it_begins_with_a_snapshot_where_one_is_old_enough(swapped: Path, tmp_path: Path) -> None:
    def story(recording: Recording) -> None:
        days(recording, 0, 7, {1: 6})
        save(recording.fold, tmp_path / "work" / "data")
        days(recording, 7, 3, {1: 6})

    again = recorded(tmp_path / "work", story)
    for since in ("2026-12-01", "2026-11-24"):
        assert run(again, LOCKING, "--json", "--since", since).stdout == run(
            swapped, LOCKING, "--json", "--since", since
        ).stdout


def test_what_was_really_locked_and_would_not_be(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "work", lambda story: days(story, 0, 4, {1: 2}), LOCKING)
    people, said, code = tried(folder, OBSERVED)
    assert (people, code) == ([], 0)
    assert said["cuts"]["were"] == said["cuts"]["were_and_would_not_be"] == 1
    (day,) = said["by_day"]
    assert (day["response"], day["because"], day["were"]) == ("lock", "device-change/other-model", 1)


def test_a_milder_cut_of_the_same_is_not_new(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "work", lambda story: days(story, 0, 4, {1: 2}), LOCKING)
    (one,), said, code = tried(folder, REFUSING)
    assert (one["response"], one["new"], one["were"], code) == ("refuse", 0, 1, 0)
    assert said["open_loop"]["sessions"] == 0  # whatever got through, it got through the lock as well


def test_a_refused_subscription_is_let_in_with_its_own_device(tmp_path: Path) -> None:
    """A, B, A, B: two cuts, and the second begins when the phone is back."""

    def story(recording: Recording) -> None:
        for number, device in enumerate((METER, PHONE, METER, PHONE)):
            recording.session(f"S{number}", imei=device).after(HOUR)

    (one,), said, _ = tried(recorded(tmp_path / "work", story), REFUSING)
    assert (one["cuts"], one["new"]) == (2, 2) and said["cuts"]["would_be"] == 2
    assert one["cut_s"] == HOUR + 60 + 60  # an hour and a minute until the meter asks again, a minute until the end


def test_limits_say_what_they_would_have_held(tmp_path: Path) -> None:
    """Three are swapped within the hour, and one lock an hour is allowed."""

    def story(recording: Recording) -> None:
        days(recording, 0, 1)
        for number in (1, 2, 3):
            recording.after(60).asks(imsi=member(number)["imsi"], imei=PHONE + number)

    policy = LOCKING.replace("segment: metering\nb", "segment: metering\nlimits: {lock: {per_hour: 1}}\nb")
    people, said, _ = tried(recorded(tmp_path / "work", story), policy)
    assert [(one["imsi"], one["response"]) for one in people] == [(member(1)["imsi"], "lock")]
    (limit,) = said["limits"]
    assert (limit["action"], limit["per_hour"], limit["cuts_in_it"]) == ("lock", 1, 1)
    assert limit["held"]["per_hour"]["times"] == 2
    assert limit["held"]["per_hour"]["first"] < limit["held"]["per_hour"]["last"]


def test_never_cut_is_told_as_what_held(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "work", lambda story: days(story, 0, 4, {1: 2}))
    policy = LOCKING.replace("segment: metering\nb", "segment: metering\ncriticality: never-cut\nb")
    people, said, code = tried(folder, policy)
    assert (people, code) == ([], 0)
    assert "never-cut" in said["limits"][0]["held"]


def test_a_release_is_done_whatever_the_generation_is_there(tmp_path: Path) -> None:
    """A person locked and released; in the world that would be, the same person does the same."""

    def story(recording: Recording) -> None:
        days(recording, 0, 1)
        recording.command(ev.COMMAND_LOCK, "stolen")
        recording.after(HOUR).asks()
        recording.command(ev.COMMAND_RELEASE, "found")
        days(recording, 1, 2)

    binding_by_model = OBSERVED.replace("mode: first-use", "mode: none")
    (one,), _, code = tried(recorded(tmp_path / "work", story), binding_by_model)
    assert (one["because"], one["cuts"], one["new"], one["were"], code) == ("person", 1, 0, 1, 0)
    assert one["cut_s"] == HOUR


def test_a_subscription_that_was_removed_is_cut_no_longer(tmp_path: Path) -> None:
    def story(recording: Recording) -> None:
        days(recording, 0, 3, {1: 2})
        recording.remove(member(1)["imsi"])
        recording.declare(**member(5))
        days(recording, 3, 1, members=1)
        recording.session("S", imsi=member(5)["imsi"], imei=METER + 5)

    people, _, _ = tried(recorded(tmp_path / "work", story), LOCKING)
    assert [(one["imsi"], one["cut_s"]) for one in people] == [(member(1)["imsi"], DAY - HOUR)]


def test_rows_of_another_kernel_are_facts(tmp_path: Path) -> None:
    """What another version bound stays bound; from then on today's kernel judges."""

    def story(recording: Recording) -> None:
        recording.fold.kernel = "f" * 32
        recording.journal.register_kernel(recording.fold.kernel, recording.fold.manifest())
        days(recording, 0, 5, {1: 2})

    (one,), said, _ = tried(recorded(tmp_path / "work", story), LOCKING, "--since", "2026-11-26")
    assert one["at"].startswith("2026-11-26T01:00") and one["because"] == "device-change/other-model"
    assert all(one["would_be"] or one["were"] for one in said["findings"])


RULE = """\
---
rule: thieves
on: device-change/other-model
if: finding.severity == "high" && use_case.name == "water-meter" && !subscription.locked
do: [{lock: {}}, {open-incident: {severity: high}, after: 12h, unless: ended}]
"""
NOTIFIED = OBSERVED.replace("{default: observe}", "{default: observe, device-change: notify}")


def test_a_proposed_rule_says_what_it_would_do(swapped: Path) -> None:
    """It is in dry-run, which is no reason not to say what it would do; nobody is cut by it."""
    people, said, code = tried(swapped, NOTIFIED + RULE)
    assert (people, code) == ([], 0)
    told = [(one["action"], one["state"], one["times"], one["subscriptions"]) for one in said["proposed_rules"]]
    assert told == [("lock", "done", 1, 1), ("open-incident", "done", 1, 1)]
    lock, opened = said["proposed_rules"]
    assert (lock["rule"], lock["mode"], lock["busiest_day"]) == ("thieves", "dry-run", 1)
    assert lock["first"].startswith("2026-11-29T01:00") and opened["first"].startswith("2026-11-29T13:00")
    assert "thieves" in run(swapped, NOTIFIED + RULE).stdout


def test_a_proposed_rule_that_nothing_triggers_says_nothing(swapped: Path) -> None:
    _, said, _ = tried(swapped, NOTIFIED + RULE.replace('"high" &&', '"critical" &&'))
    assert said["proposed_rules"] == []


def test_a_proposed_rule_knows_who_was_locked_before(tmp_path: Path) -> None:
    """Locked by a person long before `since`: the rule's condition says that such a one is left alone."""
    def tell(story: Recording) -> None:
        days(story, 0, 3)
        story.command(ev.COMMAND_LOCK, "lost", iccid=member(0)["iccid"])
        days(story, 3, 2, {0: 0, 2: 0})

    work = recorded(tmp_path / "work", tell)
    _, said, _ = tried(work, NOTIFIED + RULE, "--since", "47h")
    assert [(one["action"], one["subscriptions"]) for one in said["proposed_rules"]] == [
        ("lock", 1), ("open-incident", 1),
    ]  # fmt: skip


NO_DATA = OBSERVED.replace("networks:", "services: {data: none}\nnetworks:")
RULE_OF_SERVICES = """\
---
rule: no-data-here
on: service-not-permitted/data
do: [{quarantine: {}}]
"""


def test_what_the_watch_would_find_is_found(tmp_path: Path) -> None:
    """A service that the proposed policy takes away was used, and a rule would have acted; nobody is cut by it."""
    work = recorded(tmp_path / "work", lambda story: days(story, 0, 3, members=2))
    people, said, code = tried(work, NO_DATA + RULE_OF_SERVICES)
    assert (people, code) == ([], 0)
    (found,) = [one for one in said["findings"] if one["finding"].startswith("service-not-permitted")]
    assert (found["finding"], found["use_case"], found["were"]) == ("service-not-permitted/data", "water-meter", 0)
    assert found["would_be"] >= 2
    (acted,) = said["proposed_rules"]
    assert (acted["rule"], acted["action"], acted["subscriptions"]) == ("no-data-here", "quarantine", 2)


def test_what_the_watch_really_found_stands_beside_it(tmp_path: Path) -> None:
    """The watch ran under a policy that has no data service; under the proposed one there is nothing to find."""
    work = recorded(tmp_path / "work", lambda story: days(story, 0, 3, members=2), NO_DATA, archive=False)
    follower = Follower(work / "data")
    follower.catch_up()
    follower.close()
    _, said, _ = tried(work, OBSERVED)
    assert not said["watch"] and not [one for one in said["findings"] if one["finding"].startswith("service")]
    _, said, _ = tried(work, OBSERVED, "--watch")
    (found,) = [one for one in said["findings"] if one["finding"].startswith("service-not-permitted")]
    assert (found["finding"], found["would_be"]) == ("service-not-permitted/data", 0) and found["were"] >= 2
