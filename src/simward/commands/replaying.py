"""`replay`: captures, files of events, journal and history through the fold, as it was or under other policies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from simward.commands.findings import FindingTable
from simward.commands.folder import Folder
from simward.commands.printing import json_line
from simward.errors import SimwardError, UsageError

if TYPE_CHECKING:
    from simward.engine.tables import PolicyTables
    from simward.history.whole import WholeJournal
    from simward.inputs.run import Replay
    from simward.settings import Settings

JOURNAL, HISTORY = "journal", "history"
SHOWN_MAX = 1000
"""Findings in a table; with --json there is no end."""


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--policies", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Judge by the policies in this folder instead of those that were in force.",
)  # fmt: skip
@click.option("--gate-only", is_flag=True, help="Judge by the detectors of the gate alone, which is quicker.")
@click.option("--unverified", is_flag=True, help="Take packets of a capture also where no secret proves them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding, then one with the key `summary`.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 also where something was found.")
@click.pass_context
def replay(
    ctx: click.Context, inputs: tuple[str, ...], policies: Path | None, gate_only: bool, unverified: bool,
    as_json: bool, exit_zero: bool,
) -> None:  # fmt: skip
    """Say what would be found in captures, event files or the journal.

    \b
    INPUT is any of, merged in the order of time:
      journal           everything that this folder recorded, history included
      history           what of it is history by now
      FILE              a capture with RADIUS (pcap, pcapng, also gzipped),
                        or events as .csv, .jsonl (both also .gz, .zst) or
                      .parquet (docs/reference/events.md)

    Nothing is written. `journal` or `history` alone, without --policies, is held against what the gate decided then,
    by the same kernel: a difference would mean that the record was tampered with, or a defect. All else is judged, by
    the detectors of gate and watch and the policy and inventory in force in this folder (or in its files, where
    nothing was ever applied), or by --policies. The loop is open: traffic that an earlier cut would have prevented is
    judged as it came.

    Packets of a capture are proved with the secrets of the gateways in simward.toml as they would be live; what
    cannot be proved is counted and left out, unless --unverified.

    Exits 1 where there are findings (or differences), 0 where there are none.
    """
    from simward.inputs.run import Replay

    folder: Folder = ctx.obj
    settings = _settings(folder, inputs)
    shown: list[dict[str, Any]] = []
    told = json_line if as_json else shown.append
    with ExitStack() as closing:
        plan = _Plan(folder, settings, inputs, unverified, closing)
        judged_by = _tables(settings, policies) if policies else None
        as_it_was = plan.replays_record and not plan.paths and judged_by is None
        run = Replay(
            told, judged_by, told_max=0 if as_json else SHOWN_MAX, behind=not (as_it_was or gate_only),
            behaviour=settings.behaviour,
        )  # fmt: skip
        began = time.monotonic(), time.process_time()
        plan.fold(run)
        run.finish()
        took = time.monotonic() - began[0], time.process_time() - began[1]
    if not as_json:
        _table(shown, run.found.total())
    _summary(run, plan, took, as_json)
    ctx.exit(1 if (run.found and not exit_zero) or run.differing else 0)


def _settings(folder: Folder, inputs: tuple[str, ...]) -> Settings:
    """The folder's; where there are none, it matters more that a file holds no events at all."""
    from simward.engine.texts import Texts
    from simward.inputs.event_files import SUFFIXES, EventFile, suffix_of

    try:
        return folder.settings()
    except SimwardError:
        for path in map(Path, inputs):
            if suffix_of(path) in SUFFIXES and path.is_file():
                next(EventFile(path, Texts()).events(), None)
        raise


def _tables(settings: Settings, policies: Path) -> PolicyTables:
    from simward.policy.wanted import read_tables

    policy, tables = read_tables(settings, policies)
    if not policy.of("use_case"):
        raise UsageError(f"{policies} holds no use case: which policies should the events be judged by?")
    return tables


class _File(NamedTuple):
    """A file to be read: its events, how far that has come (octets), and what is to be said of it afterwards."""

    path: Path
    events: Callable[[Any], Iterator[Any]]
    octets: int


