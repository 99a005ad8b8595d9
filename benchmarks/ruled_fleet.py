"""A fleet, its gate's fold and journal, and the control plane's automation over them, on one clock and in one process.

The commands of the outbox go through the gate's own desk (`gate/commands.py`) and fold; what stands between them in
service, the command socket and its retries, is not here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from simward.control.following import Following
from simward.engine import events as e
from simward.engine.apply import revision_row
from simward.engine.call_records import LAYOUT, records_folder, records_row
from simward.engine.fold import Fold
from simward.engine.journal import events_row
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.tables import DECLARED, InventoryDelta
from simward.gate.commands import answer as answer_calls
from simward.gate.commands import command_of, notes_of, parts_of
from simward.policy.compile import Beside, compile_policy
from simward.policy.load import read_policies
from simward.policy.models import read_models
from simward.policy.places import read_cells
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url
from simward.registry.work_orders import is_open
from simward.response.announcing import Announcing
from simward.response.incident_life import Life
from simward.response.rules.acting import Automation
from simward.response.rules.opening import RaisedIncidents
from simward.settings import Endpoint, Party, Settings
from simward.watch.following import Follower

METER = 35000000000001
IMSI = 1_001010000000001
ICCID = 1_00_1000000000000001
START_AT = 1_790_000_000_000_000
SECOND_US = 1_000_000
BATCH = 256
COMMANDS_AT_ONCE = 64
ENDPOINTS = (Endpoint("ops", "webhook", events=("nothing.*",)),)
PARTIES = (Party("dm", "ops"),)


class _Call:
    """A command as the gate's desk hears it, and its answer."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.payload = payload
        self.said: dict[str, Any] = {}

    def answer(self, **facts: Any) -> None:
        self.said = {"ok": True, **facts}

    def refuse(self, error: str, **facts: Any) -> None:
        self.said = {"ok": False, "error": error, **facts}


