"""Revisions as pieces in a folder: so they are handed to the gate, which applies a piece between two batches."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from simward.engine.tables import InventoryDelta, PolicyTables

CONTENTS = "revision.json"
APPLY = "apply"


def write_revision(
    folder: Path, pieces: Iterable[PolicyTables | InventoryDelta], *, actor: str = "", because: str = "",
    do: str = APPLY, command_id: str = "", upload: str = "",
) -> int:  # fmt: skip
    """Write pieces for `{"do": "apply", "revision": folder}`; returns how many. The list of them is written last.

    `do` and `command_id`: by which whoever follows the journal knows its own revision. `upload` names what the API
    declares from then on; empty: what it declares stays.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = []
    for number, piece in enumerate(pieces):
        kind = "policy" if isinstance(piece, PolicyTables) else "inventory"
        name = f"{number:06d}-{kind}.bin"
        (folder / name).write_bytes(piece.to_bytes())
        names.append(name)
    contents = {"pieces": names, "actor": actor, "because": because, "do": do, "id": command_id, "upload": upload}
    (folder / CONTENTS).write_text(json.dumps(contents))
    return len(names)
