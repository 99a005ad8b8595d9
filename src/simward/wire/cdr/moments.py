"""When something happened, out of a column of an operator's texts: ISO 8601, epochs, or a form; local times to UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from simward.wire import text

ISO, EPOCH_S, EPOCH_MS, EPOCH_US = "iso", "epoch-s", "epoch-ms", "epoch-us"
EPOCHS = {EPOCH_S: 1_000_000, EPOCH_MS: 1000, EPOCH_US: 1}
MICROS = 1_000_000
FAR_US = 1 << 62
"""The year 148108: what is later is in the future all the same."""
QUARTER_US = 900 * MICROS
LOCAL_MOST_US = 253_370_764_800 * MICROS  # the year 9999
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


def moments(values: Any, form: str, zone: ZoneInfo | None) -> np.ndarray:
    """us UTC of each of an Arrow column of texts, 0 where there is none.

    `form` is one of the above or of strptime. Times that do not say their offset are of `zone` (None = UTC).
    """
    if form in EPOCHS:
        return _epochs(values, EPOCHS[form])
    if form == ISO:
        return _iso(values, zone)
    if "%f" in form:  # which Arrow does not read
        made = np.array([_by_form(one, form, zone) for one in values.to_pylist()], np.int64)
        return made
    import pyarrow as pa  # whoever only reads a template, as each watch does, has no use of it
    import pyarrow.compute as pc

    read = pc.strptime(values, format=form, unit="s", error_is_null=True)
    made = np.asarray(pc.fill_null(pc.cast(read, pa.int64()), 0)) * MICROS
    return made if zone is None or "%z" in form else utc_of(made, zone)


def utc_of(local: np.ndarray, zone: ZoneInfo) -> np.ndarray:
    """us UTC of wall-clock times (us, as if they were UTC); what is not after 1970 stays.

    Of an hour that comes twice it is the first; in one that is left out, clocks are taken for not put forward yet.
    """
    local = np.minimum(local, LOCAL_MOST_US)
    quarters, which = np.unique(local // QUARTER_US, return_inverse=True)  # no zone changes within a quarter
    wall = BEGIN.replace(tzinfo=None)
    offsets = [_offset_us(wall + timedelta(seconds=900 * int(one)), zone) if one > 0 else 0 for one in quarters]
    return local - np.array(offsets, np.int64)[which]


def _offset_us(local: datetime, zone: ZoneInfo) -> int:
    offset = local.replace(tzinfo=zone).utcoffset() or timedelta()
    return int(offset.total_seconds()) * MICROS


def _epochs(values: Any, unit_us: int) -> np.ndarray:
    offsets, octets = text.layout(values)
    made, odd = np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_)
    text.numbers(octets, offsets, made, odd)
    made = np.minimum(made, FAR_US // unit_us) * unit_us
    for row in np.flatnonzero(odd).tolist():
        made[row] = _epoch(values[row].as_py(), unit_us)
    return made


def _epoch(value: str, unit_us: int) -> int:
    """With a fraction; 0 where it is none."""
    try:
        return int(min(Decimal(value) * unit_us, Decimal(FAR_US)))
    except (InvalidOperation, ValueError, OverflowError):
        return 0


def _iso(values: Any, zone: ZoneInfo | None) -> np.ndarray:
    offsets, octets = text.layout(values)
    made, odd = np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_)
    text.times(octets, offsets, made, odd)
    if zone is not None:
        plain = np.flatnonzero((made > 0) & ~odd)
        says_utc = octets[offsets[plain + 1] - 1] == ord("Z")
        dated = octets[offsets[plain] + 4] == ord("-")  # else it is microseconds
        local = plain[dated & ~says_utc]
        made[local] = utc_of(made[local], zone)
    for row in np.flatnonzero(odd).tolist():
        made[row] = _moment(values[row].as_py(), datetime.fromisoformat, zone)
    return made


def _by_form(value: str, form: str, zone: ZoneInfo | None) -> int:
    return _moment(value, lambda said: datetime.strptime(said, form), zone)  # noqa: DTZ007 - _moment adds it


def _moment(value: str, read: Any, zone: ZoneInfo | None) -> int:
    """What is not plain (an offset, for one) in us UTC; 0 where it is no time."""
    try:
        moment = read(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone or UTC)
        return int((moment - BEGIN) / timedelta(microseconds=1))
    except (ValueError, OverflowError):
        return 0
