"""How templates put values into words: numbers, sizes, spans, and what states and severities are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from simward.control.console.detector_words import meaning
from simward.control.console.times import exact
from simward.engine.phrases import octets, span

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
THIN = "\u202f"
ABSENT = "\u2013"


def number(value: int | None) -> str:
    """With narrow spaces between thousands: the same in every language."""
    return ABSENT if value is None else f"{value:,}".replace(",", THIN)


def count(value: int, one: str, many: str = "") -> str:
    """`1 incident`, `2 incidents`."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def size(value: int | None) -> str:
    """Octets, in decimal units."""
    return ABSENT if value is None else octets(value)


def lasting(micros: int | None) -> str:
    """A span of time by its two largest units."""
    return ABSENT if micros is None else span(micros)


def shown(value: Any) -> str:
    """Any value of a finding's evidence."""
    if value is None or value == "":
        return ABSENT
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(one)}" for name, one in value.items() if one is not None)
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return exact(value)
    return number(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)


def words(name: str) -> str:
    """A name of ours (`into-quarantine`) as words."""
    return name.replace("-", " ").replace("_", " ")


def sentence(text: str) -> str:
    """With a capital, and a full stop where it has no end."""
    text = text.strip()
    return text if not text else text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


FILTERS: dict[str, Callable[..., str]] = {
    "number": number, "count": count, "size": size, "lasting": lasting, "shown": shown, "words": words,
    "sentence": sentence, "meaning": meaning,
}  # fmt: skip
