"""Quarantine over real sockets: the lab's gateway takes CoA-Requests, refuses them, or does not know them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gate.running import SECRET, RunningGate, iccid, imsi
from simward.lab import packets
from simward.lab.gateway import Answer, Gateway, Network, free_port
from simward.wire.radius.dictionary import Code, Value
from simward.wire.radius.packet import Packet
from wire.wireshark import complaints, decoded, flat

NORMAL = ("permit in ip from assigned to 192.0.2.0/24", "permit out ip from 192.0.2.0/24 to assigned")
CONFINED = tuple(f"permit in 17 from assigned to 192.0.2.{number} 53,123,5683-5684" for number in range(10))
POLICY = f"""\
use_case: water-meter
segment: metering
binding: {{mode: none}}
networks: {{plmn: ["00101"]}}
responses: {{default: observe, network-not-permitted: quarantine}}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/16
filter: {[*NORMAL]}
quarantine_filter: {[*CONFINED]}
"""
HOME, ABROAD = "00101", "99999"
UNSUPPORTED_ATTRIBUTE = 401


class Scene:
    """A gate and a gateway that speak to each other."""

    def __init__(self, folder: Path, *, coa: bool = True) -> None:
        port = free_port()
        more = "coa = true\n" if coa else ""
        self.gate = RunningGate(folder, dynauth=f"127.0.0.1:{port}", policy=POLICY, more=more).start()
        self.gateway = Gateway("pgw1", "127.0.0.1", SECRET.encode(), self.gate.auth, self.gate.accounting, port)
        self.network = Network({"pgw1": self.gateway})
        self.gateway.sessions = {"S1": 1, "S2": 2}

    def says(self, code: Code, number: int, *values: tuple[str, Value], plmn: str = HOME) -> Answer:
        """One request of the gateway about one subscription, and the answer."""
        told: list[Answer] = []
        auth = code == Code.ACCESS_REQUEST

        def build(identifier: int, _: int) -> bytes:
            packet = Packet(code, identifier, bytes([identifier]) * 16).add_all([
                ("3GPP-IMSI", imsi(number)), ("Called-Station-Id", "meters.iot"), ("NAS-Identifier", "pgw1"),
                ("3GPP-SGSN-MCC-MNC", plmn), *values,
            ])
            secret = SECRET.encode()
            return packet.sign_access_request(secret) if auth else packet.sign_accounting_request(secret)

        self.gateway.ask(self.gateway.auth_port if auth else self.gateway.accounting_port, build, told.append)
        assert self.network.run(lambda: bool(told), 10)
        return told[0]

    def asks(self, number: int, plmn: str = HOME) -> Answer:
        return self.says(Code.ACCESS_REQUEST, number, plmn=plmn)

    def reports(self, number: int, status: str, *values: tuple[str, Value], plmn: str = HOME) -> Answer:
        named = [("Acct-Status-Type", status), ("Acct-Session-Id", f"S{number}")]
        return self.says(Code.ACCOUNTING_REQUEST, number, *named, *values, plmn=plmn)

    def until(self, condition: Callable[[], bool]) -> None:
        assert self.network.run(condition, 15)

    def close(self) -> None:
        self.network.close()
        self.gate.close()


@pytest.fixture
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    made = Scene(tmp_path / "net", coa=getattr(request, "param", True))
    yield made
    made.close()


def acknowledged(scene: Scene) -> int:
    return int(scene.gate.metric("effects_total", '"ack"'))


def test_into_quarantine_and_back_by_changes_of_the_filter(scene: Scene) -> None:
    accept = scene.asks(1)
    assert accept.packet is not None and packets.filter_in(accept.packet) == "; ".join(NORMAL)
    scene.reports(1, "Start")
    scene.reports(1, "Interim-Update", ("Acct-Session-Time", 10), plmn=ABROAD)
    scene.until(lambda: len(scene.gateway.changes) == 1)
    scene.until(lambda: acknowledged(scene) == 1)
    scene.reports(1, "Interim-Update", ("Acct-Session-Time", 20))
    scene.until(lambda: len(scene.gateway.changes) == 2)
    assert scene.gateway.changes == [("S1", "; ".join(CONFINED), 0), ("S1", "; ".join(NORMAL), 0)]
    assert scene.gateway.disconnects == [] and not scene.gateway.counters.faults
    abroad = scene.asks(2, plmn=ABROAD)
    assert abroad.packet is not None and abroad.packet.code == Code.ACCESS_ACCEPT
    assert packets.filter_in(abroad.packet) == "; ".join(CONFINED)
    assert len(abroad.packet.all("NAS-Filter-Rule")) == 3, "cut where an attribute is full"


def test_a_person_puts_one_into_quarantine_and_lets_it_out(scene: Scene) -> None:
    scene.asks(1)
    scene.reports(1, "Start")
    said = scene.gate.ask("quarantine", iccid=iccid(1), because="odd traffic", actor="ada")
    assert (said["result"], said["did"]) == ("applied", ["change", "quarantined"])
    scene.until(lambda: acknowledged(scene) == 1)
    assert scene.gateway.changes == [("S1", "; ".join(CONFINED), 0)]
    again = scene.asks(1)
    assert again.packet is not None and again.packet.code == Code.ACCESS_ACCEPT
    assert packets.filter_in(again.packet) == "; ".join(CONFINED)
    assert scene.gate.ask("quarantine", iccid=iccid(1), because="again")["did"] == []
    said = scene.gate.ask("release", iccid=iccid(1), because="it was an update", actor="ada")
    assert said["did"] == ["change", "released"]
    scene.until(lambda: acknowledged(scene) == 2)
    assert scene.gateway.changes[1:] == [("S1", "; ".join(NORMAL), 0)] and scene.gateway.disconnects == []
    let_in = scene.asks(1)
    assert let_in.packet is not None and packets.filter_in(let_in.packet) == "; ".join(NORMAL)
    told = told_of(scene, 1)
    assert "Put into quarantine until it is released: asked by ada: odd traffic." in told
    assert "Released from quarantine, asked by ada: it was an update." in told


def test_a_quarantine_stands_after_a_restart(scene: Scene) -> None:
    scene.gate.ask("quarantine", iccid=iccid(1), because="odd traffic")
    scene.gate.close()
    scene.gate.start()
    scene.network.close()
    scene.gateway = Gateway("pgw1", "127.0.0.1", SECRET.encode(), scene.gate.auth, scene.gate.accounting)
    scene.network = Network({"pgw1": scene.gateway})
    again = scene.asks(1)
    assert again.packet is not None and packets.filter_in(again.packet) == "; ".join(CONFINED)
    scene.gate.ask("release", iccid=iccid(1), because="it was an update")
    let_in = scene.asks(1)
    assert let_in.packet is not None and packets.filter_in(let_in.packet) == "; ".join(NORMAL)


def test_a_refused_change_is_followed_by_a_disconnect(scene: Scene) -> None:
    scene.gateway.on_change = lambda _: UNSUPPORTED_ATTRIBUTE
    scene.asks(1)
    scene.reports(1, "Start", plmn=ABROAD)
    scene.until(lambda: scene.gateway.disconnects == [("S1", 0)])
    scene.until(lambda: acknowledged(scene) == 1)
    assert scene.gateway.changes == [("S1", "; ".join(CONFINED), UNSUPPORTED_ATTRIBUTE)]
    told = told_of(scene, 1)
    assert "refused (CoA-NAK: unsupported attribute (401))" in told and "acknowledged (Disconnect-ACK)" in told
    assert "CoA-Request sent to pgw1 for session S1: the quarantine filter, network-not-permitted/plmn" in told


@pytest.mark.parametrize("scene", [False], indirect=True)
def test_a_gateway_that_takes_no_changes_is_sent_none(scene: Scene) -> None:
    scene.asks(1)
    scene.reports(1, "Start", plmn=ABROAD)
    scene.until(lambda: scene.gateway.disconnects == [("S1", 0)])
    assert scene.gateway.changes == []
    assert "It was not sent" in told_of(scene, 1)


def test_a_change_without_an_answer_is_sent_again_after_a_restart(scene: Scene) -> None:
    scene.gateway.hears_requests = False
    scene.asks(1)
    scene.reports(1, "Start", plmn=ABROAD)
    scene.gate.close()
    scene.network.turn(0.1)
    scene.gateway.hears_requests = True
    scene.gate.start()
    scene.until(lambda: acknowledged(scene) == 1)
    assert scene.gateway.changes == [("S1", "; ".join(CONFINED), 0)]


def test_wireshark_reads_the_change(scene: Scene, tshark: str, tmp_path: Path) -> None:
    said: list[bytes] = []
    taken = packets.read_dynauth

    def kept(octets: bytes, secret: bytes) -> tuple[Packet | None, str]:
        said.append(octets)
        return taken(octets, secret)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packets, "read_dynauth", kept)
        scene.asks(1)
        scene.reports(1, "Start", plmn=ABROAD)
        scene.until(lambda: bool(said))
    path = tmp_path / "change.pcap"
    (tree,) = decoded(tshark, path, [(40_000, 3799, said[0])], SECRET.encode())
    layer = flat(tree)
    remarks = [line for line in complaints(tshark, path, SECRET.encode()).splitlines() if "Expert Info" in line]
    # Its dictionary has the rules as plain text and stumbles over the NUL that RFC 4849 2 puts between them.
    assert remarks and all("Trailing stray characters" in line for line in remarks)
    assert layer["radius.code"] == "43" and layer["radius.Acct_Session_Id"] == "S1"
    assert CONFINED[0] in str(tree)


def told_of(scene: Scene, number: int) -> str:
    from simward.engine.sqlite_journal import SqliteJournal
    from simward.engine.story import read_story

    journal = SqliteJournal.open(scene.gate.folder / "data" / "journal", writer=False)
    try:
        chapters = read_story(journal, iccid(number)).told(everything=True)["chapters"]
    finally:
        journal.close()
    return "\n".join(str(one["text"]) for one in chapters)
