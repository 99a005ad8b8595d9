"""`endpoints`: who is told what happened, whether they are up, and what could not be delivered."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from simward.cli import ANSWER_IS_NO
from simward.commands.folder import Folder
from simward.commands.printing import json_line, table

PATH = "/v1/endpoints"
HEADERS = ("endpoint", "state", "waiting", "dead", "delivered", "oldest waits since", "last error")
DEAD_HEADERS = ("delivery", "type", "about", "made", "attempts", "error")
as_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.group(invoke_without_command=True)
@click.pass_context
def endpoints(ctx: click.Context) -> None:
    """Say who is told, test it, and send dead letters again.

    Without a command the endpoints of the settings are listed. All of it is asked of the control process.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@endpoints.command("list")
@as_json_option
@click.pass_obj
def list_(folder: Folder, as_json: bool) -> None:
    """List the endpoints: what waits, what died, who is up.

    States: closed (all is well), open (it counts as down, and is tried again now and then), half-open (it is being
    tried), gone (it answered 410: `test` tries it again).
    """
    found = _ask(folder, "GET", "")["endpoints"]
    if as_json:
        for one in found:
            json_line(one)
    elif found:
        table(HEADERS, [_cells(one) for one in found])
    else:
        click.echo("No [[endpoint]] in the settings.", err=True)


@endpoints.command()
@click.argument("name")
@as_json_option
@click.pass_context
def test(ctx: click.Context, name: str, as_json: bool) -> None:
    """Send a test to an endpoint now, and say what it answered.

    Exits 1 where it did not take it. An endpoint that takes it counts as up again.
    """
    said = _ask(ctx.obj, "POST", f"/{quote(name)}/test", {})
    if as_json:
        json_line(said)
    elif said["delivered"]:
        click.echo(f"{name} took it: {said['status']} after {said['took_ms']} ms.")
    else:
        click.echo(f"{name} did not take it: {said['error']}.")
    if not said["delivered"]:
        ctx.exit(ANSWER_IS_NO)


@endpoints.command()
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many.")
@as_json_option
@click.pass_context
def dead(ctx: click.Context, name: str, limit: int, as_json: bool) -> None:
    """List what could not be delivered, the newest first.

    Exits 1 where there is any. `redrive` sends it again.
    """
    found = _ask(ctx.obj, "GET", f"/{quote(name)}/dead?limit={limit}")["dead"]
    if as_json:
        for one in found:
            json_line(one)
    elif found:
        names = ("delivery", "type", "subject", "made_at", "attempts", "error")
        table(DEAD_HEADERS, [[one[key] for key in names] for one in found])
    else:
        click.echo(f"Nothing of {name} is dead.", err=True)
    if found:
        ctx.exit(ANSWER_IS_NO)


@endpoints.command()
@click.argument("name")
@click.argument("deliveries", type=click.IntRange(min=1), nargs=-1)
@as_json_option
@click.pass_obj
def redrive(folder: Folder, name: str, deliveries: tuple[int, ...], as_json: bool) -> None:
    """Send dead letters again: those of these numbers (see `dead`), or all.

    They go before what waits in their lane, under the ids that they had.
    """
    said = _ask(folder, "POST", f"/{quote(name)}/redrive", {"deliveries": list(deliveries)})
    if as_json:
        json_line(said)
    else:
        click.echo(f"{said['redriven']} wait again.")


@endpoints.command()
@click.argument("name")
@click.argument("announcement")
@as_json_option
@click.pass_obj
def redeliver(folder: Folder, name: str, announcement: str, as_json: bool) -> None:
    """Deliver an announcement (its id, webhook-id) once more, also where it was delivered.

    For a receiver that has lost something. It has the id and sequence that it had.
    """
    said = _ask(folder, "POST", f"/{quote(name)}/redeliver", {"announcement": announcement})
    if as_json:
        json_line(said)
    else:
        click.echo(f"{announcement} waits for {name}.")


def _ask(folder: Folder, method: str, path: str, body: Any = None) -> dict[str, Any]:
    return folder.ask(method, PATH + path, body)


def _cells(one: dict[str, Any]) -> list[Any]:
    since = one["oldest_waiting_at"]
    shown = since[:19].replace("T", " ") if since else ""
    return [one["name"], one["state"], one["waiting"], one["dead"], one["delivered"], shown, one["last_error"]]