class RuledFleet:
    """`members` meters of one use case, each bound to a device of its own."""

    def __init__(self, folder: Path, policy: str, members: int) -> None:
        self.now, self.members = START_AT, members
        self.data_dir = folder / "data"
        self.fold = Fold.new()
        self.journal = SqliteJournal.open(self.data_dir / "journal")
        self.journal.register_kernel(self.fold.kernel, self.fold.manifest())
        self._settings = Settings(folder, endpoints=ENDPOINTS, parties=PARTIES)
        self.apply(policy)
        lines = np.zeros(members, DECLARED)
        lines["imsi"] = IMSI + np.arange(members)
        lines["iccid"] = ICCID + np.arange(members)
        self._revise(InventoryDelta(lines, np.zeros(0, np.int64), ["meter"]))
        self.registry = Registry.open(sqlite_url(self.data_dir))
        self.registry.migrate()
        announcing = Announcing(ENDPOINTS, lambda: self.now)
        self.automation = Automation(
            announcing, lambda: self.now, parties=PARTIES,
            incidents=RaisedIncidents(Life(announcing, self._settings.incidents)), work_orders=is_open,
        )  # fmt: skip
        self.begin()
        self.comes(range(members))

    def begin(self) -> None:
        """A control process starts."""
        self.following = Following(self.data_dir, self.registry, [self.automation])

    def apply(self, policy: str) -> None:
        """A revision of the policy."""
        beside = Beside(read_cells(Path("/nowhere")), read_models(Path("/nowhere")))
        self._revise(compile_policy(read_policies({"policy.yaml": policy}), self._settings, beside))

    def _revise(self, revision: Any) -> None:
        self.journal.append(revision_row(self.fold, revision, self.now))

    def comes(self, members: Iterable[int], device: int = 0) -> None:
        """Each asks for a session: in its own device, or in one `device` further."""
        chosen = np.fromiter(members, np.int64)
        events = e.empty(len(chosen))
        events["kind"], events["imsi"] = e.ACCESS_REQUEST, IMSI + chosen
        events["imei"], events["software"] = METER + 10 * chosen + device, 1
        events["gateway"] = self.fold.state.texts.intern(b"pgw1")
        events["client"] = self.fold.state.texts.intern(b"client1")
        events["plmn"], events["rat"] = 100101, 8
        events["request"] = np.arange(len(chosen)) + self.fold.sequence + 1
        self._happen(events)

    def uses(self, members: Iterable[int], octets: int, session: str = "s") -> None:
        """Each has a session that begins now, and within a second reports so many octets; the watch looks at it."""
        chosen = np.fromiter(members, np.int64)
        for kind in (e.ACCOUNTING_START, e.ACCOUNTING_STOP):
            events = e.empty(len(chosen))
            events["kind"], events["imsi"] = kind, IMSI + chosen
            events["imei"], events["software"] = METER + 10 * chosen, 1
            events["gateway"] = self.fold.state.texts.intern(b"pgw1")
            events["client"] = self.fold.state.texts.intern(b"client1")
            events["session_id_octets"], events["session_id"][:, 0] = 1, ord(session)
            if kind == e.ACCOUNTING_STOP:
                self.now += SECOND_US
                events["uplink_octets"], events["downlink_octets"], events["duration_s"] = octets, 0, 1
            self._happen(events)
        with closing(Follower(self.data_dir)) as watch:
            watch.catch_up()

    def is_told(self, records: np.ndarray) -> None:
        """Call detail records are imported, the gate ticks, and the watch looks at both."""
        with closing(SqliteJournal.open(records_folder(self.data_dir))) as journal:
            journal.register_layout(LAYOUT)
            journal.append(records_row(journal.last + 1, self.now, records))
        with closing(Follower(self.data_dir)) as watch:
            watch.catch_up()
            self.passes(1)
            watch.catch_up()

    def passes(self, seconds: int) -> None:
        """Time goes on, with one tick of the gate at its end."""
        self.now += seconds * SECOND_US
        event = e.empty(1)
        event["kind"] = e.TICK
        self._happen(event)

    def _happen(self, events: np.ndarray, notes: Any = None) -> Any:
        events["received_at"] = events["happened_at"] = self.now
        at = 0
        while at < len(events):
            first = self.fold.sequence + 1
            folded = self.fold.events(events[at : at + BATCH])
            part = events[at : at + folded.consumed]
            outputs = folded.outputs.view(np.ndarray).copy()
            self.journal.append(
                events_row(first, self.now, self.fold.kernel, part[folded.kept], outputs,
                           self.fold.state.texts.take_new(), notes(first, folded.kept) if notes else None)
            )  # fmt: skip
            at += folded.consumed
        return folded.results.view(np.ndarray), outputs

    def follow(self) -> None:
        """The control process takes what is new, and does what has come due."""
        while self.following.step():
            pass
        while self._tick():
            pass

    def _tick(self) -> int:
        with self.registry.writing() as connection:
            return self.automation.tick(connection, self.now)

    def obey(self) -> int:
        """The gate is given what waits in the outbox by now, and answers; gives how many there were."""
        c = t.command
        with self.registry.reading() as connection:
            due = sa.select(c).where(c.c.result.is_(None), c.c.next_at <= self.now).order_by(c.c.next_at, c.c.id)
            rows = connection.execute(due).all()
        for at in range(0, len(rows), COMMANDS_AT_ONCE):
            self._command(rows[at : at + COMMANDS_AT_ONCE])
        return len(rows)

    def _command(self, rows: Any) -> None:
        calls = [
            _Call({"do": row.do, "iccid": row.iccid, "actor": row.actor, "because": row.because, "id": row.id,
                   "automation": row.automation, "generation": row.generation})
            for row in rows
        ]  # fmt: skip
        subscriptions = self.fold.state.subscriptions[: int(self.fold.state.meta["subscriptions"][0])]
        commands: list[Any] = [command_of(call, row.do) for call, row in zip(calls, rows, strict=True)]  # type: ignore[arg-type]
        parts = parts_of(commands, subscriptions)
        events = e.empty(len(parts))
        for place, part in enumerate(parts):
            part.write(events[place])
        results, outputs = self._happen(events, lambda first, kept: {"commands": notes_of(parts, first, kept)})
        answer_calls(parts, outputs, results, True)
        with self.registry.writing() as connection:
            for row, call in zip(rows, calls, strict=True):
                changed = {"result": call.said["result"], "answered_at": self.now, "attempts": 1}
                connection.execute(sa.update(t.command).where(t.command.c.id == row.id).values(changed))

    def settle(self) -> None:
        """Control and gate go on, a second at a time, until nothing is left to do now."""
        self.follow()
        while self.obey() or self._open():
            self.passes(1)
            self.follow()

    def _open(self) -> int:
        with self.registry.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).where(t.command.c.result.is_(None))).scalar_one())

    @property
    def locked(self) -> int:
        """How many subscriptions the gate refuses, by its own state."""
        return int((self.fold.state.subscriptions["locked"] != 0).sum())

    @property
    def states(self) -> dict[str, int]:
        """State -> how many actions of rules."""
        with self.registry.reading() as connection:
            found = connection.execute(sa.select(t.rule_action.c.state)).scalars()
            return dict(Counter(found))

    @property
    def incidents(self) -> list[Any]:
        """Every incident."""
        with self.registry.reading() as connection:
            return list(connection.execute(sa.select(t.incident).order_by(t.incident.c.number)))

    def close(self) -> None:
        """Everything stops."""
        self.following.close()
        self.registry.close()
        self.journal.close()
