"""`serve`, `status` and `metrics`: the gate itself, and how it is doing."""

from __future__ import annotations

import logging
import sys
from typing import Any

import click

from simward.commands.folder import Folder
from simward.commands.moments import now_us
from simward.commands.printing import json_line


@click.command()
@click.pass_obj
def serve(folder: Folder) -> None:
    """Run the gate, and the watch behind it, until it is told to stop.

    Prints a line with `ready` once its sockets are open. SIGTERM and SIGINT let it finish what it has begun, make it
    durable, and stop.
    """
    settings = folder.settings()
    for problem in settings.warnings:
        click.echo(str(problem), err=True)
    from simward.gate.serve import serve as run

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    run(settings, say=lambda text: print(text, flush=True), with_watch=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Say how the gate is doing.

    Exits 1 where no gate is running.
    """
    folder: Folder = ctx.obj
    folder.must_be_one()
    if not folder.gate_runs():
        _without_gate(folder, as_json)
        ctx.exit(1)
    answer = folder.ask_gate({"do": "status"})
    answer.pop("ok")
    answer["watch"] = _watch(folder, int(answer["sequence"]))
    if as_json:
        json_line({"running": True, **answer})
        return
    click.echo(f"A gate is running in {folder.path}.")
    _lines({**answer, "watch": answer["watch"] or "not running"})


def _watch(folder: Folder, last: int) -> dict[str, Any] | None:
    """How the watch is doing, with how far it is behind a journal that ends at `last`; None where none is running."""
    from simward.watch.metrics import lag_of
    from simward.watch.report import read_status

    said = read_status(folder.data)
    if said is not None:
        said["lag_events"], said["lag_s"] = lag_of(said, last, now_us())
    return said


def _without_gate(folder: Folder, as_json: bool) -> None:
    with folder.reading() as journal:
        first, last = journal.first, journal.last
    if as_json:
        json_line({"running": False, "first": first, "last": last})
        return
    said = f"Its journal holds sequences {first} to {last}." if last else "Its journal is empty."
    click.echo(f"No gate is running in {folder.path}. {said}")


def _lines(answer: dict[str, Any], indent: str = "  ") -> None:
    width = max((len(name) for name in answer), default=0)
    for name, value in answer.items():
        if isinstance(value, dict):
            click.echo(f"{indent}{name}")
            _lines(value, indent + "  ")
        else:
            click.echo(f"{indent}{name.ljust(width)}  {_shown(value)}")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value == "" else str(value)


@click.command()
@click.pass_obj
def metrics(folder: Folder) -> None:
    """Print the counters of the running gate, and of the watch behind it.

    In the text format that Prometheus reads.
    """
    from simward.watch.metrics import metrics_text
    from simward.watch.report import read_status

    click.echo(folder.ask_gate({"do": "metrics"})["text"], nl=False)
    said = read_status(folder.data)
    if said is not None:
        last = int(folder.ask_gate({"do": "status"})["sequence"])
        click.echo(metrics_text(said, last, now_us()), nl=False)
