"""`account`: the people who sign in, what each may where, and links by which they choose a password."""

from __future__ import annotations

from typing import Any

import click

from simward.commands.acting import me
from simward.commands.folder import Folder
from simward.commands.printing import json_line, table
from simward.commands.tokens import ROLES, actor_option, because_option, json_option

HEADERS = ("name", "is", "state", "second factor", "signs in by", "last sign-in")
role_option = click.option(
    "--role", "roles", multiple=True, metavar="ROLE[@TENANT]",
    help=f"What it may, in a tenant or in all of them; can be given again. ROLE: {', '.join(ROLES)}.",
)  # fmt: skip


@click.group()
def account() -> None:
    """Make, list and change accounts of people.

    They go through the control process, which must be running.
    """


@account.command("list")
@json_option
@click.pass_obj
def list_(folder: Folder, as_json: bool) -> None:
    """List accounts by name."""
    found = _ask(folder, "GET", "/v1/accounts")["accounts"]
    if as_json:
        for one in found:
            json_line(one)
    elif found:
        table(HEADERS, [_cells(one) for one in found])
    else:
        click.echo("No accounts. `simward account link` makes a link for the first administrator.", err=True)


@account.command()
@click.argument("name")
@role_option
@click.option("--needs-second-factor", is_flag=True, help="It has to set up a second factor.")
@because_option
@actor_option
@json_option
@click.pass_obj
def create(
    folder: Folder, name: str, roles: tuple[str, ...], needs_second_factor: bool, because: str, actor: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Make an account, and print a link by which its person chooses a password: it works once."""
    asked = {"name": name.lower(), "memberships": _memberships(roles), "needs_second_factor": needs_second_factor,
             "because": because, "actor": actor or me()}  # fmt: skip
    _tell_link(_ask(folder, "POST", "/v1/accounts", asked), as_json)


@account.command()
@click.argument("name")
@role_option
@because_option
@actor_option
@json_option
@click.pass_obj
def grant(
    folder: Folder, name: str, roles: tuple[str, ...], because: str, actor: str | None, as_json: bool
) -> None:  # fmt: skip
    """Say anew what an account may, and where; what is not named it is not any more."""
    _change(folder, name, {"memberships": _memberships(roles)}, because, actor, as_json)


@account.command()
@click.argument("name")
@because_option
@actor_option
@json_option
@click.pass_obj
def disable(folder: Folder, name: str, because: str, actor: str | None, as_json: bool) -> None:
    """Let an account sign in no more, and sign it out everywhere."""
    _change(folder, name, {"enabled": False}, because, actor, as_json)


@account.command()
@click.argument("name")
@because_option
@actor_option
@json_option
@click.pass_obj
def enable(folder: Folder, name: str, because: str, actor: str | None, as_json: bool) -> None:
    """Let an account sign in again."""
    _change(folder, name, {"enabled": True}, because, actor, as_json)


@account.command()
@click.argument("name")
@because_option
@actor_option
@json_option
@click.pass_obj
def reset(folder: Folder, name: str, because: str, actor: str | None, as_json: bool) -> None:
    """Take password and second factor of an account, sign it out, and print a link for a new password."""
    asked = {"because": because, "actor": actor or me()}
    _tell_link(_ask(folder, "POST", f"/v1/accounts/{_quoted(name)}/reset", asked), as_json)


@account.command()
@click.argument("name", required=False)
@click.option("--sign-in", "signs_in", is_flag=True, help="It signs NAME in by itself: no password is chosen.")
@because_option
@actor_option
@json_option
@click.pass_obj
def link(
    folder: Folder, name: str | None, signs_in: bool, because: str, actor: str | None, as_json: bool
) -> None:  # fmt: skip
    """Print a link that works once: for NAME to choose a password, or to become administrator.

    A link that was made before for the same works no more.
    """
    if signs_in and not name:
        raise click.UsageError("--sign-in needs NAME")
    asked: dict[str, Any] = {"because": because, "actor": actor or me(), **({"name": name.lower()} if name else {})}
    asked |= {"signs_in": True} if signs_in else {}
    _tell_link(_ask(folder, "POST", "/v1/account-links", asked), as_json)


def _memberships(roles: tuple[str, ...]) -> list[dict[str, str]]:
    found = []
    for one in roles:
        role, _, tenant = one.partition("@")
        if role not in ROLES:
            raise click.BadParameter(f"{role!r} is not one of {', '.join(ROLES)}", param_hint="--role")
        found.append({"role": role, **({"tenant": tenant} if tenant else {})})
    if not found:
        raise click.UsageError("say what it may: --role ROLE, or --role ROLE@TENANT")
    return found


def _change(
    folder: Folder, name: str, wanted: dict[str, Any], because: str, actor: str | None, as_json: bool
) -> None:  # fmt: skip
    asked = {**wanted, "because": because, "actor": actor or me()}
    changed = _ask(folder, "POST", f"/v1/accounts/{_quoted(name)}/change", asked)
    if as_json:
        json_line(changed)
    else:
        table(HEADERS, [_cells(changed)])


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name.lower(), safe="")


def _ask(folder: Folder, method: str, path: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    return folder.ask(method, path, asked)


def _tell_link(made: dict[str, Any], as_json: bool) -> None:
    """The link alone on standard output: it can be piped."""
    if as_json:
        json_line(made)
        return
    click.echo(f"This link works once, until {made['link_ends_at'][:16].replace('T', ' ')}Z:", err=True)
    click.echo(made["link"])


def _cells(one: dict[str, Any]) -> list[Any]:
    roles = ", ".join(f"{each['role']} of {each['tenant'] or 'all'}" for each in one["memberships"])
    last = one["signed_in_at"][:16].replace("T", " ") if one["signed_in_at"] else "never"
    state = "enabled" if one["enabled"] else "disabled"
    return [one["name"], roles, state, one["second_factor"], ", ".join(one["signs_in_by"]) or "nothing yet", last]
