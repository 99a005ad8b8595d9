"""A provider of OpenID Connect, as a client asks it: where its parts are, where a person goes, who came back.

The authorization code flow (OpenID Connect Core 1.0, 3.1) with PKCE (RFC 7636), state and nonce. What an ID token is
signed by comes from the provider's own keys, by asymmetric algorithms alone, whatever the token or the provider says.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from simward.settings_openid import OpenIdSettings, url_of_provider
from simward.toml_reading import Wrong

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
WITHIN_S = 10.0
METADATA_S = 3600.0
KEYS_EVERY_S = 60.0
"""Keys are fetched again for a token of a key that we have not; no more often, whoever shows such tokens."""
LEEWAY_S = 60
SUBJECT_MAX = 255
"""OpenID Connect Core 1.0, 2: `sub`."""
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
ENDPOINTS = (*NEEDED, "userinfo_endpoint", "end_session_endpoint")


class NoProvider(Exception):
    """It cannot be reached, or does not say what it has to."""


class NotProved(Exception):
    """What came back does not prove who it is."""


@dataclass(frozen=True)
class Begun:
    """A way to the provider: the address, and what the browser has to bring back from it, or keep meanwhile."""

    url: str
    state: str
    nonce: str
    verifier: str


class OpenId:
    """One provider."""

    def __init__(self, settings: OpenIdSettings, now_s: Callable[[], float] = time.time) -> None:
        """`now_s`: seconds since 1970, UTC."""
        self.settings, self._now_s = settings, now_s
        self._metadata: dict[str, Any] = {}
        self._metadata_at = self._keys_at = -METADATA_S
        self._keys: KeySet | None = None
        self._asking = asyncio.Lock()

    async def begin(self, back_to: str) -> Begun:
        """Send somebody there, who is to come back to this URL. Raises NoProvider."""
        metadata, begun = await self._known(), [secrets.token_urlsafe(32) for _ in range(3)]
        state, nonce, verifier = begun
        async with self._client(metadata, back_to) as client:
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        return Begun(url, state, nonce, verifier)

    async def claims(self, code: str, issuer: str, nonce: str, verifier: str, back_to: str) -> dict[str, Any]:
        """Who came back with this code, as claims that the provider answers for; `issuer` as the answer said it.

        Raises NoProvider, NotProved.
        """
        metadata = await self._known()
        said = metadata.get("authorization_response_iss_parameter_supported") is True
        if issuer != metadata["issuer"] and (issuer or said):  # RFC 9207 2.4: an answer of another provider
            raise NotProved("the answer is not that of the provider")
        token = await self._token(metadata, code, verifier, back_to)
        proved = await self._proved(metadata, str(token.get("id_token", "")), nonce, token.get("access_token"))
        more = await self._userinfo(metadata, proved["sub"], token.get("access_token"))
        return {**more, **proved}

    async def sign_out_url(self, back_to: str) -> str:
        """Where one signs out of the provider as well (RP-Initiated Logout 1.0, 2); empty where nowhere."""
        try:
            url = (await self._known()).get("end_session_endpoint", "")
        except NoProvider:
            return ""
        if not url:
            return ""
        asked = urlencode({"client_id": self.settings.client_id, "post_logout_redirect_uri": back_to})
        return f"{url}{'&' if '?' in url else '?'}{asked}"

    async def _known(self) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0, 4)."""
        async with self._asking:
            if self._metadata and time.monotonic() - self._metadata_at < METADATA_S:
                return self._metadata
            url = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
            said = await self._get(url)
            if said.get("issuer") != self.settings.issuer:  # 4.3: they have to be the same, to the letter
                raise NoProvider(f"{url} is of issuer {said.get('issuer')!r}, and the settings have another")
            try:
                found = {name: url_of_endpoint(said[name]) for name in ENDPOINTS if said.get(name) or name in NEEDED}
            except (KeyError, Wrong) as error:
                raise NoProvider(f"{url} is not what it should be: {error}") from None
            self._metadata, self._metadata_at = {**said, **found}, time.monotonic()
            return self._metadata

    async def _token(self, metadata: Mapping[str, Any], code: str, verifier: str, back_to: str) -> dict[str, Any]:
        from authlib.common.errors import AuthlibBaseError

        try:
            async with asyncio.timeout(WITHIN_S), self._client(metadata, back_to) as client:
                got = await client.fetch_token(metadata["token_endpoint"], code=code, code_verifier=verifier)
                return dict(got)
        except AuthlibBaseError as error:
            raise NotProved(f"the provider does not take the code: {error}") from None
        except (httpx.HTTPError, TimeoutError, ValueError, TypeError) as error:
            raise NoProvider(f"{metadata['token_endpoint']}: {type(error).__name__} {error}") from None

    async def _proved(self, metadata: Mapping[str, Any], token: str, nonce: str, access_token: Any) -> dict[str, Any]:
        """The claims of an ID token that is theirs, ours, of this sign-in and of now (Core 1.0, 3.1.3.7)."""
        from authlib.oidc.core import CodeIDToken

        try:
            try:
                decoded = jwt.decode(token, await self._key_set(metadata), registry=_registry())
            except InvalidKeyIdError:
                decoded = jwt.decode(token, await self._key_set(metadata, again=True), registry=_registry())
            expected = {"client_id": self.settings.client_id, "nonce": nonce, "access_token": access_token}
            options = {
                "iss": {"essential": True, "value": metadata["issuer"]},
                "aud": {"essential": True, "value": self.settings.client_id},
            }
            claims = CodeIDToken(decoded.claims, decoded.header, options, expected)
            claims.validate(now=int(self._now_s()), leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise NotProved(f"the ID token proves nothing: {error}") from None
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_MAX:
            raise NotProved("the ID token proves nothing: no sub")
        return dict(claims)

    async def _userinfo(self, metadata: Mapping[str, Any], subject: str, access_token: Any) -> dict[str, Any]:
        """What the provider says besides: many say groups there alone."""
        url = metadata.get("userinfo_endpoint")
        if not url or not isinstance(access_token, str):
            return {}
        said = await self._get(url, {"Authorization": f"Bearer {access_token}"})
        if said.get("sub") != subject:  # Core 1.0, 5.3.2: it could be of somebody else
            raise NotProved("userinfo is of somebody else")
        return said

    async def _key_set(self, metadata: Mapping[str, Any], *, again: bool = False) -> KeySet:
        async with self._asking:
            old = time.monotonic() - self._keys_at
            if self._keys is None or old >= METADATA_S or (again and old >= KEYS_EVERY_S):
                self._keys = KeySet.import_key_set(await self._get(metadata["jwks_uri"]))  # type: ignore[arg-type]
                self._keys_at = time.monotonic()
            return self._keys

    async def _get(self, url: str, headers: Mapping[str, str] = {}) -> dict[str, Any]:
        try:
            async with asyncio.timeout(WITHIN_S), httpx.AsyncClient(timeout=WITHIN_S) as client:
                answer = await client.get(url, headers=dict(headers))
                answer.raise_for_status()
                said = answer.json()
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            raise NoProvider(f"{url}: {type(error).__name__} {error}") from None
        if not isinstance(said, dict):
            raise NoProvider(f"{url}: no object")
        return said

    def _client(self, metadata: Mapping[str, Any], back_to: str) -> Any:
        client = _client_class()
        ways = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])  # Discovery 1.0, 3
        way = "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
        return client(
            self.settings.client_id, self.settings.client_secret or None, scope=" ".join(self.settings.scopes),
            token_endpoint_auth_method=way if self.settings.client_secret else "none", redirect_uri=back_to,
            code_challenge_method="S256", timeout=WITHIN_S,
        )  # fmt: skip


def url_of_endpoint(raw: object) -> str:
    """Of a provider; without TLS on this machine alone. Raises Wrong."""
    text = str(raw)
    url_of_provider(text.partition("?")[0])
    return text


def _registry() -> JWSRegistry:
    # Members of a header that we do not know are no reason to refuse it (RFC 7515 4); critical ones are.
    return JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


def _client_class() -> Any:
    import authlib.deprecate  # sets its own filter, which would come before ours

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", authlib.deprecate.AuthlibDeprecationWarning)
        from authlib.integrations.httpx_client import AsyncOAuth2Client
    return AsyncOAuth2Client
