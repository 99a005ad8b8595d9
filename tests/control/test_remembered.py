"""What is remembered of who showed what: it saves the look-up, and is void as soon as anything else may be so."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from control.browser import account
from control.running import RunningControl
from control.test_people import new_folder
from simward.control.access import remembered
from simward.control.access.remembered import LASTS_S, MOST, Remembered
from simward.control.assembling import assemble
from simward.registry import tokens
from simward.registry.database import Registry
from simward.settings import Settings


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    made = Registry.open(f"sqlite:///{tmp_path}/registry.sqlite")
    made.migrate()
    yield made
    made.close()


def test_it_holds_for_a_moment(registry: Registry) -> None:
    now = [100.0]
    known = Remembered(registry, lambda: now[0])
    known.keep(b"shown", "row", known.edition)
    assert known.row(b"shown") == "row" and known.row(b"other") is None
    now[0] += LASTS_S
    assert known.row(b"shown") is None
    assert b"shown" not in repr(vars(known)).encode()


def test_a_write_makes_all_of_it_void_and_so_does_one_that_comes_while_it_is_read(registry: Registry) -> None:
    known = Remembered(registry)
    known.keep(b"shown", "row", known.edition)
    before = known.edition
    with registry.writing() as connection:
        made = tokens.make(connection, "a", "viewer", None, 1, 2, "somebody")
    assert known.row(b"shown") is None
    known.keep(b"shown", "row", before)  # it was read before that write
    assert known.row(b"shown") is None
    known.keep(b"shown", "row", known.edition)
    with registry.writing() as connection:
        connection.execute(sa.text("select 1"))
    with registry.reading() as connection:
        assert tokens.find(connection, made.id, 1)
    assert known.row(b"shown") == "row"  # of who may come in nothing was written
    with registry.writing() as connection:
        tokens.revoke(connection, made.id, 1, "somebody")
    assert known.row(b"shown") is None


def test_there_is_a_bound(registry: Registry) -> None:
    known = Remembered(registry)
    for number in range(MOST + 10):
        known.keep(str(number).encode(), number, known.edition)
    assert len(known._rows) == MOST and known.row(b"9") is None and known.row(b"10") == 10


def test_what_ends_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "LASTS_S", 3600.0)  # so that nothing here is so by the passing of time
    folder = new_folder(tmp_path)
    control = RunningControl(folder, control=assemble(Settings.load(folder)))
    try:
        made = control.ask("POST", "/v1/tokens", {"name": "a", "role": "viewer"}).document
        browser = account(control, "ada", "administrator")
        for _ in range(3):
            assert control.ask("GET", "/v1/me", token=made["token"]).status == 200
            assert browser.get("/account").status == 200
        assert control.ask("POST", f"/v1/tokens/{made['id']}/revoke", {"because": "lost"}).status == 200
        assert control.ask("GET", "/v1/me", token=made["token"]).status == 401
        kept = {"Cookie": f"simward={browser.cookies['simward']}"}
        assert control.ask("GET", "/v1/me", headers=kept, tcp=True).document["role"] == "administrator"
        account(control, "bob", "administrator")
        less = {"memberships": [{"role": "viewer"}], "because": "x"}
        assert control.ask("POST", "/v1/accounts/ada/change", less).status == 200
        assert control.ask("GET", "/v1/me", headers=kept, tcp=True).document["role"] == "viewer"
        assert control.ask("POST", "/v1/accounts/ada/change", {"enabled": False, "because": "x"}).status == 200
        assert control.ask("GET", "/v1/me", headers=kept, tcp=True).status == 401
        short = control.ask("POST", "/v1/tokens", {"name": "b", "role": "viewer", "expires_in_s": 1}).document
        assert control.ask("GET", "/v1/me", token=short["token"]).status == 200
        time.sleep(1.05)
        assert control.ask("GET", "/v1/me", token=short["token"]).status == 401
    finally:
        control.close()
    assert control.error is None


def test_answers_do_not_wait_for_acknowledgements(tmp_path: Path) -> None:
    """Head and body are two writes: by Nagle the second waits for 40 ms on a connection that is used again."""
    control = RunningControl(new_folder(tmp_path), authenticators=[])
    try:
        with closing(http.client.HTTPConnection(*control.tcp(), timeout=20)) as connection:
            took = []
            for _ in range(20):
                began = time.monotonic()
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                took.append(time.monotonic() - began)
        assert sorted(took)[5] < 0.035
    finally:
        control.close()
