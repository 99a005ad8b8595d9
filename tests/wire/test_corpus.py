"""The corpus through the compiled receiver, through Packet, through plain Python, and through Wireshark."""

from __future__ import annotations

import ipaddress
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simward.engine.outputs import RESULT
from simward.wire.radius.batch import ACCOUNTING
from simward.wire.radius.dictionary import attributes
from simward.wire.radius.outcomes import FIRST_DROPPED, OUTCOMES
from simward.wire.radius.packet import Packet
from wire.asking import SECRET, Gateway, Reading, sockaddr
from wire.corpus import Case, Maker, attribute_cases, corpus, sample
from wire.oracle import differences, said
from wire.wireshark import capture

CORPUS = corpus()
LENIENT = "127.0.0.2"
OTHER_NAMES = {
    "3GPP-External-Identifier": "External-Identifier", "3GPP-TWAN-Identifier": "TWAN-Identifier",
    "3GPP-Session-AMBR-v2": "Supported-Features",
}
"""What Wireshark 4.0 calls some attributes."""


@pytest.fixture(scope="module")
def reading() -> Reading:
    lenient = Gateway("lenient", ipaddress.ip_network(LENIENT), require_message_authenticator=False)
    return Reading(Gateway("strict"), lenient, capacity=len(CORPUS))


def judged(reading: Reading, cases: list[Case]) -> tuple[list[str], list[Any]]:
    """Outcome and event (None where there is none) of each case, all in one batch."""
    reading.batch.clear()
    for number, case in enumerate(cases):
        source = LENIENT if case.client == "lenient" else case.source
        reading.batch.add(case.octets, sockaddr(source, 1_024 + number), case.kind)
    decoded = reading.receiver.decode(reading.batch, reading.now)
    events: list[Any] = [None] * len(cases)
    for event, row in zip(decoded.events, decoded.packet_of.tolist(), strict=True):
        events[row] = event.copy()
    outcomes = [OUTCOMES[status] for status in decoded.status]
    reading.receiver.remember(decoded, np.zeros(decoded.count, RESULT))
    return outcomes, events


@pytest.fixture(scope="module")
def together(reading: Reading) -> tuple[list[str], list[Any]]:
    return judged(reading, CORPUS)


def test_it_is_the_same_every_time_and_names_each_case_once() -> None:
    assert corpus() == CORPUS
    assert len({case.name for case in CORPUS}) == len(CORPUS)


def test_every_case_becomes_what_the_rfcs_say(together: tuple[list[str], list[Any]]) -> None:
    wrong = [
        (case.name, outcome, case.outcome) for case, outcome in zip(CORPUS, together[0]) if outcome != case.outcome
    ]
    assert wrong == []


def test_one_at_a_time_they_become_the_same(reading: Reading) -> None:
    """Hashed alone, not eight together."""
    alone = Reading(Gateway("strict"), Gateway("lenient", ipaddress.ip_network(LENIENT), SECRET, False))
    assert [judged(alone, [case])[0] for case in CORPUS] == [[case.outcome] for case in CORPUS]


def test_every_outcome_is_there(reading: Reading, together: tuple[list[str], list[Any]]) -> None:
    again, _ = judged(reading, CORPUS)
    twice = [case for case in CORPUS if case.outcome == "accepted"]
    assert [one for one, case in zip(again, CORPUS) if case in twice] == ["duplicate_answered"] * len(twice)
    fresh = Reading(Gateway("strict"), capacity=2)
    both, _ = judged(fresh, [twice[0], twice[0]])
    assert both == ["accepted", "accepted"] or both == ["accepted", "duplicate_in_flight"]
    fresh.batch.clear()
    fresh.read(twice[1].octets, port=5)
    assert fresh.outcome(twice[1].octets, port=5) == "duplicate_in_flight"
    assert {*together[0], *again, "duplicate_in_flight"} == set(OUTCOMES)


def test_every_event_says_what_the_case_says(reading: Reading, together: tuple[list[str], list[Any]]) -> None:
    wrong = []
    for case, event in zip(CORPUS, together[1]):
        if event is None:
            continue
        got = {"kind": int(event["kind"]), **said(event, reading.texts)}
        wrong += [(case.name, name, got[name], value) for name, value in case.fields.items() if got[name] != value]
    assert wrong == []


def test_every_event_says_what_plain_python_reads(reading: Reading, together: tuple[list[str], list[Any]]) -> None:
    accepted = [(case, event) for case, event in zip(CORPUS, together[1]) if event is not None]
    assert len(accepted) > 250
    assert [
        (case.name, wrong)
        for case, event in accepted
        if (wrong := differences(event, case.octets, reading.texts, case.client))
    ] == []


def test_packet_agrees_on_who_signed(together: tuple[list[str], list[Any]]) -> None:
    for case, outcome in zip(CORPUS, together[0]):
        if OUTCOMES.index(outcome) < FIRST_DROPPED and case.client == "strict":
            packet = Packet.decode(case.octets)
            assert packet.verify_request(SECRET, case.kind != ACCOUNTING), case.name
            assert Packet.decode(packet.encode()).attributes == packet.attributes


def test_wireshark_names_and_reads_every_attribute_alike(tshark: str, tmp_path: Path) -> None:
    known = attributes()
    cases = [case for case in attribute_cases(Maker()) if case.name.startswith("attribute ")]
    path = tmp_path / "corpus.pcap"
    capture(path, [(40_000, 1812, case.octets) for case in cases])
    told = subprocess.run([tshark, "-r", str(path), "-V", "-O", "radius"], capture_output=True, text=True, check=True)
    frames = told.stdout.split("\nFrame ")
    assert len(frames) == len(cases)
    for case, frame in zip(cases, frames):
        one = known[case.name.removeprefix("attribute ")]
        value, number = sample(one), one.key[1] if isinstance(one.key, tuple) else one.key
        size, name = 2 + len(one.to_octets(value)), OTHER_NAMES.get(one.name, one.name)
        found = re.search(rf"(?:AVP|VSA): t={re.escape(name)}\({number}\) l={size}\b.* ?val=(.*)$", frame, re.MULTILINE)
        found = found or re.search(rf"AVP: t={re.escape(name)}\({number}\) l={size}\b()", frame)
        assert found, (one.name, frame)
        if one.type in ("integer", "byte", "ipv4", "ipv6", "ipv6-prefix") and one.name != "Framed-IPX-Network":
            shown = re.sub(r"^.*\((\d+)\)$", r"\1", found[1])
            assert shown in (str(value), f"{value:02}" if isinstance(value, int) else ""), (one.name, found[1])


def test_wireshark_calls_the_malformed_ones_malformed(tshark: str, tmp_path: Path) -> None:
    """Whole datagrams whose attributes do not fill them: an independent reader trips over the same ones."""
    cases = [case for case in CORPUS if case.outcome == "malformed_attribute"]
    fine = [case for case in CORPUS if case.name.startswith("radio ")]
    path = tmp_path / "malformed.pcap"
    capture(path, [(40_000, 1812, case.octets) for case in [*cases, *fine]])
    command = [tshark, "-r", str(path), "-Y", "_ws.malformed || _ws.expert", "-T", "fields", "-e", "frame.number"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [int(one) for one in told.stdout.split()] == list(range(1, len(cases) + 1))
