"""`rules`: what rules do and did, what of it is held; listed from the registry, decided through the control process."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import click

from simward.commands.folder import Folder
from simward.commands.incidents import reading
from simward.commands.printing import json_line, table

SINCE_VERSION = "0004"
"""The change of the registry that brought rules."""
STATES = ("waiting", "sent", "done", "cancelled", "held", "dry-run", "refused", "too-old")
as_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.group(invoke_without_command=True)
@click.pass_context
def rules(ctx: click.Context) -> None:
    """List rules, and decide about what they have held.

    A rule of policies/ says what is done when something happens. Without a command the rules are listed. Listing and
    showing need no running process.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@rules.command("list")
@as_json_option
@click.pass_obj
def list_(folder: Folder, as_json: bool) -> None:
    """List the rules in force, and what became of their actions."""
    from simward.response.rules.telling import told_rules

    if folder.server is not None:
        found = folder.ask("GET", "/v1/rules")["rules"]
    else:
        with reading(folder, SINCE_VERSION) as connection:
            found = [] if connection is None else told_rules(connection)
    if as_json:
        for one in found:
            json_line(one)
    elif found:
        table(("rule", "mode", "actions"), [(one["rule"], _mode(one), _counts(one["actions"])) for one in found])
    else:
        click.echo("No rules are in force.", err=True)


@rules.command()
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="So many actions at most.")
@click.option("--state", type=click.Choice(STATES), help="Only actions in this state.")
@as_json_option
@click.pass_context
def show(ctx: click.Context, name: str, limit: int, state: str | None, as_json: bool) -> None:
    """Show one rule and its newest actions.

    Exits 1 where there is no such rule.
    """
    from simward.registry import rules as kept
    from simward.response.rules.telling import told_action, told_rule

    if ctx.obj.server is not None:
        rule, actions = ctx.obj.ask("GET", _path(name)), _actions_there(ctx.obj, name, state, limit)
    else:
        with reading(ctx.obj, SINCE_VERSION) as connection:
            rule = None if connection is None else told_rule(connection, name)
            if connection is None or rule is None:
                click.echo(f"There is no rule {name}.", err=True)
                ctx.exit(1)
            actions = [told_action(row) for row in kept.actions(connection, rule=name, state=state, most=limit)]
    if as_json:
        json_line({**rule, "newest": actions})
        return
    click.secho(f"Rule {name}: {_mode(rule)}", bold=True)
    if rule["paused"]:
        click.echo(f"paused by {rule['paused']['actor']}: {rule['paused']['because']}")
    for line in _written(rule["document"] or {}):
        click.echo(f"  {line}")
    click.echo(_counts(rule["actions"]))
    if actions:
        click.echo()
        _table_of(actions)


@rules.command()
@click.argument("name", required=False)
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="So many at most.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 also where something is held.")
@as_json_option
@click.pass_context
def held(ctx: click.Context, name: str | None, limit: int, exit_zero: bool, as_json: bool) -> None:
    """List what is held and waits for a person, of all rules or of one.

    Exits 1 where anything is held and 0 where nothing is; with --exit-zero always 0.
    """
    from simward.registry import rules as kept
    from simward.response.rules.telling import told_action

    found = []
    if ctx.obj.server is not None:
        found = _actions_there(ctx.obj, name, "held", limit)
    else:
        with reading(ctx.obj, SINCE_VERSION) as connection:
            if connection is not None:
                found = [told_action(row) for row in kept.actions(connection, rule=name, state="held", most=limit)]
    if as_json:
        for one in found:
            json_line(one)
    elif found:
        _table_of(found)
        names = sorted({one["rule"] for one in found})
        click.echo("\nYou could:")
        for one in names:
            click.echo(f"  {ctx.obj.called} rules approve|reject {one} --because TEXT")
    else:
        click.echo("Nothing is held.", err=True)
    ctx.exit(1 if found and not exit_zero else 0)


