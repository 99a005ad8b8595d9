"""`backtest`: whom proposed policies would have cut, on recorded history, beside what really happened."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simward.commands.folder import Folder
from simward.commands.moments import parse_moment
from simward.commands.printing import json_line, table
from simward.errors import UsageError

if TYPE_CHECKING:
    from simward.backtest.run import Backtest
    from simward.history.whole import WholeJournal

SHOWN_DAYS, SHOWN_PEOPLE, PAGE_PEOPLE = 40, 20, 500
"""Rows of the tables; with --json there is no end, and in the page there are more."""
DAY_HEADERS = ("day", "use case", "response", "would be cut", "of them new", "were cut", "would not be")
RULE_KEYS = ("rule", "action", "mode", "state", "times", "subscriptions", "busiest_day")
PEOPLE_HEADERS = (
    "first cut", "imsi", "use case", "response", "because", "cuts", "new", "were", "sessions after", "judged",
)  # fmt: skip


@click.command()
@click.option(
    "--policies", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The proposed policies: a folder like DIR/policies.",
)  # fmt: skip
@click.option(
    "--since", default="30d", show_default=True,
    help="From when on: how long before the newest event (30d, 12h), or a time (2026-11-01).",
)  # fmt: skip
@click.option(
    "--warm-up", metavar="SPAN", help="Fold at most about so much before --since (14d).  [default: all that is kept]"
)  # fmt: skip
@click.option("--watch", is_flag=True, help="Say also what the watch's detectors would find: takes some times as long.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a subscription, then one with key `summary`.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with charts to this file.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 also where somebody would have been cut who was not.")
@click.pass_context
def backtest(
    ctx: click.Context, policies: Path, since: str, warm_up: str | None, watch: bool, as_json: bool, html: Path | None,
    exit_zero: bool,
) -> None:  # fmt: skip
    """Say whom proposed policies would have cut, on recorded history.

    Everything recorded is folded as it was until --since, so that bindings, locks and sessions are then what they
    really were; from there on the proposed policies judge the recorded traffic. A cut begins when a subscription is
    refused, disconnected, put into quarantine or locked, and ends when it is let in again; one that becomes stronger
    counts as another. A cut is new where the subscription was not really cut at any time of it.

    The watch (budgets, silences, storms, ...) cuts nobody, and is folded only with --watch, or where a proposed rule is
    triggered by what it finds.

    The loop is open: traffic that a cut would have prevented is judged as it came, and is counted by itself. Nothing is
    written. The same record and policies give the same bytes.

    Exits 1 where somebody would have been cut who was not, 0 where nobody.
    """
    from simward.backtest.page import page
    from simward.backtest.report import subscriptions, summary

    folder: Folder = ctx.obj
    settings = folder.settings()
    with folder.reading() as record, _progress(record) as told:
        run = _run(folder, settings, policies, (since, warm_up), record, watch=watch)
        began = time.monotonic()
        run.run(folder.data, told)
        took = time.monotonic() - began
    said = summary(run)
    if html is not None:
        _write(html, page(said, list(subscriptions(run, PAGE_PEOPLE)), str(policies)))
    if as_json:
        for one in subscriptions(run):
            json_line(one)
        json_line({"summary": said})
    else:
        _tables(said, list(subscriptions(run, SHOWN_PEOPLE)))
    whole = run.events + run.ticks
    click.echo(f"{whole:,} events since {said['since'][:19]}Z in {took:.1f} s.", err=True)
    ctx.exit(1 if said["cuts"]["would_be_new"] and not exit_zero else 0)


def _run(
    folder: Folder, settings: Any, policies: Path, spans: tuple[str, str | None], record: WholeJournal, *,
    watch: bool,
) -> Backtest:  # fmt: skip
    from simward.commands.incidents import reading
    from simward.commands.rules import SINCE_VERSION
    from simward.policy.wanted import read_tables
    from simward.response.trying import backtest_of, newest

    policy, tables = read_tables(settings, policies)
    if not policy.of("use_case"):
        raise UsageError(f"{policies} holds no use case: which policies are proposed?")
    if not record.last:
        raise UsageError(f"nothing is recorded in {folder.path} yet: there is no history to try policies on")
    since, warm_up = spans
    begins = _moment("--since", since, newest(record))
    return backtest_of(
        record, policy, tables, begins, begins - _moment("--warm-up", warm_up, begins) if warm_up else None,
        judged=lambda: reading(folder), acted=lambda: reading(folder, SINCE_VERSION), watch=watch,
    )  # fmt: skip


def _moment(option: str, text: str, now: int) -> int:
    """A time as typed, or how long before `now`."""
    try:
        return parse_moment(text, now)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option}: {error}") from None


@contextmanager
def _progress(record: WholeJournal) -> Iterator[Callable[[int], None]]:
    """What is given the sequence that was reached: a bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda sequence: None
        return
    parts = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*parts, console=console, transient=True) as bar:
        task = bar.add_task("folding history", total=max(1, record.last))
        yield lambda sequence: bar.update(task, completed=sequence)


