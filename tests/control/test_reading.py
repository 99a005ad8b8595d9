"""What may be read over HTTP: lists, one of each, events fetched and streamed; and writes that are repeated."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control import assembled
from control.listening import Listening
from control.running import RunningControl
from control.test_api import is_problem
from gate.running import until
from simward.control.api import events
from simward.control.api.events import STREAMS_EACH_MOST

ICCID = "89001000000000000001"


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


@pytest.fixture
def gate(folder: Path) -> Iterator[Listening]:
    listening = Listening(folder / "data")
    yield listening
    listening.close()


def pages(control: RunningControl, path: str, name: str) -> list[Any]:
    found: list[Any] = []
    after = ""
    while True:
        answer = control.ask("GET", f"{path}{after}")
        assert answer.status == 200, answer
        found += answer.document[name]
        if answer.document["next"] is None:
            return found
        after = f"&after={answer.document['next']}"


def test_every_subscription_of_the_inventory_is_listed(control: RunningControl, stranger: str) -> None:
    """Also those that nothing was ever said of."""
    whole = pages(control, "/v1/subscriptions?limit=7", "subscriptions")
    assert [one["imsi"] for one in whole] == [f"{1010000000001 + number:015d}" for number in range(40)]
    assert {one["state"] for one in whole} == {"active"} and {one["use_case"] for one in whole} == {"meter"}
    assert control.ask("GET", f"/v1/subscriptions?iccid={ICCID}").document["subscriptions"] == [whole[0]]
    assert control.ask("GET", f"/v1/subscriptions?imsi={whole[3]['imsi']}").document["subscriptions"] == [whole[3]]
    assert control.ask("GET", "/v1/subscriptions?locked=true").document == {"subscriptions": [], "next": None}
    assert control.ask("GET", "/v1/subscriptions", token=stranger).document == {"subscriptions": [], "next": None}


def test_one_subscription_tells_its_story(control: RunningControl, stranger: str) -> None:
    for name in (ICCID, "001010000000001"):
        one = control.ask("GET", f"/v1/subscriptions/{name}").document
        assert one["iccid"] == ICCID and one["story"]["chapters"][0]["what"] == "declared" and one["story"]["now"]
        assert is_problem(control.ask("GET", f"/v1/subscriptions/{name}", token=stranger), 404, "not-found")
    assert is_problem(control.ask("GET", "/v1/subscriptions/001019999999999"), 404, "not-found")
    assert is_problem(control.ask("GET", "/v1/subscriptions/nonsense"), 422, "invalid-request")


def test_fields_and_cursors_are_held_to_the_list(control: RunningControl) -> None:
    one = control.ask("GET", "/v1/subscriptions?limit=1&fields=imsi,locked_at").document
    assert one["subscriptions"] == [{"imsi": "001010000000001", "locked_at": None}]
    for wrong in (
        "fields=colour", "fields=", "after=xyz", "limit=0", "limit=1001", "locked=perhaps", "colour=red",
        f"after={one['next'][:-3]}", "imei=12x", "after=%00", "use_case=a%20b",
    ):  # fmt: skip
        answer = control.ask("GET", f"/v1/subscriptions?{wrong}")
        assert is_problem(answer, 422, "invalid-request"), wrong
        assert answer.document["errors"][0]["pointer"] == f"#/{wrong.split('=')[0]}"
    assert is_problem(control.ask("GET", f"/v1/findings?after={one['next']}"), 422, "invalid-request")


def test_findings_are_listed_and_found(control: RunningControl, stranger: str) -> None:
    whole = pages(control, "/v1/findings?limit=1", "findings")
    assert sorted(one["detector"] for one in whole) == ["cell-silent", "cell-silent", "cell-silent", "gateway-silent"]
    assert [one["at"] for one in whole] == sorted((one["at"] for one in whole), reverse=True)
    for one in whole:
        assert control.ask("GET", f"/v1/findings/{one['id']}").document == {**one, "benign": None}
        assert is_problem(control.ask("GET", f"/v1/findings/{one['id']}", token=stranger), 404, "no-such-finding")
    assert len(pages(control, "/v1/findings?detector=gateway-silent&fields=id,class", "findings")) == 1
    incident = whole[0]["incident"]
    assert whole[0] in pages(control, f"/v1/findings?incident={incident}", "findings")
    assert is_problem(control.ask("GET", "/v1/findings?since=5&until=5"), 422, "invalid-request")
    assert control.ask("GET", "/v1/findings", token=stranger).document["findings"] == []


def test_effects_and_the_audit_are_read(control: RunningControl, stranger: str) -> None:
    assert control.ask("GET", "/v1/effects").document == {"effects": [], "next": None}
    assert is_problem(control.ask("GET", "/v1/effects/0/1/0"), 404, "no-such-effect")
    whole = pages(control, "/v1/audit?limit=3", "entries")
    assert [one["number"] for one in whole] == list(range(len(whole), 0, -1))
    assert {"policy.applied", "inventory.applied", "token.make"} <= {one["what"] for one in whole}
    assert all(one["tenant"] == "elsewhere" for one in pages_of(control, stranger))
    auditor = assembled.token(control, "auditor")
    assert control.ask("GET", "/v1/audit", token=auditor).status == 200


def pages_of(control: RunningControl, token: str) -> list[Any]:
    entries: list[Any] = control.ask("GET", "/v1/audit", token=token).document["entries"]
    assert entries
    return entries


def test_gateways_are_as_the_gate_knows_them(control: RunningControl, gate: Listening) -> None:
    known = {"gateway": "pgw1", "client": "proxy", "sessions": 3, "heard_at": 1_800_000_000_000_000, "restarted_at": 0}
    gate.answers = [{"gateways": [known], "next": 256}, {"gateways": [], "next": None}]
    found = control.ask("GET", "/v1/gateways").document
    assert found["gateways"][0]["heard_at"] == "2027-01-15T08:00:00.000000Z"
    assert found["gateways"][0]["restarted_at"] is None
    assert control.ask("GET", f"/v1/gateways?after={found['next']}").document == {"gateways": [], "next": None}
    assert [one["after"] for one in gate.heard] == [0, 256]


def test_events_go_on_after_any_of_them(control: RunningControl, stranger: str) -> None:
    whole = control.ask("GET", "/v1/events?limit=1000").document
    assert whole["after"] == whole["events"][-1]["id"] and not whole["more"]
    types = [one["type"] for one in whole["events"]]
    assert "incident.opened" in types and types.count("finding.raised") == 4
    again: list[Any] = []
    after = ""
    while True:
        page = control.ask("GET", f"/v1/events?limit=3{after}").document
        again += page["events"]
        after = f"&after={page['after']}"
        if not page["more"]:
            break
    assert again == whole["events"]
    some = control.ask("GET", "/v1/events?limit=1000&type=finding.*&type=gateway.silent").document["events"]
    assert some == [one for one in whole["events"] if one["type"].startswith(("finding.", "gateway."))]
    assert control.ask("GET", f"/v1/events?after={whole['after']}").document["events"] == []
    assert is_problem(control.ask("GET", "/v1/events?after=never"), 404, "no-such-event")
    assert control.ask("GET", "/v1/events", token=stranger).document["events"] == []
    answer = control.ask("GET", f"/v1/events?after={whole['after']}", token=stranger)
    assert is_problem(answer, 404, "no-such-event")


class Stream:
    """A client of the stream, which reads until it has what it waits for."""

    def __init__(self, control: RunningControl, token: str, query: str = "", **headers: str) -> None:
        self._connection = http.client.HTTPConnection(*control.tcp(), timeout=10)
        headers = {name.replace("_", "-"): said for name, said in headers.items()}
        headers["Authorization"] = f"Bearer {token}"
        self._connection.request("GET", f"/v1/events/stream{query}", headers=headers)
        self.response = self._connection.getresponse()

    def read(self, count: int) -> list[dict[str, str]]:
        """So many events, as an EventSource has them."""
        found: list[dict[str, str]] = []
        event: dict[str, str] = {}
        while len(found) < count:
            line = self.response.readline().decode()
            assert line, "the stream has ended"
            name, _, said = line.strip().partition(": ")
            if name in ("id", "event", "data"):
                event[name] = said
            elif not name and event:
                found.append(event)
                event = {}
        return found

    def close(self) -> None:
        self._connection.close()


def test_a_stream_goes_on_where_it_was(control: RunningControl) -> None:
    token = assembled.token(control, "viewer", "streaming")
    whole = control.ask("GET", "/v1/events?limit=1000").document["events"]
    stream = Stream(control, token, f"?after={whole[0]['id']}")
    assert stream.response.getheader("content-type") == "text/event-stream; charset=utf-8"
    first = stream.read(3)
    stream.close()
    again = Stream(control, token, Last_Event_ID=first[-1]["id"])
    rest = again.read(len(whole) - 4)
    assert [json.loads(one["data"]) for one in (*first, *rest)] == whole[1:]
    every = "/v1/incidents?state=open&state=resolved&state=acknowledged"
    number = control.ask("GET", every).document["incidents"][0]["number"]
    began = time.monotonic()
    control.ask("POST", f"/v1/incidents/{number}/reopen", {"because": "x", "actor": "ada"})
    control.ask("POST", f"/v1/incidents/{number}/acknowledge", {"actor": "ada"})
    news = again.read(1)[0]
    assert news["event"].startswith("incident.") and time.monotonic() - began < 3
    again.close()


def test_a_stream_ends_with_its_token_and_there_are_few(control: RunningControl) -> None:
    token = assembled.token(control, "viewer", "greedy")
    streams = [Stream(control, token) for _ in range(STREAMS_EACH_MOST)]
    assert [one.response.status for one in streams] == [200] * STREAMS_EACH_MOST
    assert is_problem(control.ask("GET", "/v1/events/stream", token=token), 429, "too-many-streams")
    streams.pop().close()
    assert until(lambda: _opens(control, token))
    control.ask("POST", "/v1/tokens/greedy/revoke", {})
    for one in streams:
        while one.response.readline():
            pass
        one.close()


def _opens(control: RunningControl, token: str) -> bool:
    stream = Stream(control, token)
    stream.close()
    return stream.response.status == 200


def test_a_quiet_stream_says_that_it_is_there(control: RunningControl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.2)
    stream = Stream(control, assembled.token(control, "viewer", "quiet"))
    lines = [stream.response.readline() for _ in range(3)]
    assert lines[0] == b"retry: 2000\n" and lines[2].startswith(b":")
    stream.close()


def test_a_write_with_a_key_is_done_once(control: RunningControl, gate: Listening) -> None:
    lock = {"do": "lock", "iccid": ICCID, "because": "stolen"}
    gate.answers = [{"result": "applied", "sequence": 17, "id": "x"}]
    key = {"Idempotency-Key": '"case-7"'}
    first = control.ask("POST", "/v1/commands", lock, key)
    again = control.ask("POST", "/v1/commands", lock, {"Idempotency-Key": "case-7"})
    assert first.status == again.status == 200 and first.document == again.document
    assert again.headers["idempotent-replayed"] == "true" and len(gate.heard) == 1
    assert gate.heard[0]["id"].startswith("key-"), "the gate knows it by the key, if the answer is lost"
    other = control.ask("POST", "/v1/commands", {**lock, "because": "lost"}, key)
    assert is_problem(other, 422, "key-reused")
    assert is_problem(control.ask("POST", "/v1/commands", lock, {"Idempotency-Key": "a b"}), 422, "invalid-request")
    operator = assembled.token(control, "operator", "with a key".replace(" ", "-"))
    assert control.ask("POST", "/v1/commands", lock, key, token=operator).headers.get("idempotent-replayed") is None
    assert len(gate.heard) == 2, "a key is the caller's own"


def test_what_was_not_decided_may_be_asked_anew(control: RunningControl, gate: Listening) -> None:
    lock = {"do": "lock", "iccid": ICCID, "because": "stolen"}
    gate.answers = [
        {"ok": False, "error": "cannot be written", "result": "applied"},
        {"ok": False, "error": "the binding has another generation", "result": "stale"},
    ]
    key = {"Idempotency-Key": "case-8"}
    assert control.ask("POST", "/v1/commands", lock, key).status == 503
    for _ in range(2):
        answer = control.ask("POST", "/v1/commands", lock, key)
        assert is_problem(answer, 409, "stale")
    assert len(gate.heard) == 2
    assert len({one["id"] for one in gate.heard}) == 1


def test_two_at_once_with_a_key_are_one(control: RunningControl, gate: Listening) -> None:
    lock = {"do": "lock", "iccid": ICCID, "because": "stolen"}
    answers: list[Any] = []

    def ask() -> None:
        answers.append(control.ask("POST", "/v1/commands", lock, {"Idempotency-Key": "case-9"}))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(gate.heard) == 1
    assert all(one.status == 200 or is_problem(one, 409, "in-progress") for one in answers)


def test_a_new_token_is_never_kept_for_a_repeat(control: RunningControl, folder: Path) -> None:
    new = {"name": "not-kept", "role": "viewer"}
    made = control.ask("POST", "/v1/tokens", new, {"Idempotency-Key": "token-1"})
    assert made.status == 201
    assert is_problem(control.ask("POST", "/v1/tokens", new, {"Idempotency-Key": "token-1"}), 409, "token-refused")
    secret = made.document["token"].encode()
    assert all(secret not in file.read_bytes() for file in (folder / "data").glob("registry*"))


def test_a_tenant_acts_on_its_own(control: RunningControl, gate: Listening) -> None:
    own = assembled.token(control, "operator", "own", tenant="default")
    lock = {"do": "lock", "iccid": ICCID, "because": "stolen"}
    assert control.ask("POST", "/v1/commands", lock, token=own).status == 200
    assert gate.heard[0]["actor"] == "token own"
