"""What incidents ask of the registry, held against SQLite and PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa

from response.happening import Happening, imsi, many
from simward.registry import incidents as kept
from simward.registry.database import Registry
from simward.response.incident_story import document, story, subscriptions_of
from simward.response.judging import Judging

SEEN = {"cell": "ecgi:1", "network": "00101", "device": "35000000000001", "software": "01"}


def test_many_become_one_and_others_join(registry: Registry) -> None:
    happening = Happening(registry)
    many(happening, "location-change", range(8), seen=SEEN)
    happening.found("location-change", 1, class_="far", severity="high", seen=SEEN)
    (one,) = happening.open()
    assert (one.grouping, one.findings, one.subscriptions, one.severity) == ("cell", 9, 8, "high")
    with registry.reading() as connection:
        assert [row.incident for row in kept.findings(connection, one.number)] == [one.number] * 9
        assert len(subscriptions_of(connection, one.number)) == 4


def test_wider_and_wider(registry: Registry) -> None:
    happening = Happening(registry)
    for cell in range(6):
        many(happening, "location-change", range(6 * cell, 6 * cell + 6), gateway="pgw1",
             seen=SEEN | {"cell": f"ecgi:{cell}"})  # fmt: skip
    (one,) = happening.open()
    assert (one.grouping, one.subscriptions, one.open_findings) == ("gateway", 36, 36)


def test_a_life(registry: Registry) -> None:
    happening = Happening(registry)
    found = happening.found("device-change", 1, class_="other-model", response="lock", wanted="lock", severity="high")
    happening.locks(1)
    happening.answered(1, happening.disconnects(1, "device-change/other-model")).tick()
    assert happening.incident(1).state == "contained"
    happening.after(minutes=15).tick()
    assert happening.incident(1).escalations == 1
    with registry.writing() as connection:
        for action, more in (("acknowledge", {}), ("note", {}), ("assign", {"to": "bob"})):
            Judging(happening.incidents.life).act(connection, 1, action, happening.now, "ada", "so", **more)
    happening.ends(found).after(hours=1).tick()
    assert happening.incident(1).state == "contained", "it is locked"
    happening.releases(1).after(hours=1).tick()
    assert happening.incident(1).state == "resolved"
    with registry.writing() as connection:
        Judging(happening.incidents.life).act(
            connection, 1, "resolve", happening.now, "ada", "exchanged", outcome="benign"
        )
    with registry.reading() as connection:
        assert kept.judged(connection)["device-change/other-model"]["benign"] == 1
        row = kept.get(connection, 1)
        told = document(connection, row, story(connection, row, {}))
    assert told["containment"]["ways"] == {"ack": 1}
    assert [one["question"] for one in told["story"]][0] == "What happened"


def test_lists_what_is_asked_for(registry: Registry) -> None:
    happening = Happening(registry)
    happening.found("apn-not-permitted", 1)
    happening.after(hours=1).found("credentials-wrong", 2, severity="high", use_case="tracker")
    with registry.reading() as connection:
        listed = [
            [one.number for one in kept.listed(connection, **asked)]  # type: ignore[arg-type]
            for asked in (
                {}, {"severities": ["high"]}, {"use_case": "tracker"}, {"since": happening.now}, {"imsi": imsi(1)},
                {"states": ["resolved"]}, {"tenant": "other"}, {"limit": 1},
            )
        ]  # fmt: skip
    assert listed == [[2, 1], [2], [2], [2], [1], [], [], [2]]


def test_a_limit_is_one_and_the_traits_are_forgotten(registry: Registry) -> None:
    happening = Happening(registry)
    said = {"class_": "other-model", "severity": "high", "wanted": "lock"}
    many(happening, "device-change", range(3), response="lock", **said)
    many(happening, "device-change", range(3, 30), response="notify", held="share_of_fleet", **said)
    (one,) = happening.open()
    assert (one.grouping, one.subscriptions) == ("limit", 30)
    happening.after(hours=2).found("apn-not-permitted", 99)
    happening.tick()
    with registry.reading() as connection:
        assert {row.incident for row in kept.sharing(connection, "default", ["access use case default/water-meter"], 0)}
        assert not kept.sharing(connection, "default", ["device use case default/water-meter"], 0)


def test_whether_one_is_in_an_incident_is_asked_by_the_one_and_not_by_the_thousands(registry: Registry) -> None:
    """Twenty thousand unknown SIMs become one incident: each look through all of it made that quadratic."""
    happening = Happening(registry)
    many(happening, "location-change", range(8), seen=SEEN)
    (one,) = happening.open()
    with registry.reading() as connection:
        assert kept.is_member(connection, one.number, imsi(3)) and not kept.is_member(connection, one.number, imsi(9))
        assert not kept.is_member(connection, one.number + 1, imsi(3))
        if connection.dialect.name == "sqlite":  # the other plans by what it has counted
            asked = {"imsi": imsi(3), "number": one.number}
            how = sa.text(f"EXPLAIN QUERY PLAN {kept._MEMBER}")
            plan = connection.execute(how, {**asked, "param_1": 1, "incident_1": 0})
            assert "ix_finding_imsi" in str(plan.all())
