"""`serve`, `status` and `metrics`: the gate itself, and how it is doing."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import click

from simward.commands.folder import Folder
from simward.commands.moments import now_us
from simward.commands.printing import json_line
from simward.errors import PeerError

CONTROL_WITHIN_S = 5.0


@click.command()
@click.option(
    "--only", "only", type=click.Choice(["gate", "watch", "control"]), multiple=True,
    help="Run this process alone; can be given twice.",
)  # fmt: skip
@click.pass_context
def serve(ctx: click.Context, only: tuple[str, ...]) -> None:
    """Run gate, watch and control until told to stop.

    Each is a process of its own; one that dies is started again. Prints a line with `ready` once the gate's sockets
    are open. SIGTERM and SIGINT let the gate finish what it has begun, make it durable, and stop.
    """
    folder: Folder = ctx.obj
    settings = folder.settings()
    for problem in settings.warnings:
        click.echo(str(problem), err=True)
    from simward.supervisor.report import NAMES
    from simward.supervisor.run import Supervisor

    form = "%(asctime)s %(levelname)s supervisor: %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, stream=sys.stderr)
    supervisor = Supervisor(folder.path, settings.data_dir, only or NAMES, say=_line)
    ctx.exit(supervisor.run())


def _line(text: str) -> None:
    """Past Python's buffer: where the reader has gone, nothing is left that would fail again at the end."""
    os.write(sys.stdout.fileno(), text.encode() + b"\n")


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
    answer |= {"watch": _watch(folder, int(answer["sequence"])), "control": _control(folder)}
    answer["processes"] = _processes(folder)
    if as_json:
        json_line({"running": True, **answer})
        return
    click.echo(f"A gate is running in {folder.path}.")
    _lines({**answer, **{name: answer[name] or "not running" for name in ("watch", "control")},
            "processes": answer["processes"] or "each alone"})  # fmt: skip


def _watch(folder: Folder, last: int) -> dict[str, Any] | None:
    """How the watch is doing, with how far it is behind a journal that ends at `last`; None where none is running."""
    from simward.watch.metrics import lag_of
    from simward.watch.report import read_status

    said = read_status(folder.data)
    if said is not None:
        said["lag_events"], said["lag_s"] = lag_of(said, last, now_us())
    return said


def _control(folder: Folder) -> dict[str, Any] | None:
    """How the control plane is doing; None where none answers."""
    from simward.commands import through_control

    if not through_control.is_running(folder.data):
        return None
    try:
        return through_control.ask(folder.data, folder.called, "GET", "/v1/status", within_s=CONTROL_WITHIN_S)
    except PeerError:
        return None


def _processes(folder: Folder) -> dict[str, Any]:
    """The processes that a supervisor keeps running; none where it is none that runs them."""
    from simward.engine.phrases import when
    from simward.supervisor.report import read_processes

    return {
        name: {**said, "since": None if said["since"] is None else when(int(said["since"] * 1_000_000))}
        for name, said in read_processes(folder.data).items()
    }


def _without_gate(folder: Folder, as_json: bool) -> None:
    with folder.reading() as journal:
        first, last = journal.first, journal.last
    if as_json:
        json_line({"running": False, "first": first, "last": last, "processes": _processes(folder)})
        return
    said = f"Its journal holds sequences {first} to {last}." if last else "Its journal is empty."
    click.echo(f"No gate is running in {folder.path}. {said}")
    if processes := _processes(folder):
        _lines({"processes": processes})


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
    return "-" if value in ("", None) else str(value)


@click.command()
@click.pass_obj
def metrics(folder: Folder) -> None:
    """Print the counters of the running processes.

    Those of the gate, of the watch and of the supervisor, in the text format that Prometheus reads.
    """
    from simward.supervisor.report import metrics_text as processes_text
    from simward.supervisor.report import read_processes
    from simward.watch.metrics import metrics_text
    from simward.watch.report import read_status

    click.echo(folder.ask_gate({"do": "metrics"})["text"], nl=False)
    said = read_status(folder.data)
    if said is not None:
        last = int(folder.ask_gate({"do": "status"})["sequence"])
        click.echo(metrics_text(said, last, now_us()), nl=False)
    click.echo(processes_text(read_processes(folder.data)), nl=False)
