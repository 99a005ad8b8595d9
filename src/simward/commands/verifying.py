"""`verify`: the proof that history and journal are as they were written."""

from __future__ import annotations

import click

from simward.commands.folder import Folder
from simward.commands.printing import json_line


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Prove that nothing was changed or removed in the journal.

    Every row carries a digest over itself and the digest before it. They are computed again from the first row kept.
    Keep the last digest elsewhere: with it one can also tell whether the newest rows were cut off.

    Exits 1 where a row is not as it was written.
    """
    folder: Folder = ctx.obj
    with folder.reading() as journal:
        found = journal.verify()
    told = {
        "rows": found.rows, "first": found.first, "last": found.last, "digest": found.digest.hex(),
        "wrong": found.wrong or None, "reason": found.reason or None,
    }  # fmt: skip
    if as_json:
        json_line(told)
    elif found.wrong:
        click.echo(f"Sequence {found.wrong}: {found.reason}. Up to there {found.rows} rows are as they were written.")
    elif not found.rows:
        click.echo("The journal is empty.")
    else:
        click.echo(f"{found.rows} rows, sequences {found.first} to {found.last}, are as they were written.")
        click.echo(f"Digest at {found.last}: {found.digest.hex()}")
    ctx.exit(1 if found.wrong else 0)
