"""How soon does a wave of findings become incidents, and how many does a person get to see?

Two waves, folded and journalled by the real engine, and followed as the control process does, into SQLite with mirrors,
audit, incidents and announcements. A rule that has run away: every subscription of a fleet is seen in another device,
each in a cell of its own. An outage: the devices of three cells fall silent at once, and the rest goes on.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from benchmarks.folded import BEGAN_AT, inventory
from benchmarks.gate import POLICY, write_folder
from benchmarks.load.fleet import IMEI_FIRST, IMSI_FIRST, Fleet
from benchmarks.report import Bar, save
from benchmarks.silences import CELL, append
from simward.control.following import Following
from simward.engine import events as e
from simward.engine.apply import apply_offline
from simward.engine.fold import Fold
from simward.engine.sqlite_journal import SqliteJournal
from simward.incident_settings import IncidentSettings
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.registry import incidents as kept
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url
from simward.response.announcing import Announcing
from simward.response.auditing import Auditing
from simward.response.incidents import Incidents
from simward.settings import Settings
from simward.watch.following import Follower

NAME = "incidents"
QUESTION = "from findings in the journal to incidents in the registry: how fast, and how many"
TICK_S, INTERVAL_S, SPREAD_US = 5, 300, 1_000
CELLS_SILENT = 3
SPEAKS = POLICY.replace("release_when:", "session: {interim_interval: 5m}\nrelease_when:")


class Recorded:
    """A folder with the journal of a fleet; time goes on from BEGAN_AT."""

    def __init__(self, folder: Path, policy: str, fleet: Fleet) -> None:
        write_folder(folder, Fleet(0), b"only-for-benchmarks", (1812, 1813, 3799))
        self.data, self.fleet, self.now = folder / "data", fleet, BEGAN_AT
        self.data.mkdir(exist_ok=True)
        self.fold = Fold.new()
        self.journal = SqliteJournal.open(self.data / "journal")
        self.journal.register_kernel(self.fold.kernel, self.fold.manifest())
        tables = compile_policy(read_policies({"fleet.yaml": policy}), Settings.load(folder))
        for _ in apply_offline(self.fold, self.journal, [tables, inventory(fleet)], BEGAN_AT):
            pass
        self._gateway = self.fold.state.texts.intern(b"pgw1")
        self._apn = self.fold.state.texts.intern(b"meters.iot")

    def say(self, kind: int, members: np.ndarray, cells: np.ndarray, other_device: int = 0, ticks: int = 0) -> None:
        """One event of each member, spread over the time of the ticks."""
        events = e.empty(len(members) + ticks)
        told = events[: len(members)]
        span_us = ticks * TICK_S * 1_000_000 or len(members) * SPREAD_US
        told["kind"], told["imsi"] = kind, 10**15 + IMSI_FIRST + members
        told["imei"] = IMEI_FIRST + members + other_device
        told["cell"], told["plmn"], told["rat"], told["apn"] = cells, 100101, 8, self._apn
        told["gateway"] = told["client"] = self._gateway
        told["received_at"] = self.now + 1 + np.arange(len(members)) * span_us // max(1, len(members))
        told["request"] = told["received_at"]
        told["duration_s"] = (told["received_at"] - BEGAN_AT) // 1_000_000
        if kind != e.ACCESS_REQUEST:
            for position, member in enumerate(members.tolist()):
                name = f"h{member}".encode()
                told["session_id"][position, : len(name)] = list(name)
                told["session_id_octets"][position] = len(name)
        events[len(members) :]["kind"] = e.TICK
        events[len(members) :]["received_at"] = self.now + np.arange(1, ticks + 1) * TICK_S * 1_000_000
        events["happened_at"] = events["received_at"]
        self.now += span_us
        append(self.journal, self.fold, events[np.argsort(events["received_at"], kind="stable")])

    def followed(self) -> dict[str, Any]:
        """Follow both journals into a new registry; what came of it, and how long it took."""
        self.journal.close()
        with closing(Registry.open(sqlite_url(self.data))) as registry:
            registry.migrate()
            announcing = Announcing([], lambda: self.now)
            incidents = Incidents(announcing, IncidentSettings(), lambda: self.now)
            with closing(Following(self.data, registry, [incidents, announcing], [Auditing()])) as following:
                began = time.perf_counter()
                while following.step():
                    pass
                took_s = time.perf_counter() - began
            with registry.reading() as connection:
                shown = kept.listed(connection)
                findings = connection.execute(sa.select(sa.func.count()).select_from(t.finding)).scalar_one()
                locked = connection.execute(
                    sa.select(sa.func.count()).where(t.subscription.c.locked_at.is_not(None))
                ).scalar_one()
        return {
            "took_s": took_s, "findings": findings, "locked": locked, "incidents": len(shown),
            "titles": [one.title for one in shown], "subscriptions": [one.subscriptions for one in shown],
        }  # fmt: skip


def runaway(folder: Path, count: int) -> dict[str, Any]:
    """Every subscription is bound, and is seen in another device within seconds."""
    recorded = Recorded(folder, POLICY, Fleet(count))
    members = np.arange(count)
    recorded.say(e.ACCESS_REQUEST, members, CELL + members)
    recorded.say(e.ACCESS_REQUEST, members, CELL + members, other_device=count)
    return recorded.followed()


def outage(folder: Path, silent: int) -> dict[str, Any]:
    """Three times as many as are silent go on; each reports every five minutes. The silent are in three cells."""
    recorded = Recorded(folder, SPEAKS, Fleet(4 * silent))
    members = np.arange(4 * silent)
    cells = np.where(members < silent, CELL + members % CELLS_SILENT, CELL + 10 + members // 100)
    recorded.say(e.ACCESS_REQUEST, members, cells)
    recorded.say(e.ACCOUNTING_START, members, cells)
    for interval in range(14):
        speaking = members if interval < 6 else members[silent:]
        recorded.say(e.ACCOUNTING_INTERIM, speaking, cells[speaking], ticks=INTERVAL_S // TICK_S)
    watch = Follower(recorded.data)
    watch.catch_up()
    watch.close()
    return recorded.followed()


def measure(folder: Path, *, count: int, silent: int, quick: bool) -> dict[str, object]:
    """Both waves."""
    with tempfile.TemporaryDirectory(prefix="simward-bench-", dir=folder) as place:
        waves = {}
        for name, play, size in (("runaway", runaway, count), ("outage", outage, silent)):
            here = Path(place) / name
            here.mkdir()
            waves[name] = play(here, size)
        wave, dark = waves["runaway"], waves["outage"]
        per_second = wave["findings"] / wave["took_s"]
        bars = [
            Bar("findings that become incidents", per_second, 100, "a second", aim=500),
            Bar("incidents of a rule that would lock the fleet", wave["incidents"], 1, "", at_most=True),
            Bar("subscriptions locked by it, above its limit", wave["locked"] - 20, 0, "", at_most=True),
            Bar("incidents of three dead cells", dark["incidents"], CELLS_SILENT, "", at_most=True),
            Bar("subscriptions locked by them", dark["locked"], 0, "", at_most=True),
        ]
        result = save(NAME, QUESTION, {"subscriptions": count, "silent": silent, **waves}, bars, folder, quick=quick)
    print(f"         {wave['findings']:,} findings in {wave['took_s']:.1f} s: {per_second:,.0f}/s; {wave['titles']}")
    print(f"         {silent:,} silent devices: {dark['titles']}")
    return result


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, count=150, silent=60, quick=True)
    return measure(here, count=10_000, silent=5_000, quick=False)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