def _write(path: Path, text: str) -> None:
    """Write a file so that it appears whole or not at all."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


def _tables(said: dict[str, Any], people: list[dict[str, Any]]) -> None:
    for line in words(said):
        click.echo(line)
    days = _per_day(said["by_day"])
    if days:
        click.echo()
        table(DAY_HEADERS, days[-SHOWN_DAYS:])
        if len(days) > SHOWN_DAYS:
            click.echo(f"... and {len(days) - SHOWN_DAYS} rows of days before: use --json or --html", err=True)
    if said["limits"]:
        click.echo()
        table(("use case", "action", "limit", "fullest hour", "held"), [limit_cells(one) for one in said["limits"]])
    if said["proposed_rules"]:
        click.echo()
        rows = [[one[key] for key in RULE_KEYS] for one in said["proposed_rules"]]
        table(("rule", "action", "mode", "would be", "times", "subscriptions", "on the busiest day"), rows)
    if people:
        click.echo()
        table(PEOPLE_HEADERS, [_person(one) for one in people])
        more = said["cuts"]["subscriptions"] - len(people)
        if more:
            click.echo(f"... and {more:,} more: use --json", err=True)


def _per_day(by_day: list[dict[str, Any]]) -> list[list[Any]]:
    """Rows of by_day without the reasons."""
    numbers = ("would_be", "would_be_new", "were", "were_and_would_not_be")
    merged: dict[tuple[str, str, str], list[int]] = {}
    for one in by_day:
        counts = merged.setdefault((one["day"], one["use_case"] or "", one["response"]), [0] * len(numbers))
        for at, name in enumerate(numbers):
            counts[at] += one[name]
    return [[*key, *(f"{count:,}" for count in counts)] for key, counts in merged.items()]


def _person(one: dict[str, Any]) -> list[Any]:
    return [
        one["at"][:19] + "Z", one["imsi"], one["use_case"], one["response"], one["because"], one["cuts"], one["new"],
        one["were"], one["open_loop"]["sessions"] or "", one["judged"] or "",
    ]  # fmt: skip


def limit_cells(one: dict[str, Any]) -> list[str]:
    """A limit in words: its use case and action, what it is, how near it came, what it held."""
    limit = [f"{one['per_hour']} an hour"] if one["per_hour"] is not None else []
    if one["share_of_fleet"] is not None:
        limit.append(f"{one['share_of_fleet']:.4g} of {one['members']:,}")
    fullest = f"{one['cuts_in_it']:,} from {one['fullest_hour'][:16]}Z" if one["fullest_hour"] else ""
    held = ", ".join(f"{name}: {of['times']:,} since {of['first'][:16]}Z" for name, of in one["held"].items())
    return [one["use_case"] or "", one["action"], ", ".join(limit), fullest, held or "nothing"]


def words(said: dict[str, Any]) -> Iterator[str]:
    """The summary in sentences."""
    cuts, after, judged = said["cuts"], said["open_loop"], said["judgements"]
    octets = after["uplink_octets"] + after["downlink_octets"]
    yield (
        f"{said['since'][:19]}Z to {said['until'][:19]}Z, {said['subscriptions']:,} subscriptions: "
        f"{cuts['subscriptions']:,} would have been cut {cuts['would_be']:,} times."
    )
    yield (
        f"{cuts['would_be_new']:,} of these are new ({cuts['subscriptions_new']:,} subscriptions). Of the "
        f"{cuts['were']:,} cuts that were made, {cuts['were_and_would_not_be']:,} would not have been."
    )
    yield (
        f"Open loop: while they would have been cut, and were not, {after['subscriptions']:,} subscriptions asked "
        f"{after['requests']:,} times, began {after['sessions']:,} sessions and moved at least {octets:,} octets; "
        f"{after['findings']:,} findings are about such traffic."
    )
    if judged["total"]:
        of = judged["cuts"]
        yield (
            f"Judged by people: {of['false-positive']:,} of these cuts rest on findings that were false, "
            f"{of['benign']:,} on benign ones, {of['true-positive']:,} on true ones."
        )
    else:
        yield "No judgements yet: nobody said which findings were false."
    if said["unknown_up_to"]:
        yield (
            f"Bindings and locks that were made before sequence {said['unknown_up_to'] + 1}, and not since, are not "
            "known: no snapshot can tell."
        )
