"""One subscription's story: what is told, in which order, and what is left out because it says nothing new."""

from __future__ import annotations

from typing import Any

import pytest

from engine.recording import HOUR, ICCID, IMSI, METER, METERS, MINUTE, MSISDN, OTHER_ICCID, OTHER_IMSI, PHONE, Recording
from simward.engine import events as ev
from simward.engine.standing import now_sentences
from simward.engine.story import read_story
from simward.errors import IdentityError


def told(recording: Recording, who: str = IMSI, everything: bool = False) -> dict[str, Any]:
    return read_story(recording.journal, who).told(everything)


def chapters(recording: Recording, what: str, **more: Any) -> list[dict[str, Any]]:
    return [one for one in told(recording, **more)["chapters"] if one["what"] == what]


@pytest.fixture
def meter() -> Recording:
    """A declared meter that has been bound by its first session, beside another one."""
    recording = Recording().declare().declare(OTHER_IMSI, OTHER_ICCID, "+4740000002")
    return recording.after(10).session("A1", address="10.64.0.1")


def test_tells_what_was_declared_bound_and_given(meter: Recording) -> None:
    story = told(meter)
    assert [one["what"] for one in story["chapters"]] == ["declared", "address", "bound", "session"]
    assert "water-meter" in story["chapters"][0]["text"] and "segment metering" in story["chapters"][0]["text"]
    assert "first use" in story["chapters"][2]["text"]
    assert story["subscription"]["binding"] == "first-use"
    assert story["now"]["bound_device"].startswith(str(METER))


def test_a_session_is_told_with_place_octets_and_end(meter: Recording) -> None:
    (session,) = chapters(meter, "session")
    assert session["from"] == "2026-11-23T00:00:10.000000Z"
    assert session["until"] == "2026-11-23T00:01:10.000000Z"
    assert session["ended"] == "Stop (user request)"
    assert (session["rat"], session["network"], session["cell"]) == ("nb-iot", "00101", "ecgi:1001")
    assert "2.0 kB up, 300 B down" in session["text"]


@pytest.mark.parametrize("who", [IMSI, ICCID, MSISDN, "001-01-0000000001", MSISDN[1:]])
def test_is_found_by_any_of_its_identities(meter: Recording, who: str) -> None:
    assert told(meter, who)["subscription"]["iccid"] == ICCID


def test_no_number_is_told_where_none_is_declared() -> None:
    recording = Recording().declare(msisdn="")
    assert told(recording)["subscription"]["msisdn"] is None


def test_another_subscription_has_another_story(meter: Recording) -> None:
    assert [one["what"] for one in told(meter, OTHER_IMSI)["chapters"]] == ["declared"]
    assert not read_story(meter.journal, "001010000099999").known
    with pytest.raises(IdentityError):
        read_story(meter.journal, "not a number")


def test_an_absence_says_what_changed_across_it(meter: Recording) -> None:
    meter.after(9 * HOUR).session("A2", address="10.64.0.1", cell="ecgi:2002", software=2)
    (absence,) = chapters(meter, "absence")
    assert absence["away_s"] == 9 * HOUR
    assert "Away 9 h" in absence["text"]
    assert {"fact": "cell", "was": "ecgi:1001", "now": "ecgi:2002"} in absence["changes"]
    assert {"fact": "software", "was": "01", "now": "02"} in absence["changes"]


def test_what_the_first_session_adds_belongs_to_the_absence(meter: Recording) -> None:
    meter.after(9 * HOUR).asks(cell="ecgi:2002")
    meter.after(1).event(ev.ACCOUNTING_START, "A2", address="10.64.0.2", cell="ecgi:2002")
    (absence,) = chapters(meter, "absence")
    assert "cell ecgi:1001 → ecgi:2002, address 10.64.0.1 → 10.64.0.2." in absence["text"]
    assert {"fact": "address", "was": "10.64.0.1", "now": "10.64.0.2"} in absence["changes"]
    assert absence["away_s"] == 9 * HOUR and not chapters(meter, "change")


def test_boundary_what_changes_a_minute_after_an_absence_is_told_by_itself(meter: Recording) -> None:
    for seconds, told_alone in ((60, 0), (61, 1)):
        meter.after(9 * HOUR).asks()
        meter.after(seconds / 2).asks()
        meter.after(seconds / 2).event(ev.ACCOUNTING_START, f"A{seconds}", address=f"10.64.0.{seconds}")
        meter.after(1).event(ev.ACCOUNTING_STOP, f"A{seconds}")
        assert len(chapters(meter, "change")) == told_alone


