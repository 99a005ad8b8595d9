"""Certificates as an authority gives them, made for a test."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

PEM, NO_PASSWORD = serialization.Encoding.PEM, serialization.NoEncryption()


class Authority:
    """One, which `trust` trusts; it certifies 127.0.0.1."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Test authority")
        self._made = _certificate(self._name, self._name, self._key.public_key(), self._key, is_authority=True)

    def issue(self, folder: Path, name: str = "simward", *, by_rsa: bool = False) -> tuple[Path, Path]:
        """A new chain and key, as files there."""
        key = rsa.generate_private_key(65537, 2048) if by_rsa else ec.generate_private_key(ec.SECP256R1())
        made = _certificate(_name(name), self._name, key.public_key(), self._key)
        chain, kept = folder / "chain.pem", folder / "key.pem"
        kept.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, NO_PASSWORD))
        kept.chmod(0o600)
        chain.write_bytes(made.public_bytes(PEM) + self._made.public_bytes(PEM))
        return chain, kept

    def trust(self) -> ssl.SSLContext:
        """What a client that trusts it, and nobody else, connects with."""
        return ssl.create_default_context(cadata=self._made.public_bytes(PEM).decode())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    by: ec.EllipticCurvePrivateKey, *, is_authority: bool = False,
) -> x509.Certificate:  # fmt: skip
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(names, critical=False)
        .sign(by, hashes.SHA256())
    )
