"""`benign`: what a finding of behaviour says is right, so that device or cohort is allowed more for a while."""

from __future__ import annotations

import getpass

import click

from simward.commands.folder import Folder
from simward.errors import UsageError


@click.command()
@click.argument("finding")
@click.option("--because", required=True, help="Why; it is journalled.")
@click.option("--for", "for_", metavar="TIME", help="How long that holds (30d).  [default: [behaviour] benign_for]")
@click.option("--withdraw", is_flag=True, help="It is not benign after all: nothing more is allowed from now on.")
@click.pass_obj
def benign(folder: Folder, finding: str, because: str, for_: str | None, withdraw: bool) -> None:
    """Say that a finding of behaviour is right as it is.

    FINDING is the id of an unusual-behaviour or cohort-shift (w0/SEQUENCE/INDEX; see `findings`). That device or cohort
    is then allowed more until the verdict expires, and learns its new level; what is open about it ends. Resolving its
    incident as benign does the same. The watch takes it within a second, or when it is next started.
    """
    from simward.engine.verdict_files import Verdict, leave
    from simward.quantities import QuantityError, duration_s

    folder.must_be_one()
    if withdraw and for_ is not None:
        raise UsageError("--withdraw ends it now: there is no --for")
    try:
        for_s = 0 if withdraw else None if for_ is None else duration_s(for_)
        left = leave(folder.data, Verdict(finding, for_s, because, getpass.getuser()))
    except (QuantityError, ValueError) as error:
        raise UsageError(str(error)) from None
    if not left:
        raise UsageError("too many verdicts wait already: is the watch running?")
    click.echo(f"{finding}: {'no longer benign' if withdraw else 'benign'}. The watch takes it with its next input.")
