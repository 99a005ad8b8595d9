"""Lets in whoever shows a JWT access token of an issuer that the settings name (RFC 9068).

Three-legged tokens are about a device: the claim that names its phone number says so. Two-legged ones have no such
claim, and their requests name the device.
"""

from __future__ import annotations

import json
import logging
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from simward.control.api.permissions import PERMISSIONS
from simward.control.api.principals import Principal
from simward.control.api.scopes import SCOPES
from simward.control.oauth.keys import Keys
from simward.logs import called
from simward.settings_camara import Issuer

log = logging.getLogger(__name__)

OCTETS_MAX = 16 * 1024
LEEWAY_S = 30
"""The issuer's clock and ours may differ by so much."""
TYPES = ("at+jwt", "application/at+jwt")  # RFC 9068 4: an ID token must not pass for an access token
FORM = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
NUMBER = re.compile(r"\+[1-9][0-9]{4,14}")
NEEDED = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")  # RFC 9068 2.2
NAME_CHARACTERS, CLIENT_CHARACTERS_MAX = 64, 256


class Wrong(Exception):
    """A token that opens nothing; says why, for the log."""


class IssuedTokens:
    """An Authenticator."""

    def __init__(
        self, issuers: Sequence[Issuer], now_s: Callable[[], float] = time.time,
        keys_of: Callable[[Issuer], Keys] = Keys,
    ) -> None:
        self._issuers = {one.issuer: (one, keys_of(one)) for one in issuers}
        self._now_s = now_s

    async def authenticate(self, headers: Mapping[bytes, bytes]) -> Principal | None:
        """See Authenticator."""
        scheme, _, shown = headers.get(b"authorization", b"").partition(b" ")
        shown = shown.strip()
        if not self._issuers or scheme.lower() != b"bearer" or len(shown) > OCTETS_MAX or not FORM.fullmatch(shown):
            return None
        try:
            return await self._principal(shown)
        except Wrong as wrong:
            log.info("an access token opens nothing: %s", wrong, extra=called("access-token-refused"))
            return None

    async def _principal(self, shown: bytes) -> Principal:
        header, said = (_unproved(part) for part in shown.split(b".")[:2])
        issuer, keys = self._issuers.get(str(said.get("iss")), (None, None))
        if issuer is None or keys is None:
            raise Wrong("its issuer is not one of the settings")
        if str(header.get("typ", "")).lower() not in TYPES:
            raise Wrong(f"it is no access token of {issuer.name} (typ)")
        if header.get("alg") not in issuer.algorithms:
            raise Wrong(f"it is signed in a way that {issuer.name} is not to use (alg)")
        key_id = header.get("kid")
        found = await keys.find(str(key_id) if key_id is not None else None)
        if found is None:
            raise Wrong(f"{issuer.name} has no such key")
        try:
            claims = jwt.decode(shown, found, algorithms=list(issuer.algorithms)).claims
        except (JoseError, ValueError) as error:
            raise Wrong(f"its signature does not hold: {type(error).__name__}") from None
        check(claims, issuer, self._now_s())
        return principal_of(claims, issuer)


def check(claims: Mapping[str, Any], issuer: Issuer, now_s: float) -> None:
    """Is what is proved to be said by the issuer said to us, and now? Raises Wrong (RFC 9068 4)."""
    missing = [name for name in NEEDED if claims.get(name) in (None, "", [])]
    if missing:
        raise Wrong(f"it lacks {', '.join(missing)}")
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if claims["iss"] != issuer.issuer or issuer.audience not in audience:
        raise Wrong("it is for somebody else (aud)")
    for name in ("exp", "iat", "nbf"):
        moment = claims.get(name, now_s if name == "nbf" else None)
        if isinstance(moment, bool) or not isinstance(moment, int | float):
            raise Wrong(f"its {name} is no time")
        if (name == "exp" and now_s >= moment + LEEWAY_S) or (name != "exp" and moment > now_s + LEEWAY_S):
            raise Wrong(f"its time is over, or has not come ({name})")


def principal_of(claims: Mapping[str, Any], issuer: Issuer) -> Principal:
    """Who it is, and what its scopes let it do. Raises Wrong."""
    scope = claims.get("scope", "")
    scopes = scope.split() if isinstance(scope, str) else []
    # CAMARA's scopes are permissions as they are; what else an issuer says means only what the settings give it.
    named = {issuer.scopes.get(one, one if one in SCOPES else "") for one in scopes}
    permissions = frozenset(named & set(PERMISSIONS))
    number = claims.get(issuer.number_claim)
    if number is not None and not (isinstance(number, str) and NUMBER.fullmatch(number)):
        raise Wrong(f"its {issuer.number_claim} is no phone number")
    client = claims["client_id"]
    if not isinstance(client, str) or len(client) > CLIENT_CHARACTERS_MAX or not client.isprintable():
        raise Wrong("its client_id is no name")
    return Principal(
        f"client {client[:NAME_CHARACTERS]} of {issuer.name}", lambda permission, iccid: permission in permissions,
        tenant=issuer.tenant, client=f"{issuer.name}:{client}", number=number,
    )  # fmt: skip


def _unproved(part: bytes) -> dict[str, Any]:
    """A part of a JWT before anything is proved of it: only to know which key to ask for."""
    try:
        document = json.loads(urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        raise Wrong("it cannot be read") from None
    if not isinstance(document, dict):
        raise Wrong("it cannot be read")
    return document
