"""What the registry promises, held against SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from postgresql import Server
from simward.errors import RegistryError
from simward.registry import announcements, cursors, database, mirrors
from simward.registry import tables as t
from simward.registry.cursors import Cursor
from simward.registry.database import Registry, sqlite_url
from simward.registry.upsert import upsert


def test_the_migrations_make_what_the_tables_say(registry: Registry) -> None:
    with registry.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "registry_version"})
        assert compare_metadata(context, t.metadata) == []


def test_migrating_again_changes_nothing(registry: Registry) -> None:
    assert registry.version() == database.NEWEST
    registry.migrate()
    assert registry.version() == database.NEWEST


def test_what_a_newer_version_made_is_used_as_it_is(registry: Registry) -> None:
    """An upgrade is undone by starting the version before: what was added since does not stop it."""
    with registry.writing() as connection:
        connection.execute(sa.text("UPDATE registry_version SET version_num = '9999'"))
        connection.execute(sa.text("ALTER TABLE incident ADD COLUMN of_a_later_version VARCHAR(8)"))
    registry.migrate()
    assert registry.version() == "9999"
    with registry.writing() as connection:
        number = _announce(connection, "a")
    assert number == 1


def test_half_a_transaction_is_nothing(registry: Registry) -> None:
    with pytest.raises(ZeroDivisionError), registry.writing() as connection:
        cursors.move_cursor(connection, Cursor(5, 4))
        raise ZeroDivisionError
    with registry.reading() as connection:
        assert cursors.read_cursor(connection) == Cursor()


def test_a_cursor_moves(registry: Registry) -> None:
    for to in (Cursor(5, 4), Cursor(9, 8)):
        with registry.writing() as connection:
            cursors.move_cursor(connection, to)
    with registry.reading() as connection:
        assert cursors.read_cursor(connection) == Cursor(9, 8)


def test_texts_are_kept_as_they_are(registry: Registry) -> None:
    texts = [(1, b"meters.iot"), (2, b"\xff\x00")]
    for _ in range(2):
        with registry.writing() as connection:
            cursors.keep_texts(connection, texts)
    with registry.reading() as connection:
        assert cursors.kept_texts(connection) == texts


def test_an_announcement_is_made_once_and_counts_in_its_subject(registry: Registry) -> None:
    with registry.writing() as connection:
        made = [_announce(connection, name, subject) for name, subject in (("a", "x"), ("b", "y"), ("c", "x"))]
        assert _announce(connection, "a", "x") == 0
    assert all(made)
    assert len(set(made)) == 3
    with registry.reading() as connection:
        rows = connection.execute(sa.select(t.announcement).order_by(t.announcement.c.number)).all()
    assert [(row.id, row.subject, row.sequence) for row in rows] == [("a", "x", 1), ("b", "y", 1), ("c", "x", 2)]
    assert rows[0].data == {"said": ["a"], "none": None}


def test_a_delivery_waits_for_each_endpoint_once(registry: Registry) -> None:
    with registry.writing() as connection:
        number = _announce(connection, "a")
        announcements.deliver(connection, number, "x", ["app", "dm", "app"], 10, 20)
    with registry.reading() as connection:
        rows = connection.execute(sa.select(t.delivery)).all()
    assert sorted((row.endpoint, row.lane, row.state, row.attempts) for row in rows) == [
        ("app", "x", "waiting", 0), ("dm", "x", "waiting", 0),
    ]  # fmt: skip


def test_an_upsert_changes_only_what_it_is_given(registry: Registry) -> None:
    imsi = "001010000000001"
    with registry.writing() as connection:
        mirrors.note_subscription(connection, imsi, 3, use_case="meter", device="35000001-000001 01")
        mirrors.note_subscription(connection, imsi, 4, locked_at=7)
        upsert(connection, t.subject, ["name"], {"name": "x", "announcements": 1})
    with registry.reading() as connection:
        row = connection.execute(sa.select(t.subscription)).one()
    assert (row.use_case, row.device, row.locked_at, row.as_of_seq) == ("meter", "35000001-000001 01", 7, 4)


def test_a_stop_proves_the_disconnect_of_its_session_alone(registry: Registry) -> None:
    imsi = "001010000000001"
    with registry.writing() as connection:
        for number, session in enumerate(("one", "two")):
            mirrors.note_effect(connection, _effect(f"0/{number}/0", imsi, session))
        assert mirrors.unproved(connection) == {imsi}
        assert mirrors.stopped(connection, imsi, "one", 50, 9) == ["0/0/0"]
        assert mirrors.awaits_proof(connection, imsi)
        mirrors.note_proof(connection, "0/1/0", "nak", 503, 60, 10)
        assert mirrors.unproved(connection) == set()
    with registry.reading() as connection:
        rows = connection.execute(sa.select(t.effect).order_by(t.effect.c.id)).all()
    assert [(row.result, row.error_cause, row.proved_at) for row in rows] == [("stop", None, 50), ("nak", 503, 60)]


def test_two_writers_take_turns(registry: Registry) -> None:
    def count() -> None:
        for _ in range(20):
            with registry.writing() as connection:
                announcements._next_sequence(connection, "x")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with registry.reading() as connection:
        assert connection.execute(sa.select(t.subject.c.announcements)).scalar() == 80


def test_what_was_committed_is_there_for_another_process(tmp_path: Path) -> None:
    first, second = Registry.open(sqlite_url(tmp_path)), Registry.open(sqlite_url(tmp_path))
    first.migrate()
    with first.writing() as connection:
        cursors.move_cursor(connection, Cursor(1, 2))
    with second.reading() as connection:
        assert cursors.read_cursor(connection) == Cursor(1, 2)
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_database_that_is_not_there_is_told_in_words(postgresql: Server) -> None:
    gone = Registry.open(postgresql.database().replace("/simward", "/nowhere", 1))
    with pytest.raises(RegistryError, match="cannot be used"):
        gone.migrate()


def test_a_file_that_is_no_database_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / database.FILE_NAME).write_text("not a database, but long enough to be taken for one" * 30)
    with pytest.raises(RegistryError, match="not a database"):
        Registry.open(sqlite_url(tmp_path)).migrate()


def _announce(connection: sa.Connection, name: str, subject: str = "x") -> int:
    values: dict[str, Any] = {"id": name, "type": "finding.raised", "at": 1, "subject": subject}
    return announcements.announce(connection, {**values, "data": {"said": [name], "none": None}})


def _effect(name: str, imsi: str, session: str) -> dict[str, Any]:
    return {
        "id": name, "imsi": imsi, "what": "disconnect", "session_id": session, "held": None, "at": 1, "as_of_seq": 1,
    }  # fmt: skip


def test_where_every_connection_is_taken_it_is_an_error_like_others(
    postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever follows or delivers tries again on it, and does not end."""
    monkeypatch.setattr(database, "BUSY_S", 0.1)
    opened = Registry.open(postgresql.database())
    with contextlib.ExitStack() as taken:
        for _ in range(16):
            taken.enter_context(opened.reading())
        with pytest.raises(RegistryError, match="no connection to it is free"), opened.reading():
            pytest.fail("there is one more")
    with opened.reading() as connection:
        assert connection.execute(sa.text("SHOW tcp_user_timeout")).scalar() is not None
    opened.close()


def test_a_deadline_of_the_owners_url_is_the_one_that_holds(postgresql: Server) -> None:
    opened = Registry.open(f"{postgresql.database()}&connect_timeout=3")
    with opened.reading() as connection:
        info = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
    assert (info["connect_timeout"], info["tcp_user_timeout"]) == ("3", "30000")
    opened.close()
