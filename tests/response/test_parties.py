"""Parties: told of what concerns them whatever their filter, answering for themselves alone, missed in time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from response.happening import Happening
from simward.registry import audit
from simward.registry import parties as kept
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url
from simward.registry.outbox import Settled
from simward.response.announcing import Announcing
from simward.response.incidents import Incidents
from simward.response.parties import BrokenAgain, NotPermitted, NotTold, Parties, Recorded
from simward.settings import Endpoint, Party

S = 1_000_000
DM = Party("dm", "dm-hook", ("water-meter",), ("release", "keep", "lock", "quarantine"), 900, b"token of dm, long")
APP = Party("app", "app-hook", (), ("keep",), 0, b"token of app, long")
ELSEWHERE = Party("tracker-app", "app-hook", ("tracker",), ("release",), 60, b"token of tracker")
ENDPOINTS = [
    Endpoint("dm-hook", "webhook", "https://dm.example/", events=("incident.*",)),
    Endpoint("app-hook", "webhook", "https://app.example/", events=("policy.*",)),
    Endpoint("siem", "webhook", "https://siem.example/", events=("binding.*",)),
]


class Told(Happening):
    """A fleet with parties; `broken()` is a SIM in the wrong device."""

    def __init__(self, registry: Registry) -> None:
        super().__init__(registry)
        self.announcing = Announcing(ENDPOINTS, self.clock, [DM, APP, ELSEWHERE])
        self.incidents = Incidents(self.announcing, self.incidents._settings, self.clock)
        self.parties = Parties([DM, APP, ELSEWHERE], self.incidents.life)

    def broken(self, who: int = 1) -> int:
        """Gives the incident."""
        self.found("device-change", who, class_="other-model", response="lock", wanted="lock", severity="high",
                   was="a", now="b", expected="a")  # fmt: skip
        return int(self.open()[-1].number)

    def says(
        self, incident: int, party: str, action: str | None = None, reason: str = "", iccid: str | None = None,
        announcement: str | None = None,
    ) -> Recorded:  # fmt: skip
        """A party acknowledges."""
        with self.registry.writing() as connection:
            return self.parties.acknowledge(
                connection, incident, party, action, reason, self.clock(), iccid, announcement
            )

    def told_of(self, incident: int) -> dict[str, Any]:
        """Rows by party."""
        with self.registry.reading() as connection:
            return {row.party: row for row in kept.parties_of(connection, incident)}

    def commands(self) -> list[Any]:  # type: ignore[override]
        """All that the gate is to be asked."""
        with self.registry.reading() as connection:
            return list(connection.execute(sa.select(t.command)))

    def overdue(self, since: int = 0) -> int:
        """A second passes."""
        with self.registry.writing() as connection:
            return self.parties.escalate(connection, since, self.clock())


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    """Nothing has happened yet."""
    registry = Registry.open(sqlite_url(tmp_path))
    registry.migrate()
    yield Told(registry)
    registry.close()


def test_both_parties_are_told_whatever_their_filters(told: Told) -> None:
    number = told.broken()
    with told.registry.reading() as connection:
        found = connection.execute(
            sa.select(t.delivery.c.endpoint).join(t.announcement).where(t.announcement.c.type == "binding.broken")
        )
        assert sorted(found.scalars()) == ["app-hook", "dm-hook", "siem"]
    rows = told.told_of(number)
    assert set(rows) == {"app", "dm"}, "the tracker's is not concerned"
    assert rows["dm"].deadline_at == told.clock() + 900 * S and rows["app"].deadline_at is None


@pytest.mark.parametrize(
    ("class_", "broken"),
    [("other-model", 1), ("same-model", 1), ("not-reported", 1), ("not-in-pool", 1), ("returned", 0), ("software", 0)],
)
def test_which_changes_of_device_break_a_binding(told: Told, class_: str, broken: int) -> None:
    """A device that is back is where it belongs: who was told of the release does not hear that it broke again."""
    told.found("device-change", 1, class_=class_, response="notify", wanted="lock", severity="high", was="b", now="a",
               expected="a")  # fmt: skip
    with told.registry.reading() as connection:
        said = connection.execute(sa.select(t.announcement.c.type)).scalars().all()
    assert said.count("binding.broken") == broken and said.count("finding.raised") == 1


def test_when_it_was_delivered_is_noted(told: Told) -> None:
    number = told.broken()
    announcement = told.told_of(number)["dm"].announcement
    settled = Settled(1, "dm-hook", "x", announcement, "delivered", 1, 0, told.clock() + 5, 204, "")
    with told.registry.writing() as connection:
        told.parties.delivered(connection, [settled])
    rows = told.told_of(number)
    assert rows["dm"].delivered_at == told.clock() + 5 and rows["app"].delivered_at is None


def test_a_party_releases_and_the_gate_is_asked_once(told: Told) -> None:
    number = told.broken()
    first = told.says(number, "dm", "release", "the meter was exchanged")
    assert not first.repeated and not first.late and first.iccid == "8900101000000000001"
    [command] = told.commands()
    assert re.fullmatch(rf"incident/{number}/release/[0-9a-f]{{16}}/dm", command.id), "it names nobody: it is for good"
    assert (command.do, command.actor) == ("release", "party dm")
    assert command.because == "the meter was exchanged" and not command.automation and command.result is None
    again = told.after(minutes=30).says(number, "dm", "release", "sent twice")
    assert again.repeated and again.reason == "the meter was exchanged" and again.answered_at == first.answered_at
    assert len(told.commands()) == 1
    assert told.entries(number).count("answered") == 1
    with told.registry.reading() as connection:
        [entry] = [one for one in audit.entries(connection) if one.what == "incident.answered"]
    assert entry.actor == "party dm" and entry.content is not None and entry.content["after"]["action"] == "release"


def test_a_request_that_comes_again_after_another_is_said_to_be_a_repetition(told: Told) -> None:
    """It asks nothing of the gate, so nothing may say that it did."""
    number = told.broken()
    for action in ("lock", "release"):
        assert not told.says(number, "dm", action).repeated
    before = told.entries(number)
    again = told.says(number, "dm", "lock")
    assert again.repeated and again.action == "release", "what stands is what was said last"
    assert [one.do for one in told.commands()] == ["lock", "release"] and told.entries(number) == before


def test_keeping_it_as_it_is_asks_nothing_of_the_gate(told: Told) -> None:
    number = told.broken()
    assert told.says(number, "app", "keep").command is None
    assert told.says(number, "dm").action is None
    assert not told.commands()
    later = told.says(number, "dm", "lock", "on second thoughts")
    assert not later.repeated and [one.do for one in told.commands()] == ["lock"]


def test_a_party_may_ask_for_quarantine(told: Told) -> None:
    number = told.broken()
    assert not told.says(number, "dm", "quarantine", "until somebody has looked").repeated
    (asked,) = told.commands()
    assert (asked.do, asked.because, asked.automation) == ("quarantine", "until somebody has looked", False)
    assert told.says(number, "dm", "quarantine").repeated and len(told.commands()) == 1


def test_a_party_speaks_only_of_what_it_was_told_and_asks_only_for_what_it_may(told: Told) -> None:
    number = told.broken()
    for party in ("tracker-app", "nobody"):
        with pytest.raises(NotTold):
            told.says(number, party, "release")
    with pytest.raises(NotTold):
        told.says(number + 1, "dm", "release")
    with pytest.raises(NotTold, match="no subscription with this ICCID"):
        told.says(number, "dm", "release", iccid="8900101000000000999")
    with pytest.raises(NotPermitted):
        told.says(number, "app", "release")
    assert not told.commands() and told.told_of(number)["app"].answered_at is None


def test_who_does_not_answer_in_time_is_missed_once_and_may_answer_late(told: Told) -> None:
    number = told.broken()
    told.after(seconds=899)
    assert told.overdue() == 0
    told.after(seconds=1)
    assert told.overdue() == 1 and told.overdue() == 0
    assert told.entries(number)[-1] == "unanswered"
    with told.registry.reading() as connection:
        said = list(
            connection.execute(sa.select(t.announcement.c.data).where(t.announcement.c.type == "incident.changed"))
        )[-1].data
    assert said["change"] == "unanswered" and said["party"] == "dm" and said["delivered"] is False
    late = told.after(seconds=1).says(number, "dm", "release", "sorry")
    assert late.late and len(told.commands()) == 1


def test_what_a_party_owes_is_counted(told: Told) -> None:
    def owed() -> dict[str, tuple[int, int]]:
        with told.registry.reading() as connection:
            return kept.owed(connection, told.clock())

    assert owed() == {}
    number = told.broken()
    assert owed() == {"dm": (1, 0)}, "the application need not acknowledge"
    told.after(seconds=901)
    assert owed() == {"dm": (1, 1)}
    told.says(number, "dm", "keep", "as planned")
    assert owed() == {}


def test_who_has_answered_is_not_missed_nor_is_anybody_of_what_is_over(told: Told) -> None:
    first, second = told.broken(1), told.broken(2)
    told.says(first, "dm")
    with told.registry.writing() as connection:
        connection.execute(sa.update(t.incident).where(t.incident.c.number == second).values(state="resolved"))
    told.after(hours=1)
    assert told.overdue() == 0


def test_a_second_break_of_the_same_incident_tells_again_and_keeps_the_deadline(told: Told) -> None:
    number = told.broken()
    before = told.told_of(number)["dm"]
    told.after(minutes=1)
    told.broken()
    assert told.told_of(number)["dm"] == before


def test_a_second_break_in_the_same_incident_needs_its_own_answer(told: Told) -> None:
    number = told.broken()
    first = told.says(number, "dm", "release", "exchanged")
    told.after(minutes=2)
    assert told.broken() == number
    row = told.told_of(number)["dm"]
    assert row.answered_at is None and row.deadline_at == told.clock() + 900 * S
    with pytest.raises(BrokenAgain, match=r"binding\.broken:"):
        told.says(number, "dm", "release", "the same, sent again or late")
    with pytest.raises(BrokenAgain):
        told.says(number, "dm", "release", "of the first", announcement="binding.broken:0/1/0")
    second = told.says(number, "dm", "release", "and again", announcement=row.announcement)
    assert not second.repeated and second.command == f"{first.command}/2"
    assert [one.id for one in told.commands()] == [first.command, second.command]
    assert told.says(number, "dm", "release", "twice", announcement=row.announcement).repeated


def test_before_an_answer_the_first_time_told_counts(told: Told) -> None:
    number = told.broken()
    deadline = told.told_of(number)["dm"].deadline_at
    told.after(minutes=2)
    assert told.broken() == number
    assert told.told_of(number)["dm"].deadline_at == deadline
