"""An installer's day: device management deploys, the gate binds, the application is told, right and wrong are seen.

Real gate, watch and control, RADIUS by radclient, webhooks to real receivers.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1]))

from gate.running import READY_S, Served, access_request, iccid, imeisv, imsi, needs_radclient, radclient, until
from scenarios.parties import System
from simward.cli import cli
from simward.commands import through_control
from simward.commands.through_control import _Connection

pytestmark = needs_radclient

POLICY = """\
use_case: stock
binding: {mode: none}
responses: {default: observe}
---
use_case: water-meter
segment: metering
binding: {mode: declared, not_reported: refuse}
networks: {plmn: ["00101"]}
responses: {default: observe, device-change: lock, device-change/software: observe}
release_when: bound-device-returns
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/16
quarantine_pool: 10.127.0.0/24
---
use_case: tracker
segment: metering
binding: {pool: trackers}
---
pool: trackers
tac: ["35200000"]
---
use_case: abroad
tenant: elsewhere
segment: metering
"""
CORRELATOR = {"x-correlator": "job-4711"}


class Field:
    """A whole Simward with a stock of SIMs, device management and the application."""

    def __init__(self, folder: Path, dm: System, app: System) -> None:
        self.dm, self.app = dm, app
        more = dm.settings("deployment.*", use_cases='["water-meter"]') + app.settings("binding.*")
        self.net = Served(folder, fleet=9, policy=POLICY, more=more, control="127.0.0.1:0")
        inventory = self.net.folder / "inventory.csv"
        inventory.write_text(inventory.read_text().replace("water-meter", "stock"))
        self.net.start()
        settings = self.net.folder / "simward.toml"
        for name, (_, port) in (("auth", self.net.auth), ("accounting", self.net.accounting)):  # where it restarts
            settings.write_text(settings.read_text().replace(f'{name} = "127.0.0.1:0"', f'{name} = "127.0.0.1:{port}"'))
        until(lambda: self.ask("GET", f"/v1/subscriptions/{iccid(9)}")[0] == 200, within_s=READY_S)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        """By the owner's socket: status, headers, document."""
        until(lambda: through_control.is_running(self.net.folder / "data"), within_s=READY_S)
        connection = _Connection(self.net.folder / "data" / "control.sock", 20)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json", **headers})  # fmt: skip
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return response.status, found, json.loads(response.read())
        finally:
            connection.close()

    def deploy(self, number: int, device: int, use_case: str = "water-meter", **more: Any) -> dict[str, Any]:
        """One that is taken."""
        status, headers, made = self.ask("POST", "/v1/deployments", wanted(number, device, use_case), **more)
        assert status == 201 and headers["location"] == f"/v1/deployments/{made['number']}", made
        return dict(made)

    def one(self, number: int) -> dict[str, Any]:
        """How it stands."""
        return dict(self.ask("GET", f"/v1/deployments/{number}")[2])

    def comes_to(self, number: int, state: str) -> dict[str, Any]:
        """The same, once it is so."""
        return dict(until(lambda: self.one(number), lambda one: one["state"] == state))

    def attaches(self, number: int, device: int, tac: str = "35000001") -> str:
        """What RADIUS answers."""
        return radclient(self.net.auth, "auth", access_request(number, **{"3GPP-IMEISV": f'"{imeisv(device, tac)}"'}))


def wanted(number: int, device: int, use_case: str = "water-meter") -> dict[str, Any]:
    """A request for a deployment."""
    site = {"label": "Well 12", "latitude": 59.9, "longitude": 10.7}
    return {"iccid": iccid(number), "imei": imeisv(device)[:14], "use_case": use_case, "site": site,
            "because": "order 12"}  # fmt: skip


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    with System("dm") as dm, System("app") as app:
        made = Field(tmp_path_factory.mktemp("field") / "net", dm, app)
        try:
            yield made
        finally:
            made.net.stop()


