"""A theft, from rows of the journal to the words that a person reads: where to, with what proof, what is open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.recording import HOUR, IMSI, METERS, PHONE, Recording
from simward.control.following import Following
from simward.engine import events as ev
from simward.engine.journal import row_outputs
from simward.engine.outputs import DISCONNECT
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.story import read_story
from simward.incident_settings import IncidentSettings
from simward.registry import incidents as kept
from simward.registry import tables as t
from simward.registry.database import Registry
from simward.response.announcing import Announcing
from simward.response.incident_story import Section, document, story
from simward.response.incidents import Incidents


class Theft:
    """A meter's SIM goes into a phone; its gate locks it, and ends the session that came up meanwhile."""

    def __init__(self, folder: Path, registry: Registry, policies: str = METERS) -> None:
        self.folder, self.registry = folder, registry
        self.journal = SqliteJournal.open(folder / "journal")
        self.recording = Recording(policies, self.journal).declare()
        self.now = self.recording.now
        self.announcing = Announcing([], lambda: self.recording.now)
        self.incidents = Incidents(self.announcing, IncidentSettings(), lambda: self.recording.now)

    def followed(self) -> None:
        """The control process reads what there is."""
        following = Following(self.folder, self.registry, [self.incidents, self.announcing])
        while following.step():
            pass
        following.close()
        with self.registry.writing() as connection:
            self.incidents.tick(connection, self.recording.now)

    def effect(self) -> tuple[int, int]:
        """Sequence and index of the Disconnect that was sent."""
        for row in self.journal.rows():
            for one in row_outputs(row):
                if one["kind"] == DISCONNECT:
                    return int(one["sequence"]), int(one["index"])
        raise AssertionError("no Disconnect")

    def told(self, number: int = 1) -> dict[str, list[str]]:
        """Lines by section."""
        chapters = read_story(self.journal, IMSI).told(everything=True)["chapters"]
        with self.registry.reading() as connection:
            row = kept.get(connection, number)
            sections: list[Section] = story(connection, row, {IMSI: chapters})
            assert document(connection, row, sections)["story"]
        return {one.title: [text for _, text in one.lines] for one in sections}

    def incident(self, number: int = 1) -> Any:
        with self.registry.reading() as connection:
            return kept.get(connection, number)


@pytest.fixture
def theft(tmp_path: Path, registry: Registry) -> Theft:
    return Theft(tmp_path / "data", registry)


def test_tells_a_theft(theft: Theft) -> None:
    recording = theft.recording
    recording.session("m1", HOUR).after(9 * HOUR)
    recording.asks(imei=PHONE, cell="ecgi:2002", area=9)
    recording.after(30).asks(imei=PHONE, cell="ecgi:2002", area=9)
    theft.followed()
    told = theft.told()
    assert any(line.startswith("Finding device-change/other-model (high)") for line in told["What happened"])
    assert told["What dropped the device off"] == ["Session m1 ended: Stop (user request)."]
    (came, refused) = told["Did it come back, and where"]
    assert came.startswith("Away 9 h. It came back elsewhere: ") and "cell ecgi:1001 → ecgi:2002" in came
    assert refused.startswith("Refused: ") and "2 requests so far" in refused
    assert told["Did anything else change"] == ["Yes: device 35000000000001 → 35999900000007."]
    assert "fell silent within an hour" in told["What else fell silent there"][0]
    assert any("was locked" in line for line in told["What was done, with what proof"])
    assert "To be acknowledged." in told["What is still open"]


def test_tells_what_was_done_with_what_proof(theft: Theft) -> None:
    """The meter's own session is up when the phone asks: it is ended, and the gateway says so."""
    recording = theft.recording
    recording.asks()
    recording.event(ev.ACCOUNTING_START, "m1", address="10.64.0.0")
    recording.after(60).asks(imei=PHONE)
    sequence, index = theft.effect()
    theft.followed()
    assert theft.incident().state == "open"
    recording.after(1).event(ev.EFFECT_RESULT, "m1", imsi=IMSI, cause=ev.EFFECT_ACK, subject=sequence, request=index)
    theft.followed()
    one = theft.incident()
    assert (one.state, one.containment["ways"]) == ("contained", {"ack": 1})
    told = theft.told()
    assert any("pgw1 acknowledged" in line for line in told["What was done, with what proof"])
    assert "Contained: 1 effect, each proved by its gateway." in told["How it went on"]
    assert told["What dropped the device off"][0].startswith("No end of session m1") or "m1" in str(told)


def test_tells_who_was_told_and_who_answered(theft: Theft) -> None:
    theft.recording.session("m1", HOUR).after(HOUR).asks(imei=PHONE)
    theft.followed()
    now = theft.recording.now
    with theft.registry.writing() as connection:
        for party, answered in (("dm", now + 1), ("app", None)):
            connection.execute(t.incident_party.insert().values(
                incident=1, party=party, announcement="a", told_at=now, delivered_at=now, deadline_at=now + 60,
                answered_at=answered, action="keep" if answered else None, reason="known" if answered else None,
            ))  # fmt: skip
    first, second = theft.told()["Who was told, and who answered what"]
    assert first.startswith("app was told") and "has not answered" in first
    assert second.startswith("dm was told") and "keep (known)" in second


def test_boundary_of_what_a_story_tells(theft: Theft) -> None:
    """One that was never up before: nothing is made up."""
    theft.recording.asks(apn="other.iot")
    theft.recording.revise(METERS.replace("default: observe", "default: notify"))
    theft.recording.after(60).asks(apn="another.iot")
    theft.followed()
    told = theft.told()
    assert told["What dropped the device off"] == ["Nothing is known of a session before."]
    assert told["What was done, with what proof"] == ["Nothing: policy asked only that somebody know."]
