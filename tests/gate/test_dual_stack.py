"""A running gate, asked by FreeRADIUS's client: addresses of both families, and accounting that only Class names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from gate.running import RunningGate, access_request, accounting_request, imsi, needs_radclient, radclient
from simward.cli import cli

POLICY = """\
use_case: water-meter
segment: [metering, maintenance, routers]
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/16
pool6: 2001:db8:6400::/40
delegated_pool: 2001:db8:8000::/36
delegated_length: 56
---
segment: maintenance
apn: maintenance.iot
pool6: 2001:db8:9900::/40
---
segment: routers
apn: routers.iot
pool: 10.66.0.0/16
address_pool6: 2001:db8:aa::/112
delegated_pool: 2001:db8:b000::/36
delegated_length: 56
"""

pytestmark = needs_radclient


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGate]:
    running = RunningGate(tmp_path_factory.mktemp("dual") / "work", policy=POLICY).start()
    yield running
    running.close()


def given(said: str) -> dict[str, str]:
    """The attributes of the answer, as radclient prints them."""
    return dict(re.findall(r"^\s+([A-Za-z0-9-]+) = (\S+)$", said.partition("Received ")[2], re.MULTILINE))


def lines(gate: RunningGate, *arguments: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(cli, ["--dir", str(gate.folder), *arguments])
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_both_families_and_a_second_apn(gate: RunningGate) -> None:
    first = given(radclient(gate.auth, "auth", access_request(1)))
    assert first["Framed-IP-Address"] == "10.64.0.1"
    assert first["Framed-IPv6-Prefix"] == "2001:db8:6400::/64"
    assert first["Delegated-IPv6-Prefix"] == "2001:db8:8000::/56"
    second = given(radclient(gate.auth, "auth", access_request(1, **{"Called-Station-Id": '"maintenance.iot"'})))
    assert second["Framed-IPv6-Prefix"] == "2001:db8:9900::/64" and "Framed-IP-Address" not in second


def test_only_ipv6_where_only_that_was_asked_for(gate: RunningGate) -> None:
    answer = given(radclient(gate.auth, "auth", access_request(2, **{"3GPP-PDP-Type": "2"})))
    assert answer["Framed-IPv6-Prefix"] and "Framed-IP-Address" not in answer


def test_accounting_that_names_nobody_is_known_by_its_class(gate: RunningGate) -> None:
    answer = given(radclient(gate.auth, "auth", access_request(3)))
    words = (
        f'Acct-Status-Type=Start,Acct-Session-Id="C1",NAS-Identifier="pgw1",Called-Station-Id="meters.iot",'
        f'Class={answer["Class"]},Framed-IPv6-Prefix={answer["Framed-IPv6-Prefix"]}'
    )
    assert "Accounting-Response" in radclient(gate.accounting, "acct", words)
    address = answer["Framed-IPv6-Prefix"].replace("::/64", "::1")
    (holder,) = lines(gate, "who", address, "--json")
    assert holder["imsi"] == imsi(3) and holder["session_id"] == "C1"
    (event,) = [one for one in lines(gate, "events", "--imsi", imsi(3), "--json") if one["session_id"] == "C1"]
    assert event["prefix"] == answer["Framed-IPv6-Prefix"] and event["imsi"] is None and event["decision"]


def test_an_ipv6_address_is_given_reported_and_found_again(gate: RunningGate) -> None:
    routers = {"Called-Station-Id": '"routers.iot"'}
    for number in (4, 5):
        answer = given(radclient(gate.auth, "auth", access_request(number, **routers)))
    assert answer["Framed-IPv6-Address"] == "2001:db8:aa::2" and answer["Framed-IP-Address"] == "10.66.0.2"
    assert answer["Delegated-IPv6-Prefix"] == "2001:db8:b000:100::/56" and "Framed-IPv6-Prefix" not in answer
    reported = {
        "Framed-IPv6-Address": answer["Framed-IPv6-Address"], "Framed-IPv6-Prefix": "2001:db8:77::/64",  # of its link
        "Class": answer["Class"], **routers,
    }  # fmt: skip
    said = radclient(gate.accounting, "acct", accounting_request(5, "Start", "R5", **reported))
    assert "Accounting-Response" in said
    (holder,) = lines(gate, "who", "2001:db8:aa::2", "--json")
    assert (holder["imsi"], holder["ipv6_address"]) == (imsi(5), "2001:db8:aa::2")
    assert holder["prefix"] == "2001:db8:77::/64"
    assert not lines(gate, "who", "2001:db8:aa::3", "--json")
    (event,) = [one for one in lines(gate, "events", "--imsi", imsi(5), "--json") if one["session_id"] == "R5"]
    assert (event["ipv6_address"], event["prefix"]) == ("2001:db8:aa::2", "2001:db8:77::/64")
    told = CliRunner().invoke(cli, ["--dir", str(gate.folder), "explain", imsi(5)]).stdout
    told = " ".join(told.split())
    assert "Given the address 10.66.0.2, the IPv6 address 2001:db8:aa::2" in told


def test_a_class_of_somebody_else_is_nobodys(gate: RunningGate) -> None:
    words = (
        'Acct-Status-Type=Start,Acct-Session-Id="C2",NAS-Identifier="pgw1",Called-Station-Id="meters.iot",'
        "Class=0x535743310000000000000001000000000000000000000000"
    )
    assert "Accounting-Response" in radclient(gate.accounting, "acct", words)
    started = lines(gate, "events", "--json", "--kind", "accounting-start")
    (event,) = [one for one in started if one["session_id"] == "C2"]
    assert event["decision"] is None
