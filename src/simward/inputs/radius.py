"""RADIUS requests of a capture as events, through the gate's own receiver: what is verified live is verified here."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

import numpy as np

from simward.engine.events import FLAG_TIMESTAMP
from simward.engine.texts import Texts
from simward.inputs.capture import ROWS, Capture, Requests
from simward.wire.radius.batch import PacketBatch
from simward.wire.radius.clients import ClientTable, GatewayLike
from simward.wire.radius.outcomes import (
    BAD_AUTHENTICATOR,
    BAD_MESSAGE_AUTHENTICATOR,
    MISSING_MESSAGE_AUTHENTICATOR,
    OUTCOMES,
    UNKNOWN_CLIENT,
)
from simward.wire.radius.receive import Decoded, Receiver

UNVERIFIED = "unverified"
"""The client that events have whose packets nobody has proved."""
NOT_PROVED = (UNKNOWN_CLIENT, BAD_AUTHENTICATOR, MISSING_MESSAGE_AUTHENTICATOR, BAD_MESSAGE_AUTHENTICATOR)
ACCOUNTING_REQUEST, MESSAGE_AUTHENTICATOR, HEADER, PACKET_OCTETS_MAX = 4, 80, 20, 4096
_OWN_SECRET = b"known to this process alone, which signs what it was told to take"


@dataclass(frozen=True)
class _Anybody:
    """A client for `--unverified`: everyone, with a secret of our own."""

    name: str
    network: IPv4Network | IPv6Network
    secret: bytes = _OWN_SECRET
    require_message_authenticator: bool = False
    limit_proxy_state: bool = False


class CaptureEvents:
    """Events of one capture, in its order. `counts` says by name what became of its packets."""

    def __init__(
        self, path: Path, ports: np.ndarray, gateways: Sequence[GatewayLike], texts: Texts, *, unverified: bool = False
    ) -> None:
        self.capture = Capture(path, ports)
        self._receiver = Receiver(ClientTable(gateways, texts), texts)
        self._anybody: Receiver | None = None
        if unverified:
            everyone = [_Anybody(UNVERIFIED, ip_network(one)) for one in ("0.0.0.0/0", "::/0")]
            self._anybody = Receiver(ClientTable(everyone, texts), texts)
            self._signed = PacketBatch(ROWS)

    @property
    def counts(self) -> dict[str, int]:
        """Frames of the capture and outcomes of requests (outcomes.py), those that there were."""
        outcomes = dict(zip(OUTCOMES, self._receiver.counts.tolist()))
        if self._anybody is not None:
            said = dict(zip(OUTCOMES, self._anybody.counts.tolist()))
            for number in NOT_PROVED:
                outcomes[OUTCOMES[number]] = 0  # judged again, and counted there
            outcomes = {name: count + said[name] for name, count in outcomes.items()}
            outcomes[UNVERIFIED] = said[OUTCOMES[0]]
        return {name: count for name, count in {**self.capture.counts, **outcomes}.items() if count}

    def events(self) -> Iterator[np.ndarray]:
        """EVENT rows, a batch at a time, ordered by when they were captured within it."""
        for requests in self.capture.requests():
            # All of a batch is received within two seconds: one time serves for telling retransmissions.
            now = int(requests.times[0])
            decoded = self._receiver.decode(requests.batch, now)
            made = [_timed(decoded, requests.times, now)]
            if self._anybody is not None:
                made += self._unproved(requests, decoded, now)
            events = np.concatenate(made)
            if len(events):
                yield events[np.argsort(events["received_at"], kind="stable")]

    def _unproved(self, requests: Requests, decoded: Decoded, now: int) -> list[np.ndarray]:
        """What was left out only for want of proof: signed here, so that the receiver need not be told to look away."""
        assert self._anybody is not None
        rows = np.flatnonzero(np.isin(decoded.status, NOT_PROVED))
        if not len(rows):
            return []
        batch, signed = requests.batch, self._signed
        signed.clear()
        for row in rows.tolist():
            octets = batch.octets[row, : min(int(batch.lengths[row]), PACKET_OCTETS_MAX)].tobytes()
            address = batch.addresses[row, : int(batch.address_lengths[row])].tobytes()
            signed.add(_sign(octets), address, int(batch.port_kind[row]))
        return [_timed(self._anybody.decode(signed, now), requests.times[rows], now)]


def _timed(decoded: Decoded, times: np.ndarray, now: int) -> np.ndarray:
    """A copy of the events with the times at which they were captured in place of `now`."""
    events = decoded.events.view(np.ndarray).copy()
    captured = times[decoded.packet_of]
    events["received_at"] = captured
    stamped = (events["flags"] & FLAG_TIMESTAMP) != 0
    events["happened_at"] += np.where(stamped, 0, captured - now)
    return events


def _sign(octets: bytes) -> bytes:
    """The packet as a client with our own secret would have signed it; as it is where it is no packet."""
    size = int.from_bytes(octets[2:4], "big")
    if not HEADER <= size <= len(octets):
        return octets
    packet = bytearray(octets[:size])
    at = _message_authenticator(packet)
    if at < 0 and packet[0] != ACCOUNTING_REQUEST and size + 18 <= PACKET_OCTETS_MAX:
        at = size + 2
        packet += bytes([MESSAGE_AUTHENTICATOR, 18]) + bytes(16)
        packet[2:4] = len(packet).to_bytes(2, "big")
    accounting = packet[0] == ACCOUNTING_REQUEST
    if accounting:
        packet[4:20] = bytes(16)  # RFC 2866 3, and RFC 3579 3.2 for what is signed inside
    if at >= 0:
        packet[at : at + 16] = bytes(16)
        packet[at : at + 16] = hmac.new(_OWN_SECRET, bytes(packet), hashlib.md5).digest()
    if accounting:
        packet[4:20] = hashlib.md5(bytes(packet) + _OWN_SECRET).digest()
    return bytes(packet)


def _message_authenticator(packet: bytearray) -> int:
    """Where the value of the Message-Authenticator begins, -1 where there is none of the right length."""
    at = HEADER
    while at + 2 <= len(packet) and packet[at + 1] >= 2:
        if packet[at] == MESSAGE_AUTHENTICATOR and packet[at + 1] == 18 and at + 18 <= len(packet):
            return at + 2
        at += packet[at + 1]
    return -1