def test_the_right_device_is_confirmed_and_every_event_says_which_request_it_was(field: Field) -> None:
    status, headers, made = field.ask("POST", "/v1/deployments", wanted(1, 1), **CORRELATOR)
    assert status == 201 and made["state"] == "waiting" and made["correlator"] == "job-4711"
    assert headers["x-correlator"] == "job-4711" and made["segment"] == "metering"
    assert made["address"] == {
        "apn": "meters.iot", "address": None, "prefix": None, "delegated": None,
        "how": "by the gate with its first session, from 10.64.0.0/16, to keep",
    }  # fmt: skip
    accepted = field.dm.told("deployment.accepted", imsi(1))
    established = field.app.told("binding.established", imsi(1))
    assert accepted["data"]["deployment"]["imei"] == imeisv(1)[:14]
    assert established["data"]["device"]["imei"] == imeisv(1)[:14] and established["data"]["segment"] == "metering"
    answer = field.attaches(1, 1)
    assert "Access-Accept" in answer and "10.64.0." in answer
    confirmed = field.comes_to(made["number"], "confirmed")
    assert confirmed["address"]["address"] in answer and confirmed["seen"]["verdict"] == "allow"
    told = field.dm.told("deployment.confirmed", imsi(1))
    assert told["data"]["deployment"]["address"]["address"] == confirmed["address"]["address"]
    for event in (accepted, established, told):
        assert event["correlationid"] == "job-4711", event
    assert "Access-Reject" in field.attaches(1, 7, tac="35999900"), "it is bound"
    broken = field.app.told("binding.broken", imsi(1))
    assert broken["correlationid"] == "job-4711" and broken["data"]["incident"]


def test_a_wrong_device_is_seen_and_the_right_one_may_still_come(field: Field) -> None:
    made = field.deploy(2, 2)
    assert "Access-Reject" in field.attaches(2, 3)
    wrong = field.comes_to(made["number"], "wrong-device")
    assert wrong["said"] == f"device {imeisv(3)[:14]} attached with it, not {imeisv(2)[:14]}"
    assert field.dm.told("deployment.failed", imsi(2))["data"]["deployment"]["state"] == "wrong-device"
    assert "Access-Accept" in field.attaches(2, 2), "the bound device returns, and the lock is off"
    assert field.comes_to(made["number"], "confirmed")["said"] is None


def test_the_same_again_is_the_one_there_is(field: Field) -> None:
    made = field.deploy(3, 4)
    status, _, again = field.ask("POST", "/v1/deployments", wanted(3, 4))
    assert status == 200 and again["number"] == made["number"]
    key = {"Idempotency-Key": "order-99"}
    first, second = (field.ask("POST", "/v1/deployments", wanted(4, 5), **key) for _ in range(2))
    assert first[2] == second[2] and second[1]["idempotent-replayed"] == "true"
    moved = field.deploy(3, 6)
    assert field.one(made["number"])["state"] == "superseded" and moved["state"] == "waiting"
    over = field.ask("DELETE", f"/v1/deployments/{made['number']}")[2]
    assert over["type"].endswith(":deployment-is-over"), "and what took its place stays"


def test_what_has_changed_since_it_was_seen_is_not_deployed(field: Field) -> None:
    """`If-Match` with the ETag of the subscription; a write that cannot be held to one says so."""
    _, headers, _ = field.ask("GET", f"/v1/subscriptions/{iccid(8)}")
    seen = {"If-Match": headers["etag"]}
    status, headers, problem = field.ask("POST", "/v1/deployments", wanted(8, 14), **{"If-Match": '"of-yesterday"'})
    assert status == 412 and problem["type"].endswith(":changed-since") and headers["etag"] == seen["If-Match"]
    status, _, made = field.ask("POST", "/v1/deployments", wanted(8, 14), **seen)
    assert status == 201
    status, _, again = field.ask("POST", "/v1/deployments", wanted(8, 14), **seen)
    assert status == 200 and again["number"] == made["number"], "it is what was asked for"
    lock = {"do": "lock", "iccid": iccid(8), "because": "stolen"}
    status, _, problem = field.ask("POST", "/v1/commands", lock, **seen)
    assert status == 422 and "If-Match" in problem["detail"]


