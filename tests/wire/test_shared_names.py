"""Proxies that share a name are one client, and one client may stand before many gateways."""

from __future__ import annotations

from ipaddress import ip_network

import numpy as np

from simward.engine.fold import Fold
from simward.engine.tables import DECLARED, InventoryDelta
from simward.wire.radius.clients import ClientTable
from simward.wire.radius.packet import Packet
from simward.wire.radius.receive import Receiver
from wire.asking import IMSI, SECRET, Gateway, Reading, accounting, signed

PROXIES = (
    Gateway("pgw", ip_network("192.0.2.1/32"), SECRET),
    Gateway("pgw", ip_network("192.0.2.2/32"), b"the secret of the other proxy"),
)
MANY = 300


class Site(Reading):
    """Two proxies of one name, and a fold that knows one subscription."""

    def __init__(self) -> None:
        super().__init__(*PROXIES)
        self.fold = Fold.new()
        self.texts = self.fold.state.texts
        self.clients = ClientTable(PROXIES, self.texts)
        self.receiver = Receiver(self.clients, self.texts)
        line = np.zeros(1, DECLARED)
        line["imsi"] = int("1" + IMSI)
        self.fold.inventory(InventoryDelta(line, np.zeros(0, np.int64), [""]), self.now)

    def hears(self, packet: Packet, proxy: int) -> int:
        """Fold one record through one of the proxies; how many sessions the subscription has then."""
        self.now += 1_000_000
        decoded = self.read(signed(packet, PROXIES[proxy].secret), host=str(PROXIES[proxy].network[0]))
        assert decoded.count == 1
        self.fold.events(decoded.events)
        self.receiver.remember(decoded, np.zeros(0, decoded.arrays.cached.dtype))
        return int(self.fold.state.subscriptions["session_count"][0])


def record(status: str, nas: str, identifier: int, session: str = "S1") -> Packet:
    return accounting(
        status, [("3GPP-IMSI", IMSI), ("Acct-Session-Id", session), ("NAS-Identifier", nas)], identifier=identifier
    )


def test_a_session_may_begin_through_one_proxy_and_end_through_the_other() -> None:
    site = Site()
    assert site.hears(record("Start", "pgw-1", 1), 0) == 1
    assert site.hears(record("Interim-Update", "pgw-1", 2), 1) == 1
    assert site.hears(record("Stop", "pgw-1", 3), 1) == 0
    assert int(site.fold.state.meta["gateways"][0]) == 1


def test_each_proxy_has_its_own_secret() -> None:
    site = Site()
    datagram = signed(record("Start", "pgw-1", 1), PROXIES[0].secret)
    assert site.outcome(datagram, host="192.0.2.2") == "bad_authenticator"


def test_one_address_stands_before_many_gateways_with_epochs_of_their_own() -> None:
    """The same Acct-Session-Id at two gateways are two sessions; one gateway's restart ends its own alone."""
    site = Site()
    assert site.hears(record("Start", "pgw-1", 1), 0) == 1
    assert site.hears(record("Start", "pgw-2", 2), 0) == 2
    for number in range(3, MANY):
        on = accounting("Accounting-On", [("NAS-Identifier", f"pgw-{number}")], identifier=number % 256)
        site.hears(on, 0)
    assert int(site.fold.state.meta["gateways"][0]) == MANY - 1
    site.hears(accounting("Accounting-On", [("NAS-Identifier", "pgw-1")], identifier=7), 1)
    assert site.hears(record("Interim-Update", "pgw-2", 9), 0) == 1, "only that of pgw-2 is left"
