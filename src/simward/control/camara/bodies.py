"""Bodies of requests as CAMARA's files describe them: read here, so that what is wrong is said in the files' words."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from simward.control.camara.errors import CamaraError, invalid, out_of_range

NUMBER = re.compile(r"\+[1-9][0-9]{4,14}")
NAI = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9.-]{1,253}|[^@\s]{1,64}")
HOURS_UNLESS_SAID, HOURS_MOST = 240, 2400
PORT_MOST = 65_535
NO_DEVICE = "At least one of phoneNumber, networkAccessIdentifier, ipv4Address and ipv6Address must be specified"


@dataclass(frozen=True)
class Device:
    """How a request names a device, each identifier checked; `said` is what the body said."""

    said: dict[str, Any]
    number: str | None = None
    """E.164, with its +."""
    nai: bool = False
    """It has a network access identifier."""
    address: ipaddress.IPv4Address | None = None
    """The address that the device itself has: the private one where there is one, else the public one."""
    ipv4: bool = False
    ipv6: ipaddress.IPv6Address | None = None


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises CamaraError."""
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise invalid()
    try:
        document = json.loads(await request.body())
        json.dumps(document, allow_nan=False).encode()  # NaN is no JSON (RFC 8259 6)
    except (ValueError, RecursionError):
        raise invalid() from None
    if not isinstance(document, dict):
        raise invalid()
    return document


def choice(body: Mapping[str, Any], key: str, called: str, values: tuple[str, ...]) -> str:
    """The value of a key that must be there, one of `values`; `called` is how the file's messages spell it."""
    if key not in body:
        raise invalid(f"{called[0].upper()}{called[1:]} must be specified")
    value = body[key]
    if not isinstance(value, str) or value not in values:
        raise invalid(f"The value of {called} can only be {','.join(values)}")
    return value


def number_of(body: Mapping[str, Any]) -> str | None:
    """`phoneNumber` of a request about a number."""
    if "phoneNumber" not in body:
        return None
    number = body["phoneNumber"]
    if not isinstance(number, str) or not NUMBER.fullmatch(number):
        raise invalid()
    return number


def hours_of(body: Mapping[str, Any]) -> int:
    """`maxAge`."""
    hours = whole_of(body.get("maxAge", HOURS_UNLESS_SAID))
    if hours is None:
        raise invalid()
    if not 1 <= hours <= HOURS_MOST:
        raise out_of_range()
    return hours


def whole_of(said: Any) -> int | None:
    """An integer as JSON Schema has it: 240.0 is one, and true is none."""
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    return int(said) if isinstance(said, int) or said.is_integer() else None


def device_of(body: Mapping[str, Any]) -> Device | None:
    """`device` of a request; None where it has none. Raises CamaraError."""
    if "device" not in body:
        return None
    said = body["device"]
    if not isinstance(said, dict):
        raise invalid()
    if not {"phoneNumber", "networkAccessIdentifier", "ipv4Address", "ipv6Address"} & set(said):
        raise invalid(NO_DEVICE)
    number, nai = said.get("phoneNumber"), said.get("networkAccessIdentifier")
    if "phoneNumber" in said and not (isinstance(number, str) and NUMBER.fullmatch(number)):
        raise invalid("Invalid format: phoneNumber")
    if "networkAccessIdentifier" in said and not isinstance(nai, str):
        raise invalid("Invalid format: networkAccessIdentifier")
    address = _ipv4(said["ipv4Address"]) if "ipv4Address" in said else None
    ipv6 = _ipv6(said["ipv6Address"]) if "ipv6Address" in said else None
    return Device(dict(said), number, nai is not None, address, "ipv4Address" in said, ipv6)


def _ipv4(said: Any) -> ipaddress.IPv4Address | None:
    """The device's own address: the private one where there is one, else the public one."""
    wrong = invalid("Invalid format: ipv4Address")
    if not isinstance(said, dict) or "publicAddress" not in said:
        raise wrong
    port = whole_of(said.get("publicPort", 0))
    if port is None or not 0 <= port <= PORT_MOST:
        raise invalid("Invalid value: ipv4Address.publicPort")
    if not {"privateAddress", "publicPort"} & set(said):
        raise wrong
    try:
        found = [
            ipaddress.IPv4Address(str(said[name])) for name in ("publicAddress", "privateAddress") if name in said
        ]
    except ValueError:
        raise wrong from None
    return found[-1]


def _ipv6(said: Any) -> ipaddress.IPv6Address:
    try:
        address = ipaddress.IPv6Address(said if isinstance(said, str) else "")
    except ValueError:
        raise invalid("Invalid format: ipv6Address") from None
    if address.scope_id is not None:
        raise invalid("Invalid format: ipv6Address")
    return address


def missing() -> CamaraError:
    """422: neither request nor token says which device."""
    return CamaraError(422, "MISSING_IDENTIFIER", "The device cannot be identified.")
