"""Journals, history and snapshots written anew without one subscription, each with a chain of digests of its own.

Everything is built beside what is there, proved, and then put in its place under a plan that survives a crash: either
nothing has happened yet, or it can be finished.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from simward.engine import journal_files as files
from simward.engine.both_journals import findings_folder
from simward.engine.call_records import records_folder, rejects_folder
from simward.engine.journal import NO_DIGEST, Layout, Row, notes_bytes, row_digest
from simward.engine.journal_reader import names, opened, recorded
from simward.engine.snapshot import read_snapshot, snapshot_paths, write_snapshot
from simward.engine.start import ERASED_NAME, ERASING_NAME, snapshots_folder
from simward.erasure.identifiers import Eraser, Identifiers, leftovers
from simward.errors import JournalError
from simward.history.base import Base
from simward.history.unit import Unit, history_folder, unit_folder, unit_numbers

NEW, OLD = ".erasing", ".before-erasing"
STRANGERS, DEPARTED = "strangers", "departed"


@dataclass(frozen=True)
class Rewritten:
    """What came of it: rows of the journals that were changed, and the last sequence and digest of the gate's."""

    rows: int
    last: int
    digest: bytes


@dataclass(frozen=True)
class Plan:
    """What is built and not in place yet. `who` None: the registry no longer names it; `deed` is actor, why and at."""

    rewritten: Rewritten
    deed: dict[str, Any]
    who: Identifiers | None

    def write(self, data_dir: Path) -> None:
        """From now on the erasure happens: a crash delays it."""
        done = {"rows": self.rewritten.rows, "last": self.rewritten.last, "digest": self.rewritten.digest.hex()}
        said = {"deed": self.deed, **({"who": self.who.as_document()} if self.who is not None else {})}
        _write(data_dir / ERASING_NAME, {**done, **said})

    def without_whom(self) -> Plan:
        """The same once the registry is done."""
        return replace(self, who=None)

    @staticmethod
    def read(data_dir: Path) -> Plan | None:
        """The plan of an erasure that was cut short; None where there is none."""
        try:
            said = json.loads((data_dir / ERASING_NAME).read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        done = Rewritten(int(said["rows"]), int(said["last"]), bytes.fromhex(said["digest"]))
        return Plan(done, said["deed"], Identifiers.from_document(said["who"]) if "who" in said else None)


def build(data_dir: Path, who: Identifiers, deed: dict[str, Any]) -> Plan:
    """Write everything anew, beside what is there. Nothing runs in the folder, and a snapshot of its end is there."""
    eraser = Eraser(who)
    digest = _history(data_dir, eraser)
    last, digest = _journal(data_dir / "journal", eraser, digest)
    others = Eraser(who)
    for folder in (findings_folder(data_dir), records_folder(data_dir)):
        if folder.is_dir():
            _journal(folder, others, NO_DIGEST)
    _rejects(data_dir, who)
    _snapshot(data_dir, who, last)
    plan = Plan(Rewritten(eraser.rows + others.rows, last, digest), deed, who)
    plan.write(data_dir)
    return plan


def put_in_place(data_dir: Path) -> bool:
    """Put what was built in its place; True where there was something to finish. May be repeated after any crash."""
    plan = data_dir / ERASING_NAME
    if not plan.exists():
        for place in _places(data_dir):  # of an attempt that was never whole
            shutil.rmtree(_beside(place, NEW), ignore_errors=True)
        return False
    last = int(json.loads(plan.read_text())["last"])
    for place in _places(data_dir):
        new, old = _beside(place, NEW), _beside(place, OLD)
        if new.is_dir():
            if place.is_dir():
                os.replace(place, old)
            os.replace(new, place)
            files.sync_folder(place.parent)
        shutil.rmtree(old, ignore_errors=True)
    mark = data_dir / ERASED_NAME
    _write(mark, {"sequence": last})
    plan.unlink()
    files.sync_folder(data_dir)
    return True


def _places(data_dir: Path) -> list[Path]:
    return [
        data_dir / "journal", history_folder(data_dir), findings_folder(data_dir), snapshots_folder(data_dir),
        records_folder(data_dir), rejects_folder(data_dir),
    ]  # fmt: skip


def _beside(place: Path, tail: str) -> Path:
    return place.with_name(place.name + tail)


def _fresh(place: Path) -> Path:
    new = _beside(place, NEW)
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True, mode=0o700)
    return new


