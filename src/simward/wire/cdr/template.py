"""What an operator's call detail records look like: a small YAML file that maps its columns to ours, checked whole."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from simward.engine.call_records import DATA, DESTINATION_NAMES, SHORT_MESSAGE, VOICE
from simward.errors import ConfigurationError, Problem, UsageError, nearest
from simward.wire.cdr.amounts import DURATIONS, MARKS, OCTETS
from simward.wire.cdr.moments import EPOCHS, ISO

IGNORED = 0
KINDS = {"voice": VOICE, "sms": SHORT_MESSAGE, "data": DATA, "ignore": IGNORED}
JOINED = {"record_id": "\x1f", "happened_at": " ", "network": ""}
"""What may be of several columns, with what stands between their values."""
NEEDED = ("record_id", "kind", "happened_at")
COLUMNS = (
    "record_id", "kind", "happened_at", "imsi", "msisdn", "network", "called_number", "duration_s", "uplink_octets",
    "downlink_octets",
)  # fmt: skip
KEYS = (
    "cdr", "format", "delimiter", "header", "inside", "columns", "kinds", "time", "zone", "duration", "octets",
    "decimal", "networks", "destinations",
)  # fmt: skip
CSV, JSONL, JSON = FORMATS = ("csv", "jsonl", "json")
CLASSES = {name: number for number, name in enumerate(DESTINATION_NAMES) if name}
EXAMPLES = Path(__file__).parent / "examples"
PREFIXES_MAX = NETWORKS_MAX = 1000
ONE_KIND = ""
"""What stands in the column of the kind where a file has none, since all of it is of one kind."""

Wrong = Callable[..., None]


@dataclass(frozen=True)
class Template:
    """How one operator writes its records. Another name is another operator: its record ids are its own."""

    name: str
    columns: dict[str, tuple[str, ...]]
    """Ours (COLUMNS) -> theirs; several are one value together (an id and its part, a date and a time, MCC and MNC)."""
    kinds: dict[str, int]
    """What stands in their column of the kind -> VOICE, ...; IGNORED = what tells nothing (a received call)."""
    format: str = CSV
    delimiter: str = ","
    header: bool = True
    """Whether the first line of CSV names columns; else they are named by their numbers, from 1."""
    inside: str = ""
    """In a document of JSON, keys to the array of records, with dots between; empty: it is at the top."""
    time: str = ISO
    """iso, epoch-s, epoch-ms, epoch-us, or a strptime format."""
    zone: str = "UTC"
    """Of times that do not say theirs: a name of the IANA database."""
    duration: str = "s"
    octets: str = "B"
    decimal: str = "."
    networks: tuple[tuple[str, str], ...] = ()
    """(how they call a network, its MCC and MNC), for what is not written in digits."""
    destinations: tuple[tuple[str, int], ...] = ()
    """(first digits of a number, class), the longest first."""

    @property
    def mapping(self) -> str:
        """Tells templates apart by all that they say."""
        return hashlib.blake2b(repr(self).encode(), digest_size=8).hexdigest()

    @property
    def theirs(self) -> list[str]:
        """Their columns, each once."""
        return list(dict.fromkeys(name for names in self.columns.values() for name in names))

    @property
    def tz(self) -> ZoneInfo | None:
        """None for UTC, which a machine without time zones has too."""
        return None if self.zone == "UTC" else ZoneInfo(self.zone)

    def unit(self, name: str) -> Fraction:
        """What one of a column's amounts is, in seconds or octets."""
        return DURATIONS[self.duration] if name == "duration_s" else Fraction(OCTETS[self.octets])

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
    texts = {key: str(said[key]) for key in ("format", "delimiter", "inside", "time", "zone", "duration", "octets",
                                             "decimal") if key in said}  # fmt: skip
    made = Template(
        name=str(said.get("cdr", "")), header=_header(said.get("header", "true"), wrong),
        columns=_columns(said.get("columns", {}), said.get("kinds"), wrong), kinds=_kinds(said.get("kinds", {}), wrong),
        networks=_networks(said.get("networks", {}), wrong),
        destinations=_destinations(said.get("destinations", {}), wrong), **texts,  # type: ignore[arg-type]
    )  # fmt: skip
    _check(made, wrong)
    if problems:
        raise ConfigurationError(problems)
    return made


