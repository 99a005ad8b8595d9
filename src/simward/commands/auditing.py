"""`audit`: the proof that nothing in the audit was changed or cut off, and its entries in words or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simward.commands.folder import Folder
from simward.commands.moments import MOMENT
from simward.commands.printing import json_line
from simward.engine.phrases import when
from simward.errors import UsageError

if TYPE_CHECKING:
    from simward.registry.audit import Entry, Walked
    from simward.registry.database import Registry

LISTED_MOST = 12


@click.group()
def audit() -> None:
    """Prove or export who did what, and why.

    Every write and automatic decision is an entry in a chain of digests: who or what, why, before and after. Each
    minute the control process signs how far chain and journal have come; such heads, kept elsewhere, show a tail that
    was cut off.
    """


@audit.command()
@click.option(
    "--heads", type=click.Path(path_type=Path, dir_okay=False), multiple=True,
    help="Signed heads, as they were kept elsewhere; may be given again.  [default: data/audit/heads.jsonl]",
)  # fmt: skip
@click.option(
    "--key", type=click.Path(path_type=Path, dir_okay=False),
    help="The public key that signed them.  [default: data/audit/signing.pub]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def verify(ctx: click.Context, heads: tuple[Path, ...], key: Path | None, as_json: bool) -> None:
    """Compute the chain again, and hold every signed head to it.

    Exits 1 where an entry is not as it was written, or cannot be read although no erasure names it; and where a head is
    not signed, says more than is there, or a file of heads holds none.
    """
    from simward.registry import audit as chain

    folder: Folder = ctx.obj
    with _registry(folder) as registry, registry.reading() as connection:
        walked = chain.walk(connection)
        dark = chain.unreadable(connection)
        said = _check_heads(folder, connection, walked, heads, key)
    hidden = f"{_listed(dark)} cannot be read, and no erasure says why: keys were removed or exchanged" if dark else ""
    wrong = walked.reason or said["wrong"] or hidden
    if as_json:
        json_line({
            "entries": walked.entries, "last": walked.last, "digest": walked.digest.hex(),
            "wrong_at": walked.wrong or None, "wrong": wrong or None, "heads": said["heads"],
            "newest_head": said["newest"], "unreadable": dark,
        })  # fmt: skip
    elif walked.wrong:
        click.echo(f"Entry {walked.wrong}: {walked.reason}. The {walked.entries} before it are as they were written.")
    else:
        click.echo(f"{walked.entries} entries are as they were written. Digest at {walked.last}: {walked.digest.hex()}")
    if not as_json and hidden:
        click.echo(hidden)
    if not as_json and said["wrong"]:
        click.echo(said["wrong"])
    elif not as_json:
        newest = f"; the newest says entry {said['newest']}" if said["heads"] else ""
        click.echo(f"{said['heads']} signed heads agree{newest}.")
    ctx.exit(1 if wrong else 0)


@audit.command()
@click.option("--since", type=MOMENT, help="Only entries since then (2h, 2026-11-23T14:00Z).")
@click.option("--imsi", help="Only what is about one subscription.")
@click.option("--actor", help="Only what this person, program or detector did (part of the name).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with digests.")
@click.pass_obj
def export(folder: Folder, since: int | None, imsi: str | None, actor: str | None, as_json: bool) -> None:
    """Print the entries, oldest first.

    What was erased is shown as such: that something was done then is still proved, about whom and why is gone.
    """
    from simward.identity import Imsi
    from simward.registry import audit as chain

    wanted = Imsi.parse(imsi).text if imsi else None
    with _registry(folder) as registry, registry.reading() as connection:
        for entry in chain.entries(connection, imsi=wanted):
            if (since is None or entry.at >= since) and (actor is None or actor in entry.actor):
                json_line(_as_json(entry)) if as_json else click.echo(_line(entry))


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:LISTED_MOST])) + (", ..." if len(numbers) > LISTED_MOST else "")
    return f"{'Entry' if len(numbers) == 1 else 'Entries'} {shown}"


@contextmanager
def _registry(folder: Folder) -> Iterator[Registry]:
    from simward.registry.database import Registry, url_of

    settings = folder.settings()
    url = url_of(settings)
    if not settings.registry.url and not Path(url.database or "").exists():
        raise UsageError(f"there is no audit yet: {folder.called} serve begins it")
    registry = Registry.open(url)
    try:
        yield registry
    finally:
        registry.close()


def _check_heads(
    folder: Folder, connection: Any, walked: Walked, paths: tuple[Path, ...], key: Path | None
) -> dict[str, Any]:
    """Hold heads to the chain: how many agree, the newest number that one says, and what is wrong, in words."""
    from simward.control.heads import FOLDER, PUBLIC_NAME, is_signed, public_key, read_heads
    from simward.registry import audit as chain

    own = folder.settings().heads_path
    if not paths and not own.exists():
        return {"heads": 0, "newest": 0, "wrong": ""}
    public = public_key(key or folder.data / FOLDER / PUBLIC_NAME)
    count = newest = last = 0
    for path in paths or (own,):
        before = count
        for said in read_heads(path):
            number = int(said["audit"]["number"])
            if not is_signed(said, public):
                return {"heads": count, "newest": newest, "wrong": f"{path}: the head of entry {number} is not signed"}
            digest = chain.digest_at(connection, number)
            if digest is None:
                what = f"entries up to {number} were there at {when(said['at'])}, and {walked.last} is the last one now"
                return {"heads": count, "newest": newest, "wrong": f"The newest entries are missing: {what}"}
            if digest.hex() != said["audit"]["digest"]:
                what = f"Entry {number} is not what it was when its head was signed at {when(said['at'])}"
                return {"heads": count, "newest": newest, "wrong": what}
            sequence = int(said["journal"]["sequence"])
            if sequence > last:
                last = _journal_end(folder)  # looked for after the head was read: a gate may be writing on
            if sequence > last:
                what = f"{sequence} was its last at {when(said['at'])}, and it ends with {last} now"
                return {"heads": count, "newest": newest, "wrong": f"The journal's newest rows are missing: {what}"}
            count, newest = count + 1, max(newest, number)
        if count == before:
            return {"heads": count, "newest": newest, "wrong": f"{path} holds no head: it was emptied, or is not whole"}
    return {"heads": count, "newest": newest, "wrong": ""}


def _journal_end(folder: Folder) -> int:
    with folder.reading() as journal:
        return journal.last


def _as_json(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.number, "at": when(entry.at), "tenant": entry.tenant, "actor": entry.actor, "what": entry.what,
        "object": entry.object or None, "cause": entry.cause or None, "subject": entry.subject or None,
        "erased": entry.content is None, **(entry.content or {}), "digest": entry.digest.hex(),
    }  # fmt: skip


def _line(entry: Entry) -> str:
    said = entry.content
    line = f"{when(entry.at)[:19]}Z  {entry.number:>6}  {entry.actor}: {entry.what}"
    line += f" {entry.object}" if entry.object else ""
    if said is None:
        return f"{line}  (erased)"
    line += f"  {said['imsi']}" if "imsi" in said else ""
    line += f"  because {said['why']}" if said.get("why") else ""
    for name in ("before", "after"):
        told = [f"{key} {value}" for key, value in (said.get(name) or {}).items() if value is not None]
        line += f"  {name}: {', '.join(told)}" if told else ""
    return line
