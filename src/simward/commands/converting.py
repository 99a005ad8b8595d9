"""`convert`: records of sessions that other systems keep, as a file of events that can be replayed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simward.commands.printing import json_line
from simward.errors import UsageError

if TYPE_CHECKING:
    from simward.inputs.foreign.convert import Conversion, Converted
    from simward.inputs.foreign.mapping import Mapping

EVENTS, REJECTED = "events.parquet", "rejected.csv"
SETTINGS = """\
# A folder to look at records in: `simward --dir . replay events.parquet`. No gateway asks here.
[control]
http = "none"

# At most so many statistical findings a day. It follows from how many subscriptions do something on a day unless it is
# set here: one in 4,000 of them, and never more than five.
# [behaviour]
# findings_a_day = 0.5
"""
POLICY = """\
# What the records are judged by. Change it, and replay again: nothing is cut by it.
use_case: {name}
binding: {{mode: first-use, not_reported: observe}}
mobility: free
responses: {{default: observe}}
"""
PACE = """\
# One hour in a thousand of these records has more than {seldom} sessions: what is usual here is no storm.
signalling: {{sessions_per_hour: {limit}, attempts_per_hour: {limit}}}
"""
SESSIONS_AN_HOUR_USUAL = 15
"""Half of what is a storm unless policy says otherwise."""


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--to", "to", type=click.Path(dir_okay=False, path_type=Path), help="Write the events here (.parquet).")
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path),
    help="Make a folder: the events, an inventory and a policy to begin with.",
)  # fmt: skip
@click.option(
    "--mapping", "mapping_path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML file that says what columns and units are called.",
)  # fmt: skip
@click.option(
    "--column", "columns", multiple=True, metavar="OURS=THEIRS",
    help="Which column is which, like subscription=IMSI; twice where a date and a time of day are apart; OURS= for "
    "none. Columns of a file without names are called 1, 2, 3, ...",
)  # fmt: skip
@click.option(
    "--time", "time", help="How times are written: auto, iso, day-first, month-first, epoch-s, epoch-ms, epoch-us, or "
    "a format like %Y%m%d%H%M%S.",
)  # fmt: skip
@click.option("--zone", help="Of times that do not say theirs, like Europe/Oslo.  [default: UTC]")
@click.option("--octets", help="Unit of all octets: B, kB, MB, ...  [default: as names of columns say, or B]")
@click.option("--json", "as_json", is_flag=True, help="What came of it as one JSON object.")
@click.pass_context
def convert(
    ctx: click.Context, paths: tuple[Path, ...], to: Path | None, into: Path | None, mapping_path: Path | None,
    columns: tuple[str, ...], time: str | None, zone: str | None, octets: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Make events of records of sessions that another system wrote.

    FILE is CSV, JSON or Parquet (.gz and .zst too), one row a session or a part of one: who, when, and what is
    known of duration, cell, technology, device, APN, address, octets. Columns are found by their usual names, or as
    --column or --mapping say (docs/how-to/records-of-elsewhere.md, with examples). What is no IMSI or IMEI gets one of
    the test network, the same for the same text.

    Rows that do not say who or when are written beside, with the reason. Exits 1 where there are any.

    \b
    simward convert sessions.csv --into study
    simward --dir study replay study/events.parquet
    """
    from simward.inputs.foreign.convert import Conversion

    if (to is None) == (into is None):
        raise UsageError("say where: --into DIR for a folder to look at them in, or --to FILE for the events alone")
    for path in paths:
        if not path.is_file():
            raise UsageError(f"{path} is no file")
    said = {"time": time, "zone": zone, "octets": octets}
    mapping = _mapping(mapping_path, columns, {key: value for key, value in said.items() if value is not None})
    if into is not None:
        into.mkdir(parents=True, exist_ok=True)
    events = to or Path(into or ".") / EVENTS
    with closing(Conversion(mapping, events.parent)) as run:
        for path in paths:
            run.take(path)
        rejected = events.with_name(REJECTED)
        made = run.write(events, rejected, lambda step: click.echo(f"{step} ...", err=True))
        if into is not None:
            _folder(into, run)
    if as_json:
        json_line(vars(made))
    else:
        _tell(made, events, rejected, into)
    ctx.exit(1 if made.rejected else 0)


