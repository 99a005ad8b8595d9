"""The public keys of an issuer: from a file or a URL, kept for an hour, asked for anew where a token names another."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from simward.logs import called
from simward.settings_camara import Issuer

log = logging.getLogger(__name__)

FRESH_S = 3600.0
ASK_EVERY_S = 30.0
"""Not more often than this, whatever tokens come: who makes up key ids must not have us ask for each."""
ANSWER_WITHIN_S = 5.0
OCTETS_MAX = 256 * 1024


class KeysUnreadable(Exception):
    """An issuer's keys cannot be had, or are none."""


class Keys:
    """Of one issuer."""

    def __init__(
        self, issuer: Issuer, fetch: Callable[[str], Awaitable[bytes]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._issuer, self._fetch, self._monotonic = issuer, fetch or fetched, monotonic
        self._keys: dict[str | None, KeySet] = {}
        self._read_at = self._asked_at = -FRESH_S
        self._asking = asyncio.Lock()

    async def find(self, key_id: str | None) -> KeySet | None:
        """The keys that may have signed what names this key id; None where the issuer has no such key."""
        if self._monotonic() - self._read_at >= FRESH_S or not self._named(key_id):
            await self._refresh(key_id)
        return self._named(key_id)

    def _named(self, key_id: str | None) -> KeySet | None:
        return self._keys.get(key_id)

    async def _refresh(self, key_id: str | None) -> None:
        async with self._asking:
            now = self._monotonic()
            fresh = now - self._read_at < FRESH_S and self._named(key_id) is not None
            if fresh or now - self._asked_at < ASK_EVERY_S:
                return
            self._asked_at = now
            try:
                self._keys = sorted_out(await self._read())
                self._read_at = now
            except KeysUnreadable as error:  # what is known stays: an issuer that is down has not changed its keys
                log.warning(
                    "the keys of issuer %s cannot be read: %s", self._issuer.name, error,
                    extra=called("issuer-keys-unreadable"),
                )

    async def _read(self) -> bytes:
        if self._issuer.jwks_file is None:
            return await self._fetch(self._issuer.jwks_url)
        try:
            return await asyncio.to_thread(Path(self._issuer.jwks_file).read_bytes)
        except OSError as error:
            raise KeysUnreadable(str(error)) from None


def sorted_out(octets: bytes) -> dict[str | None, KeySet]:
    """Keys by their id, and under None all of them; what is for encryption, or is a shared secret, is left out.

    Raises KeysUnreadable.
    """
    try:
        document = json.loads(octets)
        wanted = [
            one for one in document["keys"] if one.get("use", "sig") == "sig" and one.get("kty") in ("RSA", "EC", "OKP")
        ]
        sorted_keys: dict[str | None, KeySet] = {
            str(one["kid"]): KeySet.import_key_set({"keys": [one]}) for one in wanted if "kid" in one
        }
        return sorted_keys | ({None: KeySet.import_key_set({"keys": wanted})} if wanted else {})
    except (ValueError, TypeError, KeyError, AttributeError, JoseError) as error:
        raise KeysUnreadable(f"no set of keys (RFC 7517 5): {type(error).__name__}") from None


async def fetched(url: str) -> bytes:
    """What is at a URL. Nothing of the environment counts and no redirect is followed. Raises KeysUnreadable."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S), httpx.AsyncClient(trust_env=False) as client:
            async with client.stream("GET", url, headers={"accept": "application/json"}) as response:
                if response.status_code != 200:
                    raise KeysUnreadable(f"it answered {response.status_code}")
                octets = bytearray()
                async for piece in response.aiter_bytes():
                    octets += piece
                    if len(octets) > OCTETS_MAX:
                        raise KeysUnreadable(f"it answered with more than {OCTETS_MAX} octets")
                return bytes(octets)
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        raise KeysUnreadable(str(error) or type(error).__name__) from None
