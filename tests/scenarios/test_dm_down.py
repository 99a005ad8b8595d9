"""Device management is down for an hour while a SIM is stolen: what waits for it, and what does not, minute by minute.

Gate fold, journal, registry, dispatcher, API and both receivers are the real ones; only the clocks are a story's.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from standardwebhooks import webhooks

sys.path.insert(0, str(Path(__file__).parents[1]))

from control.outgoing import ManualClock
from control.running import RunningControl
from engine.recording import ICCID, IMSI, MINUTE, OTHER_ICCID, OTHER_IMSI, PHONE, Recording
from gate.running import RunningGate
from scenarios.parties import LOOK_S, PATIENCE_S, System
from simward.control.api.incidents import incident_routes
from simward.control.following import Following
from simward.control.outward import Outward
from simward.engine import events as ev
from simward.engine.outputs import DISCONNECT, LOCKED, RELEASED, VERDICT
from simward.engine.phrases import when
from simward.engine.sqlite_journal import SqliteJournal
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url
from simward.response.announcing import Announcing
from simward.response.auditing import Auditing
from simward.response.incidents import Incidents
from simward.response.judging import Judging
from simward.response.work_orders import WorkOrders
from simward.settings import Settings

POLICY = """\
use_case: water-meter
segment: metering
binding: {mode: first-use, not_reported: refuse}
responses: {default: observe, device-change: lock, device-change/software: observe}
release_when: bound-device-returns
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/12
"""
STEP_S = 10.0
ADDRESS = "10.64.0.1"
"""The first of the pool that is a device's."""
METER_IMEI, PHONE_IMEI, OTHER_METER = "35000000000001", "35999900000007", 35000000000002


class Story:
    """A fleet of two, the gate that journals them, and the control plane behind; time passes by `after` alone."""

    def __init__(self, folder: Path, dm: System, app: System) -> None:
        more = dm.settings(use_cases='["water-meter"]', may='["keep"]', acknowledge_within='"15m"')
        more += app.settings("binding.*", "subscription.*", "incident.*")
        self.folder = RunningGate(folder, 2, more=more, policy=POLICY, control="127.0.0.1:0").folder
        settings = Settings.load(self.folder)
        settings.data_dir.mkdir(exist_ok=True)
        self.journal = SqliteJournal.open(settings.data_dir / "journal")
        self.gate = Recording(POLICY, self.journal).declare().declare(OTHER_IMSI, OTHER_ICCID, "+4740000002")
        self.clock = clock = ManualClock(self.gate.now)
        self.registry = Registry.open(sqlite_url(settings.data_dir))
        self.registry.migrate()
        announcing = Announcing(settings.endpoints, clock.now, settings.parties)
        self.incidents = Incidents(announcing, settings.incidents, clock.now)
        self.outward = Outward(settings, self.registry, announcing, _no_command, self.incidents.life, clock)
        takers = [WorkOrders(announcing), self.incidents, announcing]
        self.following = Following(settings.data_dir, self.registry, takers, [Auditing()])
        routes = [incident_routes(self.registry, Judging(self.incidents.life), settings.data_dir, clock.now)]
        self.control = RunningControl(
            self.folder, parts=self.outward.parts, routes=[*routes, *self.outward.routes],
            authenticators=self.outward.authenticators,
        )  # fmt: skip

    def close(self) -> None:
        self.control.close()
        self.following.close()
        self.registry.close()
        self.journal.close()

    @property
    def address(self) -> str:
        """Where parties answer."""
        return "{}:{}".format(*self.control.tcp())

    def follow(self) -> None:
        """What the thread behind the API does: take what is new, let pass what has passed, wake who sends."""
        while self.following.step():
            pass
        with self.registry.writing() as connection:
            self.incidents.tick(connection, self.clock.now())
            self.outward.tick(connection, self.clock.now())
        for wake in self.outward.changed:
            wake()

    def after(self, seconds: float, each_s: float = STEP_S) -> None:
        """Time passes for gate and control, with a tick of the gate every so often."""
        end = self.gate.now + round(seconds * 1_000_000)
        while self.gate.now < end:
            step_s = min(each_s, (end - self.gate.now) / 1e6)
            self.gate.after(step_s).event(ev.TICK, gateway=0)
            self.control.from_outside(lambda: self.clock.advance(step_s))  # noqa: B023
            self.follow()

    def until(self, happened: Callable[[], object], each_s: float = 0.0) -> None:
        """Wait for threads and sockets; with `each_s` so much of the story's time passes at each look."""
        end = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < end, "it never happened"
            if each_s:
                self.after(each_s)
            time.sleep(LOOK_S)

    def waiting(self, endpoint: str) -> list[Any]:
        """The deliveries that an endpoint has not taken."""
        c = t.delivery.c
        asked = sa.select(t.delivery).where(c.endpoint == endpoint, c.state == "waiting").order_by(c.number)
        with self.registry.reading() as connection:
            return list(connection.execute(asked))

    def announced(self, endpoint: str) -> list[str]:
        """The ids of all that an endpoint is to get, in the order in which it was said."""
        asked = sa.select(t.announcement.c.id).join(t.delivery).where(t.delivery.c.endpoint == endpoint)
        with self.registry.reading() as connection:
            return list(connection.execute(asked.order_by(t.announcement.c.number)).scalars())

    def incident(self, number: int) -> dict[str, Any]:
        """The whole of one, by the API."""
        document: dict[str, Any] = self.control.ask("GET", f"/v1/incidents/{number}").document
        return document

    def answers(self, number: int, question: str) -> list[str]:
        """What an incident's story says to a question."""
        [section] = [one for one in self.incident(number)["story"] if one["question"] == question]
        return [one["text"] for one in section["answers"]]


