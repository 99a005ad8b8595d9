"""Policies over the API: checked with everything that is wrong, planned, applied beside what files own, taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from control import assembled
from control.running import RunningControl
from control.test_api import is_problem
from gate.running import RunningGate, iccid, imsi, until
from simward.cli import cli
from simward.control.assembling import assemble
from simward.settings import Settings

WHY = {"because": "the trackers of May"}
TRACKER = """\
use_case: tracker  # those on trailers
segment: tracking
responses: {default: observe}
---
segment: tracking
apn: trackers.iot
pool: 10.96.0.0/16
"""


def lines(*numbers: int, use_case: str = "tracker") -> str:
    return "\n".join(["iccid,imsi,use_case", *(f"{iccid(one)},{imsi(one)},{use_case}" for one in numbers)]) + "\n"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGate]:
    made = RunningGate(tmp_path_factory.mktemp("api") / "net", 20, control="127.0.0.1:0")
    assert simward(made.folder, "apply", "--because", "the beginning", "--actor", "ada").exit_code == 0
    yield made.start()
    made.close()


@pytest.fixture(scope="module")
def control(gate: RunningGate) -> Iterator[RunningControl]:
    made = RunningControl(gate.folder, control=assemble(Settings.load(gate.folder)))
    until(lambda: made.ask("GET", "/v1/revisions").document["revisions"])
    yield made
    made.close()
    assert made.error is None


def simward(folder: Path, *words: str) -> Any:
    return CliRunner().invoke(cli, ["--dir", str(folder), *words])


def upload(control: RunningControl, **said: Any) -> dict[str, Any]:
    answer = control.ask("POST", "/v1/uploads", {**WHY, **said})
    assert answer.status == 201, answer
    return dict(answer.document)


def apply(control: RunningControl, id_: str, **said: Any) -> Any:
    return control.ask("POST", f"/v1/uploads/{id_}/apply", {**WHY, "actor": "bob", **said})


def owners(control: RunningControl) -> dict[str, str]:
    return {one["name"]: one["owner"] for one in control.ask("GET", "/v1/policy").document["documents"]}


def test_a_policy_goes_in_beside_the_files_and_back_out(gate: RunningGate, control: RunningControl) -> None:
    """The whole life: upload, plan, apply, the files' own apply, roll back."""
    made = upload(control, policies={"tracker.yaml": TRACKER}, inventory=lines(101, 102))
    assert [(one["kind"], one["name"], one["line"]) for one in made["documents"]] == [
        ("use_case", "tracker", 1), ("segment", "tracking", 5)
    ]  # fmt: skip
    assert made["lines"] == 2 and made["state"] == "proposed"
    plan = control.ask("GET", f"/v1/uploads/{made['id']}/plan").document
    assert {(one["name"], one["change"]) for one in plan["objects"]} == {("tracker", "added"), ("tracking", "added")}
    assert plan["subscriptions"]["added"]["number"] == 2 and plan["members"]["tracker"] == {"was": 0, "now": 2}

    before = control.ask("GET", "/v1/policy")
    stale = control.ask("POST", f"/v1/uploads/{made['id']}/apply", WHY, {"If-Match": '"of-yesterday"'})
    assert is_problem(stale, 412, "changed-since") and stale.headers["etag"] == before.headers["etag"]
    came = control.ask(
        "POST", f"/v1/uploads/{made['id']}/apply", {**WHY, "actor": "bob"}, {"If-Match": before.headers["etag"]}
    ).document
    assert came["applied"] and came["revision"] == 2, came
    assert gate.ask("status")["subscriptions"] == 22
    assert owners(control) == {"water-meter": "files", "metering": "files", "tracker": "api", "tracking": "api"}
    assert control.ask("GET", "/v1/policy").document["texts"]["api/tracker.yaml"] == {"owner": "api", "text": TRACKER}
    revision = control.ask("GET", "/v1/revisions/2").document
    assert (revision["actor"], revision["because"], revision["declared"]) == ("bob", WHY["because"], 2)
    assert {(one["name"], one["change"]) for one in revision["changes"]} == {
        ("tracker", "added"), ("tracking", "added")
    }  # fmt: skip

    # The files know nothing of trackers: their plan leaves them alone, and changes what is theirs.
    assert simward(gate.folder, "plan").exit_code == 0
    assert simward(gate.folder, "check").exit_code == 0
    policies = gate.folder / "policies" / "meters.yaml"
    was = policies.read_text()
    policies.write_text(was.replace("device-change: lock", "device-change: notify"))
    assert simward(gate.folder, "plan", "--json").exit_code == 1
    assert simward(gate.folder, "apply", "--because", "milder").exit_code == 0
    assert gate.ask("status")["subscriptions"] == 22
    changed = until(lambda: control.ask("GET", "/v1/revisions/3").document.get("changes"))
    assert [(one["name"], one["keys"][0]["now"]) for one in changed] == [("water-meter", "notify")]

    back = control.ask("POST", "/v1/revisions/2/roll-back", WHY).document
    assert back["applied"] and back["files_differ"] == ["policies/meters.yaml"] and back["revision"] == 4
    assert simward(gate.folder, "plan").exit_code == 1, "the files say otherwise"
    policies.write_text(was)
    assert simward(gate.folder, "plan").exit_code == 0


