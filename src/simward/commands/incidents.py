"""`incidents`: what needs somebody; listed and told from the registry, changed through the control process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simward.commands.folder import Folder
from simward.commands.moments import MOMENT
from simward.commands.printing import json_line, table

if TYPE_CHECKING:
    from sqlalchemy import Connection

STATES = ("open", "acknowledged", "contained", "resolved")
SEVERITIES = ("critical", "high", "medium", "low", "info")
HEADERS = ("no", "severity", "state", "opened", "what", "subs", "owner", "due")
SINCE_VERSION = "0003"
"""The change of the registry that made incidents what they are here."""
as_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.group(invoke_without_command=True)
@click.pass_context
def incidents(ctx: click.Context) -> None:
    """List, tell and judge incidents.

    An incident is what belongs together of what was found: of one subscription, one device, one cell, one rule. Without
    a command those that are not resolved are listed. Listing and showing need no running process.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@incidents.command("list")
@click.option("--state", "states", type=click.Choice([*STATES, "all"]), multiple=True,
              help="Only these; may be given again.  [default: all but resolved]")  # fmt: skip
@click.option("--severity", "severities", type=click.Choice(SEVERITIES), multiple=True, help="May be given again.")
@click.option("--use-case", help="Only those with a subscription of this use case.")
@click.option("--since", type=MOMENT, help="Only what opened or changed since then (2h, 2026-11-23T14:00Z).")
@click.option("--exit-zero", is_flag=True, help="Exit 0 also where incidents are listed.")
@as_json_option
@click.pass_context
def list_(
    ctx: click.Context, states: tuple[str, ...], severities: tuple[str, ...], use_case: str | None, since: int | None,
    exit_zero: bool, as_json: bool,
) -> None:  # fmt: skip
    """List incidents, the newest first.

    Exits 1 where any is listed and 0 where none is; with --exit-zero always 0.
    """
    from simward.registry import incidents as kept
    from simward.response.incident_life import told

    wanted = STATES if "all" in states else states or kept.UNRESOLVED
    if ctx.obj.server is not None:
        _show_listed(ctx, ctx.obj.server.incidents(wanted, severities, use_case, since), exit_zero, as_json)
    found = []
    with reading(ctx.obj) as connection:
        if connection is not None:
            rows = kept.listed(connection, states=wanted, severities=severities, use_case=use_case, since=since)
            found = [told(one) for one in rows]
    _show_listed(ctx, found, exit_zero, as_json)


def _show_listed(ctx: click.Context, found: list[dict[str, Any]], exit_zero: bool, as_json: bool) -> None:
    if as_json:
        for one in found:
            json_line(one)
    elif found:
        table(HEADERS, [_cells(one) for one in found], mark=1)
    else:
        click.echo("No incidents.", err=True)
    ctx.exit(1 if found and not exit_zero else 0)


@incidents.command()
@click.argument("number")
@as_json_option
@click.pass_context
def show(ctx: click.Context, number: str, as_json: bool) -> None:
    """Tell the story of one incident.

    What dropped the device off, did it come back elsewhere, did anything else change while it was gone, what else fell
    silent there, what was done with what proof, who was told, what is still open. Times are UTC.

    Exits 1 where there is no such incident.
    """
    from simward.control.chapters import chapters_of
    from simward.registry import incidents as kept
    from simward.response.incident_story import document, story, subscriptions_of
    from simward.response.judging import parsed_number

    folder: Folder = ctx.obj
    if folder.server is not None:
        whole = folder.ask("GET", f"/v1/incidents/{parsed_number(number)}")
        json_line(whole) if as_json else _tell(folder, whole, whole["story"])
        return
    with reading(folder) as connection:
        row = None if connection is None else kept.find(connection, parsed_number(number))
        if connection is None or row is None:
            click.echo(f"There is no incident {number}.", err=True)
            ctx.exit(1)
        sections = story(connection, row, chapters_of(folder.data, subscriptions_of(connection, row.number)))
        whole = document(connection, row, sections)
    json_line(whole) if as_json else _tell(folder, whole, whole["story"])


@contextmanager
def reading(folder: Folder, since_version: str = SINCE_VERSION) -> Iterator[Connection | None]:
    """The registry of a folder, to read from; None where no control process has made what is asked for yet."""
    from simward.registry.database import Registry, url_of

    settings = folder.settings()
    url = url_of(settings)
    if not settings.registry.url and not Path(url.database or "").exists():
        yield None
        return
    registry = Registry.open(url)
    try:
        if registry.version() < since_version:
            yield None
            return
        with registry.reading() as connection:
            yield connection
    finally:
        registry.close()


def incidents_about(folder: Folder, imsis: list[str]) -> list[dict[str, Any]]:
    """The incidents of a subscription, the newest first, for `explain`."""
    from simward.registry import incidents as kept
    from simward.response.incident_life import told

    with reading(folder) as connection:
        if connection is None:
            return []
        found = {one.number: told(one) for imsi in imsis for one in kept.listed(connection, imsi=imsi, limit=20)}
    return [found[number] for number in sorted(found, reverse=True)]


