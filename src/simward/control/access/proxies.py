"""Proxies that do TLS in front of the API: whom they speak for, and that nobody passes them by.

What a client itself writes into X-Forwarded-For is worth nothing: each proxy appends who spoke to it (RFC 7239 5.2,
7.4), so that the last address that is no proxy of ours is the one that we know.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from starlette.types import Scope

from simward.control.api.problems import Problem
from simward.settings import ControlSettings

FOR = re.compile(r"for=(\"[^\"]*\"|[^;,\"\s]+)", re.IGNORECASE)
OPEN_WITHOUT = ("/healthz", "/readyz")
"""What whoever watches the machine may ask without going through a proxy."""
Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """Those of the settings."""

    def __init__(self, control: ControlSettings) -> None:
        self._networks, self._header = control.proxies, control.proxy_header.encode()

    def hold(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Let in who comes by a proxy or from this machine; the scope says then who it really is. Raises Problem."""
        peer = _ip(scope["client"][0]) if scope.get("client") else None
        if not self._networks or peer is None:
            return
        if not self._is_proxy(peer):
            if not peer.is_loopback and scope["path"] not in OPEN_WITHOUT:
                said = "Passwords and tokens come by TLS alone, through a proxy: ask at its address."
                raise Problem(403, "without-tls", "Not without TLS", said)
            return
        scope["client"] = (str(self._behind(peer, headers.get(self._header, b"").decode("latin-1"))), 0)

    def _behind(self, peer: Ip, said: str) -> Ip:
        """The last that is no proxy; what cannot be read ends the search, since nothing before it can be believed."""
        found = peer
        for one in reversed(said.split(",")):
            if self._header == b"forwarded":
                match = FOR.search(one)
                one = match[1] if match else ""
            address = _ip(one.strip().strip('"'))
            if address is None:
                break
            found = address
            if not self._is_proxy(address):
                break
        return found

    def _is_proxy(self, address: Ip) -> bool:
        return any(address.version == one.version and address in one for one in self._networks)


def _ip(text: str) -> Ip | None:
    """192.0.2.1, 192.0.2.1:4711, 2001:db8::1, [2001:db8::1], [2001:db8::1]:4711 (RFC 7239 6)."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
