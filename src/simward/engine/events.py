"""Events: what happened, as fixed-width rows of one NumPy structured array.

Identities are integers (identity.py says how). Times are microseconds since 1970-01-01 UTC. New columns and kinds are
appended, never moved; readers copy columns by name.
"""

from __future__ import annotations

import numpy as np

SESSION_ID_OCTETS = 48
"""Room for Acct-Session-Id. A GGSN/PGW sends 16 or 40 characters (TS 29.061 16.4.3: address and Charging-ID in hex)."""

EVENT = np.dtype(
    [
        ("received_at", "i8"),  # gate clock made monotone, us; orders the fold
        ("happened_at", "i8"),  # as the gateway reports (Event-Timestamp, else received_at - Acct-Delay-Time), us
        ("imsi", "i8"),  # prefix-1 decimal from 3GPP-IMSI, 0 = not given
        ("user", "i8"),  # User-Name where it is digits (before any '@'), prefix-1 decimal, 0 = not
        ("msisdn", "i8"),  # Calling-Station-Id where it is digits, prefix-1 decimal, 0 = not
        ("imei", "i8"),  # the first 14 digits, 0 = not reported (or unreadable: FLAG_IMEI_UNREADABLE); plan: 0 = any
        ("cell", "i8"),  # identity.py: kind << 56 | value, 0 = not reported
        ("uplink_octets", "i8"),  # Acct-Input-Octets + Gigawords, from the device; -1 = not reported
        ("downlink_octets", "i8"),
        ("request", "i8"),  # 64 bits that name the request; a command's id; effect results: the effect's index
        (
            "subject",
            "i8",
        ),  # commands: ICCID (prefix-1 decimal without its leading 89); effect results: the effect's sequence
        ("area", "i4"),  # LAC or TAC, -1 = not reported
        ("plmn", "i4"),  # visited network, prefix-1 decimal of MCC and MNC, 0 = not reported
        ("address", "u4"),  # Framed-IP-Address, host order, 0 = none
        ("duration_s", "i4"),  # Acct-Session-Time, -1 = not reported
        ("apn", "i4"),  # text id of the canonical APN (lower case, operator identifier removed), 0 = not given
        (
            "gateway",
            "i4",
        ),  # text id of NAS-Identifier, else of NAS-IP-Address in dotted form, else of the client's name
        ("client", "i4"),  # text id of the configured client's name
        ("argument", "i4"),  # commands: binding generation expected, -1 = any; effect results: Error-Cause
        ("flags", "u2"),
        ("rat", "u1"),  # 3GPP-RAT-Type (TS 29.061 16.4.7.2), 0 = not reported
        ("software", "i1"),  # IMEISV software version 0..99, -1 = not reported
        ("kind", "u1"),
        ("cause", "u1"),  # Acct-Terminate-Cause (RFC 2866 5.10); effect results: EFFECT_ACK and so on
        ("session_id_octets", "u1"),
        ("identifier", "u1"),  # RADIUS identifier, for the audit; not used by the fold
        ("session_id", "u1", (SESSION_ID_OCTETS,)),  # raw Acct-Session-Id, zero padded
        (
            "prefix_high",
            "i8",
        ),  # Framed-IPv6-Prefix, upper 64 bits; with length 128 of Framed-IPv6-Address alone; plan: from when, us
        ("prefix_low", "i8"),  # and the lower 64 bits; plan: until when, us
        ("delegated_high", "i8"),  # Delegated-IPv6-Prefix, its upper 64 bits; plan, unplan: number of the work order
        ("class_token", "i8"),  # sequence of the decision that a Class of ours names; 0 = no Class of ours
        ("multi_session", "i8"),  # 63-bit hash of Acct-Multi-Session-Id, 0 = not given
        ("class_row", "i4"),  # with class_token: row of the subscription that was decided on
        ("class_check", "u4"),  # and what tells whether the row still is that subscription's
        ("prefix_length", "u1"),  # 0 = no prefix and no IPv6 address reported
        ("delegated_length", "u1"),  # 0 = none reported
        ("pdp_type", "u1"),  # 3GPP-PDP-Type + 1 (TS 29.061 16.4.7.2, 3), 0 = not reported
        ("credentials", "u1"),  # CREDENTIALS_*
        ("spare", "u1", (4,)),  # no gaps: a copy of a row must be equal to the byte
        ("ipv6_high", "i8"),  # Framed-IPv6-Address, its upper 64 bits; with a lower half of 0 too: not reported
        ("ipv6_low", "i8"),  # and the lower 64 bits
    ],
    align=True,
)

