"""`serve`, `status`, `ready` and `metrics`: the processes themselves, and how they are doing."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

import click

from simward import logs
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
    are open. SIGTERM and SIGINT let the gate finish what it has begun, make it durable, and stop. SIGHUP has the
    settings and the secrets that they name read again: watch and control start anew with them, the gate goes on.
    """
    folder: Folder = ctx.obj
    settings = folder.settings()
    for problem in settings.warnings:
        click.echo(str(problem), err=True)
    from simward.observing.processes import NAMES
    from simward.supervisor.rereading import Rereading
    from simward.supervisor.run import Supervisor

    logs.begin("supervisor", settings.log)
    reread = Rereading(settings).again
    supervisor = Supervisor(folder.path, settings.data_dir, only or NAMES, say=_line, reread=reread)
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
    from simward.observing.watch import lag_of, read_status

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
    from simward.observing.processes import read_processes

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

    Those of gate, watch, control and the supervisor, in the text format that Prometheus reads: what GET /metrics of the
    control process answers. Without a control process, those of the others.
    """
    from simward.commands import through_control
    from simward.observing.whole import whole_text

    folder.must_be_one()
    if through_control.is_running(folder.data):
        with contextlib.suppress(PeerError):
            click.echo(through_control.text(folder.data, "/metrics", within_s=CONTROL_WITHIN_S), nl=False)
            return
    gate = folder.ask_gate({"do": "metrics"})["text"]
    last = folder.ask_gate({"do": "status"}).get("sequence")
    click.echo(whole_text(folder.data, now_us(), gate=gate, last=last, control=None), nl=False)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def ready(ctx: click.Context, as_json: bool) -> None:
    """Say whether everything that Simward needs is there.

    The conditions of GET /readyz, for probes that cannot ask over HTTP. Exits 1 where one does not hold, which one with
    no control process is.
    """
    from simward.commands import through_control

    folder: Folder = ctx.obj
    folder.must_be_one()
    try:
        conditions = through_control.conditions(folder.data, within_s=CONTROL_WITHIN_S)
    except PeerError as error:
        conditions = {"control": {"ok": False, "said": str(error)}}
    holds = all(one["ok"] for one in conditions.values())
    if as_json:
        json_line({"ready": holds, "conditions": conditions})
    else:
        width = max(map(len, conditions))
        for name, one in conditions.items():
            click.echo(f"{'ok ' if one['ok'] else 'NOT'}  {name.ljust(width)}  {one['said']}")
    ctx.exit(0 if holds else 1)
