"""Lists over HTTP: what is declared and who is in it, pages and sorts, ETags, and what a tenant sees of all that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from control import assembled
from control.listening import Listening
from control.running import RunningControl
from control.test_api import is_problem
from gate.running import until
from simward.control.api import answers_outward as a
from simward.control.api.principals import LOCAL, Principal
from simward.control.api.problems import Problem
from simward.control.api.rates import CALLERS_MAX, REQUESTS, WINDOW_S, Rates
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url

DEVICE = "35000001000001"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assembled.recorded_day(tmp_path_factory.mktemp("day"))


@pytest.fixture(scope="module")
def control(folder: Path) -> Iterator[RunningControl]:
    made = assembled.running(folder)
    yield made
    made.close()
    assert made.error is None


@pytest.fixture(scope="module")
def stranger(control: RunningControl) -> str:
    return assembled.token(control, "administrator", "stranger", tenant="elsewhere")


def everything(control: RunningControl, path: str, name: str, limit: int) -> list[dict[str, Any]]:
    """All pages, one after the other."""
    found: list[dict[str, Any]] = []
    after = ""
    joint = "&" if "?" in path else "?"
    while after is not None:
        page = control.ask("GET", f"{path}{joint}limit={limit}{after and '&after=' + after}").document
        found += page[name]
        after = page["next"]
    return found


def test_use_cases_segments_and_tenants_are_counted(control: RunningControl) -> None:
    (use_case,) = control.ask("GET", "/v1/use-cases").document["use_cases"]
    assert use_case["name"] == "meter" and use_case["tenant"] == "default" and use_case["owner"] == "files"
    assert use_case["subscriptions"] == {"members": 40, "bound": 0, "locked": 0, "confined": 0, "addressed": 0}
    one = control.ask("GET", "/v1/use-cases/meter")
    assert one.document == use_case and one.headers["etag"].startswith('"')
    (tenant,) = control.ask("GET", "/v1/tenants").document["tenants"]
    assert tenant["use_cases"] == ["meter"] and tenant["subscriptions"]["members"] == 40
    for segment in control.ask("GET", "/v1/segments").document["segments"]:
        assert segment["use_cases"] == ["meter"]
    assert control.ask("GET", "/v1/use-cases?fields=name").document["use_cases"] == [{"name": "meter"}]
    assert is_problem(control.ask("GET", "/v1/use-cases/none"), 404, "no-such-object")


def test_services_that_nobody_needs(control: RunningControl, stranger: str) -> None:
    first, *others = everything(control, "/v1/services", "services", 1)
    assert [first["service"], *(one["service"] for one in others)] == ["data", "sms", "voice"]
    assert first["use_case"] == "meter" and first["members"] == 40 and first["ever_used"] > 0
    assert first["verdict"] == "used" and first["risk"] == ""
    assert {one["verdict"] for one in others} == {"not known yet"}, "no records were imported"
    said = control.ask("GET", "/v1/services?verdict=used&use_case=meter").document
    assert [one["service"] for one in said["services"]] == ["data"] and said["unused_for_days"] == 90 and said["as_of"]
    assert control.ask("GET", "/v1/services?use_case=none").document["services"] == []
    assert control.ask("GET", "/v1/services", token=stranger).document["services"] == [], "another tenant's"
    assert is_problem(control.ask("GET", "/v1/services?verdict=needed"), 422, "invalid-request")


def test_devices_and_bindings(control: RunningControl) -> None:
    bindings = everything(control, "/v1/bindings", "bindings", 7)
    devices = everything(control, "/v1/devices", "devices", 7)
    assert {one["imei"] for one in devices} == {one["imei"] for one in bindings}
    assert [one["imei"] for one in devices] == sorted(one["imei"] for one in devices)
    for one in devices[:2]:
        whole = control.ask("GET", f"/v1/devices/{one['imei']}").document
        assert whole["is_in"] == one["is_in"] == len([each for each in whole["bindings"] if not each["ended_at"]])
    assert is_problem(control.ask("GET", "/v1/devices/99999999999999"), 404, "no-such-device")


def test_lists_go_either_way(control: RunningControl) -> None:
    for path, name, key, other in (
        ("/v1/findings", "findings", "id", "at"),
        ("/v1/incidents?state=open&state=resolved", "incidents", "number", "at"),
        ("/v1/subscriptions", "subscriptions", "imsi", "-imsi"), ("/v1/audit", "entries", "number", "at"),
    ):  # fmt: skip
        newest = [one[key] for one in everything(control, path, name, 3)]
        joint = "&" if "?" in path else "?"
        oldest = [one[key] for one in everything(control, f"{path}{joint}sort={other}", name, 4)]
        assert newest == oldest[::-1] and len(set(newest)) == len(newest) > 0, path
    turned = control.ask("GET", "/v1/findings?limit=1&sort=at").document["next"]
    assert turned is None or is_problem(control.ask("GET", f"/v1/findings?after={turned}"), 422, "invalid-request")


def test_incidents_have_fields(control: RunningControl) -> None:
    rows = control.ask("GET", "/v1/incidents?fields=number,state").document["incidents"]
    assert rows and all(set(one) == {"number", "state"} for one in rows)


def test_a_subscription_has_an_etag_of_what_is_declared(control: RunningControl) -> None:
    imsi = control.ask("GET", "/v1/subscriptions?limit=1").document["subscriptions"][0]["imsi"]
    tags = {control.ask("GET", f"/v1/subscriptions/{imsi}").headers["etag"] for _ in range(2)}
    assert len(tags) == 1


def test_a_tenant_sees_its_own(control: RunningControl, stranger: str) -> None:
    """Nothing that is there is of this one; the routes that were closed to it are open, and empty."""
    for path, name in (
        ("use-cases", "use_cases"), ("segments", "segments"), ("bindings", "bindings"), ("devices", "devices"),
        ("rules", "rules"), ("rule-actions", "actions"), ("endpoints", "endpoints"), ("work-orders", "work_orders"),
        ("jobs", "jobs"),
    ):  # fmt: skip
        answer = control.ask("GET", f"/v1/{path}", token=stranger)
        assert answer.status == 200 and answer.document[name] == [], (path, answer)
    assert is_problem(control.ask("GET", "/v1/use-cases/meter", token=stranger), 404, "no-such-object")
    assert is_problem(control.ask("GET", "/v1/tenants/default", token=stranger), 404, "no-such-object")
    own = assembled.token(control, "administrator", "own", tenant="default")
    assert [one["name"] for one in control.ask("GET", "/v1/tenants", token=own).document["tenants"]] == ["default"]
    assert is_problem(control.ask("GET", "/v1/policy", token=own), 403, "not-permitted")


def test_work_orders_of_a_tenant_are_its_own(control: RunningControl, stranger: str) -> None:
    own = assembled.token(control, "operator", "planner", tenant="default")
    row = control.ask("GET", "/v1/subscriptions?limit=1").document["subscriptions"][0]
    asked = {"because": "worn out", "items": [{"iccid": row["iccid"]}]}
    strange = control.ask("POST", "/v1/work-orders", asked, token=stranger)
    assert is_problem(strange, 422, "unfit-order") and "no such subscription" in strange.document["detail"]
    made = control.ask("POST", "/v1/work-orders", asked, token=own)
    assert made.status == 201, made
    path = f"/v1/work-orders/{made.document['number']}"
    assert control.ask("GET", path, token=own).document["tenant"] == "default"
    assert is_problem(control.ask("GET", path, token=stranger), 404, "no-such-work-order")
    said = {"because": "not theirs"}
    assert is_problem(control.ask("POST", f"{path}/cancel", said, token=stranger), 404, "no-such-work-order")
    assert control.ask("POST", f"{path}/cancel", said, token=own).document["state"] == "cancelled"


def action(rule: str, number: int, tenant: str) -> dict[str, Any]:
    return {
        "id": f"{rule}-{number}", "tenant": tenant, "rule": rule, "revision": 1, "trigger": "x", "trigger_type": "x",
        "trigger_at": number, "action": "lock", "arguments": {}, "mode": "live", "due_at": 1, "state": "held",
        "changed_at": 1,
    }  # fmt: skip


def test_rules_of_a_tenant_are_its_own(control: RunningControl, folder: Path) -> None:
    """Also what they did; and not one that acted for another before it was theirs."""
    theirs = assembled.token(control, "administrator", "theirs", tenant="acme")
    rules = {name: {"rule": name, "tenant": tenant, "on": ["x"]} for name, tenant in (
        ("ours", "default"), ("theirs", "acme"), ("moved", "acme")
    )}  # fmt: skip
    with Registry.open(sqlite_url(folder / "data")).writing() as connection:
        connection.execute(sa.insert(t.rule_action), [
            action("ours", 1, "default"), action("theirs", 2, "acme"), action("moved", 3, "default"),
        ])  # fmt: skip
        connection.execute(sa.delete(t.rule_set))
        connection.execute(sa.insert(t.rule_set).values(name="in-force", sequence=1, document={"rule": rules}))
    seen = control.ask("GET", "/v1/rules", token=theirs).document["rules"]
    assert [(one["rule"], one["actions"]) for one in seen] == [("moved", {}), ("theirs", {"held": 1})]
    assert is_problem(control.ask("GET", "/v1/rules/ours", token=theirs), 404, "no-such-rule")
    actions = everything(control, "/v1/rule-actions?rule=theirs", "actions", 1)
    assert [one["id"] for one in actions] == ["theirs-2"]
    assert control.ask("GET", "/v1/rule-actions?rule=ours", token=theirs).document["actions"] == []
    for deed in ("approve", "reject", "pause", "resume"):
        for name, status, problem in (("ours", 404, "no-such-rule"), ("moved", 403, "not-permitted")):
            answer = control.ask("POST", f"/v1/rules/{name}/{deed}", {"because": "x"}, token=theirs)
            assert is_problem(answer, status, problem), (deed, name)
    for undone in ({"rule": "ours"}, {"incident": 1}):
        answer = control.ask("POST", "/v1/undo", {"because": "x", "since": 0, **undone}, token=theirs)
        assert answer.status == 404
    assert control.ask("POST", "/v1/rules/theirs/pause", {"because": "x"}, token=theirs).document["paused"]
    undo = control.ask("POST", "/v1/undo", {"because": "x", "since": 0, "rule": "ours"}).document["undo"]
    assert is_problem(control.ask("GET", f"/v1/undo/{undo}", token=theirs), 404, "no-such-undo")
    said = control.ask("GET", "/v1/audit", token=theirs).document["entries"]
    assert [one["what"] for one in said if one["object"].startswith("rule ")] == ["rule.pause"]


@pytest.mark.parametrize(
    ("path", "model"),
    [("/v1/rules", a.Rules), ("/v1/rule-actions", a.Actions), ("/v1/work-orders?state=cancelled", a.Orders),
     ("/v1/work-orders/1", a.WholeOrder), ("/v1/rules/theirs", a.Rule)],
)  # fmt: skip
def test_answers_are_as_described(control: RunningControl, path: str, model: type[BaseModel]) -> None:
    document = control.ask("GET", path).document
    assert model.model_validate(document).model_dump(by_alias=True) == document


def test_a_job_of_commands_is_kept_and_told_row_by_row(control: RunningControl, stranger: str) -> None:
    """No gate runs here: what is asked waits in the outbox, also over a restart, until it is cancelled."""
    rows = control.ask("GET", "/v1/subscriptions?limit=3").document["subscriptions"]
    iccids = [*(one["iccid"] for one in rows), "8901019999999999999"]
    tried = control.ask("POST", "/v1/jobs", {"do": "lock", "because": "x", "iccids": iccids, "dry_run": True})
    assert tried.document == {"job": None, "subscriptions": 4, "unknown": 1, "examples": iccids}
    made = control.ask("POST", "/v1/jobs", {"do": "lock", "because": "a stolen lorry", "iccids": iccids})
    assert made.status == 202 and made.headers["location"] == f"/v1/jobs/{made.document['job']}"
    path = made.headers["location"]
    found = everything(control, f"{path}/rows", "rows", 3)
    assert [one["iccid"] for one in found] == iccids and found[3]["result"] == "not-found"
    job = control.ask("GET", path).document
    assert (job["state"], job["total"], job["arguments"]["limits"]) == ("running", 4, True)
    assert is_problem(control.ask("GET", path, token=stranger), 404, "no-such-job")
    assert is_problem(control.ask("POST", f"{path}/cancel", token=stranger), 404, "no-such-job")
    assert control.ask("POST", f"{path}/cancel").document["state"] == "cancelled"
    theirs = control.ask("POST", "/v1/jobs", {"do": "lock", "because": "x", "iccids": iccids}, token=stranger)
    assert theirs.document["unknown"] == 4
    rows = control.ask("GET", f"/v1/jobs/{theirs.document['job']}/rows").document["rows"]
    assert {one["result"] for one in rows} == {"not-found"}, "of other tenants there is nothing"


def test_a_job_goes_on_after_a_restart(tmp_path: Path) -> None:
    """Made while no gate answers; the process that made it is gone before one does."""
    folder = assembled.recorded_day(tmp_path)
    first = assembled.running(folder)
    rows = first.ask("GET", "/v1/subscriptions?limit=5").document["subscriptions"]
    said = {"do": "lock", "because": "a stolen lorry", "iccids": [one["iccid"] for one in rows]}
    path = first.ask("POST", "/v1/jobs", said).headers["location"]
    first.close()
    again = assembled.running(folder)
    gate = Listening(folder / "data")
    gate.answers = [{"result": "applied", "sequence": 90 + number} for number in range(4)]
    gate.answers.append({"ok": False, "result": "limited", "error": "limited: never-cut"})
    try:
        assert until(lambda: again.ask("GET", path).document["state"] == "done")
        found = again.ask("GET", f"{path}/rows").document["rows"]
        assert sorted(one["result"] for one in found) == ["applied"] * 4 + ["limited"]
        assert len(again.ask("GET", f"{path}/rows?result=limited").document["rows"]) == 1
    finally:
        again.close()
        gate.close()
    locks = [one for one in gate.heard if one["do"] == "lock"]
    assert len({one["id"] for one in locks}) == 5 and all(one["automation"] for one in locks)


def test_a_job_by_selection(control: RunningControl) -> None:
    asked = {"do": "disconnect", "because": "x", "select": {"use_case": "meter"}, "dry_run": True}
    assert control.ask("POST", "/v1/jobs", asked).document["subscriptions"] == 40
    asked["select"] = {"locked": True}
    assert control.ask("POST", "/v1/jobs", asked).document["subscriptions"] == 0
    asked["select"] = {}
    assert is_problem(control.ask("POST", "/v1/jobs", asked), 422, "invalid-request")
    operator = assembled.token(control, "operator", "worker")
    beyond = {"do": "lock", "because": "x", "select": {"use_case": "meter"}, "limits": False}
    assert is_problem(control.ask("POST", "/v1/jobs", beyond, token=operator), 403, "not-permitted")


def test_every_answer_says_how_much_is_left(control: RunningControl, stranger: str) -> None:
    answer = control.ask("GET", "/v1/status", token=stranger)
    assert answer.headers["ratelimit-policy"] == f'"requests";q={REQUESTS};w={WINDOW_S}'
    assert answer.headers["ratelimit"].startswith('"requests";r=')
    assert "ratelimit" not in control.ask("GET", "/v1/status").headers, "the owner is not counted"
    nowhere = control.ask("GET", "/v1/nowhere", token=stranger, headers={"x-correlator": "a-1"})
    assert nowhere.headers["x-correlator"] == "a-1" and "ratelimit" in nowhere.headers


def test_who_asks_too_often_waits() -> None:
    now = [0.0]
    rates, one, other = Rates(lambda: now[0]), Principal("one"), Principal("other")
    for _ in range(REQUESTS):
        said = dict(rates.count(one))
    assert said[b"ratelimit"] == f'"requests";r=0;t={WINDOW_S}'.encode()
    with pytest.raises(Problem) as refused:
        rates.count(one)
    assert refused.value.status_code == 429
    assert (refused.value.headers or {})["Retry-After"] == str(WINDOW_S)
    assert b'r=59999' in dict(rates.count(other))[b"ratelimit"] and rates.count(LOCAL) == []
    now[0] = WINDOW_S
    assert rates.count(one), "a minute later it may again"
    for number in range(CALLERS_MAX + 10):
        rates.count(Principal(f"caller {number}"))
    assert len(rates._since) == CALLERS_MAX
