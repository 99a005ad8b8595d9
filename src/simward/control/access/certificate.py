"""The certificate that the API is served with (TLS 1.2 and 1.3), read anew whenever its files change.

Each reading makes a context of its own. Connections that are up keep theirs; those that come get the newest. (Loading
into a context that is in use would keep, beside a new elliptic-curve certificate, the old one of RSA.)
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509

from simward import errors
from simward.control.readiness import Condition
from simward.engine.phrases import when
from simward.logs import called
from simward.settings import Settings

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
# For TLS 1.2: forward secrecy and authenticated encryption alone (RFC 9325 4.2). TLS 1.3 has nothing else.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
Seen = tuple[tuple[int, int, int], ...]


class Certificate:
    """A chain and its key, from PEM files: a Part that looks whether they have changed, saying how long it is good."""

    def __init__(self, chain: Path, key: Path) -> None:
        """ConfigurationError where they cannot be used."""
        self._chain, self._key = chain, key
        self._tried = self._seen()
        try:
            self.context, self.ends_at = _read(chain, key)
        except (OSError, ValueError) as error:
            what = f"cannot be served with: {_words(error)}"
            raise errors.ConfigurationError([errors.Problem(str(chain), 1, "", what)]) from None
        if key.stat().st_mode & 0o004:
            log.warning(
                "%s holds a private key, and everybody may read it: chmod 600", key, extra=called("private-key-open"),
            )

    @staticmethod
    def of(settings: Settings) -> Certificate | None:
        """That of a working folder; None where it serves without TLS."""
        control = settings.control
        if not control.tls_certificate:
            return None
        return Certificate(settings.dir / control.tls_certificate, settings.dir / control.tls_key)

    def look(self) -> bool:
        """Read them if they changed; True where they did. What cannot be used is said once, and changes nothing."""
        seen = self._seen()
        if seen == self._tried:
            return False
        self._tried = seen
        try:
            self.context, self.ends_at = _read(self._chain, self._key)
        except (OSError, ValueError) as error:
            log.error(
                "CERTIFICATE NOT CHANGED: %s cannot be served with: %s", self._chain, _words(error),
                extra=called("certificate-not-changed"),
            )
            return False
        log.info(
            "serving with %s as it is now, until %s", self._chain, when(self.ends_at * 1_000_000),
            extra=called("certificate-changed"),
        )
        return True

    async def run(self) -> None:
        """See Part."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    async def conditions(self) -> Mapping[str, Condition]:
        """One, `certificate`: is it still good?"""
        until = when(self.ends_at * 1_000_000)
        good = time.time() < self.ends_at
        said = f"{'is good until' if good else 'ended at'} {until}"
        return {"certificate": Condition(good, said, {"ends_at": until})}

    def _seen(self) -> Seen:
        try:
            found = [path.stat() for path in (self._chain, self._key)]
        except OSError:
            return ()
        return tuple((one.st_mtime_ns, one.st_ino, one.st_size) for one in found)


def _read(chain: Path, key: Path) -> tuple[ssl.SSLContext, int]:
    """A context for servers, and when the certificate ends (s UTC). OSError, ValueError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(chain, key, _no_password)
    first = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    return context, int(first.not_valid_after_utc.timestamp())


def _no_password() -> str:
    raise ValueError("its key has a password, which nobody is there to type: keep it without one (mode 0600)")


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return {"KEY_VALUES_MISMATCH": "the key is that of another certificate"}.get(error.reason, error.reason)
    return (error.strerror if isinstance(error, OSError) else None) or str(error)

