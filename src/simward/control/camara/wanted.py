"""A request for an event subscription, read and checked as CAMARA's file describes it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from simward.connectors.reaching import why_not
from simward.control.camara.bodies import NO_DEVICE, Device, device_of, whole_of
from simward.control.camara.errors import CamaraError, invalid, out_of_range
from simward.control.camara.telling import TYPES, ends_by_token

PROTOCOLS = ("HTTP", "MQTT3", "MQTT5", "AMQP", "NATS", "KAFKA")
CREDENTIALS = ("PLAIN", "ACCESSTOKEN", "PRIVATE_KEY_JWT")
SINK_CHARACTERS_MAX, TOKEN_CHARACTERS_MAX = 2048, 16_384
INTEGER_MOST = 2**31 - 1
BAD_SINK = (
    "The sink field must be an accessible client address in order to notify the other end when an event occurs"
)
BAD_PROTOCOL = f"The value of Protocol can only be {', '.join(PROTOCOLS)}"


@dataclass(frozen=True)
class Wanted:
    """What a client subscribes to."""

    type: str
    sink: str
    config: dict[str, Any]
    device: Device | None
    expires_at: int | None
    events_max: int | None
    initial: bool
    token: str | None
    token_ends_at: int | None


def wanted_of(body: Mapping[str, Any], now: int, allow_private: bool) -> Wanted:
    """Raises CamaraError."""
    kind = _type(body.get("types"))
    _protocol(body)
    sink = _sink(body.get("sink"), allow_private)
    config = body.get("config")
    if not isinstance(config, dict) or not isinstance(config.get("subscriptionDetail"), dict):
        raise invalid()
    device = device_of(config["subscriptionDetail"])
    if "device" in config["subscriptionDetail"] and device is None:
        raise invalid(NO_DEVICE)
    expires_at = _later(config, "subscriptionExpireTime", now)
    initial = config.get("initialEvent", False)
    if not isinstance(initial, bool):
        raise invalid()
    token, token_ends_at = _credential(body, now)
    names = ("subscriptionExpireTime", "subscriptionMaxEvents", "initialEvent")
    echoed = {name: config[name] for name in names if name in config}
    return Wanted(kind, sink, echoed, device, expires_at, _most(config), initial, token, token_ends_at)


def _type(types: Any) -> str:
    if types is None or types == []:
        raise invalid("SubscriptionType must be specified")
    if not isinstance(types, list) or len(types) != 1 or types[0] not in TYPES:
        raise invalid()
    return str(types[0])


def _protocol(body: Mapping[str, Any]) -> None:
    protocol = body.get("protocol")
    if protocol not in PROTOCOLS:
        raise CamaraError(400, "INVALID_PROTOCOL", BAD_PROTOCOL)
    if protocol != "HTTP":
        raise CamaraError(400, "INVALID_PROTOCOL", "Only HTTP is supported")
    settings = body.get("protocolSettings", {})
    if not isinstance(settings, dict) or settings.get("method", "POST") != "POST":
        raise invalid()
    if settings.get("headers"):
        raise invalid("protocolSettings.headers is not supported")


def _sink(sink: Any, allow_private: bool) -> str:
    bad = CamaraError(400, "INVALID_SINK", BAD_SINK)
    if not isinstance(sink, str) or len(sink) > SINK_CHARACTERS_MAX or not sink.isprintable() or " " in sink:
        raise bad
    try:
        parts = urlsplit(sink)
        host, _ = parts.hostname, (parts.port, httpx.URL(sink).host)
    except (ValueError, httpx.InvalidURL):
        raise bad from None
    if parts.scheme != "https" or not host or parts.username is not None or parts.password is not None:
        raise bad
    if not allow_private and host.rstrip(".").lower() == "localhost":
        raise bad
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return sink  # a name's addresses are looked at each time before it is called
    if why_not(address, allow_private):
        raise bad
    return sink


def _most(config: Mapping[str, Any]) -> int | None:
    if "subscriptionMaxEvents" not in config:
        return None
    most = whole_of(config["subscriptionMaxEvents"])
    if most is None:
        raise invalid()
    if most < 1:
        raise out_of_range()
    return min(most, INTEGER_MOST)


def _later(said: Mapping[str, Any], key: str, now: int) -> int | None:
    """A time that is still to come, us UTC."""
    if key not in said:
        return None
    at = moment_of(said[key])
    if at is None:
        raise invalid()
    if at <= now:
        raise invalid(f"{key} must be in the future")
    return at


def moment_of(text: Any) -> int | None:
    """RFC 3339 with its zone, in us UTC; None for what is none."""
    if not isinstance(text, str) or len(text) > 64 or "T" not in text.upper():
        return None
    try:
        moment = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
        if moment.tzinfo is None:
            return None
        return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)
    except (ValueError, OverflowError):
        return None


def _credential(body: Mapping[str, Any], now: int) -> tuple[str | None, int | None]:
    """The bearer token of the sink, and until when it is one."""
    if "sinkCredential" not in body:
        return None, None
    said = body["sinkCredential"]
    kind = said.get("credentialType") if isinstance(said, dict) else None
    if kind not in CREDENTIALS:
        raise invalid()
    if kind != "ACCESSTOKEN":
        raise CamaraError(400, "INVALID_CREDENTIAL", "Only Access token is supported")
    token, ends_at = said.get("accessToken"), moment_of(said.get("accessTokenExpiresUtc"))
    if said.get("accessTokenType") != "bearer":
        raise CamaraError(400, "INVALID_CREDENTIAL", "Only bearer token is supported")
    fits = isinstance(token, str) and 0 < len(token) <= TOKEN_CHARACTERS_MAX
    if not fits or not all("!" <= one <= "~" for one in token):
        raise CamaraError(400, "INVALID_CREDENTIAL", "accessToken is no bearer token")
    if ends_at is None:
        raise invalid()
    if ends_by_token(ends_at) <= now:
        raise CamaraError(400, "INVALID_CREDENTIAL", "accessTokenExpiresUtc is too soon")
    return token, ends_at
