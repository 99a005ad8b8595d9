"""`work`: changes of devices and places that are meant, made known before they begin; and how far they have come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from simward.commands.acting import actor_option, me
from simward.commands.folder import ANSWER_WITHIN_S, Folder
from simward.commands.incidents import reading
from simward.commands.moments import COMING, now_us
from simward.commands.printing import json_line, table

PATH = "/v1/work-orders"
STATES = ("open", "overdue", "done", "refused", "cancelled")
HEADERS = ("no", "state", "from", "until", "what", "items", "done", "wrong", "by")
ITEM_HEADERS = ("iccid", "expected", "state", "was", "now", "changed", "note")
SINCE_VERSION = "0005"
"""The change of the registry that brought work orders."""
LINES_SHOWN = 20
as_json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")


def ordering(function: Any) -> Any:
    """The options of a command that makes an order."""
    options = (
        as_json_option,
        click.option("--dry-run", is_flag=True, help="Only show what it would be about."),
        actor_option,
        click.option("--because", required=True, help="Why; it is kept with the order and in the audit."),
        click.option("--title", default="", help="How the order is called.  [default: made of what it is about]"),
        click.option("--until", type=COMING, help="Until when (2026-11-23T18:00Z, +8h).  [default: a day after]"),
        click.option("--from", "begins", type=COMING, help="From when (2026-11-23T14:00Z, +2h).  [default: now]"),
    )
    for wrap in options:
        function = wrap(function)
    return click.pass_obj(function)


@click.group()
def work() -> None:
    """Plan changes of devices and places: work orders.

    What is planned is known to the gate before it begins. When it happens it is recorded as planned, the binding moves
    and the order closes; whatever else happens is found as ever. Listing and showing need no running process.
    """


@work.command()
@click.argument("iccid")
@click.option("--to", "imei", help="The device that it goes into.  [default: any, once]")
@click.option("--place", is_flag=True, help="It may also be heard at another place from then on.")
@click.option("--place-only", is_flag=True, help="Only its place may change.")
@ordering
def plan(folder: Folder, iccid: str, imei: str | None, place: bool, place_only: bool, **asked: Any) -> None:
    """Plan that a SIM moves to another device, another place, or both."""
    from simward.identity import Iccid, Imei

    if place_only and imei:
        raise click.UsageError("--place-only: then there is no device to go to")
    item: dict[str, Any] = {"iccid": Iccid.parse(iccid).text, "device": not place_only, "place": place or place_only}
    if imei:
        item["imei"] = Imei.parse(imei).text
    _order(folder, {"kind": "plan", "items": [item]}, asked)


@work.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--place", is_flag=True, help="They may also be heard at other places from then on.")
@ordering
def swap(folder: Folder, file: Path, place: bool, **asked: Any) -> None:
    """Plan the exchange of many devices.

    FILE is CSV with the columns iccid and imei, and from and until where they differ from --from and --until. All that
    is wrong in it is said at once, and then nothing is planned.
    """
    from simward.commands.swapping import read_swap

    items = read_swap(file, now_us())
    for one in items:
        one["place"] = place
    _order(folder, {"kind": "swap", "items": items, "source": str(file)[-500:]}, asked)


@work.command()
@click.option("--use-case", help="SIMs of this use case.")
@click.option("--label", help="SIMs with this label in the inventory; may hold * and ?.")
@click.option("--near", help="SIMs that the inventory has within LATITUDE,LONGITUDE,RADIUS (59.91,10.75,500 m).")
@click.option("--device/--no-device", default=True, help="Their devices may change, into any other.  [default: yes]")
@click.option("--place/--no-place", default=True, help="Their places may change.  [default: yes]")
@ordering
def refit(
    folder: Folder, use_case: str | None, label: str | None, near: str | None, device: bool, place: bool, **asked: Any
) -> None:
    """Plan that a site is refitted: each of its SIMs may change its device and place once.

    Which SIMs those are, inventory.csv says now; all options that are given must fit.
    """
    chosen = {"use_case": use_case, "label": label, "near": _near(near) if near else None}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if not chosen:
        raise click.UsageError("say which SIMs: --use-case, --label or --near")
    if not (device or place):
        raise click.UsageError("--no-device and --no-place: then nothing changes")
    _order(folder, {"kind": "refit", "select": chosen, "device": device, "place": place}, asked)


@work.command("list")
@click.option("--state", "states", type=click.Choice([*STATES, "all"]), multiple=True,
              help="Only these; may be given again.  [default: open, overdue]")  # fmt: skip
@as_json_option
@click.pass_obj
def list_(folder: Folder, states: tuple[str, ...], as_json: bool) -> None:
    """List work orders, the newest first; with --json one object a line."""
    from simward.registry import work_orders as kept

    wanted = STATES if "all" in states else states or ("open", "overdue")
    found = []
    if folder.server is not None:
        query = "&".join(f"state={one}" for one in wanted)
        found = folder.ask("GET", f"{PATH}?limit=1000&{query}")["work_orders"]
    else:
        with reading(folder, SINCE_VERSION) as connection:
            if connection is not None:
                found = [kept.told(connection, one) for one in kept.listed(connection, wanted, 1000)]
    if as_json:
        for one in found:
            json_line(one)
    elif found:
        table(HEADERS, [_cells(one) for one in found])
    else:
        click.echo("No work orders.", err=True)


@work.command()
@click.argument("number", type=click.IntRange(1, 2**62))
@as_json_option
@click.pass_context
def show(ctx: click.Context, number: int, as_json: bool) -> None:
    """Show a work order and how far each of its SIMs has come.

    Exits 1 where there is no such order.
    """
    from simward.registry import work_orders as kept

    folder: Folder = ctx.obj
    if folder.server is not None:
        told = folder.ask("GET", f"{PATH}/{number}")
        items = told.pop("of")
    else:
        with reading(folder, SINCE_VERSION) as connection:
            order = None if connection is None else kept.find(connection, number)
            if connection is None or order is None:
                click.echo(f"There is no work order {number}.", err=True)
                ctx.exit(1)
            told = kept.told(connection, order)
            items = [kept.item_told(one) for one in kept.items_of(connection, number)]
    if as_json:
        json_line({**told, "of": items})
        return
    click.secho(f"Work order {number}: {told['title']}", bold=True)
    click.echo(f"{told['state']}, from {_short(told['from'])} until {_short(told['until'])}")
    click.echo(f"asked by {told['created_by']}: {told['because']}")
    click.echo(", ".join(f"{count} {state}" for state, count in told["counts"].items()))
    click.echo()
    table(ITEM_HEADERS, [_item_cells(one) for one in items])
    if told["closed_at"] is None:
        click.echo(f"\nYou could:\n  {folder.called} work cancel {number} --because TEXT")


@work.command()
@click.argument("number", type=click.IntRange(1, 2**62))
@click.option("--because", required=True, help="Why; it is kept in the audit.")
@actor_option
@as_json_option
@click.pass_obj
def cancel(folder: Folder, number: int, because: str, actor: str | None, as_json: bool) -> None:
    """Take back what of a work order is still to come."""
    answer = _ask(folder, f"{PATH}/{number}/cancel", {"because": because, "actor": actor or me()})
    if as_json:
        json_line(answer)
    else:
        click.echo(f"Work order {number} is cancelled; {answer['cancelled']} of its items were still to come.")


def _order(folder: Folder, about: dict[str, Any], asked: dict[str, Any]) -> None:
    from simward.engine.phrases import when

    body = {
        **about, "title": asked["title"], "because": asked["because"], "actor": asked["actor"] or me(),
        "dry_run": asked["dry_run"],
    }  # fmt: skip
    for name, at in (("from", asked["begins"]), ("until", asked["until"])):
        if at is not None:
            body[name] = when(at)
    answer = _ask(folder, PATH, body)
    if asked["as_json"]:
        json_line(answer)
        return
    if answer["number"] is None:
        items = answer["items"][:LINES_SHOWN]
        rows = [
            [one["iccid"], one["was"] or "", _expected(one), _short(one["from"]), _short(one["until"])] for one in items
        ]
        table(("iccid", "in device", "expected", "from", "until"), rows)
        more = answer["count"] - len(items)
        click.echo(f"{f'... and {more:,} more. ' if more else ''}Nothing is planned: this was a dry run.")
        return
    click.echo(f"Work order {answer['number']}: {answer['title']} ({answer['count']:,} planned).")
    click.echo(f"How far it has come: {folder.called} work show {answer['number']}")


def _ask(folder: Folder, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return folder.ask("POST", path, body, within_s=4 * ANSWER_WITHIN_S)


def add_remarks(folder: Folder, told: dict[str, Any]) -> None:
    """Add to the findings of a told story what work orders say to them, and the orders that are open about it."""
    from simward.registry import work_orders as kept

    found = [one for one in told["chapters"] if "finding" in one]
    told["work_orders"] = []
    with reading(folder, SINCE_VERSION) as connection:
        if connection is None:
            return
        remarks = kept.remarks(connection, [one["finding"]["id"] for one in found])
        if told["subscription"]["iccid"]:
            items = kept.about(connection, told["subscription"]["iccid"])
            told["work_orders"] = [
                {"number": one.work_order, "title": one.title, **kept.item_told(one)}
                for one in items if one.state in kept.TO_COME
            ]  # fmt: skip
    for one in found:
        if remark := remarks.get(one["finding"]["id"]):
            one["text"] += f" {remark}"
            one["remark"] = remark


def item_sentence(one: dict[str, Any]) -> str:
    """An item that is still to come, as `explain` tells it."""
    said = f" {one['note']}" if one["note"] else ""
    return f"Work order {one['number']} expects {_expected(one)} until {_short(one['until'])} ({one['state']}).{said}"


def _near(text: str) -> dict[str, float]:
    from simward.quantities import QuantityError, distance_m

    parts = [one.strip() for one in text.split(",")]
    try:
        latitude, longitude, radius = float(parts[0]), float(parts[1]), distance_m(parts[2])
    except (ValueError, IndexError, QuantityError) as error:
        said = f" ({error})" if isinstance(error, QuantityError) else ""
        raise click.UsageError(f"--near {text!r}: write it like 59.91,10.75,500 m{said}") from None
    return {"latitude": latitude, "longitude": longitude, "radius_m": float(radius)}


def _cells(one: dict[str, Any]) -> list[Any]:
    counts = one["counts"]
    return [
        one["number"], one["state"], _short(one["from"]), _short(one["until"]), one["title"], one["items"],
        counts.get("done", 0), counts.get("wrong", 0), one["created_by"],
    ]  # fmt: skip


def _item_cells(one: dict[str, Any]) -> list[Any]:
    return [
        one["iccid"], _expected(one), one["state"], one["was"], one["now"], _short(one["changed_at"]), one["note"],
    ]  # fmt: skip


def _expected(one: dict[str, Any]) -> str:
    device = one["imei"] or ("any device" if one["device"] else "")
    return " and ".join(part for part in (device, "another place" if one["place"] else "") if part)


def _short(text: str) -> str:
    """A time to the minute."""
    return text[:16].replace("T", " ")
