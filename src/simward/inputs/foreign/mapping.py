"""Which of a file's columns is which of ours: by the names that are usual, or as a small YAML file says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from simward.errors import ConfigurationError, Problem, nearest

USUAL: dict[str, tuple[str, ...]] = {
    "subscription": (
        "subscription", "subscription id", "subscriber", "subscriber id", "imsi", "imsi hash", "sim", "sim id", "user",
        "user id", "uid", "customer id", "msisdn", "msisdn hash",
    ),
    "began_at": (
        "began at", "start", "start time", "start date", "started at", "session start", "begin", "begin time", "time",
        "timestamp", "ts", "date time", "datetime", "event time", "opening time",
    ),
    "ended_at": ("ended at", "end", "end time", "end date", "session end", "stop", "stop time", "closing time"),
    "duration": (
        "duration", "duration s", "duration sec", "duration seconds", "duration ms", "session duration",
        "session time", "acct session time", "elapsed",
    ),
    "session": ("session", "session id", "acct session id", "charging id", "flow id"),
    "cell": (
        "cell", "cell id", "cellid", "cgi", "ecgi", "ncgi", "eci", "ci", "base station", "base station id", "bs",
        "bs id", "enodeb", "enb", "site", "site id", "location", "location id", "tower", "user location info",
    ),
    "area": ("area", "lac", "tracking area", "location area"),
    "network": ("network", "plmn", "mccmnc", "mcc mnc", "visited plmn", "visited network", "operator", "sgsn mcc mnc"),
    "rat": ("rat", "rat type", "technology", "tech", "access technology", "radio technology", "network type"),
    "device": ("device", "device id", "imei", "imeisv", "imei hash", "terminal", "terminal id", "equipment", "tac"),
    "model": ("model", "device model", "terminal model", "device type", "type allocation code"),
    "apn": ("apn", "access point", "access point name", "called station id", "dnn"),
    "address": ("address", "ip", "ip address", "ue ip", "ue address", "framed ip address", "client ip", "source ip"),
    "uplink": (
        "uplink", "uplink octets", "uplink bytes", "bytes up", "up bytes", "ul bytes", "ul", "up", "upload",
        "octets up", "up octets", "bytes uplink", "volume up", "tx bytes", "acct input octets",
    ),
    "downlink": (
        "downlink", "downlink octets", "downlink bytes", "bytes down", "down bytes", "dl bytes", "dl", "down",
        "download", "octets down", "down octets", "bytes downlink", "volume down", "rx bytes", "acct output octets",
    ),
    "octets": ("octets", "bytes", "volume", "total bytes", "traffic", "data volume", "total octets", "byte count"),
    "endpoint": ("endpoint", "host", "server", "destination", "dst", "dst ip", "remote", "server ip", "domain", "url"),
    "gateway": ("gateway", "ggsn", "pgw", "nas identifier", "smf"),
    "cause": ("cause", "terminate cause", "acct terminate cause", "cause for rec closing"),
    "use_case": ("use case", "group", "vertical", "category"),
}  # fmt: skip
"""Our columns, and what they are often called elsewhere (lower case, `_`, `-` and `.` as spaces)."""
NEEDED = ("subscription", "began_at")
NOT_USED = ("endpoint", "cause")
"""Taken for what they are, and nothing is judged by them yet."""
KEYS = ("records", "columns", "time", "zone", "octets", "duration", "absent")
AUTO = "auto"
TIMES = (AUTO, "iso", "epoch-s", "epoch-ms", "epoch-us")
OCTETS = {"B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
DURATIONS = {"s": 1.0, "ms": 0.001, "min": 60.0, "h": 3600.0}
ABSENT = ("", "-", "null", "none", "nan", "n/a", "na", "unknown", "\\n")


@dataclass
class Mapping:
    """How one kind of file is read."""

    columns: dict[str, str] = field(default_factory=dict)
    """Ours (USUAL) -> theirs; what is not named is looked for by its usual names."""
    time: str = AUTO
    """`auto` (ISO 8601, or a number since 1970 in s, ms or us, by its size), one of TIMES, or a strptime format."""
    zone: str = "UTC"
    """Of times that do not say theirs: a name of the IANA database."""
    octets: str = "B"
    duration: str = "s"
    absent: tuple[str, ...] = ABSENT
    """Values that mean that nothing is known (lower case)."""

    def found_in(self, names: Iterable[str], file: str) -> dict[str, str]:
        """Ours -> theirs for a file with these columns. ConfigurationError where one is missing or could be two."""
        there = list(names)
        problems: list[Problem] = []
        found: dict[str, str] = {}
        for ours, theirs in self.columns.items():
            if theirs in there:
                found[ours] = theirs
            else:
                problems.append(Problem(file, 1, theirs, f"no such column, for {ours}", nearest(theirs, there)))
        taken = set(self.columns.values())
        usual = {name: ours for ours, many in USUAL.items() for name in many}
        guessed: dict[str, list[str]] = {}
        for name in there:
            ours = usual.get(spoken(name), "")
            if ours and ours not in self.columns and name not in taken:
                guessed.setdefault(ours, []).append(name)
        for ours, candidates in guessed.items():
            if len(candidates) > 1:
                rank = {one: USUAL[ours].index(spoken(one)) for one in candidates}
                candidates.sort(key=lambda one: rank[one])
            found[ours] = candidates[0]
        for ours in NEEDED:
            if ours not in found and not any(one.where == self.columns.get(ours) for one in problems):
                instead = f"say which in a mapping: `columns: {{{ours}: NAME}}`; there are {', '.join(there[:20])}"
                problems.append(Problem(file, 1, ours, "no column is called like it", instead))
        if problems:
            raise ConfigurationError(problems)
        return found

    @staticmethod
    def read(path: Path) -> Mapping:
        """From a YAML file; ConfigurationError with all that is wrong in it."""
        return mapping_of(path.read_text(encoding="utf-8"), str(path))


def spoken(name: str) -> str:
    """A column's name as USUAL spells it: `SessionStart`, `session_start` and `Session-Start` are one."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name.strip().strip('"'))
    return re.sub(r"[\s_\-./()\[\]]+", " ", words).strip().lower()


