"""`incidents`: what needs somebody; listed and told from the registry, changed through the control process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simward.commands.folder import ANSWER_WITHIN_S, Folder
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
    found = []
    with reading(ctx.obj) as connection:
        if connection is not None:
            found = kept.listed(connection, states=wanted, severities=severities, use_case=use_case, since=since)
    if as_json:
        for one in found:
            json_line(told(one))
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
    with reading(folder) as connection:
        row = None if connection is None else kept.find(connection, parsed_number(number))
        if connection is None or row is None:
            click.echo(f"There is no incident {number}.", err=True)
            ctx.exit(1)
        sections = story(connection, row, chapters_of(folder.data, subscriptions_of(connection, row.number)))
        if as_json:
            json_line(document(connection, row, sections))
        else:
            _tell(folder, row, sections)


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


def _cells(one: Any) -> list[Any]:
    from simward.engine.phrases import short_when

    due = short_when(one.deadline_at) if one.deadline_at else ""
    state = f"{one.state} ({one.outcome})" if one.outcome else one.state
    return [one.number, one.severity, state, short_when(one.opened_at), one.title, one.subscriptions, one.owner, due]


def _tell(folder: Folder, row: Any, sections: Any) -> None:
    from simward.engine.phrases import short_when
    from simward.response.incident_life import count

    click.secho(f"Incident {row.number}: {row.title}", bold=True)
    said = [row.severity, f"{row.state}{f' ({row.outcome})' if row.outcome else ''}"]
    said += [f"opened {short_when(row.opened_at)}"]
    said += [f"owner {row.owner}"] if row.owner else []
    said += [count(row.findings, "finding"), count(row.subscriptions, "subscription")]
    click.echo(", ".join(said))
    for section in sections:
        click.echo()
        click.secho(f"{section.title}:", bold=True)
        for at, text in section.lines:
            click.echo(f"  {at[:19].replace('T', ' ')}  {text}" if at else f"  {text}")
    offers = _could(row)
    if offers:
        click.echo("\nYou could:")
        for one in offers:
            click.echo(f"  {folder.called} incidents {one}")


def _could(row: Any) -> list[str]:
    if row.merged_into:
        return [f"show {row.merged_into}"]
    if row.state == "resolved":
        return [f"reopen {row.number} --because TEXT"]
    could = [f"acknowledge {row.number}"] if row.acknowledged_at is None else []
    return [*could, f"resolve {row.number} --outcome true-positive|benign|false-positive --because TEXT"]


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
    from simward.commands import through_control
    from simward.commands.acting import me
    from simward.response.judging import parsed_number

    folder.must_be_one()
    body = {"actor": asked["actor"] or me(), **more}
    path = f"/v1/incidents/{parsed_number(number)}/{action}"
    answer = through_control.ask(folder.data, folder.called, "POST", path, body, within_s=ANSWER_WITHIN_S)
    if asked["as_json"]:
        json_line(answer)
        return
    owner = f", owner {answer['owner']}" if answer["owner"] else ""
    state = f"{answer['state']} ({answer['outcome']})" if answer["outcome"] else answer["state"]
    click.echo(f"Incident {answer['number']} is {state}{owner}.")
