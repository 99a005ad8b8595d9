"""`history`: what is kept, ready questions, SQL, and the events of one subscription among very many."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import click

from simward.commands.events import events as events_command
from simward.commands.folder import Folder
from simward.commands.moments import MOMENT
from simward.commands.printing import json_line, table
from simward.errors import UsageError

TABLE_ROWS_MAX = 5000
"""A table is aligned in memory; more rows than this are for --json or --csv."""


@click.group()
def history() -> None:
    """Ask what was kept: status, ready questions, SQL."""


history.add_command(events_command)


@history.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def status(folder: Folder, as_json: bool) -> None:
    """Say what is kept, from when to when, and how large it is."""
    from simward.engine.phrases import octets, when
    from simward.history.keeping import sealed_segments

    kept = folder.settings().history
    with folder.reading() as journal:
        units, base = journal.units(), journal.base
        sealed = sealed_segments(journal.journal.folder)
        last = journal.last
    said: dict[str, Any] = {
        "units": len(units), "first": units[0].first if units else None, "last": units[-1].last if units else None,
        "from": when(units[0].at_first) if units else None, "until": when(units[-1].at_last) if units else None,
        "events": sum(one.events for one in units), "outputs": sum(one.outputs for one in units),
        "octets": sum(one.octets for one in units), "removed_up_to": base.last or None,
        "removed_until": when(base.at) if base.at else None, "journal_last": last, "sealed_segments": len(sealed),
        "sealed_octets": sum(one.octets for one in sealed), "keep_s": kept.keep_s or None,
        "keep_at_most_octets": kept.keep_at_most_octets or None, "journal_keep_s": kept.journal_keep_s,
        "journal_keep_at_most_octets": kept.journal_keep_at_most_octets or None,
    }  # fmt: skip
    if as_json:
        json_line(said)
        return
    if units:
        click.echo(f"History: {said['events']:,} events and {said['outputs']:,} outputs in {len(units)} units, "
                   f"{octets(said['octets'])}, sequences {said['first']} to {said['last']}")
        click.echo(f"  from {said['from'][:19]}Z to {said['until'][:19]}Z")
    else:
        click.echo("History: nothing yet; sealed segments become history when they are old enough.")
    if base.last:
        click.echo(f"  removed: everything up to sequence {base.last} ({said['removed_until'][:19]}Z)")
    click.echo(f"Journal: up to sequence {last}; {len(sealed)} sealed segments, {octets(said['sealed_octets'])}")


def _narrowing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say what is asked about, and how the answer is written."""
    for option in (
        click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values with a header."),
        click.option("--json", "as_json", is_flag=True, help="One JSON object a line."),
        click.option("--no-journal", is_flag=True, help="Leave out what is not history yet."),
        click.option("--imsi", "who", help="Only one subscription: IMSI, ICCID or MSISDN."),
        click.option("--until", type=MOMENT, help="Only what was received until then."),
        click.option("--since", type=MOMENT, help="Only what was received since then (30d, 2026-11-23T14:00Z)."),
    ):
        command = option(command)
    return command


@history.command()
@click.argument("query")
@_narrowing
@click.pass_obj
def sql(folder: Folder, /, query: str, **options: Any) -> None:
    """Answer one SELECT (DuckDB's SQL).

    \b
    Tables:
      events         what happened, with the columns of `events --json`
      outputs        what was decided on it: verdicts, bindings, locks, disconnects
      findings       findings from their beginning to their end, with the keys of `findings --json`
      subscriptions  what is declared: imsi, iccid, msisdn, imei, use_case, state
      raw_events, raw_outputs   as they are kept (docs/reference/events.md)

    Identities are text of digits, times are timestamps in UTC, what was not reported is NULL. Nothing can be written,
    and no other file be read. --since, --until and --imsi narrow the tables before the question is asked, which is
    faster than a condition in it.

    \b
    Example:
      simward history sql "select kind, count(*) from events group by kind" --since 30d
    """
    _answer(folder, query, **options)


@history.command()
@click.argument("question", required=False)
@click.option("--show-sql", is_flag=True, help="Print the question's SQL instead of its answer.")
@_narrowing
@click.pass_obj
def ask(folder: Folder, /, question: str | None, show_sql: bool, **options: Any) -> None:
    """Answer a ready question; without one, list them."""
    from simward.errors import nearest
    from simward.history.questions import QUESTIONS

    if question is None:
        table(("question", "asks"), [(name, one.about) for name, one in QUESTIONS.items()])
        return
    if question not in QUESTIONS:
        raise UsageError(f"no ready question is called {question!r}: {nearest(question, QUESTIONS)}")
    if show_sql:
        click.echo(QUESTIONS[question].sql)
        return
    _answer(folder, QUESTIONS[question].sql, **options)


def _answer(
    folder: Folder, query: str, *, since: int | None, until: int | None, who: str | None, no_journal: bool,
    as_json: bool, as_csv: bool,
) -> None:  # fmt: skip
    from simward.engine.story import Subject, look_up
    from simward.history.asking import Asking, Narrowed

    if as_json and as_csv:
        raise UsageError("--json or --csv, not both")
    with folder.reading() as journal, ExitStack() as closing:
        imsis: tuple[int, ...] = ()
        if who:
            subject = Subject.parse(who)
            look_up(journal.revisions(), subject)
            if not subject.imsis:
                raise UsageError(f"no subscription {who} was ever declared: ask by its IMSI")
            imsis = tuple(sorted(subject.imsis))
        narrowed = Narrowed(since or 0, until or 0, imsis)
        answer = Asking(journal, closing, narrowed, with_journal=not no_journal).ask(query)
        if as_json:
            for row in answer.rows:
                json_line(dict(zip(answer.names, map(_plain, row))))
        elif as_csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(answer.names)
            writer.writerows([_cell(one) for one in row] for row in answer.rows)
        else:
            _table(answer.names, answer.rows)


def _table(names: list[str], rows: Any) -> None:
    shown: list[list[str]] = []
    for row in rows:
        if len(shown) == TABLE_ROWS_MAX:
            click.echo(f"... the first {TABLE_ROWS_MAX} rows; --json and --csv give all", err=True)
            break
        shown.append([_cell(one) for one in row])
    table(names, shown)


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond:06d}Z"
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)


def _cell(value: Any) -> str:
    """A value in a table or CSV: empty for NULL."""
    plain = _plain(value)
    if plain is None:
        return ""
    return json.dumps(plain) if isinstance(plain, list) else str(plain)
