"""Deployments on their way to a real gate: answers that are lost, many at once, and files that cross them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from control import assembled
from control.running import Answer, RunningControl
from gate.running import READY_S, RunningGate, iccid, imeisv, until
from simward.cli import cli
from simward.control.assembling import assemble
from simward.control.gate_link import GateLink, GateUnreachable
from simward.settings import Settings

FLEET = 12


class Desk:
    """A gate in a process of its own, and the control plane."""

    def __init__(self, place: Path) -> None:
        self.gate = RunningGate(place, FLEET, control="127.0.0.1:0").start()
        self.control = RunningControl(self.gate.folder, control=assemble(Settings.load(self.gate.folder)))
        known = f"/v1/subscriptions/{iccid(FLEET)}"
        until(lambda: self.control.ask("GET", known).status == 200, within_s=READY_S)

    def deploys(self, number: int, device: int, **more: Any) -> Answer:
        """A request."""
        body = {"iccid": iccid(number), "imei": imeisv(device)[:14], "use_case": "water-meter"}
        return self.control.ask("POST", "/v1/deployments", body, **more)

    def comes_to(self, number: int, state: str) -> dict[str, Any]:
        """How it stands, once it stands so."""
        path = f"/v1/deployments/{number}"
        found: dict[str, Any] = until(lambda: self.control.ask("GET", path).document, lambda one: one["state"] == state)
        return found

    def told(self, kind: str) -> list[str]:
        """Subjects of events of a type."""
        events = self.control.ask("GET", "/v1/events?limit=1000").document["events"]
        return [one["subject"] for one in events if one["type"] == kind]

    def close(self) -> None:
        self.control.close()
        self.gate.close()
        assert self.control.error is None


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("desk") / "net")
    yield made
    made.close()


def test_an_answer_that_is_lost_costs_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate has done it, and nobody knows: it is sent again, and is still one binding, told once."""
    asked: list[bytes] = []
    real = GateLink._ask

    async def lossy(link: GateLink, line: bytes) -> dict[str, Any]:
        answer = await real(link, line)
        if b'"apply"' in line:
            asked.append(line)
            if len(asked) < 3:
                raise GateUnreachable("the answer was lost")
        return answer

    monkeypatch.setattr(GateLink, "_ask", lossy)
    made = desk.deploys(1, 1)
    assert made.status == 201
    assert desk.comes_to(made.document["number"], "waiting")["said"] is None
    (subject,) = desk.told("binding.established")
    assert desk.control.ask("GET", f"/v1/subscriptions/{subject}").document["generation"] == 1


def test_many_at_once_are_few_revisions(desk: Desk) -> None:
    before = len(desk.told("deployment.accepted"))
    numbers = [desk.deploys(number, number).document["number"] for number in range(2, FLEET)]
    for number in numbers:
        desk.comes_to(number, "waiting")
    assert len(desk.told("deployment.accepted")) == before + len(numbers)


def test_an_apply_that_was_planned_before_undoes_nothing(desk: Desk) -> None:
    """Its lines reach the gate after the deployment: they leave alone what the API owns by then."""
    from simward.commands import revising

    inventory = desk.gate.folder / "inventory.csv"
    lines = inventory.read_text().replace("use_case", "use_case,state", 1)
    inventory.write_text(lines.replace("water-meter", "water-meter,suspended"))
    folder = Path(desk.gate.folder)
    real = revising._through_gate

    def late(*arguments: Any) -> Any:
        made = desk.deploys(FLEET, 40)  # between the plan and its revision
        assert made.status == 201 and made.document["state"] == "waiting"
        return real(*arguments)

    revising._through_gate = late
    try:
        ran = CliRunner().invoke(cli, ["--dir", str(folder), "apply", "--yes", "--because", "planned before"])
    finally:
        revising._through_gate = real
    assert ran.exit_code == 0, ran.output
    known = f"/v1/subscriptions/{iccid(FLEET)}"
    found = until(lambda: desk.control.ask("GET", known).document, lambda one: one["declared_imei"])
    assert (found["state"], found["declared_imei"]) == ("active", imeisv(40)[:14])


def test_taking_back_twice_is_taking_back(desk: Desk) -> None:
    number = desk.control.ask("GET", f"/v1/deployments?iccid={iccid(2)}").document["deployments"][0]["number"]
    for _ in range(2):
        assert desk.control.ask("DELETE", f"/v1/deployments/{number}").status == 202
        desk.comes_to(number, "cancelled")
    token = assembled.token(desk.control, "installer", "theirs", tenant="elsewhere")
    assert desk.control.ask("GET", f"/v1/deployments/{number}", token=token).status == 404
    assert desk.control.ask("DELETE", f"/v1/deployments/{number}", token=token).status == 404
    theirs = desk.deploys(2, 2, token=token)
    assert theirs.status == 422 and theirs.document["type"].endswith(":unknown-subscription")
