"""Durations, sizes, rates, shares and distances as people write them: "24h", "2 MB/day", "0.5%", "30 km"."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

DURATION_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
DURATION_MAX_S = 10 * 366 * 86_400
"""Ten years: longer is a slip, and seconds stay far inside 32 bits."""

SIZE_UNITS = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3}
PERIODS = {"hour": 3600, "day": 86_400, "week": 7 * 86_400, "month": 30 * 86_400}
DISTANCE_UNITS = {"m": 1, "km": 1000}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS_A_DAY = 24

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z%]*)", re.ASCII)


class QuantityError(ValueError):
    """Text that is not the quantity it should be; `instead` says what would be right."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(what)
        self.what = what
        self.instead = instead


class Rate(NamedTuple):
    """So many octets (or messages, or seconds) a period."""

    amount: int
    period_s: int


def _split(value: object, wanted: str, example: str) -> tuple[Decimal, str]:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise QuantityError(f"{value!r} is not a {wanted}", f"write it like {example}")
    match = _NUMBER.fullmatch(str(value).strip())
    if match is None:
        raise QuantityError(f"{str(value)!r} is not a {wanted}", f"write it like {example}")
    return Decimal(match[1]), match[2]


def _scaled(value: object, units: dict[str, int], wanted: str, example: str) -> Decimal:
    number, unit = _split(value, wanted, example)
    if not unit:
        raise QuantityError(f"{str(value)!r} has no unit", f"write it like {example}")
    if unit not in units:
        raise QuantityError(f"{unit!r} is not a unit of a {wanted}", "one of: " + ", ".join(units))
    return number * units[unit]


def duration_s(value: object) -> int:
    """Whole seconds, from 1 s to ten years."""
    seconds = _scaled(value, DURATION_UNITS, "duration", "24h, 15m or 1 s")
    if seconds != int(seconds) or seconds < 1:
        raise QuantityError(f"{str(value)!r} is not a whole number of seconds", "durations start at 1 s")
    if seconds > DURATION_MAX_S:
        raise QuantityError(f"{str(value)!r} is longer than ten years", "write it like 24h, 15m or 1 s")
    return int(seconds)


def duration_text(seconds: int) -> str:
    """The usual spelling of a duration: "49h", "90m", "7d"; reads back the same."""
    if seconds % 86_400 == 0 and seconds > 3 * 86_400:
        return f"{seconds // 86_400}d"
    for unit in ("h", "m"):
        if seconds and seconds % DURATION_UNITS[unit] == 0:
            return f"{seconds // DURATION_UNITS[unit]}{unit}"
    return f"{seconds}s"


def size_octets(value: object) -> int:
    """Octets; kB, MB and GB are powers of a thousand."""
    octets = _scaled(value, SIZE_UNITS, "size", "500 kB or 2 MB")
    if octets != int(octets):
        raise QuantityError(f"{str(value)!r} is not a whole number of octets", "write it like 500 kB or 2 MB")
    return int(octets)


def size_text(octets: int) -> str:
    """The shortest spelling of a size: "2 MB"; reads back the same."""
    for unit in ("GB", "MB", "kB"):
        if octets and octets % SIZE_UNITS[unit] == 0:
            return f"{octets // SIZE_UNITS[unit]} {unit}"
    return f"{octets} B"


def rate_text(amount: str, period_s: int) -> str:
    """A rate from its worded amount: "2 MB/day"."""
    return f"{amount}/{next(name for name, seconds in PERIODS.items() if seconds == period_s)}"


def share_text(millionths: int) -> str:
    """A share as a percentage: "0.5%"."""
    return f"{Decimal(millionths) / 10_000:f}%"


def _rate(value: object, example: str) -> tuple[str, int]:
    amount, slash, period = str(value).partition("/")
    period = period.strip()
    if not slash:
        raise QuantityError(f"{str(value)!r} does not say per what", f"write it like {example}")
    if period not in PERIODS:
        raise QuantityError(f"{period!r} is not a period", "one of: " + ", ".join(PERIODS))
    return amount.strip(), PERIODS[period]


