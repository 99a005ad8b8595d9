"""`python -m simward.control.planner`: what a proposal would change of what is in force, and the pieces for that."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from simward.control.children import folder_of, serve_once
from simward.engine.revision_files import write_revision
from simward.errors import UsageError
from simward.policy.inventory import COLUMNS
from simward.registry import revisions, uploads
from simward.registry.database import Registry, url_of
from simward.revising.planning import Uploaded, in_force, plan_texts, plan_upload
from simward.revising.telling import plan_told
from simward.settings import Settings


def work(asked: dict[str, Any]) -> dict[str, Any]:
    """Plan an `upload` (its id) or going back to a `revision` (its number); with `write`, write its pieces there.

    Nothing is written where nothing would change, or where it asks first and `confirmed` is not said.
    """
    settings = Settings.load(folder_of(asked))
    with closing(Registry.open(url_of(settings))) as registry, registry.reading() as connection:
        owned = uploads.owned_imsis(connection)
        if asked.get("upload"):
            uploaded = uploaded_of(connection, asked["upload"])
            made = plan_upload(settings, in_force(settings.data_dir), uploaded, owned)
        else:
            texts = revisions.texts_of(connection, revisions.find(connection, int(asked["revision"])))
            made = plan_texts(settings, in_force(settings.data_dir), texts)
    write = asked.get("write")
    told = plan_told(made)
    if not write or made.empty or (made.needs_confirmation and not write["confirmed"]):
        return {"plan": told, "written": False}
    tables, deltas = made.deltas()
    write_revision(
        Path(write["folder"]), [*([tables] if tables is not None else []), *deltas], actor=write["actor"],
        because=write["because"], upload=write.get("upload") or "",
    )  # fmt: skip
    return {"plan": told, "written": True}


def uploaded_of(connection: Any, id_: str) -> Uploaded:
    """An upload as it is kept. UsageError where it is gone by now."""
    row = uploads.find(connection, id_)
    if row is None:
        raise UsageError(f"the upload {id_} is not kept any more")
    lines = uploads.lines_of(connection, id_) if row.lines else []
    return Uploaded(row.texts, as_csv(lines), row.takes_over)


def as_csv(lines: Sequence[Mapping[str, str]]) -> bytes:
    """Lines of an inventory as a file; nothing where there is none."""
    if not lines:
        return b""
    names = [name for name in COLUMNS if any(name in one for one in lines)]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode()


if __name__ == "__main__":
    sys.exit(serve_once(work))
