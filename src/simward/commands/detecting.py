"""`detectors`: what Simward can find, each with the page that its own file carries."""

from __future__ import annotations

from typing import Any

import click

from simward.commands.printing import json_line, on_terminal, table
from simward.errors import UsageError, nearest


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a detector.")
def detectors(name: str | None, as_json: bool) -> None:
    """List the detectors, or show the page of one.

    The page says what it sees, why it matters, what it misses, its likely false alarms and what to do.
    """
    from simward.detectors import installed

    known = {one.id: one for one in installed()}
    if name is not None and name not in known:
        raise UsageError(f"there is no detector {name!r}: {nearest(name, known)}")
    chosen = [known[name]] if name else list(known.values())
    if as_json:
        for one in chosen:
            json_line(_told(one))
    elif name:
        _page(known[name])
    else:
        table(("detector", "runs", "scope", "classes", "what it sees"), [
            (one.id, one.detector.runs, one.detector.scope, ", ".join(one.classes), one.doc.splitlines()[0])
            for one in chosen
        ])  # fmt: skip


def _told(one: Any) -> dict[str, Any]:
    from simward.detectors.detector import SEVERITY_NAMES

    return {
        "id": one.id,
        "runs": one.detector.runs,
        "scope": one.detector.scope,
        "classes": {name: SEVERITY_NAMES[one.detector.severity_of(name)] for name in one.classes},
        "knobs": {knob.path or knob.name: knob.doc for knob in one.knobs},
        "doc": one.doc,
    }


def _page(one: Any) -> None:
    from simward.detectors.detector import SEVERITY_NAMES

    text = f"# {one.id}\n\n{one.doc.strip()}\n"
    if one.knobs:
        text += "\n**What it reads from policy.**\n\n"
        text += "".join(f"- `{knob.path or knob.name}`: {knob.doc}\n" for knob in one.knobs)
    text += "\n**Severities.** "
    text += ", ".join(f"`{name}` {SEVERITY_NAMES[one.detector.severity_of(name)]}" for name in one.classes) + "\n"
    if not on_terminal():
        click.echo(text, nl=False)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
