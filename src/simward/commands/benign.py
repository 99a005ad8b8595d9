"""`benign`: what a finding of behaviour says is right, so that device or cohort is allowed more for a while."""

from __future__ import annotations

from typing import Any

import click

from simward.commands.folder import Folder
from simward.commands.printing import json_line, table
from simward.errors import UsageError

DAY_S = 86_400
HEADERS = ("said", "until", "about", "finding", "by", "because")


@click.command()
@click.argument("finding", required=False)
@click.option("--because", help="Why; it is journalled.")
@click.option("--for", "for_", metavar="TIME", help="How long that holds (30d).  [default: [behaviour] benign_for]")
@click.option("--withdraw", is_flag=True, help="It is not benign after all: nothing more is allowed from now on.")
@click.option("--actor", help="Who says so.  [default: you, at this machine]")
@click.option("--list", "listing", is_flag=True, help="Say nothing; list of whom more is allowed now, and until when.")
@click.option("--all", "everything", is_flag=True, help="With --list, also what expired and what was taken back.")
@click.option("--json", "as_json", is_flag=True, help="With --list, one JSON object a line.")
@click.pass_obj
def benign(
    folder: Folder, finding: str | None, because: str | None, for_: str | None, withdraw: bool, actor: str | None,
    listing: bool, everything: bool, as_json: bool,
) -> None:  # fmt: skip
    """Say that a finding of behaviour is right as it is.

    FINDING is the id of an unusual-behaviour or cohort-shift (w0/SEQUENCE/INDEX; see `findings`). That device or cohort
    is then allowed more until the verdict expires, and learns its new level; what is open about it ends, and so does
    its incident, unless something else of it lasts. Resolving the incident as benign does the same. The watch takes it
    within a second, or when it is next started; `audit export` then shows it. Said again it changes nothing.

    --withdraw takes it back, and opens the incident again. --list shows what is in force.
    """
    folder.must_be_one()
    if listing:
        if finding or because or for_ or withdraw or actor:
            raise UsageError("--list says nothing: there is no FINDING, --because, --for, --withdraw or --actor")
        _list(_listed(folder), everything, as_json)
        return
    if everything or as_json:
        raise UsageError("--all and --json are of --list")
    if finding is None or because is None:
        raise UsageError("which FINDING, and --because of what? `--list` shows what was said so far")
    if withdraw and for_ is not None:
        raise UsageError("--withdraw ends it now: there is no --for")
    (_ask if folder.server is not None else _leave)(folder, finding, because, 0 if withdraw else _seconds(for_), actor)
    click.echo(f"{finding}: {'no longer benign' if withdraw else 'benign'}. The watch takes it with its next input.")


def _seconds(for_: str | None) -> int | None:
    from simward.quantities import QuantityError, duration_s

    try:
        return None if for_ is None else duration_s(for_)
    except QuantityError as error:
        raise UsageError(str(error)) from None


def _leave(folder: Folder, finding: str, because: str, for_s: int | None, actor: str | None) -> None:
    """For the watch of this folder, once it is known that it can take it. Nothing needs to run."""
    from simward.commands.acting import me
    from simward.commands.moments import now_us
    from simward.engine.verdict_files import Verdict, leave
    from simward.watch.verdicts import can_be_judged, finding_output

    verdict = Verdict(finding, for_s, because, actor or me(), now_us())
    try:
        place = verdict.place
    except ValueError as error:
        raise UsageError(str(error)) from None
    with folder.reading_findings() as own:
        output = finding_output(own, *place)
    if output is None:
        raise UsageError(f"{finding} is no unusual-behaviour or cohort-shift of this folder: see `findings`")
    if not can_be_judged(output):
        raise UsageError(f"{finding} tells many as one: what each of them does is judged by itself")
    if not leave(folder.data, verdict):
        raise UsageError("too many verdicts wait already: is the watch running?")


def _ask(folder: Folder, finding: str, because: str, for_s: int | None, actor: str | None) -> None:
    from simward.commands.acting import me

    said: dict[str, Any] = {"finding": finding, "because": because, "actor": actor or me()}
    if for_s == 0:
        folder.ask("POST", "/v1/benign/withdraw", said)
        return
    if for_s is not None:
        said["days"] = -(-for_s // DAY_S)
    folder.ask("POST", "/v1/benign", said)


def _listed(folder: Folder) -> list[dict[str, Any]]:
    from simward.engine.benign import newest_of_each
    from simward.engine.journal import POLICY
    from simward.engine.words import Lexicon

    if folder.server is not None:
        return folder.server.benign()
    with folder.reading_both() as both:
        lexicon = Lexicon(both.manifest)
        for row in both.gate.revisions():
            if row.kind == POLICY:
                lexicon.take(row)
        return [one.told(lexicon, both.newest_at) for one in newest_of_each(both.verdicts())]


def _list(listed: list[dict[str, Any]], everything: bool, as_json: bool) -> None:
    shown = [one for one in listed if everything or one["in_force"]]
    if as_json:
        for one in shown:
            json_line(one)
    elif shown:
        table(HEADERS, [
            (one["at"][:19] + "Z", _until(one), one["about"], one["finding"], one["by"], one["because"])
            for one in shown
        ])  # fmt: skip
    else:
        click.echo("More is allowed of nobody." if not everything else "Nothing was found to be benign.", err=True)


def _until(one: dict[str, Any]) -> str:
    if one["until"] is None:
        return "taken back"
    return str(one["until"]) if one["in_force"] else f"{one['until']} (expired)"
