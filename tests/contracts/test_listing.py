"""Lists of the registry, a page at a time, held against SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from simward.registry import inventory, listing, repeats
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url

MEMBERS = 30


def line(number: int, **more: Any) -> dict[str, Any]:
    """A subscription as the inventory has it."""
    return {
        "imsi": f"00101{number:010d}", "iccid": f"8988{number // 2:015d}", "msisdn": None, "declared_imei": None,
        "state": "active", "as_of_seq": 2, "use_case": "meter" if number % 3 else "van",
        "tenant": "a" if number % 3 else "b", "segment": None, **more,
    }  # fmt: skip


@pytest.fixture
def filled(registry: Registry) -> Registry:
    with registry.writing() as connection:
        inventory.note_declared(connection, [line(number) for number in range(MEMBERS)])
        locked = sa.update(t.subscription).where(t.subscription.c.imsi.in_([line(4)["imsi"], line(9)["imsi"]]))
        connection.execute(locked.values(locked_at=7, imei="35000001000001"))
        connection.execute(sa.insert(t.finding), [
            {"id": f"0/{number}/0", "tenant": line(number)["tenant"], "imsi": line(number)["imsi"], "detector": "d",
             "severity": "low", "began_at": number // 4, "ended_at": None if number % 5 else 99, "document": {},
             "as_of_seq": 1, "use_case": line(number)["use_case"]}
            for number in range(MEMBERS)
        ])  # fmt: skip
    return registry


@pytest.fixture
def planning(tmp_path: Path) -> Iterator[Registry]:
    """SQLite alone: it says what it plans."""
    opened = Registry.open(sqlite_url(tmp_path))
    opened.migrate()
    yield opened
    opened.close()


def pages(registry: Registry, list_: Any, key_of: Any, size: int, between: Any = None, **asked: Any) -> list[Any]:
    """All pages, one after the other."""
    found: list[Any] = []
    key = None
    while True:
        with registry.reading() as connection:
            rows = list_(connection, **{"after": key, "limit": size, "tenant": None, **asked})
        found += rows
        if len(rows) < size:
            return found
        key = key_of(rows[-1])
        if between is not None:
            between()


@pytest.mark.parametrize("size", [1, 7, MEMBERS])
def test_pages_are_the_whole_in_order(filled: Registry, size: int) -> None:
    by_imsi = [one.imsi for one in pages(filled, listing.subscriptions, lambda row: row.imsi, size)]
    assert by_imsi == [line(number)["imsi"] for number in range(MEMBERS)]
    key = [(one.began_at, one.id) for one in pages(filled, listing.findings, lambda row: (row.began_at, row.id), size)]
    assert key == sorted(key, reverse=True) and len(key) == MEMBERS
    turned = pages(filled, listing.findings, lambda row: (row.began_at, row.id), size, ascending=True)
    assert [(one.began_at, one.id) for one in turned] == sorted(key)
    turned = pages(filled, listing.subscriptions, lambda row: row.imsi, size, descending=True)
    assert [one.imsi for one in turned] == by_imsi[::-1]


def test_what_is_written_meanwhile_moves_nothing(filled: Registry) -> None:
    """New findings come before those on the first page, new subscriptions where they belong: none is given twice."""
    numbers = iter(range(100, 200))

    def write() -> None:
        number = next(numbers)
        with filled.writing() as connection:
            inventory.note_declared(connection, [line(number), line(0, state="suspended")])
            connection.execute(sa.insert(t.finding).values(
                id=f"0/{number}/0", detector="d", severity="low", began_at=number, document={}, as_of_seq=1
            ))  # fmt: skip

    found = [one.id for one in pages(filled, listing.findings, lambda row: (row.began_at, row.id), 4, write)]
    assert sorted(found) == sorted(f"0/{number}/0" for number in range(MEMBERS))
    seen = [one.imsi for one in pages(filled, listing.subscriptions, lambda row: row.imsi, 4, write)]
    assert len(seen) == len(set(seen)) and set(seen) >= {line(number)["imsi"] for number in range(MEMBERS)}


def test_filters(filled: Registry) -> None:
    def subscriptions(**asked: Any) -> list[str]:
        return [one.imsi for one in pages(filled, listing.subscriptions, lambda row: row.imsi, 5, **asked)]

    assert len(subscriptions(use_case="van")) == len(subscriptions(tenant="b")) == MEMBERS // 3
    assert subscriptions(locked=True) == [line(4)["imsi"], line(9)["imsi"]] == subscriptions(imei="35000001000001")
    assert len(subscriptions(locked=False)) == MEMBERS - 2
    assert subscriptions(iccid=line(4)["iccid"]) == [line(4)["imsi"], line(5)["imsi"]]
    assert subscriptions(use_case="van", tenant="a") == []

    def findings(**asked: Any) -> int:
        return len(pages(filled, listing.findings, lambda row: (row.began_at, row.id), 5, **asked))

    assert findings(lasting=False) == MEMBERS // 5 and findings(lasting=True) == MEMBERS - MEMBERS // 5
    assert findings(since=1, until=3) == 8 and findings(tenant="b") == findings(use_case="van") == MEMBERS // 3
    assert findings(imsi=line(4)["imsi"]) == 1 and findings(detector="other") == 0


@pytest.mark.parametrize(
    "asked",
    [{}, {"tenant": "a"}, {"use_case": "van"}, {"iccid": "89"}, {"imei": "35"}, {"locked": True}],
    ids=str,
)
def test_every_list_of_subscriptions_begins_at_an_index(planning: Registry, asked: dict[str, Any]) -> None:
    _uses_an_index(planning, listing.subscriptions, {"tenant": None, "after": "0", "limit": 5, **asked})


@pytest.mark.parametrize(
    "asked",
    [{}, {"tenant": "a"}, {"use_case": "van"}, {"detector": "d"}, {"imsi": "0"}, {"incident": 1}, {"lasting": True}],
    ids=str,
)
def test_every_list_of_findings_begins_at_an_index(planning: Registry, asked: dict[str, Any]) -> None:
    _uses_an_index(planning, listing.findings, {"tenant": None, "after": (9, "x"), "limit": 5, **asked})
    if set(asked) <= {"tenant", "imsi", "incident"}:
        _uses_an_index(planning, listing.effects, {"tenant": None, "after": (9, "x"), "limit": 5, **asked})


def _uses_an_index(registry: Registry, list_: Any, asked: dict[str, Any]) -> None:
    seen: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: Any) -> None:
        raw = connection.connection.driver_connection
        seen.extend(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    sa.event.listen(registry.engine, "before_cursor_execute", explain)
    with registry.reading() as connection:
        list_(connection, **asked)
    sa.event.remove(registry.engine, "before_cursor_execute", explain)
    assert (seen and seen[0].startswith("SEARCH")) or "USING INDEX" in seen[0], seen


def test_the_inventory_changes_and_what_was_seen_stays(filled: Registry) -> None:
    with filled.writing() as connection:
        inventory.note_declared(connection, [line(4, state="suspended", use_case="van", tenant="b")])
        assert inventory.relabel(connection, "meter", "c", "s", 10) == 10
        assert inventory.relabel(connection, "meter", "c", "s", 1000) == MEMBERS * 2 // 3 - 1 - 10
        assert inventory.relabel(connection, "meter", "c", "s", 1000) == 0
        inventory.forget(connection, [line(number)["imsi"] for number in range(10, MEMBERS)])
    with filled.reading() as connection:
        row = listing.subscription(connection, tenant=None, imsi=line(4)["imsi"])
        assert (row.state, row.tenant, row.locked_at, row.imei) == ("suspended", "b", 7, "35000001000001")
        assert len(listing.subscriptions(connection, tenant=None, after=None, limit=99)) == 10
        assert listing.subscription(connection, tenant="a", imsi=line(1)["imsi"]) is None


def test_a_repeated_write_is_known_for_a_day(registry: Registry) -> None:
    with registry.writing() as connection:
        assert repeats.begin(connection, "local", "k", b"1", 10) is None
        assert repeats.begin(connection, "local", "k", b"1", 11).status is None
        repeats.answered(connection, "local", "k", 200, "{}")
        assert repeats.begin(connection, "local", "k", b"1", 12).answer == "{}"
        assert repeats.begin(connection, "other", "k", b"1", 12) is None
        later = 10 + repeats.KEPT_US + 1
        assert repeats.begin(connection, "local", "k", b"2", later) is None, "a day later it is a new one"
        repeats.prune(connection, later + repeats.KEPT_US + 1)
        assert connection.execute(sa.select(sa.func.count()).select_from(t.idempotency)).scalar() == 0


def test_of_repeated_writes_so_many_are_kept(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "KEPT_MOST", 5)
    with registry.writing() as connection:
        for number in range(9):
            repeats.begin(connection, "local", str(number), b"1", number)
        repeats.prune(connection, 10)
        kept = connection.execute(sa.select(t.idempotency.c.key).order_by(t.idempotency.c.at)).scalars()
        assert list(kept) == ["4", "5", "6", "7", "8"]
