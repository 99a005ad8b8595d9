"""What retention keeps of a history that it removes: the policy and inventory in force, the texts, and where it ends.

Events and outputs that are too old go, whole units at a time. Readers of what stays need to know what its numbers mean
and what was declared by then; that alone is carried forward, as journal rows, in one small file that is replaced whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from simward.engine.journal import INVENTORY, NO_DIGEST, POLICY, Row
from simward.engine.journal_files import sync_folder
from simward.engine.snapshot import convert
from simward.engine.tables import DECLARED, InventoryDelta, pack, unpack
from simward.errors import JournalError

NAME = "base.bin"


@dataclass(frozen=True)
class Base:
    """Everything up to the sequence `last` is gone, but for these. `digest` is that of the row of `last`."""

    last: int = 0
    at: int = 0
    digest: bytes = NO_DIGEST
    policy: Row | None = None
    inventory: Row | None = None
    texts: tuple[tuple[int, str], ...] = ()
    """Number and text (base64), as notes have them."""
    kernels: tuple[tuple[str, str], ...] = ()

    def rows(self) -> Iterator[Row]:
        """What is kept, as journal rows in their order, under the sequences that they had."""
        rows = sorted((one for one in (self.policy, self.inventory) if one is not None), key=lambda row: row.first)
        for number, row in enumerate(rows):
            yield replace(row, notes={"texts": [list(one) for one in self.texts]}) if number == 0 else row

    def and_then(self, rows: Iterable[Row], last: int, at: int, digest: bytes, kernels: dict[str, str]) -> Base:
        """The base after more of the history went: its rows in order, the last sequence, its time and digest."""
        policy, inventory, texts = self.policy, self.inventory, dict(self.texts)
        for row in rows:
            texts |= {int(number): text for number, text in row.notes.get("texts", ())}
            if row.kind == POLICY:
                policy = replace(row, outputs=b"", notes={})
            elif row.kind == INVENTORY:
                inventory = _merged(inventory, row)
        known = tuple({**dict(self.kernels), **kernels}.items())
        return Base(last, at, digest, policy, inventory, tuple(sorted(texts.items())), known)

    def write(self, folder: Path) -> None:
        """Replace what was kept before; durable on return."""
        rows = {"policy": self.policy, "inventory": self.inventory}
        arrays = {name: np.frombuffer(row.inputs, np.uint8) for name, row in rows.items() if row is not None}
        said = {
            name: [row.first, row.count, row.kind, row.at, row.kernel, row.layout]
            for name, row in rows.items() if row is not None
        }  # fmt: skip
        notes = {
            "format": 1, "last": self.last, "at": self.at, "digest": self.digest.hex(), "rows": said,
            "texts": list(self.texts), "kernels": list(self.kernels),
        }  # fmt: skip
        path = folder / f"{NAME}.new"
        with open(path, "wb") as file:
            file.write(pack(arrays, notes))
            file.flush()
            os.fsync(file.fileno())
        os.replace(path, folder / NAME)
        sync_folder(folder)

    @staticmethod
    def read(folder: Path) -> Base:
        """What is kept; an empty base where nothing was ever removed."""
        path = folder / NAME
        try:
            arrays, notes = unpack(path.read_bytes())
        except FileNotFoundError:
            return Base()
        except (ValueError, KeyError, EOFError) as error:
            raise JournalError(f"{path} is damaged: {error}") from error
        rows = {}
        for name, (first, count, kind, at, kernel, layout) in notes["rows"].items():
            rows[name] = Row(first, count, kind, at, kernel, arrays[name].tobytes(), b"", {}, layout)
        texts = tuple((int(number), str(text)) for number, text in notes["texts"])
        kernels = tuple((str(name), str(text)) for name, text in notes["kernels"])
        digest = bytes.fromhex(notes["digest"])
        return Base(notes["last"], notes["at"], digest, rows.get("policy"), rows.get("inventory"), texts, kernels)


def _merged(before: Row | None, row: Row) -> Row:
    """Two changes of the inventory as one: what is declared after both."""
    if before is None:
        return replace(row, outputs=b"", notes={})
    one, other = InventoryDelta.from_bytes(before.inputs), InventoryDelta.from_bytes(row.inputs)
    names = list(dict.fromkeys([*one.use_cases, *other.use_cases]))
    parts = []
    for delta in (one, other):
        numbers = np.array([names.index(name) for name in delta.use_cases] or [0], np.int32)
        upserts = convert(delta.upserts, DECLARED)
        upserts["use_case"] = numbers[upserts["use_case"]]
        parts.append(upserts)
    gone = np.union1d(parts[1]["imsi"], other.removals)
    declared = np.concatenate([parts[0][~np.isin(parts[0]["imsi"], gone)], parts[1]])
    delta = InventoryDelta(declared, np.zeros(0, np.int64), names)
    return replace(row, inputs=delta.to_bytes(), outputs=b"", notes={})
