"""Documents become tables: precedence of responses, knobs, limits, pools; and nothing about any one detector."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.detectors import of_gate
from simward.detectors.detector import (
    LOCK,
    NOTIFY,
    OBSERVE,
    QUARANTINE,
    REFUSE,
    Detector,
    DetectorModule,
    Knob,
)
from simward.engine.tables import (
    BIND_FIRST_USE,
    BIND_NONE,
    POLICY_ARRAYS,
    RELEASE_AFTER,
    RELEASE_BOUND_DEVICE,
    PolicyTables,
)
from simward.policy.compile import compile_policy, knob_value, response, unlimited_locks
from simward.policy.load import read_policies
from simward.policy.pools import NUMBERS_MAX, Pools, address_bounds
from simward.settings import GateSettings, Settings


def compiled(text: str, **gate: Any) -> PolicyTables:
    """The tables of these documents."""
    settings = Settings(Path("/nowhere"), GateSettings(**gate))
    return compile_policy(read_policies({"/nowhere/policies/a.yaml": text}), settings)


def detector(**more: Any) -> DetectorModule:
    """A detector with two classes that no file holds."""
    one = Detector(id="oddity", runs="gate", scope="subscription", severity=1, **more)
    return DetectorModule(one, ("mild", "wild"), (), (), None, "")


@pytest.mark.parametrize(
    ("declared", "document", "mild", "wild"),
    [
        ({}, {}, OBSERVE, OBSERVE),
        ({}, {"default": "notify"}, NOTIFY, NOTIFY),
        ({}, {"default": "notify", "oddity": "lock"}, LOCK, LOCK),
        ({}, {"default": "notify", "oddity": "lock", "oddity/mild": "observe"}, OBSERVE, LOCK),
        ({"default_response": REFUSE}, {"default": "observe"}, REFUSE, REFUSE),
        ({"default_response": REFUSE}, {"oddity": "observe"}, OBSERVE, OBSERVE),
        ({"mild_classes": ("mild",)}, {"default": "lock"}, NOTIFY, LOCK),
        ({"mild_classes": ("mild",)}, {"oddity": "lock"}, NOTIFY, LOCK),
        ({"mild_classes": ("mild",)}, {"oddity": "observe"}, OBSERVE, OBSERVE),
        ({"mild_classes": ("mild",)}, {"oddity": "lock", "oddity/mild": "refuse"}, REFUSE, LOCK),
        ({"fixed_response": REFUSE}, {"default": "lock", "oddity/mild": "observe"}, REFUSE, REFUSE),
        ({"response_paths": {"wild": ("binding.not_reported", REFUSE)}}, {"default": "observe"}, OBSERVE, REFUSE),
        ({"response_paths": {"wild": ("binding.not_reported", REFUSE)}}, {"oddity": "notify"}, NOTIFY, NOTIFY),
    ],
)
def test_which_response_holds(declared: dict[str, Any], document: dict[str, str], mild: int, wild: int) -> None:
    one = detector(**declared)
    assert [response({"responses": document}, one, name) for name in one.classes] == [mild, wild]


@pytest.mark.parametrize(
    ("responses", "expected"), [({}, QUARANTINE), ({"oddity": "lock"}, QUARANTINE), ({"oddity/wild": "lock"}, LOCK)]
)
def test_a_key_that_is_written_stands_between_class_and_detector(responses: dict[str, str], expected: int) -> None:
    one = detector(response_paths={"wild": ("binding.not_reported", REFUSE)})
    document = {"binding": {"mode": "first-use", "not_reported": "quarantine"}, "responses": responses}
    assert response(document, one, "wild") == expected


@pytest.mark.parametrize(
    ("knob", "document", "value"),
    [
        (Knob("k", "u1", path="a.b", kind="choice", values={"x": 7}), {"a": {"b": "x"}}, 7),
        (Knob("k", "u1", path="a.b", kind="choice", values={"x": 7}, default=3), {"a": "word"}, 3),
        (Knob("k", "u1", path="a", kind="response"), {"a": "refuse"}, REFUSE),
        (Knob("k", "i4", path="a", kind="duration"), {"a": "49h"}, 176_400),
        (Knob("k", "i4", path="a", kind="integer"), {"a": 5}, 5),
        (Knob("k", "i4", path="a", kind="plmn-list", shape=4), {"a": ["00102", "00101"]}, [100101, 100102]),
        (Knob("k", "i4", path="a", kind="plmn-list", shape=4), {}, []),
        (Knob("k", "i4", path="a", kind="rat-list", shape=4), {"a": ["lte-m", "nb-iot"]}, [8, 9]),
        (Knob("k", "i4", path="a", kind="apn-of-segment", shape=3), {"a": "metering"}, []),
        (Knob("k", "i4", default=9), {}, 9),
    ],
)
def test_knobs_become_integers(knob: Knob, document: dict[str, Any], value: Any) -> None:
    assert knob_value(document, knob) == value


def test_an_unknown_kind_of_knob_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="no kind 'colour'"):
        knob_value({"a": "red"}, Knob("k", "i4", path="a", kind="colour"))


USE_CASE = """
use_case: meter
segment: metering
binding: first-use
networks: {plmn: ["00102", "00101"]}
responses: {device-change: lock}
release_when: bound-device-returns
limits: {lock: {per_hour: 20, share_of_fleet: 0.5%}, disconnect: {per_hour: 0}}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/24
quarantine_pool: 10.127.0.0/31
---
use_case: alarm
segment: metering
tenant: acme
release_when: 24h
session: {timeout: 12h, interim_interval: none}
criticality: never-cut
"""


def test_a_use_case_becomes_a_row() -> None:
    tables = compiled(USE_CASE)
    assert tables.names["use_cases"] == ["", "alarm", "meter"]
    assert tables.names["tenants"] == ["default", "acme"]
    none, alarm, meter = tables.use_cases
    assert tables.use_cases["binding_mode"].tolist() == [BIND_NONE, BIND_NONE, BIND_FIRST_USE]
    assert (meter["release_rule"], alarm["release_rule"], alarm["release_after_s"]) == (
        RELEASE_BOUND_DEVICE, RELEASE_AFTER, 86_400,
    )  # fmt: skip
    assert (alarm["never_cut"], meter["never_cut"]) == (1, 0)
    assert (alarm["session_timeout_s"], alarm["interim_interval_s"]) == (43_200, 0)
    assert (meter["session_timeout_s"], meter["interim_interval_s"]) == (0, 900)
    assert (alarm["tenant"], alarm["segment"], none["segment"]) == (1, 1, 0)
    assert meter["limit_per_hour"].tolist() == [-1, -1, 20, 0]
    assert meter["limit_share_ppm"].tolist() == [-1, -1, 5000, -1]
    assert none["limit_per_hour"].tolist() == [-1] * 4


def test_a_segment_becomes_a_row() -> None:
    none, segment = compiled(USE_CASE).segments
    assert segment["apn_name"][: segment["apn_octets"]].tobytes() == b"meters.iot"
    first = int.from_bytes(bytes([10, 64, 0, 0]))
    assert (segment["pool_first"], segment["pool_last"]) == (first + 1, first + 254)
    assert segment["quarantine_last"] - segment["quarantine_first"] == 1
    assert none["pool_first"] == 0


@pytest.mark.parametrize(("prefix", "count"), [(24, 254), (30, 2), (31, 2), (32, 1)])
def test_network_and_broadcast_addresses_are_not_given(prefix: int, count: int) -> None:
    first, last = address_bounds(f"10.0.0.0/{prefix}")
    assert last - first + 1 == count


@given(st.integers(0, 2**128 - 1), st.integers(64, 128))
def test_every_number_of_a_pool_of_ipv6_addresses_is_one_of_them(whole: int, length: int) -> None:
    network = ipaddress.IPv6Network((whole, length), strict=False)
    pools = Pools.of(None, None, str(network))
    count = pools.last - pools.first + 1
    assert count == min(network.num_addresses - (length < 127), NUMBERS_MAX)
    high, lows = pools.ipv6_high, (pools.ipv6_low, pools.ipv6_low + count - 1)
    assert all(-(2**63) <= low < 2**63 for low in lows), "the last is reckoned without running over"
    first, last = ((high % 2**64) << 64 | low % 2**64 for low in lows)
    assert ipaddress.IPv6Address(first) in network and ipaddress.IPv6Address(last) in network
    assert first > int(network.network_address) or length >= 127


def test_every_class_of_every_detector_has_a_response() -> None:
    tables = compiled(USE_CASE)
    for number, one in enumerate(of_gate()):
        assert (tables.responses[:, number, 1 : len(one.classes) + 1] > 0).all()
        assert not tables.responses[:, number, len(one.classes) + 1 :].any()


@pytest.mark.parametrize(("word", "expected"), [("reject", REFUSE), ("allow", OBSERVE)])
def test_strangers_are_answered_by_the_settings(word: str, expected: int) -> None:
    tables = compiled(USE_CASE, unknown_subscription=word)
    assert tables.settings["unknown_response"].tolist() == [expected]
    for number, one in enumerate(of_gate()):
        if one.detector.scope == "stranger":
            assert (tables.responses[:, number, 1 : len(one.classes) + 1] == expected).all()


def test_tables_survive_the_journal() -> None:
    tables = compiled(USE_CASE)
    again = PolicyTables.from_bytes(tables.to_bytes())
    for name in POLICY_ARRAYS:
        assert np.array_equal(getattr(again, name), getattr(tables, name)), name
    assert (again.names, again.sources) == (tables.names, tables.sources)
    assert sorted(tables.sources) == ["policies/a.yaml", "policy.json", "settings.json", "tables.json"]


def test_locks_without_limits_are_a_warning() -> None:
    def warned(text: str) -> list[str]:
        return [str(one) for one in unlimited_locks(read_policies({"a.yaml": text}), compiled(text))]

    assert warned(USE_CASE) == []
    assert warned(USE_CASE.replace("lock: {per_hour: 20, share_of_fleet: 0.5%}, ", "")) == [
        "a.yaml:6: warning: responses.device-change: locks without any limit: one mistake could cut every member "
        "(limits: {lock: {per_hour: 20}})"
    ]
    assert warned("use_case: a\ncriticality: never-cut\nresponses: {device-change: lock}") == []
