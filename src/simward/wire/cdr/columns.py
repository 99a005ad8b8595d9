"""A table of an operator's texts as RECORD rows, and what is wrong with those that tell nothing to be relied on."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simward.engine.call_records import DATA, INTERNATIONAL, RECORD
from simward.wire import text
from simward.wire.cdr.amounts import amounts
from simward.wire.cdr.called import classes_of
from simward.wire.cdr.moments import moments
from simward.wire.cdr.template import IGNORED, JOINED, Template

(FINE, NO_ID, WRONG_KIND, WRONG_TIME, TOO_OLD, TOO_NEW, NOBODY, WRONG_NETWORK, WRONG_AMOUNT, WRONG_NUMBER) = range(10)
REASONS = (
    "", "no record id", "a kind that the template does not name", "no time that can be read",
    "older than records are kept for", "in the future", "neither IMSI nor MSISDN can be read",
    "a network that is no MCC and MNC", "a duration or number of octets that is none", "a called number that is none",
)  # fmt: skip
AMOUNT_MOST = {"duration_s": (1 << 31) - 1, "uplink_octets": (1 << 48) - 1, "downlink_octets": (1 << 48) - 1}
UNKNOWN_KIND = -1
BETWEEN_DIGITS = r"[ \-./()]"
"""What people put between the digits of a telephone number, or of a network's code."""


