"""`replay` and `verify`: the journal folded again, and the proof that it is as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from simward.commands.findings import FindingTable
from simward.commands.folder import Folder
from simward.commands.printing import json_line
from simward.engine.words import Findings, Lexicon
from simward.errors import UsageError

if TYPE_CHECKING:
    from simward.engine.journal import Verification


@click.group()
def replay() -> None:
    """Fold the journal again, as it was or under other policies."""


@replay.command("journal")
@click.option(
    "--policies", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Judge by the policies in this folder instead of those that were in force.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding, with the keys of `findings`.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 also where something was found.")
@click.pass_context
def replay_journal(ctx: click.Context, policies: Path | None, as_json: bool, exit_zero: bool) -> None:
    """Fold every journalled event again and list the findings.

    Without --policies every decision is compared with the one that was recorded by the same kernel: a difference would
    mean that the journal or the state was tampered with, or a defect. With --policies the question is what those
    policies would have found; the loop is open: traffic that an earlier cut would have prevented is judged as it came.
    Nothing is written.

    Exits 1 where there are findings (or differences), 0 where there are none.
    """
    folder: Folder = ctx.obj
    with folder.reading() as journal:
        run = _Run(folder, journal, policies)
        found = run.findings()
    if as_json:
        for one in found:
            json_line(one)
    elif found:
        FindingTable.show(found)
    for line in run.summary(len(found)):
        click.echo(line, err=True)
    ctx.exit(1 if (found and not exit_zero) or run.differing else 0)


class _Run:
    """One replay: today's kernel over all rows."""

    def __init__(self, folder: Folder, journal: Any, policies: Path | None) -> None:
        from simward.engine.fold import Fold

        self._journal = journal
        self._tables = None
        self._fold = Fold.new()
        if policies is not None:
            from simward.policy.wanted import read_tables

            policy, self._tables = read_tables(folder.settings(), policies)
            if not policy.of("use_case"):
                raise UsageError(f"{policies} holds no use case: which policies should the journal be judged by?")
        self.rows = self.compared = self.other_kernel = 0
        self.differing: list[int] = []

    def findings(self) -> list[dict[str, Any]]:
        """What folding again finds."""
        from simward.engine.journal import POLICY
        from simward.engine.replay import replay as fold_again

        # Whatever kernel wrote a row, these outputs are today's: read them by today's manifest.
        merged, lexicon = Findings(), Lexicon(lambda kernel: self._fold.manifest())
        if self._tables is not None:
            lexicon.policy(self._tables.to_bytes())
        for row, outputs in fold_again(self._journal, self._fold, self._tables):
            if self._tables is None or row.kind != POLICY:
                lexicon.take(row)
            lexicon.learn(self._fold.state.texts.name, self._fold.state.texts.count)
            for _ in merged.take(outputs, lexicon):
                pass
            self._compare(row, outputs)
        return list(merged)

    def _compare(self, row: Any, outputs: np.ndarray) -> None:
        from simward.engine.journal import row_outputs

        self.rows += 1
        if self._tables is not None:
            return
        if row.kernel != self._fold.kernel:
            self.other_kernel += 1
            return
        self.compared += 1
        if not _alike(row_outputs(row, self._journal.layouts), outputs):
            self.differing.append(row.first)

    def summary(self, found: int) -> Iterator[str]:
        """What was done, in words."""
        yield f"{self.rows} rows folded again: {found} findings."
        if self.compared and not self.differing:
            yield f"All {self.compared} rows of this kernel decide as they were recorded."
        if self.differing:
            first = self.differing[0]
            yield f"{len(self.differing)} rows decide otherwise than recorded, the first at sequence {first}."
        if self.other_kernel:
            yield f"{self.other_kernel} rows were decided by another kernel; those were not compared."


def _alike(recorded: np.ndarray, folded: np.ndarray) -> bool:
    """Equal but for `event`, which says where in its batch the event stood and means nothing in the journal."""
    if len(recorded) != len(folded):
        return False
    one, other = recorded.copy(), np.array(folded.view(np.ndarray)).astype(recorded.dtype)
    one["event"] = other["event"] = 0
    return all(np.array_equal(one[name], other[name]) for name in one.dtype.names or ())


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Prove that nothing was changed or removed in the journals.

    Every row carries a digest over itself and the digest before it. They are computed again from the first row kept,
    in the gate's journal and in the watch's (which is about the same sequences). Keep the last digests elsewhere: with
    them one can also tell whether the newest rows were cut off.

    Exits 1 where a row is not as it was written.
    """
    folder: Folder = ctx.obj
    with folder.reading() as journal, folder.reading_findings() as own:
        found, of_watch = journal.verify(), own.verify()
    if as_json:
        json_line({**_as_json(found), "watch": _as_json(of_watch) if of_watch.rows or of_watch.wrong else None})
    else:
        _tell("The journal", found)
        if of_watch.rows or of_watch.wrong:
            _tell("The watch's journal", of_watch)
    ctx.exit(1 if found.wrong or of_watch.wrong else 0)


def _as_json(found: Verification) -> dict[str, Any]:
    return {
        "rows": found.rows, "first": found.first, "last": found.last, "digest": found.digest.hex(),
        "wrong": found.wrong or None, "reason": found.reason or None,
    }  # fmt: skip


def _tell(name: str, found: Verification) -> None:
    if found.wrong:
        click.echo(
            f"{name}: sequence {found.wrong}: {found.reason}. Up to there {found.rows} rows are as they were written."
        )
    elif not found.rows:
        click.echo(f"{name} is empty.")
    else:
        click.echo(f"{name}: {found.rows} rows, sequences {found.first} to {found.last}, are as they were written.")
        click.echo(f"  digest at {found.last}: {found.digest.hex()}")
