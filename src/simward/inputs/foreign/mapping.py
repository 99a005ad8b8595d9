"""How one kind of file is read: which of its columns is which of ours, and in what units, as a small YAML file says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from simward.errors import ConfigurationError, Problem, nearest
from simward.inputs.foreign.names import DURATIONS, OCTETS, USUAL

KEYS = ("columns", "header", "separator", "time", "zone", "origin", "octets", "duration", "absent", "doubt")
AUTO = "auto"
DAY_FIRST, MONTH_FIRST = "day-first", "month-first"
TIMES = (AUTO, "iso", DAY_FIRST, MONTH_FIRST, "epoch-s", "epoch-ms", "epoch-us")
ABSENT = ("", "-", "null", "none", "nan", "n/a", "na", "unknown", "undefined", "nil", "\\n", "?")
SEPARATORS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


@dataclass
class Mapping:
    """How one kind of file is read; what is not said is found out from the file."""

    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Ours (USUAL) -> theirs, several where they are one together (a date and a time of day); none: it has none."""
    header: bool | None = None
    """Does the first line name the columns? Where it does not, they are called 1, 2, 3, ..."""
    separator: str = ""
    time: str = AUTO
    """`auto` (ISO 8601; day and month as the file itself shows; a number since 1970 in s, ms or us, by its size; or
    digits like 20260105093000), one of TIMES, or a strptime format."""
    zone: str = "UTC"
    """Of times that do not say theirs: a name of the IANA database."""
    origin: datetime | None = None
    """What times in numbers are counted from, where it is not 1970."""
    octets: str = ""
    """Unit of all octets; empty: as the names of the columns say, else octets."""
    duration: str = ""
    """The same of durations; else seconds."""
    absent: tuple[str, ...] = ABSENT
    """Values that mean that nothing is known (lower case)."""

    doubt: bool = True
    """Leave out what cannot be right (doubts.py)?"""

    @staticmethod
    def read(path: Path) -> Mapping:
        """From a YAML file; ConfigurationError with all that is wrong in it."""
        return mapping_of(path.read_text(encoding="utf-8"), str(path))


def mapping_of(text: str, file: str) -> Mapping:
    """A mapping from its text; ConfigurationError with all that is wrong."""
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for one in re.findall(r"(?:^|[{,])\s*([\w-]+):", line):
            lines.setdefault(one, number)
    problems: list[Problem] = []

    def wrong(key: str, what: str, instead: str = "") -> None:
        problems.append(Problem(file, lines.get(key.rpartition(".")[2], 1), key, what, instead))

    try:
        said = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ConfigurationError([Problem(file, 1, "", f"no YAML: {str(error).splitlines()[0]}")]) from None
    if not isinstance(said, dict):
        raise ConfigurationError([Problem(file, 1, "", "should hold keys and values", "columns: {subscription: NAME}")])
    made = checked(said, wrong)
    if problems:
        raise ConfigurationError(problems)
    return made


def checked(said: dict[Any, Any], wrong: Callable[..., None]) -> Mapping:
    """A mapping from its keys and values; `wrong(key, what, instead)` is called for each mistake."""
    for key in said:
        if key not in KEYS:
            wrong(str(key), "unknown key", nearest(str(key), KEYS))
    made = Mapping(
        columns=_columns(said.get("columns", {}), wrong), time=str(said.get("time", AUTO)),
        zone=str(said.get("zone", "UTC")), octets=str(said.get("octets", "")), duration=str(said.get("duration", "")),
        separator=SEPARATORS.get(str(said.get("separator", "")), str(said.get("separator", ""))),
    )  # fmt: skip
    made.header = _choice(said, "header", "false where the first line is a record, else true", wrong)
    made.doubt = _choice(said, "doubt", "false to take what cannot be right as it is, else true", wrong) is not False
    made.origin = _origin(said.get("origin"), wrong)
    if made.time not in TIMES and "%" not in made.time:
        wrong("time", f"{made.time!r} is not a choice", f"{', '.join(TIMES)}, or a format like %Y%m%d%H%M%S")
    for key, value, choices in (("octets", made.octets, OCTETS), ("duration", made.duration, DURATIONS)):
        if value and value not in choices:
            wrong(key, f"{value!r} is not a choice", nearest(value, choices))
    if len(made.separator) > 1:
        wrong("separator", f"{made.separator!r} is not one character", f"like ; or one of {', '.join(SEPARATORS)}")
    try:
        if made.zone != "UTC":  # a machine may have no time zones
            ZoneInfo(made.zone)
    except (OSError, ValueError, KeyError):
        wrong("zone", f"{made.zone!r} is no time zone", "a name like Europe/Oslo")
    if "absent" in said:
        absent = said["absent"] if isinstance(said["absent"], list) else [said["absent"]]
        made.absent = tuple(sorted({"", *(str(one).strip().lower() for one in absent)}))
    return made


def _choice(said: dict[Any, Any], key: str, instead: str, wrong: Callable[..., None]) -> bool | None:
    value = said.get(key)
    if value is not None and not isinstance(value, bool):
        wrong(key, f"{value!r} is not a choice", instead)
        return None
    return value


def _origin(said: Any, wrong: Callable[..., None]) -> datetime | None:
    if said is None:
        return None
    try:
        found = datetime.fromisoformat(str(said))
    except ValueError:
        wrong("origin", f"{said!r} is no moment", "like 2026-01-05 or 2026-01-05T08:00:00+01:00")
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _columns(said: Any, wrong: Callable[..., None]) -> dict[str, tuple[str, ...]]:
    if not isinstance(said, dict):
        wrong("columns", "should hold keys and values")
        return {}
    found = {}
    for key, value in said.items():
        if key not in USUAL:
            wrong(f"columns.{key}", "unknown key", nearest(str(key), USUAL))
            continue
        several = value if isinstance(value, list) else [] if value is None else [value]
        found[str(key)] = tuple(str(one) for one in several)
    return found
