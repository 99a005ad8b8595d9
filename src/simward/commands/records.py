"""`cdr`: call detail records of operators, from files into their journal, and out of it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simward.commands.folder import Folder
from simward.commands.moments import MOMENT, now_us
from simward.commands.printing import json_line, stream, table
from simward.errors import UsageError

if TYPE_CHECKING:
    from simward.inputs.record_files import RecordFile
    from simward.inputs.record_import import Outcome


@click.group()
def cdr() -> None:
    """Import call detail records, list them, and add them up."""


@cdr.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--template", "name", required=True, help="A file that maps the operator's columns, or a shipped one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file.")
@click.pass_context
def import_files(ctx: click.Context, paths: tuple[Path, ...], name: str, as_json: bool) -> None:
    """Import files of call detail records, each record once.

    FILE is CSV or JSON as the template says, also compressed (.gz, .zst). What was imported before is recognised,
    file by file and record by record, so a file may come again, grown or corrected, in any order. Lines that cannot be
    read are written to data/cdr/rejects with the reason. When the command returns, all else is durable.

    A file that cannot be read to its end holds up no other. A running gate is not disturbed. Exits 1 where lines were
    rejected, 2 where a file could not be read.
    """
    from simward.inputs.record_import import RecordImport
    from simward.wire.cdr.template import Template

    folder: Folder = ctx.obj
    settings = folder.settings()
    template = Template.named(name)
    for path in paths:
        if not path.is_file():
            raise UsageError(f"{path} is no file")
    rejected = failed = 0
    with closing(RecordImport(settings.data_dir, settings.cdr.keep_s)) as into:
        for path in paths:
            try:
                with _progress(path) as told:
                    outcome = into.run(path, template, now_us(), told)
            except UsageError as error:  # the others are none the worse for it
                click.echo(f"simward: {error}", err=True)
                failed += 1
                continue
            rejected += outcome.rejected
            _tell(outcome, as_json)
        into.expire(now_us())
    ctx.exit(UsageError.exit_code if failed else 1 if rejected else 0)


@contextmanager
def _progress(path: Path) -> Iterator[Callable[[RecordFile], None]]:
    """A bar on a terminal that shows how much of a file was read."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda file: None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(path.name, total=max(1, path.stat().st_size))
        yield lambda file: bar.update(task, completed=file.octets_read)


def _tell(outcome: Outcome, as_json: bool) -> None:
    said: dict[str, Any] = {
        "file": outcome.file, "template": outcome.template, "digest": outcome.digest, "known": outcome.known,
        "records": outcome.records, "duplicates": outcome.duplicates, "ignored": outcome.ignored,
        "rejected": outcome.rejected, "rejects": outcome.rejects or None,
    }  # fmt: skip
    if as_json:
        json_line(said)
        return
    if outcome.known:
        click.echo(f"{outcome.file}: imported before, all of it.")
        return
    rest = ", ".join(f"{said[name]:,} {name}" for name in ("duplicates", "ignored", "rejected") if said[name])
    click.echo(f"{outcome.file}: {outcome.records:,} records{'; ' + rest if rest else ''}.")
    if outcome.rejects:
        click.echo(f"  rejected lines: {outcome.rejects}", err=True)


@cdr.command("list")
@click.argument("subscription")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a record.")
@click.pass_obj
def list_records(folder: Folder, subscription: str, as_json: bool) -> None:
    """List the records of one subscription, in the order in which they were imported.

    SUBSCRIPTION is an IMSI, ICCID or MSISDN (+...).
    """
    from simward.engine.call_records import among_records, row_records
    from simward.engine.story import Subject, look_up

    subject = Subject.parse(subscription)
    with folder.reading() as journal, folder.reading_records() as imported:
        look_up(journal.revisions(), subject)

        def found() -> Iterator[dict[str, Any]]:
            for row in imported.rows():
                records = row_records(row, imported.layouts)
                for at in among_records(records, subject.imsis, subject.msisdns).nonzero()[0].tolist():
                    yield record_told(row.first + at, records[at])

        if as_json:
            for one in found():
                json_line(one)
            return
        columns = (
            ("happened_at", 27), ("kind", 5), ("destination", 13), ("network", 7), ("duration_s", 10),
            ("uplink_octets", 15), ("downlink_octets", 15),
        )  # fmt: skip
        stream(columns, ([_cell(one[name]) for name, _ in columns] for one in found()))


