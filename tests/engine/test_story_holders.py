"""Who held an address at a time: the boundaries of a session, and how sure the answer is."""

from __future__ import annotations

from typing import Any

import pytest

from engine.recording import HOUR, ICCID, IMSI, METER, MIDNIGHT, MINUTE, OTHER_ICCID, OTHER_IMSI, Recording
from simward.engine import events as ev
from simward.engine.held import Held
from simward.engine.holders import who_held
from simward.engine.story import read_story
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


PREFIX = {"prefix_high": 0x20010DB864000001, "prefix_length": 64, "delegated_high": 0x20010DB880000100,
          "delegated_length": 56}  # fmt: skip


@pytest.mark.parametrize(
    ("asked_for", "held"),
    [("2001:db8:6400:1::7", True), ("2001:db8:6400:1::/64", True), ("2001:db8:6400::/48", True),
     ("2001:db8:8000:1ff::1", True), ("2001:db8:8000:200::1", False), ("2001:db8:6400:2::7", False),
     ("10.64.0.1", True), ("10.64.0.2", False), ("::", False)],
)
def test_an_ipv6_address_is_held_by_who_has_its_prefix(recording: Recording, asked_for: str, held: bool) -> None:
    recording.session("A1", MINUTE, address="10.64.0.1", **PREFIX)
    moment = int((MIDNIGHT + 20) * 1_000_000)
    found = who_held(recording.journal, Lexicon(recording.journal.manifest), Held.parse(asked_for), moment)
    assert [one["imsi"] for one in found] == [IMSI] * held
    if held:
        assert found[0]["prefix"] == "2001:db8:6400:1::/64" and found[0]["delegated"] == "2001:db8:8000:100::/56"


@pytest.mark.parametrize(
    ("asked_for", "held"),
    [("2001:db8:aa::1", True), ("2001:db8:aa::2", False), ("2001:db8:aa::/112", True), ("2001:db8:ab::/112", False),
     ("2001:db8:6400:1::7", True)],
)
@pytest.mark.parametrize("beside", [{}, PREFIX])
def test_an_ipv6_address_of_a_pool_is_held_by_one(
    recording: Recording, asked_for: str, held: bool, beside: dict[str, int]
) -> None:
    """Alone, and beside a prefix that it does not lie in."""
    alone = {"prefix_high": 0x20010DB800AA0000, "prefix_low": 1, "prefix_length": 128}
    pool = {"ipv6_high": 0x20010DB800AA0000, "ipv6_low": 1}
    recording.session("A1", MINUTE, **pool, **(beside or alone))
    moment = int((MIDNIGHT + 20) * 1_000_000)
    found = who_held(recording.journal, Lexicon(recording.journal.manifest), Held.parse(asked_for), moment)
    held = held and (bool(beside) or ":6400:" not in asked_for)
    assert [one["imsi"] for one in found] == [IMSI] * held
    if held:
        assert found[0]["ipv6_address"] == "2001:db8:aa::1"
        assert found[0]["prefix"] == ("2001:db8:6400:1::/64" if beside else None)
    told = [one["text"] for one in read_story(recording.journal, IMSI).told()["chapters"] if one["what"] == "session"]
    assert "IPv6 address 2001:db8:aa::1" in told[0] and "2001:db8:aa::1," not in told[0].partition("IPv6 address")[0]


def test_a_class_alone_names_the_subscription(recording: Recording) -> None:
    recording.asks()
    row = recording.fold.find(imsi=int("1" + IMSI))
    subscription = recording.fold.state.subscriptions[row]
    result = recording.fold.state.scratch["results"][0]
    decision = int(subscription["decided_sequence"])
    named = {"imsi": 0, "class_token": decision, "class_row": row, "class_check": int(result["class_check"])}
    recording.event(ev.ACCOUNTING_START, "A1", address="10.64.0.1", **named)
    (holder,) = asked(recording, 11)
    assert (holder["imsi"], holder["iccid"]) == (IMSI, ICCID)
    story = read_story(recording.journal, IMSI).told()
    (session,) = [one for one in story["chapters"] if one["what"] == "session"]
    assert session["decision"] == f"0/{decision}" and f"Allowed by decision 0/{decision}." in session["text"]
    assert not [one for one in story["chapters"] if one["what"] == "allowed"], "the session tells it"


def test_several_apns_are_told_apart(recording: Recording) -> None:
    recording.asks()
    recording.after(1).asks(apn="maintenance.iot")
    recording.after(1).event(ev.ACCOUNTING_START, "B1", apn="maintenance.iot")
    chapters = read_story(recording.journal, IMSI).told()["chapters"]
    told = [one["apn"] for one in chapters if one["what"] in ("session", "allowed")]
    assert told == ["meters.iot", "maintenance.iot"]
