"""The registry's PostgreSQL server goes away under a running control plane, and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from control.running import Answer, RunningControl
from gate.running import RunningGate, iccid, until
from postgresql import Server, is_installed
from simward.control.assembling import assemble
from simward.settings import Settings

needs_postgresql = pytest.mark.skipif(not is_installed(), reason="PostgreSQL is not installed (Debian: postgresql)")


@pytest.fixture
def server() -> Iterator[Server]:
    """One that nobody else is on, since it is stopped."""
    made = Server()
    yield made
    made.close()


@pytest.fixture
def control(server: Server, tmp_path: Path) -> Iterator[RunningControl]:
    more = f'\n[registry]\nurl = "{server.database()}"\n'
    gate = RunningGate(tmp_path / "net", 3, control="127.0.0.1:0", more=more)
    gate.start()
    running = RunningControl(gate.folder, control=assemble(Settings.load(gate.folder)))
    yield running
    running.close()
    gate.close()
    assert running.error is None


def is_ready(control: RunningControl) -> bool:
    """Does it say that the registry answers, and that the journals are followed into it?"""
    conditions = control.ask("GET", "/readyz").document["conditions"]
    return bool(conditions["registry"]["ok"] and conditions["following"]["ok"])


def plan(control: RunningControl, number: int) -> Answer:
    """A work order: the registry keeps it."""
    items = [{"iccid": iccid(number), "imei": f"3511111100000{number}"}]
    body = {"items": items, "because": "worn out", "from": "2098-12-31T00:00:00Z", "until": "2099-01-01T00:00:00Z"}
    return control.ask("POST", "/v1/work-orders", body, {"Idempotency-Key": f"plan-{number}"})


def lock(control: RunningControl, number: int) -> Answer:
    """A command: the gate keeps it."""
    body = {"do": "lock", "iccid": iccid(number), "because": "stolen", "id": f"case-{number}"}
    return control.ask("POST", "/v1/commands", body)


@needs_postgresql
def test_what_cannot_be_kept_is_refused(control: RunningControl, server: Server) -> None:
    until(lambda: is_ready(control))
    assert plan(control, 1).status == 201

    server.stop()
    answer = until(lambda: (got := control.ask("GET", "/v1/incidents")).status == 503 and got)
    assert answer.document["status"] == 503 and "registry" in str(answer.document).lower()
    assert plan(control, 2).status == 503, "nothing is promised that is not kept"
    assert lock(control, 2).status == 200, "the gate decides, and needs no registry"
    until(lambda: not is_ready(control))
    assert control.ask("GET", "/healthz").status == 200, "starting it anew would not help"

    server.start()
    until(lambda: is_ready(control))
    assert control.ask("GET", "/v1/incidents").status == 200
    assert plan(control, 2).status == 201, "the key of a call that was refused is not used up"
    assert until(lambda: control.ask("GET", f"/v1/subscriptions/{iccid(2)}").document["locked_at"]), "it follows on"
