"""`verify`: the proof that history and journals are as they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simward.commands.folder import Folder
from simward.commands.printing import json_line

if TYPE_CHECKING:
    from simward.engine.journal import Verification


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Prove that nothing was changed or removed in the journals.

    Every row carries a digest over itself and the digest before it. They are computed again from the first row kept,
    in the gate's journal and what became history of it, and in the watch's (which is about the same sequences). Keep
    the last digests elsewhere: with them one can also tell whether the newest rows were cut off.

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
