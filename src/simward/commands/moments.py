"""Times as people type them on a command line: ISO 8601, epoch seconds, or how long ago."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import click

MICROS = 1_000_000
_UNITS = {
    "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600,
    "d": 86_400, "day": 86_400, "w": 604_800, "week": 604_800,
}  # fmt: skip
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")
# From here on a bare number is milli- or microseconds: as seconds it would lie beyond the year 5000.
_MILLIS_FROM, _MICROS_FROM = 10**11, 10**14
# A bare number below this (1973 as seconds) is a slip: `--since 5` meant five of something.
_SECONDS_FROM = 10**8


def now_us() -> int:
    """The clock, in microseconds UTC."""
    return time.time_ns() // 1000


def parse_moment(text: str, now: int) -> int:
    """Microseconds UTC of a time as typed; ValueError with what would be right.

    Read are `2026-11-23T14:05:00Z`, with any offset, without one (UTC), with a space, the date alone; seconds (milli-,
    microseconds) since 1970; `2h`, `1d12h`, `15m ago`; `now`, `today`, `yesterday`.
    """
    word = text.strip().lower()
    if word == "now":
        return now
    if word in ("today", "yesterday"):
        midnight = datetime.fromtimestamp(now // MICROS, UTC).replace(hour=0, minute=0, second=0)
        return _micros(midnight - timedelta(days=word == "yesterday"))
    if re.fullmatch(r"\d+(\.\d+)?", word) and not re.fullmatch(r"\d{8}", word):
        number = float(word)
        if number < _SECONDS_FROM:
            raise ValueError(_not_a_time(text))
        scale = 1 if number >= _MICROS_FROM else 1000 if number >= _MILLIS_FROM else MICROS
        return int(word) * scale if word.isdigit() else round(number * scale)
    ago = _ago_us(word)
    if ago is not None:
        return now - ago
    try:
        moment = datetime.fromisoformat(text.strip().upper().replace(" UTC", "Z"))
    except ValueError:
        raise ValueError(_not_a_time(text)) from None
    return _micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def parse_coming(text: str, now: int) -> int:
    """As `parse_moment`, for times to come: `+8h`, `+1d12h` and `in 2h` are so long from now."""
    word = text.strip().lower()
    ahead = word.removeprefix("+").removeprefix("in ").strip()
    if ahead != word:
        span = _ago_us(ahead)
        if span is None:
            raise ValueError(f"{text!r} is not a time to come: write +8h, +1d12h or 2026-11-23T14:05:00Z")
        return now + span
    if _ago_us(word) is not None:
        ahead = word.removesuffix("ago").strip()
        raise ValueError(f"{text!r} would be in the past: write +{ahead} for so long from now")
    return parse_moment(text, now)


def _not_a_time(text: str) -> str:
    return (
        f"{text!r} is not a time: write 2026-11-23T14:05:00Z (UTC where no offset is given), "
        "how long ago (2h, 15m ago, 1d12h), or seconds since 1970"
    )


def _ago_us(word: str) -> int | None:
    span = word.removesuffix("ago").strip()
    parts = _PART.findall(span)
    if not parts or _PART.sub("", span).strip():
        return None
    total = 0.0
    for number, unit in parts:
        size = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))
        if size is None:
            return None
        total += float(number) * size
    return round(total * MICROS)


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


class Moment(click.ParamType[int]):
    """A click type for times."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Microseconds UTC."""
        if isinstance(value, int):
            return value
        try:
            return parse_moment(value, now_us())
        except (ValueError, OverflowError) as error:
            self.fail(str(error), param, ctx)


MOMENT = Moment()


class Coming(click.ParamType[int]):
    """A click type for times to come."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Microseconds UTC."""
        if isinstance(value, int):
            return value
        try:
            return parse_coming(value, now_us())
        except (ValueError, OverflowError) as error:
            self.fail(str(error), param, ctx)


COMING = Coming()
