"""`findings`: what gate and watch recorded as odd, one object from when it began until it ended; nothing is judged
again.
"""

from __future__ import annotations

from typing import Any

import click

from simward.commands.folder import Folder
from simward.commands.moments import MOMENT
from simward.commands.printing import MARKS, fits, json_line, on_terminal, table
from simward.engine.journal import row_outputs
from simward.engine.phrases import when
from simward.engine.words import Findings, Lexicon
from simward.errors import UsageError

HEADERS = ("at", "severity", "finding", "imsi", "use case", "was", "now", "expected", "response", "ended")
FOLLOW_EVERY_S = 0.25


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--since", type=MOMENT, help="Only what began, changed or ended since then (2h, 2026-11-23T14:00Z).")
@click.option("--imsi", help="Only those of one subscription.")
@click.option("--detector", help="Only those of one detector, or detector/class.")
@click.option("--open", "only_open", is_flag=True, help="Only those that have not ended.")
@click.option("--follow", is_flag=True, help="Go on until interrupted; a finding is shown again when it changes.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 also where findings are listed.")
@click.pass_context
def findings(
    ctx: click.Context, as_json: bool, since: int | None, imsi: str | None, detector: str | None, only_open: bool,
    follow: bool, exit_zero: bool,
) -> None:  # fmt: skip
    """List what is or was odd.

    Exits 1 where anything is listed and 0 where nothing is, so that a script may ask `simward findings --since 1h`;
    with --exit-zero or --follow always 0.

    \b
    Keys of an object: id (shard/sequence/index), at, detector, class, severity, tenant, imsi, iccid, use_case,
    was, now, expected (the evidence), verdict (the in-line answer), response (in force), held (the limit that kept the
    wanted response back, else null), ended_at (null while it lasts), wanted, scope, gateway, apn, address, session_id,
    changes (what differs, where a finding compares), about (the cell, gateway, network, model or cohort, where it is
    about many subscriptions; such ids begin with w), channels and new_hours (what weighs most, where it is about
    behaviour), segment (where it is about one). Times are UTC. Identities are complete: this is the owner's own data.
    """
    wanted = _filter(imsi, detector, only_open)
    folder: Folder = ctx.obj
    since_text = when(since) if since is not None else ""
    if folder.server is not None:
        if follow:
            raise UsageError("--follow reads the journal: over --server follow `events` instead")
        listed = folder.server.findings(imsi, detector, only_open, since)
        _show(listed, as_json)
        ctx.exit(1 if listed and not exit_zero else 0)
    try:
        shown = _recorded(folder, since_text, wanted, follow, as_json)
    except KeyboardInterrupt:
        ctx.exit(0)  # how --follow ends
    ctx.exit(1 if shown and not exit_zero and not follow else 0)


def _filter(imsi: str | None, detector: str | None, only_open: bool) -> Any:
    from simward.identity import Imsi

    digits = Imsi.parse(imsi).text if imsi else None
    if detector is not None:
        _known(detector)

    def wanted(one: dict[str, Any]) -> bool:
        return (
            (digits is None or one["imsi"] == digits)
            and (detector is None or detector in (one["detector"], f"{one['detector']}/{one['class']}"))
            and not (only_open and one["ended_at"])
        )

    return wanted


def _known(detector: str) -> None:
    """UsageError with the nearest spelling where no detector, or none of its classes, has this name."""
    from difflib import get_close_matches

    from simward.detectors import installed

    names = [name for one in installed() for name in (one.id, *(f"{one.id}/{each}" for each in one.classes))]
    if detector not in names:
        near = get_close_matches(detector, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(one.id for one in installed())}"
        raise UsageError(f"no detector is called {detector!r}: {hint}")


def _recorded(folder: Folder, since: str, wanted: Any, follow: bool, as_json: bool) -> int:
    """Show what is recorded and, where asked, what comes; gives how many findings were shown."""
    with folder.reading_both() as journal:
        merged, lexicon = Findings(), Lexicon(journal.manifest)
        changed: dict[str, dict[str, Any]] = {}
        for row in journal.rows(journal.gate.rows_decided()):
            lexicon.take(row)
            for one in merged.take(row_outputs(row, journal.layouts), lexicon):
                if when(row.at) >= since:
                    changed[one["id"]] = one
        listed = [one for one in changed.values() if wanted(one)]
        _show(listed, as_json)
        for row in journal.follow(poll_s=FOLLOW_EVERY_S) if follow else ():
            lexicon.take(row)
            for one in merged.take(row_outputs(row, journal.layouts), lexicon):
                if wanted(one):
                    json_line(one) if as_json else click.echo(_line(one))
    return len(listed)


class FindingTable:
    """Findings for people."""

    @staticmethod
    def show(listed: list[dict[str, Any]]) -> None:
        """One row each; a line of prose each on a terminal that is too narrow for the columns."""
        cells = [_cells(one) for one in listed]
        if on_terminal() and not fits(HEADERS, cells):
            for one in listed:
                click.echo(_line(one))
        else:
            table(HEADERS, cells, mark=1)


def _show(listed: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        for one in listed:
            json_line(one)
    elif listed:
        FindingTable.show(listed)
    else:
        click.echo("No findings.", err=True)


def _cells(one: dict[str, Any]) -> list[Any]:
    name = f"{one['detector']}/{one['class']}" if one["class"] else one["detector"]
    held = f"{one['response']} (held: {one['held']})" if one["held"] else one["response"]
    ended = "" if one["ended_at"] is None else one["ended_at"][:19] + "Z"
    about = f"segment {one['segment']}" if one.get("segment") else one["imsi"] or one["about"] or one["gateway"]
    return [
        one["at"][:19] + "Z", one["severity"], name, about, one["use_case"],
        one["was"], one["now"], one["expected"], held, ended,
    ]  # fmt: skip


def _line(one: dict[str, Any]) -> str:
    cells = _cells(one)
    name = f"{one['detector']}/{one['class']}" if one["class"] else one["detector"]
    evidence = ", ".join(f"{key} {one[key]}" for key in ("was", "now", "expected") if one[key] is not None)
    state = f"ended {cells[-1]}" if cells[-1] else "lasts"
    line = f"{cells[0]}  {cells[1]:<8}  {name}  {cells[3] or ''}  {cells[8] or 'observe'}, {state}"
    line += f"; {evidence}" if evidence else ""
    colour = MARKS.get(one["severity"], "").split()[-1:] if on_terminal() else []
    return click.style(line, fg=colour[0]) if colour and colour[0] != "dim" else line
