"""Snapshots: the state of a fold after one sequence, in one file that is either whole or not there."""

from __future__ import annotations

import numpy as np


def convert(array: np.ndarray, dtype: np.dtype, into: np.ndarray | None = None) -> np.ndarray:
    """Copy a structured array into another dtype by field name, through nested records.

    Fields that `dtype` does not have are dropped; fields that `array` does not have keep what `into` holds (0 where no
    `into` is given). A list field that changed its length keeps what fits.
    """
    target = np.zeros(array.shape, dtype) if into is None else into
    if array.dtype == target.dtype:
        target[...] = array
    elif array.dtype.names is not None and target.dtype.names is not None:
        for name in target.dtype.names:
            if name in array.dtype.names:
                _convert_field(array[name], target[name])
    else:
        target[...] = array.astype(target.dtype)
    return target


def _convert_field(source: np.ndarray, target: np.ndarray) -> None:
    """Copy one column (a view) into another (a view); inner shapes are cut or left at their defaults."""
    if source.ndim != target.ndim:
        raise ValueError(f"a field of {source.ndim} dimensions cannot become one of {target.ndim}")
    common = tuple(slice(0, min(pair)) for pair in zip(source.shape, target.shape, strict=True))
    convert(source[common], target.dtype, into=target[common])
