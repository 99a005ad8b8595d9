"""Which configured client a packet comes from, found by source address in compiled code, longest prefix first."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple, Protocol

import numpy as np

from simward import compiled
from simward.engine.texts import Texts
from simward.wire.radius import compiling, md5, octets
from simward.wire.radius.batch import IPV4_OCTETS
from simward.wire.radius.compiling import uncounted
from simward.wire.radius.octets import i64, mix, u32

SECRET_OCTETS_MAX = 1024
V4_MAPPED = 0xFFFF << 32
"""RFC 4291 2.5.5.2: an IPv4 address is looked up as ::ffff:a.b.c.d, however the socket showed it."""
V4_PREFIX = 96

CLIENT = np.dtype(
    [
        ("name", "i4"), ("secret_start", "i4"), ("secret_octets", "i4"), ("require_message_authenticator", "i4"),
        ("limit_proxy_state", "i4"),
    ],
    align=True,
)
NETWORK = np.dtype([("high", "i8"), ("low", "i8"), ("prefix", "i4"), ("client", "i4")], align=True)
MASK = np.dtype([("high", "i8"), ("low", "i8"), ("prefix", "i8")], align=True)


class GatewayLike(Protocol):
    """What settings say about one RADIUS client."""

    @property
    def name(self) -> str: ...
    @property
    def network(self) -> IPv4Network | IPv6Network: ...
    @property
    def secret(self) -> bytes: ...
    @property
    def require_message_authenticator(self) -> bool: ...
    @property
    def limit_proxy_state(self) -> bool: ...


class ClientArrays(NamedTuple):
    """The table as compiled code takes it."""

    rows: np.ndarray  # CLIENT
    keys: np.ndarray  # md5.HMAC_KEY
    secrets: np.ndarray  # octets of all secrets
    slots: np.ndarray  # NETWORK, open addressing; client -1 = empty
    masks: np.ndarray  # MASK, one a prefix length in use, longest first


@uncounted
def _slot(high, low, prefix, mask):  # type: ignore[no-untyped-def]
    value = mix(np.int64(prefix), high & np.int64(0xFFFFFFFF))
    value = mix(value, (high >> np.int64(32)) & np.int64(0xFFFFFFFF))
    value = mix(value, low & np.int64(0xFFFFFFFF))
    return mix(value, (low >> np.int64(32)) & np.int64(0xFFFFFFFF)) & mask


@uncounted
def address_high(addresses, at, size):  # type: ignore[no-untyped-def]
    """The upper 64 bits of a source address in 128-bit form."""
    return np.int64(0) if size <= IPV4_OCTETS else i64(addresses, at + 8)


@uncounted
def address_low(addresses, at, size):  # type: ignore[no-untyped-def]
    """The lower 64 bits of a source address in 128-bit form."""
    return np.int64(V4_MAPPED) | u32(addresses, at + 4) if size <= IPV4_OCTETS else i64(addresses, at + 16)


@uncounted
def find_client(clients, high, low):  # type: ignore[no-untyped-def]
    """The row of the client that an address belongs to, -1 = unknown."""
    last = np.int64(len(clients.slots) - 1)
    is_v4 = high == 0 and (low >> np.int64(32)) == np.int64(0xFFFF)
    for index in range(len(clients.masks)):
        mask = clients.masks[index]
        if is_v4 and mask.prefix < V4_PREFIX:
            break  # an IPv6 network that happens to contain the mapped range does not mean IPv4 clients
        masked_high, masked_low = high & mask.high, low & mask.low
        at = _slot(masked_high, masked_low, mask.prefix, last)
        while clients.slots[at].client >= 0:
            slot = clients.slots[at]
            if slot.high == masked_high and slot.low == masked_low and slot.prefix == mask.prefix:
                return np.int64(slot.client)
            at = (at + np.int64(1)) & last
    return np.int64(-1)


@uncounted
def place_network(slots, high, low, prefix, client):  # type: ignore[no-untyped-def]
    """Enter a network; False where it is there already."""
    last = np.int64(len(slots) - 1)
    at = _slot(np.int64(high), np.int64(low), np.int64(prefix), last)
    while slots[at].client >= 0:
        slot = slots[at]
        if slot.high == high and slot.low == low and slot.prefix == prefix:
            return False
        at = (at + np.int64(1)) & last
    slots[at].high, slots[at].low, slots[at].prefix, slots[at].client = high, low, prefix, client
    return True


_place = compiled.entry(place_network, depends=[compiling, octets])


class ClientTable:
    """The clients of `simward.toml`, ready for compiled look-ups. Secrets stay inside: nothing here prints them."""

    def __init__(self, gateways: Sequence[GatewayLike], texts: Texts) -> None:
        self.names = tuple(gateway.name for gateway in gateways)
        rows = np.zeros(max(1, len(gateways)), CLIENT)
        keys = np.zeros(len(rows), md5.HMAC_KEY)
        secrets = b"".join(gateway.secret for gateway in gateways)
        start = 0
        for number, gateway in enumerate(gateways):
            if not 0 < len(gateway.secret) <= SECRET_OCTETS_MAX:
                raise ValueError(f"the secret of {gateway.name} has {len(gateway.secret)} octets: 1 to 1024 are usable")
            name = texts.intern(gateway.name.encode(), reserved=True)
            required, limited = int(gateway.require_message_authenticator), int(gateway.limit_proxy_state)
            rows[number] = (name, start, len(gateway.secret), required, limited)
            keys[number] = md5.hmac_key(gateway.secret)[0]
            start += len(gateway.secret)
        slots, masks = _networks([gateway.network for gateway in gateways])
        blob = np.frombuffer(secrets or b"\0", np.uint8).copy()
        rows, keys, slots, masks = (compiled.records(one) for one in (rows, keys, slots, masks))
        self.arrays = ClientArrays(rows, keys, blob, slots, masks)

    def __repr__(self) -> str:
        return f"ClientTable({', '.join(self.names)})"


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _networks(networks: Sequence[IPv4Network | IPv6Network]) -> tuple[np.ndarray, np.ndarray]:
    """Slots and masks of networks; the number of a network is that of its client."""
    size = 8
    while size < 4 * len(networks):
        size *= 2
    plain = np.zeros(size, NETWORK)
    slots = plain.view(np.recarray)
    slots.client = -1
    prefixes = set()
    for number, network in enumerate(networks):
        prefix = network.prefixlen + (V4_PREFIX if network.version == 4 else 0)
        whole = int(network.network_address) | (V4_MAPPED if network.version == 4 else 0)
        high, low = _signed(whole >> 64), _signed(whole & (1 << 64) - 1)
        if not _place(slots, high, low, prefix, number):
            raise ValueError(f"two clients with the network {network}")
        prefixes.add(prefix)
    masks = np.zeros(len(prefixes), MASK)
    for row, prefix in enumerate(sorted(prefixes, reverse=True)):
        whole = ((1 << prefix) - 1) << (128 - prefix)
        masks[row] = (_signed(whole >> 64), _signed(whole & (1 << 64) - 1), prefix)
    return plain, masks
