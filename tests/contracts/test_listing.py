"""Lists of the registry, a page at a time, held against SQLite and PostgreSQL."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from simward.registry import (
    hourly,
    incident_pages,
    incidents,
    inventory,
    listing,
    mirrors,
    population,
    repeats,
    standing,
    walking,
)
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
        for number in (4, 9):
            mirrors.note_subscription(connection, line(number)["imsi"], 2, locked_at=7, imei="35000001000001")
        connection.execute(sa.insert(t.finding), [
            {"id": f"0/{number}/0", "tenant": line(number)["tenant"], "imsi": line(number)["imsi"], "detector": "d",
             "severity": "low", "began_at": number // 4, "ended_at": None if number % 5 else 99, "document": {},
             "as_of_seq": 1, "use_case": line(number)["use_case"]}
            for number in range(MEMBERS)
        ])  # fmt: skip
    return registry


@pytest.fixture(scope="module")
def planning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """SQLite alone: it says what it plans."""
    opened = Registry.open(sqlite_url(tmp_path_factory.mktemp("planning")))
    opened.migrate()
    yield opened
    opened.close()


def pages(registry: Registry, list_: Any, size: int, between: Any = None, **asked: Any) -> list[Any]:
    """All pages, one after the other."""
    found: list[Any] = []
    key = None
    while True:
        with registry.reading() as connection:
            page = list_(connection, **{"after": key, "limit": size, "tenant": None, **asked})
        found += page.rows
        assert len(page.rows) <= size
        if page.on is None:
            return found
        key = page.on
        if between is not None:
            between()


@pytest.mark.parametrize("size", [1, 7, MEMBERS])
def test_pages_are_the_whole_in_order(filled: Registry, size: int) -> None:
    by_imsi = [one.imsi for one in pages(filled, listing.subscriptions, size)]
    assert by_imsi == [line(number)["imsi"] for number in range(MEMBERS)]
    key = [(one.began_at, one.id) for one in pages(filled, listing.findings, size)]
    assert key == sorted(key, reverse=True) and len(key) == MEMBERS
    turned = pages(filled, listing.findings, size, ascending=True)
    assert [(one.began_at, one.id) for one in turned] == sorted(key)
    turned = pages(filled, listing.subscriptions, size, descending=True)
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

    found = [one.id for one in pages(filled, listing.findings, 4, write)]
    assert sorted(found) == sorted(f"0/{number}/0" for number in range(MEMBERS))
    seen = [one.imsi for one in pages(filled, listing.subscriptions, 4, write)]
    assert len(seen) == len(set(seen)) and set(seen) >= {line(number)["imsi"] for number in range(MEMBERS)}


def test_filters(filled: Registry) -> None:
    def subscriptions(**asked: Any) -> list[str]:
        return [one.imsi for one in pages(filled, listing.subscriptions, 5, **asked)]

    assert len(subscriptions(use_case="van")) == len(subscriptions(tenant="b")) == MEMBERS // 3
    assert subscriptions(locked=True) == [line(4)["imsi"], line(9)["imsi"]] == subscriptions(imei="35000001000001")
    assert len(subscriptions(locked=False)) == MEMBERS - 2
    assert subscriptions(iccid=line(4)["iccid"]) == [line(4)["imsi"], line(5)["imsi"]]
    assert subscriptions(use_case="van", tenant="a") == []

    def findings(**asked: Any) -> int:
        return len(pages(filled, listing.findings, 5, **asked))

    assert findings(lasting=False) == MEMBERS // 5 and findings(lasting=True) == MEMBERS - MEMBERS // 5
    assert findings(since=1, until=3) == 8 and findings(tenant="b") == findings(use_case="van") == MEMBERS // 3
    assert findings(imsi=line(4)["imsi"]) == 1 and findings(detector="other") == 0


@pytest.mark.parametrize(
    "asked",
    [{}, {"tenant": "a"}, {"use_case": "van"}, {"iccid": "89"}, {"imei": "35"}, {"locked": True},
     {"locked": True, "tenant": "a"}, {"locked": True, "use_case": "van"}],
    ids=str,
)
def test_every_list_of_subscriptions_begins_at_an_index(planning: Registry, asked: dict[str, Any]) -> None:
    _uses_an_index(planning, listing.subscriptions, {"tenant": None, "after": ("0",), "limit": 5, **asked})


@pytest.mark.parametrize(
    "asked",
    [{}, {"tenant": "a"}, {"use_case": "van"}, {"detector": "d"}, {"imsi": "0"}, {"incident": 1}, {"lasting": True},
     {"tenant": "a", "detector": "d"}, {"use_case": "van", "detector": "d"}, {"lasting": True, "use_case": "van"},
     {"lasting": True, "tenant": "a"}, {"lasting": True, "detector": "d"}, {"imsi": "0", "lasting": True}],
    ids=str,
)
def test_every_list_of_findings_begins_at_an_index(planning: Registry, asked: dict[str, Any]) -> None:
    _uses_an_index(planning, listing.findings, {"tenant": None, "after": (9, "x"), "limit": 5, **asked})
    if set(asked) <= {"tenant", "imsi", "incident"}:
        _uses_an_index(planning, listing.effects, {"tenant": None, "after": (9, "x"), "limit": 5, **asked})


@pytest.mark.parametrize("tenant", [None, "a"])
@pytest.mark.parametrize("sort", ["number", "-number", "changed", "-changed", "deadline", "subscriptions"])
def test_what_waits_for_somebody_is_not_looked_for_among_what_is_over(
    planning: Registry, sort: str, tenant: str | None
) -> None:
    asked = {"tenant": tenant, "limit": 5, "states": incidents.UNRESOLVED, "sort": sort}
    steps = _steps(planning, incident_pages.listed, asked)
    assert any("ix_incident_unresolved" in one for one in steps) and not any("TEMP B-TREE" in one for one in steps)
    steps = _steps(planning, incident_pages.listed, {**asked, "states": ()})
    assert not any("TEMP B-TREE" in one for one in steps), steps
    if sort.endswith("number"):
        asked = {"tenant": tenant, "limit": 5, "states": incidents.UNRESOLVED, "ascending": sort == "number"}
        assert any("ix_incident_unresolved" in one for one in _steps(planning, incidents.page, asked))


@pytest.mark.parametrize("tenant", [None, "a"])
def test_the_overview_goes_through_no_table(planning: Registry, tenant: str | None) -> None:
    asked = {"tenant": tenant, "now": 9, "since": 1, "hours": 24, "endpoints": ["app"]}
    for step in _steps(planning, standing.look, asked):
        through = step.startswith("SCAN") and "INDEX" not in step
        assert not through or step in ("SCAN looked_at", "SCAN population"), step
        assert "finding" not in step or "COVERING INDEX ix_finding_held" in step


def _uses_an_index(registry: Registry, list_: Any, asked: dict[str, Any]) -> None:
    steps = [one for one in _steps(registry, list_, asked) if one != "CO-ROUTINE looked_at"]
    assert steps and (steps[0].startswith("SEARCH") or "USING INDEX" in steps[0]), steps
    if asked.get("lasting") and not {"imsi", "incident"} & asked.keys():
        assert "ix_finding_lasting" in steps[0]
    if asked.get("locked"):
        assert "ix_subscription_locked" in steps[0]


def _steps(registry: Registry, list_: Any, asked: dict[str, Any]) -> list[str]:
    seen: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: Any) -> None:
        raw = connection.connection.driver_connection
        seen.extend(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    sa.event.listen(registry.engine, "before_cursor_execute", explain)
    with registry.reading() as connection:
        list_(connection, **asked)
    sa.event.remove(registry.engine, "before_cursor_execute", explain)
    return seen


@pytest.mark.parametrize("looked_at", [1, 4, 1000])
@pytest.mark.parametrize("ascending", [False, True])
def test_what_is_rare_is_looked_for_some_rows_at_a_time(
    filled: Registry, monkeypatch: pytest.MonkeyPatch, looked_at: int, ascending: bool
) -> None:
    """However few rows one page goes past, all pages together are the whole, in order, each row once."""
    monkeypatch.setattr(walking, "SPREAD", looked_at)
    asked = {"use_case": "meter", "lasting": False, "ascending": ascending}
    found = [(one.began_at, one.id) for one in pages(filled, listing.findings, 3, **asked)]
    wanted = [number for number in range(0, MEMBERS, 5) if number % 3]
    assert sorted(found, reverse=not ascending) == found and {one for _, one in found} == {
        f"0/{number}/0" for number in wanted
    }  # fmt: skip
    with filled.writing() as connection:  # b had one in there, which has gone
        connection.execute(sa.insert(t.population).values(
            tenant="b", use_case="meter", segment="", **dict.fromkeys(population.COUNTS, 0)
        ))  # fmt: skip
    with filled.reading() as connection:
        first = listing.findings(connection, tenant="b", use_case="meter", after=None, limit=3)
    assert not first.rows and (first.on is not None) == (looked_at < 1000), "none of b is in there: it stops"


@pytest.mark.parametrize("list_", [listing.findings, listing.subscriptions, incidents.page, incident_pages.listed])
def test_a_use_case_of_another_tenant_is_not_gone_through(filled: Registry, list_: Any) -> None:
    """A tenant that never had a subscription in a use case has nothing in it: that is known before any row is read."""
    asked = {"use_case": "meter", "after": None, "limit": 3}
    with filled.reading() as connection:
        assert list_(connection, tenant="b", **asked) == walking.NOTHING
        assert list_ in (incidents.page, incident_pages.listed) or list_(connection, tenant="a", **asked).rows
    if filled.engine.dialect.name == "sqlite":
        steps = _steps(filled, list_, {"tenant": "b", **asked})
        assert len(steps) == 1 and "population" in steps[0]


def test_the_counts_of_subscriptions_follow_what_is_written(filled: Registry) -> None:
    def counted() -> dict[Any, Any]:
        with filled.reading() as connection:
            return {one[:3]: one[3:] for one in map(tuple, population.counted(connection))}

    assert counted() == {("a", "meter", ""): (20, 1, 1, 0, 0), ("b", "van", ""): (10, 1, 1, 0, 0)}
    imsi = line(4)["imsi"]
    with filled.writing() as connection:
        mirrors.note_subscription(connection, imsi, 3, imei="35000001000002", address="192.0.2.1", locked_at=9)
        mirrors.note_subscription(connection, imsi, 4, confined=True)
        mirrors.note_subscription(connection, "001010000009999", 4, tenant="c", use_case=None)
        inventory.relabel(connection, "van", "b", "s", 1000)
        inventory.forget(connection, [line(number)["imsi"] for number in range(20, MEMBERS)])
        inventory.note_declared(connection, [line(1, use_case="van", tenant="b", segment="s")])
    assert counted() == {
        ("a", "meter", ""): (12, 1, 0, 1, 1), ("b", "van", "s"): (8, 1, 1, 0, 0), ("c", "", ""): (1, 0, 0, 0, 0)
    }  # fmt: skip


def test_whatever_is_written_the_counts_are_what_counting_gives(registry: Registry) -> None:
    chance = random.Random(7)
    facts: dict[str, tuple[Any, ...]] = {
        "tenant": ("a", "b"), "use_case": ("meter", "van", None), "segment": ("s", None), "imei": ("1", None),
        "locked_at": (5, None), "confined": (True, False), "address": ("192.0.2.1", None), "prefix": ("x", None),
        "apn": ("y",),
    }  # fmt: skip
    with registry.writing() as connection:
        for _ in range(150):
            imsi = line(chance.randrange(12))["imsi"]
            some = chance.sample(sorted(facts), chance.randrange(1, 5))
            mirrors.note_subscription(connection, imsi, 3, **{name: chance.choice(facts[name]) for name in some})
            if chance.random() < 0.1:
                inventory.forget(connection, [imsi])
            elif chance.random() < 0.2:
                inventory.note_declared(connection, [line(chance.randrange(12)), line(20)])
        kept = {tuple(one[:3]): tuple(one[3:]) for one in population.counted(connection)}
        counted = connection.execute(
            sa.text(
                "SELECT tenant, coalesce(use_case, ''), coalesce(segment, ''), count(*), count(imei), "
                "sum(CASE WHEN locked_at IS NOT NULL AND NOT confined THEN 1 ELSE 0 END), "
                "sum(CASE WHEN locked_at IS NOT NULL AND confined THEN 1 ELSE 0 END), "
                "sum(CASE WHEN address IS NOT NULL OR prefix IS NOT NULL THEN 1 ELSE 0 END) "
                "FROM subscription GROUP BY 1, 2, 3"
            )
        )
        assert kept == {tuple(one[:3]): tuple(map(int, one[3:])) for one in counted}


def test_counts_by_the_hour_are_of_each_tenant_and_of_all(registry: Registry) -> None:
    hour = hourly.HOUR_US
    with registry.writing() as connection:
        for tenant, at in (("a", 5 * hour), ("a", 5 * hour + 1), ("b", 7 * hour)):
            hourly.count(connection, at, tenant, "finding", "d")
    with registry.reading() as connection:
        asked = {"what": "finding", "since": 0}
        assert hourly.by_hour(connection, tenant="a", **asked) == [(5 * hour, "d", 2)]
        assert hourly.by_hour(connection, tenant=None, hours=6, **asked) == [(0, "d", 2), (6 * hour, "d", 1)]
        assert hourly.totals(connection, tenant=None, since=6 * hour) == {"finding": {"d": 1}}


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
        assert len(listing.subscriptions(connection, tenant=None, after=None, limit=99).rows) == 10
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
