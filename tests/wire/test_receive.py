"""What becomes of each packet, by name; what becomes of the fields of those that are authentic."""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress

import numpy as np
import pytest

from simward.engine.events import FLAG_SESSION_ID_CUT, FLAG_TIMESTAMP, KIND_NAMES
from simward.engine.outputs import RESULT
from simward.wire.radius.batch import ACCOUNTING, AUTH
from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet
from simward.wire.radius.receive import Decoded
from wire.asking import NOW, SECRET, Gateway, Reading, access, accounting, signed


@pytest.fixture
def reading() -> Reading:
    return Reading()


def status_server() -> Packet:
    return Packet(Code.STATUS_SERVER, 3, bytes(range(16)))


def test_authentic_requests_become_events(reading: Reading) -> None:
    assert reading.outcome(signed(access())) == "accepted"
    assert reading.outcome(signed(accounting())) == "accepted"
    assert reading.outcome(signed(status_server())) == "status_server"
    assert reading.outcome(signed(status_server()), kind=ACCOUNTING) == "status_server"
    assert reading.receiver.counters["accepted"] == 2


@pytest.mark.parametrize(("octets", "outcome"), [(4096, "status_server"), (4097, "bad_length"), (65_000, "bad_length")])
def test_what_is_longer_than_any_packet_is_not_read(reading: Reading, octets: int, outcome: str) -> None:
    """Its end was cut off by the socket; up to there, octets past Length are padding (RFC 2865 3)."""
    assert reading.outcome(signed(status_server()).ljust(octets, b"\0")) == outcome


def test_only_a_receiver_makes_a_decoded(reading: Reading) -> None:
    arrays = reading.read(signed(access())).arrays
    with pytest.raises(TypeError):
        Decoded(object(), arrays, 1, 1)


@pytest.mark.parametrize("host", ["127.0.0.2", "10.0.0.1", "2001:db8::1", "::1"])
def test_unknown_source(reading: Reading, host: str) -> None:
    assert reading.outcome(signed(access()), host=host) == "unknown_client"


@pytest.mark.parametrize(
    ("octets", "outcome"),
    [
        (b"", "too_short"),
        (bytes(19), "too_short"),
        (b"\x01\x00\x00\x13" + bytes(16), "bad_length"),
        (b"\x01\x00\x00\x20" + bytes(16), "bad_length"),
        (b"\x01\x00\xff\xff" + bytes(4000), "bad_length"),
        (b"\x02\x00\x00\x14" + bytes(16), "bad_code"),
        (b"\x01\x00\x00\x16" + bytes(16) + b"\x01\x01", "malformed_attribute"),
        (b"\x01\x00\x00\x16" + bytes(16) + b"\x01\x03", "malformed_attribute"),
        (b"\x01\x00\x00\x15" + bytes(16) + b"\x01", "malformed_attribute"),
        (b"\x01\x00\x00\x14" + bytes(16), "missing_message_authenticator"),
        (b"\x0c\x00\x00\x14" + bytes(16), "missing_message_authenticator"),
        (b"\x01\x00\x00\x17" + bytes(16) + b"\x50\x03\x00", "bad_message_authenticator"),
        (b"\x01\x00\x00\x16" + bytes(16) + b"\x50\x02", "bad_message_authenticator"),
    ],
)
def test_dropped_by_reason(reading: Reading, octets: bytes, outcome: str) -> None:
    assert reading.outcome(octets) == outcome
    assert reading.receiver.counters[outcome] == 1


def test_each_code_has_its_socket(reading: Reading) -> None:
    assert reading.outcome(signed(access()), kind=ACCOUNTING) == "bad_code"
    assert reading.outcome(signed(accounting()), kind=AUTH) == "bad_code"


@pytest.mark.parametrize("packet", [access(), accounting(), status_server()])
def test_signed_with_another_secret(reading: Reading, packet: Packet) -> None:
    bad = {Code.ACCOUNTING_REQUEST: "bad_authenticator"}.get(Code(packet.code), "bad_message_authenticator")
    assert reading.outcome(signed(packet, b"wrong")) == bad


