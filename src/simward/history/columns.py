"""Structured arrays as Parquet columns and back: one column a field, to the byte, without a loop over events.

A field that is one number is a column of that type. A field that is an array (Acct-Session-Id) is a column of as many
octets as it has. Nothing here knows the name of a field: layouts grow, and old ones stay readable.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

SEQUENCE = "sequence"
"""The column that events have besides their fields: the sequence number in the journal."""


def fields(dtype: np.dtype) -> list[tuple[str, np.dtype]]:
    """The fields of a layout with their types, in order."""
    return [(name, dtype.fields[name][0]) for name in dtype.names or ()] if dtype.fields else []


def is_number(kind: np.dtype) -> bool:
    """Is a field one number, rather than an array or octets?"""
    return kind.subdtype is None and kind.kind in "iuf"


def schema(dtype: np.dtype, extra: tuple[tuple[str, Any], ...] = ()) -> Any:
    """The Arrow schema of a layout, behind the `extra` columns."""
    columns = [(name, pa.from_numpy_dtype(kind) if is_number(kind) else pa.binary(kind.itemsize))
               for name, kind in fields(dtype)]  # fmt: skip
    return pa.schema([*extra, *columns])


def arrays(rows: np.ndarray) -> list[Any]:
    """The columns of an array, as Arrow arrays."""
    made = []
    for name, kind in fields(rows.dtype):
        column = np.ascontiguousarray(rows[name])
        if is_number(kind):
            made.append(pa.array(column))
        else:
            buffers = [None, pa.py_buffer(column)]
            made.append(pa.FixedSizeBinaryArray.from_buffers(pa.binary(kind.itemsize), len(rows), buffers))
    return made


def fill(rows: np.ndarray, table: Any) -> None:
    """Write the columns of a table with as many rows into `rows`, field by field; octets between fields stay."""
    for name, kind in fields(rows.dtype):
        at = 0
        for chunk in table.column(name).chunks:
            rows[name][at : at + len(chunk)] = _as_numpy(chunk, kind)
            at += len(chunk)


def _as_numpy(chunk: Any, kind: np.dtype) -> np.ndarray:
    if is_number(kind):
        return np.asarray(chunk.to_numpy())
    octets = np.frombuffer(chunk.buffers()[1], np.uint8, len(chunk) * kind.itemsize, chunk.offset * kind.itemsize)
    base, shape = kind.subdtype if kind.subdtype is not None else (kind, ())
    return octets.view(base).reshape((len(chunk), *shape))


def given_back(rows: np.ndarray) -> bool:
    """Do the fields hold all of an array? Octets between them must be zeros, as `restored` makes them."""
    again = np.zeros(len(rows), rows.dtype)
    for name, _ in fields(rows.dtype):
        again[name] = rows[name]
    return again.tobytes() == rows.tobytes()


def has_gaps(dtype: np.dtype) -> bool:
    """Are there octets between the fields of a layout?"""
    return sum(kind.itemsize for _, kind in fields(dtype)) != dtype.itemsize


def restored(dtype: np.dtype, table: Any) -> np.ndarray:
    """The array that a table was made from."""
    rows = np.zeros(table.num_rows, dtype) if has_gaps(dtype) else np.empty(table.num_rows, dtype)
    fill(rows, table)
    return rows
