"""The loop with a port of pretend packets, a clock of the test's and a journal that can be made to refuse."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from simward.engine import events
from simward.engine.fold import Fold
from simward.engine.journal import INVENTORY, MemoryJournal, Row, row_events
from simward.engine.outputs import DISCONNECT, sent_effects
from simward.engine.tables import DECLARED, LIFECYCLE, InventoryDelta
from simward.gate.clock import Clock
from simward.gate.commands import IMSIS_MAX, CommandDesk
from simward.gate.loop import Gate
from simward.gate.metrics import Metrics
from simward.gate.recorder import PENDING_OCTETS_MAX, RETRY_S, Recorder
from simward.identity import Iccid

TEXT_ICCID = "8901010000000000011"
ICCID = Iccid.parse(TEXT_ICCID).number
IMSI = 1_00101_0000000001


class PretendPort:
    """Hands out what a test put there; keeps what was answered."""

    numbers = ()

    def __init__(self) -> None:
        self.requests: list[np.ndarray] = []
        self.records: list[np.ndarray] = []
        self.answered: list[int] = []
        self.refused: list[int] = []
        self._batch: list[np.ndarray] = []

    def receive(self, *, accounting: bool = True) -> int:
        self._batch, self.requests = self.requests, []
        if accounting:
            self._batch, self.records = self._batch + self.records, []
        return len(self._batch)

    def discard_accounting(self) -> int:
        dropped, self.records = len(self.records), []
        return dropped

    def decode(self, now: int) -> Any:
        batch = np.concatenate([events.empty(0), *self._batch])
        batch["received_at"] = now
        return SimpleNamespace(events=batch)

    def remember(self, decoded: Any, results: np.ndarray) -> None:
        pass

    def answer(self, decoded: Any, results: np.ndarray, now: int, *, without: np.ndarray | None = None) -> int:
        sent = decoded.events["request"][~without if without is not None else slice(None)]
        self.answered += sent.tolist()
        return len(sent)

    def forget(self, decoded: Any) -> None:
        pass

    def refuse(self, decoded: Any, text: str) -> int:
        sent = decoded.events["request"][decoded.events["kind"] == events.ACCESS_REQUEST]
        self.refused += sent.tolist()
        return len(sent)


class NoDisconnects:
    """Nothing to cut, nothing heard."""

    numbers, due_at = (), float("inf")

    def __init__(self) -> None:
        self.results: list[np.ndarray] = []
        self.asked: list[np.ndarray] = []

    def request(self, outputs: np.ndarray) -> None:
        """Keep what is to be sent; the rows themselves are used again."""
        sent = sent_effects(outputs).copy()
        if len(sent):
            self.asked.append(sent)

    def take(self, limit: int) -> list[np.ndarray]:
        taken, self.results = self.results[:limit], self.results[limit:]
        return taken


class Caller:
    """Stands in for a call on the command socket."""

    def __init__(self, **payload: Any) -> None:
        self.payload = payload
        self.said: dict[str, Any] = {}

    def answer(self, **facts: Any) -> None:
        self.said = {"ok": True, **facts}

    def refuse(self, error: str, **facts: Any) -> None:
        self.said = {"ok": False, "error": error, **facts}


class House:
    """A gate and everything around it, by hand."""

    def __init__(self, allow: bool = False, imsis: int = 1) -> None:
        """`imsis`: how many the one card of the inventory carries."""
        self.now = 1000.0
        self.journal = MemoryJournal()
        self.fold = Fold.new()
        self.port, self.disconnects, self.metrics = PretendPort(), NoDisconnects(), Metrics()
        self.desk = CommandDesk({})
        upserts = np.zeros(imsis, DECLARED)
        upserts["imsi"], upserts["iccid"] = IMSI + np.arange(imsis), ICCID
        delta = InventoryDelta(upserts, np.zeros(0, np.int64), [""])
        self.fold.inventory(delta, 1)
        self.journal.append(Row(1, 1, INVENTORY, 1, self.fold.kernel, delta.to_bytes(), b""))
        self.recorder = Recorder(self.journal, self.disconnects.request)
        self.gate = Gate(
            self.fold, self.recorder, self.port, self.desk, self.disconnects, self.metrics,  # type: ignore[arg-type]
            Clock(wall_ns=lambda: int(self.now * 1e9)), allow_when_not_durable=allow, monotonic=lambda: self.now,
        )
        self.gate.tick_at = self.now + 1

    def event(self, kind: int, request: int, session: bytes = b"S1", imsi: int = IMSI) -> np.ndarray:
        made = events.empty(1)
        made["kind"], made["request"], made["imsi"], made["imei"] = kind, request, imsi, 35000001000001
        made["gateway"] = made["client"] = self.fold.state.texts.intern(b"pgw1")
        made["session_id"][0, : len(session)] = np.frombuffer(session, np.uint8)
        made["session_id_octets"] = len(session)
        made["happened_at"] = int(self.now * 1e6)
        return made

    def asks(self, request: int) -> None:
        self.port.requests.append(self.event(events.ACCESS_REQUEST, request))

    def reports(self, request: int, kind: int = events.ACCOUNTING_START) -> None:
        self.port.records.append(self.event(kind, request))

    def after(self, seconds: float) -> House:
        self.now += seconds
        return self

    def journalled(self) -> list[int]:
        return [int(kind) for row in self.journal.rows(after=1) for kind in row_events(row)["kind"]]

    def commands(self, **payload: Any) -> Caller:
        caller = Caller(actor="alice", because="a test", **payload)
        self.desk.hear(caller)  # type: ignore[arg-type]
        return caller


def test_a_batch_is_journalled_then_answered() -> None:
    house = House()
    house.asks(1)
    house.reports(2)
    assert house.gate.turn() == 2
    assert house.port.answered == [1, 2]
    assert house.journalled() == [events.ACCESS_REQUEST, events.ACCOUNTING_START]
    assert house.journal.last == house.fold.sequence == 3
    assert house.metrics.get("decisions_total", "allow") == 1


def test_a_retransmission_is_answered_and_not_journalled() -> None:
    house = House()
    for _ in range(2):
        house.reports(2)
        house.gate.turn()
    assert house.port.answered == [2, 2]
    assert house.journalled() == [events.ACCOUNTING_START]


def test_a_tick_each_second_without_traffic() -> None:
    house = House()
    for _ in range(10):
        house.after(0.25).gate.turn()
    assert house.journalled() == [events.TICK, events.TICK]


def test_a_pause_of_the_machine_is_one_tick_not_a_burst() -> None:
    house = House()
    house.after(3600).gate.turn()
    house.gate.turn()
    house.after(1).gate.turn()
    assert house.journalled() == [events.TICK, events.TICK]


def test_a_command_goes_before_the_packets_of_its_batch() -> None:
    house = House()
    lock = house.commands(do="lock", iccid=TEXT_ICCID, id="c1")
    house.asks(1)
    house.gate.turn()
    assert lock.said["ok"] and lock.said["result"] == "applied"
    assert house.journalled() == [events.COMMAND_LOCK, events.ACCESS_REQUEST]
    assert house.fold.state.subscriptions["locked"][0]
    row = next(house.journal.rows(after=1))
    assert row.notes["commands"] == {"2": {"do": "lock", "actor": "alice", "because": "a test", "id": "c1"}}


def test_a_command_sent_twice_is_done_once() -> None:
    house = House()
    first, second = (house.commands(do="release", iccid=TEXT_ICCID, id="c1") for _ in range(2))
    house.gate.turn()
    assert (first.said["result"], second.said["result"]) == ("applied", "duplicate")
    assert house.journalled() == [events.COMMAND_RELEASE]
    row = next(house.journal.rows(after=1))
    assert list(row.notes["commands"]) == ["2"]


def test_commands_that_cannot_be_meant_are_refused_in_words() -> None:
    house = House()
    assert "unknown command 'reboot'" in house.commands(do="reboot").said["error"]
    for name in ([], {}, None, 7):
        assert "do:" in house.commands(do=name).said["error"]
    assert "no text" in house.commands(do="lock", iccid=TEXT_ICCID, id="\ud800").said["error"]
    assert "ICCID" in house.commands(do="lock", iccid="12").said["error"]
    silent = Caller(do="pause")
    house.desk.hear(silent)  # type: ignore[arg-type]
    assert silent.said["error"].startswith("because:")
    stale = house.commands(do="lock", iccid=TEXT_ICCID, generation=7)
    strange = house.commands(do="lock", iccid="8901010000000009998")
    house.gate.turn()
    assert stale.said["result"] == "stale" and not stale.said["ok"]
    assert strange.said["result"] == "not-found"


def test_a_command_is_about_every_imsi_of_the_card() -> None:
    house = House(imsis=3)
    for number in range(2):
        house.port.records.append(house.event(events.ACCOUNTING_START, number + 1, b"S%d" % number, IMSI + number))
    house.gate.turn()
    lock = house.commands(do="lock", iccid=TEXT_ICCID, id="c1")
    house.gate.turn()
    assert house.fold.state.subscriptions["locked"][:3].all()
    assert (lock.said["result"], lock.said["imsis"]) == ("applied", {"applied": 3})
    cut = [row for rows in house.disconnects.asked for row in rows if row["kind"] == DISCONNECT]
    assert sorted(int(row["imsi"]) for row in cut) == [IMSI, IMSI + 1]
    notes = list(house.journal.rows(after=3))[-1].notes["commands"]
    assert sorted(notes) == ["4", "5", "6"] and {note["id"] for note in notes.values()} == {"c1"}
    again = house.commands(do="lock", iccid=TEXT_ICCID, id="c1")
    house.gate.turn()
    assert (again.said["ok"], again.said["result"], again.said["imsis"]) == (True, "duplicate", {"duplicate": 3})
    assert house.journalled().count(events.COMMAND_LOCK) == 3
    release = house.commands(do="release", iccid=TEXT_ICCID, id="c2")
    house.gate.turn()
    assert release.said["result"] == "applied" and not house.fold.state.subscriptions["locked"][:3].any()


def test_a_release_says_that_the_inventory_keeps_it_out() -> None:
    house = House(imsis=2)
    active = house.commands(do="release", iccid=TEXT_ICCID)
    house.gate.turn()
    assert active.said["ok"] and "state" not in active.said
    house.fold.state.subscriptions["lifecycle"][:2] = (0, LIFECYCLE.index("suspended"))
    release = house.commands(do="release", iccid=TEXT_ICCID)
    house.gate.turn()
    assert (release.said["result"], release.said["state"]) == ("applied", "suspended")


def test_a_command_that_fits_one_imsi_of_the_card_is_applied() -> None:
    house = House(imsis=2)
    house.fold.state.subscriptions["generation"][:2] = (7, 8)
    one = house.commands(do="lock", iccid=TEXT_ICCID, generation=8, id="c1")
    none = house.commands(do="lock", iccid=TEXT_ICCID, generation=9, id="c2")
    house.gate.turn()
    assert (one.said["result"], one.said["generation"]) == ("applied", 8)
    assert one.said["imsis"] == {"stale": 1, "applied": 1}
    assert list(house.fold.state.subscriptions["locked"][:2] != 0) == [False, True]
    assert (none.said["ok"], none.said["result"]) == (False, "stale")


def test_an_iccid_that_no_card_can_have_is_refused() -> None:
    house = House(imsis=IMSIS_MAX + 1)
    lock = house.commands(do="lock", iccid=TEXT_ICCID)
    pause = house.commands(do="pause")
    house.gate.turn()
    assert "33 subscriptions" in lock.said["error"] and pause.said["result"] == "applied"
    assert house.journalled() == [events.COMMAND_PAUSE]


def test_while_the_journal_refuses_requests_are_refused_and_accounting_is_not_acknowledged() -> None:
    house = House()
    house.journal.refusing = "No space left on device"
    house.asks(1)
    house.reports(2)
    house.gate.turn()
    assert (house.port.answered, house.port.refused) == ([], [1])
    house.asks(3)
    house.reports(4)
    lock = house.commands(do="pause")
    house.after(0.1).gate.turn()
    assert (house.port.answered, house.port.refused, lock.said["ok"]) == ([], [1, 3], False)
    assert house.metrics.get("not_durable_total", "accounting") == 2
    assert house.metrics.get("not_durable_total", "refused") == 2
    house.journal.refusing = ""
    house.reports(2)
    house.after(RETRY_S).gate.turn()
    assert house.port.answered == [2], "sent again by the gateway: now it is durable, and in the journal once"
    kept = [kind for kind in house.journalled() if kind != events.TICK]
    assert kept == [events.ACCESS_REQUEST, events.ACCOUNTING_START]
    assert house.journal.last == house.fold.sequence


def test_where_it_is_allowed_requests_are_answered_before_they_are_durable() -> None:
    house = House(allow=True)
    house.journal.refusing = "No space left on device"
    for request in (1, 3, 5):
        house.asks(request)
        house.reports(request + 1)
        house.after(0.01).gate.turn()
    assert (house.port.answered, house.port.refused, house.journalled()) == ([1, 3, 5], [], [])
    house.journal.refusing = ""
    house.after(RETRY_S).gate.turn()
    assert house.journalled()[:4] == [1, 2, 1, 1], "in order; the record of the batch that failed is among them"
    assert house.journal.last == house.fold.sequence


def test_answering_before_it_is_durable_has_a_bound() -> None:
    house = House(allow=True)
    house.journal.refusing = "full"
    house.asks(1)
    house.gate.turn()
    house.recorder.pending_octets = PENDING_OCTETS_MAX
    house.asks(2)
    house.gate.turn()
    assert (house.port.answered, house.port.refused) == ([1], [2])


def test_disconnects_leave_only_when_they_are_durable() -> None:
    house = House()
    house.reports(1)
    house.gate.turn()
    house.journal.refusing = "full"
    house.commands(do="disconnect", iccid=TEXT_ICCID)
    house.gate.turn()
    assert not house.disconnects.asked
    house.journal.refusing = ""
    house.after(RETRY_S).gate.turn()
    assert [int(row["kind"]) for rows in house.disconnects.asked for row in rows].count(DISCONNECT) == 1


def test_what_the_gateway_said_becomes_an_event() -> None:
    house = House()
    house.reports(1)
    house.gate.turn()
    house.commands(do="disconnect", iccid=TEXT_ICCID)
    house.gate.turn()
    effect = next(row for rows in house.disconnects.asked for row in rows if row["kind"] == DISCONNECT)
    house.disconnects.results.append(house.fold.effect_result(effect, events.EFFECT_ACK, 0, 0)[0])
    house.gate.turn()
    assert house.journalled()[-1] == events.EFFECT_RESULT
    assert not len(house.fold.pending_effects())
