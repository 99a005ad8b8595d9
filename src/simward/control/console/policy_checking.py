"""A policy text held against everything else in force, without keeping it: what an editor says while one types."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from simward.control.console.sources import Sources
from simward.control.revising import api_texts
from simward.policy.compile import BY_API
from simward.registry import revisions
from simward.revising.planning import Uploaded, problems_of
from simward.revising.sides import FILES, owner_of
from simward.revising.telling import problem_told

SHOWN_MOST = 50


def checked(sources: Sources, name: str, text: str) -> dict[str, list[dict[str, Any]]]:
    """What is wrong with a text under this name, and what is doubtful; lines are those of the text. For a thread."""

    def look(connection: sa.Connection) -> tuple[dict[str, str], dict[str, str]]:
        texts = revisions.texts_of(connection, revisions.newest(connection))
        return {one: said for one, said in texts.items() if owner_of(one) == FILES}, api_texts(connection)

    with sources.registry.reading() as connection:
        files, mine = look(connection)
    new = BY_API + file_name(name)
    taken = [name] if name in files else []
    found = problems_of(sources.settings, files, Uploaded({**mine, new: text}, b"", taken))
    return {
        "problems": [{**problem_told(one), "here": one.file == new} for one in found.problems[:SHOWN_MOST]],
        "warnings": [{**problem_told(one), "here": True} for one in found.warnings[:SHOWN_MOST] if one.file == new],
    }  # fmt: skip


def file_name(name: str) -> str:
    """The file's own name, without the folder of its side."""
    return name.rpartition("/")[2]
