"""Attributes by name and by number: what dictionary.csv and values.csv beside this module say."""

from __future__ import annotations

import csv
import difflib
import enum
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

VENDOR_SPECIFIC = 26
VENDOR_3GPP = 10415

Key = int | tuple[int, int]
"""An attribute's number, or (vendor, number) for one inside a Vendor-Specific attribute."""

Value = str | int | bytes
"""What an attribute carries once its type is known; addresses are text."""


class Code(enum.IntEnum):
    """Packet codes (RFC 2865 3, RFC 2866 3, RFC 5176 2.3, RFC 5997 2)."""

    ACCESS_REQUEST = 1
    ACCESS_ACCEPT = 2
    ACCESS_REJECT = 3
    ACCOUNTING_REQUEST = 4
    ACCOUNTING_RESPONSE = 5
    ACCESS_CHALLENGE = 11
    STATUS_SERVER = 12
    DISCONNECT_REQUEST = 40
    DISCONNECT_ACK = 41
    DISCONNECT_NAK = 42
    COA_REQUEST = 43
    COA_ACK = 44
    COA_NAK = 45


@dataclass(frozen=True)
class Attribute:
    """One line of the dictionary; `type` is one of text, octets, integer, byte, time, ipv4, ipv6, ipv6-prefix."""

    key: Key
    name: str
    type: str
    source: str
    values: dict[str, int] = field(default_factory=dict)

    def to_octets(self, value: Value) -> bytes:
        """The wire form of `value`; names of enumerated values are taken too. Raises ValueError, OverflowError."""
        if isinstance(value, str) and self.values:
            if value not in self.values:
                raise ValueError(f"{self.name} has no value {value!r}: {', '.join(self.values)}")
            value = self.values[value]
        if isinstance(value, bytes):
            return value
        match self.type:
            case "text" | "octets":
                return str(value).encode()
            case "integer" | "time":
                return int(value).to_bytes(4, "big")
            case "byte":
                return int(value).to_bytes(1, "big")
            case "ipv4":
                return ipaddress.IPv4Address(value).packed
            case "ipv6":
                return ipaddress.IPv6Address(value).packed
            case _:
                prefix = ipaddress.IPv6Network(value)
                return bytes([0, prefix.prefixlen]) + prefix.network_address.packed

    def from_octets(self, octets: bytes) -> Value:
        """The value behind octets from the wire; octets that do not fit the type are given back as they are."""
        match self.type:
            case "text":
                return octets.decode("utf-8", "backslashreplace")
            case "integer" | "time" if len(octets) == 4:
                return int.from_bytes(octets, "big")
            case "byte" if len(octets) in (1, 4):  # some gateways send four octets where TS 29.061 has one
                return int.from_bytes(octets, "big")
            case "ipv4" if len(octets) == 4:
                return str(ipaddress.IPv4Address(octets))
            case "ipv6" if len(octets) == 16:
                return str(ipaddress.IPv6Address(octets))
            case "ipv6-prefix" if 2 <= len(octets) <= 18 and octets[1] <= 128:
                network = ipaddress.IPv6Network((octets[2:].ljust(16, b"\0"), octets[1]), strict=False)
                return str(network)
            case _:
                return octets


@cache
def attributes() -> dict[str, Attribute]:
    """Every known attribute by name."""
    values: dict[str, dict[str, int]] = {}
    for line in _lines("values.csv"):
        values.setdefault(line["attribute"], {})[line["name"]] = int(line["number"])
    found = {}
    for line in _lines("dictionary.csv"):
        vendor, number, name = int(line["vendor"]), int(line["number"]), line["name"]
        key: Key = (vendor, number) if vendor else number
        found[name] = Attribute(key, name, line["type"], line["source"], values.get(name, {}))
    return found


@cache
def by_key() -> dict[Key, Attribute]:
    """Every known attribute by number."""
    return {attribute.key: attribute for attribute in attributes().values()}


def named(name: str) -> Attribute:
    """The attribute of that name; KeyError with the nearest known name otherwise."""
    found = attributes().get(name)
    if found is None:
        near = difflib.get_close_matches(name, attributes(), 1)
        raise KeyError(f"no attribute {name!r}" + (f": {near[0]}?" if near else ""))
    return found


def name_of(key: Key) -> str:
    """The name of an attribute, `Attr-N` or `Attr-26.V.N` where it is not in the dictionary."""
    found = by_key().get(key)
    if found is not None:
        return found.name
    return f"Attr-26.{key[0]}.{key[1]}" if isinstance(key, tuple) else f"Attr-{key}"


def _lines(name: str) -> Iterator[dict[str, str]]:
    with (Path(__file__).parent / name).open(newline="") as file:
        yield from csv.DictReader(file)
