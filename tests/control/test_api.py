"""What the control plane answers: commands, their refusals, errors as RFC 9457 has them, and who may ask."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from control.listening import Listening
from control.running import Answer, RunningControl
from gate.running import RunningGate, until
from simward.control.alone import alone
from simward.control.api.edge import BODY_OCTETS_MAX
from simward.control.api.principals import Principal
from simward.control.readiness import Condition
from simward.errors import PeerError

ICCID = "8900101000000000019"
LOCK = {"do": "lock", "iccid": ICCID, "because": "stolen", "actor": "ada"}


class ByBearer:
    """Knows one caller, who may release and nothing else."""

    async def authenticate(self, headers: Mapping[bytes, bytes]) -> Principal | None:
        known = headers.get(b"authorization") == b"Bearer of-the-party-dm"
        return Principal("dm", lambda command, iccid: command == "release") if known else None


class Raises:
    """An authenticator with a bug."""

    async def authenticate(self, headers: Mapping[bytes, bytes]) -> Principal | None:
        raise KeyError("a bug")


class Late:
    """A part that is not ready."""

    async def conditions(self) -> Mapping[str, Condition]:
        return {"registry": Condition(False, "cannot be opened", {"lag_events": 7})}


class Broken:
    async def conditions(self) -> Mapping[str, Condition]:
        raise RuntimeError("of no use")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return RunningGate(tmp_path / "net", 1, control="127.0.0.1:0").folder


@pytest.fixture
def gate(folder: Path) -> Iterator[Listening]:
    listening = Listening(folder / "data")
    yield listening
    listening.close()


@pytest.fixture
def control(folder: Path) -> Iterator[RunningControl]:
    made = RunningControl(folder, authenticators=[ByBearer()])
    yield made
    made.close()
    assert made.error is None


def is_problem(answer: Answer, status: int, name: str) -> bool:
    """RFC 9457 3.1: type, title, status and detail, under their own media type."""
    assert answer.headers["content-type"] == "application/problem+json", answer
    assert answer.document["status"] == answer.status and answer.document["title"], answer
    assert answer.headers["x-correlator"]
    return (answer.status, answer.document["type"].rpartition(":")[2]) == (status, name)


def test_a_command_is_passed_on_and_answered_with_the_gates_answer(gate: Listening, control: RunningControl) -> None:
    gate.answers = [{"result": "applied", "sequence": 17, "generation": 1, "did": ["locked"], "id": ""}]
    answer = control.ask("POST", "/v1/commands", LOCK)
    assert answer.status == 200
    assert answer.document == {"result": "applied", "sequence": 17, "generation": 1, "did": ["locked"], "id": ""}
    assert gate.heard == [
        {"do": "lock", "because": "stolen", "actor": "ada", "id": "", "iccid": ICCID, "generation": -1}
    ]


@pytest.mark.parametrize(("result", "status"), [("stale", 409), ("limited", 409), ("not-found", 404)])
def test_what_the_gate_decides_against_keeps_its_facts(
    gate: Listening, control: RunningControl, result: str, status: int
) -> None:
    gate.answers = [{"ok": False, "error": f"{result}: in words", "result": result, "sequence": 18}]
    answer = control.ask("POST", "/v1/commands", {**LOCK, "generation": 2})
    assert is_problem(answer, status, result)
    assert answer.document["detail"] == f"{result}: in words" and answer.document["sequence"] == 18


def test_a_repeated_command_is_no_error(gate: Listening, control: RunningControl) -> None:
    gate.answers = [{"result": "duplicate", "id": "case-7"}]
    answer = control.ask("POST", "/v1/commands", {**LOCK, "id": "case-7"})
    assert answer.status == 200 and answer.document["result"] == "duplicate"


def test_a_gate_that_cannot_record_is_a_fault_of_ours(gate: Listening, control: RunningControl) -> None:
    gate.answers = [{"ok": False, "error": "the journal cannot be written", "result": "applied"}]
    assert is_problem(control.ask("POST", "/v1/commands", LOCK), 503, "gate-refused")


def test_without_a_gate(control: RunningControl) -> None:
    answer = control.ask("POST", "/v1/commands", LOCK)
    assert is_problem(answer, 503, "no-gate") and answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"because": ""}, {"because": " "}, {"because": "x" * 501}, {"do": "destroy"}, {"iccid": "123"}, {"iccid": None},
        {"iccid": 8900101000000000019}, {"generation": "2"}, {"generation": True}, {"generation": -2},
        {"generation": 2**31}, {"rebind": True}, {"do": "pause"}, {"colour": "red"}, {"actor": "\ud800"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_a_command_is_told_and_not_asked(
    gate: Listening, control: RunningControl, wrong: dict[str, object]
) -> None:
    answer = control.ask("POST", "/v1/commands", {**LOCK, **wrong})
    assert is_problem(answer, 422, "invalid-request") and answer.document["errors"][0]["detail"]
    assert not gate.heard


@pytest.mark.parametrize("octets", [b"", b"{", b"[]", b"\xff\xfe", b'{"do":', b"[" * 60_000])
def test_octets_that_are_no_json(gate: Listening, control: RunningControl, octets: bytes) -> None:
    answer = control.ask("POST", "/v1/commands", octets)
    assert answer.headers["content-type"] == "application/problem+json" and answer.status in (400, 422)
    assert not gate.heard


def test_other_errors_are_problems_too(control: RunningControl) -> None:
    assert control.ask("GET", "/nowhere").document["status"] == 404
    assert control.ask("DELETE", "/v1/commands").document["status"] == 405
    assert is_problem(control.ask("POST", "/v1/commands", b" " * (BODY_OCTETS_MAX + 1)), 413, "too-large")


def test_a_body_that_hides_its_length_is_bounded(control: RunningControl, folder: Path) -> None:
    with socket.create_connection(control.tcp(), 10) as opened:
        opened.sendall(b"POST /v1/commands HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer of-the-party-dm\r\n"
                       b"Transfer-Encoding: chunked\r\n\r\n")  # fmt: skip
        for _ in range(70):
            opened.sendall(b"400\r\n" + b" " * 1024 + b"\r\n")
        assert b" 413 " in opened.recv(4096).splitlines()[0]


def test_the_correlator_is_echoed_where_it_is_one(control: RunningControl) -> None:
    assert control.ask("GET", "/healthz", headers={"X-Correlator": "a:b-1"}).headers["x-correlator"] == "a:b-1"
    made = control.ask("GET", "/healthz").headers["x-correlator"]
    assert len(made) == 36 and made != control.ask("GET", "/healthz").headers["x-correlator"]
    assert control.ask("GET", "/healthz", headers={"x-correlator": "no good"}).headers["x-correlator"] != "no good"


def test_over_tcp_only_health_is_open(gate: Listening, control: RunningControl) -> None:
    assert control.ask("GET", "/healthz", tcp=True).document == {"alive": True}
    for method, path in (("POST", "/v1/commands"), ("POST", "/v1/revisions"), ("GET", "/v1/status"), ("GET", "/x")):
        answer = control.ask(method, path, {}, tcp=True)
        assert is_problem(answer, 401, "unauthenticated") and answer.headers["www-authenticate"] == "Bearer"
    assert control.ask("GET", "/v1/status", headers={"Authorization": "Bearer other"}, tcp=True).status == 401
    assert not gate.heard


def test_a_party_may_what_it_may(gate: Listening, control: RunningControl) -> None:
    party = {"Authorization": "Bearer of-the-party-dm"}
    release = {"do": "release", "iccid": ICCID, "because": "asked for by the owner"}
    assert control.ask("POST", "/v1/commands", release, party, tcp=True).status == 200
    assert gate.heard[0]["actor"] == "dm"
    assert is_problem(control.ask("POST", "/v1/commands", LOCK, party, tcp=True), 403, "not-permitted")
    spoofed = {**release, "actor": "ada"}
    assert is_problem(control.ask("POST", "/v1/commands", spoofed, party, tcp=True), 403, "not-permitted")
    revision = control.ask("POST", "/v1/revisions", {"revision": "1-abc"}, party, tcp=True)
    assert is_problem(revision, 403, "not-permitted")
    assert len(gate.heard) == 1


def test_a_revision_is_named_and_never_a_path(gate: Listening, control: RunningControl, folder: Path) -> None:
    place = folder / "data" / "revisions" / "1-abc"
    place.mkdir(parents=True)
    gate.answers = [{"first": 1, "last": 2}, {"ok": False, "error": "1-abc is not a revision"}]
    assert control.ask("POST", "/v1/revisions", {"revision": "1-abc"}).document == {"first": 1, "last": 2}
    assert gate.heard == [{"do": "apply", "revision": str(place.absolute())}]
    assert is_problem(control.ask("POST", "/v1/revisions", {"revision": "1-abc"}), 409, "gate-refused")
    assert is_problem(control.ask("POST", "/v1/revisions", {"revision": "2-xyz"}), 404, "not-found")
    for wrong in ("../revisions/1-abc", "/etc", "..", ""):
        assert control.ask("POST", "/v1/revisions", {"revision": wrong}).status == 422


def test_a_bug_is_a_problem_with_a_trace_in_the_log(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    control = RunningControl(folder, authenticators=[Raises()])
    try:
        answer = control.ask("POST", "/v1/commands", LOCK, {"x-correlator": "find-me"}, tcp=True)
        assert is_problem(answer, 500, "internal") and "a bug" not in str(answer.document)
        assert "find-me" in caplog.text and "a bug" in caplog.text
        assert control.ask("GET", "/healthz").status == 200
    finally:
        control.close()


def test_readiness_says_what_is_missing(folder: Path) -> None:
    control = RunningControl(folder, conditions=[Late(), Broken()])
    try:
        answer = control.ask("GET", "/readyz", tcp=True)
        assert is_problem(answer, 503, "not-ready")
        conditions = answer.document["conditions"]
        assert conditions["registry"] == {"ok": False, "said": "cannot be opened", "lag_events": 7}
        assert conditions["gate"] == {"ok": False, "said": "no gate is running"}
        assert conditions["Broken"]["said"] == "RuntimeError: of no use"
    finally:
        control.close()


def test_readiness_with_everything_there(gate: Listening, control: RunningControl) -> None:
    gate.answers = [{"durable": True, "sequence": 5}]
    for _ in range(5):
        answer = control.ask("GET", "/readyz")
        assert answer.status == 200 and answer.document["conditions"]["gate"]["sequence"] == 5
    assert len(gate.heard) == 1, "who asks often is told what was found a moment ago"


def test_only_one_a_folder(folder: Path, control: RunningControl) -> None:
    second = RunningControl(folder)
    second.close()
    assert isinstance(second.error, PeerError) and "already running" in str(second.error)
    assert control.ask("GET", "/healthz").status == 200, "the first one's socket is left alone"


def test_of_two_that_start_at_once_one_is(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(PeerError, match="another control process"), alone(tmp_path):
        pytest.fail("two are")
    with alone(tmp_path):
        pass


def test_the_socket_is_the_owners_alone(folder: Path, control: RunningControl) -> None:
    assert (folder / "data" / "control.sock").stat().st_mode & 0o777 == 0o600


def test_an_address_that_is_taken_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simward.control.listening.RETRY_FIRST_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        control = RunningControl(RunningGate(tmp_path / "net", 1, control=address).folder)
        try:
            until(lambda: "NOT SERVING" in caplog.text)
            assert address in caplog.text and "another process has it" in caplog.text
            assert control.ask("GET", "/v1/status").document["http"] is None
            taken.close()
            assert control.ask("GET", "/healthz", tcp=True).status == 200
        finally:
            control.close()
    assert control.error is None


def test_none_serves_nothing_over_tcp(tmp_path: Path) -> None:
    control = RunningControl(RunningGate(tmp_path / "net", 1, control="none").folder)
    try:
        said = control.ask("GET", "/v1/status").document
        assert said["http"] is None and said["http_wanted"] is None
    finally:
        control.close()


class Ends:
    """A part that fails."""

    async def run(self) -> None:
        raise PeerError("the registry is gone")


def test_where_a_part_fails_the_process_ends_with_its_error(folder: Path) -> None:
    control = RunningControl(folder, parts=[Ends()])
    control.close()
    assert isinstance(control.error, PeerError) and "registry" in str(control.error)
    assert not (folder / "data" / "control.sock").exists()
