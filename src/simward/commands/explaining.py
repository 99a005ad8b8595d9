"""`explain` and `who`: one subscription's story, and who held an address at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simward.commands.folder import Folder
from simward.commands.moments import MOMENT, now_us
from simward.commands.printing import json_line, on_terminal
from simward.errors import UsageError

if TYPE_CHECKING:
    from simward.engine.story import Subject

COLOURS = {
    "refused": "red", "locked": "red", "finding": "yellow", "quarantined": "yellow",
    "confined": "yellow", "released": "green",
    "disconnect": "red", "absence": "cyan", "change": "cyan", "sessions": "bright_black",
}  # fmt: skip


@click.command()
@click.argument("subscription", metavar="SUBSCRIPTION|FINDING")
@click.option("--json", "as_json", is_flag=True,
              help="One JSON object: subscription, chapters, records, now, could, incidents, work_orders; or finding, "
              "benign, could.")  # fmt: skip
@click.option("--since", type=MOMENT, help="Only chapters since then (2h, 2026-11-23T14:00Z).")
@click.option("--all", "everything", is_flag=True, help="Every session, also those like the one before.")
@click.pass_context
def explain(ctx: click.Context, subscription: str, as_json: bool, since: int | None, everything: bool) -> None:
    """Tell the story of one subscription, or of a finding.

    SUBSCRIPTION is an IMSI, an ICCID or an MSISDN (+...). Told are: what was declared; which device it was bound to,
    when and why; its sessions and absences, and what was different after each; findings with their evidence, and who
    said that they are benign; verdicts; locks and releases with who asked and why; disconnects with the gateway's
    answer as proof; how it stands now, and what can be done. Times are UTC. Sessions like the one before are told
    together, unless --all.

    FINDING is an id as `findings` shows it, of a cohort's for instance: told are its evidence, what weighs in it, and
    who said that it is benign, why and until when.

    Exits 1 where nobody has heard of it.
    """
    from simward.commands.explaining_findings import explain_finding, is_finding
    from simward.commands.incidents import incidents_about
    from simward.commands.work import add_remarks
    from simward.engine.story import Subject, look_up, numbers_of, tell_story

    folder: Folder = ctx.obj
    if is_finding(subscription):
        if everything or since is not None:
            raise UsageError("--all and --since are of a subscription's story")
        if not explain_finding(folder, subscription, as_json):
            ctx.exit(1)
        return
    if folder.server is not None:
        if everything:
            raise UsageError("--all reads the journal, which is not done over --server")
        _show(folder, folder.server.story(subscription), since, as_json)
        return
    with folder.reading_both() as journal:
        subject, whole = Subject.parse(subscription), journal.gate
        look_up(whole.revisions(), subject)
        about = whole.rows_about(numbers_of(subscription, whole.revisions()))
        story = tell_story(journal, subject, journal.rows(about))
        if not story.known:
            click.echo(f"Nothing is known of {subscription}: it was never declared, and never asked.", err=True)
            ctx.exit(1)
        told = story.told(everything)
        told["records"] = _records(folder, told["chapters"], subject)
    told["incidents"] = incidents_about(folder, told["subscription"]["imsi"])
    add_remarks(folder, told)
    _show(folder, told, since, as_json)


def _show(folder: Folder, told: dict[str, Any], since: int | None, as_json: bool) -> None:
    from simward.engine.phrases import when

    if since is not None:
        told["chapters"] = [one for one in told["chapters"] if one["at"] >= when(since)]
    if as_json:
        json_line(told)
    else:
        _tell(told, folder.called)


def _tell(told: dict[str, Any], called: str) -> None:
    """`called` is how this folder's commands begin: what is offered can be copied."""
    from simward.commands.incidents import sentence
    from simward.commands.work import item_sentence
    from simward.engine.standing import now_sentences

    who = told["subscription"]
    names = [f"IMSI {', '.join(who['imsi'])}"] if who["imsi"] else []
    names += [f"{word} {who[key]}" for key, word in (("iccid", "ICCID"), ("msisdn", "MSISDN")) if who.get(key)]
    click.secho(f"Subscription: {', '.join(names)}", bold=True)
    click.echo()
    for chapter in told["chapters"]:
        at = chapter["at"][:19].replace("T", " ")
        colour = COLOURS.get(chapter["what"]) if on_terminal() else None
        click.echo(f"{at}  {click.style(chapter['text'], fg=colour) if colour else chapter['text']}")
    if told["incidents"]:
        click.echo()
        for one in told["incidents"]:
            click.echo(f"{sentence(one)} {called} incidents show {one['number']}")
    if told.get("records"):
        click.echo("\nCall detail records behind what was found:")
        for one in told["records"]:
            click.echo(f"  {_record_sentence(one)}")
    click.echo()
    stands = now_sentences(told) if told["now"] is not None else ["The journals know nothing of it yet."]
    click.echo("Now: " + " ".join([*stands, *map(item_sentence, told["work_orders"])]))
    if told["could"]:
        click.echo("You could:")
        for one in told["could"]:
            click.echo(f"  {one.replace('simward ', f'{called} ', 1)}")