async def _no_command(payload: dict[str, Any]) -> dict[str, Any]:
    raise AssertionError(f"nobody asked the gate for {payload}")


@pytest.fixture
def systems() -> Iterator[tuple[System, System]]:
    with System("dm") as dm, System("app") as app:
        yield dm, app


@pytest.fixture
def story(tmp_path: Path, systems: tuple[System, System], monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    made = Story(tmp_path / "net", *systems)

    class StoryTime(datetime):
        """The receivers live by the story's clock too: what is signed must be signed anew at each attempt."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> StoryTime:
            return cls.fromtimestamp(made.clock.now() / 1e6, tz or UTC)

    monkeypatch.setattr(webhooks, "datetime", StoryTime)
    yield made
    made.close()


def test_device_management_is_down_for_an_hour(story: Story, systems: tuple[System, System]) -> None:
    dm, app = systems
    gate = story.gate
    _installed(story, dm, app)
    dm.down()
    story.after(60 * MINUTE, each_s=600)
    stolen_at = gate.now
    incident = _stolen(story, app)

    # Nothing else waits for who is down: another meter is installed, and the application knows at once.
    gate.asks(imsi=OTHER_IMSI, imei=OTHER_METER)
    story.follow()
    assert app.told("binding.established", OTHER_IMSI)["data"]["device"]["imei"].startswith(str(OTHER_METER))
    status, recorded = app.acknowledges(story.address, incident, reason="its data is discarded")
    assert (status, recorded["late"], recorded["command"]) == (200, False, None)

    # A quarter of an hour later device management has not answered, and who is up is told so.
    story.after(15 * MINUTE - 1)
    assert not _changes(app, "unanswered")
    story.after(2, each_s=1)
    story.until(lambda: _changes(app, "unanswered"))
    said = _changes(app, "unanswered")[0]
    assert (said["party"], said["delivered"]) == ("dm", False)
    assert any("dm was to acknowledge and has not: it could not be delivered." in line
               for line in story.answers(incident, "How it went on"))  # fmt: skip

    story.after(stolen_at / 1e6 + 3600 - gate.now / 1e6)
    waiting = story.waiting("dm")
    assert {"binding.broken", "subscription.locked", "incident.opened", "incident.changed"} <= _types(story, waiting)
    assert dm.find("binding.broken") is None
    tried = {one.lane: one for one in reversed(waiting)}
    heads = {one.number for one in tried.values()}
    assert all(one.attempts == 0 for one in waiting if one.number not in heads), "the first of a subject goes first"
    assert 1 <= tried[IMSI].attempts <= 90, "it backs off: a try a minute, and not thousands"
    assert not story.waiting("app")

    _up_again(story, dm, app, incident)
    _returned(story, dm, app, incident, stolen_at)


def _installed(story: Story, dm: System, app: System) -> None:
    """An installer has put device A to work as use case B: the application may expect C's data over D."""
    outputs = story.gate.asks()
    story.gate.event(ev.ACCOUNTING_START, "m1", address=ADDRESS)
    story.follow()
    established = app.told("binding.established", IMSI)
    assert {one["kind"] for one in outputs}.isdisjoint({VERDICT, LOCKED})
    data = established["data"]
    assert data["device"]["imei"].startswith(METER_IMEI)
    assert data["subscription"] == {"imsi": IMSI, "iccid": ICCID}
    assert (data["use_case"], data["segment"], data["apn"]) == ("water-meter", "metering", "meters.iot")
    assert data["address"] == ADDRESS
    assert dm.told("binding.established", IMSI) == established
    story.until(lambda: not story.waiting("dm"))


def _stolen(story: Story, app: System) -> int:
    """The SIM wakes up in a phone while the meter's session is up: refused, locked, the session ended with proof."""
    outputs = story.gate.asks(imei=PHONE)
    assert {VERDICT, LOCKED, DISCONNECT} <= {int(one["kind"]) for one in outputs}
    story.follow()
    broken = app.told("binding.broken", IMSI)
    assert broken["data"]["now"].startswith(PHONE_IMEI) and broken["data"]["was"].startswith(METER_IMEI)
    assert app.told("subscription.locked", IMSI)["causationid"] == broken["causationid"]
    [effect] = [one for one in outputs if one["kind"] == DISCONNECT]
    story.gate.after(1).event(
        ev.EFFECT_RESULT, "m1", imsi=IMSI, cause=ev.EFFECT_ACK, subject=int(effect["sequence"]),
        request=int(effect["index"]),
    )  # fmt: skip
    story.control.from_outside(lambda: story.clock.advance(1))
    story.follow()
    number = int(broken["data"]["incident"])
    story.until(lambda: _changes(app, "contained"))
    assert story.incident(number)["containment"]["ways"] == {"ack": 1}
    return number


def _up_again(story: Story, dm: System, app: System, incident: int) -> None:
    """Everything comes: in order, once each, and it answers."""
    dm.up()
    before = story.clock.now()
    story.until(lambda: not story.waiting("dm"), each_s=1.0)
    assert story.clock.now() - before < 90 * 1_000_000, "an hour of absence costs a minute or so"
    assert sorted(dm.ids) == sorted(story.announced("dm")), "each once, under its id"
    assert dm.broken_promises(gapless=True) == []
    status, recorded = dm.acknowledges(story.address, incident, action="keep", reason="we were down")
    assert (status, recorded["late"], recorded["repeated"]) == (200, True, False)
    story.until(lambda: len(_changes(app, "answered")) == 2)
    said = _changes(app, "answered")[1]
    assert (said["party"], said["action"], said["late"]) == ("dm", "keep", True)


def _returned(story: Story, dm: System, app: System, incident: int, stolen_at: int) -> None:
    """The meter is back with its SIM: let in by the gate itself, and both know."""
    outputs = story.gate.after(MINUTE).asks()
    assert {int(one["kind"]) for one in outputs} >= {RELEASED} and VERDICT not in {int(one["kind"]) for one in outputs}
    story.control.from_outside(lambda: story.clock.advance(MINUTE))
    story.follow()
    released = dm.told("subscription.released", IMSI)
    assert released["data"]["why"] == "bound-device-returned"
    assert app.told("subscription.released", IMSI) == released
    for one in (dm, app):
        story.until(lambda: not story.waiting(one.name), each_s=1.0)  # noqa: B023
        assert sorted(one.ids) == sorted(story.announced(one.name))
        assert one.broken_promises(gapless=one is dm) == []
    kinds = ("binding.established", "binding.broken", "subscription.locked", "subscription.released")
    assert [kind for kind in dm.of(IMSI) if kind in kinds] == list(kinds)

    assert f"{IMSI} was released by the gate: its device came back." in story.answers(incident, "How it went on")
    told = {one["party"]: one for one in story.incident(incident)["parties"]}
    assert {one["told_at"] for one in told.values()} == {when(stolen_at)}
    assert told["app"]["delivered_at"] == when(stolen_at) and told["app"]["reason"] == "its data is discarded"
    assert told["dm"]["delivered_at"] >= when(stolen_at + 3600 * 1_000_000)
    assert told["dm"]["answered_at"] >= told["dm"]["delivered_at"] > told["dm"]["escalated_at"]
    first, second = story.answers(incident, "Who was told, and who answered what")
    assert first.startswith("app was told, delivered ") and first.endswith(" (its data is discarded).")
    at = told["dm"]["delivered_at"][11:19]
    assert second.startswith(f"dm was told, delivered {at}; answered ") and second.endswith(": keep (we were down).")


def _changes(system: System, change: str) -> list[dict[str, Any]]:
    """What came of one kind of change of an incident."""
    found = [event["data"] for event in list(system.events) if event["type"] == "incident.changed"]
    return [data for data in found if data["change"] == change]


def _types(story: Story, deliveries: list[Any]) -> set[str]:
    numbers = [one.announcement for one in deliveries]
    asked = sa.select(t.announcement.c.type).where(t.announcement.c.number.in_(numbers))
    with story.registry.reading() as connection:
        return set(connection.execute(asked).scalars())
