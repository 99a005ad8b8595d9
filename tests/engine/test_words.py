"""Findings in words: the keys that others rely on, one object from beginning to end, evidence that people can read."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from engine.recording import HOUR, ICCID, IMSI, METER, METERS, OTHER_ICCID, OTHER_IMSI, PHONE, Recording
from simward.detectors.detector import EVIDENCE_KINDS
from simward.engine import events as ev
from simward.engine import phrases
from simward.engine.journal import row_outputs
from simward.engine.words import FINDING_KEYS, Findings, Lexicon

RELIED_ON = (
    "id", "at", "detector", "class", "severity", "tenant", "imsi", "iccid", "use_case", "was", "now", "expected",
    "verdict", "response", "held", "ended_at",
)  # fmt: skip


def findings(recording: Recording) -> list[dict[str, Any]]:
    merged, lexicon = Findings(), Lexicon(recording.journal.manifest)
    for row in recording.journal.rows():
        lexicon.take(row)
        list(merged.take(row_outputs(row, recording.journal.layouts), lexicon))
    return list(merged)


@pytest.fixture
def meter() -> Recording:
    return Recording().declare().declare(OTHER_IMSI, OTHER_ICCID, "+4740000002").after(10).session("A1")


def test_says_everything_that_others_rely_on(meter: Recording) -> None:
    meter.after(HOUR).asks(imei=PHONE)
    (one,) = findings(meter)
    assert tuple(one) == FINDING_KEYS and FINDING_KEYS[: len(RELIED_ON)] == RELIED_ON
    assert (one["detector"], one["class"], one["severity"]) == ("device-change", "other-model", "high")
    assert (one["imsi"], one["iccid"]) == (IMSI, ICCID)
    assert (one["tenant"], one["use_case"]) == ("default", "water-meter")
    assert (one["was"], one["now"], one["expected"]) == (str(METER), str(PHONE), str(METER))
    assert (one["verdict"], one["response"], one["held"], one["ended_at"]) == ("reject", "lock", None, None)
    assert one["at"] == "2026-11-23T01:01:10.000000Z"
    shard, sequence, index = one["id"].split("/")
    assert shard == "0" and int(sequence) == meter.fold.sequence and int(index) == 0
    json.dumps(one)


def test_one_object_from_beginning_to_end(meter: Recording) -> None:
    meter.after(HOUR).asks(apn="cameras.iot")
    meter.after(HOUR).asks()
    (one,) = findings(meter)
    assert one["at"] == "2026-11-23T01:01:10.000000Z"
    assert one["ended_at"] == "2026-11-23T02:01:10.000000Z"
    assert (one["was"], one["now"], one["expected"]) == ("meters.iot", "cameras.iot", "meters.iot")
    assert one["verdict"] == "allow", "the use case only observes"


def test_a_momentary_finding_has_ended(meter: Recording) -> None:
    meter.event(ev.ACCOUNTING_ON)
    (one,) = findings(meter)
    assert one["detector"] == "gateway-restarted" and one["ended_at"] == one["at"]
    assert one["scope"] == "gateway" and one["gateway"] == "pgw1" and one["imsi"] is None
    assert (one["was"], one["now"], one["expected"]) == (0, 0, None), "it held no session"
    assert one["verdict"] is None, "nobody asked, so nobody was answered"


def test_a_finding_of_a_segment_names_it() -> None:
    first = "segment: aaa\napn: aaa.iot\n---\n"
    recording = Recording(first + METERS.replace("10.64.0.0/12", "10.64.0.0/32"))
    recording.declare().declare(OTHER_IMSI, OTHER_ICCID, "+4740000002")
    recording.after(10).asks()
    recording.asks(imsi=OTHER_IMSI)
    (one,) = findings(recording)
    assert (one["detector"], one["scope"], one["segment"]) == ("address-pool-exhausted", "segment", "metering")
    recording.revise(METERS)
    recording.asks(imsi=OTHER_IMSI)
    (one,) = findings(recording)
    assert one["ended_at"] and one["segment"] == "metering"


def test_a_finding_of_a_subscription_names_no_segment(meter: Recording) -> None:
    meter.after(HOUR).asks(imei=PHONE)
    assert findings(meter)[0]["segment"] is None


def test_what_the_network_did_not_say_is_said_so(meter: Recording) -> None:
    meter.after(HOUR).asks(imei=0, software=-1)
    (one,) = findings(meter)
    assert (one["class"], one["now"]) == ("not-reported", "not reported")


def test_software_versions_are_named(meter: Recording) -> None:
    meter.after(HOUR).asks(software=2)
    (one,) = findings(meter)
    assert one["was"] == f"{METER} software 01" and one["now"] == f"{METER} software 02"


def test_what_differs_after_an_absence_is_told_by_name() -> None:
    recording = Recording(METERS + "---\nsegment: cameras\napn: cameras.iot\n").declare().after(10).session("A1")
    recording.after(25 * HOUR).asks(software=2, apn="cameras.iot")
    recording.after(25 * HOUR).asks(imei=PHONE, software=3)
    one, other = (found["changes"] for found in findings(recording) if found["detector"] == "reappeared-changed")
    assert one == {
        "software": {"was": "01", "now": "02"},
        "apn": {"was": "meters.iot", "now": "cameras.iot"}, "segment": {"was": "metering", "now": "cameras"},
    }  # fmt: skip
    assert other["device"] == {"was": str(METER), "now": str(PHONE)}
    assert other["software"] == {"was": "02", "now": "03"}


def test_an_apn_without_a_segment_is_told_as_such(meter: Recording) -> None:
    meter.after(25 * HOUR).asks(apn="internet")
    (changes,) = (found["changes"] for found in findings(meter) if found["detector"] == "reappeared-changed")
    assert changes["segment"] == {"was": "metering", "now": None} and "software" not in changes


def test_networks_are_named(meter: Recording) -> None:
    meter.after(HOUR).asks(plmn="99970")
    (one,) = findings(meter)
    assert (one["class"], one["now"], one["expected"]) == ("plmn", "99970", "00101")


SAMPLES = {"imsi": 1_001010000000001, "plmn": 1_00101, "cell": 4 << 56 | 1001}


def test_every_kind_of_evidence_has_words() -> None:
    lexicon = Lexicon(lambda kernel: {})
    for kind in EVIDENCE_KINDS:
        said = lexicon.evidence(kind, np.int64(SAMPLES.get(kind, 1)))
        assert kind == "none" or said not in (None, ""), kind
        json.dumps(said)


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "0 ms"), (999_999, "999 ms"), (45_000_000, "45 s"), (60_000_000, "1 min"), (3_661_000_000, "1 h 1 min"),
     (3_601_000_000, "1 h"), (90_000_000_000, "1 d 1 h"), (-5, "0 ms")],
)  # fmt: skip
def test_spans_are_said_by_their_two_largest_units(micros: int, text: str) -> None:
    assert phrases.span(micros) == text


def test_times_carry_microseconds_and_z() -> None:
    assert phrases.when(1_795_392_000_000_007) == "2026-11-23T00:00:00.000007Z"
    assert phrases.when(-1) == "1969-12-31T23:59:59.999999Z"


def test_error_causes_are_said_with_their_number() -> None:
    assert phrases.error_cause_text(503) == "session context not found (503)"
    assert phrases.error_cause_text(299) == "unknown (299)"
    assert phrases.error_cause_text(0) == ""


def test_text_from_outside_cannot_move_the_cursor(meter: Recording) -> None:
    assert phrases.printable(b"pgw1") == "pgw1"
    assert phrases.printable("gérant".encode()) == "gérant"
    assert phrases.printable(b"\x1b[2Jpgw\xff\n") == "\\x1b[2Jpgw\\xff\\n"
    meter.event(ev.ACCOUNTING_ON, gateway="pgw\x1b[31m")
    assert findings(meter)[-1]["gateway"] == "pgw\\x1b[31m"
