"""The second factor of a password: codes of time (TOTP, RFC 6238) from an app, and recovery codes for its loss."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b32encode
from typing import NamedTuple

import pyotp
import segno

STEP_S = 30
DRIFT_STEPS = 1
"""A code of the step before or after is taken too: clocks of telephones are a little wrong (RFC 6238 5.2)."""
ISSUER, QUIET = "Simward", 4
CODE = re.compile(r"\d{6}")
RECOVERY_CODE = re.compile(r"[A-Z2-7]{24}")
RECOVERY_CODES, RECOVERY_OCTETS = 8, 15
"""120 bits each: more than the 112 below which SP 800-63B 3.1.2.2 wants them stretched."""


class Offer(NamedTuple):
    """A new secret, as an app takes it."""

    secret: str
    uri: str
    size: int
    """Of `uri` as a QR code: modules on a side, quiet zone included (ISO/IEC 18004 5.3.8: four on each side)."""
    path: str
    """Its dark modules, as the `d` of an SVG path."""


def offer(name: str, secret: str = "") -> Offer:
    """A secret for the account `name`; a new one, or `secret` once more."""
    secret = secret or pyotp.random_base32()  # 160 bits, as RFC 4226 4 recommends
    uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)
    rows = list(segno.make(uri, error="m", micro=False).matrix_iter(border=QUIET))
    dark = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, module in enumerate(row) if module)
    return Offer(secret, uri, len(rows), "".join(dark))


def step_of(secret: str, shown: str, now_s: int) -> int | None:
    """The time step whose code was shown; None where it is none of now. Whether it was taken already is to be asked."""
    code = re.sub(r"[\s-]", "", shown)
    if not CODE.fullmatch(code):
        return None
    totp, found = pyotp.TOTP(secret), None
    for step in range(now_s // STEP_S - DRIFT_STEPS, now_s // STEP_S + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            found = step
    return found


def recovery_codes() -> list[str]:
    """New ones, as they are shown."""
    made = [b32encode(secrets.token_bytes(RECOVERY_OCTETS)).decode() for _ in range(RECOVERY_CODES)]
    return ["-".join(re.findall("." * 6, one)) for one in made]


def recovery_digest(shown: str) -> bytes | None:
    """What is kept of a recovery code; None where this is none."""
    code = re.sub(r"[\s-]", "", shown).upper()
    return hashlib.sha256(code.encode()).digest() if RECOVERY_CODE.fullmatch(code) else None
