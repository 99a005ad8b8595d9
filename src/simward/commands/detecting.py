"""`detectors`: what Simward can find, each with the page that its own file carries."""

from __future__ import annotations

from typing import Any

import click

from simward.commands.folder import Folder
from simward.commands.printing import json_line, on_terminal, table
from simward.errors import UsageError, nearest


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a detector.")
@click.pass_obj
def detectors(folder: Folder, name: str | None, as_json: bool) -> None:
    """List the detectors, or show the page of one.

    The page says what it sees, why it matters, what it misses, its likely false alarms and what to do. In a working
    folder it is shown too how often each has fired, and how often people judged that false (`simward incidents`).
    """
    from simward.detectors import installed

    known = {one.id: one for one in installed()}
    if name is not None and name not in known:
        raise UsageError(f"there is no detector {name!r}: {nearest(name, known)}")
    chosen = [known[name]] if name else list(known.values())
    judged = judged_in(folder)
    if as_json:
        for one in chosen:
            json_line(_told(one) | {"judged": judged.get(one.id, NEVER) if judged is not None else None})
    elif name:
        _page(known[name], judged)
    else:
        headers = ("detector", "runs", "scope", "classes", "what it sees")
        table(headers if judged is None else (*headers[:3], "fired", "judged false", *headers[3:]), [
            (one.id, one.detector.runs, one.detector.scope, *_counted(judged, one.id),
             ", ".join(one.classes), one.doc.splitlines()[0])
            for one in chosen
        ])  # fmt: skip


NEVER = {"fired": 0, "true-positive": 0, "benign": 0, "false-positive": 0}


def judged_in(folder: Folder) -> dict[str, dict[str, int]] | None:
    """By detector, and detector/class, how often it fired and how people judged it; None where there is no registry."""
    if not (folder.path / "simward.toml").is_file():
        return None
    from simward.commands.incidents import reading
    from simward.registry.incidents import judged

    with reading(folder) as connection:
        return None if connection is None else judged(connection)


def _counted(judged: dict[str, dict[str, int]] | None, name: str) -> tuple[int, ...]:
    if judged is None:
        return ()
    said = judged.get(name, NEVER)
    return said["fired"], said["false-positive"]


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


def _page(one: Any, judged: dict[str, dict[str, int]] | None) -> None:
    from simward.detectors.detector import SEVERITY_NAMES

    text = f"# {one.id}\n\n{one.doc.strip()}\n"
    if one.knobs:
        text += "\n**What it reads from policy.**\n\n"
        text += "".join(f"- `{knob.path or knob.name}`: {knob.doc}\n" for knob in one.knobs)
    text += "\n**Severities.** "
    text += ", ".join(f"`{name}` {SEVERITY_NAMES[one.detector.severity_of(name)]}" for name in one.classes) + "\n"
    if judged is not None:
        text += "\n**How it did here.**\n\n"
        for name in (one.id, *(f"{one.id}/{each}" for each in one.classes)):
            said = judged.get(name, NEVER)
            text += f"- `{name}` fired {said['fired']} times; judged true {said['true-positive']}, "
            text += f"benign {said['benign']}, false {said['false-positive']}\n"
    if not on_terminal():
        click.echo(text, nl=False)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
