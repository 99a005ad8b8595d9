"""Events leave for their sinks: none for long, none in the way of another client, for a day at most."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from control.outgoing import ManualClock
from simward.connectors.connector import Outcome
from simward.control.camara import notifying
from simward.control.camara.notifying import GIVE_UP_US, OF_ONE_CLIENT_MAX, SINKS_KEPT, Notifying
from simward.registry import camara
from simward.registry.database import Registry, sqlite_url
from simward.registry.sealing import Vault
from simward.settings_camara import CamaraSettings


class Sinks:
    """In place of connections: each sink answers as it is told, or never."""

    def __init__(self) -> None:
        self.got: list[tuple[str, int]] = []
        self.silent: set[str] = set()
        self.status = 204
        self.closed = 0

    def made(self, endpoint: Any) -> Any:
        outer = self

        class Sink:
            async def post(self, headers: dict[str, str], body: bytes, at: int) -> Outcome:
                outer.got.append((endpoint.url, at))
                if endpoint.url in outer.silent:
                    await asyncio.Event().wait()
                return Outcome(outer.status, "" if outer.status < 300 else "no")

            async def aclose(self) -> None:
                outer.closed += 1

        return Sink()


@pytest.fixture
def sinks(monkeypatch: pytest.MonkeyPatch) -> Sinks:
    made = Sinks()
    monkeypatch.setattr(notifying, "Webhook", made.made)
    return made


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    opened = Registry.open(sqlite_url(tmp_path))
    opened.migrate()
    return opened


def subscribe(registry: Registry, owner: str, count: int, now: int, **more: Any) -> None:
    with registry.writing() as connection:
        for number in range(count):
            id_ = f"{owner}-{number}"
            camara.add(connection, {
                "id": id_, "owner": owner, "imsi": "1", "type": "x", "sink": f"https://{id_}.example/", "config": {},
                "started_at": 1, "status": camara.ACTIVE, **more,
            })  # fmt: skip
            camara.queue(connection, id_, {"id": id_}, now)


def story(registry: Registry, clock: ManualClock, told: Any) -> None:
    async def run() -> None:
        part = Notifying(registry, CamaraSettings(), Vault([bytes(32)]), clock, chance=lambda: 1.0)
        running = asyncio.create_task(part.run())
        try:
            await told(part)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


async def until(happened: Any) -> None:
    async with asyncio.timeout(10):
        while not happened():
            await asyncio.sleep(0.005)


def test_who_never_answers_is_in_nobodys_way(registry: Registry, sinks: Sinks) -> None:
    clock = ManualClock()
    subscribe(registry, "hog", 200, clock.now())
    subscribe(registry, "shop", 2, clock.now() + 1)
    sinks.silent = {f"https://hog-{number}.example/" for number in range(200)}
    clock.advance(1)

    async def told(part: Notifying) -> None:
        await until(lambda: part.counted["delivered"] == 2)
        assert len([url for url, _ in sinks.got if "hog" in url]) == OF_ONE_CLIENT_MAX

    story(registry, clock, told)


def test_connections_are_not_kept_without_end(registry: Registry, sinks: Sinks) -> None:
    clock = ManualClock()
    subscribe(registry, "shop", SINKS_KEPT + 5, clock.now())

    async def told(part: Notifying) -> None:
        await until(lambda: part.counted["delivered"] == SINKS_KEPT + 5)
        assert len(part._sinks) <= SINKS_KEPT and sinks.closed >= 5

    story(registry, clock, told)


def test_after_a_day_it_is_given_up(registry: Registry, sinks: Sinks) -> None:
    clock = ManualClock()
    subscribe(registry, "shop", 1, clock.now())
    sinks.status = 500

    async def told(part: Notifying) -> None:
        await until(lambda: part.counted["failed"] == 1)
        clock.advance(GIVE_UP_US / 1e6)
        await until(lambda: part.counted["dead"] == 1)

    story(registry, clock, told)
    with registry.reading() as connection:
        assert camara.next_at(connection) is None
        assert camara.find(connection, "shop-0", None, None).status == camara.ACTIVE, "the next may arrive"


def test_a_token_that_cannot_be_used_ends_the_subscription(registry: Registry, sinks: Sinks) -> None:
    clock = ManualClock()
    subscribe(registry, "shop", 1, clock.now(), credential=b"sealed with another key")

    async def told(part: Notifying) -> None:
        await until(lambda: part.counted["dead"] == 1)

    story(registry, clock, told)
    with registry.reading() as connection:
        assert camara.find(connection, "shop-0", None, None).status == camara.EXPIRED
    assert sinks.got == [], "nothing leaves without its token"