def _check(made: Template, wrong: Wrong) -> None:
    """What is wrong with plain values, and with what does not go together."""
    choices = (("format", FORMATS), ("duration", DURATIONS), ("octets", OCTETS), ("decimal", MARKS))
    for key, known in choices:
        value = getattr(made, key)
        if value not in known:
            wrong(key, f"{value!r} is not a choice", nearest(value, known))
    if len(made.delimiter) != 1 or not made.delimiter.isascii() or made.delimiter in '\r\n"':
        wrong("delimiter", "should be one character", r'a tab is "\t"')
    if made.time != ISO and made.time not in EPOCHS and "%" not in made.time:
        said = f"iso, {', '.join(EPOCHS)}, or a format like %Y%m%d%H%M%S"
        wrong("time", f"{made.time!r} is not a choice", said)
    if "%Z" in made.time:
        wrong("time", "%Z names no offset", "use %z for +0100, or `zone: Europe/Oslo` for all")
    try:
        made.tz  # noqa: B018
    except (OSError, ValueError, KeyError):
        wrong("zone", f"{made.zone!r} is no time zone that this machine knows", "a name like Europe/Oslo")
    if made.inside and made.format != JSON:
        wrong("inside", f"is of no use in {made.format}", f"format: {JSON}")
    if not made.header and made.format == CSV:
        for name in made.theirs:
            if not re.fullmatch("[1-9][0-9]{0,3}", name):
                wrong("columns", f"{name!r} is no number of a column", "without a header they are counted from 1")


def _document(text: str, file: str) -> dict[Any, Any]:
    try:
        # Nothing is taken for more than the text that it is: 01 is no 1, yes is a word, and 0999 no octal number.
        said = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise ConfigurationError([Problem(file, 1, "", f"no YAML: {str(error).splitlines()[0]}")]) from None
    if not isinstance(said, dict):
        raise ConfigurationError([Problem(file, 1, "", "should hold keys and values", "begin with cdr: NAME")])
    return said


def _header(said: Any, wrong: Wrong) -> bool:
    if said not in ("true", "false"):
        wrong("header", f"{said!r} is not a choice", "true or false")
    return said != "false"


def _columns(said: Any, kinds: Any, wrong: Wrong) -> dict[str, tuple[str, ...]]:
    if not isinstance(said, dict):
        wrong("columns", "should hold keys and values")
        return {}
    for key in said:
        if key not in COLUMNS:
            wrong(f"columns.{key}", "unknown key", nearest(str(key), COLUMNS))
    one_kind = isinstance(kinds, str)
    for key in NEEDED:
        if key not in said and not (key == "kind" and one_kind):
            wrong("columns", f"names no column for {key}")
    if one_kind and "kind" in said:
        wrong("kinds", "is one kind for all of a file, and a column is named for it", "write it like {MOC: voice}")
    if "imsi" not in said and "msisdn" not in said:
        wrong("columns", "names no column for imsi or msisdn", "a record must say whose it is")
    found: dict[str, tuple[str, ...]] = {}
    for key, value in said.items():
        names = value if isinstance(value, list) else [value]
        if not names or not all(isinstance(name, str) and name for name in names):
            wrong(f"columns.{key}", "should be the name of a column, or a list of names")
        elif len(names) > 1 and key not in JOINED:
            wrong(f"columns.{key}", "is of one column", f"of several can be {', '.join(JOINED)}")
        found[str(key)] = tuple(map(str, names))
    return found


def _networks(said: Any, wrong: Wrong) -> tuple[tuple[str, str], ...]:
    if not isinstance(said, dict) or len(said) > NETWORKS_MAX:
        wrong("networks", f"should hold at most {NETWORKS_MAX} names", 'write it like {AAA01: "00101"}')
        return ()
    for name, digits in said.items():
        if not isinstance(digits, str) or not re.fullmatch("[0-9]{5,6}", digits):
            wrong(f"networks.{name}", f"{digits!r} is no MCC and MNC", "5 or 6 digits")
    return tuple((str(name), str(digits)) for name, digits in said.items())


def _kinds(said: Any, wrong: Wrong) -> dict[str, int]:
    if isinstance(said, str):
        if said not in KINDS:
            wrong("kinds", f"{said!r} is not a choice", nearest(said, KINDS))
        return {ONE_KIND: KINDS.get(said, IGNORED)}
    if not isinstance(said, dict) or not said:
        wrong("kinds", "should say what stands for voice, sms and data", "write it like {MOC: voice, SMS-MO: sms}")
        return {}
    for value in said.values():
        if not isinstance(value, str) or value not in KINDS:
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