def _mapping(path: Path | None, columns: tuple[str, ...], said: dict[str, Any]) -> Mapping:
    """The mapping of the file, with what the options say in its place."""
    from simward.inputs.foreign.mapping import Mapping, checked

    def wrong(key: str, what: str, instead: str = "") -> None:
        option = key.replace("columns.", "--column ") if key.startswith("columns.") else f"--{key}"
        raise UsageError(f"{option}: {what}" + (f"; {instead}" if instead else ""))

    named: dict[str, list[str]] = {}
    for one in columns:
        ours, equals, theirs = one.partition("=")
        if not equals:
            raise UsageError(f"--column {one}: say OURS=THEIRS, like subscription=IMSI")
        named.setdefault(ours.strip(), []).extend([theirs] if theirs else [])
    made = Mapping.read(path) if path is not None else Mapping()
    options = checked({**said, "columns": named}, wrong)
    changes = {key: getattr(options, key) for key in said}
    return replace(made, columns={**made.columns, **options.columns}, **changes)


def _folder(into: Path, run: Conversion) -> None:
    use_cases = run.write_inventory(into / "inventory.csv")
    run.write_cells(into / "cells.csv")
    settings, policies = into / "simward.toml", into / "policies"
    if not settings.exists():
        settings.write_text(SETTINGS, encoding="utf-8")
    if not policies.exists():
        policies.mkdir()
        for name in use_cases:
            text = POLICY.format(name=name)
            if (seldom := run.made.sessions_an_hour) > SESSIONS_AN_HOUR_USUAL:
                text += PACE.format(seldom=seldom, limit=2 * seldom)
            (policies / f"{name}.yaml").write_text(text, encoding="utf-8")


def _tell(made: Converted, events: Path, rejected: Path, into: Path | None) -> None:
    from simward.engine.phrases import when

    for file, columns in made.columns.items():
        units = {ours: f" in {unit}" for ours, unit in made.units[file].items()}
        taken = (f"{ours} = {theirs}{units.get(ours, '')}" for ours, theirs in columns.items())
        click.echo(f"{file}: {', '.join(taken)}")
        if made.unused[file]:
            click.echo(f"  nothing was taken from: {', '.join(made.unused[file])}")
    for note in made.notes:
        click.echo(f"  {note}")
    for column, count in made.unread.items():
        click.echo(f"  {count} values of {column} could not be read: those rows are there without")
    span = f"{when(made.began_at)[:19]}Z to {when(made.ended_at)[:19]}Z"
    click.echo(
        f"{made.rows} rows of {made.subscriptions} subscriptions and {made.devices} devices, {span}: "
        f"{made.events} events in {events}"
    )
    if made.repeated:
        click.echo(f"{made.repeated} rows say the same as another, and count once")
    if made.shared_devices:
        click.echo(f"{made.shared_devices} devices are named by more subscriptions than a device has: taken for models")
    if made.doubted_cells:
        click.echo(f"{made.doubted_cells} cells are where nobody comes so fast: taken without their coordinates")
    if made.far_rows:
        click.echo(f"{made.far_rows} rows are farther away, once, than anything travels: taken without their cell")
    if made.continued_rows:
        click.echo(f"{made.continued_rows} rows go on where another ended, and not all in its place: taken without it")
    if made.idle_rows:
        click.echo(f"{made.idle_rows} rows moved nothing for ten minutes or more: taken without place and device")
    for reason, count in made.rejected.items():
        click.echo(f"{count} rows rejected, in {rejected}: {reason}")
    if into is not None:
        click.echo(f"\nNext: simward --dir {into} replay {events}")
