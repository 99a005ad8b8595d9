"""From settings to a gate that is ready, and from a signal to a gate that has stopped cleanly."""

from __future__ import annotations

import gc
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np

from simward.engine import events
from simward.engine.apply import apply_offline
from simward.engine.fold import Fold
from simward.engine.journal import EVENTS, Journal, row_events
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.start import restore
from simward.gate.class_key import class_key_of
from simward.gate.clock import Clock
from simward.gate.commands import CommandDesk
from simward.gate.control import CommandSocket
from simward.gate.disconnects import Disconnects, FilterOf, family_of, jitter, source_of
from simward.gate.first_start import first_revisions, revision_of_settings
from simward.gate.in_force import InForce
from simward.gate.loop import Gate
from simward.gate.metrics import Metrics
from simward.gate.poller import Poller
from simward.gate.radius import RadiusPort
from simward.gate.recorder import Recorder
from simward.gate.replies import reply_texts
from simward.gate.revisions import Applying
from simward.gate.runner import Runner
from simward.gate.sockets import open_udp, shown_address
from simward.gate.status import Status
from simward.gate.warm import warm_up
from simward.history.whole import restored_from
from simward.parentage import is_orphan
from simward.resident import give_back, return_freed_memory
from simward.settings import FILE_NAME, Settings
from simward.wire.radius.answer import Answerer
from simward.wire.radius.clients import ClientTable
from simward.wire.radius.dynauth import Peer
from simward.wire.radius.receive import Receiver

SEED_US = 60_000_000
SEED_EVENTS = 65_536
"""How far back the journal is read for requests whose retransmission may still come: as far as they are remembered."""
Say = Callable[[str], None]


def serve(settings: Settings, *, say: Say = print, progress: Say | None = None, parent: int = 0) -> None:
    """Run the gate of a working folder until SIGTERM or SIGINT. `say` gets the line that contains `ready`.

    It also stops when the process that started it, if that is to be `parent`, is gone.

    Raises ConfigurationError, JournalError and NotDurableError where it cannot start, PeerError where an address is
    taken or where it had to stop with rows that the journal would not take.
    """
    began = time.monotonic()
    tell = progress or _to_stderr
    return_freed_memory()
    os.umask(0o077)  # whatever this process writes names subscriptions: it is the owner's alone
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as closing:
        journal = SqliteJournal.open(settings.data_dir / "journal")
        closing.callback(journal.close)
        fold = start_fold(settings, journal, tell)
        runner, port = assemble(settings, journal, fold, closing, tell, parent=parent)
        runner.stop_on_signals()
        gc.collect()
        give_back()
        gc.freeze()  # what is there now stays: the collector need not look at it again
        subscriptions = int(fold.state.meta["subscriptions_live"][0])
        say(  # one line, for whoever waits for it
            f"ready: auth {shown_address(port.auth)}, accounting {shown_address(port.accounting)}, "
            f"{subscriptions:,} subscriptions, started in {time.monotonic() - began:.1f} s"
        )
        runner.run()


def start_fold(settings: Settings, journal: Journal, tell: Say) -> Fold:
    """The state as the journal has it, with what the files say where nothing was ever applied."""
    tell("compiling, or loading what was compiled ...")
    fold = restore(settings.data_dir, restored_from(settings.data_dir, journal))
    journal.register_kernel(fold.kernel, fold.manifest())
    revisions = first_revisions(settings, tell) if not journal.last else revision_of_settings(settings, fold)
    at = Clock(fold.now).now()
    for _ in apply_offline(fold, journal, revisions, at):
        pass
    return fold


def assemble(
    settings: Settings, journal: Journal, fold: Fold, closing: ExitStack, tell: Say, *, parent: int = 0
) -> tuple[Runner, RadiusPort]:
    """Open sockets and put the parts together; `closing` takes back what was opened."""
    metrics, clock, poller = Metrics(), Clock(fold.now), Poller()
    closing.callback(poller.close)
    clients = ClientTable(settings.gateways, fold.state.texts)
    key = class_key_of(settings.data_dir)
    receiver = Receiver(clients, fold.state.texts, key=key)
    receiver.seed(recent_requests(journal, fold))
    answerer = Answerer(clients, reply_texts(), key=key)
    path = settings.dir / FILE_NAME
    in_force = InForce(fold, receiver, answerer, lambda: Settings.load(settings.dir).secrets, path)
    in_force.check(fold.state.policy)
    in_force.take()
    port = RadiusPort(
        open_udp(*settings.gate.auth), open_udp(*settings.gate.accounting), receiver, answerer,
        [one.network for one in settings.gateways],
    )  # fmt: skip
    closing.callback(port.close)
    disconnects = open_disconnects(settings, fold, metrics, closing, in_force.filter_of)
    recorder = Recorder(journal, disconnects.on_durable)
    applying = Applying(fold, recorder, clock.now, time.monotonic, in_force)
    status = Status(fold, journal, recorder, port, disconnects, metrics, clock)
    desk = CommandDesk({
        "status": status.answer, "metrics": status.answer_metrics, "gateways": status.answer_gateways,
        "apply": applying.begin,
    })  # fmt: skip
    gate = Gate(
        fold, recorder, port, desk, disconnects, metrics, clock,
        allow_when_not_durable=settings.gate.when_not_durable == "allow",
    )
    tell("warming up ...")
    warm_up(port)
    control = CommandSocket(settings.data_dir, poller.watch, poller.forget)
    closing.callback(control.close)
    for number in (*port.numbers, *disconnects.numbers):
        poller.watch(number)
    disconnects.request(fold.pending_effects())

    def each_second(now: float) -> None:
        clock.each_second(now)
        control.expire(now)
        port.source_filter.each_second()
        if is_orphan(parent):
            runner.stop()

    runner = Runner(gate, poller, control, each_second, applying.step)
    return runner, port


def open_disconnects(
    settings: Settings, fold: Fold, metrics: Metrics, closing: ExitStack, filter_of: FilterOf
) -> Disconnects:
    """One socket an address family for all gateways that take Disconnect- or CoA-Requests."""
    peers = {
        one.name: Peer((one.dynauth.host, one.dynauth.port), one.secret, one.coa)
        for one in settings.gateways
        if one.dynauth is not None
    }
    opened: dict[int, socket.socket] = {}
    for family in {family_of(peer.address[0]) for peer in peers.values()}:
        opened[family] = open_udp(source_of(family, peers.values(), settings.gate.auth.host), 0)
        closing.callback(opened[family].close)
    return Disconnects(opened, peers, fold, metrics, filter_of=filter_of, monotonic=time.monotonic, jitter=jitter)


def recent_requests(journal: Journal, fold: Fold) -> np.ndarray:
    """The names of the newest accounting requests: one that comes again was acknowledged, or its answer was lost."""
    found = [
        row_events(row, journal.layouts)
        for row in journal.rows(after=max(journal.first - 1, fold.sequence - SEED_EVENTS))
        if row.kind == EVENTS and row.at >= fold.now - SEED_US
    ]
    if not found:
        return np.zeros(0, np.int64)
    recent = np.concatenate(found)
    accounting = (recent["kind"] >= events.ACCOUNTING_START) & (recent["kind"] <= events.ACCOUNTING_OFF)
    return np.asarray(recent["request"][accounting])


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