class _Plan:
    """Which inputs there are, and how they are folded."""

    def __init__(
        self, folder: Folder, settings: Settings, inputs: tuple[str, ...], unverified: bool, closing: ExitStack
    ) -> None:
        self._settings, self._unverified = settings, unverified
        records = [one for one in inputs if one in (JOURNAL, HISTORY)]
        if len(records) > 1:
            raise UsageError("`journal` includes the history: name one of them")
        self.paths = [Path(one) for one in inputs if one not in (JOURNAL, HISTORY)]
        for path in self.paths:
            if not path.is_file():
                raise UsageError(f"{path} is no file; besides files, `{JOURNAL}` and `{HISTORY}` can be replayed")
        self.record: WholeJournal = closing.enter_context(folder.reading())
        self.replays_record = bool(records)
        self.history_only = records == [HISTORY]
        self.readers: list[Any] = []
        self.late: list[Any] = []
        self.removed_up_to = 0

    def fold(self, run: Replay) -> None:
        """Fold everything."""
        record, judged_by = self.record, run.judged_by
        if self.replays_record and (self.paths or judged_by is not None):
            run.learn_texts(record.notes(history_only=self.history_only))
        if self.replays_record:
            self.removed_up_to = record.base.last
        if judged_by is not None:
            run.judge_by(judged_by)
        if self.replays_record and not self.paths:
            compare = judged_by is None and not self.removed_up_to
            run.take_record(self._progress(self._rows(), self._record_share), lambda: record.layouts, compare=compare)
            return
        if not self.replays_record:
            self._in_force(run)
        run.take_all(self._progress(self._stream(run), self._share), record.layouts)

    def _rows(self) -> Iterator[Any]:
        for row in self.record.rows(batches=True, history_only=self.history_only):
            self._at = row.last
            yield row

    def _stream(self, run: Replay) -> Iterator[Any]:
        from simward.inputs.merging import Monotone, merged, ticking
        from simward.inputs.run import pieces_of

        streams: list[Iterable[Any]] = []
        if self.replays_record:
            streams.append(pieces_of(self._rows(), lambda: self.record.layouts))
        for number, path in enumerate(self.paths):
            reader = self._reader(path, run, number)
            self.readers.append(reader)
            self.late.append(Monotone(reader.events()))
            streams.append(self.late[-1])
        stream = merged(streams)
        return stream if self.replays_record else ticking(stream)

    def _reader(self, path: Path, run: Replay, number: int) -> Any:
        from simward.inputs.event_files import SUFFIXES, EventFile, suffix_of

        if suffix_of(path) in SUFFIXES:
            return EventFile(path, run.fold.state.texts, number)
        from simward.inputs.capture import port_table
        from simward.inputs.radius import CaptureEvents

        gate, gateways = self._settings.gate, self._settings.gateways
        dynauth = [one.dynauth.port for one in gateways if one.dynauth is not None]
        ports = port_table([gate.auth.port], [gate.accounting.port], dynauth)
        return CaptureEvents(path, ports, gateways, run.fold.state.texts, unverified=self._unverified)

    def _in_force(self, run: Replay) -> None:
        """The policy and inventory in force; those of the files where nothing was ever applied."""
        from simward.engine.tables import InventoryDelta, PolicyTables
        from simward.history.base import Base

        base = Base().and_then(self.record.revisions(), 0, 0, b"", {})
        if base.policy is None and base.inventory is None:
            self._from_files(run)
            return
        if base.policy is not None and run.judged_by is None:
            run.judge_by(PolicyTables.from_bytes(base.policy.inputs))
        if base.inventory is not None:
            run.declare(InventoryDelta.from_bytes(base.inventory.inputs))

    def _from_files(self, run: Replay) -> None:
        from simward.policy.inventory import read_inventory
        from simward.policy.plan import Current, plan
        from simward.policy.wanted import read_tables

        policy, tables = read_tables(self._settings)
        if run.judged_by is None:
            run.judge_by(tables)
        _, chunks = plan(Current.empty(), tables, read_inventory(self._settings.inventory_path, policy)).deltas()
        for chunk in chunks:
            run.declare(chunk)

    _at = 0

    def _record_share(self) -> float:
        return self._at / max(1, self.record.last)

    def _share(self) -> float:
        shares = [reader_octets(one) / max(1, path.stat().st_size) for one, path in zip(self.readers, self.paths)]
        shares += [self._record_share()] if self.replays_record else []
        return min(1.0, sum(shares) / max(1, len(shares)))

    def _progress(self, stream: Iterable[Any], share: Callable[[], float]) -> Iterator[Any]:
        """The stream, with a bar on a terminal that shows how much of it went by."""
        from rich.console import Console
        from rich.progress import Progress

        console = Console(stderr=True)
        if not console.is_terminal:
            yield from stream
            return
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("replaying", total=1.0)
            for piece in stream:
                yield piece
                bar.update(task, completed=share())


