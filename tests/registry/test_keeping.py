"""Retention in the registry: what is over goes when its time has come, what is open stays, in small pieces."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from simward.control.retention import LOOK_EVERY_US, Retention
from simward.registry import audit, keeping
from simward.registry import tables as t
from simward.registry.audit import Deed
from simward.registry.database import Registry
from simward.settings import RegistrySettings

DAY_US = 86_400_000_000
NOW = 1000 * DAY_US
OLD, YOUNG = NOW - 500 * DAY_US, NOW - 10 * DAY_US


class Kept:
    """Rows of the registry, made with as little as they need."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def incident(self, number: int, state: str = "resolved", at: int = OLD, **more: Any) -> int:
        resolved = {"resolved_at": at} if state == "resolved" else {}
        self._insert(t.incident, number=number, state=state, severity="high", grouping="subscription", cause="c",
                     title="t", opened_at=at, changed_at=at, **resolved, **more)  # fmt: skip
        self._insert(t.incident_entry, incident=number, at=at, what="opened", text="x")
        return number

    def finding(self, id_: str, ended: int | None = OLD, incident: int | None = None) -> None:
        self._insert(t.finding, id=id_, detector="d", severity="high", began_at=OLD, ended_at=ended, document={},
                     incident=incident, as_of_seq=1)  # fmt: skip

    def effect(self, id_: str, result: str | None = "ack", incident: int | None = None) -> None:
        self._insert(t.effect, id=id_, what="disconnect", at=OLD, result=result, incident=incident, as_of_seq=1)

    def command(self, id_: str, result: str | None = "applied", at: int = OLD, incident: int | None = None) -> None:
        self._insert(t.command, id=id_, do="lock", actor="a", because="b", asked_at=at, next_at=at, result=result,
                     answered_at=None if result is None else at, incident=incident)  # fmt: skip

    def left(self, table: sa.Table) -> list[Any]:
        (key,) = table.primary_key.columns
        return list(self.connection.execute(sa.select(key).order_by(key)).scalars())

    def _insert(self, table: sa.Table, **values: Any) -> None:
        self.connection.execute(sa.insert(table).values(values))


def run(retention: Retention, registry: Registry, now: int = NOW) -> int:
    """Tick until there is nothing left; gives how often."""
    for times in range(1, 1000):
        with registry.writing() as connection:
            if not retention.tick(connection, now):
                return times
    raise AssertionError("it never ends")


def test_what_is_over_goes_and_what_is_open_stays(registry: Registry) -> None:
    with registry.writing() as connection:
        kept = Kept(connection)
        resolved, unresolved = kept.incident(1), kept.incident(2, "acknowledged")
        kept.incident(3, at=YOUNG)
        kept.incident(4, merged_into=1)
        kept.incident(5, at=YOUNG)
        for name, incident in (("alone", None), ("of-resolved", resolved), ("of-unresolved", unresolved)):
            kept.finding(name, incident=incident)
            kept.effect(name, incident=incident)
            kept.command(name, incident=incident)
        kept.finding("lasts", ended=None, incident=1)
        kept.finding("young", ended=YOUNG)
        kept.effect("unproved", result=None)
        kept.command("unanswered", result=None)
        kept.command("young", at=YOUNG)
        for number in range(3):
            audit.note(connection, Deed(at=OLD, actor="a", what="lock", imsi=f"00101000000000{number}"))
    retention = Retention(RegistrySettings())
    run(retention, registry)
    with registry.reading() as connection:
        kept = Kept(connection)
        assert kept.left(t.finding) == ["lasts", "of-unresolved", "young"]
        assert kept.left(t.effect) == ["of-unresolved", "unproved"]
        assert kept.left(t.command) == ["of-unresolved", "unanswered", "young"]
        assert kept.left(t.incident) == [2, 3, 5]
        entries = sa.select(t.incident_entry.c.incident).order_by(t.incident_entry.c.incident)
        assert list(connection.execute(entries).scalars()) == [2, 3, 5]
        assert connection.execute(sa.select(t.finding.c.incident).where(t.finding.c.id == "lasts")).scalar() is None
        walked = audit.walk(connection)
        assert (walked.entries, walked.wrong) == (3, 0), "the audit is whole"
        assert len(kept.left(t.audit_subject)) == 3


def test_the_newest_number_is_not_given_again(registry: Registry) -> None:
    with registry.writing() as connection:
        kept = Kept(connection)
        kept.incident(1)
        kept.incident(2)
        assert keeping.prune_incidents(connection, NOW) == 1
        assert keeping.prune_incidents(connection, NOW) == 0 and kept.left(t.incident) == [2]


def test_in_small_pieces_and_then_not_for_an_hour(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "AT_ONCE", 10)
    with registry.writing() as connection:
        kept = Kept(connection)
        kept.incident(1)
        kept.incident(2, at=YOUNG)
        for number in range(35):
            kept.finding(f"f{number:02}", ended=None, incident=1)
            kept.command(f"c{number:02}")
    retention = Retention(RegistrySettings())
    assert run(retention, registry) > 35 / 10 * 2, "no transaction is long"
    with registry.writing() as connection:
        kept = Kept(connection)
        assert kept.left(t.incident) == [2] and len(kept.left(t.finding)) == 35 and not kept.left(t.command)
        kept.command("later")
    assert run(retention, registry, NOW + LOOK_EVERY_US - 1) == 1
    with registry.reading() as connection:
        assert Kept(connection).left(t.command) == ["later"]
    run(retention, registry, NOW + LOOK_EVERY_US)
    with registry.reading() as connection:
        assert not Kept(connection).left(t.command)


def test_forever_is_forever(registry: Registry) -> None:
    with registry.writing() as connection:
        Kept(connection).finding("f")
        Kept(connection).command("c")
    run(Retention(RegistrySettings(keep_findings_s=0, keep_incidents_s=0, keep_commands_s=0)), registry)
    with registry.reading() as connection:
        assert Kept(connection).left(t.finding) == ["f"] and Kept(connection).left(t.command) == ["c"]
