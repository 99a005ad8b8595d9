"""`erase`: a person's identifiers go, from journal, history, snapshots, registry and audit, for good."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from simward.commands.acting import actor_option, because, me
from simward.commands.folder import Folder
from simward.commands.moments import now_us
from simward.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from simward.erasure.identifiers import Identifiers


@click.command()
@click.argument("subscription")
@because
@actor_option
@click.option("--yes", is_flag=True, help="Do not ask: it cannot be undone.")
@click.pass_obj
def erase(folder: Folder, subscription: str, because: str, actor: str | None, yes: bool) -> None:
    """Erase the identifiers of one subscription, wherever they are kept.

    SUBSCRIPTION is an IMSI, an ICCID or an MSISDN (+...). It must be out of the inventory in force, and nothing may run
    in the folder. Its audit key is destroyed; journals, history and snapshots are written anew without its numbers, its
    devices, addresses and places; the registry's texts too. That something happened stays, and every chain of digests
    verifies again. Copies elsewhere (backups, exports, what other systems were told) are yours to erase.

    Folding from the beginning no longer gives the state that there was: from here on it is the snapshot that counts.
    Killed half-way, the same command finishes it.
    """
    from simward.erasure.run import erase_everywhere, finish

    settings = folder.settings()
    if folder.gate_runs():
        raise UsageError("a gate is running in this folder: stop `simward serve` first, since its journal is rewritten")
    if finish(settings):
        click.echo("An erasure that was cut short is finished.")
    who = _who(folder, subscription)
    if not yes:
        click.confirm(f"Erase {subscription} for good?", abort=True)
    done = erase_everywhere(settings, who, actor=actor or me(), because=who.without(because), at=now_us())
    click.echo(
        f"Erased: {done.rows:,} rows of journals and history are rewritten. They end with {done.last} as before, "
        f"digest {done.digest.hex()}."
    )


def _who(folder: Folder, subscription: str) -> Identifiers:
    """Whose numbers; RefusedError where the inventory in force still has it, or nobody has heard of it."""
    from simward.engine.call_records import numbers_in
    from simward.engine.start import restore
    from simward.engine.story import Subject, look_up
    from simward.erasure.identifiers import Identifiers

    with ExitStack() as closing:
        journal = closing.enter_context(folder.reading())
        subject = Subject.parse(subscription)
        look_up(journal.revisions(), subject)
        imported = closing.enter_context(folder.reading_records())
        fold = restore(folder.data, journal)
        table = fold.state.subscriptions[: int(fold.state.meta["subscriptions"][0])]
        live, taken = set(table["imsi"].tolist()) - {0}, set(table["msisdn"].tolist())
        declared = set(subject.msisdns)
        numbers_in(imported.rows(), imported.layouts, subject.imsis, subject.msisdns)
        known = subject.msisdns
        look_up(journal.revisions(), subject)  # it may be known by a number that its records alone have
        declared |= subject.msisdns
        subject.msisdns |= known - (taken - declared)  # a number that another subscription has by now is that one's
    if subject.imsis & live:
        raise RefusedError(
            "it is in the inventory that is in force.\nTake its line out of inventory.csv, then `simward apply`."
        )
    if not subject.imsis:
        raise RefusedError(f"nobody has heard of {subscription}")
    return Identifiers.of(subject)
