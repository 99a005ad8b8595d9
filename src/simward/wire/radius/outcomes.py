"""What can become of a received packet: each outcome has a number, a name, and a counter under that name."""

from __future__ import annotations

# Answered.
ACCEPTED = 0  # became an event; answered when it is durable
STATUS_SERVER = 1  # RFC 5997: answered at once
DUPLICATE_ANSWERED = 2  # RFC 5080 2.2.2: answered again as before
ACKNOWLEDGE_ONLY = 3  # an accounting record that is no event (Tunnel-*, Failed, unknown types): answered, not kept

# Dropped without an answer.
UNKNOWN_CLIENT = 4  # RFC 2865 3: a source without a shared secret MUST be silently discarded
TOO_SHORT = 5  # fewer than 20 octets
BAD_LENGTH = 6  # RFC 2865 3: Length below 20, above 4096, or above what came; or more than 4096 octets came
BAD_CODE = 7  # no request, or not one for this socket
MALFORMED_ATTRIBUTE = 8  # attributes do not fill the packet exactly, or one has a length below 2
PROXY_LOOP = 9  # more Proxy-State attributes than any honest chain of proxies adds
BAD_AUTHENTICATOR = 10  # RFC 2866 3: the Request Authenticator of an Accounting-Request is wrong
MISSING_MESSAGE_AUTHENTICATOR = 11  # required by configuration, by RFC 5997 3, or by RFC 3579 3.2 (EAP)
BAD_MESSAGE_AUTHENTICATOR = 12  # RFC 3579 3.2: wrong, of wrong length, or more than one
INVALID_ATTRIBUTE = 13  # RFC 2866 5: a field of wrong length in an Accounting-Request
MISSING_STATUS_TYPE = 14  # RFC 2866 5.1: without Acct-Status-Type it says nothing
DUPLICATE_IN_FLIGHT = 15  # RFC 5080 2.2.2: the first copy is still being decided on
UNSIGNED_PROXY_STATE = 16  # CVE-2024-3596: Proxy-State in an Access-Request without Message-Authenticator

OUTCOMES = (
    "accepted", "status_server", "duplicate_answered", "acknowledge_only", "unknown_client", "too_short", "bad_length",
    "bad_code", "malformed_attribute", "proxy_loop", "bad_authenticator", "missing_message_authenticator",
    "bad_message_authenticator", "invalid_attribute", "missing_status_type", "duplicate_in_flight",
    "unsigned_proxy_state",
)
"""Name by number."""

FIRST_DROPPED = UNKNOWN_CLIENT
"""Outcomes from here on are drops."""
