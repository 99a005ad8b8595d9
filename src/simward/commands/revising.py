"""`plan` and `apply`: what the files would change, and the numbered, journalled revision that makes it so."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simward.commands.acting import actor_option, break_glass_option, me
from simward.commands.folder import Folder
from simward.commands.moments import now_us
from simward.commands.printing import json_line
from simward.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from simward.engine.fold import Fold
    from simward.engine.journal import Journal
    from simward.policy.plan import Plan

APPLY_WITHIN_S = 600.0
take_over_option = click.option(
    "--take-over", metavar="NAME", multiple=True,
    help="Documents of this text (api/meters.yaml) are the files' from now on, not the API's; may be given again.",
)


take_back_option = click.option(
    "--take-back", is_flag=True,
    help="Subscriptions that the API has deployed are the files' again: as inventory.csv says, or as they stand.",
)  # fmt: skip


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@take_over_option
@take_back_option
@click.pass_context
def plan(ctx: click.Context, as_json: bool, take_over: tuple[str, ...], take_back: bool) -> None:
    """Show what `apply` would change, and for whom.

    Compares policies/ and inventory.csv with what is in force. Nothing is changed. What was declared over the API, and
    subscriptions that were deployed by a call, are left as they are; where the files say otherwise of these, that is
    said. Exits 0 where nothing would change, and 1 where `apply` would change something.
    """
    folder: Folder = ctx.obj
    made = _plan(folder, take_over, take_back)
    if as_json:
        from simward.revising.telling import plan_told

        json_line(plan_told(made))
    else:
        click.echo("\n".join(made.lines()))
        for line in _since(folder, made):
            click.echo(line)
        for reason in made.needs_confirmation:
            click.echo(f"`apply` would ask first: {reason}.")
    ctx.exit(0 if made.empty else 1)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask, also where much of the fleet would go.")
@click.option("--because", default="", help="Why; kept with the revision.")
@take_over_option
@actor_option
@break_glass_option
@take_back_option
@click.pass_obj
def apply(
    folder: Folder, yes: bool, because: str, take_over: tuple[str, ...], actor: str | None, break_glass: bool,
    take_back: bool,
) -> None:  # fmt: skip
    """Make the files the policy and inventory in force.

    Shows the plan, then journals it as a revision: through the control plane where a gate is running, straight into
    the journal where none is. Where much of the fleet would be removed or taken out of service it asks first, and
    refuses where nobody is there to be asked; --yes answers beforehand.
    """
    made = _plan(folder, take_over, take_back)
    click.echo("\n".join(made.lines()))
    for line in _since(folder, made):
        click.echo(line)
    if made.empty:
        return
    if made.needs_confirmation and not yes:
        _ask(made)
    note = {"actor": actor or me(), "because": because}
    by_gate = folder.gate_runs()
    last, cut = _through_gate(folder, made, note, break_glass) if by_gate else _into_journal(folder, made, note)
    click.echo(f"Applied: in force from sequence {last} on.")
    if cut:
        sessions = f"{cut:,} live session{'s' * (cut != 1)} of removed subscriptions"
        how = "are being cut now" if by_gate else "will be cut when the gate starts"
        click.echo(f"{sessions} {how}; `simward explain` shows each gateway's answer.")


def _ask(made: Plan) -> None:
    for reason in made.needs_confirmation:
        click.echo(f"Attention: {reason}.", err=True)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("nobody is there to be asked, so nothing was applied.\nIf it is meant, say so with --yes.")
    if not click.confirm("Apply this?", default=False):
        raise UsageError("nothing was applied")


def _since(folder: Folder, made: Plan) -> Iterator[str]:
    """Who deployed what is left to the API, and since when, as far as the registry can be asked."""
    from simward.commands.incidents import reading
    from simward.engine.phrases import short_when
    from simward.errors import RegistryError
    from simward.registry.deployments import live_of

    if not made.left_to_api.number:
        return
    with contextlib.suppress(RegistryError), reading(folder, "0010") as connection:
        for iccid in made.left_to_api.examples if connection is not None else ():
            row = live_of(connection, iccid=iccid) if connection is not None else None
            if row is not None:
                yield f"    {iccid}: deployment {row.number}, since {short_when(row.created_at)}, by {row.actor}"
    yield "    `DELETE /v1/deployments/NUMBER` hands one back; `simward apply --take-back` takes back all of them."


def _plan(folder: Folder, take_over: Sequence[str] = (), take_back: bool = False) -> Plan:
    from simward.revising.planning import in_force, plan_files

    settings = folder.settings()
    current = in_force(folder.data)
    with progress("Reading the inventory") as advance:
        made, warnings = plan_files(settings, current, _of_api(folder), advance, take_over, take_back=take_back)
    if warnings:
        click.echo(f"{len(warnings)} warnings: `simward check` names them.", err=True)
    return made


def _of_api(folder: Folder) -> np.ndarray:
    """The IMSIs that the API declares; none where there is no registry yet."""
    import numpy as np

    from simward.commands.incidents import reading
    from simward.registry.uploads import SINCE_VERSION, owned_imsis

    with reading(folder, SINCE_VERSION) as connection:
        return np.zeros(0, np.int64) if connection is None else owned_imsis(connection)


def declared_over_the_api(folder: Folder) -> dict[str, str]:
    """The policy texts that the API declares, by name, as the registry mirrors them."""
    from simward.commands.incidents import reading
    from simward.control.revising import api_texts
    from simward.registry.uploads import SINCE_VERSION

    with reading(folder, SINCE_VERSION) as connection:
        return {} if connection is None else api_texts(connection)


def _through_gate(folder: Folder, made: Plan, note: dict[str, str], break_glass: bool) -> tuple[int, int]:
    """Hand the revision to the running gate, and wait until it is durable; as `append_revision`."""
    from simward.commands.through_control import wait_for_control
    from simward.engine.revision_files import write_revision

    if not break_glass:
        wait_for_control(folder.data, folder.called)  # before anything is written for it
    tables, deltas = made.deltas()
    revisions = folder.data / "revisions"
    revisions.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = Path(tempfile.mkdtemp(prefix=f"{now_us()}-", dir=revisions)).absolute()
    pieces: list[Any] = [*([tables] if tables is not None else []), *deltas]
    write_revision(place, pieces, actor=note["actor"], because=note["because"])
    if break_glass:
        asked = {"do": "apply", "revision": str(place), "break_glass": True}
        answer = folder.ask_gate(asked, within_s=APPLY_WITHIN_S)
    else:
        answer = folder.command("/v1/revisions", {"revision": place.name}, within_s=APPLY_WITHIN_S)
    # The journal holds it now. A revision that the gate did not take stays, to be looked at.
    shutil.rmtree(place, ignore_errors=True)
    return int(answer["last"]), int(answer.get("disconnects", 0))


def _into_journal(folder: Folder, made: Plan, note: dict[str, str]) -> tuple[int, int]:
    """Append the revision as the journal's only writer; JournalError where a gate has come up meanwhile."""
    from simward.engine.sqlite_journal import SqliteJournal
    from simward.engine.start import restore

    folder.journal_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    journal = SqliteJournal.open(folder.journal_folder)
    try:
        fold = restore(folder.data, journal)
        journal.register_kernel(fold.kernel, fold.manifest())
        return append_revision(fold, journal, made, note)
    finally:
        journal.close()


def append_revision(fold: Fold, journal: Journal, made: Plan, note: dict[str, str]) -> tuple[int, int]:
    """Fold and append each piece of a plan; gives the sequence of the last, and how many sessions are to be cut."""
    from simward.engine.apply import revision_row
    from simward.engine.journal import row_outputs
    from simward.engine.outputs import sent_disconnects
    from simward.revising.pieces import note_of

    tables, deltas = made.deltas()
    pieces: list[Any] = [*([tables] if tables is not None else []), *deltas]
    at, cut = max(now_us(), fold.now), 0  # received_at never goes back
    said = note_of(str(at), note["actor"], note["because"])
    with progress("Writing the journal") as advance:
        for number, piece in enumerate(pieces, start=1):
            row = revision_row(fold, piece, at)
            journal.append(replace(row, notes={**row.notes, "commands": {str(row.first): said}}))
            cut += len(sent_disconnects(row_outputs(row)))
            advance(number, len(pieces))
    return fold.sequence, cut


@contextlib.contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, where that is a terminal: call what you get with (done, in all)."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
