"""`undo`: what a rule or an incident has locked is released, one after the other, while one looks on."""

from __future__ import annotations

import time
from typing import Any

import click

from simward.commands.folder import Folder
from simward.commands.moments import MOMENT
from simward.commands.printing import json_line
from simward.errors import UsageError

LOOK_EVERY_S = 1.0


@click.command()
@click.option("--rule", help="Take back what this rule locked or put into quarantine.")
@click.option("--incident", type=click.IntRange(1), help="Or what was because of this incident.")
@click.option("--since", type=MOMENT, required=True, help="Only what was since then (2h, 2026-11-23T14:00Z).")
@click.option("--because", required=True, help="Why; journalled with each release.")
@click.option("--actor", help="Who asks.  [default: you, at this machine]")
@click.option("--no-wait", is_flag=True, help="Do not wait until the gate has answered all.")
@click.option("--json", "as_json", is_flag=True, help="How it stands as one JSON object a line.")
@click.pass_context
def undo(
    ctx: click.Context, rule: str | None, incident: int | None, since: int, because: str, actor: str | None,
    no_wait: bool, as_json: bool,
) -> None:  # fmt: skip
    """Release what a rule or an incident has locked or put into quarantine.

    Each release is a command with your name and your reason, some tens a second, so that nothing else waits behind
    them. What the rule has still on its way is not done. What was set aside since by a person, or by something else,
    stays so. The rule goes on acting: pause it first with `simward rules pause`.

    Exits 1 where the gate did not release all.
    """
    from simward.commands.acting import me

    if (rule is None) == (incident is None):
        raise UsageError("say what to take back: --rule NAME or --incident NUMBER")
    folder: Folder = ctx.obj
    folder.needs_gate()
    body: dict[str, Any] = {"since": since, "because": because, "actor": actor or me()}
    body |= {"rule": rule} if rule is not None else {"incident": incident}
    asked = folder.ask("POST", "/v1/undo", body)
    if as_json:
        json_line(asked)
    else:
        _say(asked)
    if no_wait:
        return
    stands = _wait(folder, asked, as_json)
    applied = stands["answers"].get("applied", 0) + stands["answers"].get("duplicate", 0)
    if not as_json and stands["releases"]:
        click.echo(f"{applied:,} of {stands['releases']:,} released.")
    ctx.exit(0 if applied == stands["releases"] else 1)


def _say(asked: dict[str, Any]) -> None:
    number = asked["releases"]
    click.echo(f"{number:,} to release; that takes about {asked['takes_s']} s." if number else "Nothing to release.")
    if asked["cancelled"]:
        click.echo(f"{asked['cancelled']:,} that the rule had not done yet are not done.")
    if asked["locked_otherwise"]:
        click.echo(f"{asked['locked_otherwise']:,} are set aside by somebody or something else, and stay so.")


def _wait(folder: Folder, stands: dict[str, Any], as_json: bool) -> dict[str, Any]:
    """Until the gate has answered all, with a bar on a terminal."""
    from simward.commands.revising import progress

    path = f"/v1/undo/{stands['undo']}"
    with progress("Releasing") as advance:
        while not stands["over"]:
            advance(stands["releases"] - stands["answers"].get("open", 0), stands["releases"])
            time.sleep(LOOK_EVERY_S)
            stands = folder.ask("GET", path)
            if as_json:
                json_line(stands)
    return stands
