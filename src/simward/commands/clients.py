"""`client`: which systems may ask for access tokens (OAuth 2.0), for which scopes, for how long."""

from __future__ import annotations

from typing import Any

import click

from simward.commands.acting import me
from simward.commands.folder import Folder
from simward.commands.printing import json_line, table
from simward.commands.tokens import Span, actor_option, because_option, json_option

HEADERS = ("client_id", "name", "scopes", "tenant", "state", "expires")


@click.group()
def client() -> None:
    """Make, list and revoke clients that get access tokens (OAuth 2.0).

    Tokens are given at /oauth2/token. Clients go through the control process, which must be running.
    """


@client.command()
@click.option("--name", required=True, help="Whose it is: a system, not a person.")
@click.option("--scope", "scopes", required=True, multiple=True, help="What it may ask for; may be given again.")
@click.option("--expires", type=Span(), default="366d", show_default=True, help="How long it is in force (24h, 90d).")
@click.option("--tenant", help="The only tenant that it sees.  [default: all]")
@because_option
@actor_option
@json_option
@click.pass_obj
def create(
    folder: Folder, name: str, scopes: tuple[str, ...], expires: int, tenant: str | None, because: str,
    actor: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Make a client and print its id and its secret, once: the secret is kept nowhere."""
    asked: dict[str, Any] = {"name": name, "scopes": list(scopes), "expires_in_s": expires, "because": because}
    made = _ask(folder, "POST", "", {**asked, **({"tenant": tenant} if tenant else {}), "actor": actor or me()})
    if as_json:
        json_line(made)
        return
    whose = f"tenant {made['tenant']}" if made["tenant"] else "all tenants"
    click.echo(f"Client {name} of {whose} until {made['expires_at'][:19]}Z: {', '.join(made['scopes'])}.", err=True)
    click.echo("client_id and client_secret, shown this once:", err=True)
    click.echo(f"{made['id']} {made['secret']}")


@client.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that have expired or were revoked.")
@json_option
@click.pass_obj
def list_(folder: Folder, every: bool, as_json: bool) -> None:
    """List clients, the newest first."""
    found = _ask(folder, "GET", "?all=true" if every else "")["clients"]
    if as_json:
        for one in found:
            json_line(one)
    elif found:
        table(HEADERS, [_cells(one) for one in found])
    else:
        click.echo("No clients.", err=True)


@client.command()
@click.argument("id_or_name", metavar="ID|NAME")
@because_option
@actor_option
@json_option
@click.pass_obj
def revoke(folder: Folder, id_or_name: str, because: str, actor: str | None, as_json: bool) -> None:
    """Take a client out of force, and its access tokens with it, at once."""
    from urllib.parse import quote

    asked = {"because": because, "actor": actor or me()}
    revoked = _ask(folder, "POST", f"/{quote(id_or_name, safe='')}/revoke", asked)
    if as_json:
        json_line(revoked)
    else:
        click.echo(f"Client {revoked['id']} ({revoked['name']}) is revoked.")


def _ask(folder: Folder, method: str, path: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    return folder.ask(method, f"/v1/clients{path}", asked)


def _cells(one: dict[str, Any]) -> list[Any]:
    return [
        one["id"], one["name"], " ".join(one["scopes"]), one["tenant"] or "all", one["state"], one["expires_at"][:10]
    ]  # fmt: skip
