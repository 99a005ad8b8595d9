"""The index of a unit: for each number that stands for a subscription, where in the unit it is spoken of.

One sorted Parquet file of (key, file, position); its row groups say from which to which key they reach, so that a
look-up reads the footer and one small row group. A key is an IMSI, ICCID or MSISDN as the engine keeps it. Two kinds of
number may coincide: what is found is a little too much rather than too little, and whoever asks looks closely.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simward.engine.story import COMMANDS, FOR_ALL

FOR_ALL_KEY = -1
"""The key of what concerns everybody: gateway restarts, pauses."""

EVENTS_FILE, OUTPUTS_FILE = 0, 1
"""`file` is 2 * the number of the layout + one of these."""

GROUP_ROWS = 16_384
ENTRY = np.dtype([("key", "<i8"), ("file", "u1"), ("position", "<u4")])


def event_entries(events: np.ndarray, at: int) -> tuple[np.ndarray, np.ndarray]:
    """Keys and positions of events of which the first stands at `at`.

    By IMSI where it is given, else by what else was said (as explain looks for them); commands by their ICCID too.
    """
    position = np.arange(at, at + len(events), dtype=np.uint32)
    imsi, kind = column_of(events, "imsi"), column_of(events, "kind")
    parts = [_said(imsi, position)]
    for name in ("user", "msisdn"):
        parts.append(_said(np.where(imsi == 0, column_of(events, name), 0), position))
    parts.append(_said(np.where(np.isin(kind, COMMANDS), column_of(events, "subject"), 0), position))
    parts.append(_said(np.where(np.isin(kind, FOR_ALL), FOR_ALL_KEY, 0), position))
    parts.append(_said(np.where(imsi == 0, _decision_keys(column_of(events, "class_token")), 0), position))
    return _joined(parts)


def output_entries(outputs: np.ndarray, at: int) -> tuple[np.ndarray, np.ndarray]:
    """Keys and positions of outputs of which the first stands at `at`."""
    position = np.arange(at, at + len(outputs), dtype=np.uint32)
    return _joined([_said(column_of(outputs, name), position) for name in ("imsi", "iccid")])


def decision_keys(sequences: Iterable[int]) -> set[int]:
    """The keys of what names nobody but, by its Class, one of these decisions."""
    return {-2 - sequence for sequence in sequences}


def _decision_keys(tokens: np.ndarray) -> np.ndarray:
    return np.where(tokens != 0, -2 - tokens.astype(np.int64), 0)


def column_of(rows: np.ndarray, name: str) -> np.ndarray:
    """A field; zeros where an older layout does not have it."""
    return rows[name] if name in (rows.dtype.names or ()) else np.zeros(len(rows), np.int64)


def _said(keys: np.ndarray, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return keys[keys != 0].astype(np.int64), position[keys != 0]


def _joined(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([keys for keys, _ in parts]), np.concatenate([places for _, places in parts])


def write_index(path: Path, entries: list[tuple[int, np.ndarray, np.ndarray]]) -> int:
    """Write (file, keys, positions) sorted by all three; how many entries there are."""
    keys = np.concatenate([one for _, one, _ in entries] or [np.zeros(0, np.int64)])
    files = np.repeat(np.array([number for number, _, _ in entries], np.uint8), [len(one) for _, one, _ in entries])
    places = np.concatenate([one for _, _, one in entries] or [np.zeros(0, np.uint32)])
    order = np.lexsort((places, files, keys))
    columns = {"key": keys[order], "file": files[order], "position": places[order]}
    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    pq.write_table(
        table, path, row_group_size=GROUP_ROWS, compression="zstd", compression_level=1, use_dictionary=["file"],
        column_encoding={"key": "DELTA_BINARY_PACKED", "position": "PLAIN"},
    )
    return len(keys)


def find_entries(path: Path, keys: Iterable[int]) -> dict[int, np.ndarray]:
    """File -> ascending positions of everything under any of the keys. Reads only where those keys can be."""
    wanted = np.unique(np.fromiter(keys, np.int64))
    with pq.ParquetFile(path) as file:
        column = file.schema_arrow.get_field_index("key")
        groups = []
        for number in range(file.num_row_groups):
            said = file.metadata.row_group(number).column(column).statistics
            if said is None:
                continue  # a unit of revisions alone has an empty index
            if np.any((wanted >= said.min) & (wanted <= said.max)):
                groups.append(number)
        found = []
        for number in groups:  # one at a time: what is not wanted is let go of at once
            table = file.read_row_group(number, use_threads=False)
            mine = np.isin(table.column("key").to_numpy(), wanted)
            found.append((table.column("file").to_numpy()[mine], table.column("position").to_numpy()[mine]))
    if not found:
        return {}
    files, places = (np.concatenate(one) for one in zip(*found, strict=True))
    return {int(number): np.unique(places[files == number]) for number in np.unique(files)}
