"""What CAMARA's interfaces keep, held against SQLite and PostgreSQL: numbers and devices, clients, events that wait."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
import sqlalchemy as sa

from contracts.test_listing import line
from simward.errors import RefusedError
from simward.registry import camara, clients, devices, inventory, mirrors
from simward.registry import tables as t
from simward.registry.database import Registry

NUMBER = "+883000000001"
DAY_US = 86_400_000_000


def declared(registry: Registry, at: int, **more: Any) -> None:
    with registry.writing() as connection:
        inventory.note_declared(connection, [line(1, msisdn=NUMBER, number_since=at, **more)])


def row(registry: Registry) -> Any:
    with registry.reading() as connection:
        (found,) = devices.of_number(connection, NUMBER, None)
    return found


def test_a_number_has_its_sim_since_they_came_together(registry: Registry) -> None:
    declared(registry, 10)
    declared(registry, 20, segment="other")
    assert row(registry).number_since == 10, "another segment is no other SIM"
    declared(registry, 30, iccid="8988000000000000999")
    assert row(registry).number_since == 30


def test_what_was_there_before_changes_were_noted_has_no_time(registry: Registry) -> None:
    declared(registry, 10)
    with registry.writing() as connection:
        connection.execute(sa.update(t.subscription).values(number_since=None))
    declared(registry, 20)
    assert row(registry).number_since is None
    with registry.reading() as connection:
        assert devices.monitored_since(connection, "sim") > 0


def test_a_device_is_there_since_it_was_another(registry: Registry) -> None:
    declared(registry, 10)
    for at, imei in ((1, "a"), (2, "a"), (3, "b")):
        with registry.writing() as connection:
            mirrors.note_device(connection, line(1)["imsi"], at, imei, at, {})
    assert (row(registry).seen_imei, row(registry).seen_since) == ("b", 3)


def test_addresses_lead_to_who_has_them(registry: Registry) -> None:
    declared(registry, 10)
    with registry.writing() as connection:
        mirrors.note_subscription(connection, line(1)["imsi"], 3, address="10.64.0.1", prefix="2001:db8:1:2::/64")
    with registry.reading() as connection:
        assert devices.of_ipv4(connection, ipaddress.IPv4Address("10.64.0.1"), None)
        assert devices.of_ipv6(connection, ipaddress.IPv6Address("2001:db8:1:2::7"), "a")
        assert not devices.of_ipv6(connection, ipaddress.IPv6Address("2001:db8:1:3::7"), None)
        assert not devices.of_ipv4(connection, ipaddress.IPv4Address("10.64.0.1"), "b"), "another tenant's"


def test_a_client_and_its_tokens(registry: Registry) -> None:
    with registry.writing() as connection:
        made = clients.make(connection, "shop", ["sim-swap"], None, 0, DAY_US, "ada")
        with pytest.raises(RefusedError):
            clients.make(connection, "shop", ["sim-swap"], None, 0, DAY_US, "ada")
        assert clients.known(connection, made.id, made.secret, 1) is not None
        assert clients.known(connection, made.id, made.secret + "x", 1) is None
        assert clients.known(connection, made.id, made.secret, DAY_US) is None
        first = clients.give(connection, made.id, ["sim-swap"], 1, 10)
        for at in range(clients.TOKENS_EACH):
            clients.give(connection, made.id, ["sim-swap"], 1, 1000 + at)
        assert clients.holder_of(connection, first.encode(), 2) is None, "the one that ends first made room"
        last = clients.give(connection, made.id, ["sim-swap"], 1, 5000)
        assert list(clients.holder_of(connection, last.encode(), 2).scopes) == ["sim-swap"]
        assert clients.holder_of(connection, last.encode(), 5000) is None
        clients.revoke(connection, made.id, 3, "bob")
        assert clients.holder_of(connection, last.encode(), 4) is None


def subscribed(connection: sa.Connection, id_: str, **more: Any) -> None:
    values = {
        "id": id_, "tenant": "a", "owner": "shop", "imsi": line(1)["imsi"], "type": "x", "sink": "https://a/",
        "config": {}, "started_at": 1, "status": camara.ACTIVE, **more,
    }  # fmt: skip
    camara.add(connection, values)


def test_events_leave_in_order_a_subscription(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camara, "QUEUE_MAX", 2)
    with registry.writing() as connection:
        for name in ("one", "two"):
            subscribed(connection, name)
            assert camara.queue(connection, name, {"n": 1}, 5) and camara.queue(connection, name, {"n": 2}, 6)
            assert not camara.queue(connection, name, {"n": 3}, 7), "its queue is full"
        first, second = camara.heads(connection, 10, [], 9)
        assert (first.document, second.document) == ({"n": 1}, {"n": 1}) and camara.next_at(connection) == 5
        assert [one.subscription for one in camara.heads(connection, 10, ["one"], 9)] == ["two"]
        assert camara.heads(connection, 10, [], 9, ["shop"]) == []
        camara.again(connection, first.number, 1, 100)
        assert [one.subscription for one in camara.heads(connection, 10, [], 9)] == ["two"], "none overtakes it"
        camara.done(connection, second.number)
        assert camara.heads(connection, 10, [], 9)[0].document == {"n": 2}
        camara.gone(connection, "two", 11)
        found = camara.find(connection, "two", "shop", "a")
        assert (found.status, found.dropped) == (camara.EXPIRED, 1) and camara.heads(connection, 50, [], 9) == []


def test_what_is_over_keeps_nothing(registry: Registry) -> None:
    declared(registry, 10)
    with registry.writing() as connection:
        subscribed(connection, "due", ends_at=5, credential=b"sealed")
        subscribed(connection, "alone", imsi="001019999999999")
        assert [one.id for one in camara.due(connection, 5, 9)] == ["due"] and not camara.due(connection, 4, 9)
        assert [one.id for one in camara.orphans(connection, 9)] == ["alone"]
        camara.queue(connection, "due", {}, 5)
        camara.end(connection, "due", camara.EXPIRED, 6)
        camara.end(connection, "alone", camara.DELETED, 6)
        camara.forget(connection, 7)
        assert camara.find(connection, "alone", None, None) is None
        assert camara.find(connection, "due", None, None).credential == b"sealed", "its last event still needs it"
        camara.gone(connection, "due", 8)
        camara.forget(connection, 8)
        assert camara.find(connection, "due", None, None).credential is None
        camara.forget(connection, 7 + camara.KEPT_US)
        assert camara.find(connection, "due", None, None) is None
