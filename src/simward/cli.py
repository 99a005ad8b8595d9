"""The command line: `simward --dir DIR COMMAND`; a command is imported when it is asked for, so help comes at once."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from simward import __version__
from simward.errors import SimwardError, nearest

DONE, ANSWER_IS_NO, WRONG_USE, COULD_NOT = 0, 1, 2, 3

# name: (module under simward, attribute, one line of help). A test holds the lines to the commands' own.
SECTIONS: dict[str, dict[str, tuple[str, str, str]]] = {
    "Set up": {
        "init": ("commands.setup", "init", "Make a working folder with a generated secret."),
        "check": ("commands.setup", "check", "Say everything that is wrong in settings, policies and inventory."),
        "schema": ("commands.setup", "schema", "Print the JSON Schema of policy files."),
        "plan": ("commands.revising", "plan", "Show what `apply` would change, and for whom."),
        "apply": ("commands.revising", "apply", "Make the files the policy and inventory in force."),
    },
    "Run": {
        "token": ("commands.tokens", "token", "Make, list and revoke tokens of systems that use the HTTP interface."),
        "account": ("commands.accounts", "account", "Make, list and change accounts of people."),
        "client": ("commands.clients", "client", "Make, list and revoke clients that get access tokens (OAuth 2.0)."),
        "rotate-key": (
            "commands.keys", "rotate_key", "Seal the registry's secrets under a new key, and forget the old one.",
        ),
        "serve": ("commands.running", "serve", "Run gate, watch and control until told to stop."),
        "status": ("commands.running", "status", "Say how the gate is doing."),
        "ready": ("commands.running", "ready", "Say whether everything that Simward needs is there."),
        "metrics": ("commands.running", "metrics", "Print the counters of the running processes."),
        "convert": ("commands.converting", "convert", "Make events of records of sessions that another system wrote."),
        "cdr": ("commands.records", "cdr", "Import call detail records, list them, and add them up."),
        "lab": ("lab.cli", "lab", "Play gateways, fleets and attackers against a gate."),
    },
    "Look": {
        "rules": ("commands.rules", "rules", "List rules, and decide about what they have held."),
        "incidents": ("commands.incidents", "incidents", "List, tell and judge incidents."),
        "endpoints": ("commands.endpoints", "endpoints", "Say who is told, test it, and send dead letters again."),
        "findings": ("commands.findings", "findings", "List what is or was odd."),
        "events": ("commands.events", "events", "List what happened, as journalled."),
        "explain": ("commands.explaining", "explain", "Tell the story of one subscription, or of a finding."),
        "who": ("commands.explaining", "who", "Say who held an address at a time."),
        "history": ("commands.past", "history", "Ask what was kept: status, ready questions, SQL."),
        "replay": ("commands.replaying", "replay", "Say what would be found in captures, event files or the journal."),
        "backtest": (
            "commands.backtesting", "backtest", "Say whom proposed policies would have cut, on recorded history.",
        ),
        "verify": ("commands.verifying", "verify", "Prove that nothing was changed or removed in the journals."),
        "audit": ("commands.auditing", "audit", "Prove or export who did what, and why."),
        "usage": ("commands.using", "usage", "Say which services nobody uses, and what one subscription has used."),
        "detectors": ("commands.detecting", "detectors", "List the detectors, or show the page of one."),
    },
    "Act": {
        "lock": ("commands.acting", "lock", "Refuse a subscription whatever comes, until it is released."),
        "quarantine": ("commands.acting", "quarantine", "Confine a subscription until it is released."),
        "release": ("commands.acting", "release", "Take the lock off a subscription, or let it out of quarantine."),
        "undo": ("commands.undoing", "undo", "Release what a rule or an incident has locked or put into quarantine."),
        "disconnect": ("commands.acting", "disconnect", "End the live sessions of a subscription."),
        "deployments": (
            "commands.deployments", "deployments", "Say which device was installed with which SIM, and see it come.",
        ),
        "bind": ("commands.acting", "bind", "Bind a subscription to its device, or to the area of its use case."),
        "unbind": ("commands.acting", "unbind", "Free a subscription from its device, or from its area."),
        "work": ("commands.work", "work", "Plan changes of devices and places: work orders."),
        "benign": ("commands.benign", "benign", "Say that a finding of behaviour is right as it is."),
        "erase": ("commands.erasing", "erase", "Erase the identifiers of one subscription, wherever they are kept."),
        "pause": ("commands.acting", "pause", "Hold every response above notify."),
        "resume": ("commands.acting", "resume", "Let responses act again."),
    },
    "Shell": {
        "completion": ("commands.shell", "completion", "Print the completion script of a shell."),
    },
}
COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


class Catalogue(click.Group):
    """A group whose commands are known by name and imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"simward.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            raise click.UsageError(f"There is no command {args[0]!r}: {nearest(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, _, line) in section.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        items = [CompletionItem(name, help=entry[2]) for name, entry in COMMANDS.items() if name.startswith(incomplete)]
        return items + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors that Simward raises on purpose end in words and an exit code, not in a traceback."""
        try:
            return super().invoke(ctx)
        except SimwardError as error:
            _say(error)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            # The reader (head, less) has seen enough. Python would complain again while flushing at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            ctx.exit(DONE)
        except OSError as error:
            _say(error)
            ctx.exit(COULD_NOT)


def _say(error: Exception) -> None:
    text = str(error) or type(error).__name__
    lines = text.splitlines()
    click.echo(f"simward: {lines[0]}", err=True)
    for line in lines[1:]:
        click.echo(f"         {line}", err=True)


@click.group(cls=Catalogue, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--dir", "directory", type=click.Path(file_okay=False, path_type=Path), default=Path("."), envvar="SIMWARD_DIR",
    show_envvar=True, help="The folder with simward.toml, policies/, inventory.csv and data/.  [default: .]",
)  # fmt: skip
@click.option(
    "--server", metavar="URL", envvar="SIMWARD_SERVER", show_envvar=True,
    help="Ask this control plane instead of a folder: incidents, findings, commands, ... (not what works on files).",
)  # fmt: skip
@click.option(
    "--token-file", type=click.Path(dir_okay=False, path_type=Path),
    help="With --server: the file that holds the token.  [default: what SIMWARD_TOKEN holds]",
)  # fmt: skip
@click.option(
    "--ca-file", type=click.Path(dir_okay=False, path_type=Path), envvar="SIMWARD_CA_FILE", show_envvar=True,
    help="With --server: the certificates (PEM) that its own is held against.  [default: those of the system]",
)  # fmt: skip
@click.version_option(__version__, "-V", "--version", prog_name="simward", message="%(prog)s %(version)s")
@click.pass_context
def cli(
    ctx: click.Context, directory: Path, server: str | None, token_file: Path | None, ca_file: Path | None
) -> None:
    """Keep every SIM in its device, its place and its purpose.

    Exit codes: 0 done; 1 the answer is no (findings, drift, failed check); 2 wrong use or configuration; 3 could not
    (I/O, peer).
    """
    from simward.commands.folder import Folder

    ctx.obj = Folder(directory)
    if server is not None:
        from simward.commands.server import REMOTE, Server
        from simward.errors import UsageError

        if ctx.invoked_subcommand not in REMOTE:
            raise UsageError(
                f"`{ctx.invoked_subcommand}` works on the files and processes of this machine, not over --server "
                f"(and SIMWARD_SERVER).\nOver --server there are: {', '.join(REMOTE)}"
            )
        ctx.obj = Server.of(server, token_file, os.environ.get("SIMWARD_TOKEN", ""), ca_file)


def main() -> None:
    """The console script."""
    cli(prog_name="simward")


if __name__ == "__main__":
    main()
