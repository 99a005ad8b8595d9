"""What an operator's call detail records look like: a small YAML file that maps its columns to ours, checked whole."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from simward.engine.call_records import DATA, DESTINATION_NAMES, SHORT_MESSAGE, VOICE
from simward.errors import ConfigurationError, Problem, UsageError, nearest

IGNORED = 0
KINDS = {"voice": VOICE, "sms": SHORT_MESSAGE, "data": DATA, "ignore": IGNORED}
NEEDED = ("record_id", "kind", "happened_at")
COLUMNS = (
    "record_id", "kind", "happened_at", "imsi", "msisdn", "network", "called_number", "duration_s", "uplink_octets",
    "downlink_octets",
)  # fmt: skip
KEYS = ("cdr", "format", "delimiter", "columns", "kinds", "time", "destinations")
CSV, JSONL = "csv", "jsonl"
ISO, EPOCH_S, EPOCH_MS = "iso", "epoch-s", "epoch-ms"
CLASSES = {name: number for number, name in enumerate(DESTINATION_NAMES) if name}
EXAMPLES = Path(__file__).parent / "examples"
PREFIXES_MAX = 1000

Wrong = Callable[..., None]


@dataclass(frozen=True)
class Template:
    """How one operator writes its records. Another name is another operator: its record ids are its own."""

    name: str
    columns: dict[str, str]
    """Ours (COLUMNS) -> theirs."""
    kinds: dict[str, int]
    """What stands in their column of the kind -> VOICE, ...; IGNORED = what tells nothing (a received call)."""
    format: str = CSV
    delimiter: str = ","
    time: str = ISO
    """iso, epoch-s, epoch-ms, or a strptime format in UTC."""
    destinations: tuple[tuple[str, int], ...] = ()
    """(first digits of a number, class), the longest first."""

    @property
    def mapping(self) -> str:
        """Tells templates apart by all that they say."""
        return hashlib.blake2b(repr(self).encode(), digest_size=8).hexdigest()

    @staticmethod
    def named(name: str, folder: Path = Path()) -> Template:
        """One that comes with Simward, or a file, from `folder` on; ConfigurationError with all that is wrong in it."""
        shipped = {path.stem: path for path in EXAMPLES.glob("*.yaml")}
        path = shipped.get(name) or folder / name
        try:
            return template_of(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"there is no template {name}: name a file, or {nearest(name, shipped)}") from None


def template_of(text: str, file: str) -> Template:
    """A template from its text; ConfigurationError with all that is wrong."""
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for one in re.findall(r"^\s*([\w-]+):", line):
            lines.setdefault(one, number)
    problems: list[Problem] = []

    def wrong(key: str, what: str, instead: str = "") -> None:
        problems.append(Problem(file, lines.get(key.rpartition(".")[2], 1), key, what, instead))

    said = _document(text, file)
    for key in said:
        if key not in KEYS:
            wrong(str(key), "unknown key", nearest(str(key), KEYS))
    for key in ("cdr", "columns", "kinds"):
        if key not in said:
            wrong(key, "is missing")
    made = Template(
        name=str(said.get("cdr", "")), format=str(said.get("format", CSV)), delimiter=str(said.get("delimiter", ",")),
        columns=_columns(said.get("columns", {}), wrong), kinds=_kinds(said.get("kinds", {}), wrong),
        time=str(said.get("time", ISO)), destinations=_destinations(said.get("destinations", {}), wrong),
    )  # fmt: skip
    if made.format not in (CSV, JSONL):
        wrong("format", f"{made.format!r} is not a choice", nearest(made.format, (CSV, JSONL)))
    if len(made.delimiter) != 1 or not made.delimiter.isascii():
        wrong("delimiter", "should be one character")
    if made.time not in (ISO, EPOCH_S, EPOCH_MS) and "%" not in made.time:
        wrong("time", f"{made.time!r} is not a choice", "iso, epoch-s, epoch-ms, or a format like %Y%m%d%H%M%S")
    if problems:
        raise ConfigurationError(problems)
    return made


def _document(text: str, file: str) -> dict[Any, Any]:
    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError([Problem(file, 1, "", f"no YAML: {str(error).splitlines()[0]}")]) from None
    if not isinstance(said, dict):
        raise ConfigurationError([Problem(file, 1, "", "should hold keys and values", "begin with cdr: NAME")])
    return said


def _columns(said: Any, wrong: Wrong) -> dict[str, str]:
    if not isinstance(said, dict):
        wrong("columns", "should hold keys and values")
        return {}
    for key in said:
        if key not in COLUMNS:
            wrong(f"columns.{key}", "unknown key", nearest(str(key), COLUMNS))
    for key in NEEDED:
        if key not in said:
            wrong("columns", f"names no column for {key}")
    if "imsi" not in said and "msisdn" not in said:
        wrong("columns", "names no column for imsi or msisdn", "a record must say whose it is")
    return {str(key): str(value) for key, value in said.items()}


def _kinds(said: Any, wrong: Wrong) -> dict[str, int]:
    if not isinstance(said, dict) or not said:
        wrong("kinds", "should say what stands for voice, sms and data", "write it like {MOC: voice, SMS-MO: sms}")
        return {}
    for value in said.values():
        if value not in KINDS:
            wrong("kinds", f"{value!r} is not a choice", nearest(str(value), KINDS))
    return {str(key): KINDS.get(str(value), IGNORED) for key, value in said.items()}


def _destinations(said: Any, wrong: Wrong) -> tuple[tuple[str, int], ...]:
    if not isinstance(said, dict):
        wrong("destinations", "should hold keys and values", 'write it like {premium: ["999829"]}')
        return ()
    found: dict[str, int] = {}
    for name, prefixes in said.items():
        if name not in CLASSES:
            wrong(f"destinations.{name}", "unknown key", nearest(str(name), CLASSES))
            continue
        for prefix in prefixes if isinstance(prefixes, list) else [prefixes]:
            digits = str(prefix).removeprefix("+")
            if not isinstance(prefix, str) or not re.fullmatch(r"[0-9]{1,15}", digits):
                what = f"{prefix!r} is no beginning of a number"
                wrong(f"destinations.{name}", what, 'digits in quotes, like "999829"')
            elif found.setdefault(digits, CLASSES[name]) != CLASSES[name]:
                wrong(f"destinations.{name}", f"{digits} has two classes")
    if len(found) > PREFIXES_MAX:
        wrong("destinations", f"has {len(found)} beginnings of numbers", f"at most {PREFIXES_MAX}")
    return tuple(sorted(found.items(), key=lambda one: (-len(one[0]), one[0])))
