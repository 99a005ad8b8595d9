"""Which addresses may be called: public ones, and private ones where the endpoint says so."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any

import pytest

from simward.connectors import reaching
from simward.connectors.reaching import AddressNotPermitted, addresses_of, why_not
from simward.errors import PeerError


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_may_be_called(address: str) -> None:
    assert why_not(ipaddress.ip_address(address), private=False) == ""


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.1.2.3", "10.1.1.1", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "198.18.0.1",
        "192.0.2.1", "::1", "fe80::1", "fd00::1", "fec0::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "::7f00:1",
        "::ffff:0:7f00:1", "192.0.0.1",
    ],
)  # fmt: skip
def test_private_addresses_in_every_guise_only_where_they_are_permitted(address: str) -> None:
    assert why_not(ipaddress.ip_address(address), private=False)
    assert why_not(ipaddress.ip_address(address), private=True) == ""


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0", "::", "224.0.0.1", "ff02::1",
     "255.255.255.255", "240.0.0.1", "2001:0:7f00:1::", "100.100.100.200", "192.0.0.192",
     "64:ff9b::a9fe:a9fe", "::ffff:0:a9fe:a9fe"],
)  # fmt: skip
def test_some_are_nobodys_receiver(address: str) -> None:
    assert why_not(ipaddress.ip_address(address), private=True)


def test_one_bad_address_of_a_name_spoils_all(monkeypatch: pytest.MonkeyPatch) -> None:
    async def both(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AddressFamily(2), 1, 6, "", (one, 443)) for one in ("8.8.8.8", "10.0.0.1")]

    async def ask() -> list[str]:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
        return await addresses_of("app.example", 443, private=False)

    with pytest.raises(AddressNotPermitted, match=r"app\.example is at 10\.0\.0\.1, which is not permitted: private"):
        asyncio.run(ask())


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(PeerError, match="cannot be looked up"):
        asyncio.run(addresses_of("nobody.invalid", 443, private=False))  # RFC 6761 6.4
    assert reaching.METADATA
