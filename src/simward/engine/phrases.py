"""Times, spans, sizes and protocol codes as a person reads them."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime

from simward import identity

NOT_REPORTED = "not reported"
WHOLE_ADDRESS = 128

TERMINATE_CAUSES = {
    1: "user request", 2: "lost carrier", 3: "lost service", 4: "idle timeout", 5: "session timeout", 6: "admin reset",
    7: "admin reboot", 8: "port error", 9: "NAS error", 10: "NAS request", 11: "NAS reboot", 12: "port unneeded",
    13: "port preempted", 14: "port suspended", 15: "service unavailable", 16: "callback", 17: "user error",
    18: "host request",
}  # fmt: skip
"""Acct-Terminate-Cause (RFC 2866 5.10)."""

ERROR_CAUSES = {
    201: "residual session context removed", 202: "invalid EAP packet ignored", 401: "unsupported attribute",
    402: "missing attribute", 403: "NAS identification mismatch", 404: "invalid request", 405: "unsupported service",
    406: "unsupported extension", 407: "invalid attribute value", 501: "administratively prohibited",
    502: "request not routable (proxy)", 503: "session context not found", 504: "session context not removable",
    505: "other proxy processing error", 506: "resources unavailable", 507: "request initiated",
    508: "multiple session selection unsupported",
}  # fmt: skip
"""Error-Cause (RFC 5176 3.5)."""


def when(at: int) -> str:
    """Microseconds since 1970 as ISO 8601 in UTC, always with microseconds and Z."""
    seconds, micros = divmod(int(at), 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{micros:06d}Z"


def span(micros: int) -> str:
    """A duration as a person says it: its two largest units ("9 h", "2 d 3 h", "45 s")."""
    seconds = max(0, int(micros)) // 1_000_000
    if seconds == 0:
        return f"{max(0, int(micros)) // 1000} ms"
    parts = []
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append((name, count))
    first = parts[0]
    named = [f"{first[1]} {first[0]}"]
    order = ["d", "h", "min", "s"]
    if len(parts) > 1 and order.index(parts[1][0]) == order.index(first[0]) + 1:
        named.append(f"{parts[1][1]} {parts[1][0]}")
    return " ".join(named)


def octets(count: int) -> str:
    """A number of octets as a person says it (decimal units, as policies use them)."""
    if count < 0:
        return NOT_REPORTED
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def address_text(number: int) -> str:
    """An IPv4 address (host order) in dotted form."""
    number = int(number)
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def area_text(value: int) -> str:
    """A tracking or location area with its network (detectors.facts.area_number)."""
    plmn, area = divmod(int(value), 33_554_432)
    network = identity.plmn_text(plmn)
    return f"area {area - 1} of {network}" if network else f"area {area - 1}"


def distance_text(metres: int) -> str:
    """A distance as a person says it."""
    if metres < 1000:
        return f"{int(metres)} m"
    return f"{metres / 1000:.1f} km" if metres < 100_000 else f"{int(metres) // 1000} km"


def prefix_text(high: int, low: int, length: int) -> str:
    """An IPv6 prefix from its halves; with length 128 an address. Empty for length 0."""
    if not length:
        return ""
    whole = (int(high) & (1 << 64) - 1) << 64 | int(low) & (1 << 64) - 1
    text = str(ipaddress.IPv6Address(whole))
    return text if length == WHOLE_ADDRESS else f"{text}/{int(length)}"


def ipv6_text(high: int, low: int) -> str:
    """An IPv6 address from its halves. Empty for none."""
    return prefix_text(high, low, WHOLE_ADDRESS) if high or low else ""


def device_text(imei: int, software: int = -1) -> str:
    """A device with its software version, where that is known."""
    if int(imei) <= 0:
        return NOT_REPORTED
    text = identity.imei_text(int(imei))
    return f"{text} software {int(software):02d}" if software >= 0 else text


def printable(raw: bytes) -> str:
    """Text from outside, safe to show: what is no UTF-8 or moves a terminal's cursor is written as an escape."""
    text = raw.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def short_when(at: int) -> str:
    """A time for a story: to the second, in UTC."""
    return f"{datetime.fromtimestamp(int(at) // 1_000_000, UTC):%Y-%m-%d %H:%M:%S}"


def terminate_cause_text(number: int) -> str:
    """Why a gateway ended a session, as it said; empty for 0 (not said)."""
    return TERMINATE_CAUSES.get(int(number), f"cause {int(number)}" if number else "")


def error_cause_text(number: int) -> str:
    """What a gateway gave as its reason for a NAK; empty for 0 (none given)."""
    return f"{ERROR_CAUSES.get(int(number), 'unknown')} ({int(number)})" if number else ""
