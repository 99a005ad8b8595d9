"""EVENT rows as a gateway's packets: what the fold would be given, said in RADIUS over UDP and answered by a gate."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import numpy as np

from simward.engine import events as ev
from simward.identity import CELL_SHIFT, imsi_text, plmn_text, rat_text
from simward.lab import packets
from simward.lab.fleet import Device, Place, Subscription
from simward.lab.gateway import Answer, Gateway, Network
from simward.lab.packets import Bearer, Usage
from simward.lab.population import GATEWAYS, SECOND_US, Population
from simward.wire.radius.dictionary import Code

STATUSES = {
    ev.ACCOUNTING_START: packets.START, ev.ACCOUNTING_INTERIM: packets.INTERIM, ev.ACCOUNTING_STOP: packets.STOP,
}  # fmt: skip
OUTSTANDING = 32
ANSWER_WITHIN_S = 10.0
CLOCK_WRONG_S = 30
"""A reported time that is so far off was meant to be."""
PLAYABLE = (ev.ACCESS_REQUEST, *STATUSES, ev.ACCOUNTING_ON, ev.ACCOUNTING_OFF)


class EventPlayer:
    """Sends events one after another; of one subscription, each only after the one before was answered."""

    def __init__(self, network: Network, population: Population, texts: dict[int, str]) -> None:
        """`texts`: number -> text, as the population's events have them."""
        self._network, self._population, self._texts = network, population, texts
        self._people: dict[int, Subscription] = {
            int(imsi): one
            for imsi, one in zip(population.rows["imsi"], population.fleet.subscriptions, strict=True)
        }
        self._busy: set[int] = set()
        self.answers: Counter[int] = Counter()
        """How often each RADIUS code was the answer, 0 for silence."""
        self.refused: list[str] = []
        """The IMSI of each request that was refused."""

    def play(self, events: np.ndarray) -> None:
        """All events that are packets, in their order, as fast as they are answered."""
        for row in events[np.isin(events["kind"], PLAYABLE)]:
            key = int(row["imsi"])
            self._network.run(
                lambda key=key: key not in self._busy and len(self._busy) < OUTSTANDING,  # type: ignore[misc]
                ANSWER_WITHIN_S,
            )
            self._busy.add(key)
            self._send(row, key)
        self._network.run(lambda: not self._busy, ANSWER_WITHIN_S)

    def _send(self, row: Any, key: int) -> None:
        name = self._texts[int(row["gateway"])]
        gateway = self._network.gateways[name if name in GATEWAYS else GATEWAYS[0]]
        port = gateway.auth_port if row["kind"] == ev.ACCESS_REQUEST else gateway.accounting_port

        def answered(answer: Answer) -> None:
            self._busy.discard(key)
            self.answers[answer.code] += 1
            if answer.code == Code.ACCESS_REJECT:
                self.refused.append(imsi_text(key))

        gateway.ask(port, lambda identifier, delay_s: self._packet(row, gateway, identifier, delay_s), answered)

    def _packet(self, row: Any, gateway: Gateway, identifier: int, delay_s: int) -> bytes:
        """The packet that a gateway would have sent; its times are of now, since the gate's clock is."""
        now = int(time.time())
        drift_s = int(row["happened_at"] - row["received_at"]) // SECOND_US
        if abs(drift_s) >= CLOCK_WRONG_S:
            now = max(0, now + drift_s)
        if row["kind"] in (ev.ACCOUNTING_ON, ev.ACCOUNTING_OFF):
            status = packets.ON if row["kind"] == ev.ACCOUNTING_ON else packets.OFF
            return packets.gateway_report(status, gateway.nas, identifier, now, delay_s)
        who = self._people[int(row["imsi"])]
        device = None if not row["imei"] else Device(f"{int(row['imei']):014d}", int(row["software"]))
        place = Place(plmn_text(int(row["plmn"])), int(row["area"]), int(row["cell"]) & ((1 << CELL_SHIFT) - 1))
        session = bytes(row["session_id"][: int(row["session_id_octets"])]).decode()
        bearer = Bearer(
            who, session, 1 + int(row["request"]) % 2**31, device, place, rat_text(int(row["rat"])),
            self._texts[int(row["apn"])], wrong_password=row["credentials"] == ev.CREDENTIALS_WRONG,
        )  # fmt: skip
        if row["kind"] == ev.ACCESS_REQUEST:
            return packets.access_request(bearer, gateway.nas, identifier)
        uplink, downlink, duration = (int(row[name]) for name in ("uplink_octets", "downlink_octets", "duration_s"))
        usage = Usage(max(0, uplink), max(0, downlink), max(0, duration))
        status = STATUSES[int(row["kind"])]
        return packets.accounting_request(bearer, status, usage, gateway.nas, identifier, now, delay_s)