def test_padding_after_the_packet_is_ignored(reading: Reading) -> None:
    assert reading.outcome(signed(access()) + bytes(40)) == "accepted"


def test_two_message_authenticators(reading: Reading) -> None:
    packet = Packet.decode(signed(access()))
    packet.attributes.append(packet.attributes[0])
    assert reading.outcome(packet.encode()) == "bad_message_authenticator"


def test_message_authenticator_of_accounting_is_verified_where_present(reading: Reading) -> None:
    assert reading.outcome(accounting().sign_accounting_request(SECRET, message_authenticator=True)) == "accepted"
    packet = Packet.decode(accounting(identifier=2).sign_accounting_request(SECRET, message_authenticator=True))
    packet.attributes[0] = (80, bytes(16))
    packet.authenticator = bytes(16)
    packet.authenticator = hashlib.md5(packet.encode() + SECRET).digest()
    assert reading.outcome(packet.encode()) == "bad_message_authenticator"


def test_message_authenticator_may_be_waived_but_not_for_eap() -> None:
    lenient = Reading(dataclasses.replace(Gateway(), require_message_authenticator=False))
    assert lenient.outcome(access().encode()) == "accepted"
    eap = access(seed=2).add("EAP-Message", b"\x02\0\0\5\1").encode()
    assert lenient.outcome(eap) == "missing_message_authenticator"
    assert lenient.outcome(signed(access(seed=3), b"wrong")) == "bad_message_authenticator"


def test_an_unsigned_request_with_proxy_state_needs_a_client_that_may_send_it() -> None:
    """CVE-2024-3596: an answer repeats Proxy-State, so whoever stands between may choose octets of it."""
    unsigned = Gateway(require_message_authenticator=False)
    lenient, trusting = Reading(unsigned), Reading(dataclasses.replace(unsigned, limit_proxy_state=False))
    for value in (b"x" * 253, b""):
        proxied = access().add("Proxy-State", value)
        assert lenient.outcome(proxied.encode()) == "unsigned_proxy_state"
        assert lenient.read(proxied.encode()).count == 0
        assert trusting.outcome(Packet(1, len(value), bytes(16), proxied.attributes).encode()) == "accepted"
        assert lenient.outcome(signed(proxied)) == "accepted" or not value
    assert lenient.outcome(access(seed=4).encode()) == "accepted"
    record = accounting().add("Proxy-State", b"x")  # signed as a whole, by its Request Authenticator
    assert lenient.outcome(signed(record)) == "accepted"
    assert Reading().outcome(access().add("Proxy-State", b"x").encode()) == "missing_message_authenticator"


def test_proxy_loop(reading: Reading) -> None:
    ten = access(seed=1).add_all([("Proxy-State", b"x")] * 10)
    eleven = access(seed=2).add_all([("Proxy-State", b"x")] * 11)
    assert reading.outcome(signed(ten)) == "accepted"
    assert reading.outcome(signed(eleven)) == "proxy_loop"


def test_accounting_with_a_field_of_wrong_length_is_dropped_and_access_is_not(reading: Reading) -> None:
    assert reading.outcome(signed(accounting().add("Acct-Session-Time", b"\0\1"))) == "invalid_attribute"
    assert reading.outcome(signed(access().add("Framed-IP-Address", b"\0\1"))) == "accepted"
    assert reading.outcome(signed(Packet(Code.ACCOUNTING_REQUEST).add("User-Name", "x"))) == "missing_status_type"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("Start", "accounting-start"), ("Interim-Update", "accounting-interim"), ("Stop", "accounting-stop"),
        ("Accounting-On", "accounting-on"), ("Accounting-Off", "accounting-off"),
    ],
)
def test_kinds_of_accounting(reading: Reading, status: str, kind: str) -> None:
    assert KIND_NAMES[int(reading.event(accounting(status)).kind)] == kind


@pytest.mark.parametrize("status", ["Tunnel-Start", "Failed", 4, 200, 2**32 - 1])
def test_records_that_are_no_event_are_acknowledged_only(reading: Reading, status: str | int) -> None:
    decoded = reading.read(signed(accounting(status)))
    assert decoded.count == 0 and reading.receiver.counters["acknowledge_only"] == 1


