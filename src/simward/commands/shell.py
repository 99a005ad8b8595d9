"""`completion`: the script that makes a shell complete simward's commands and options."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_SIMWARD_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  simward completion bash > ~/.local/share/bash-completion/completions/simward
    zsh:   simward completion zsh > ~/.zfunc/_simward     (a folder of $fpath, before compinit)
    fish:  simward completion fish > ~/.config/fish/completions/simward.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    made = kind(ctx.find_root().command, {}, "simward", VARIABLE)
    # Not made.source(): for bash that runs bash to ask for its version, which the shell that will read this may not be.
    click.echo(made.source_template % made.source_vars())
