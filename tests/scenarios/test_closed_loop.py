"""The closed loop: a SIM in the wrong device, both systems told, one of them answering, the gate doing what it asks."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from gate.running import Served, access_request, iccid, imeisv, imsi, needs_radclient, radclient, until
from scenarios.parties import TOKENS, System
from simward.commands import through_control

pytestmark = needs_radclient
class Loop:
    """A whole Simward, and the two systems."""

    def __init__(self, folder: Path, dm: System, app: System) -> None:
        self.dm, self.app = dm, app
        more = dm.settings(
            "subscription.*", use_cases='["water-meter"]', may='["release", "keep"]',
            acknowledge_within='"15m"',
        ) + app.settings("binding.established", "incident.*")  # fmt: skip
        self.net = Served(folder, more=more, control="127.0.0.1:0").start()

    def simward(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """By the owner's socket."""
        return through_control.ask(self.net.folder / "data", "simward", method, path, body, within_s=20)

    @property
    def address(self) -> str:
        """Where parties answer."""
        return str(until(lambda: self.simward("GET", "/v1/status")["http"])).removeprefix("http://")


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    """Started, with one meter bound."""
    with System("dm") as dm, System("app") as app:
        made = Loop(tmp_path / "net", dm, app)
        try:
            assert "Access-Accept" in radclient(made.net.auth, "auth", access_request(1))
            yield made
        finally:
            made.net.stop()


def test_a_stolen_sim_is_told_to_both_and_released_by_one(loop: Loop) -> None:
    established = loop.app.told("binding.established")
    assert established["subject"] == imsi(1) and established["sequence"] == "0000000001"
    stolen = access_request(1, **{"3GPP-IMEISV": f'"{imeisv(7, tac="35999900")}"'})
    assert "Access-Reject" in radclient(loop.net.auth, "auth", stolen)
    broken = loop.dm.told("binding.broken")
    assert loop.app.told("binding.broken") == broken, "one event, both parties, whatever their filters"
    assert broken["data"]["subscription"] == {"imsi": imsi(1), "iccid": iccid(1)}
    incident = int(broken["data"]["incident"])
    assert broken["correlationid"] == f"incident/{incident}"

    dm, app, address = loop.dm, loop.app, loop.address
    assert dm.acknowledges(address, incident, token="some other token, long enough")[0] == 401
    assert dm.acknowledges(address, incident, token=TOKENS["app"], action="release")[0] == 403
    assert app.acknowledges(address, incident, action="release")[0] == 403
    assert dm.acknowledges(address, incident + 1)[0] == 404
    assert app.acknowledges(address, incident, reason="will discard its data")[0] == 200

    status, recorded = dm.acknowledges(address, incident, action="release", reason="the modem was exchanged")
    assert status == 202 and recorded["command"].startswith(f"incident/{incident}/release/")
    assert iccid(1) not in recorded["command"]
    released = loop.dm.told("subscription.released")
    assert released["causationid"] == recorded["command"]
    assert released["data"]["actor"] == "party dm" and released["data"]["reason"] == "the modem was exchanged"
    status, again = dm.acknowledges(address, incident, action="release", reason="sent twice")
    assert status == 200 and again["repeated"] and again["reason"] == "the modem was exchanged"

    path = f"/v1/incidents/{incident}"
    whole = until(lambda: loop.simward("GET", path), lambda shown: "dm: applied" in json.dumps(shown))
    answers = {one["question"]: [line["text"] for line in one["answers"]] for one in whole["story"]}
    assert answers["What was done, with what proof"] == [
        "The gate answered 1 finding with lock; no session was to be ended."
    ], "a release does not undo that it was cut"
    for line in ("dm asks to release: the modem was exchanged.",
                 "The gate was asked to release for party dm: applied.",
                 f"{imsi(1)} was released by party dm: the modem was exchanged."):  # fmt: skip
        assert line in answers["How it went on"]
    parties = {one["name"]: one for one in loop.simward("GET", "/v1/endpoints")["endpoints"]}
    assert parties["dm"]["state"] == "closed" and parties["dm"]["dead"] == 0
    tested = loop.simward("POST", "/v1/endpoints/dm/test", {})
    assert tested["delivered"] and tested["status"] == 204
    assert loop.dm.told("endpoint.test")["data"] == {"endpoint": "dm"}
    assert loop.simward("GET", "/v1/endpoints/dm/dead") == {"dead": [], "next": None}