def deciding(function: Any) -> Any:
    """The options of a decision about one rule."""
    options = (
        click.option("--json", "as_json", is_flag=True, help="The answer as one JSON object."),
        click.option("--actor", help="Who asks.  [default: you, at this machine]"),
        click.option("--because", required=True, help="Why; kept for the audit."),
        click.argument("name"),
    )
    for wrap in options:
        function = wrap(function)
    return click.pass_context(function)


ids_option = click.option("--id", "ids", multiple=True, help="Only this action; may be given again.  [default: all]")


@rules.command()
@deciding
@ids_option
def approve(ctx: click.Context, name: str, ids: tuple[str, ...], **asked: Any) -> None:
    """Let held actions of a rule go.

    They are then yours: no limit holds them. Where it would be more within an hour than the rule's approve_above, a
    second person must approve them too. Exits 1 where some still wait for that.
    """
    answer = _decide(ctx.obj, name, "approve", asked, ids)
    if asked["as_json"]:
        json_line(answer)
    else:
        click.echo(f"{answer['released']:,} on their way to the gate.")
        if answer["awaiting"]:
            click.echo(f"{answer['awaiting']:,} wait for the approval of a second person.")
    ctx.exit(1 if answer["awaiting"] else 0)


@rules.command()
@deciding
@ids_option
def reject(ctx: click.Context, name: str, ids: tuple[str, ...], **asked: Any) -> None:
    """Say that held actions of a rule are not to be done."""
    answer = _decide(ctx.obj, name, "reject", asked, ids)
    if asked["as_json"]:
        json_line(answer)
    else:
        click.echo(f"{answer['rejected']:,} rejected.")


@rules.command()
@deciding
def pause(ctx: click.Context, name: str, **asked: Any) -> None:
    """Have a rule only say what it would do, until it is resumed."""
    _switch(ctx.obj, name, "pause", asked)


@rules.command()
@deciding
def resume(ctx: click.Context, name: str, **asked: Any) -> None:
    """Let a paused rule act again."""
    _switch(ctx.obj, name, "resume", asked)


def _switch(folder: Folder, name: str, action: str, asked: dict[str, Any]) -> None:
    answer = _decide(folder, name, action, asked)
    if asked["as_json"]:
        json_line(answer)
    else:
        click.echo(f"Rule {name}: {_mode(answer)}.")


def _decide(folder: Folder, name: str, action: str, asked: dict[str, Any], ids: tuple[str, ...] = ()) -> dict[str, Any]:
    from simward.commands.acting import me

    body: dict[str, Any] = {"actor": asked["actor"] or me(), "because": asked["because"]}
    if ids:
        body["ids"] = list(ids)
    return folder.ask("POST", f"{_path(name)}/{action}", body)


def _path(name: str) -> str:
    return f"/v1/rules/{quote(name, safe='')}"


def _actions_there(folder: Folder, name: str | None, state: str | None, limit: int) -> list[dict[str, Any]]:
    """Actions of a server's rules."""
    asked = {"rule": name, "state": state, "limit": min(limit, 1000)}
    query = urlencode({key: value for key, value in asked.items() if value is not None})
    found: list[dict[str, Any]] = folder.ask("GET", f"/v1/rule-actions?{query}")["actions"]
    return found


def _mode(one: dict[str, Any]) -> str:
    if not one["in_force"]:
        return "no longer in force"
    return f"{one['mode']}, paused" if one["paused"] else str(one["mode"])


def _counts(actions: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {state}" for state, number in actions.items()) or "no actions yet"


def _written(document: dict[str, Any]) -> list[str]:
    import yaml

    return yaml.safe_dump(document, sort_keys=False, width=110, default_flow_style=None).splitlines()


def _table_of(actions: list[dict[str, Any]]) -> None:
    headers = ("changed", "rule", "action", "state", "iccid", "trigger", "what came of it", "id")
    rows = []
    for one in actions:
        first = f"{one['result'] or ''}" + (f" (approved by {one['approved_by']})" if one["approved_by"] else "")
        rows.append(
            (one["changed_at"][:19].replace("T", " "), one["rule"], one["action"], one["state"], one["iccid"],
             f"{one['trigger']['type']} [{one['trigger']['id']}]", first, one["id"])
        )  # fmt: skip
    table(headers, rows)
