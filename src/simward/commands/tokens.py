"""`token`: who may use the HTTP interface over TCP, as what, for how long."""

from __future__ import annotations

from typing import Any

import click

from simward.commands.acting import me
from simward.commands.folder import Folder
from simward.commands.printing import json_line, table

ROLES = ("viewer", "installer", "operator", "approver", "policy-author", "auditor", "administrator")
HEADERS = ("id", "name", "role", "tenant", "state", "expires", "last used")
json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")
because_option = click.option("--because", default="", help="Why; kept for the audit.")
actor_option = click.option("--actor", help="Who asks.  [default: you, at this machine]")


class Span(click.ParamType[int]):
    """A click type for durations (quantities.duration_s)."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Seconds."""
        from simward.quantities import QuantityError, duration_s

        if isinstance(value, int):
            return value
        try:
            return duration_s(value)
        except QuantityError as error:
            self.fail(f"{error.what}: {error.instead}", param, ctx)


@click.group()
def token() -> None:
    """Make, list and revoke tokens of systems that use the HTTP interface.

    They go through the control process, which must be running.
    """


@token.command()
@click.option("--role", required=True, type=click.Choice(ROLES), help="What it may.")
@click.option("--name", required=True, help="Whose it is: a system, not a person.")
@click.option("--expires", type=Span(), default="90d", show_default=True, help="How long it is in force (24h, 90d).")
@click.option("--tenant", help="The only tenant that it sees.  [default: all]")
@because_option
@actor_option
@json_option
@click.pass_obj
def create(
    folder: Folder, role: str, name: str, expires: int, tenant: str | None, because: str, actor: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Make a token and print it, once: it is kept nowhere."""
    asked: dict[str, Any] = {"role": role, "name": name, "expires_in_s": expires, "because": because}
    made = _ask(folder, "POST", "", {**asked, **({"tenant": tenant} if tenant else {}), "actor": actor or me()})
    if as_json:
        json_line(made)
        return
    whose = f"tenant {made['tenant']}" if made["tenant"] else "all tenants"
    click.echo(f"Token {made['id']} ({name}): {role} of {whose} until {made['expires_at'][:19]}Z.", err=True)
    click.echo("It is shown this once:", err=True)
    click.echo(made["token"])


@token.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that have expired or were revoked.")
@json_option
@click.pass_obj
def list_(folder: Folder, every: bool, as_json: bool) -> None:
    """List tokens, the newest first; what they are is not kept."""
    found = _ask(folder, "GET", "?all=true" if every else "")["tokens"]
    if as_json:
        for one in found:
            json_line(one)
    elif found:
        table(HEADERS, [_cells(one) for one in found])
    else:
        click.echo("No tokens.", err=True)


@token.command()
@click.argument("id_or_name", metavar="ID|NAME")
@because_option
@actor_option
@json_option
@click.pass_obj
def revoke(folder: Folder, id_or_name: str, because: str, actor: str | None, as_json: bool) -> None:
    """Take a token out of force, at once."""
    from urllib.parse import quote

    asked = {"because": because, "actor": actor or me()}
    revoked = _ask(folder, "POST", f"/{quote(id_or_name, safe='')}/revoke", asked)
    if as_json:
        json_line(revoked)
    else:
        click.echo(f"Token {revoked['id']} ({revoked['name']}) is revoked.")


def _ask(folder: Folder, method: str, path: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    return folder.ask(method, f"/v1/tokens{path}", asked)


def _cells(one: dict[str, Any]) -> list[Any]:
    used = one["used_at"][:16].replace("T", " ") if one["used_at"] else "never"
    return [one["id"], one["name"], one["role"], one["tenant"] or "all", one["state"], one["expires_at"][:10], used]