def test_session_fields(reading: Reading) -> None:
    event = reading.event(
        accounting("Stop").add_all([
            ("Acct-Input-Octets", 5), ("Acct-Input-Gigawords", 2), ("Acct-Output-Octets", 7),
            ("Acct-Session-Time", 3600), ("Acct-Terminate-Cause", "Lost-Carrier"), ("Framed-IP-Address", "10.64.0.9"),
            ("Acct-Delay-Time", 3),
        ])
    )
    assert (event.uplink_octets, event.downlink_octets, event.duration_s) == (2 * 2**32 + 5, 7, 3600)
    assert (event.cause, int(event.address)) == (2, int(ipaddress.ip_address("10.64.0.9")))
    assert event.happened_at == NOW - 3_000_000 and event.received_at == NOW
    assert event.session_id.tobytes()[: event.session_id_octets] == b"00c0ffee00000001"


def test_event_timestamp_goes_before_delay(reading: Reading) -> None:
    event = reading.event(accounting().add_all([("Acct-Delay-Time", 3), ("Event-Timestamp", 1_700_000_000)]))
    assert event.happened_at == 1_700_000_000_000_000 and event["flags"] & FLAG_TIMESTAMP


def test_nothing_reported_reads_as_nothing(reading: Reading) -> None:
    event = reading.event(accounting("Accounting-On", []))
    assert (event.imsi, event.user, event.msisdn, event.imei, event.cell, event.plmn, event.address) == (0,) * 7
    assert (event.uplink_octets, event.downlink_octets, event.area, event.duration_s, event.software) == (-1,) * 5
    assert (event.apn, event.rat, event.session_id_octets, event.cause, event["flags"]) == (0,) * 5
    assert reading.texts.name(event.gateway) == reading.texts.name(event.client) == "pgw1"


@pytest.mark.parametrize(("size", "cut"), [(1, False), (48, False), (49, True), (253, True)])
def test_long_session_ids_are_cut_but_told_apart(reading: Reading, size: int, cut: bool) -> None:
    first = reading.event(accounting(values=[("Acct-Session-Id", "a" * size)])).copy()
    second = reading.event(accounting(values=[("Acct-Session-Id", "a" * (size - 1) + "b")], identifier=2))
    assert bool(first["flags"] & FLAG_SESSION_ID_CUT) == cut
    assert first["session_id_octets"] == min(size, 48)
    assert first["session_id"].tobytes() != second.session_id.tobytes()


@pytest.mark.parametrize("address", ["255.255.255.255", "255.255.255.254"])
def test_address_that_asks_for_one_is_none(reading: Reading, address: str) -> None:
    assert reading.event(access().add("Framed-IP-Address", address)).address == 0


@pytest.mark.parametrize(
    ("called", "apn"),
    [
        ("meters.iot", "meters.iot"),
        ("Meters.IoT", "meters.iot"),
        ("meters.iot.mnc001.mcc001.gprs", "meters.iot"),
        ("METERS.MNC001.MCC001.GPRS", "meters"),
        ("mnc001.mcc001.gprs", "mnc001.mcc001.gprs"),
        ("meters.mncx01.mcc001.gprs", "meters.mncx01.mcc001.gprs"),
        ("meters.iot.", "meters.iot"),
        ("00-10-A4-23-19-C0:AP1", "00-10-A4-23-19-C0:AP1"),
    ],
)
def test_apn(reading: Reading, called: str, apn: str) -> None:
    for seed in (1, 2):  # the first time the text is new, then it is known
        assert reading.texts.name(reading.event(access([("Called-Station-Id", called)], seed=seed)).apn) == apn


@pytest.mark.parametrize(
    ("values", "gateway"),
    [
        ([("NAS-Identifier", "PGW-Oslo"), ("NAS-IP-Address", "10.0.0.1")], "PGW-Oslo"),
        ([("NAS-IP-Address", "10.200.0.1")], "10.200.0.1"),
        ([("NAS-IPv6-Address", "2001:db8::1:0:0:1")], "2001:db8::1:0:0:1"),
        ([("NAS-IPv6-Address", "::")], "::"),
        ([("NAS-IPv6-Address", "fe80::1")], "fe80::1"),
        ([("NAS-IPv6-Address", "1:2:3:4:5:6:7:0")], "1:2:3:4:5:6:7:0"),
        ([], "pgw1"),
    ],
)
def test_gateway(reading: Reading, values: list[tuple[str, str]], gateway: str) -> None:
    assert reading.texts.name(reading.event(access([*values])).gateway) == gateway


