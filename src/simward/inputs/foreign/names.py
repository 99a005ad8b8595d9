"""What columns are usually called elsewhere, and the units that their names carry."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from simward.inputs.foreign.languages import LANGUAGES, UNITS

USUAL: dict[str, tuple[str, ...]] = {
    "subscription": (
        "subscription", "subscription id", "subscriber", "subscriber id", "imsi", "imsi number", "imsi hash",
        "served imsi", "iccid", "icc", "sim iccid", "sim", "sim id", "sim card id", "sim sid",
        "sim card number", "user", "user id", "uid", "customer id", "msisdn", "msisdn number", "msisdn hash",
        "served msisdn", "calling station id", "caller id", "caller", "calling number", "calling no", "calling party",
        "a number", "phone number", "user name", "subs id", "supi", "gpsi", "ue id", "ue", "customer", "client id",
        "account", "account id", "participant", "participant id", "person id", "endpoint id", "thing id", "line id",
        "station mac", "client mac", "mac address", "mac", "id",
    ),
    "began_at": (
        "began at", "began", "start", "start time", "start date time", "started at", "start timestamp",
        "timestamp start",
        "session start", "session start time", "acct start time", "procedure start time", "call start time",
        "call event start", "begin", "begin time", "opening time", "record opening time", "time", "timestamp", "ts",
        "date time", "event time", "event timestamp", "usage date", "created at", "call time", "start date",
        "call date", "date", "session begin", "connection start", "connect time", "connection time start", "login time",
        "association time", "assoc time", "record start time", "begin timestamp", "start ts", "first seen", "day",
    ),
    "ended_at": (
        "ended at", "end", "end time", "end date time", "end timestamp", "timestamp end", "session end",
        "session end time", "acct stop time", "procedure end time", "call end time", "stop", "stop time",
        "stop timestamp", "closing time", "closed at", "end date", "logout time", "disconnect time",
        "disassociation time", "record end time", "finish", "finish time", "end ts", "last seen",
    ),
    "duration": (
        "duration", "dur", "session duration", "session time", "acct session time", "call duration",
        "call event duration", "total duration", "elapsed", "connection time", "session length", "online time",
        "length",
    ),
    "session": (
        "session", "session id", "acct unique id", "acct session id", "charging id", "bearer id", "flow id",
    ),
    "cell": (
        "cell", "cell id", "cid", "cgi", "cell global id", "ecgi", "ncgi", "eci", "ci", "eutran cell id",
        "nr cell id", "serving cell", "base station", "base station id", "base id", "bs", "bs id", "bts", "bts id",
        "antenna", "antenna id", "caller antenna", "enodeb", "enodeb id", "enb", "enb id", "gnb id", "site", "site id",
        "cell site", "cell name", "cell tower", "tower", "tower id", "first cell id", "square id", "location",
        "location id", "last location name", "location name", "user location info", "ap", "ap name", "ap id", "ap mac",
    ),
    "area": ("area", "lac", "tracking area", "tracking area code", "location area", "location area code"),
    "network": (
        "network", "plmn", "plmn id", "mcc mnc", "visited plmn", "visited network", "operator",
        "operator code", "serving network", "sgsn mcc mnc", "mccmnc", "visited mcc mnc", "visited mccmnc",
        "serving plmn",
    ),
    "mcc": ("mcc", "mobile country code", "operator mcc"),
    "mnc": ("mnc", "mobile network code", "operator mnc"),
    "rat": (
        "rat", "rat type", "rat name", "technology", "tech", "access technology", "radio technology",
        "radio access technology", "network technology", "network type", "access type", "radio", "radio type",
        "radio link", "generation",
    ),
    "device": (
        "device", "device id", "imei", "imei number", "imeisv", "imei hash", "served imei",
        "served imeisv", "device imei", "caller imei", "terminal", "terminal id", "equipment", "equipment id",
        "handset id", "phone id", "tac",
    ),
    "model": (
        "model", "device model", "terminal model", "phone model", "device type", "terminal type", "handset type",
        "handset model", "handset", "type allocation code",
    ),
    "apn": (
        "apn", "apn name", "apn ni", "ap name ni", "access point", "access point name", "called station id", "dnn",
        "data network name",
    ),
    "address": (
        "address", "ip", "ip address", "ip addr", "ipv4", "user ip", "user ipv4", "user ip address", "ue ip", "ue ipv4",
        "ue address", "pdp address", "framed ip address", "client ip", "source ip",
    ),
    "uplink": (
        "uplink", "uplink octets", "uplink volume", "uplink data", "octets up", "up octets", "volume up", "up volume",
        "data volume uplink", "data volume gprs uplink", "ul", "total ul", "ul data", "ul volume", "ul traffic", "up",
        "upload", "uploaded", "upload volume", "tx", "volume tx", "sent", "acct input octets", "ul volume total",
    ),
    "downlink": (
        "downlink", "downlink octets", "downlink volume", "downlink data", "octets down", "down octets", "volume down",
        "down volume", "data volume downlink", "data volume gprs downlink", "dl", "total dl", "dl data", "dl volume",
        "dl traffic", "down", "download", "downloaded", "download volume", "rx", "volume rx", "received",
        "dl volume total", "acct output octets",
    ),
    "octets": (
        "octets", "volume", "traffic", "traffic volume", "data volume", "total octets", "total volume", "volume total",
        "total data", "total traffic", "total", "byte count", "usage", "data usage", "data used", "data", "consumption",
    ),
    "latitude": ("latitude", "lat", "cell latitude", "cell lat"),
    "longitude": ("longitude", "lon", "lng", "long", "cell longitude", "cell lon"),
    "endpoint": ("endpoint", "host", "server", "destination", "dst", "dst ip", "remote", "server ip", "domain", "url"),
    "gateway": ("gateway", "ggsn", "ggsn address", "pgw", "pgw address", "nas identifier", "nas ip address", "smf"),
    "cause": ("cause", "terminate cause", "acct terminate cause", "termination cause", "cause for rec closing"),
    "use_case": ("use case", "group", "vertical", "category"),
}  # fmt: skip
"""Our columns, and what they are often called elsewhere (lower case, `_`, `-` and `.` as spaces, without its unit)."""
OCTETS = {"B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
DURATIONS = {"s": 1.0, "ms": 0.001, "min": 60.0, "h": 3600.0}
MEASURED: dict[str, dict[str, Any]] = {"uplink": OCTETS, "downlink": OCTETS, "octets": OCTETS, "duration": DURATIONS}
"""The columns that have a unit, and the units there are."""
UNIT_WORDS = {
    "b": "B", "byte": "B", "bytes": "B", "octets": "B", "kb": "kB", "kbytes": "kB", "mb": "MB", "mbytes": "MB",
    "gb": "GB", "kib": "KiB", "mib": "MiB", "gib": "GiB", "s": "s", "sec": "s", "secs": "s", "second": "s",
    "seconds": "s", "ms": "ms", "msec": "ms", "millis": "ms", "milliseconds": "ms", "min": "min", "mins": "min",
    "minutes": "min", "h": "h", "hours": "h", **UNITS,
}  # fmt: skip
"""How units are written in the names of columns."""
HIDDEN = {
    "hash", "hashed", "anonymized", "anonymised", "anonymous", "anon", "encrypted", "masked", "pseudonymized",
    "pseudonymised",
}
"""Words that say how an identity was made one that nobody knows."""
COUNTED = {"byte", "bytes", "octets", "字节"}
"""Words that name what is counted wherever they stand: `bytes up`, `up bytes`."""


def spoken(name: str) -> str:
    """A column's name as USUAL spells it: `SessionStart`, `session_start` and `Session-Start` are one; accents are
    left out."""
    plain = unicodedata.normalize("NFKD", name.strip().strip('"\ufeff'))
    plain = "".join(one for one in plain if not unicodedata.combining(one))
    units = re.sub(r"\b([kKMG]i?)[Bo]\b", lambda found: found[0].lower(), plain)
    words = re.sub(r"([a-z0-9]|[^\W\x00-\x7f])([A-Z])", r"\1 \2", units)
    return re.sub(r"[\s_\-./()\[\]:#]+", " ", words).strip().lower()


def unit_of(name: str, ours: str) -> str:
    """The unit that the name of one of MEASURED ends with, whatever else it says; empty where there is none."""
    last = spoken(name).split()[-1:]
    unit = UNIT_WORDS.get(last[0], "") if last else ""
    return unit if unit in MEASURED.get(ours, ()) else ""


def _squashed(name: str) -> str:
    return name.replace(" ", "")


_BY_NAME: dict[str, tuple[str, int]] = {}
for _names in (USUAL, *LANGUAGES):
    for _ours, _many in _names.items():
        for _rank, _name in enumerate(_many):
            _BY_NAME.setdefault(_squashed(_name), (_ours, _rank))


def usual(name: str) -> tuple[str, int, str]:
    """Which of our columns a name usually means, how usual it is (0: most), and the unit that it carries.

    Two empty texts where it is none of ours. Of keys inside keys, what is left of the last two dots does not count.
    """
    parts = name.split(".")
    for depth, tail in enumerate((name, ".".join(parts[-2:]), parts[-1])):
        words = spoken(tail)
        found, rank, unit = _usual(words)
        if not found and (shown := " ".join(one for one in words.split() if one not in HIDDEN)) != words:
            found, rank, unit = _usual(shown)
        if found:
            return found, rank + 100 * (depth + len(parts) - 1), unit
    return "", 0, ""


def _usual(words: str) -> tuple[str, int, str]:
    ours, rank = _BY_NAME.get(_squashed(words), ("", 0))
    if ours:
        return ours, rank, ""
    there = words.split()
    if not there:
        return "", 0, ""
    for place in (len(there) - 1, 0, *range(1, len(there) - 1)):
        unit = UNIT_WORDS.get(there[place], "")
        if not unit or (place != len(there) - 1 and there[place] not in COUNTED):
            continue
        if len(there) == 1 and unit in OCTETS and unit != "B":
            return "octets", 0, unit
        ours, rank = _BY_NAME.get("".join(there[:place] + there[place + 1 :]), ("", 0))
        if not ours and there[place] in COUNTED and len(there) == 1:
            ours, rank = "octets", 0
        if ours in MEASURED and unit in MEASURED[ours]:
            return ours, rank, unit
    return "", 0, ""
