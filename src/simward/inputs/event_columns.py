"""The columns of a file of events: how each is written, and a table of them as EVENT rows without a loop over rows.

The names are those of `simward events --json`, and of fields of EVENT that it does not show. A field that is new in the
layout is a column at once: a number as a number, octets as hexadecimal.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simward import identity
from simward.engine import events as ev
from simward.engine.phrases import TERMINATE_CAUSES
from simward.engine.texts import TEXT_OCTETS_MAX, Texts
from simward.errors import IdentityError, nearest
from simward.wire import text

FLAG_NAMES = {
    "imei-unreadable": ev.FLAG_IMEI_UNREADABLE, "location-unreadable": ev.FLAG_LOCATION_UNREADABLE,
    "session-id-cut": ev.FLAG_SESSION_ID_CUT, "event-timestamp": ev.FLAG_TIMESTAMP,
    "prefix-unreadable": ev.FLAG_PREFIX_UNREADABLE,
}  # fmt: skip
KIND_NUMBERS = {name: number for number, name in ev.KIND_NAMES.items()}
CAUSE_NUMBERS = {name: number for number, name in TERMINATE_CAUSES.items()}
PDP_NUMBERS = {name: number for number, name in enumerate(ev.PDP_NAMES) if name}
RESULT_NUMBERS = {name: number for number, name in enumerate(ev.EFFECT_RESULT_NAMES) if name}
CREDENTIALS_NUMBERS = {name: number for number, name in enumerate(ev.CREDENTIALS_NAMES) if name}
WHOLE_MOST = (1 << 63) - 1
"""The largest number that a field may hold."""
TIMES_BELOW = 10**18
REMEMBERED_MAX = 200_000
"""How many different values of one column are remembered from batch to batch."""


class WrongValue(ValueError):
    """One value of a column: the row in its table, the column, and what is wrong with it."""

    def __init__(self, row: int, column: str, value: object, what: str) -> None:
        super().__init__(what)
        self.row, self.column, self.value, self.what = row, column, value, what


@dataclass(frozen=True)
class Column:
    """One column: the field that it fills, how it is written (for the documentation), and what reads its values."""

    field: str
    form: str
    read: Callable[[str], int]
    """One value as written, to what the field holds; raises ValueError with what would be right."""
    fast: str = ""
    """The compiled reader, by name."""
    limits: tuple[int, int] = (0, 0)


def _digits(most: int, least: int = 1) -> tuple[int, int]:
    return least, most


def _number_of(kind: Any) -> Callable[[str], int]:
    """What reads an identity as people type it."""
    return lambda value: int(kind.parse(value).number)


def _user(value: str) -> int:
    digits = value.partition("@")[0]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise ValueError("up to 15 digits")
    return int("1" + digits)


def _address(value: str) -> int:
    try:
        return int(ipaddress.IPv4Address(value.strip()))
    except ValueError:
        raise ValueError("an IPv4 address like 10.64.0.7") from None


def _time(value: str) -> int:
    from datetime import UTC, datetime

    try:
        number = float(value)
    except ValueError:
        try:
            moment = datetime.fromisoformat(value.strip().replace(" UTC", "Z"))
        except ValueError:
            raise ValueError("a time like 2026-11-23T14:05:00Z, or microseconds or seconds since 1970") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1_000_000)
    if not 10**8 <= number < TIMES_BELOW:
        raise ValueError("a time like 2026-11-23T14:05:00Z, or microseconds or seconds since 1970")
    scale = 1 if number >= 10**14 else 1000 if number >= 10**11 else 1_000_000
    return int(value) * scale if value.isdigit() else round(number * scale)


def _one_of(known: dict[str, int], what: str) -> Callable[[str], int]:
    def read(value: str) -> int:
        if value in known:
            return known[value]
        if value.isascii() and value.isdigit() and int(value) <= 255:
            return int(value)
        raise ValueError(f"no {what} is called {value!r}: {nearest(value, known)}")

    return read


def _flags(value: str) -> int:
    total = 0
    for name in value.replace(",", " ").replace("|", " ").split():
        total |= int(name) if name.isdigit() else _one_of(FLAG_NAMES, "flag")(name)
    return total


def _integer(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError("a whole number") from None


def _hash(value: str) -> int:
    try:
        number = int(value, 16)
    except ValueError:
        number = -1
    if not 0 <= number <= WHOLE_MOST:
        raise ValueError("at most 16 hexadecimal digits, the first below 8")
    return number


def _unread(value: str) -> int:
    raise NotImplementedError  # what is no single number is read by Table


def _prefix(value: str) -> tuple[int, int, int]:
    """Upper half, lower half and length of an IPv6 prefix; 128 for an address."""
    try:
        network = ipaddress.IPv6Network(value.strip(), strict=False)
    except ValueError:
        raise ValueError("an IPv6 prefix like 2001:db8:1::/64") from None
    whole = int(network.network_address)
    high, low = whole >> 64, whole & (1 << 64) - 1
    return high - (1 << 64) if high >> 63 else high, low - (1 << 64) if low >> 63 else low, network.prefixlen


COLUMNS: dict[str, Column] = {
    "received_at": Column("received_at", "time; orders the events; `happened_at` where it is missing", _time, "times"),
    "happened_at": Column("happened_at", "time; `received_at` where it is missing", _time, "times"),
    "kind": Column("kind", "one of the kinds below, or its number; needed", _one_of(KIND_NUMBERS, "kind")),
    "imsi": Column("imsi", "14 or 15 digits", _number_of(identity.Imsi), "digits", _digits(15, 14)),
    "user": Column("user", "digits of User-Name", _user, "digits", _digits(15)),
    "msisdn": Column("msisdn", "digits, with or without `+`", _number_of(identity.Msisdn), "digits", _digits(15, 5)),
    "iccid": Column("subject", "of a command: 18 to 20 digits that begin with 89", _number_of(identity.Iccid)),
    "imei": Column("imei", "14 to 16 digits; of 16 the last two are `software`", _number_of(identity.Imei), "imeis"),
    "plmn": Column("plmn", "MCC and MNC, 5 or 6 digits", _number_of(identity.Plmn)),
    "cell": Column("cell", "`ecgi:1234567`, `ncgi:...`, `cgi:4660-22136` (LAC-CI), `sai:`, `rai:`",
                   _number_of(identity.Cell)),
    "rat": Column("rat", "`nb-iot`, `lte-m`, `eutran`, `nr`, ...", identity.rat_number),
    "address": Column("address", "IPv4 address", _address, "addresses"),
    "prefix": Column("prefix_high", "IPv6 prefix or address: `2001:db8:1::/64`", _unread, "prefixes"),
    "delegated": Column("delegated_high", "IPv6 prefix", _unread, "prefixes"),
    "ipv6_address": Column("ipv6_high", "IPv6 address: Framed-IPv6-Address", _unread, "prefixes"),
    "pdp_type": Column("pdp_type", "`ipv4`, `ipv6`, `ipv4v6`, ...", _one_of(PDP_NUMBERS, "type")),
    "multi_session_id": Column("multi_session", "16 hexadecimal digits", _hash),
    "apn": Column("apn", "text", _unread, "texts"),
    "gateway": Column("gateway", "text: NAS-Identifier", _unread, "texts"),
    "client": Column("client", "text: name of the RADIUS client", _unread, "texts"),
    "session_id": Column("session_id", f"text of at most {ev.SESSION_ID_OCTETS} octets: Acct-Session-Id", _integer,
                         "octets"),
    "terminate_cause": Column("cause", "number or words (`user request`, `lost carrier`, ...)",
                              _one_of(CAUSE_NUMBERS, "cause")),
    "credentials": Column("credentials", "of an `access-request`: `right`, `wrong` or `missing`",
                          _one_of(CREDENTIALS_NUMBERS, "judgement")),
    "result": Column("cause", "of an `effect-result` or `change-result`: `ack`, `nak`, `silence` or `not-sent`",
                     _one_of(RESULT_NUMBERS, "result")),
    "error_cause": Column("argument", "of the same: number (RFC 5176 3.5)", _integer),
    "flags": Column("flags", "names as `events --json` gives them, divided by spaces", _flags),
}  # fmt: skip
"""Columns that are written as people write them. Every other field of EVENT is a column of plain numbers."""

NUMBERED = ("kind", "rat", "flags", "terminate_cause", "credentials", "result", "error_cause")
"""Columns with names for numbers: the number itself will do."""

IGNORED = ("id", "decision")
"""Accepted, so that what `events --json` writes can be read; sequences are given anew."""

NO_COLUMNS = ("spare", "class_token", "class_row", "class_check")
"""Fields that mean something beside the journal alone that they stand in."""

TIMES = ("received_at", "happened_at")
WHOLE_ADDRESS, ADDRESS_BITS = "ipv6_address", 128
WRITTEN_TOGETHER = ("session_id_octets", "prefix_low", "prefix_length", "delegated_length", "ipv6_low")
_TAKEN = {column.field for column in COLUMNS.values()} | {*WRITTEN_TOGETHER, *NO_COLUMNS}


def all_columns() -> dict[str, Column]:
    """Every column by name: those above, then the other fields of the layout as it is today."""
    found = dict(COLUMNS)
    for name in ev.EVENT.names or ():
        if name not in _TAKEN:
            kind = ev.EVENT.fields[name][0]  # type: ignore[index]
            if kind.subdtype is None and kind.kind in "iu":
                found[name] = Column(name, "whole number", _integer, "numbers")
            else:
                found[name] = Column(name, f"{kind.itemsize} octets in hexadecimal", _integer, "hexadecimal")
    return found


def is_by_value(column: Column) -> bool:
    """Is each different value of this column read once? Such columns have few."""
    return column.fast in ("", "texts")


class Table:
    """Turns tables with these columns into EVENT rows. Texts get their numbers in `texts`."""

    def __init__(self, names: list[str], texts: Texts, requests_from: int) -> None:
        self._columns = all_columns()
        self._names = [name for name in names if name not in IGNORED]
        self._texts = texts
        self._known: dict[str, dict[Any, int]] = {name: {} for name in self._names}
        self._request = requests_from
        self._has_ipv6 = any(name.startswith("ipv6") for name in self._names)

    def events(self, table: Any) -> np.ndarray:
        """EVENT rows of an Arrow table or batch; WrongValue for the first value that cannot be read."""
        made = ev.empty(table.num_rows)
        for name in self._names:
            values = table.column(name)
            values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
            if values.null_count != len(values):
                self._fill(made, name, values)
        self._complete(made, table)
        return made

    def _complete(self, made: np.ndarray, table: Any) -> None:
        """What is missing and follows from the rest."""
        for name, other in (TIMES, TIMES[::-1]):
            missing = made[name] == 0
            made[name][missing] = made[other][missing]
        for name, what in (("received_at", "no time"), ("kind", "no kind")):
            missing = np.flatnonzero(made[name] == 0)
            if len(missing):
                raise WrongValue(int(missing[0]), name, "", f"{what}: needed in every line")
        if not self._has_ipv6:
            return self._number_requests(made)
        alone = ((made["ipv6_high"] != 0) | (made["ipv6_low"] != 0)) & (made["prefix_length"] == 0)
        for half in ("high", "low"):  # as the receiver has it: an address that stands alone is the prefix too
            made[f"prefix_{half}"][alone] = made[f"ipv6_{half}"][alone]
        made["prefix_length"][alone] = ADDRESS_BITS
        self._number_requests(made)

    def _number_requests(self, made: np.ndarray) -> None:
        if "request" not in self._names:
            made["request"] = self._request + 1 + np.arange(len(made))
        self._request += len(made)

    def _fill(self, made: np.ndarray, name: str, values: Any) -> None:
        column = self._columns[name]
        if pa.types.is_dictionary(values.type):
            is_text = pa.types.is_string(values.type.value_type)
            if is_by_value(column) and is_text and len(values.dictionary) <= len(values):
                self._encoded(made, name, column, values)
                return
            values = values.dictionary_decode()
        if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
            values = pc.binary_join(_cast(values, pa.list_(pa.string()), name), " ")
        if pa.types.is_timestamp(values.type):
            values = pc.cast(pc.cast(values, pa.timestamp("us"), safe=False), pa.int64())
        if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
            if column.fast in ("numbers", "times") or name in NUMBERED:
                self._numbers(made, name, column, values)
                return
            values = _spoken(values, name)
        self._read(made, name, column, pc.fill_null(_cast(values, pa.large_string(), name), ""))

    def _numbers(self, made: np.ndarray, name: str, column: Column, values: Any) -> None:
        """A column that holds numbers already."""
        said = np.asarray(values.is_valid().to_numpy(zero_copy_only=False))
        numbers = np.asarray(pc.fill_null(values, 0).to_numpy(zero_copy_only=False))
        if numbers.dtype.kind == "f":
            _refuse(name, numbers, said & ~(np.abs(numbers) < 2.0**63), "a whole number")  # nor NaN, which is not <
        if column.fast == "times":
            _refuse(name, numbers, said & ((numbers < 0) | (numbers >= TIMES_BELOW)), "a time since 1970")
            seconds, millis = numbers < 10**11, numbers < 10**14
            numbers = np.where(seconds, numbers * 1_000_000, np.where(millis, numbers * 1000, numbers))
            said &= numbers != 0
        _put(made, name, column.field, numbers, said)

    def _read(self, made: np.ndarray, name: str, column: Column, values: Any) -> None:
        """A column of text."""
        if column.fast in ("digits", "imeis", "addresses", "times"):
            self._compiled(made, name, column, values)
        elif column.fast == "octets":
            offsets, octets = text.layout(values)
            odd = np.zeros(len(values), np.bool_)
            text.octets_of(octets, offsets, made["session_id"], made["session_id_octets"], odd)
            if odd.any():
                row = int(np.flatnonzero(odd)[0])
                raise WrongValue(row, name, values[row].as_py(), f"at most {ev.SESSION_ID_OCTETS} octets")
        elif column.fast == "prefixes":
            self._prefixes(made, name, values)
        elif column.fast == "hexadecimal":
            self._hexadecimal(made, name, column, values)
        else:
            self._by_value(made, name, column, values)

    def _compiled(self, made: np.ndarray, name: str, column: Column, values: Any) -> None:
        offsets, octets = text.layout(values)
        numbers, odd = np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_)
        if column.fast == "digits":
            text.digits(octets, offsets, *column.limits, numbers, odd)
        elif column.fast == "addresses":
            text.addresses(octets, offsets, numbers, odd)
        elif column.fast == "times":
            text.times(octets, offsets, numbers, odd)
        else:
            software = np.full(len(values), -1, np.int64)
            text.imeis(octets, offsets, numbers, software, odd)
            _put(made, name, "software", software, software >= 0)
        for row in np.flatnonzero(odd).tolist():
            numbers[row] = self._one(row, name, column, values[row].as_py())
        _put(made, name, column.field, numbers, numbers != 0)

    def _by_value(self, made: np.ndarray, name: str, column: Column, values: Any) -> None:
        """Each different value once."""
        self._encoded(made, name, column, pc.dictionary_encode(values, null_encoding="encode"))

    def _encoded(self, made: np.ndarray, name: str, column: Column, encoded: Any) -> None:
        """The same where different values are numbered already: a file's may be of rows that are read later."""
        known = self._known[name]
        if len(known) > REMEMBERED_MAX:
            known.clear()
        values = [*encoded.dictionary.to_pylist(), None]
        at = np.asarray(pc.fill_null(encoded.indices, len(values) - 1).to_numpy(zero_copy_only=False))
        numbers = np.zeros(len(values), np.int64)
        said = np.zeros(len(values), np.bool_)
        said[at] = True
        for place in np.flatnonzero(said).tolist():
            value = values[place]
            if not value:
                said[place] = False
                continue
            if value not in known:
                known[value] = self._number(name, column, value, encoded, place)
            numbers[place] = known[value]
        _put(made, name, column.field, numbers[at], said[at])

    def _number(self, name: str, column: Column, value: str, encoded: Any, place: int) -> int:
        if column.fast == "texts":
            return self._intern(name, value)
        row = pc.index(encoded.indices, pa.scalar(place, encoded.indices.type)).as_py()
        return self._one(row, name, column, value)

    def _intern(self, name: str, value: str) -> int:
        if name == "apn":
            value = value.strip().lower().partition(".mnc")[0]  # TS 23.003 9.1.2: the operator identifier
        return self._texts.intern(value.encode()[:TEXT_OCTETS_MAX])

    def _prefixes(self, made: np.ndarray, name: str, values: Any) -> None:
        """A prefix is three fields (two where it is delegated: at most 64 bits of those count), an address is two."""
        for row, value in enumerate(values.to_pylist()):
            if not value:
                continue
            try:
                high, low, length = _prefix(value)
                if name == WHOLE_ADDRESS and length < ADDRESS_BITS:
                    raise ValueError("an IPv6 address like 2001:db8:1::7")
            except ValueError as error:
                raise WrongValue(row, name, value, str(error)) from None
            if name == WHOLE_ADDRESS:
                made["ipv6_high"][row], made["ipv6_low"][row] = high, low
                continue
            made[f"{name}_high"][row], made[f"{name}_length"][row] = high, length
            if name == "prefix":
                made["prefix_low"][row] = low

    def _hexadecimal(self, made: np.ndarray, name: str, column: Column, values: Any) -> None:
        kind = ev.EVENT.fields[column.field][0]  # type: ignore[index]
        field = np.ascontiguousarray(made[column.field]).view(np.uint8).reshape(len(made), -1)
        for row, value in enumerate(values.to_pylist()):
            if value:
                try:
                    octets = bytes.fromhex(value)
                except ValueError:
                    octets = b""
                if not 0 < len(octets) <= kind.itemsize:
                    raise WrongValue(row, name, value, f"at most {kind.itemsize} octets in hexadecimal")
                field[row, : len(octets)] = np.frombuffer(octets, np.uint8)
        made[column.field] = field.view(kind.base).reshape(made[column.field].shape)

    def _one(self, row: int, name: str, column: Column, value: str) -> int:
        """A value that is not written plainly, or is wrong."""
        try:
            number = column.read(value)
        except (IdentityError, ValueError, OverflowError) as error:
            raise WrongValue(row, name, value, str(error)) from None
        if not -WHOLE_MOST - 1 <= number <= WHOLE_MOST:
            raise WrongValue(row, name, value, f"a number of at most {WHOLE_MOST}")
        return number


