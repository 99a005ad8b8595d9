"""One control process a registry, also where two working folders name the same database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from postgresql import Server
from simward.errors import RegistryError
from simward.registry import sole
from simward.registry.database import sqlite_url
from simward.registry.sole import sole_user


def test_of_two_that_name_one_file_the_second_is_refused(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    with sole_user(url):
        with pytest.raises(RegistryError, match="two working folders cannot share one registry"), sole_user(url):
            pass
    with sole_user(url):
        pass


def test_of_two_that_name_one_database_the_second_is_refused(
    postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sole, "WITHIN_S", 0.3)
    url, other = sa.make_url(postgresql.database()), sa.make_url(postgresql.database())
    with sole_user(url), sole_user(other):
        with pytest.raises(RegistryError, match=r"uses this registry \(from the same machine"):
            with sole_user(url):
                pass
    with sole_user(url):
        pass


def test_a_lock_that_went_with_its_connection_is_taken_again(
    postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sole, "WITHIN_S", 0.3)
    monkeypatch.setattr(sole, "LOOK_EVERY_S", 0.05)
    url = sa.make_url(postgresql.database())
    engine = sa.create_engine(url)
    cut = sa.text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")

    async def cut_off(part: sole.Sole | sole.SoleFile) -> None:
        running = asyncio.create_task(part.run())
        with engine.begin() as connection:
            assert connection.execute(cut).all() == [(True,)]
        await asyncio.sleep(0.5)
        assert not running.done()
        running.cancel()

    with sole_user(url) as part:
        asyncio.run(cut_off(part))
        with pytest.raises(RegistryError, match="another control process"), sole_user(url):
            pass
    engine.dispose()
