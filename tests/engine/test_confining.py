"""Quarantine of live sessions: by a change of the filter, by a Disconnect where that fails, and out of it again."""

from __future__ import annotations

from typing import Any

import pytest

from engine.confined import ABROAD, CUT, INTO, NO_WAY_BACK, OUT, POLICY, Told, abroad, home, up
from simward.engine import events as e
from simward.engine import outputs as o


def test_a_live_session_goes_into_quarantine_and_back_without_being_cut() -> None:
    told = abroad(up())
    assert told.effects == [INTO]
    assert abroad(told, 2).effects == [INTO], "one is under way"
    told.answered()
    assert abroad(told, 3).effects == [INTO], "it is there"
    assert home(told).effects == [INTO, OUT]
    assert home(told, 10).effects == [INTO, OUT]
    told.answered()
    assert home(told, 11).effects == [INTO, OUT]
    assert abroad(told, 12).effects == [INTO, OUT, INTO]
    proofs = told.of(o.EFFECT_PROOF)
    assert [int(one["result"]) for one in proofs] == [e.EFFECT_ACK] * 2
    assert [int(one["opened_sequence"]) for one in proofs] == [int(one["sequence"]) for one in told.of(o.CHANGE)[:2]]


@pytest.mark.parametrize(("cause", "error"), [(e.EFFECT_NAK, 401), (e.EFFECT_SILENCE, 0), (e.EFFECT_NOT_SENT, 0)])
def test_where_no_change_is_to_be_had_the_session_is_cut(cause: int, error: int) -> None:
    told = abroad(up()).answered(cause, error)
    assert told.effects == [INTO, CUT]
    assert told.of(o.DISCONNECT)[0]["event_kind"] == e.CHANGE_RESULT
    told.answered(e.EFFECT_SILENCE)
    assert abroad(told, 3).effects == [INTO, CUT, CUT], "no second change is tried"


def test_a_change_of_a_session_that_is_gone_ends_it() -> None:
    told = abroad(up()).answered(e.EFFECT_NAK, 503)
    assert told.effects == [INTO] and told.row().session_count == 0


def test_it_may_be_home_again_before_the_gateway_refuses() -> None:
    told = home(abroad(up())).answered(e.EFFECT_NAK, 401)
    assert told.effects == [INTO]


def test_without_a_normal_filter_the_way_back_is_a_new_session() -> None:
    assert "\nfilter:" not in NO_WAY_BACK
    told = abroad(up(NO_WAY_BACK)).answered()
    assert home(told).effects == [INTO, CUT]


def test_a_stronger_response_overtakes_a_change() -> None:
    told = abroad(up())
    told.says(e.COMMAND_LOCK)
    assert told.effects == [INTO, CUT]
    change = told.of(o.CHANGE)[0]
    told.fold_in(told.fold.effect_result(change, e.EFFECT_ACK, 0, told.now + 1))
    assert told.effects == [INTO, CUT] and not told.flags & 32


def test_who_attaches_in_quarantine_is_let_out_when_the_reason_ends() -> None:
    told = Told(POLICY)
    told.attaches(plmn=ABROAD)
    assert told.verdict == "quarantine" and int(told.last["segment"]) == 1
    told.starts(plmn=ABROAD, class_token=int(told.last["class_token"]))
    assert told.effects == []
    assert home(told).effects == [OUT]


def test_a_session_of_an_earlier_decision_is_not_taken_for_confined() -> None:
    told = Told(POLICY)
    told.attaches()
    allowed = int(told.last["class_token"])
    told.attaches(plmn=ABROAD)
    told.starts(plmn=ABROAD, class_token=allowed)
    assert told.effects == [INTO]


def test_a_quarantine_address_is_left_by_a_new_session() -> None:
    told = Told(POLICY + "quarantine_pool: 10.127.0.0/24\n")
    told.attaches(plmn=ABROAD)
    told.starts(plmn=ABROAD, address=int(told.last["address"]))
    assert told.effects == []
    assert home(told).effects == [CUT]


def test_a_pause_lets_nobody_out_and_puts_nobody_in() -> None:
    told = abroad(up()).answered()
    told.says(e.COMMAND_PAUSE)
    assert home(told).effects == [INTO]
    told.says(e.COMMAND_RESUME)
    assert home(told, 10).effects == [INTO, OUT]
    other = up()
    other.says(e.COMMAND_PAUSE)
    assert abroad(other).effects == []


def test_the_limit_of_quarantine_holds_changes_and_that_of_disconnect_what_follows() -> None:
    told = Told(POLICY.replace("disconnect: {per_hour: 3}", "disconnect: {per_hour: 1}"))
    for member in range(3):
        told.attaches(member=member).starts(member=member).reports(member=member, duration_s=1, plmn=ABROAD)
        told.answered(e.EFFECT_NAK, 401) if member < 2 else None
    assert told.effects == [INTO, CUT, INTO], "two in quarantine an hour, and one cut"
    assert [int(one["held"]) for one in told.of(o.DISCONNECT)] == [0, o.HELD_RATE]


def test_what_never_may_be_cut_is_not_changed() -> None:
    told = up(POLICY.replace("binding:", "criticality: never-cut\nbinding:"))
    assert abroad(told).effects == []


def test_a_person_releases_from_what_no_event_ends() -> None:
    """A momentary finding has no end that could let the session out."""
    policy = POLICY.replace("network-not-permitted: quarantine", "reappeared-changed: quarantine, default: observe")
    told = up(policy.replace("mode: none", "mode: first-use"))
    told.stops().after(hours=30)
    told.attaches(device=35000000000002, plmn=ABROAD)
    assert told.verdict == "quarantine", told.findings
    told.starts("s2", device=35000000000002, plmn=ABROAD)
    told.reports("s2", duration_s=5, device=35000000000002, plmn=ABROAD)
    assert told.effects == []
    told.says(e.COMMAND_RELEASE)
    assert told.effects == [OUT]


def test_changes_that_wait_are_sent_again_after_a_restart() -> None:
    told = abroad(up())
    (waiting,) = told.fold.pending_effects()
    assert (int(waiting["kind"]), int(waiting["result"])) == INTO
    home(told.answered())
    (waiting,) = told.fold.pending_effects()
    sent: Any = told.of(o.CHANGE)[-1]
    assert all(waiting[name] == sent[name] for name in ("kind", "result", "sequence", "index", "imsi", "client"))
    assert bytes(waiting["session_id"]) == bytes(sent["session_id"])