def test_everything_that_is_wrong_is_told_at_once(control: RunningControl) -> None:
    wrong = TRACKER.replace("segment: tracking\nresponses", "segment: traking\nresponces")
    answer = control.ask("POST", "/v1/uploads", {
        **WHY, "policies": {"tracker.yaml": wrong, "b.yaml": "use_case: [\n"}, "inventory": lines(7, use_case="traker"),
    })  # fmt: skip
    assert is_problem(answer, 422, "unfit-policy")
    found = {(one["file"], one["key"]): one for one in answer.document["errors"]}
    assert found["api/tracker.yaml", "responces"]["line"] == 3
    assert "responses" in found["api/tracker.yaml", "responces"]["instead"]
    assert ("api/b.yaml", "") in found
    line = found["inventory.csv", "use_case"]
    assert line["line"] == 2 and "tracker" in line["instead"]


def test_what_files_own_is_not_the_apis(control: RunningControl) -> None:
    meters = "use_case: water-meter\nresponses: {default: observe}\n"
    answer = control.ask("POST", "/v1/uploads", {**WHY, "policies": {"mine.yaml": meters}})
    assert is_problem(answer, 422, "unfit-policy") and "policies/meters.yaml" in answer.document["detail"]
    made = upload(control, inventory=lines(1, use_case="water-meter"))
    answer = control.ask("GET", f"/v1/uploads/{made['id']}/plan")
    assert is_problem(answer, 422, "unfit-policy") and "takes_over" in answer.document["errors"][0]["instead"]


def test_an_upload_made_from_what_is_gone_is_stale(control: RunningControl) -> None:
    first, second = (
        upload(control, policies={"area.yaml": f"area: {name}\ncircle: {{latitude: 1, longitude: 2, radius: 3 km}}\n"})
        for name in ("north", "south")
    )
    assert apply(control, first["id"]).document["applied"]
    assert is_problem(apply(control, second["id"]), 409, "stale-upload")
    assert not apply(control, first["id"]).document.get("applied"), "it is in force"


def test_what_cuts_much_asks_first(gate: RunningGate, control: RunningControl) -> None:
    many = upload(control, policies={"tracker.yaml": TRACKER}, inventory=lines(*range(101, 131)))
    assert apply(control, many["id"]).document["plan"]["subscriptions"]["added"]["number"] in (28, 30)
    none = upload(control, inventory="")
    answer = apply(control, none["id"])
    assert is_problem(answer, 409, "needs-confirmation") and "30 of 50" in answer.document["detail"]
    assert answer.document["plan"]["subscriptions"]["removed"]["number"] == 30
    assert gate.ask("status")["subscriptions"] == 50
    assert apply(control, none["id"], confirm=True).document["applied"]
    assert gate.ask("status")["subscriptions"] == 20


