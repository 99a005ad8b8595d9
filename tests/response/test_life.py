"""The life of an incident: open, acknowledged, contained by proof, resolved, reopened; and what time alone brings."""

from __future__ import annotations

import pytest

from response.happening import Happening
from simward.errors import RefusedError
from simward.incident_settings import IncidentSettings
from simward.registry import audit
from simward.registry import incidents as kept
from simward.response.judging import Judging, NoSuchIncident


def theft(happening: Happening, who: int = 1, **more: object) -> dict[str, object]:
    """A SIM in another device, and locked."""
    said = {"class_": "other-model", "severity": "high", "response": "lock", "wanted": "lock"} | more
    return happening.found("device-change", who, **said)


def act(happening: Happening, number: int, action: str, actor: str = "alice@noc", because: str = "as asked",
        **more: str) -> object:  # fmt: skip
    """As the API has a person act."""
    with happening.registry.writing() as connection:
        return Judging(happening.incidents.life).act(
            connection, number, action, happening.clock(), actor, because, **more
        )


@pytest.mark.parametrize(("result", "error_cause", "way"), [("ack", None, "ack"), ("nak", 503, "error-cause-503")])
def test_contained_by_the_gateways_word(happening: Happening, result: str, error_cause: int | None, way: str) -> None:
    theft(happening)
    effect = happening.disconnects(1, "device-change/other-model")
    assert happening.tick().incident(1).state == "open"
    happening.after(seconds=1).answered(1, effect, result, error_cause).tick()
    one = happening.incident(1)
    assert (one.state, one.contained_at) == ("contained", happening.now)
    assert one.containment["effects"] == 1 and one.containment["ways"] == {way: 1}
    assert one.containment["proofs"][0]["effect"] == effect


def test_contained_by_a_stop(happening: Happening) -> None:
    theft(happening)
    effect = happening.disconnects(1, "device-change/other-model")
    happening.answered(1, effect, "silence").tick()
    assert happening.incident(1).state == "open"
    happening.stops(1).tick()
    assert happening.incident(1).containment["ways"] == {"stop": 1}


def test_not_contained_by_a_refusal(happening: Happening) -> None:
    theft(happening)
    happening.answered(1, happening.disconnects(1, "device-change/other-model"), "nak", 501).tick()
    assert happening.incident(1).state == "open"


def test_boundary_is_the_last_effect(happening: Happening) -> None:
    theft(happening)
    first, second = (happening.disconnects(1, "device-change/other-model") for _ in range(2))
    happening.answered(1, first).tick()
    assert happening.incident(1).state == "open"
    happening.answered(1, second).tick()
    assert happening.incident(1).state == "contained"


def test_no_longer_contained_when_another_session_comes_up(happening: Happening) -> None:
    theft(happening)
    happening.answered(1, happening.disconnects(1, "device-change/other-model")).tick()
    happening.disconnects(1, "subscription-locked/locked")
    one = happening.tick().incident(1)
    assert (one.state, one.containment) == ("open", None)
    assert happening.entries(1)[-1] == "uncontained"


def test_what_is_held_is_not_contained(happening: Happening) -> None:
    theft(happening)
    happening.answered(1, happening.disconnects(1, "device-change/other-model"))
    happening.disconnects(1, "device-change/other-model", held="per_hour")
    assert happening.tick().incident(1).state == "open"


def test_escalates_when_nobody_acknowledges(happening: Happening) -> None:
    theft(happening)
    happening.after(minutes=14, seconds=59).tick()
    assert happening.incident(1).escalations == 0
    happening.after(seconds=1).tick().tick()
    assert happening.incident(1).escalations == 1
    assert ("incident.changed", "incident.changed:1/1") in happening.announced()


def test_escalates_with_growing_steps_and_not_for_ever(happening: Happening) -> None:
    theft(happening)
    passed = []
    for minute in range(60 * 48):
        before = happening.incident(1).escalations if minute % 15 == 0 else None
        if before is None:
            happening.after(minutes=1)
            continue
        happening.tick()
        if happening.incident(1).escalations > before:
            passed.append(minute)
        happening.after(minutes=1)
    assert passed == [15, 45, 105, 225, 465, 945]
    assert happening.incidents.counts["escalated"] == 6
    assert happening.incident(1).state == "open", "what is severe waits for a person"


def test_an_acknowledged_one_is_to_be_contained(happening: Happening) -> None:
    theft(happening)
    act(happening, 1, "acknowledge")
    one = happening.incident(1)
    assert (one.state, one.acknowledged_by, one.owner) == ("acknowledged", "alice@noc", "alice@noc")
    happening.after(hours=4).tick()
    assert happening.incident(1).escalations == 1
    assert happening.entries(1)[-1] == "escalated"


def test_deadlines_are_the_settings(happening: Happening) -> None:
    happening = Happening(happening.registry, IncidentSettings(acknowledge_within_s={"medium": 60}))
    happening.found("apn-not-permitted", 1)
    theft(happening, 2)
    assert [happening.incident(number).deadline_at for number in (1, 2)] == [happening.now + 60_000_000, None]


def test_resolves_by_itself_when_it_is_over(happening: Happening) -> None:
    document = happening.found("location-change", 1)
    happening.after(hours=1).ends(document)
    happening.after(minutes=29, seconds=59).tick()
    assert happening.incident(1).state == "open"
    happening.after(seconds=1).tick()
    one = happening.incident(1)
    assert (one.state, one.outcome, one.resolved_by) == ("resolved", None, "")
    assert happening.announced()[-1][0] == "incident.resolved"


