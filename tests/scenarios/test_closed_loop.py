"""The closed loop: a SIM in the wrong device, both systems told, one of them answering, the gate doing what it asks."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

sys.path.insert(0, str(Path(__file__).parents[1]))

from connectors.receiving import OTHER_SECRET, SECRET, Receiver
from gate.running import Served, access_request, iccid, imeisv, imsi, needs_radclient, radclient, until
from simward.commands import through_control

pytestmark = needs_radclient
DM_TOKEN, APP_TOKEN = "the token of device management", "the token of the application"
OUTWARD = """
[[endpoint]]
name = "dm"
kind = "webhook"
url = "{dm}"
secret = "{dm_secret}"
events = ["subscription.*"]
allow_private = true
[[endpoint]]
name = "app"
kind = "webhook"
url = "{app}"
secret = "{app_secret}"
events = ["binding.established", "incident.*"]
allow_private = true
[[party]]
name = "dm"
endpoint = "dm"
use_cases = ["water-meter"]
may = ["release", "keep"]
acknowledge_within = "15m"
token = "{dm_token}"
[[party]]
name = "app"
endpoint = "app"
token = "{app_token}"
"""


class Loop:
    """A whole Simward, and the two systems."""

    def __init__(self, folder: Path, dm: Receiver, app: Receiver) -> None:
        self.dm, self.app = dm, app
        more = OUTWARD.format(
            dm=dm.url, app=app.url, dm_secret=SECRET.decode(), app_secret=OTHER_SECRET.decode(), dm_token=DM_TOKEN,
            app_token=APP_TOKEN,
        )  # fmt: skip
        self.net = Served(folder, more=more, control="127.0.0.1:0").start()

    def simward(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """By the owner's socket."""
        return through_control.ask(self.net.folder / "data", "simward", method, path, body, within_s=20)

    def party(self, token: str, incident: int, **said: Any) -> tuple[int, dict[str, Any]]:
        """What a party gets for its acknowledgement over TCP."""
        address = str(until(lambda: self.simward("GET", "/v1/status")["http"])).removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=20)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        connection.request("POST", f"/v1/incidents/{incident}/acknowledgements", json.dumps(said), headers)
        response = connection.getresponse()
        document = json.loads(response.read())
        connection.close()
        return response.status, document


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    """Started, with one meter bound."""
    with Receiver() as dm, Receiver() as app:
        made = Loop(tmp_path / "net", dm, app)
        try:
            assert "Access-Accept" in radclient(made.net.auth, "auth", access_request(1))
            yield made
        finally:
            made.net.stop()


def told(receiver: Receiver, secret: bytes, kind: str) -> dict[str, Any]:
    """The first event of a type that a receiver got, verified."""

    def look() -> Any:
        for got in list(receiver.received):
            event: dict[str, Any] = Verifier(secret.decode()).verify(got.body, got.headers)
            if event["type"] == kind:
                return event
        return None

    found: dict[str, Any] = until(look)
    return found


def test_a_stolen_sim_is_told_to_both_and_released_by_one(loop: Loop) -> None:
    established = told(loop.app, OTHER_SECRET, "binding.established")
    assert established["subject"] == imsi(1) and established["sequence"] == "0000000001"
    stolen = access_request(1, **{"3GPP-IMEISV": f'"{imeisv(7, tac="35999900")}"'})
    assert "Access-Reject" in radclient(loop.net.auth, "auth", stolen)
    broken = told(loop.dm, SECRET, "binding.broken")
    assert told(loop.app, OTHER_SECRET, "binding.broken") == broken, "one event, both parties, whatever their filters"
    assert broken["data"]["subscription"] == {"imsi": imsi(1), "iccid": iccid(1)}
    incident = int(broken["data"]["incident"])
    assert broken["correlationid"] == f"incident/{incident}"

    assert loop.party("some other token, long enough", incident, party="dm")[0] == 401
    assert loop.party(APP_TOKEN, incident, party="dm", action="release")[0] == 403
    assert loop.party(APP_TOKEN, incident, party="app", action="release")[0] == 403
    assert loop.party(DM_TOKEN, incident + 1, party="dm")[0] == 404
    assert loop.party(APP_TOKEN, incident, party="app", reason="will discard its data")[0] == 200

    status, recorded = loop.party(DM_TOKEN, incident, party="dm", action="release", reason="the modem was exchanged")
    assert status == 202 and recorded["command"].startswith(f"incident/{incident}/release/")
    assert iccid(1) not in recorded["command"]
    released = told(loop.dm, SECRET, "subscription.released")
    assert released["causationid"] == recorded["command"]
    assert released["data"]["actor"] == "party dm" and released["data"]["reason"] == "the modem was exchanged"
    status, again = loop.party(DM_TOKEN, incident, party="dm", action="release", reason="sent twice")
    assert status == 200 and again["repeated"] and again["reason"] == "the modem was exchanged"

    whole = loop.simward("GET", f"/v1/incidents/{incident}")
    assert "asks to release" in json.dumps(whole) and "applied" in json.dumps(whole)
    parties = {one["name"]: one for one in loop.simward("GET", "/v1/endpoints")["endpoints"]}
    assert parties["dm"]["state"] == "closed" and parties["dm"]["dead"] == 0
    tested = loop.simward("POST", "/v1/endpoints/dm/test", {})
    assert tested["delivered"] and tested["status"] == 204
    assert told(loop.dm, SECRET, "endpoint.test")["data"] == {"endpoint": "dm"}
    assert loop.simward("GET", "/v1/endpoints/dm/dead") == {"dead": []}
