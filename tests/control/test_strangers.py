"""An administrator of another tenant goes through every route with ids of what is there: for it, nothing is.

By a token and by a session; nothing of what it is answered names what is not its own, and nothing changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa

from control import assembled
from control.browser import Browser, account
from control.running import RunningControl
from control.test_access import ENDLESS, ENDS_IT, every_route
from simward.control.api import wrong_tokens
from simward.control.api.permissions import ANYBODY, DECLARED
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url

IMSI, IMEI, NUMBER = "001010000000001", "35999900000001", 77
BECAUSE = {"because": "x", "outcome": "benign", "to": "x", "confirm": "true"}


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    made = assembled.running(assembled.recorded_day(tmp_path_factory.mktemp("day")))
    yield made
    made.close()
    assert made.error is None


@pytest.fixture(scope="module")
def ids(control: RunningControl) -> dict[str, dict[str, str]]:
    """Parameter of a path -> beginning of the path ("": any other) -> the id of something of the default tenant."""
    registry = Registry.open(sqlite_url(control.folder / "data"))
    when = {"at": 1, "changed_at": 1, "created_at": 1, "asked_at": 1, "made_at": 1, "trigger_at": 1, "due_at": 1}
    of = {"tenant": "default", "imsi": IMSI, "iccid": "89001000000000000001", "use_case": "meter"}
    some = {
        t.effect: {"id": "0/7/1", "what": "disconnect", "as_of_seq": 1},
        t.binding: {"generation": 1, "imei": IMEI, "device": IMEI, "began_at": 1, "as_of_seq": 1},
        t.deployment: {
            "number": NUMBER, "imei": IMEI, "actor": "dm", "correlator": "secret-correlator", "state": "confirmed",
            "live": True, "lines": [], "before": [], "label": "secret-site",
        },
        t.work_order: {
            "number": NUMBER, "kind": "plan", "title": "secret-order", "created_by": "dm", "because": "x",
            "begins_at": 1, "ends_at": 2, "items": 1,
        },
        t.job: {
            "number": NUMBER, "kind": "commands", "state": "done", "actor": "dm", "because": "secret-job", "done": 1,
            "total": 1, "arguments": {},
        },
        t.rule_action: {
            "id": "secret-action", "rule": "secret-rule", "revision": 1, "trigger": "x", "trigger_type": "x",
            "action": "lock", "arguments": {}, "mode": "act", "state": "held",
        },
        t.undo: {
            "id": "secret-undo", "rule": "secret-rule", "since": 1, "actor": "dm", "because": "x", "releases": 0
        },
    }  # fmt: skip
    with registry.writing() as connection:
        for table, values in some.items():
            known = {name: value for name, value in {**when, **of, **values}.items() if name in table.c}
            connection.execute(sa.insert(table).values(known))
    registry.close()
    assembled.token(control, "viewer", "secret-token", tenant="default")
    account(control, "secret-person", "viewer", tenant="default")
    finding = control.ask("GET", "/v1/findings").document["findings"][0]["id"]
    upload = control.ask("POST", "/v1/uploads", {**BECAUSE, "policies": {}}).document
    return {
        "imsi": {"": IMSI}, "imsi_or_iccid": {"": IMSI}, "imei": {"": IMEI}, "undo": {"": "secret-undo"},
        "number": {"": str(NUMBER), "/v1/incidents": "1", "/incidents": "1", "/v1/revisions": "1", "/revisions": "1"},
        "id": {"": str(upload.get("id", "u-0")), "/v1/findings": finding, "/v1/effects": "0/7/1"},
        "name": {"": "secret-rule", "/v1/use-cases": "meter", "/use-cases": "meter", "/v1/tenants": "default",
                 "/v1/accounts": "secret-person", "/access/accounts": "secret-person"},
        "id_or_name": {"": "secret-token"}, "session": {"": "0123456789ab"}, "subscription_id": {"": "0"},
        "link": {"": "0"}, "digest": {"": "0"}, "path": {"": "no/such/page"},
    }  # fmt: skip


def test_nothing_is_there_for_a_stranger(
    control: RunningControl, ids: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrong_tokens, "TRIES", 10**6)
    token = assembled.token(control, "administrator", "stranger", tenant="elsewhere")
    mallory = account(control, "mallory", "administrator", tenant="elsewhere")
    before, tried, csrf = _all_of_it(control), 0, mallory.csrf()
    routes = list(every_route(control.control.app.routes))
    dialogs = {one.path for one in routes if "POST" in (one.methods or ())}  # some ask the same of whatever it is
    for route in routes:
        declared = (route.openapi_extra or {})[DECLARED]
        if ANYBODY in declared or route.path in ENDS_IT or route.path in ENDLESS:
            continue
        named = [_one(ids[name], route.path) for name in re.findall(r"\{(\w+)", route.path)]
        path = re.sub(r"\{\w+(?::\w+)?\}", "{}", route.path).format(*named)
        for method in sorted(route.methods or ()):
            for status, said in _asked(control, mallory, csrf, token, method, path):
                tried += 1
                about_one = "{" in route.path and method == "GET" and route.path not in dialogs
                assert not about_one or status in (401, 403, 404, 405, 409, 422), (method, path, status, said)
                for one in named:  # what was asked for may be said back
                    said = said.replace(one, "")
                assert not re.search(r"secret-|0010100|8900100|359999", said), (method, path, said)
    assert tried > 200
    assert _all_of_it(control) == before


def _one(of: dict[str, str], path: str) -> str:
    """The id for a path: of the longest beginning that fits."""
    return of[max((one for one in of if path.startswith(one)), key=len)]


def _asked(
    control: RunningControl, browser: Browser, csrf: str, token: str, method: str, path: str
) -> Iterator[tuple[int, str]]:
    body = {} if method == "GET" else {name: value for name, value in BECAUSE.items() if name == "because"}
    if path.startswith(("/v1/", "/iot-", "/sim-", "/device-")):
        answer = control.ask(method, path, body or None, token=token)
        yield answer.status, str(answer.document)
    sent = {"Origin": browser.origin, "Content-Type": "application/json", "Accept": "*/*", "X-CSRF-Token": csrf}
    if not path.startswith("/account"):
        page = browser.send(method, path, b"" if method == "GET" else b'{"because": "x"}', sent)
        yield page.status, page.text


def _all_of_it(control: RunningControl) -> Any:
    """What is of the default tenant, as it stands."""
    with closing(Registry.open(sqlite_url(control.folder / "data"))) as registry, registry.reading() as connection:
        tables = (t.subscription, t.finding, t.effect, t.incident, t.incident_entry, t.binding, t.deployment,
                  t.work_order, t.job, t.rule_action, t.undo, t.command, t.rule_pause)  # fmt: skip
        return {table.name: sorted(map(str, connection.execute(sa.select(table)).all())) for table in tables}