def test_does_not_resolve_while_something_is_in_quarantine_by_a_command(happening: Happening) -> None:
    document = happening.found("location-change", 1, response="notify", wanted="notify")
    happening.quarantines(1, "until somebody has looked").ends(document).after(hours=5).tick()
    assert happening.incident(1).state == "open"
    happening.releases(1, was="quarantine").after(minutes=31).tick()
    assert happening.incident(1).state == "resolved"


def test_does_not_resolve_while_something_is_locked(happening: Happening) -> None:
    document = happening.found("location-change", 1, response="lock", wanted="lock")
    happening.locks(1).ends(document).after(hours=5).tick()
    assert happening.incident(1).state == "open"
    happening.releases(1).after(minutes=29).tick()
    assert happening.incident(1).state == "open"
    assert happening.after(minutes=1).tick().incident(1).state == "resolved"


def test_what_is_severe_waits_for_a_person(happening: Happening) -> None:
    happening.ends(theft(happening)).after(hours=5).tick()
    assert happening.incident(1).state == "open"
    act(happening, 1, "acknowledge")
    assert happening.after(minutes=30).tick().incident(1).state == "resolved"


def test_an_outage_that_is_over_needs_nobody(happening: Happening) -> None:
    document = happening.found("gateway-silent", None, gateway="pgw1", severity="high", scope="gateway")
    happening.ends(document).after(minutes=31).tick()
    assert happening.incident(1).state == "resolved"


def test_the_same_again_reopens(happening: Happening) -> None:
    document = happening.found("location-change", 1)
    happening.ends(document).after(minutes=31).tick()
    happening.after(hours=23).found("location-change", 1)
    one = happening.incident(1)
    assert (one.state, one.reopened, one.findings) == ("open", 1, 2)
    assert len(happening.open()) == 1


def test_boundary_of_reopening_is_a_day(happening: Happening) -> None:
    document = happening.found("location-change", 1)
    happening.ends(document).after(minutes=31).tick()
    happening.after(hours=24, seconds=1).found("location-change", 1)
    assert [one.number for one in happening.open()] == [2]


def test_a_person_judges_and_the_detector_remembers(happening: Happening) -> None:
    theft(happening)
    happening.found("apn-not-permitted", 2)
    act(happening, 1, "resolve", outcome="false-positive", because="the installer exchanged it")
    one = happening.incident(1)
    assert (one.state, one.outcome, one.resolved_by) == ("resolved", "false-positive", "alice@noc")
    with happening.registry.reading() as connection:
        judged = kept.judged(connection)
        (entry,) = audit.entries(connection)
    assert judged["device-change"]["false-positive"] == judged["device-change/other-model"]["fired"] == 1
    assert judged["apn-not-permitted"]["false-positive"] == 0
    assert (entry.actor, entry.what, entry.object) == ("alice@noc", "incident.resolve", "incident 1")
    assert entry.content is not None and entry.content["why"] == "the installer exchanged it"


def test_what_is_resolved_is_reopened_before_it_is_touched(happening: Happening) -> None:
    theft(happening)
    act(happening, 1, "resolve", outcome="benign")
    for action in ("acknowledge", "assign"):
        with pytest.raises(RefusedError, match=r"resolved \(benign\); reopen it first"):
            act(happening, 1, action, to="bob")
    act(happening, 1, "reopen", because="it is not over")
    one = happening.incident(1)
    assert (one.state, one.outcome, one.reopened) == ("open", None, 1)
    with pytest.raises(RefusedError, match="only a resolved one"):
        act(happening, 1, "reopen")


def test_acknowledged_twice_is_acknowledged_once(happening: Happening) -> None:
    theft(happening)
    act(happening, 1, "acknowledge")
    act(happening, 1, "acknowledge")
    assert happening.entries(1).count("acknowledged") == 1
    with pytest.raises(RefusedError, match="acknowledged by alice@noc"):
        act(happening, 1, "acknowledge", "bob")
    act(happening, 1, "assign", "bob", to="bob")
    act(happening, 1, "note", "bob", because="asked the installer")
    assert happening.incident(1).owner == "bob"
    assert happening.entries(1)[-2:] == ["assigned", "note"]


def test_there_is_no_such_incident(happening: Happening) -> None:
    with pytest.raises(NoSuchIncident):
        act(happening, 7, "acknowledge")


def test_acting_on_a_part_acts_on_the_whole(happening: Happening) -> None:
    for who in (1, 2):
        theft(happening, who, seen={"device": "35999900000007"})
    assert happening.incident(1).merged_into == 3
    act(happening, 1, "acknowledge")
    assert happening.incident(3).state == "acknowledged"


def test_worse_than_it_looked(happening: Happening) -> None:
    happening.found("location-change", 1)
    theft(happening)
    one = happening.incident(1)
    assert (one.severity, one.deadline_at) == ("high", happening.now + 900_000_000)
    assert "severity" in happening.entries(1)


def test_a_gap_is_an_incident(happening: Happening) -> None:
    with happening.registry.writing() as connection:
        happening.incidents.gap(connection, 5, 9)
    (one,) = happening.open()
    assert (one.grouping, one.severity) == ("gap", "high") and "5 to 9" in one.title


def test_what_is_read_late_does_not_end_while_more_may_come(happening: Happening) -> None:
    """A control process that was away reads a day in a minute: between two steps nothing is quiet."""
    happening.lag_us = 20 * 3600 * 1_000_000
    happening.ends(happening.found("location-change", 1)).tick()
    assert happening.incident(1).state == "open"
    happening.lag_us += 61_000_000
    assert happening.tick().incident(1).state == "resolved"
