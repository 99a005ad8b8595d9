"""EVENT rows as a capture (pcap) of the RADIUS packets that gateways would have sent, with their times and secrets."""

from __future__ import annotations

import socket
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from simward.engine import events as ev
from simward.errors import UsageError
from simward.identity import CELL_SHIFT, iccid_text, imsi_text, msisdn_text, plmn_text, rat_text
from simward.lab import packets
from simward.lab.fleet import Device, Place, Subscription
from simward.lab.packets import Bearer, Nas, Usage
from simward.lab.traffic.kinds import APNS, KINDS
from simward.lab.traffic.members import GATEWAYS, SECOND_US, Members
from simward.settings import Settings

# https://www.tcpdump.org/manpages/pcap-savefile.5.html: microseconds, and link type 101: raw IP.
PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)
STATUSES = {
    ev.ACCOUNTING_START: packets.START, ev.ACCOUNTING_INTERIM: packets.INTERIM, ev.ACCOUNTING_STOP: packets.STOP,
}  # fmt: skip
SENT_LATELY = 65_536
"""So many packets are remembered, since one that is sent again is the same octets."""
SOURCE_PORT = 20_000


class Captured:
    """One file, open until it is closed. Texts of its events are numbered by their places in APNS and GATEWAYS."""

    def __init__(self, path: Path, settings: Settings, members: Members) -> None:
        """UsageError where simward.toml lacks one of the gateways."""
        by_name = {one.name: one for one in settings.gateways}
        missing = [name for name in GATEWAYS if name not in by_name]
        if missing:
            raise UsageError(f"simward.toml has no gateway {missing[0]!r}")
        self._nas = [
            Nas(name, str(by_name[name].network.network_address), by_name[name].secret) for name in GATEWAYS
        ]  # fmt: skip
        self._members = members
        self._auth, self._accounting = settings.gate.auth, settings.gate.accounting
        self._lately: OrderedDict[int, bytes] = OrderedDict()
        self._identifiers = [0] * len(GATEWAYS)
        self._file = path.open("wb")
        self._file.write(PCAP_HEADER)

    def take(self, events: np.ndarray) -> int:
        """Write those that are packets; returns how many."""
        rows = events[np.isin(events["kind"], (ev.ACCESS_REQUEST, *STATUSES))]
        for row in rows:
            octets = self._lately.get(int(row["request"]))
            if octets is None:
                octets = self._lately[int(row["request"])] = self._packet(row)
                if len(self._lately) > SENT_LATELY:
                    self._lately.popitem(last=False)
            self._write(int(row["received_at"]), int(row["gateway"]), row["kind"] == ev.ACCESS_REQUEST, octets)
        return len(rows)

    def close(self) -> None:
        """Nothing more comes."""
        self._file.close()

    def _packet(self, row: Any) -> bytes:
        gateway = int(row["gateway"])
        self._identifiers[gateway] = identifier = (self._identifiers[gateway] + 1) % 256
        nas = self._nas[gateway]
        device = Device(f"{int(row['imei']):014d}", int(row["software"])) if row["imei"] else None
        place = Place(plmn_text(int(row["plmn"])), int(row["area"]), int(row["cell"]) & ((1 << CELL_SHIFT) - 1))
        session = bytes(row["session_id"][: int(row["session_id_octets"])]).decode()
        bearer = Bearer(
            self._subscription(row), session, 1 + int(row["request"]) % 2**31, device, place, rat_text(int(row["rat"])),
            APNS[int(row["apn"])], wrong_password=row["credentials"] == ev.CREDENTIALS_WRONG,
        )  # fmt: skip
        if row["kind"] == ev.ACCESS_REQUEST:
            return packets.access_request(bearer, nas, identifier)
        up, down, lasts_s = (max(0, int(row[name])) for name in ("uplink_octets", "downlink_octets", "duration_s"))
        late_s = max(0, int(row["received_at"] - row["happened_at"]) // SECOND_US)
        happened_s = int(row["happened_at"]) // SECOND_US
        status, usage = STATUSES[int(row["kind"])], Usage(up, down, lasts_s)
        return packets.accounting_request(bearer, status, usage, nas, identifier, happened_s, late_s)

    def _subscription(self, row: Any) -> Subscription:
        """Whoever it is, as far as packets name somebody."""
        msisdn = msisdn_text(int(row["msisdn"])) if row["msisdn"] else ""
        device = Device(f"{int(row['imei']):014d}", int(row["software"]))
        return Subscription(
            0, iccid_text(int(self._members.rows["iccid"][0])), imsi_text(int(row["imsi"])), msisdn, KINDS[0].name,
            device, 0, 1, 0,
        )  # fmt: skip

    def _write(self, at: int, gateway: int, asks: bool, octets: bytes) -> None:
        target = self._auth if asks else self._accounting
        udp = struct.pack(">HHHH", SOURCE_PORT, target.port, 8 + len(octets), 0) + octets  # no checksum: RFC 768
        source, there = socket.inet_aton(self._nas[gateway].address), socket.inet_aton(target.host)
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0, source, there)
        frame = header[:10] + struct.pack(">H", _checksum(header)) + header[12:] + udp
        self._file.write(struct.pack("<IIII", at // SECOND_US, at % SECOND_US, len(frame), len(frame)) + frame)


def _checksum(header: bytes) -> int:
    """Of an IPv4 header (RFC 1071)."""
    total = sum(struct.unpack(">10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
