"""Revisions on their way to the gate, as they are read: their pieces, and who applies them."""

from __future__ import annotations

import json
from pathlib import Path

from simward.engine.revision_files import APPLY, CONTENTS
from simward.errors import UsageError

KINDS = ("policy", "inventory")


def read_revision(folder: Path) -> tuple[list[Path], dict[str, str]]:
    """The pieces of a revision in their order, and who applies it; UsageError where the folder is none."""
    try:
        contents = json.loads((folder / CONTENTS).read_text())
        paths = [folder / Path(name).name for name in contents["pieces"]]
        note = note_of(folder.name, contents["actor"], contents["because"], contents.get("upload", ""))
        note["do"] = str(contents.get("do", APPLY))
        note |= {"id": str(contents["id"])} if contents.get("id") else {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder} is not a revision: {error}") from error
    missing = [path.name for path in paths if not path.is_file() or path.stem.partition("-")[2] not in KINDS]
    if missing:
        raise UsageError(f"{folder} is not a whole revision: {', '.join(missing)}")
    return paths, note


def note_of(name: str, actor: str, because: str, upload: str = "") -> dict[str, str]:
    """What is journalled with each piece: who applied it and why, and by which name its pieces belong together."""
    note = {"do": APPLY, "actor": str(actor), "because": str(because), "revision": name}
    return note | ({"upload": str(upload)} if upload else {})
