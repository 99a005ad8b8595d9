"""Mirrors revisions: what was applied at once, by whom, why, and what it changed of the policy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from simward.engine.journal import POLICY, Row
from simward.engine.revision_files import APPLY
from simward.engine.tables import InventoryDelta, unpack
from simward.policy.compile import CANONICAL
from simward.policy.plan import object_changes
from simward.registry import revisions as kept
from simward.registry import uploads
from simward.revising.sides import texts_of

BELONGS_WITHIN_US = 600 * 1_000_000
"""A row that does not say which revision it is of belongs to the last one of its author within so long."""


class RevisionMirror:
    """`take` each row of policy or inventory once, in order; those that are mirrored already are left."""

    def __init__(self) -> None:
        self._documents: dict[str, Any] = {}

    def catch_up(self, connection: sa.Connection, revisions: Iterable[Row], to: int) -> None:
        """Take what was followed, up to the sequence `to`, before revisions were mirrored; know the policy in force."""
        done = kept.mirrored_up_to(connection)
        for row in revisions:
            if row.first > to:
                break
            if row.first > done:
                self.take(connection, row)
            elif row.kind == POLICY:
                self._documents = _documents(_sources(row))

    def take(self, connection: sa.Connection, row: Row) -> None:
        """Mirror one row, in the transaction that moves the cursor."""
        if row.first <= kept.mirrored_up_to(connection):
            return
        note: Mapping[str, Any] = (row.notes.get("commands") or {}).get(str(row.first)) or {}
        if note.get("do", APPLY) != APPLY:
            return  # a deployment: a few lines that /v1/deployments tells of
        last = kept.newest(connection)
        same = last is not None and _belongs(row, note, last)
        values = self._of_policy(connection, row) if row.kind == POLICY else _of_inventory(row)
        if note.get("upload"):
            uploads.applied(connection, str(note["upload"]), row.last)
        if same and last is not None:
            counted = {name: getattr(last, name) + values.pop(name, 0) for name in ("declared", "removed")}
            kept.change(connection, last.number, last_sequence=row.last, **counted, **values)
            return
        before = {} if last is None else last.texts
        kept.note(connection, {
            "name": str(note.get("revision") or ""), "first_sequence": row.first, "last_sequence": row.last,
            "at": row.at, "actor": str(note.get("actor") or ""), "because": str(note.get("because") or ""),
            "upload": note.get("upload"), "texts": before, "changes": [], "declared": 0, "removed": 0, **values,
        })  # fmt: skip

    def _of_policy(self, connection: sa.Connection, row: Row) -> dict[str, Any]:
        sources = _sources(row)
        before, self._documents = self._documents, _documents(sources)
        changes = [
            {"kind": kind, "name": name, "change": change,
             "keys": [{"key": key, "was": was, "now": now} for key, was, now in keys]}
            for kind, name, change, keys in object_changes(before, self._documents)
        ]  # fmt: skip
        return {"texts": kept.keep_policy(connection, texts_of(sources)), "changes": changes}


def _belongs(row: Row, note: Mapping[str, Any], last: Any) -> bool:
    """Is this row one more of the last revision?"""
    if note.get("revision") or last.name:
        return bool(note.get("revision") == last.name)
    same = (note.get("actor") or "", note.get("because") or "") == (last.actor, last.because)
    return same and row.kind != POLICY and row.at - last.at < BELONGS_WITHIN_US


def _of_inventory(row: Row) -> dict[str, Any]:
    delta = InventoryDelta.from_bytes(row.inputs)
    return {"declared": len(delta.upserts), "removed": len(delta.removals)}


def _sources(row: Row) -> Mapping[str, str]:
    _, notes = unpack(row.inputs)
    sources: Mapping[str, str] = notes.get("sources", {})
    return sources


def _documents(sources: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sources.get(CANONICAL, "{}"))
    return found
