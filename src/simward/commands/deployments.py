"""`deployments`: which device was installed with which subscription, and whether the right one came."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import click

from simward.commands.folder import Folder
from simward.commands.printing import json_line, table

PATH = "/v1/deployments"
HEADERS = ("no", "state", "iccid", "device", "use case", "site", "address", "made", "by", "what is the matter")
STATES = (
    "accepted", "waiting", "confirmed", "wrong-device", "refused", "cancelling", "failed", "cancelled", "superseded",
    "taken-back",
)  # fmt: skip
PASSING = ("accepted", "waiting")
LOOK_EVERY_S = 0.5
as_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.group(invoke_without_command=True)
@click.pass_context
def deployments(ctx: click.Context) -> None:
    """Say which device was installed with which SIM, and see it come.

    What is deployed is the API's: `apply` leaves it alone. Without a command the newest are listed. All of it is asked
    of the control process.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@deployments.command()
@click.argument("iccid")
@click.argument("imei")
@click.option("--use-case", required=True, help="What it is meant to do.")
@click.option("--label", help="Where it is, in words.")
@click.option("--at", "place", metavar="LATITUDE,LONGITUDE", help="Where it is, in degrees (59.91,10.75).")
@click.option("--because", default="", help="A reference of yours, or why; kept for the audit.")
@click.option("--wait", type=click.IntRange(0, 86_400), default=0, metavar="SECONDS",
              help="Wait so long for its first attach.")  # fmt: skip
@as_json_option
@click.pass_context
def create(
    ctx: click.Context, iccid: str, imei: str, use_case: str, label: str | None, place: str | None, because: str,
    wait: int, as_json: bool,
) -> None:  # fmt: skip
    """Deploy device IMEI with subscription ICCID.

    With --wait it exits 0 once the right device has attached, and 1 where another one did, it was refused, or none came
    in time.
    """
    site = {"label": label, **_degrees(place)}
    body = {"iccid": iccid, "imei": imei, "use_case": use_case, "because": because,
            "site": {name: value for name, value in site.items() if value is not None}}  # fmt: skip
    folder: Folder = ctx.obj
    one = folder.ask("POST", PATH, body)
    end = time.monotonic() + wait
    while one["state"] in PASSING and time.monotonic() < end:
        time.sleep(LOOK_EVERY_S)
        one = folder.ask("GET", f"{PATH}/{one['number']}")
    _show(one, as_json)
    ctx.exit(1 if wait and one["state"] != "confirmed" else 0)


@deployments.command("list")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="May be given again.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many.")
@as_json_option
@click.pass_obj
def list_(folder: Folder, states: tuple[str, ...] = (), limit: int = 100, as_json: bool = False) -> None:
    """List deployments, the newest first."""
    query = urlencode([("limit", str(limit)), *(("state", one) for one in states)])
    found = folder.ask("GET", f"{PATH}?{query}")["deployments"]
    if as_json:
        for one in found:
            json_line(one)
    elif found:
        table(HEADERS, [_cells(one) for one in found])
    else:
        click.echo("No deployments.", err=True)


@deployments.command()
@click.argument("number", type=click.IntRange(1))
@as_json_option
@click.pass_obj
def show(folder: Folder, number: int, as_json: bool) -> None:
    """Show how one stands."""
    _show(folder.ask("GET", f"{PATH}/{number}"), as_json)


@deployments.command()
@click.argument("number", type=click.IntRange(1))
@click.option("--because", required=True, help="Why; it is kept in the audit.")
@as_json_option
@click.pass_obj
def cancel(folder: Folder, number: int, because: str, as_json: bool) -> None:
    """Take one back: the subscription is as inventory.csv says."""
    _show(folder.ask("DELETE", f"{PATH}/{number}?{urlencode({'because': because})}"), as_json)


def _show(one: dict[str, Any], as_json: bool) -> None:
    if as_json:
        json_line(one)
        return
    said = f": {one['said']}" if one["said"] else ""
    click.echo(f"Deployment {one['number']} is {one['state']}{said}.")
    address = one["address"]
    where = next((address[name] for name in ("address", "prefix") if address[name]), None)
    click.echo(f"  device {one['imei']} with SIM {one['iccid']} for {one['use_case']}, APN {address['apn'] or '-'}")
    click.echo(f"  address {where or address['how']}")


def _degrees(text: str | None) -> dict[str, float]:
    if text is None:
        return {}
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        raise click.UsageError(f"--at {text!r}: write it like 59.91,10.75") from None
    return {"latitude": latitude, "longitude": longitude}


def _cells(one: dict[str, Any]) -> list[Any]:
    made = one["created_at"][:16].replace("T", " ")
    address = one["address"]["address"] or one["address"]["prefix"]
    what = [one[name] for name in ("number", "state", "iccid", "imei", "use_case")]
    return [*what, one["site"]["label"], address, made, one["created_by"], one["said"]]
