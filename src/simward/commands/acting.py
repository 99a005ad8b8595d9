"""What a person asks of the gate, with a reason: `lock`, `release`, `bind` and the like."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Callable
from typing import Any

import click

from simward.commands.folder import Folder
from simward.commands.printing import json_line
from simward.identity import Iccid, Imei

PATH = "/v1/commands"
because = click.option("--because", required=True, help="Why; it is journalled and shown by explain.")
as_json_option = click.option("--json", "as_json", is_flag=True, help="The gate's answer as one JSON object.")
actor_option = click.option("--actor", help="Who asks.  [default: you, at this machine]")
break_glass_option = click.option(
    "--break-glass", is_flag=True,
    help="Ask the gate directly, past a control plane that does not work; it is kept, and raises an alarm.",
)  # fmt: skip
id_option = click.option("--id", "command_id", default="", help="Your name for this command: sent twice, it acts once.")


def about_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command about one subscription."""
    generation = click.option(
        "--generation", type=click.IntRange(min=0), default=None,
        help="Only if the binding still has this generation (see explain).",
    )  # fmt: skip
    about = click.argument("iccid")
    for wrap in (as_json_option, break_glass_option, id_option, actor_option, generation, because, about):
        function = wrap(function)
    return click.pass_obj(function)


@click.command()
@about_one
def lock(folder: Folder, **asked: Any) -> None:
    """Refuse a subscription whatever comes, until it is released.

    Its live sessions are ended.
    """
    _ask_about(folder, "lock", asked)


@click.command()
@about_one
def quarantine(folder: Folder, **asked: Any) -> None:
    """Confine a subscription until it is released.

    Its live sessions get its segment's quarantine filter where their gateway takes changes (CoA), and are ended
    elsewhere; a new one gets a quarantine address. Without a quarantine pool or filter in its segment it is refused. A
    lock is stronger: one that is locked stays locked.
    """
    _ask_about(folder, "quarantine", asked)


@click.command()
@about_one
@click.option("--rebind", is_flag=True, help="Also forget the bound device: the next one that is allowed becomes it.")
def release(folder: Folder, **asked: Any) -> None:
    """Take the lock off a subscription, or let it out of quarantine.

    With --rebind the exchange of its device was meant: the next allowed request binds it anew. One that the inventory
    says is suspended or retired stays refused; the answer says so.
    """
    _ask_about(folder, "release", asked)


@click.command()
@about_one
def disconnect(folder: Folder, **asked: Any) -> None:
    """End the live sessions of a subscription.

    The gateway that holds each is sent a Disconnect-Request; `explain` shows its answer.
    """
    _ask_about(folder, "disconnect", asked)


@click.command()
@about_one
@click.option("--imei", help="To this device.  [default: the one that it was heard in last]")
@click.option("--area", is_flag=True, help="To the area of its use case, not to a device.")
def bind(folder: Folder, **asked: Any) -> None:
    """Bind a subscription to its device, or to the area of its use case.

    Another device, or what is outside the area, is refused from then on, whatever milder its use case says of it, and
    within its limits. `unbind` takes it back.
    """
    if asked["area"] and asked["imei"]:
        raise click.UsageError("--imei goes with a device, --area with none")
    _ask_about(folder, "bind", asked)


@click.command()
@about_one
@click.option("--area", is_flag=True, help="From the area of its use case, not from a device.")
def unbind(folder: Folder, **asked: Any) -> None:
    """Free a subscription from its device, or from its area.

    No first use binds it again until `bind` does, or `release --rebind` gives it back to its use case. A lock that a
    finding about its device caused ends with that.
    """
    _ask_about(folder, "unbind", asked)


@click.command()
@because
@actor_option
@break_glass_option
@as_json_option
@click.pass_obj
def pause(folder: Folder, because: str, actor: str | None, break_glass: bool, as_json: bool) -> None:
    """Hold every response above notify.

    Findings go on being recorded; nothing is quarantined, refused or locked by them until `resume`. Locks that are in
    force stay.
    """
    _send(folder, {"do": "pause", "because": because, "actor": actor or me()}, "Paused", as_json, break_glass)


@click.command()
@because
@actor_option
@break_glass_option
@as_json_option
@click.pass_obj
def resume(folder: Folder, because: str, actor: str | None, break_glass: bool, as_json: bool) -> None:
    """Let responses act again."""
    _send(folder, {"do": "resume", "because": because, "actor": actor or me()}, "Resumed", as_json, break_glass)


def _ask_about(folder: Folder, name: str, asked: dict[str, Any]) -> None:
    iccid = Iccid.parse(asked["iccid"])
    if not iccid.luhn_ok:
        click.echo(f"simward: warning: the last digit of {iccid.text} is not its Luhn digit; is it mistyped?", err=True)
    request = {
        "do": name, "iccid": iccid.text, "because": asked["because"], "actor": asked["actor"] or me(),
        "id": asked["command_id"], "generation": -1 if asked["generation"] is None else asked["generation"],
    }  # fmt: skip
    request |= {name: True for name in ("rebind", "area") if asked.get(name)}
    if asked.get("imei"):
        request["imei"] = Imei.parse(asked["imei"]).text
    _send(folder, request, f"{SAID[name]} {iccid.text}", asked["as_json"], asked["break_glass"])


SAID = {
    "lock": "Locked", "quarantine": "Put into quarantine:", "release": "Released", "disconnect": "Disconnect asked for",
    "bind": "Bound", "unbind": "Unbound",
}  # fmt: skip


def _send(folder: Folder, request: dict[str, Any], said: str, as_json: bool, break_glass: bool) -> None:
    answer = folder.ask_gate({**request, "break_glass": True}) if break_glass else folder.command(PATH, request)
    if as_json:
        json_line(answer)
        return
    did = answer.get("did")
    if request["do"] == "release" and did is not None and "released" not in did:
        said = f"{request['iccid']} was not locked or in quarantine; nothing was released"
        said += ", but its binding was forgotten" if "unbound" in did else ""
    elif request["do"] == "disconnect" and did is not None and "disconnect" not in did:
        said = f"{request['iccid']} has no live session; nothing was disconnected"
    elif request["do"] == "quarantine" and did is not None and "quarantined" not in did:
        said = f"{request['iccid']} is in quarantine already, or locked, which is stronger; nothing was done"
    elif request["do"] in ("bind", "unbind") and did is not None and not set(did) - {"released"}:
        said = f"{request['iccid']} is so already; nothing was done"
    if answer.get("result") == "duplicate":
        said += " (it was done before: nothing was done again)"
    if request["do"] == "release" and "state" in answer:
        said += f". It stays refused: the inventory says {answer['state']}, and only there it can be let in again "
        said += "(state active, then `simward apply`)"
    sequence = f" [0/{answer['sequence']}]" if "sequence" in answer else ""
    click.echo(f"{said}.{sequence}")


def me() -> str:
    """Who sits at this terminal, for the audit."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return f"{name}@{platform.node()}"
