"""Sessions: what opens, follows and ends them, in whatever order records come."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

import pytest
from story import IMSI, METER, PHONE, POLICY, Story

from simward.engine import events as e
from simward.engine.events import FLAG_TIMESTAMP


def test_a_late_interim_is_recorded_once_and_opens_nothing() -> None:
    """Reordered on the way: it was never recorded, so it is; sent again, it is not."""
    story = Story().starts("s").reports("s", duration_s=60).stops("s", duration_s=120)
    assert story.reports("s", duration_s=90).kept
    assert int(story.row().session_count) == 0
    assert not story.reports("s", duration_s=90).kept
    assert not story.reports("s", duration_s=60).kept, "it came before the Stop already"


def test_a_late_start_is_recorded_once_and_opens_nothing() -> None:
    story = Story().stops("s")
    assert story.starts("s").kept
    assert not story.starts("s").kept
    assert int(story.row().session_count) == 0


def test_an_interim_whose_start_was_lost_opens_its_session() -> None:
    story = Story().reports("s", duration_s=60)
    assert int(story.row().session_count) == 1
    assert story.starts("s").kept, "the Start itself is new"
    assert int(story.row().session_count) == 1


def test_interims_without_a_session_time_are_told_by_their_timestamp() -> None:
    story = Story().starts("s").reports("s", flags=FLAG_TIMESTAMP)
    happened = story.now
    assert not story.reports("s", flags=FLAG_TIMESTAMP, happened_at=happened).kept
    assert story.reports("s", flags=FLAG_TIMESTAMP).kept


def test_bearers_of_one_connection_share_an_address() -> None:
    story = Story().starts("a", address=0x0A400001).starts("b", address=0x0A400001)
    assert int(story.row().session_count) == 2


def test_an_ended_session_knows_its_last_interims_exactly() -> None:
    """Thirty-one bits, not a few: 1800 s and 2028 s once looked alike."""
    story = Story().starts("s").reports("s", duration_s=1800).stops("s", duration_s=2029)
    assert story.reports("s", duration_s=2028).kept


def test_sessions_of_one_subscription_are_bounded() -> None:
    story = Story()
    for number in range(20):
        story.starts(f"s{number}", address=0x0A400001 + number)
    assert int(story.row().session_count) == 8
    assert int(story.fold.state.meta["sessions_live"][0]) == 8


def test_when_a_session_was_heard_only_grows() -> None:
    story = Story().starts("s").reports("s", duration_s=120)
    heard_s = story.now // 1_000_000
    story.reports("s", duration_s=60, happened_at=story.now - 30_000_000)
    session = story.fold.state.sessions[int(story.row().session_head)]
    assert int(session["heard_s"]) == heard_s
    assert heard_s - int(session["began_s"]) == 60


def test_rows_of_ended_sessions_are_used_again() -> None:
    story = Story()
    for number in range(10):
        story.starts(f"s{number}", device=METER).stops(f"s{number}")
    assert int(story.fold.state.meta["sessions"][0]) == 1


LONG_ID = "550e8400-e29b-41d4-a716-446655440000"  # a UUID: longer than what is kept whole


@pytest.mark.parametrize("session", ["short", "7F00000100000001" * 2 + "ABCDEF01", LONG_ID])
@pytest.mark.parametrize(("cause", "live"), [(e.EFFECT_ACK, False), (e.EFFECT_NAK, True), (e.EFFECT_SILENCE, True)])
def test_the_result_of_a_disconnect_reaches_its_session_however_long_its_id_is(
    session: str, cause: int, live: bool
) -> None:
    story = Story().attaches().starts(session)
    story.says(e.COMMAND_DISCONNECT)
    effect = story.disconnects[-1]
    story.fold_in(story.fold.effect_result(effect, cause, 0, story.now))
    assert (int(story.row().session_count) == 1) is live
    before = len(story.disconnects)
    story.says(e.COMMAND_DISCONNECT)
    assert (len(story.disconnects) == before + 1) is live, "one that is still there can be cut again"


def test_calling_station_id_outranks_a_user_name_that_the_device_may_have_chosen() -> None:
    story = Story().attaches(imsi=0, user=IMSI + 1, msisdn=1_883000000000001)
    assert int(story.last["row"]) == story.fold.find(imsi=IMSI)
    story.attaches(imsi=0, user=IMSI + 1, msisdn=0)
    assert int(story.last["row"]) == story.fold.find(imsi=IMSI + 1)


def test_a_start_from_before_the_lock_does_not_end_it() -> None:
    rule = "responses: {device-change: lock}\nrelease_when: bound-device-returns\nbinding:"
    story = Story(POLICY.replace("binding:", rule)).attaches()
    before = story.now
    assert story.attaches(device=PHONE).refused
    story.starts("late", happened_at=before)
    assert story.row().locked
    story.starts("now")
    assert not story.row().locked


def test_a_session_that_is_cut_for_its_own_record_is_named_whole_however_long_its_id_is() -> None:
    policy = POLICY.replace("binding:", "responses: {device-change: refuse}\nbinding:")
    story = Story(policy).attaches().starts(LONG_ID, device=PHONE)
    cut = story.disconnects[-1]
    assert cut["session_id"][: int(cut["session_id_octets"])].tobytes() == LONG_ID.encode()


def test_a_start_that_reuses_the_id_of_an_ended_session_begins_another() -> None:
    """A gateway that counts its sessions from one at each boot, without saying so."""
    story = Story().attaches().starts("1", flags=FLAG_TIMESTAMP).stops("1", flags=FLAG_TIMESTAMP)
    first_began = story.now - 60_000_000
    story.starts("1", flags=FLAG_TIMESTAMP)
    second_began = story.now
    assert story.kept and int(story.row().session_count) == 1
    story.starts("1", flags=FLAG_TIMESTAMP, happened_at=second_began)
    assert not story.kept, "sent again"
    story.stops("1", flags=FLAG_TIMESTAMP)
    for began in (second_began, first_began):
        story.starts("1", flags=FLAG_TIMESTAMP, happened_at=began)
        assert not story.kept and int(story.row().session_count) == 0, "sent again after its Stop"


@pytest.mark.parametrize("cut", [False, True])
def test_so_does_one_after_a_session_whose_stop_is_missing_or_whose_start_was(cut: bool) -> None:
    story = Story().attaches()
    if cut:
        story.starts("1", flags=FLAG_TIMESTAMP).says(e.COMMAND_DISCONNECT)
        story.fold_in(story.fold.effect_result(story.disconnects[-1], e.EFFECT_ACK, 0, story.now))
    else:
        story.stops("1", flags=FLAG_TIMESTAMP)
    assert int(story.row().session_count) == 0
    story.starts("1", flags=FLAG_TIMESTAMP)
    assert story.kept and int(story.row().session_count) == 1


@pytest.mark.parametrize("late_s", [1, 600, 86_000])
def test_a_start_that_is_sent_again_long_after_its_stop_stays_silent(late_s: int) -> None:
    story = Story().attaches().starts("1", flags=FLAG_TIMESTAMP)
    began = story.now
    story.stops("1", flags=FLAG_TIMESTAMP)
    story.now += late_s * 1_000_000
    story.starts("1", flags=FLAG_TIMESTAMP, happened_at=began)
    assert not story.kept and int(story.row().session_count) == 0


def test_without_a_timestamp_or_with_one_of_no_clock_it_is_taken_for_sent_again() -> None:
    story = Story().attaches().starts("1").stops("1").starts("1")
    assert not story.kept, "it may have waited on its way"
    story = Story().attaches().starts("1", flags=FLAG_TIMESTAMP, happened_at=1_000_000).stops("1")
    story.starts("1", flags=FLAG_TIMESTAMP, happened_at=2_000_000)
    assert not story.kept and int(story.row().session_count) == 0