class Columns:
    """Reads tables of one template. `oldest` and `newest` (us UTC) are the times between which a record may be."""

    def __init__(self, template: Template, oldest: int, newest: int) -> None:
        self._template, self._oldest, self._newest = template, oldest, newest
        self._key = hashlib.blake2b(template.name.encode(), digest_size=16).digest()
        prefixes = template.destinations or (("0", INTERNATIONAL),)
        self._prefixes = np.array([int(digits) for digits, _ in prefixes], np.int64)
        self._sizes = np.array([len(digits) for digits, _ in prefixes], np.int64)
        self._classes = np.array([one for _, one in prefixes], np.int64)

    def records(self, table: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """RECORD rows of a table of texts, whether each is to be ignored, and what is odd about it (one of REASONS)."""
        count = table.num_rows
        made, odd = np.zeros(count, RECORD), np.zeros(count, np.uint8)
        read = _Table(self._template, table)
        made["record_id"] = ids = self._ids(read.values("record_id"))
        _mark(odd, ids == 0, NO_ID)
        kinds = read.kinds()
        made["kind"] = np.maximum(kinds, IGNORED)
        _mark(odd, kinds == UNKNOWN_KIND, WRONG_KIND)
        made["happened_at"] = times = read.times()
        _mark(odd, times <= 0, WRONG_TIME)
        _mark(odd, times < self._oldest, TOO_OLD)
        _mark(odd, times > self._newest, TOO_NEW)
        made["imsi"] = _digits(read.values("imsi"), 14, 15)
        made["msisdn"] = _digits(_international(read.values("msisdn")), 5, 15)
        _mark(odd, (made["imsi"] == 0) & (made["msisdn"] == 0), NOBODY)
        made["plmn"], unread = read.networks()
        _mark(odd, unread, WRONG_NETWORK)
        for name in AMOUNT_MOST:
            made[name], unread = read.amounts(name)
            _mark(odd, unread, WRONG_AMOUNT)
        made["destination"], unread = self._destinations(read, kinds)
        _mark(odd, unread, WRONG_NUMBER)
        return made, kinds == IGNORED, odd

    def _ids(self, values: Any) -> np.ndarray:
        """A hash of each id, 63 bits, 0 for none: of a hundred million, two are alike with odds of 1 : 1800."""
        found = [
            int.from_bytes(hashlib.blake2b(one.encode(), digest_size=8, key=self._key).digest(), "big") >> 1 or 1
            if one else 0
            for one in values.to_pylist()
        ]  # fmt: skip
        return np.array(found, np.int64)

    def _destinations(self, read: _Table, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        offsets, octets = text.layout(_plain(read.values("called_number")))
        found, odd = np.zeros(read.count, np.int64), np.zeros(read.count, np.bool_)
        classes_of(octets, offsets, self._prefixes, self._sizes, self._classes, INTERNATIONAL, found, odd)
        calls = kinds != DATA  # what is "called" by a data session may be an APN
        return np.where(calls, found, 0), odd & calls


class _Table:
    """The values of one table."""

    def __init__(self, template: Template, table: Any) -> None:
        self._template, self._table, self.count = template, table, table.num_rows

    def values(self, name: str) -> Any:
        """A column as text without spaces around; empty where the template has none or nothing is said."""
        theirs = self._template.columns.get(name, ())
        if not theirs:
            return pa.array([""] * self.count, pa.large_string())
        parts = [self._column(one) for one in theirs]
        if len(parts) == 1:
            return parts[0]
        nothing, between = (pa.scalar(one, pa.large_string()) for one in ("", JOINED[name]))
        joined = pc.binary_join_element_wise(*parts, between)
        if name == "record_id":  # none of whose parts is said is none
            return pc.if_else(pc.equal(pc.binary_join_element_wise(*parts, nothing), nothing), nothing, joined)
        return pc.utf8_trim_whitespace(joined)

    def _column(self, theirs: str) -> Any:
        values = self._table.column(theirs)
        values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        return pc.utf8_trim_whitespace(pc.fill_null(pc.cast(values, pa.large_string()), ""))

    def kinds(self) -> np.ndarray:
        """The kind of each, IGNORED or UNKNOWN_KIND."""
        encoded = pc.dictionary_encode(self.values("kind"))
        known = [self._template.kinds.get(one, UNKNOWN_KIND) for one in encoded.dictionary.to_pylist()]
        return np.array(known, np.int64)[np.asarray(encoded.indices)] if known else np.zeros(0, np.int64)

    def times(self) -> np.ndarray:
        """us UTC, 0 where there is none."""
        return moments(self.values("happened_at"), self._template.time, self._template.tz)

    def networks(self) -> tuple[np.ndarray, np.ndarray]:
        """MCC and MNC as prefix-1 decimals, 0 where nothing can be read; and where something was said that cannot."""
        known = dict(self._template.networks)
        encoded = pc.dictionary_encode(self.values("network"))
        digits = [known.get(one) or re.sub(BETWEEN_DIGITS, "", one) for one in encoded.dictionary.to_pylist()]
        read = [int("1" + one) if re.fullmatch("[0-9]{5,6}", one) else -1 if one else 0 for one in digits]
        found = np.array(read, np.int64)[np.asarray(encoded.indices)] if read else np.zeros(0, np.int64)
        return np.maximum(found, 0), found < 0

    def amounts(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Whole seconds or octets, -1 where nothing can be read; and where something was said that cannot."""
        said, unit = self._template, self._template.unit(name)
        return amounts(self.values(name), AMOUNT_MOST[name], unit, said.decimal, clock=name == "duration_s")


def _digits(values: Any, least: int, most: int) -> np.ndarray:
    """Prefix-1 decimals, 0 where nothing can be read."""
    offsets, octets = text.layout(values)
    made, odd = np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_)
    text.digits(octets, offsets, least, most, made, odd)
    return made


def _plain(values: Any) -> Any:
    """Telephone numbers without what stands between their digits."""
    if not pc.any(pc.match_substring_regex(values, BETWEEN_DIGITS)).as_py():
        return values
    return pc.replace_substring_regex(values, BETWEEN_DIGITS, "")


def _international(values: Any) -> Any:
    """Without 00 in front: no country's code begins with a zero (E.164)."""
    return pc.replace_substring_regex(_plain(values), "^00", "")


def _mark(odd: np.ndarray, where: np.ndarray, reason: int) -> None:
    """Note a reason; the first one stands."""
    odd[where & (odd == FINE)] = reason