def sentence(one: dict[str, Any]) -> str:
    """An incident in one line, as `explain` tells it."""
    text = f"Incident {one['number']} ({one['severity']}, {one['state']}"
    text += f", {one['outcome']}" if one["outcome"] else ""
    more = f", with {one['subscriptions'] - 1} other subscriptions" if one["subscriptions"] > 1 else ""
    return f"{text}): {one['title']}{more}."


def _cells(one: dict[str, Any]) -> list[Any]:
    due = _short(one["deadline_at"]) if one["deadline_at"] else ""
    state = f"{one['state']} ({one['outcome']})" if one["outcome"] else one["state"]
    opened = _short(one["opened_at"])
    return [one["number"], one["severity"], state, opened, one["title"], one["subscriptions"], one["owner"], due]


def _short(moment: str) -> str:
    """A time as tables have it."""
    return moment[:19].replace("T", " ")


def _tell(folder: Folder, one: dict[str, Any], story: list[dict[str, Any]]) -> None:
    from simward.response.incident_life import count

    click.secho(f"Incident {one['number']}: {one['title']}", bold=True)
    outcome = f" ({one['outcome']})" if one["outcome"] else ""
    said = [one["severity"], f"{one['state']}{outcome}"]
    said += [f"opened {_short(one['opened_at'])}"]
    said += [f"owner {one['owner']}"] if one["owner"] else []
    said += [count(one["findings"], "finding"), count(one["subscriptions"], "subscription")]
    click.echo(", ".join(said))
    for section in story:
        click.echo()
        click.secho(f"{section['question']}:", bold=True)
        for line in section["answers"]:
            at = line.get("at")
            click.echo(f"  {at[:19].replace('T', ' ')}  {line['text']}" if at else f"  {line['text']}")
    offers = _could(one)
    if offers:
        click.echo("\nYou could:")
        for offer in offers:
            click.echo(f"  {folder.called} incidents {offer}")


def _could(one: dict[str, Any]) -> list[str]:
    number = one["number"]
    if one["merged_into"]:
        return [f"show {one['merged_into']}"]
    if one["state"] == "resolved":
        return [f"reopen {number} --because TEXT"]
    could = [f"acknowledge {number}"] if one["acknowledged_at"] is None else []
    return [*could, f"resolve {number} --outcome true-positive|benign|false-positive --because TEXT"]


def writing(function: Any) -> Any:
    """The options of a command that changes an incident."""
    options = (
        click.option("--json", "as_json", is_flag=True, help="The incident as one JSON object."),
        click.option("--actor", help="Who asks.  [default: you, at this machine]"),
        click.argument("number"),
    )
    for wrap in options:
        function = wrap(function)
    return click.pass_obj(function)


because_option = click.option("--because", required=True, help="Why; it is kept and shown with the incident.")


@incidents.command()
@writing
@click.option("--because", default="", help="What you say to it.")
def acknowledge(folder: Folder, number: str, because: str, **asked: Any) -> None:
    """Say that somebody sees to an incident.

    From then on it is no longer escalated for want of that, and is to be contained in time.
    """
    _ask(folder, number, "acknowledge", asked, because=because)


@incidents.command()
@writing
@because_option
@click.option("--outcome", required=True, type=click.Choice(["true-positive", "benign", "false-positive"]),
              help="What it was: true, true but harmless or meant, or a false alarm.")  # fmt: skip
def resolve(folder: Folder, number: str, because: str, outcome: str, **asked: Any) -> None:
    """Say that an incident is over, and what it was.

    The outcome is counted for each detector that found it: `simward detectors` shows it. Locks stay until `release`.
    """
    _ask(folder, number, "resolve", asked, because=because, outcome=outcome)


@incidents.command()
@writing
@because_option
def reopen(folder: Folder, number: str, because: str, **asked: Any) -> None:
    """Say that an incident is not over."""
    _ask(folder, number, "reopen", asked, because=because)


@incidents.command()
@writing
@click.argument("text")
def note(folder: Folder, number: str, text: str, **asked: Any) -> None:
    """Add a note to the story of an incident."""
    _ask(folder, number, "note", asked, because=text)


@incidents.command()
@writing
@click.option("--to", required=True, help="Who sees to it from now on.")
@click.option("--because", default="", help="Why.")
def assign(folder: Folder, number: str, to: str, because: str, **asked: Any) -> None:
    """Give an incident to somebody."""
    _ask(folder, number, "assign", asked, because=because, to=to)


def _ask(folder: Folder, number: str, action: str, asked: dict[str, Any], **more: Any) -> None:
    from simward.commands.acting import me
    from simward.response.judging import parsed_number

    body = {"actor": asked["actor"] or me(), **more}
    path = f"/v1/incidents/{parsed_number(number)}/{action}"
    answer = folder.ask("POST", path, body)
    if asked["as_json"]:
        json_line(answer)
        return
    owner = f", owner {answer['owner']}" if answer["owner"] else ""
    state = f"{answer['state']} ({answer['outcome']})" if answer["outcome"] else answer["state"]
    click.echo(f"Incident {answer['number']} is {state}{owner}.")