def test_quiet_days_are_told_as_one(meter: Recording) -> None:
    for day in range(5):
        meter.after(24 * HOUR).session(f"B{day}", address="10.64.0.1")
    (run,) = chapters(meter, "sessions")
    assert run["sessions"] == 5
    assert "5 sessions like it" in run["text"] and "away 1 d" in run["text"]
    assert len(chapters(meter, "session", everything=True)) == 6


def test_a_short_pause_is_no_absence(meter: Recording) -> None:
    meter.after(59).session("A2", address="10.64.0.1")
    assert not chapters(meter, "absence", everything=True)
    meter.after(60).session("A3", address="10.64.0.1")
    assert len(chapters(meter, "absence", everything=True)) == 1


def test_a_session_that_followed_takes_the_place_of_the_request(meter: Recording) -> None:
    assert not chapters(meter, "allowed")
    meter.after(HOUR).asks()
    (allowed,) = chapters(meter, "allowed")
    assert "no session was reported" in allowed["text"]


def test_a_moved_sim_from_finding_to_release(meter: Recording) -> None:
    meter.asks()
    meter.event(ev.ACCOUNTING_START, "A2", address="10.64.0.1")
    meter.after(MINUTE).asks(imei=PHONE, software=5)
    (effect,) = meter.fold.pending_effects()
    result = meter.fold.effect_result(effect, ev.EFFECT_NAK, 503, meter.now)
    said = {name: result[name][0] for name in ("imsi", "cause", "argument", "subject", "request", "gateway")}
    meter.event(ev.EFFECT_RESULT, "A2", **said)
    before = told(meter)
    assert before["now"]["locked"]["because"] == "device-change/other-model"
    assert before["could"] == [f"simward release {ICCID} --because TEXT"]
    assert not before["now"]["live_sessions"], "the gateway says that it knows no such session"
    ended = chapters(meter, "session", everything=True)[-1]["text"]
    assert "no longer knew it" in ended and "disconnected by Simward" not in ended
    whats = [one["what"] for one in before["chapters"]]
    assert whats.index("finding") < whats.index("refused") < whats.index("locked") < whats.index("disconnect")
    (disconnect,) = chapters(meter, "disconnect")
    assert disconnect["proof"] == "nak" and "session context not found (503)" in disconnect["text"]
    (finding,) = chapters(meter, "finding")
    assert finding["finding"]["was"] == str(METER) and finding["finding"]["now"] == str(PHONE)

    meter.after(HOUR).command(ev.COMMAND_RELEASE, "found in the workshop")
    (released,) = chapters(meter, "released")
    assert "ada" in released["text"] and "found in the workshop" in released["text"]
    assert told(meter)["now"]["locked"] is None


RETURNING = METERS.replace("release_when: never", "release_when: bound-device-returns")


def test_a_lock_that_ends_by_the_devices_return_says_so() -> None:
    recording = Recording(RETURNING).declare().after(10).session("A1")
    recording.after(HOUR).asks(imei=PHONE)
    (lock,) = chapters(recording, "locked")
    assert lock["text"].startswith("Locked until the bound device returns or somebody releases it: device-change/")
    story = told(recording)
    assert story["now"]["locked"]["release_when"] == "bound-device-returns"
    assert any("until the bound device returns or somebody" in one for one in now_sentences(story))
    recording.revise(METERS)
    story = told(recording)
    assert story["now"]["locked"]["release_when"] is None, "the policy in force counts, not that of then"
    assert any("until it is released" in one for one in now_sentences(story))


def test_a_lock_by_a_person_does_not_end_by_itself() -> None:
    recording = Recording(RETURNING).declare().after(10).session("A1")
    recording.command(ev.COMMAND_LOCK, "stolen")
    assert "Locked until it is released" in chapters(recording, "locked")[0]["text"]
    assert told(recording)["now"]["locked"]["release_when"] is None


def test_a_lock_by_a_person_says_who_and_why(meter: Recording) -> None:
    meter.command(ev.COMMAND_LOCK, "stolen, says the site")
    (lock,) = chapters(meter, "locked")
    assert "ada" in lock["text"] and "stolen, says the site" in lock["text"]
    assert any(sentence.startswith("Locked since") for sentence in now_sentences(told(meter)))


def test_repeated_refusals_are_told_once(meter: Recording) -> None:
    meter.command(ev.COMMAND_LOCK, "stolen")
    for _ in range(4):
        meter.after(30).asks()
    (refused,) = chapters(meter, "refused")
    assert refused["times"] == 4 and refused["because"] == "subscription-locked/locked"


