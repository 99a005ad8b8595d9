"""What a PGW puts into its RADIUS packets, and how it checks what comes back (TS 29.061 16.4, RFC 5176); no sockets."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from simward.lab.fleet import ANY_PASSWORD, PASSWORDS, Device, Place, Subscription
from simward.lab.geography import HOME_PLMN
from simward.wire.radius.dictionary import Code, Value
from simward.wire.radius.dynauth import ANSWERS
from simward.wire.radius.packet import MESSAGE_AUTHENTICATOR, Packet, PacketError

START, STOP, INTERIM = "Start", "Stop", "Interim-Update"
ON, OFF = "Accounting-On", "Accounting-Off"
ADMIN_RESET = "Admin-Reset"
SESSION_CONTEXT_NOT_FOUND = 503  # RFC 5176 3.5
WRONG_PASSWORD = "what somebody guessed"

RAT_NAMES = {"lte": "EUTRAN", "eutran": "EUTRAN", "nb-iot": "NB-IoT", "lte-m": "LTE-M", "nr": "NR"}


@dataclass(frozen=True)
class Bearer:
    """What a gateway knows about one session when it asks or reports."""

    who: Subscription
    session_id: str
    charging_id: int
    device: Device | None
    place: Place
    rat: str
    apn: str
    address: str = ""
    token: bytes = b""
    """The Class of the Access-Accept, to be sent back unchanged (RFC 2865 5.25)."""
    wrong_password: bool = False
    """Shows another password than the one of its APN."""


@dataclass(frozen=True)
class Usage:
    """The counters of an accounting report."""

    uplink_octets: int = 0
    downlink_octets: int = 0
    duration_s: int = 0
    cause: str = "User-Request"


@dataclass(frozen=True)
class Nas:
    """A gateway as its packets name it, and the secret that it shares with the gate."""

    name: str
    address: str
    secret: bytes


def plmn_octets(plmn: str) -> bytes:
    """MCC and MNC as three octets (TS 24.008 10.5.1.3)."""
    mcc, mnc = plmn[:3], plmn[3:] + ("f" if len(plmn) == 5 else "")
    return bytes.fromhex(mcc[1] + mcc[0] + mnc[2] + mcc[2] + mnc[1] + mnc[0])


def location_octets(place: Place, rat: str) -> bytes:
    """3GPP-User-Location-Info: TAI and ECGI (130), on NR 5GS TAI and NCGI (137)."""
    plmn = plmn_octets(place.plmn)
    if rat == "nr":
        return bytes((137,)) + plmn + place.area.to_bytes(3, "big") + plmn + place.cell.to_bytes(5, "big")
    return bytes((130,)) + plmn + struct.pack(">H", place.area) + plmn + struct.pack(">I", place.cell)


def _described(bearer: Bearer, nas: Nas) -> Iterator[tuple[str, Value]]:
    yield "User-Name", bearer.who.msisdn
    yield "NAS-Identifier", nas.name
    yield "NAS-IP-Address", nas.address
    yield "NAS-Port-Type", 18  # Wireless - Other
    yield "Service-Type", 2  # Framed
    yield "Framed-Protocol", 7  # GPRS PDP Context
    yield "Called-Station-Id", bearer.apn
    yield "Calling-Station-Id", bearer.who.msisdn
    yield "3GPP-IMSI", bearer.who.imsi
    yield "3GPP-Charging-ID", bearer.charging_id
    yield "3GPP-PDP-Type", "IPv4"
    yield "3GPP-GGSN-Address", nas.address
    yield "3GPP-IMSI-MCC-MNC", HOME_PLMN
    yield "3GPP-GGSN-MCC-MNC", HOME_PLMN
    yield "3GPP-NSAPI", "5"
    yield "3GPP-Selection-Mode", "0"
    yield "3GPP-Charging-Characteristics", "0800"
    if bearer.place.plmn:
        yield "3GPP-SGSN-MCC-MNC", bearer.place.plmn  # the visited network
    if bearer.device is not None:
        yield "3GPP-IMEISV", bearer.device.imeisv
    yield "3GPP-RAT-Type", RAT_NAMES[bearer.rat]
    if bearer.place.area >= 0:
        yield "3GPP-User-Location-Info", location_octets(bearer.place, bearer.rat)


def access_request(bearer: Bearer, nas: Nas, identifier: int, *, signed: bool = True) -> bytes:
    """An Access-Request; `signed` says whether it carries Message-Authenticator, which goes first."""
    packet = Packet(Code.ACCESS_REQUEST, identifier, os.urandom(16)).add_all(_described(bearer, nas))
    password = WRONG_PASSWORD if bearer.wrong_password else PASSWORDS.get(bearer.apn, ANY_PASSWORD)
    packet.add_user_password(password.encode(), nas.secret)
    return packet.sign_access_request(nas.secret) if signed else packet.encode()


def accounting_request(
    bearer: Bearer, status: str, usage: Usage, nas: Nas, identifier: int, happened_at: int, delay_s: int = 0
) -> bytes:
    """An Accounting-Request about a session; `happened_at` in seconds since 1970."""
    packet = Packet(Code.ACCOUNTING_REQUEST, identifier)
    packet.add("Acct-Status-Type", status).add("Acct-Session-Id", bearer.session_id).add("Acct-Authentic", "RADIUS")
    packet.add_all(_described(bearer, nas))
    if bearer.address:
        packet.add("Framed-IP-Address", bearer.address)
    if bearer.token:
        packet.add("Class", bearer.token)
    if status != START:
        for name, octets in (("Input", usage.uplink_octets), ("Output", usage.downlink_octets)):
            packet.add(f"Acct-{name}-Octets", octets & 0xFFFFFFFF).add(f"Acct-{name}-Gigawords", octets >> 32)
        packet.add("Acct-Session-Time", usage.duration_s)
    if status == STOP:
        packet.add("Acct-Terminate-Cause", usage.cause)
    packet.add("Event-Timestamp", happened_at).add("Acct-Delay-Time", delay_s)
    return packet.sign_accounting_request(nas.secret)


def gateway_report(status: str, nas: Nas, identifier: int, happened_at: int, delay_s: int = 0) -> bytes:
    """Accounting-On or Accounting-Off of a whole gateway."""
    packet = Packet(Code.ACCOUNTING_REQUEST, identifier)
    packet.add("Acct-Status-Type", status).add("Acct-Session-Id", "00000000")
    packet.add("NAS-Identifier", nas.name).add("NAS-IP-Address", nas.address)
    packet.add("Event-Timestamp", happened_at).add("Acct-Delay-Time", delay_s)
    return packet.sign_accounting_request(nas.secret)


def read_answer(octets: bytes, request: bytes, secret: bytes) -> tuple[Packet | None, str]:
    """The authentic answer to a request, or None and what is wrong with it.

    The answer to an Access-Request must carry Message-Authenticator as its first attribute (CVE-2024-3596).
    """
    try:
        packet = Packet.decode(octets)
    except PacketError as error:
        return None, error.reason
    asked = request[0] == Code.ACCESS_REQUEST
    if not packet.verify_response(request[4:20], secret, require_message_authenticator=asked):
        return None, "not authentic"
    if asked and packet.attributes[0][0] != MESSAGE_AUTHENTICATOR:
        return None, "Message-Authenticator not in first place"
    return packet, ""


def read_dynauth(octets: bytes, secret: bytes) -> tuple[Packet | None, str]:
    """An authentic Disconnect- or CoA-Request, or None and what is wrong with it (RFC 5176 2.3)."""
    try:
        packet = Packet.decode(octets)
    except PacketError as error:
        return None, error.reason
    if packet.code not in ANSWERS:
        return None, f"code {packet.code}"
    return (packet, "") if packet.verify_request(secret) else (None, "not authentic")


def dynauth_answer(request: Packet, error_cause: int, secret: bytes) -> bytes:
    """ACK, or NAK with an Error-Cause where that is not 0."""
    answer = Packet(ANSWERS[request.code][error_cause != 0], request.identifier)
    if error_cause:
        answer.add("Error-Cause", error_cause)
    return answer.sign_response(request.authenticator, secret)


def filter_in(packet: Packet) -> str:
    """The filter that an Accept or a CoA-Request carries: a name, or its rules with `; ` between them."""
    rules = b"".join(octets for octets in packet.all("NAS-Filter-Rule") if isinstance(octets, bytes))
    return str(packet.get("Filter-Id") or "") or "; ".join(rules.decode().split("\0")).strip()
