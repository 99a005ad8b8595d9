"""`rotate-key`: another key for the secrets that the registry holds sealed."""

from __future__ import annotations

import click

from simward.commands import through_control
from simward.commands.acting import actor_option, because, me
from simward.commands.folder import ANSWER_WITHIN_S, Folder
from simward.commands.printing import json_line
from simward.commands.tokens import json_option


@click.command("rotate-key")
@because
@actor_option
@json_option
@click.pass_obj
def rotate_key(folder: Folder, because: str, actor: str | None, as_json: bool) -> None:
    """Seal the registry's secrets under a new key, and forget the old one.

    It goes through the control process, which must be running. Keep the new file of the key with your copies of the
    registry from now on, and the old one for as long as you keep older copies.
    """
    folder.must_be_one()
    asked = {"because": because, "actor": actor or me()}
    done = through_control.ask(
        folder.data, folder.called, "POST", "/v1/rotate-key", asked, within_s=ANSWER_WITHIN_S
    )
    if as_json:
        json_line(done)
    else:
        click.echo(f"A new key ({done['key']}) seals from now on; {done['sealed_again']} secrets are sealed again.")