def _records(folder: Folder, chapters: list[dict[str, Any]], subject: Subject) -> list[dict[str, Any]]:
    from simward.commands.records import record_told
    from simward.engine.phrases import when
    from simward.watch.records_behind import records_behind

    with folder.reading_findings() as own, folder.reading_records() as imported:
        return [
            {
                **record_told(one.sequence, one.record), "told_at": when(one.told_at),
                "late_s": max(0, one.told_at - int(one.record["happened_at"])) // 1_000_000,
            }
            for one in records_behind(chapters, subject, own, imported)
        ]


def _record_sentence(one: dict[str, Any]) -> str:
    from simward.engine.phrases import span

    what = {"voice": "call", "sms": "message"}[one["kind"]]
    whom = f"{one['destination']} " if one["destination"] else ""
    long = f", {one['duration_s']} s" if one["duration_s"] is not None else ""
    where = f", in network {one['network']}" if one["network"] else ""
    late = f"; told {span(one['late_s'] * 1_000_000)} later" if one["late_s"] else ""
    return f"{one['happened_at'][:19].replace('T', ' ')}  {whom}{what}{long}{where}{late}"


@click.command()
@click.argument("address")
@click.option("--at", "moment", type=MOMENT, help="When (2026-11-23T14:05Z, 2h ago).  [default: now]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a holder, the most certain first.")
@click.pass_context
def who(ctx: click.Context, address: str, moment: int | None, as_json: bool) -> None:
    """Say who held an address at a time.

    Which subscription, in which device.

    ADDRESS is the IPv4 or IPv6 address that the device was given (Framed-IP-Address, Framed-IPv6-Address), an IPv6
    address inside a prefix that it was given or delegated, or such a prefix. Each answer says how sure it is: certain
    (reported before and after), likely (no Stop so far), doubtful (another session took the address without a Stop of
    this one). The same private address in several APNs has several holders.

    Exits 1 where nobody held it.
    """
    from simward.engine.held import Held
    from simward.engine.holders import who_held
    from simward.engine.phrases import when
    from simward.engine.words import Lexicon

    try:
        wanted = Held.parse(address)
    except ValueError:
        raise UsageError(f"{address!r} is neither an IP address nor an IPv6 prefix") from None
    at = now_us() if moment is None else moment
    folder: Folder = ctx.obj
    with folder.reading() as journal:
        found = who_held(journal, Lexicon(journal.manifest), wanted, at)
    for one in found:
        if as_json:
            json_line({"address": address, "at": when(at), **one})
        else:
            _name(address, at, one)
    if not found:
        click.echo(f"Nobody held {address} at {when(at)}, as far as was reported.", err=True)
        ctx.exit(1)


def _name(address: str, at: int, one: dict[str, Any]) -> None:
    from simward.engine.phrases import when

    device = f"device {one['device']}" if one["device"] else "a device that was not reported"
    device += f" software {one['software']}" if one["software"] else ""
    click.echo(f"{address} at {when(at)}: {one['sure']}, {one['why']}")
    click.echo(f"  subscription  IMSI {one['imsi'] or 'not reported'}, ICCID {one['iccid'] or 'not in the inventory'}")
    click.echo(f"  device        {device}")
    until = one["until"] or f"not ended (last heard {one['last_heard']})"
    click.echo(f"  session       {one['session_id']} from {one['from']} until {until}{_how(one)}")
    click.echo(f"  through       gateway {one['gateway'] or '(unnamed)'}, APN {one['apn'] or '(not reported)'}")


def _how(one: dict[str, Any]) -> str:
    return f" by {one['ended']}" if one["ended"] else ""
