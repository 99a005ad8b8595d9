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
    in the gate's journal and what became history of it, in the watch's (which is about the same sequences), and in that
    of call detail records. Keep the last digests elsewhere: with them one can also tell whether the newest rows were
    cut off.

    Exits 1 where a row is not as it was written.
    """
    folder: Folder = ctx.obj
    with folder.reading() as journal, folder.reading_findings() as own, folder.reading_records() as imported:
        found, others = journal.verify(), {"watch": own.verify(), "cdr": imported.verify()}
    if as_json:
        said = {name: _as_json(one) if _is_any(one) else None for name, one in others.items()}
        json_line({**_as_json(found), **said})
    else:
        _tell("The journal", found)
        for name, one in others.items():
            if _is_any(one):
                _tell(NAMES[name], one)
    ctx.exit(1 if found.wrong or any(one.wrong for one in others.values()) else 0)


NAMES = {"watch": "The watch's journal", "cdr": "The journal of call detail records"}


def _is_any(found: Verification) -> bool:
    return bool(found.rows or found.wrong)


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