def test_as_a_form(control: RunningControl) -> None:
    boundary = "a-boundary"
    parts = [
        ('name="because"', "by curl"), ('name="policies"; filename="x/form.yaml"', "area: form\ncircle: {latitude: 1,"
         " longitude: 2, radius: 3 km}\n"), ('name="inventory"; filename="inventory.csv"', "iccid,imsi,use_case\n"),
    ]  # fmt: skip
    body = "".join(f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n" for head, text in parts)
    answer = control.ask(
        "POST", "/v1/uploads", f"{body}--{boundary}--\r\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )  # fmt: skip
    assert answer.status == 201, answer
    whole = control.ask("GET", f"/v1/uploads/{answer.document['id']}").document
    assert "form.yaml" in whole["policies"] and whole["because"] == "by curl"


def test_a_backtest_is_a_job(control: RunningControl) -> None:
    made = upload(control, policies={"tracker.yaml": TRACKER})
    assert is_problem(
        control.ask("POST", f"/v1/uploads/{made['id']}/backtest", {"last": "soon"}), 422, "invalid-request"
    )
    answer = control.ask("POST", f"/v1/uploads/{made['id']}/backtest", {"last": "1d"})
    assert answer.status == 202
    path = answer.headers["location"]
    job = until(lambda: (found := control.ask("GET", path).document)["ended_at"] and found)
    assert job["state"] == "done", job
    assert job["result"]["summary"]["cuts"]["would_be"] == 0 and job["done"] == job["total"] > 0
    listed = control.ask("GET", "/v1/jobs?kind=backtest").document["jobs"]
    assert [one["number"] for one in listed] == [job["number"]] and listed[0]["result"] is None


def test_a_backtest_is_cancelled(control: RunningControl, monkeypatch: pytest.MonkeyPatch) -> None:
    made = upload(control, policies={"tracker.yaml": TRACKER})
    path = control.ask("POST", f"/v1/uploads/{made['id']}/backtest", {}).headers["location"]
    until(lambda: control.ask("GET", path).document["state"] == "running")
    assert control.ask("POST", f"{path}/cancel").document["state"] == "cancelled"
    job = control.ask("GET", path).document
    assert job["state"] == "cancelled" and job["ended_at"] and job["result"] is None
    again = upload(control, policies={"tracker.yaml": TRACKER})
    path = control.ask("POST", f"/v1/uploads/{again['id']}/backtest", {"last": "1d"}).headers["location"]
    assert until(lambda: control.ask("GET", path).document["state"] == "done"), "the next one begins"


def test_a_job_locks_many_and_another_lets_them_go(gate: RunningGate, control: RunningControl) -> None:
    for do, done in (("lock", "applied"), ("lock", "applied"), ("release", "applied")):
        said = {**WHY, "do": do, "select": {"use_case": "water-meter"}}
        made = control.ask("POST", "/v1/jobs", said)
        assert made.document["subscriptions"] == 20, made
        path = made.headers["location"]
        until(lambda: control.ask("GET", path).document["state"] == "done")  # noqa: B023
        rows = control.ask("GET", f"{path}/rows").document["rows"]
        assert {one["result"] for one in rows} == {done} and len(rows) == 20
        locked = control.ask("GET", "/v1/subscriptions?locked=true").document["subscriptions"]
        assert len(locked) == (20 if do == "lock" else 0)
    assert gate.ask("status")["subscriptions"] == 20


def test_files_take_over_what_was_the_apis(gate: RunningGate, control: RunningControl) -> None:
    """And the API what was the files': the plan says so, though no document changes."""
    text = "area: yard\ncircle: {latitude: 1, longitude: 2, radius: 3 km}\n"
    made = upload(control, policies={"yard.yaml": text})
    assert apply(control, made["id"]).document["applied"]
    (gate.folder / "policies" / "yard.yaml").write_text(text)
    twice = simward(gate.folder, "plan")
    assert twice.exit_code == 2 and "api/yard.yaml" in twice.output
    taken = simward(gate.folder, "plan", "--json", "--take-over", "api/yard.yaml")
    assert taken.exit_code == 1 and json.loads(taken.stdout)["rewritten"], taken.output
    assert simward(gate.folder, "plan", "--take-over", "api/nothing.yaml").exit_code == 2
    (gate.folder / "policies" / "yard.yaml").unlink()
    over = upload(control, policies={"meters.yaml": (gate.folder / "policies" / "meters.yaml").read_text()},
                  takes_over=["policies/meters.yaml"])  # fmt: skip
    plan = control.ask("GET", f"/v1/uploads/{over['id']}/plan").document
    assert plan["rewritten"] and not plan["objects"] and not plan["empty"]


def test_what_is_not_there(control: RunningControl) -> None:
    for path in ("/v1/uploads/u-000000000000", "/v1/uploads/u-000000000000/plan"):
        assert is_problem(control.ask("GET", path), 404, "no-such-upload")
    for path in ("/v1/uploads/u-000000000000/apply", "/v1/uploads/u-000000000000/backtest"):
        assert is_problem(control.ask("POST", path, WHY), 404, "no-such-upload")
    assert is_problem(control.ask("GET", "/v1/revisions/99"), 404, "no-such-revision")
    assert is_problem(control.ask("POST", "/v1/revisions/99/roll-back", WHY), 404, "no-such-revision")
    assert is_problem(control.ask("GET", "/v1/jobs/99"), 404, "no-such-job")


def test_a_page_of_revisions_stands_still(control: RunningControl) -> None:
    every = [one["number"] for one in control.ask("GET", "/v1/revisions").document["revisions"]]
    assert every == sorted(every, reverse=True) and len(every) > 3
    found, after = [], ""
    while after is not None:
        page = control.ask("GET", f"/v1/revisions?limit=2{after and '&after=' + after}").document
        found += [one["number"] for one in page["revisions"]]
        after = page["next"]
    assert found == every


def test_a_policy_author_may_and_an_operator_may_not(control: RunningControl) -> None:
    author, operator = (assembled.token(control, role) for role in ("policy-author", "operator"))
    said = {**WHY, "policies": {"tracker.yaml": TRACKER}}
    assert control.ask("POST", "/v1/uploads", said, token=author).status == 201
    assert is_problem(control.ask("POST", "/v1/uploads", said, token=operator), 403, "not-permitted")
    assert control.ask("GET", "/v1/policy", token=operator).status == 200
