"""Who held an address at a time: the boundaries of a session, and how sure the answer is."""

from __future__ import annotations

from typing import Any

import pytest

from engine.recording import HOUR, ICCID, IMSI, METER, MIDNIGHT, MINUTE, OTHER_ICCID, OTHER_IMSI, Recording
from simward.engine import events as ev
from simward.engine.held import Held
from simward.engine.holders import who_held
from simward.engine.words import Lexicon

ADDRESS = 10 << 24 | 64 << 16 | 1


def asked(recording: Recording, second: float) -> list[dict[str, Any]]:
    """Who held 10.64.0.1, so many seconds after midnight."""
    moment = int((MIDNIGHT + second) * 1_000_000)
    journal = recording.journal
    return who_held(journal, Lexicon(journal.manifest), Held(ADDRESS), moment)


@pytest.fixture
def recording() -> Recording:
    made = Recording().declare().declare(OTHER_IMSI, OTHER_ICCID, "+4740000002")
    return made.after(10)


def test_from_start_until_just_before_stop(recording: Recording) -> None:
    recording.session("A1", MINUTE, address="10.64.0.1")
    assert asked(recording, 9.999999) == []
    (holder,) = asked(recording, 10)
    assert (holder["imsi"], holder["iccid"], holder["device"]) == (IMSI, ICCID, str(METER))
    assert holder["sure"] == "certain"
    assert len(asked(recording, 69.999999)) == 1
    assert asked(recording, 70) == []


def test_without_a_stop_it_is_likely(recording: Recording) -> None:
    recording.event(ev.ACCOUNTING_START, "A1", address="10.64.0.1")
    recording.after(HOUR).event(ev.ACCOUNTING_INTERIM, "A1", address="10.64.0.1")
    assert asked(recording, 10 + HOUR)[0]["sure"] == "certain"
    assert asked(recording, 10 + 2 * HOUR)[0]["sure"] == "likely"


def test_a_lost_stop_is_doubtful_once_another_has_the_address(recording: Recording) -> None:
    recording.event(ev.ACCOUNTING_START, "A1", address="10.64.0.1")
    recording.after(HOUR).event(ev.ACCOUNTING_START, "B1", imsi=OTHER_IMSI, address="10.64.0.1")
    first, second = asked(recording, 10 + HOUR + 1)
    assert (first["imsi"], first["sure"]) == (OTHER_IMSI, "likely")
    assert (second["imsi"], second["sure"]) == (IMSI, "doubtful")
    assert [one["imsi"] for one in asked(recording, 10 + MINUTE)] == [IMSI]


def test_a_gateway_restart_ends_it(recording: Recording) -> None:
    recording.event(ev.ACCOUNTING_START, "A1", address="10.64.0.1")
    recording.after(HOUR).event(ev.ACCOUNTING_ON)
    assert asked(recording, 10 + MINUTE)[0]["sure"] == "likely"
    assert asked(recording, 10 + HOUR) == []


def test_a_stop_without_the_address_ends_it(recording: Recording) -> None:
    recording.event(ev.ACCOUNTING_START, "A1", address="10.64.0.1")
    recording.after(MINUTE).event(ev.ACCOUNTING_STOP, "A1")
    assert asked(recording, 10 + MINUTE) == []


def test_the_subscription_is_looked_up_where_only_user_name_is_known(recording: Recording) -> None:
    recording.event(ev.ACCOUNTING_START, "A1", imsi=0, user=IMSI, address="10.64.0.1")
    assert asked(recording, 11)[0]["iccid"] == ICCID
