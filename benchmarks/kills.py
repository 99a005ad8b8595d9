"""kill -9 of gate, watch or both at random moments under load, on top of a history in which much was found."""

from __future__ import annotations

import os
import random
import select
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from benchmarks.gate import POLICY, write_folder
from benchmarks.load.fleet import IMEI_FIRST, IMSI_FIRST, Fleet
from benchmarks.report import Bar, save
from benchmarks.silences import write_history
from simward.engine.both_journals import findings_folder
from simward.engine.fold import Fold
from simward.engine.journal import EVENTS, row_events, row_outputs
from simward.engine.outputs import BOUND, FINDING_BEGAN, OUTPUT
from simward.engine.replay import fold_row
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.start import restore
from simward.engine.watching.behind import Behind, restore_behind
from simward.engine.watching.fold import WatchFold
from simward.gate.serve import assemble, serve, start_fold
from simward.settings import Settings
from simward.watch import following, snapshots
from simward.watch.run import Signals, watch
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet

NAME = "kills"
QUESTION = "Is anything that was acknowledged lost or doubled, or any finding, when gate and watch are killed?"
KILLS, QUICK = 200, 8
FLEET = Fleet(60)
DECLARED = Fleet(FLEET.count + 40_000)
"""Those behind the fleet are heard of once, when they ask to connect, and are bound by that."""
ASKS_EACH = 10
SECRET = b"a secret of this benchmark"
WINDOW = 100
READY_S = 120.0