def test_new_texts_of_one_batch_get_one_number_each(reading: Reading) -> None:
    names = ["a", "b", "a", "b", "c"]
    decoded = reading.read(*(signed(access([("NAS-Identifier", name)], seed=seed)) for seed, name in enumerate(names)))
    assert [reading.texts.name(number) for number in decoded.events["gateway"]] == names


def test_retransmission_in_flight_answered_forgotten_and_expired(reading: Reading) -> None:
    octets = signed(accounting())
    decoded = reading.read(octets, octets)
    assert decoded.count == 1 and reading.receiver.counters["duplicate_in_flight"] == 1
    reading.receiver.forget(decoded)
    decoded = reading.read(octets)
    assert decoded.count == 1
    results = np.zeros(1, RESULT)
    results["address"] = 7
    reading.receiver.remember(decoded, results)
    decoded = reading.read(octets)
    assert decoded.count == 0 and decoded.arrays.cached[0]["address"] == 7
    reading.now += 31_000_000
    assert reading.outcome(octets) == "accepted"


def test_same_identifier_with_another_authenticator_port_or_code_is_new(reading: Reading) -> None:
    octets = signed(access(seed=1))
    assert reading.outcome(octets) == "accepted"
    assert reading.outcome(signed(access(seed=2))) == "accepted"
    assert reading.outcome(octets, port=40_001) == "accepted"
    assert reading.outcome(octets) == "duplicate_in_flight"


def test_accounting_journalled_before_a_restart_is_acknowledged(reading: Reading) -> None:
    octets = signed(accounting())
    name = int(reading.read(octets).events["request"][0])
    assert name > 0
    restarted = Reading()
    restarted.receiver.seed([name])
    assert restarted.outcome(octets) == "duplicate_answered"
    assert restarted.outcome(signed(accounting(identifier=2))) == "accepted"


def test_longest_prefix_wins_and_mapped_addresses_are_ipv4() -> None:
    wide = Gateway("wide", ipaddress.ip_network("10.0.0.0/8"), b"wide")
    narrow = Gateway("narrow", ipaddress.ip_network("10.1.0.0/16"), b"narrow")
    one = Gateway("one", ipaddress.ip_network("10.1.2.3/32"), b"one")
    six = Gateway("six", ipaddress.ip_network("2001:db8::/32"), b"six")
    every = Gateway("every", ipaddress.ip_network("::/0"), b"every")
    reading = Reading(wide, one, six, narrow, every)
    for seed, (host, name) in enumerate([
        ("10.9.9.9", "wide"), ("10.1.9.9", "narrow"), ("10.1.2.3", "one"), ("::ffff:10.1.2.3", "one"),
        ("2001:db8:1::5", "six"), ("2001:db9::1", "every"),
    ]):
        decoded = reading.read(signed(access(seed=seed), name.encode()), host=host)
        assert decoded.count == 1, host
        assert reading.texts.name(decoded.events[0]["client"]) == name
    assert reading.outcome(signed(access(), b"every"), host="11.0.0.1") == "unknown_client"


def test_clients_do_not_print_secrets(reading: Reading) -> None:
    assert "testing123" not in repr(reading.clients)


@pytest.mark.parametrize("count", [0, 1, 500])
def test_many_clients(count: int) -> None:
    networks = [f"10.{number // 256}.{number % 256}.0/24" for number in range(count)]
    gateways = [Gateway(network, ipaddress.ip_network(network), b"s") for network in networks]
    reading = Reading(Gateway(), *gateways)
    assert reading.outcome(signed(access())) == "accepted"
    for network in networks[-1:]:
        assert reading.outcome(signed(access(), b"s"), host=network.replace("0/24", "77")) == "accepted"