def mapping_of(text: str, file: str) -> Mapping:
    """A mapping from its text; ConfigurationError with all that is wrong."""
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for one in re.findall(r"^\s*([\w-]+):", line):
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
    for key in said:
        if key not in KEYS:
            wrong(str(key), "unknown key", nearest(str(key), KEYS))
    made = Mapping(
        columns=_columns(said.get("columns", {}), wrong), time=str(said.get("time", AUTO)),
        zone=str(said.get("zone", "UTC")), octets=str(said.get("octets", "B")), duration=str(said.get("duration", "s")),
    )  # fmt: skip
    if made.time not in TIMES and "%" not in made.time:
        wrong("time", f"{made.time!r} is not a choice", f"{', '.join(TIMES)}, or a format like %Y%m%d%H%M%S")
    for key, value, choices in (("octets", made.octets, OCTETS), ("duration", made.duration, DURATIONS)):
        if value not in choices:
            wrong(key, f"{value!r} is not a choice", nearest(value, choices))
    try:
        if made.zone != "UTC":  # a machine may have no time zones
            ZoneInfo(made.zone)
    except (OSError, ValueError, KeyError):
        wrong("zone", f"{made.zone!r} is no time zone", "a name like Europe/Oslo")
    if "absent" in said:
        absent = said["absent"] if isinstance(said["absent"], list) else [said["absent"]]
        made.absent = tuple(sorted({"", *(str(one).strip().lower() for one in absent)}))
    if problems:
        raise ConfigurationError(problems)
    return made


def _columns(said: Any, wrong: Callable[..., None]) -> dict[str, str]:
    if not isinstance(said, dict):
        wrong("columns", "should hold keys and values")
        return {}
    for key in said:
        if key not in USUAL:
            wrong(f"columns.{key}", "unknown key", nearest(str(key), USUAL))
    return {str(key): str(value) for key, value in said.items() if key in USUAL}