def test_each_mistake_comes_back_as_such(field: Field) -> None:
    field.deploy(5, 10)

    def wrong(body: dict[str, Any]) -> tuple[int, str, Any]:
        status, headers, problem = field.ask("POST", "/v1/deployments", body)
        assert headers["content-type"] == "application/problem+json" and problem["status"] == status, problem
        return status, problem["type"].rpartition(":")[2], problem

    assert wrong({**wanted(6, 11), "iccid": iccid(600)})[:2] == (422, "unknown-subscription")
    assert wrong({**wanted(6, 11), "iccid": None, "imsi": imsi(600)})[:2] == (422, "unknown-subscription")
    assert wrong(wanted(6, 11, "gas-meter"))[:2] == (422, "unknown-use-case")
    assert wrong(wanted(6, 11, "abroad"))[:2] == (422, "other-tenant")
    status, name, problem = wrong(wanted(6, 11, "tracker"))
    assert (status, name) == (422, "wrong-model") and problem["errors"][0]["pointer"] == "#/imei"
    status, name, problem = wrong({**wanted(6, 11), "imei": "35000001000011" + "5"})
    assert (status, name) == (422, "malformed-imei") and "mistyped" in problem["detail"]
    status, name, problem = wrong(wanted(6, 10))
    assert (status, name, problem["iccid"]) == (409, "device-bound-elsewhere", iccid(5))
    assert wrong({**wanted(6, 11), "site": {"latitude": 1}})[:2] == (422, "invalid-request")
    assert field.ask("POST", "/v1/commands", {"do": "lock", "iccid": iccid(6), "because": "lost"})[0] == 200
    until(lambda: field.ask("GET", f"/v1/subscriptions/{iccid(6)}")[2]["locked_at"])
    assert wrong(wanted(6, 11))[:2] == (409, "subscription-locked")


def test_undeployed_it_is_as_the_files_say_again(field: Field) -> None:
    made = field.deploy(7, 12)
    known = f"/v1/subscriptions/{iccid(7)}"
    assert field.ask("GET", known)[2]["use_case"] == "water-meter"
    assert field.ask("DELETE", f"/v1/deployments/{made['number']}?because=wrong%20well")[0] == 202
    assert field.comes_to(made["number"], "cancelled")["ended_by"] == "local"
    found = field.ask("GET", known)[2]
    assert (found["use_case"], found["declared_imei"]) == ("stock", None)
    assert field.dm.told("deployment.ended", imsi(7))["data"]["deployment"]["said"] == "wrong well"
    assert field.ask("DELETE", "/v1/deployments/1000000")[2]["type"].endswith(":no-such-deployment")
    assert field.deploy(8, 12)["state"] == "waiting", "the device is free again"


def test_killed_in_between_nothing_is_half_done(field: Field) -> None:
    """Gate and control die with the deployment kept and nobody told of it: both come back, and it is told once."""
    gate, control = field.net.pid("gate"), field.net.pid("control")
    os.kill(gate, signal.SIGKILL)
    status, _, made = field.ask("POST", "/v1/deployments", wanted(9, 20), **CORRELATOR)
    assert status == 201
    os.kill(control, signal.SIGKILL)
    field.net.pid("gate", other_than=gate)
    field.net.pid("control", other_than=control)
    assert field.comes_to(made["number"], "waiting")["correlator"] == "job-4711"
    assert field.app.told("binding.established", imsi(9))["correlationid"] == "job-4711"
    assert {name: field.dm.of(imsi(9)).count(name) for name in ("deployment.accepted", "binding.established")} == {
        "deployment.accepted": 1, "binding.established": 0
    }  # fmt: skip
    assert "Access-Accept" in field.attaches(9, 20)
    field.comes_to(made["number"], "confirmed")


def test_plan_leaves_it_alone_and_the_files_take_it_back_when_told_to(field: Field) -> None:
    """At the end of the day, with all of the above in force."""
    folder = field.net.folder

    def simward(*words: str) -> str:
        ran = CliRunner().invoke(cli, ["--dir", str(folder), *words])
        assert ran.exit_code == 0, ran.output
        return ran.output

    said = simward("plan")
    assert "Nothing would change" in said and "owned by the API" in said
    assert f"{iccid(1)}: deployment 1, since" in said and "by local" in said
    assert field.one(1)["state"] == "confirmed"
    assert "taken back by the files" in simward("apply", "--take-back", "--yes", "--because", "the registry was lost")
    field.comes_to(1, "taken-back")
    assert "owned by the API" not in simward("plan")
    assert field.ask("GET", f"/v1/subscriptions/{iccid(1)}")[2]["use_case"] == "stock"