def test_a_gateway_restart_ends_its_sessions(meter: Recording) -> None:
    meter.asks()
    meter.event(ev.ACCOUNTING_START, "A2", address="10.64.0.1")
    meter.after(HOUR).event(ev.ACCOUNTING_ON, gateway="pgw2")
    assert told(meter)["now"]["live_sessions"] == ["A2"]
    meter.after(HOUR).event(ev.ACCOUNTING_ON, gateway="pgw1")
    assert told(meter)["now"]["live_sessions"] == []
    assert "gateway restarted" in chapters(meter, "session", everything=True)[-1]["text"]


def test_a_lost_stop_is_not_taken_for_a_live_session(meter: Recording) -> None:
    meter.after(HOUR).event(ev.ACCOUNTING_START, "A2", address="10.64.0.1")
    assert told(meter)["now"]["live_sessions"] == ["A2"]
    meter.after(HOUR).event(ev.ACCOUNTING_START, "A3", address="10.64.0.1")
    story = told(meter)
    assert (story["now"]["live_sessions"], story["now"]["probably_over"]) == (["A3"], ["A2"])
    assert "no end of session A2 was reported" in chapters(meter, "absence", everything=True)[-1]["text"]


def test_a_release_that_rebinds_lets_the_next_device_be_the_bound_one(meter: Recording) -> None:
    meter.after(HOUR).command(ev.COMMAND_RELEASE, "new meter", flags=ev.FLAG_REBIND)
    (unbound,) = chapters(meter, "unbound")
    assert "asked by ada: new meter" in unbound["text"] and unbound["was"] == str(METER)
    assert unbound["how"] == "person" and "The next device" in unbound["text"]
    assert told(meter)["now"]["bound_device"] is None
    meter.after(HOUR).session("A2", imei=PHONE, address="10.64.0.1")
    assert told(meter)["now"]["bound_device"].startswith(str(PHONE))


def test_a_removal_is_not_told_as_the_deed_of_a_person(meter: Recording) -> None:
    meter.asks()
    meter.event(ev.ACCOUNTING_START, "A2", address="10.64.0.1")
    meter.after(MINUTE).command(ev.COMMAND_LOCK, "stolen")
    meter.after(MINUTE).command(ev.COMMAND_RELEASE, "found")
    meter.after(MINUTE).event(ev.ACCOUNTING_START, "A3", address="10.64.0.1")
    meter.after(HOUR).remove()
    (unbound,) = chapters(meter, "unbound")
    assert unbound["text"] == f"No longer bound to device {METER}, since it was removed from the inventory."
    assert unbound["how"] == "removed"
    (cut,) = (one for one in chapters(meter, "disconnect") if one["session_id"] == "A3")
    assert "since it was removed from the inventory" in cut["text"]
    assert "asked by" not in unbound["text"] + cut["text"]


def test_a_removal_takes_the_lock_and_the_address_with_it(meter: Recording) -> None:
    meter.after(MINUTE).command(ev.COMMAND_LOCK, "stolen")
    now = told(meter.after(HOUR).remove())["now"]
    assert (now["locked"], now["address"], now["bound_device"], now["declared"]) == (None, None, None, False)
    assert not told(meter.declare())["now"]["locked"]


def test_events_without_an_imsi_are_found_by_user_name(meter: Recording) -> None:
    meter.after(HOUR).session("A2", imsi=0, user=IMSI, address="10.64.0.1")
    meter.after(HOUR).session("A3", imsi=0, msisdn=MSISDN, address="10.64.0.1")
    assert [one["session_id"] for one in chapters(meter, "session", everything=True)] == ["A1", "A2", "A3"]


def test_a_stranger_has_a_story_too() -> None:
    recording = Recording().after(1)
    recording.asks()
    story = told(recording)
    assert [one["what"] for one in story["chapters"]] == ["finding", "refused"]
    assert "inventory.csv" in story["could"][0]


def test_a_finding_of_a_segment_names_it() -> None:
    recording = Recording(METERS.replace("10.64.0.0/12", "10.64.0.0/32"))
    recording.declare().declare(OTHER_IMSI, OTHER_ICCID, "+4740000002").after(1).asks(imsi=OTHER_IMSI)
    recording.after(1).asks()
    assert "address-pool-exhausted/exhausted of segment metering (high)" in chapters(recording, "finding")[0]["text"]


def test_a_changed_declaration_is_told(meter: Recording) -> None:
    meter.after(HOUR).declare(state=2)
    assert "suspended" in chapters(meter, "declared")[-1]["text"]
    assert any("inventory.csv" in one for one in told(meter)["could"])


def test_a_record_that_was_overtaken_by_its_stop_is_no_session_of_its_own(meter: Recording) -> None:
    overtaken = meter.now - 30_000_000
    meter.event(ev.ACCOUNTING_INTERIM, "A1", duration_s=30, happened_at=overtaken)
    assert len(chapters(meter, "session")) == 1
    assert told(meter)["now"]["probably_over"] == []
