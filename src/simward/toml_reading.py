"""Reading a TOML file that a person wrote: where each key stands, and what its value should be."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from simward.errors import Problem, nearest
from simward.quantities import QuantityError, duration_s

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Address(NamedTuple):
    """Where a socket is bound or sent to."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


KeyPath = tuple[str | int, ...]


def key_lines(text: str) -> dict[KeyPath, int]:
    """Where each table and key of a TOML text stands: ("gateway", 0, "secret") -> line, counted from 1.

    Good enough for the plain files that people write; a key inside an inline table is not found by itself.
    """
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[(\[)?\s*([^\[\]]+?)\s*\]", line)
        key = re.match(r"\s*([A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')\s*=", line)
        if header and header[1]:
            counts[header[2]] = counts.get(header[2], -1) + 1
            name: KeyPath = tuple(part.strip(" \"'") for part in header[2].split("."))
            table = (*name, counts[header[2]])
            lines.setdefault(name, number)
            lines[table] = number
        elif header:
            table = tuple(part.strip(" \"'") for part in header[2].split("."))
            lines[table] = number
        elif key:
            lines.setdefault((*table, key[1].strip("\"'")), number)
    return lines


class Wrong(ValueError):
    """A value that is not what its key wants."""

    def __init__(self, what: str, instead: str = "") -> None:
        super().__init__(what)
        self.what, self.instead = what, instead


@dataclass
class Reading:
    """One file being read: where it is and what has been found wrong in it so far."""

    directory: Path
    path: Path
    lines: dict[KeyPath, int]
    problems: list[Problem] = field(default_factory=list)

    def line(self, where: KeyPath) -> int:
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def report(self, where: KeyPath, what: str, instead: str = "", *, warning: bool = False) -> None:
        dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
        self.problems.append(Problem(str(self.path), self.line(where), dotted, what, instead, warning))

    def value(self, where: KeyPath, read: Callable[[Any], Any], raw: object) -> Any:
        """What `read` makes of a value; None where it is wrong (and reported)."""
        try:
            return read(raw)
        except (Wrong, QuantityError) as error:
            self.report(where, error.what, error.instead)
            return None

    def table(self, where: KeyPath, raw: object, keys: dict[str, Callable[[Any], Any]]) -> dict[str, Any]:
        """The values of a table that are right; unknown keys and wrong values are reported."""
        if not isinstance(raw, dict):
            self.report(where, "should be a table", f"write [{where[0]}] or [[{where[0]}]]")
            return {}
        found = {}
        for key, value in raw.items():
            if key not in keys:
                self.report((*where, key), "unknown key", nearest(key, keys))
                continue
            found[key] = self.value((*where, key), keys[key], value)
        return {key: value for key, value in found.items() if value is not None}

    def need(self, where: KeyPath, raw: object, *keys: str) -> bool:
        """True where every key is there; the missing ones are reported."""
        missing = [key for key in keys if not isinstance(raw, dict) or key not in raw]
        for key in missing:
            self.report(where, f"{key} is missing")
        return not missing


def string(raw: object) -> str:
    """A text that is not empty."""
    if not isinstance(raw, str) or not raw:
        raise Wrong("should be a text in quotes")
    return raw


def boolean(raw: object) -> bool:
    """true or false."""
    if not isinstance(raw, bool):
        raise Wrong("should be true or false")
    return raw


def strings(raw: object) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise Wrong("should be a list of texts", 'write it like ["a", "b"]')
    return tuple(raw)


def texts_by_name(raw: object) -> dict[str, str]:
    """A table of texts."""
    if not isinstance(raw, dict) or not all(isinstance(one, str) and one for one in raw.values()):
        raise Wrong("should be a table of texts", 'write it like {"incoming" = "operator-csv"}')
    return dict(raw)


def choice(*words: str) -> Callable[[object], str]:
    """One of the words."""

    def read(raw: object) -> str:
        if not isinstance(raw, str) or raw not in words:
            raise Wrong(f"{raw!r} is not a choice", nearest(str(raw), words))
        return raw

    return read


def choices(*words: str) -> Callable[[object], tuple[str, ...]]:
    """A list of some of the words."""

    def read(raw: object) -> tuple[str, ...]:
        return tuple(choice(*words)(one) for one in strings(raw))

    return read


def address(default_port: int = -1) -> Callable[[object], Address]:
    """An IP address and a port."""

    def read(raw: object) -> Address:
        text = string(raw)
        match = re.fullmatch(r"\[([^\]]+)\](?::(\d{1,5}))?|([^:]+)(?::(\d{1,5}))?", text)
        if match is None:
            raise Wrong(f"{text!r} is not an address and a port", "write it like 127.0.0.1:1812 or [::1]:1812")
        host, port_text = match[1] or match[3], match[2] or match[4]
        try:
            host = str(ipaddress.ip_address(host))
        except ValueError:
            raise Wrong(f"{host!r} is not an IP address", "names are not looked up: write 127.0.0.1 or [::1]") from None
        port = int(port_text) if port_text else default_port
        if not 0 <= port <= 65535:
            raise Wrong(f"{text!r} has no port from 0 to 65535", "write it like 127.0.0.1:1812")
        return Address(host, port)

    return read


def address_or_none(raw: object) -> Address | tuple[()]:
    """An IP address and a port; "none" is ()."""
    return () if raw == "none" else address()(raw)


def network(raw: object) -> Network:
    """An address or a CIDR, of IPv4 or IPv6."""
    text = string(raw)
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        pass
    try:
        right = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Wrong(f"{text!r} is not an address or a CIDR", "write it like 192.0.2.7 or 192.0.2.0/24") from None
    raise Wrong(f"{text!r} has bits behind its prefix", f"did you mean {str(right)!r}?")


def duration(raw: object) -> int:
    """Seconds; "none" is 0."""
    return 0 if raw == "none" else duration_s(raw)


def without_limit(
    word: str, quantity: Callable[[object], int], least: int, said: str
) -> Callable[[object], int]:
    """A quantity of at least `least` (in words: `said`), or the `word` for none: 0."""

    def read(raw: object) -> int:
        if raw == word:
            return 0
        found = quantity(raw)
        if found < least:
            raise Wrong(f"{raw!r} is too little", f'{said}, or "{word}"')
        return found

    return read


def interim(raw: object) -> int:
    """The seconds of an Acct-Interim-Interval; "none" is 0."""
    interval = duration(raw)
    if 0 < interval < 60:  # RFC 2869 5.16: MUST NOT be smaller than 60
        raise Wrong("an Acct-Interim-Interval is at least 60 s", "600 s or more is advised (RFC 2869 5.16)")
    return interval