def size_rate(value: object) -> Rate:
    """Octets a period: "2 MB/day"."""
    amount, period_s = _rate(value, "2 MB/day")
    return Rate(size_octets(amount), period_s)


def count_rate(value: object) -> Rate:
    """Times a period: "10/day"."""
    amount, period_s = _rate(value, "10/day")
    if not re.fullmatch(r"\d+", amount, re.ASCII):
        raise QuantityError(f"{amount!r} is not a whole number", "write it like 10/day")
    return Rate(int(amount), period_s)


def time_rate(value: object) -> Rate:
    """Seconds a period: "10m/day"."""
    amount, period_s = _rate(value, "10m/day")
    return Rate(duration_s(amount), period_s)


def share_ppm(value: object) -> int:
    """A percentage as millionths: "0.5%" is 5000."""
    number, unit = _split(value, "percentage", "0.5%")
    if unit != "%":
        raise QuantityError(f"{str(value)!r} has no percent sign", "write it like 0.5%")
    millionths = number * 10_000
    if millionths != int(millionths) or not 0 <= millionths <= 1_000_000:
        raise QuantityError(f"{str(value)!r} is not a share", "0% to 100%, at most four decimals")
    return int(millionths)


def distance_m(value: object) -> int:
    """Whole metres."""
    metres = _scaled(value, DISTANCE_UNITS, "distance", "30 km or 500 m")
    if metres != int(metres) or metres < 1:
        raise QuantityError(f"{str(value)!r} is not a whole number of metres", "distances start at 1 m")
    return int(metres)


def distance_text(metres: int) -> str:
    """"30 km", "500 m"."""
    return f"{metres // 1000} km" if metres % 1000 == 0 else f"{metres} m"


def hours_of(value: object) -> tuple[int, int]:
    """Two whole hours of the day: "06-22" or "06:00-22:00" is (6, 22), "22-06" is over midnight."""
    match = re.fullmatch(r"(\d{1,2})(?::00)?\s*-\s*(\d{1,2})(?::00)?", str(value).strip(), re.ASCII)
    if match is None:
        raise QuantityError(f"{str(value)!r} is not a range of whole hours", "write it like 06-22 (UTC)")
    begin, end = int(match[1]), int(match[2])
    if begin >= HOURS_A_DAY or end > HOURS_A_DAY or begin == end % HOURS_A_DAY:
        raise QuantityError(f"{str(value)!r} is not a range of hours of a day", "from 00-23 to 23-24, like 06-22")
    return begin, end % HOURS_A_DAY


def hours_text(begin: int, end: int) -> str:
    """The usual spelling of a range of hours: "06-22"."""
    return f"{begin:02d}-{end or HOURS_A_DAY:02d}"


def hours_bits(ranges: list[str]) -> int:
    """A bit for each hour of the day, from 0 on, that lies in one of the ranges."""
    bits = 0
    for begin, end in map(hours_of, ranges):
        for after in range((end - begin) % HOURS_A_DAY):
            bits |= 1 << (begin + after) % HOURS_A_DAY
    return bits


def weekdays_of(value: object) -> tuple[int, int]:
    """The first and the last of some days of the week, 0 = Monday: "mon-fri" is (0, 4), "sun" is (6, 6)."""
    first, dash, last = (part.strip() for part in str(value).lower().partition("-"))
    for name in (first, last) if dash else (first,):
        if name not in WEEKDAYS:
            raise QuantityError(f"{str(value)!r} is not a day of the week, or from one to another",
                                "write it like mon or mon-fri")  # fmt: skip
    return WEEKDAYS.index(first), WEEKDAYS.index(last if dash else first)


def weekdays_text(first: int, last: int) -> str:
    """The usual spelling of days of the week: "mon", "mon-fri"."""
    return WEEKDAYS[first] if first == last else f"{WEEKDAYS[first]}-{WEEKDAYS[last]}"


def weekdays_bits(ranges: list[str]) -> int:
    """A bit for each day of the week, from Monday on, that is in one of the ranges; "sat-mon" is over Sunday."""
    bits = 0
    for first, last in map(weekdays_of, ranges):
        for after in range((last - first) % len(WEEKDAYS) + 1):
            bits |= 1 << (first + after) % len(WEEKDAYS)
    return bits
