"""A unit of history: the folder that one sealed segment of the journal became, and what its files are called.

    00000000000000000001/           named by its first sequence
      unit.json                     what is in it: sequences, times, counts, digests, kernels, layouts, size and SHA-256
      rows.parquet                  one row a journal row: what it was, its digest, its notes, where its events are
      events-LAYOUT.parquet         one row an event, one column a field, in the order of the journal
      outputs-LAYOUT.parquet        one row an output, likewise
      subscriptions.parquet         who -> where, sorted: the index

A folder has this name only when everything in it was written, synced and read back.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from simward.engine.journal import Layout
from simward.engine.journal_files import sync_folder
from simward.errors import JournalError

FORMAT = 1
DESCRIPTION_NAME = "unit.json"
ROWS_NAME = "rows.parquet"
INDEX_NAME = "subscriptions.parquet"
_NAME = re.compile(r"\d{20}")
UNFINISHED, REMOVED = ".unfinished", ".removed"
"""What stands behind the name of a folder that is being written, or being removed."""


def history_folder(data_dir: Path) -> Path:
    """Where history is."""
    return data_dir / "history"


def events_name(layout: str) -> str:
    """The file of the events in one layout."""
    return f"events-{layout}.parquet"


def outputs_name(layout: str) -> str:
    """The file of the outputs in one layout."""
    return f"outputs-{layout}.parquet"


@dataclass(frozen=True)
class Unit:
    """What a unit says of itself, and where it is. Times are us UTC; digests are hexadecimal."""

    folder: Path
    first: int
    last: int
    at_first: int
    at_last: int
    rows: int
    events: int
    outputs: int
    previous: str
    """The digest that its first row chains to."""
    digest: str
    """The digest of its last row."""
    kernels: dict[str, str] = field(default_factory=dict)
    """Manifests as JSON, by kernel hash."""
    layouts: dict[str, str] = field(default_factory=dict)
    """Descriptions, by layout id."""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    """File name -> octets and sha256."""
    kinds: dict[str, int] = field(default_factory=dict)
    """How many events there are of each kind, by number."""

    @property
    def octets(self) -> int:
        """What its files take on the disk."""
        return sum(int(one["octets"]) for one in self.files.values())

    def layout(self, name: str) -> Layout:
        """A layout that its rows name."""
        return Layout.from_description(self.layouts[name])

    def layout_number(self, name: str) -> int:
        """How the index calls a layout."""
        return sorted(self.layouts).index(name)

    def has(self, name: str) -> bool:
        """Is there such a file?"""
        return name in self.files

    def path(self, name: str) -> Path:
        """Where a file of it is."""
        return self.folder / name

    def write_description(self) -> None:
        """Write unit.json, durably."""
        document = {key: value for key, value in asdict(self).items() if key != "folder"}
        path = self.folder / DESCRIPTION_NAME
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"format": FORMAT, **document}, file, separators=(",", ":"), sort_keys=True)
            file.flush()
            os.fsync(file.fileno())

    @staticmethod
    def read(folder: Path) -> Unit:
        """A unit by its folder; JournalError where it is not one."""
        path = folder / DESCRIPTION_NAME
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if document.pop("format") != FORMAT:
                raise JournalError(f"{path} has another format than {FORMAT}, which this version reads")
            return Unit(folder, **document)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise JournalError(f"{path} is damaged: {error}") from error
        except OSError as error:
            raise JournalError(f"{path} cannot be read: {error.strerror}") from error

    def damaged_file(self) -> str:
        """The name of the first file that is not as it was written; empty where all are."""
        for name, said in self.files.items():
            try:
                if file_said(self.path(name)) != said:
                    return name
            except OSError:
                return name
        return ""


def file_said(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"octets": os.fstat(file.fileno()).st_size, "sha256": digest}


def unit_folder(folder: Path, first: int) -> Path:
    """The folder of the unit whose first sequence is `first`."""
    return folder / f"{first:020d}"


def unit_numbers(folder: Path) -> list[int]:
    """The first sequence of each unit in the history, ascending."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(int(name) for name in names if _NAME.fullmatch(name))


def begin_unit(folder: Path, first: int) -> Path:
    """An empty folder for a unit that is to be written, under a name that no reader looks at."""
    if not folder.is_dir():
        folder.mkdir(parents=True, mode=0o700)
        sync_folder(folder.parent)
    unfinished = folder / f"{first:020d}{UNFINISHED}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    return unfinished


def install_unit(folder: Path, first: int) -> Path:
    """Give a unit that is whole its name, durably."""
    unfinished, path = folder / f"{first:020d}{UNFINISHED}", unit_folder(folder, first)
    sync_folder(unfinished)
    os.replace(unfinished, path)
    sync_folder(folder)
    return path


def remove_unit(folder: Path, first: int) -> None:
    """Remove a unit so that no reader ever sees half of one."""
    removed = folder / f"{first:020d}{REMOVED}"
    os.replace(unit_folder(folder, first), removed)
    sync_folder(folder)
    shutil.rmtree(removed, ignore_errors=True)


def tidy(folder: Path) -> None:
    """Remove what a process left behind that was killed while writing or removing."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name.endswith((UNFINISHED, REMOVED)):
                shutil.rmtree(path, ignore_errors=True)