class Child:
    """A part in a process of its own, forked so that compiled code need not be loaded each time."""

    def __init__(self, folder: Path, run: Callable[[Settings, int], None]) -> None:
        readable, writable = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            self._live(folder, writable, run)
        os.close(writable)
        ready, _, _ = select.select([readable], [], [], READY_S)
        said = os.read(readable, 4096) if ready else b""
        os.close(readable)
        if not said:
            raise RuntimeError(f"not ready: {(folder / 'stderr.log').read_text()[-2000:]}")

    @staticmethod
    def _live(folder: Path, writable: int, run: Callable[[Settings, int], None]) -> None:
        code = 1
        try:
            os.dup2(os.open(folder / "stderr.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
            run(Settings.load(folder), writable)
            code = 0
        except BaseException:  # noqa: BLE001 - a child must not go on as a second benchmark
            traceback.print_exc(file=sys.stderr)
        finally:
            os._exit(code)

    def end(self, how: signal.Signals) -> int:
        """Kill or stop it; its exit status."""
        os.kill(self.pid, how)
        return os.waitpid(self.pid, 0)[1]


def run_gate(settings: Settings, writable: int) -> None:
    """The gate, alone."""
    serve(settings, say=lambda text: os.write(writable, text.encode()) and None)


def run_watch(settings: Settings, writable: int) -> None:
    """The watch, in small steps and with a snapshot often, so that it is killed at each kind of moment."""
    following.STEP_EVENTS, snapshots.EVERY_INPUTS = 300, 5_000
    signals = Signals()
    os.write(writable, b"watching")
    watch(settings, signals.stopping, signals.pause)


class Load:
    """A gateway that keeps a window of records and requests unanswered, and sends again what was not answered."""

    def __init__(self, ports: tuple[int, int]) -> None:
        self.acknowledged: Counter[bytes] = Counter()
        self.refused = 0
        self._waiting: dict[int, tuple[bytes, Packet, bytes]] = {}
        self._made, self._asking = 0, FLEET.count
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in ports]
        for one, port in zip(self._sockets, ports, strict=True):
            one.connect(("127.0.0.1", port))
            one.setblocking(False)

    def run(self, seconds: float) -> None:
        """Keep the window full; what is not answered is sent once more first."""
        until = time.monotonic() + seconds
        for identifier in self._waiting:
            self._send(identifier)
        while time.monotonic() < until:
            for identifier in range(WINDOW):
                if identifier not in self._waiting:
                    asks = identifier % ASKS_EACH == 0 and self._asking < DECLARED.count
                    self._waiting[identifier] = self._request(identifier) if asks else self._record(identifier)
                    self._send(identifier)
            select.select(self._sockets, [], [], 0.002)
            self.hear()

    def hear(self) -> None:
        """Take the answers that have come."""
        for one in self._sockets:
            self._hear(one)

    def _hear(self, one: socket.socket) -> None:
        while True:
            try:
                packet = Packet.decode(one.recv(4096))
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue  # nobody listens while it is dead
            waiting = self._waiting.get(packet.identifier)
            if waiting and packet.verify_response(waiting[1].authenticator, SECRET):
                self.acknowledged[waiting[0]] += 1
                self.refused += packet.code == Code.ACCESS_REJECT
                del self._waiting[packet.identifier]

    def close(self) -> None:
        """Give the sockets back."""
        for one in self._sockets:
            one.close()

    def _send(self, identifier: int) -> None:
        _, packet, octets = self._waiting[identifier]
        try:
            self._sockets[packet.code == Code.ACCOUNTING_REQUEST].send(octets)
        except (BlockingIOError, ConnectionRefusedError):
            return  # sent again later

    def _record(self, identifier: int) -> tuple[bytes, Packet, bytes]:
        self._made += 1
        name = b"K%07d" % self._made
        imsi = bytes(FLEET.imsi(np.array([self._made % FLEET.count]))[0]).decode()
        packet = Packet(Code.ACCOUNTING_REQUEST, identifier).add_all(
            [("3GPP-IMSI", imsi), ("Acct-Status-Type", "Start"), ("Acct-Session-Id", name), ("NAS-Identifier", "pgw1")]
        )
        return name, packet, packet.sign_accounting_request(SECRET)

    def _request(self, identifier: int) -> tuple[bytes, Packet, bytes]:
        name, number = b"Q%07d" % self._asking, np.array([self._asking])
        self._asking += 1
        imsi, device = (bytes(one[0]).decode() for one in (DECLARED.imsi(number), DECLARED.imeisv(number)))
        packet = Packet(Code.ACCESS_REQUEST, identifier, os.urandom(16)).add_all(
            [("3GPP-IMSI", imsi), ("3GPP-IMEISV", device), ("Called-Station-Id", DECLARED.apn),
             ("3GPP-SGSN-MCC-MNC", "00101"), ("Acct-Session-Id", name), ("NAS-Identifier", "pgw1")]
        )  # fmt: skip
        return name, packet, packet.sign_access_request(SECRET)


def kill_again_and_again(folder: Path, ports: tuple[int, int], kills: int) -> tuple[Load, Counter[str]]:
    """Load, and deaths at moments that are drawn; in the end both stop as they are told."""
    chosen, died = random.Random(200), Counter[str]()
    load = Load(ports)
    gate, watching = Child(folder, run_gate), Child(folder, run_watch)
    for _ in range(kills):
        load.run(chosen.uniform(0.0, 0.25))
        victim = chosen.choice(("gate", "watch", "both"))
        died[victim] += 1
        if victim != "watch":
            gate.end(signal.SIGKILL)
        if victim != "gate":
            watching.end(signal.SIGKILL)
        load.hear()
        if victim != "watch":
            gate = Child(folder, run_gate)
        if victim != "gate":
            watching = Child(folder, run_watch)
    load.run(1.0)
    if gate.end(signal.SIGTERM) or watching.end(signal.SIGTERM):
        raise RuntimeError(f"not stopped cleanly: {(folder / 'stderr.log').read_text()[-2000:]}")
    load.hear()
    load.close()
    return load, died


def judge(folder: Path, load: Load) -> dict[str, int]:
    """Count every record, and fold everything again from the start."""
    data = folder / "data"
    follower = following.Follower(data)
    follower.catch_up()
    state_behind = follower.behind.watch.digest()
    follower.close()
    found: Counter[bytes] = Counter()
    bound: Counter[tuple[int, int]] = Counter()
    gate, told = Fold.new(), [np.zeros(0, OUTPUT)]
    whole = Behind(gate, WatchFold(gate))
    with closing(SqliteJournal.open(data / "journal", writer=False)) as journal, closing(
        SqliteJournal.open(findings_folder(data), writer=False)
    ) as own:
        alone = Fold.new()
        whole.watch.awaited.load(own.rows(), own)  # the days that were fitted are inputs as well
        for row in journal.rows():
            fold_row(alone, row, journal.layouts)
            told.append(whole.rows([row], journal.layouts))
            if row.kind == EVENTS:
                for event in row_events(row, journal.layouts):
                    name = event["session_id"][: int(event["session_id_octets"])].tobytes()
                    found[name] += name.startswith((b"K", b"Q"))
                outputs = row_outputs(row, journal.layouts)
                bindings = outputs[outputs["kind"] == BOUND]
                bound.update((int(one["imsi"]), int(one["now"]) // 1000) for one in bindings)
        recorded = [row_outputs(row, own.layouts) for row in own.rows()]
        broken = int(journal.verify().wrong != 0) + int(own.verify().wrong != 0)
        restored = restore(data, journal).state.digest()
        again = restore_behind(data, journal)
        again.watch.awaited.load(own.rows(after=max(0, again.sequence - 1)), own)
        again.rows(journal.rows(after=again.sequence), journal.layouts)
    let_in = [first_use(int(name[1:])) for name in load.acknowledged if name.startswith(b"Q")]
    truth, kept = names(np.concatenate(told)), names(np.concatenate(recorded or told[:1]))
    return {
        "acknowledged": len(load.acknowledged),
        "let_in": len(let_in) - load.refused,
        "lost": sum(not found[name] for name in load.acknowledged),
        "doubled": sum(count > 1 for count in found.values()),
        "refused_or_not_bound_once": load.refused + sum(bound[one] != 1 for one in let_in)
        + sum(count > 1 for count in bound.values()),
        "findings": sum(kind == FINDING_BEGAN for _, _, kind in kept),
        "findings_missed": len(truth - kept),
        "findings_doubled_or_made_up": (kept - truth).total(),
        "journals_broken": broken,
        "states_that_differ": (restored != alone.state.digest()) + (state_behind != whole.watch.digest())
        + (again.watch.digest() != whole.watch.digest()),
    }  # fmt: skip


def first_use(number: int) -> tuple[int, int]:
    """A subscription and its device, as outputs have them."""
    return 10**15 + IMSI_FIRST + number, IMEI_FIRST + number


def names(outputs: np.ndarray) -> Counter[tuple[int, int, int]]:
    """Each output by sequence, index and kind."""
    return Counter((int(one["sequence"]), int(one["index"]), int(one["kind"])) for one in outputs)


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    kills = QUICK if quick else KILLS
    with tempfile.TemporaryDirectory(prefix="simward-bench-", dir=folder) as place, ExitStack() as closed:
        work = Path(place)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket(
            socket.AF_INET, socket.SOCK_DGRAM
        ) as other:
            one.bind(("127.0.0.1", 0))
            other.bind(("127.0.0.1", 0))
            ports = one.getsockname()[1], other.getsockname()[1]
        write_folder(work, DECLARED, SECRET, (*ports, 3799))
        write_history(work / "data", POLICY, FLEET, days=1 if quick else 12, declared=DECLARED)
        with ExitStack() as warming:  # the compiled code is loaded here, once for all children
            journal = SqliteJournal.open(work / "data" / "journal")
            warming.callback(journal.close)
            settings = Settings.load(work)
            assemble(settings, journal, start_fold(settings, journal, str), warming, str)
        load, died = kill_again_and_again(work, ports, kills)
        said = judge(work, load)
        bars = [
            Bar(f"{name.replace('_', ' ')} in {kills} kills", said[name], 0, "", at_most=True)
            for name in ("lost", "doubled", "refused_or_not_bound_once", "findings_missed",
                         "findings_doubled_or_made_up", "journals_broken", "states_that_differ")
        ]  # fmt: skip
        figures = {"kills": kills, "died": dict(died), **said}
        answered = f"{said['acknowledged']:,} acknowledged, {said['let_in']:,} of them let in"
        counts = f"{answered}, {said['findings']} findings; killed: {dict(died)}"
        closed.callback(print, f"         {counts}")
        return save(NAME, QUESTION, figures, bars, work, quick=quick)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