def _cast(values: Any, kind: Any, name: str) -> Any:
    """A column as another type; WrongValue where its values have no such form (objects, lists in lists)."""
    try:
        return pc.cast(values, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        row = int(np.flatnonzero(np.asarray(values.is_valid().to_numpy(zero_copy_only=False)))[0])
        raise WrongValue(row, name, str(values.type), "one text or number") from None


def _refuse(name: str, numbers: np.ndarray, wrong: np.ndarray, what: str) -> None:
    """WrongValue for the first number that is wrong."""
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise WrongValue(row, name, numbers[row].item(), what)


def _spoken(values: Any, name: str) -> Any:
    """Numbers as text, for columns where that says the same; not for identities, whose zeros in front count."""
    valid = np.flatnonzero(np.asarray(values.is_valid().to_numpy(zero_copy_only=False)))
    what = "text in quotes: as a number it has lost the zeros in front"
    raise WrongValue(int(valid[0]), name, values[int(valid[0])].as_py(), what)


def _put(made: np.ndarray, name: str, field: str, numbers: np.ndarray, said: np.ndarray) -> None:
    """Write what was said into a field; WrongValue where it does not fit."""
    if numbers.dtype != made[field].dtype:
        limits = np.iinfo(made[field].dtype)
        wrong = said & ((numbers < limits.min) | (numbers > limits.max))
        _refuse(name, numbers, wrong, f"a number from {limits.min} to {limits.max}")
    if said.all():
        made[field] = numbers
    else:
        made[field][said] = numbers[said]
