"""How many durable decisions a second does the gate make on one core, beside FreeRADIUS with and without a store?

All servers run at the same time, each pinned to the same core, and take turns (A B C D, D C B A, ...); the load runs
on the other core. The gate journals every event durably, knows its subscriptions and their devices, gives static
addresses and runs all detectors. Beside it:

- FreeRADIUS with PostgreSQL: the same decision (the IMSI is known and the IMEISV is the bound one) and the same address
  by look-up, accounting by FreeRADIUS's own schema, indexes and queries, pooled connections, the database as it comes
  (fsync on). The database runs on the same core: what is asked is work a core. It does not record its decisions, as the
  gate does.
- FreeRADIUS that writes detail files (which nobody syncs) and accepts all.
- FreeRADIUS alone: accepts all, stores nothing, logs nothing.

Each is measured in several tunings; the yardstick is its fastest that still recognises a retransmission (RFC 5080
2.2.2), as the gate must. All verify and send Message-Authenticator.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from benchmarks import freeradius
from benchmarks.contestants import KINDS, Contestant, fastest, tried
from benchmarks.freeradius import FreeRadius
from benchmarks.gate import Gate
from benchmarks.load.driver import Load, cores
from benchmarks.load.fleet import Fleet
from benchmarks.load.packets import Packets
from benchmarks.load.responder import Responder
from benchmarks.load.sessions import Traffic
from benchmarks.postgres import Postgres
from benchmarks.report import Bar, save
from benchmarks.same_decision import check_the_database_works, refusals

NAME = "gate_vs_freeradius"
QUESTION = "durable decisions and accounting a second on one core, beside FreeRADIUS with PostgreSQL, files, nothing"
SECRET = b"a-secret-only-for-benchmarks"
SOCKETS = 4


class Arena:
    """The core, the fleet and how much is asked: `count` a round, `few` of those who are much slower."""

    def __init__(self, folder: Path, *, subscriptions: int, count: int, few: int, quick: bool) -> None:
        self.folder, self.count, self.few, self.quick = folder, count, few, quick
        self.core, load_core = cores()
        os.sched_setaffinity(0, {load_core})
        self.fleet = Fleet(subscriptions)
        self.traffic = self.new_traffic(1)
        self.stored = self.new_traffic(2)
        """Of the one with the database: being slower it gets fewer, so its sessions stand elsewhere."""

    def new_traffic(self, seed: int) -> Traffic:
        """Other packets of the same fleet."""
        return Traffic(self.fleet, SECRET, SOCKETS, seed)

    def load(self, server: Gate | FreeRadius) -> Load:
        """Sockets towards a server."""
        return Load("127.0.0.1", server.auth_port, server.accounting_port, SECRET, SOCKETS)


def generator_alone(arena: Arena) -> dict[str, object]:
    """What the load can make when the server only answers: it must be far above every server."""
    responder = Responder(arena.core)
    load = Load("127.0.0.1", responder.auth_port, responder.accounting_port, SECRET, SOCKETS)
    try:
        runs = [load.run(arena.traffic.auth(arena.count), outstanding=512) for _ in range(3)]
        return {"per_second": max(run.per_second for run in runs), "runs": [asdict(run) for run in runs]}
    finally:
        load.close()
        responder.close()


def tune(arena: Arena, store: Postgres) -> tuple[dict[str, object], freeradius.Tuning, freeradius.Tuning]:
    """Figures of every tuning, and the best without and with the database."""
    plain = freeradius.TUNINGS[1:2] if arena.quick else freeradius.TUNINGS
    stored = freeradius.SQL_TUNINGS[2:4] if arena.quick else freeradius.SQL_TUNINGS
    other, half = arena.new_traffic(3), arena.count // 2
    rates = tried(arena.core, SECRET, SOCKETS, plain, lambda: [other.auth(half), other.accounting(half)])
    few = arena.few
    sql = tried(arena.core, SECRET, SOCKETS, stored, lambda: [other.auth(few), other.accounting(few)], store)
    # What was tried is not to weigh on what is measured.
    store.query("TRUNCATE radacct; VACUUM ANALYZE; CHECKPOINT")
    best, best_stored = fastest(plain, rates), fastest(stored, sql)
    said = {
        "freeradius_tunings": {**rates, **sql}, "freeradius_tuning_used": best.name,
        "freeradius_sql_tuning_used": best_stored.name,
    }  # fmt: skip
    return said, best, best_stored


def measure(arena: Arena, rounds: int) -> dict[str, object]:
    """The whole run."""
    with ExitStack() as closing:
        store = Postgres(arena.core, freeradius.schema(), arena.fleet, arena.folder)
        closing.callback(store.close)
        figures, tuning, stored_tuning = tune(arena, store)
        figures |= {"subscriptions": arena.fleet.count, "postgresql": store.configured()}
        store.pause()
        figures["generator_alone"] = generator_alone(arena)
        gate = Gate(arena.core, SECRET, arena.fleet, arena.folder)
        closing.callback(gate.close)
        figures |= {"apply_seconds": gate.apply(), "start_seconds": gate.start()}
        alone = FreeRadius(arena.core, SECRET, tuning)
        closing.callback(alone.close)
        files = FreeRadius(arena.core, SECRET, freeradius.with_detail(tuning), folder=arena.folder)
        closing.callback(files.close)
        store.resume()
        stored = FreeRadius(arena.core, SECRET, stored_tuning, store)
        closing.callback(stored.close)
        all_four = [
            Contestant("simward", lambda: [gate.pid], arena.load(gate)),
            Contestant("freeradius_sql", lambda: [stored.pid, *store.pids()], arena.load(stored), KINDS[:2]),
            Contestant("freeradius_detail", lambda: [files.pid], arena.load(files), ("accounting",)),
            Contestant("freeradius", lambda: [alone.pid], arena.load(alone)),
        ]
        for one in all_four:
            closing.callback(one.load.close)
        figures["first_contact"] = first_contact(arena, all_four[0], all_four[1], store)
        store.pause()
        compete(arena, all_four, store, files, rounds)
        store.resume()
        figures["same_decision"] = refusals(arena.fleet, SECRET, SOCKETS, all_four[:2])
    return report(arena, {one.name: one for one in all_four}, figures)


def first_contact(arena: Arena, ours: Contestant, stored: Contestant, store: Postgres) -> dict[str, object]:
    """Every subscription asks and starts for the first time: it is bound and gets its address, or gets its row."""
    asked, started = arena.traffic.everyone()
    said = {"auth": asdict(ours.load.run(asked, outstanding=256))}
    said["accounting"] = asdict(ours.load.run(started, outstanding=256))
    arena.traffic.scatter()
    _, started = arena.stored.everyone()
    said["accounting_sql"] = asdict(stored.load.run(started, outstanding=256))
    check_the_database_works(store, arena.fleet.count)
    arena.stored.scatter()
    store.query("VACUUM ANALYZE; CHECKPOINT")
    return said


def packets_for(arena: Arena, kind: str, count: int) -> list[Packets]:
    """Requests of a kind for those who get the same."""
    made = {
        "auth": lambda: [arena.traffic.auth(count)],
        "accounting": lambda: [arena.traffic.accounting(count)],
        "mixed": lambda: [arena.traffic.auth(count // 2), arena.traffic.accounting(count // 2)],
    }
    return made[kind]()


def packets_stored(arena: Arena, kind: str) -> list[Packets]:
    """And for the one with the database."""
    return [arena.stored.auth(arena.few) if kind == "auth" else arena.stored.accounting(arena.few)]


def compete(arena: Arena, contestants: list[Contestant], store: Postgres, files: FreeRadius, rounds: int) -> None:
    """Calibrate each, then interleave the rounds; the database stands still while others have their turn."""
    small, stored = max(500, arena.count // 4), contestants[1]
    for one in contestants:
        if one is stored:
            store.resume()
        for kind in ("auth", "accounting"):
            made = (lambda kind=kind: packets_stored(arena, kind)) if one is stored else (  # type: ignore[misc]
                lambda kind=kind: packets_for(arena, kind, small))
            one.calibrate(kind, made)
        one.outstanding["mixed"] = max(one.outstanding["auth"], one.outstanding["accounting"])
        store.pause()
    files.detail_entries()
    for number in range(rounds):
        for kind in KINDS:
            packets = packets_for(arena, kind, arena.count)
            for one in contestants if number % 2 == 0 else contestants[::-1]:
                if kind not in one.kinds:
                    continue
                if one is not stored:
                    one.round(kind, packets)
                    continue
                store.resume()
                one.round(kind, packets_stored(arena, kind))
                store.pause()
            if kind == "accounting" and (written := files.detail_entries()) < len(packets[0]):
                print(f"  only {written} of {len(packets[0])} requests are in the detail file", file=sys.stderr)


def report(arena: Arena, found: dict[str, Contestant], figures: dict[str, object]) -> dict[str, object]:
    """Ratios of medians, and the bars."""
    ours = found["simward"]

    def times(kind: str, name: str) -> float:
        return ours.median(kind) / found[name].median(kind)

    bars = [
        Bar("decisions, times FreeRADIUS with PostgreSQL", times("auth", "freeradius_sql"), 4, "x", aim=7),
        Bar("accounting, times FreeRADIUS with PostgreSQL", times("accounting", "freeradius_sql"), 25, "x", aim=40),
        Bar("accounting, times FreeRADIUS with detail files", times("accounting", "freeradius_detail"), 1, "x"),
        Bar("decisions, times FreeRADIUS alone", times("auth", "freeradius"), 1.3, "x", aim=2),
        Bar("accounting, times FreeRADIUS alone", times("accounting", "freeradius"), 1.5, "x", aim=2.3),
    ]
    figures = {name: one.figures() for name, one in found.items()} | figures
    result = save(NAME, QUESTION, figures, bars, arena.folder, quick=arena.quick)
    for one in found.values():
        print(f"         {one.said()}")
    return result


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    missing = freeradius.why_not_with_sql()
    if missing:
        raise SystemExit(missing)
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(Arena(here, subscriptions=2_000, count=1_000, few=200, quick=True), rounds=1)
    return measure(Arena(here, subscriptions=100_000, count=100_000, few=10_000, quick=False), rounds=7)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