def _history(data_dir: Path, eraser: Eraser) -> bytes:
    """The units; gives the digest of the last row in them, from which the journal's chain goes on."""
    from simward.history.reading import unit_rows
    from simward.history.writing import Recorded, Segment, write_unit

    folder = history_folder(data_dir)
    base = Base.read(folder) if folder.is_dir() else Base()
    digest = base.digest
    if not folder.is_dir():
        return digest
    new = _fresh(folder)
    if base.last:
        inventory = eraser.inventory(base.inventory) if base.inventory is not None else None
        replace(base, inventory=inventory).write(new)
    for first in unit_numbers(folder):
        unit = Unit.read(unit_folder(folder, first))
        layouts = {name: unit.layout(name) for name in unit.layouts}
        chain = _Chain(digest)

        def rows(unit: Unit = unit, chain: _Chain = chain, layouts: dict[str, Layout] = layouts) -> Iterator[Recorded]:
            for row in unit_rows(unit):
                row = eraser.row(row, layouts[row.layout])
                yield Recorded(row, notes_bytes(row).decode() or None, chain.take(row))

        write_unit(new, Segment(first, digest, unit.kernels, layouts, rows()))
        digest = chain.digest
    files.sync_folder(new)
    return digest


def _journal(folder: Path, eraser: Eraser, digest: bytes) -> tuple[int, bytes]:
    """The segments; gives the last sequence and its digest."""
    new, last = _fresh(folder), 0
    chain = _Chain(digest)
    for first in files.segments(folder):
        copy = files.segment_path(new, first)
        with opened(folder, first) as connection:
            _, layouts = names(connection)
            connection.execute("VACUUM INTO ?", (str(copy),))
            last = _rewrite(copy, connection, layouts, eraser, chain) or last
    files.sync_folder(new)
    return last, chain.digest


def _rewrite(
    copy: Path, source: sqlite3.Connection, layouts: dict[str, Layout], eraser: Eraser, chain: _Chain
) -> int:
    last = 0
    with closing(sqlite3.connect(copy, isolation_level=None)) as writing:
        # What is overwritten is filled with zeros, and no log of it stays behind.
        for pragma in ("journal_mode=DELETE", "secure_delete=ON", "synchronous=FULL"):
            writing.execute(f"PRAGMA {pragma}").fetchall()
        writing.execute("BEGIN IMMEDIATE")
        writing.execute("UPDATE segment SET previous = ?", (chain.digest,))
        for row, notes, written in recorded(source):
            whole = replace(row, notes=json.loads(notes) if notes else {})
            erased = eraser.row(whole, layouts[row.layout])
            text = notes_bytes(erased).decode() if erased is not whole else notes
            digest, last = chain.take(erased, (text or "").encode()), erased.last
            if digest != written:
                writing.execute(
                    "UPDATE rows SET inputs = ?, outputs = ?, notes = ?, digest = ? WHERE first = ?",
                    (erased.inputs, erased.outputs, text or None, digest, erased.first),
                )
        writing.execute("COMMIT")
        writing.execute("VACUUM")
        writing.execute("PRAGMA journal_mode=WAL").fetchall()
    os.chmod(copy, 0o600)
    return last


def _rejects(data_dir: Path, who: Identifiers) -> None:
    """Lines of call detail records that could not be read, with the numbers struck out: of names of files too."""
    folder = rejects_folder(data_dir)
    if not folder.is_dir():
        return
    new = _fresh(folder)
    for path in sorted(folder.iterdir()):
        copy = new / who.without(path.name)
        with path.open(encoding="utf-8") as lines, copy.open("w", encoding="utf-8") as struck:
            struck.writelines(who.without(line) for line in lines)
            struck.flush()
            os.fsync(struck.fileno())
        os.chmod(copy, 0o600)
        shutil.copystat(path, copy)
    files.sync_folder(new)


def _snapshot(data_dir: Path, who: Identifiers, last: int) -> None:
    """The newest snapshot alone, with the subscription struck out of rows that are free again."""
    paths = snapshot_paths(snapshots_folder(data_dir))
    if not paths or int(paths[0].stem) != last:
        raise JournalError(f"there is no snapshot of sequence {last}, from which a start could go on")
    found = read_snapshot(paths[0])
    for name, done in ((STRANGERS, "used"), (DEPARTED, "settled")):
        table = found.arrays.get(name)
        if table is not None and len(table):
            over = np.isin(table["imsi"], list(who.imsis)) & (table[done] == (name == DEPARTED))
            for field in {"imsi", "iccid"} & set(table.dtype.names or ()):
                table[field][over] = 0
    left = leftovers(found.arrays, who.numbers)
    if left:
        raise JournalError(
            f"the state still names it ({', '.join(left)}): it asked within the last hour, or a Disconnect of it has "
            "no answer yet. Serve on for a while, and erase then"
        )
    write_snapshot(_fresh(snapshots_folder(data_dir)), found.sequence, found.kernel, found.arrays, found.notes)


class _Chain:
    """Digests of rows as they are now."""

    def __init__(self, digest: bytes) -> None:
        self.digest = digest

    def take(self, row: Row, notes: bytes | None = None) -> bytes:
        self.digest = row_digest(self.digest, row, notes_bytes(row) if notes is None else notes)
        return self.digest


def _write(path: Path, said: dict[str, object]) -> None:
    new = path.with_suffix(".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        json.dump(said, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    files.sync_folder(path.parent)