# Kinds. Appended only.
ACCESS_REQUEST = 1
ACCOUNTING_START = 2
ACCOUNTING_INTERIM = 3
ACCOUNTING_STOP = 4
ACCOUNTING_ON = 5
ACCOUNTING_OFF = 6
TICK = 10
COMMAND_LOCK = 20
COMMAND_RELEASE = 21
COMMAND_DISCONNECT = 22
COMMAND_PAUSE = 23  # global: responses above notify are held
COMMAND_RESUME = 24
COMMAND_PLAN = 25  # a work order: what of this subscription may change, and when
COMMAND_UNPLAN = 26  # and that it may no longer
COMMAND_QUARANTINE = 27
COMMAND_BIND = 28  # to a device (`imei`, 0 = the one seen last), or with FLAG_AREA to the area of its use case
COMMAND_UNBIND = 29
COMMANDS = range(COMMAND_LOCK, COMMAND_UNBIND + 1)
EFFECT_RESULT = 30  # what a gateway said to a Disconnect-Request (or that it said nothing)
CHANGE_RESULT = 31  # and to a CoA-Request

KIND_NAMES = {
    ACCESS_REQUEST: "access-request",
    ACCOUNTING_START: "accounting-start",
    ACCOUNTING_INTERIM: "accounting-interim",
    ACCOUNTING_STOP: "accounting-stop",
    ACCOUNTING_ON: "accounting-on",
    ACCOUNTING_OFF: "accounting-off",
    TICK: "tick",
    COMMAND_LOCK: "lock",
    COMMAND_RELEASE: "release",
    COMMAND_DISCONNECT: "disconnect",
    COMMAND_PAUSE: "pause",
    COMMAND_RESUME: "resume",
    COMMAND_PLAN: "plan",
    COMMAND_UNPLAN: "unplan",
    COMMAND_QUARANTINE: "quarantine",
    COMMAND_BIND: "bind",
    COMMAND_UNBIND: "unbind",
    EFFECT_RESULT: "effect-result",
    CHANGE_RESULT: "change-result",
}

# Flags.
FLAG_IMEI_UNREADABLE = 1  # 3GPP-IMEISV was there but is no IMEI
FLAG_LOCATION_UNREADABLE = 2  # 3GPP-User-Location-Info was there but cannot be read
FLAG_SESSION_ID_CUT = 4  # Acct-Session-Id is longer than 48: 40 octets kept, 8 octets of its hash
FLAG_TIMESTAMP = 8  # happened_at comes from Event-Timestamp
FLAG_APN_UNKNOWN_TEXT = 16  # the table of texts was full: the APN is not kept
FLAG_AUTOMATION = 32  # a command of an automation: it passes the use case's limits; a person's does not
FLAG_REBIND = 64  # release: the next device that is allowed becomes the bound one
FLAG_PREFIX_UNREADABLE = 128  # an IPv6 attribute was there but is no prefix or address
FLAG_PLAN_DEVICE = 256  # plan: the device may change
FLAG_PLAN_PLACE = 512  # plan: the place may change
FLAG_AREA = 1024  # bind, unbind: it is about the area, not about the device

# Credentials, as far as the APN's segment asked for them when the request came.
CREDENTIALS_NOT_ASKED, CREDENTIALS_RIGHT, CREDENTIALS_WRONG, CREDENTIALS_MISSING = 0, 1, 2, 3
CREDENTIALS_NAMES = ("", "right", "wrong", "missing")

# 3GPP-PDP-Type (TS 29.061 16.4.7.2, 3), one more than on the wire.
PDP_IPV4, PDP_PPP, PDP_IPV6, PDP_IPV4V6, PDP_NON_IP, PDP_UNSTRUCTURED, PDP_ETHERNET = 1, 2, 3, 4, 5, 6, 7
PDP_NAMES = ("", "ipv4", "ppp", "ipv6", "ipv4v6", "non-ip", "unstructured", "ethernet")

SESSION_CONTEXT_NOT_FOUND = 503
"""Error-Cause (RFC 5176 3.5) of a gateway that has no such session: as good a proof as an ACK."""

# EFFECT_RESULT and CHANGE_RESULT causes.
EFFECT_ACK, EFFECT_NAK, EFFECT_SILENCE, EFFECT_NOT_SENT = 1, 2, 3, 4
EFFECT_RESULT_NAMES = ("", "ack", "nak", "silence", "not-sent")


_SAYS_NOTHING = np.zeros(1, EVENT)
for _name in ("uplink_octets", "downlink_octets", "area", "duration_s", "argument", "software"):
    _SAYS_NOTHING[_name] = -1


def empty(count: int) -> np.ndarray:
    """An array of events that report nothing: zeros, and the sentinels for "not reported"."""
    return np.repeat(_SAYS_NOTHING, count)  # whole rows: field by field takes thirty times as long