def reader_octets(reader: Any) -> int:
    """How far a reader has come in its file."""
    return int(reader.capture.octets_read if hasattr(reader, "capture") else reader.octets_read)


def _table(shown: list[dict[str, Any]], total: int) -> None:
    if shown:
        FindingTable.show(shown)
    if total > len(shown):
        click.echo(f"... and {total - len(shown)} more: use --json", err=True)


def _summary(run: Replay, plan: _Plan, took: tuple[float, float], as_json: bool) -> None:
    """What was done: with --json as the last line, else in words on standard error."""
    from simward.engine.phrases import when
    from simward.inputs.rates import rates

    files = []
    for reader, path, late in zip(plan.readers, plan.paths, plan.late):
        counts = reader.counts if hasattr(reader, "counts") else {"events": reader.rows}
        damage = reader.capture.damage if hasattr(reader, "capture") else ""
        files.append({"file": str(path), **counts, **({"late": late.late} if late.late else {}),
                      **({"damage": damage} if damage else {})})  # fmt: skip
    said: dict[str, Any] = {
        "events": run.events, "ticks": run.ticks, "from": when(run.began_at) if run.began_at else None,
        "until": when(run.ended_at) if run.ended_at else None, "findings": run.found.total(),
        "by_class": dict(run.found.most_common()), "subscription_days": run.lived.count,
        "rates": rates(run.found, run.lived.count), "findings_a_day": run.findings_a_day,
        "budget_is_derived": run.behaviour.findings_a_day is None, "files": files,
        "seconds": round(took[0], 3), "cpu_seconds": round(took[1], 3),
    }  # fmt: skip
    if plan.replays_record:
        said |= {"rows": run.rows, "compared": run.compared, "differing": run.differing,
                 "other_kernel": run.other_kernel, "removed_up_to": plan.removed_up_to or None}  # fmt: skip
    if as_json:
        json_line({"summary": said})
    for line in _words(run, said):
        click.echo(line, err=True)


def _words(run: Replay, said: dict[str, Any]) -> Iterator[str]:
    from simward.inputs.rates import sentences

    span = f" from {said['from'][:19]}Z to {said['until'][:19]}Z" if said["from"] else ""
    yield f"{run.events:,} events{span} folded in {said['seconds']:.1f} s: {said['findings']:,} findings."
    yield from sentences(said["rates"], said["subscription_days"])
    if said["findings_a_day"] is not None:
        whence = "follows from how many were heard on the last day" if said["budget_is_derived"] else "as set"
        yield f"  alarm budget: {said['findings_a_day']:.3g} statistical findings a day at most ({whence})"
    for one in said["files"]:
        rest = ", ".join(f"{name} {count:,}" for name, count in one.items() if isinstance(count, int))
        yield f"{one['file']}: {rest or 'nothing'}{'; ' + one['damage'] if one.get('damage') else ''}"
    if run.compared and not run.differing:
        yield f"All {run.compared} parts of this kernel decide as they were recorded."
    if run.differing:
        yield f"{run.differing} parts decide otherwise than recorded, the first at sequence {run.first_differing}."
    if run.other_kernel:
        yield f"{run.other_kernel} parts were decided by another kernel; those were not compared."
    if said.get("removed_up_to"):
        yield f"What is before sequence {said['removed_up_to'] + 1} was removed by retention: nothing was compared."