@cdr.command()
@click.argument("subscription", required=False)
@click.option("--since", type=MOMENT, help="Only what happened since then (30d, 2026-11-01).")
@click.option("--until", type=MOMENT, help="Only what happened before then.")
@click.option("--by-network", is_flag=True, help="A row for each network visited.")
@click.option("--top", type=click.IntRange(min=1), default=50, show_default=True, help="How many rows are shown.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row, all of them.")
@click.pass_obj
def usage(
    folder: Folder, subscription: str | None, since: int | None, until: int | None, by_network: bool, top: int,
    as_json: bool,
) -> None:
    """Say what records add up to: calls by class of destination, messages, octets.

    Of SUBSCRIPTION (IMSI, ICCID or MSISDN), or of all: those with most premium seconds first, then those with most
    seconds of all calls, then messages. A record without an IMSI counts for its telephone number.
    """
    from simward.engine.call_records import among_records
    from simward.engine.story import Subject, look_up
    from simward.inputs.record_usage import UsageSums

    subject = Subject.parse(subscription) if subscription else None

    def wanted(records: Any) -> Any:
        happened = records["happened_at"]
        found = (happened >= (since or 0)) & (happened < (until or 1 << 62))
        return found & among_records(records, subject.imsis, subject.msisdns) if subject else found

    sums = UsageSums(wanted, by_network=by_network)
    with folder.reading() as journal, folder.reading_records() as imported:
        if subject:
            look_up(journal.revisions(), subject)
        sums.take(imported.rows(), imported.layouts)
    rows = sorted(map(_usage_as_json, sums.table().to_pylist()), key=_most_used)
    for row in rows if as_json else ():
        json_line(row)
    if as_json:
        return
    headers = ["subscription", *(["network"] if by_network else []), *SHOWN]
    table(headers, [_usage_cells(row, by_network) for row in rows[:top]])
    if len(rows) > top:
        click.echo(f"... and {len(rows) - top} more: --top or --json", err=True)


SHOWN = ("calls", "home", "national", "international", "premium", "messages", "octets")
"""Columns of the table; those named after classes are seconds."""


def _usage_cells(row: dict[str, Any], by_network: bool) -> list[Any]:
    known = {**row["voice_s"], **row, "octets": row["uplink_octets"] + row["downlink_octets"]}
    who = row["imsi"] or row["msisdn"] or "(erased)"
    return [who, *([row["network"]] if by_network else []), *(known[name] for name in SHOWN)]


def _most_used(row: dict[str, Any]) -> tuple[Any, ...]:
    return (
        -row["voice_s"]["premium"], -row["premium_messages"], -sum(row["voice_s"].values()), -row["messages"],
        row["imsi"] or "", row["msisdn"] or "", row.get("network") or "",
    )  # fmt: skip


def _usage_as_json(row: dict[str, Any]) -> dict[str, Any]:
    from simward.engine.phrases import when
    from simward.identity import imsi_text, msisdn_text, plmn_text
    from simward.inputs.record_usage import VOICE_CLASSES

    counts = ("calls", "premium_calls", "messages", "premium_messages", "data_sessions")
    return {
        "imsi": imsi_text(row["imsi"]) or None, "msisdn": msisdn_text(row["msisdn"]) or None,
        **({"network": plmn_text(row["plmn"]) or None} if "plmn" in row else {}),
        **{name: row[name] for name in counts},
        "voice_s": {name: row[f"voice_{name}_s"] for name in VOICE_CLASSES.values()},
        "uplink_octets": row["uplink_octets"], "downlink_octets": row["downlink_octets"],
        "first_at": when(row["first_at"]), "last_at": when(row["last_at"]),
    }  # fmt: skip


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def record_told(sequence: int, record: Any) -> dict[str, Any]:
    """One record as JSON."""
    from simward.engine.call_records import DESTINATION_NAMES, KIND_NAMES
    from simward.engine.phrases import when
    from simward.identity import imsi_text, msisdn_text, plmn_text

    amounts = {name: int(record[name]) for name in ("duration_s", "uplink_octets", "downlink_octets")}
    return {
        "sequence": sequence, "happened_at": when(int(record["happened_at"])), "kind": KIND_NAMES[int(record["kind"])],
        "imsi": imsi_text(int(record["imsi"])) if record["imsi"] else None,
        "msisdn": msisdn_text(int(record["msisdn"])) if record["msisdn"] else None,
        "network": plmn_text(int(record["plmn"])) if record["plmn"] else None,
        "destination": DESTINATION_NAMES[int(record["destination"])] or None,
        **{name: amount if amount >= 0 else None for name, amount in amounts.items()},
    }  # fmt: skip
