"""`init`, `check` and `schema`: a working folder, and whether what stands in it is right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simward.commands.folder import Folder
from simward.commands.printing import json_line
from simward.errors import ConfigurationError, Problem, UsageError

if TYPE_CHECKING:
    from simward.settings import Settings


@click.command()
@click.pass_obj
def init(folder: Folder) -> None:
    """Make a working folder with a generated secret.

    Writes simward.toml, an example policy, an example inventory and the secret to share with the gateway. Nothing that
    is there is overwritten.
    """
    from simward.initial import write_initial

    for path in write_initial(folder.path):
        click.echo(f"wrote {path}")
    click.echo(f"\nNext: simward --dir {folder.path} check, then apply, then serve.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a problem.")
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Say everything that is wrong in settings, policies and inventory.

    Every problem is named at once, with file, line, key and what would be right; also what this version accepts and
    does not enforce yet. Nothing is changed. Exits 1 where there is an error; warnings alone exit 0.
    """
    folder: Folder = ctx.obj
    folder.must_be_one()
    problems, counted = _problems(folder)
    for problem in problems:
        if as_json:
            json_line(_told(problem))
        else:
            click.echo(str(problem), err=False)
    errors = sum(not problem.warning for problem in problems)
    if not as_json:
        warnings = len(problems) - errors
        said = f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"
        click.echo(f"{said}{': ' + counted if counted and not errors else ''}.")
    ctx.exit(1 if errors else 0)


def _of_cdr_folder(settings: Settings, path: Path, name: str) -> list[Problem]:
    """What is wrong with a folder that call detail records come to, and with its template."""
    from simward.wire.cdr.template import Template

    found: list[Problem] = []
    where = str(settings.dir / "simward.toml")
    try:
        _collect(found, lambda: Template.named(name, settings.dir))
    except UsageError as error:
        found.append(Problem(where, 1, "cdr.folders", str(error)))
    if not path.is_dir():
        found.append(Problem(where, 1, "cdr.folders", f"there is no folder {path}", "make it"))
    return found


def _problems(folder: Folder) -> tuple[list[Problem], str]:
    """Everything wrong in the three, and what there is where nothing is."""
    from simward.commands.revising import declared_over_the_api, progress
    from simward.policy.inventory import load_inventory, read_inventory
    from simward.policy.load import load_policies, readable_use_cases
    from simward.policy.wanted import policy_warnings, read_tables
    from simward.settings import Settings

    problems: list[Problem] = []
    settings = _collect(problems, lambda: Settings.load(folder.path))
    if settings is None:
        _collect(problems, lambda: load_policies(folder.policies))
        return problems, ""
    problems += settings.warnings
    for folder_path, name in settings.cdr_folders.items():
        problems += _of_cdr_folder(settings, folder_path, name)
    beside = declared_over_the_api(folder)
    read = _collect(problems, lambda: read_tables(settings, beside=beside))
    if read is None:
        # What is wrong with lines does not wait: use cases are held to the names that can be read all the same.
        with progress("Reading the inventory") as advance:
            names = readable_use_cases(settings.policies_dir) or None
            _collect(problems, lambda: load_inventory(settings.inventory_path, names, advance))
        return problems, ""
    policy, tables = read
    problems += policy_warnings(policy, tables)
    with progress("Reading the inventory") as advance:
        inventory = _collect(problems, lambda: read_inventory(settings.inventory_path, policy, advance))
    if inventory is None:
        return problems, ""
    problems += inventory.warnings
    use_cases = policy.of("use_case")
    return problems, f"{len(use_cases)} use cases, {len(inventory)} subscriptions, {len(settings.gateways)} gateways"


def _collect(problems: list[Problem], load: Callable[[], Any]) -> Any:
    """What `load` gives, or None with its problems added."""
    try:
        return load()
    except ConfigurationError as error:
        problems += error.problems
        return None


def _told(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file, "line": problem.line, "key": problem.where, "what": problem.what,
        "instead": problem.instead, "warning": problem.warning,
    }  # fmt: skip


@click.command()
def schema() -> None:
    """Print the JSON Schema of policy files.

    For editors (`# yaml-language-server: $schema=FILE`) and other tools.
    """
    from simward.policy.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
