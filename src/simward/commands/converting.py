"""`convert`: records of sessions that other systems keep, as a file of events that can be replayed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simward.commands.printing import json_line
from simward.errors import UsageError

if TYPE_CHECKING:
    from simward.inputs.foreign.convert import Conversion, Converted

EVENTS, REJECTED = "events.parquet", "rejected.csv"
SETTINGS = """\
# A folder to look at records in: `simward --dir . replay events.parquet`. No gateway asks here.
[control]
http = "none"
"""
POLICY = """\
# What the records are judged by. Change it, and replay again: nothing is cut by it.
use_case: {name}
binding: {{mode: first-use, not_reported: observe}}
mobility: free
responses: {{default: observe}}
"""


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
@click.option("--json", "as_json", is_flag=True, help="What came of it as one JSON object.")
@click.pass_context
def convert(
    ctx: click.Context, paths: tuple[Path, ...], to: Path | None, into: Path | None, mapping_path: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Make events of records of sessions that another system wrote.

    FILE is CSV, JSON lines or Parquet (.gz and .zst too), one row a session or a part of one: who, when, and what is
    known of duration, cell, technology, device, APN, address, octets. Columns are found by their usual names, or as
    --mapping says (docs/how-to/records-of-elsewhere.md). What is no IMSI or IMEI gets one of the test network, the
    same for the same text.

    Rows that do not say who or when are written beside, with the reason. Exits 1 where there are any.

    \b
    simward convert sessions.csv --into study
    simward --dir study replay study/events.parquet
    """
    from simward.inputs.foreign.convert import Conversion
    from simward.inputs.foreign.mapping import Mapping

    if (to is None) == (into is None):
        raise UsageError("say where: --into DIR for a folder to look at them in, or --to FILE for the events alone")
    for path in paths:
        if not path.is_file():
            raise UsageError(f"{path} is no file")
    mapping = Mapping.read(mapping_path) if mapping_path is not None else Mapping()
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


def _folder(into: Path, run: Conversion) -> None:
    use_cases = run.write_inventory(into / "inventory.csv")
    settings, policies = into / "simward.toml", into / "policies"
    if not settings.exists():
        settings.write_text(SETTINGS, encoding="utf-8")
    if not policies.exists():
        policies.mkdir()
        for name in use_cases:
            (policies / f"{name}.yaml").write_text(POLICY.format(name=name), encoding="utf-8")


def _tell(made: Converted, events: Path, rejected: Path, into: Path | None) -> None:
    from simward.engine.phrases import when

    for file, columns in made.columns.items():
        click.echo(f"{file}: " + ", ".join(f"{ours} = {theirs}" for ours, theirs in columns.items()))
        if made.unused[file]:
            click.echo(f"  nothing was taken from: {', '.join(made.unused[file])}")
    for column, count in made.unread.items():
        click.echo(f"  {count} values of {column} could not be read: those rows are there without")
    span = f"{when(made.began_at)[:19]}Z to {when(made.ended_at)[:19]}Z"
    click.echo(
        f"{made.rows} rows of {made.subscriptions} subscriptions and {made.devices} devices, {span}: "
        f"{made.events} events in {events}"
    )
    for reason, count in made.rejected.items():
        click.echo(f"{count} rows rejected, in {rejected}: {reason}")
    if into is not None:
        click.echo(f"\nNext: simward --dir {into} replay {events}")
