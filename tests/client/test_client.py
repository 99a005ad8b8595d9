"""The typed client against a real control plane, and against servers that break off."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from control import assembled
from control.running import RunningControl
from simward.client import AsyncClient, Client, Invalid, NotFound, NotPermitted, Unauthenticated, Unreachable
from simward.client.resources import ROUTES


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    made = assembled.running(assembled.recorded_day(tmp_path_factory.mktemp("day")))
    yield made
    made.close()
    assert made.error is None


@pytest.fixture(scope="module")
def client(control: RunningControl) -> Iterator[Client]:
    with Client(url(control), assembled.token(control, "administrator"), wait_s=0.05) as made:
        yield made


def url(control: RunningControl) -> str:
    host, port = control.tcp()
    return f"http://{host}:{port}"


def test_every_route_has_a_method(control: RunningControl, client: Client) -> None:
    """As `make docs` writes them: a route that is added or changed fails here until it has been run."""
    paths = control.control.app.openapi()["paths"]
    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert set(ROUTES) == served
    for name in ROUTES.values():
        resource, method = name.split(".")
        assert callable(getattr(getattr(client, resource), method))
        assert getattr(getattr(client, resource), method).__doc__


def test_what_is_written_is_as_the_routes_have_it(repository: Path) -> None:
    script = str(repository / "scripts" / "write_client.py")
    checked = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, timeout=120, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr[-2000:]


def test_it_needs_nothing_of_the_rest() -> None:
    loaded = "print(*sorted(n for n in sys.modules if n.startswith('simward.')), 'numpy' in sys.modules)"
    run = [sys.executable, "-c", f"import sys, simward.client; {loaded}"]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True)
    *modules, numpy = done.stdout.split()
    assert numpy == "False" and all(one.startswith("simward.client") for one in modules)


def test_pages_are_walked_and_rows_are_typed(client: Client) -> None:
    first = client.subscriptions.list(limit=3)
    assert len(first["subscriptions"]) == 3 and first["next"] is not None
    imsis = [row["imsi"] for row in client.subscriptions.all(limit=7, fields="imsi")]
    assert len(imsis) == len(set(imsis)) > 7 and imsis[:3] == [row["imsi"] for row in first["subscriptions"]]
    finding = next(client.findings.all(limit=1))
    assert client.findings.get(finding["id"])["id"] == finding["id"], "an id with slashes"


def test_problems_are_exceptions_by_kind(control: RunningControl, client: Client) -> None:
    with pytest.raises(NotFound) as missing:
        client.incidents.get(10**6)
    assert missing.value.name == "no-such-incident" and missing.value.correlator
    with pytest.raises(Invalid) as wrong:
        client.deployments.create(iccid="8901010000000000017", imei="12", use_case="meter")
    assert wrong.value.name == "malformed-imei" and wrong.value.errors[0]["pointer"] == "#/imei"
    with pytest.raises(Unauthenticated), Client(url(control), "nonsense") as stranger:
        stranger.status.get()
    with pytest.raises(NotPermitted), Client(url(control), assembled.token(control, "viewer", "looks")) as viewer:
        viewer.tokens.list()


def test_the_owners_socket_takes_no_token(control: RunningControl) -> None:
    with Client(socket=control.folder / "data" / "control.sock") as owner:
        assert owner.status.get()["pid"]


def test_a_key_makes_a_write_one(client: Client) -> None:
    key = str(uuid.uuid4())
    number = client.incidents.list(limit=1)["incidents"][0]["number"]
    for _ in range(2):
        client.incidents.note(number, because="looked at it", key=key)
    assert sum("looked at it" in entry["text"] for entry in client.incidents.get(number)["entries"]) == 1


def test_the_same_awaited(control: RunningControl) -> None:
    async def all_of_it() -> int:
        async with AsyncClient(url(control), assembled.token(control, "viewer", "awaits")) as simward:
            first = await simward.events.list(limit=2)
            async for event in simward.events.stream(after=first["events"][0]["id"]):
                assert event["id"] == first["events"][1]["id"]
                break
            return len([row async for row in simward.subscriptions.all(limit=7)])

    assert asyncio.run(all_of_it()) > 7


def test_events_stream_behind_the_one_that_is_had(client: Client) -> None:
    first = client.events.list(limit=3)["events"]
    stream = client.events.stream(after=first[0]["id"])
    assert [next(stream)["id"] for _ in range(2)] == [one["id"] for one in first[1:]]


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[str, list[str]]]:
    """A server that gives each connection one of these, and hangs up; its URL, and what it was asked."""
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(65536).decode())
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        thread.join(10)
    finally:
        listener.close()


def answer(status: str, body: str = "{}", more: str = "") -> bytes:
    """One HTTP answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def header(asked: str, name: str) -> str:
    """One header of a request."""
    lines = dict(line.lower().split(": ", 1) for line in asked.split("\r\n")[1:] if ": " in line)
    return lines.get(name.lower(), "")


def test_a_call_with_a_key_is_made_again_under_it() -> None:
    """The first is not answered, the second is refused for now."""
    busy, done = answer("503 Busy", "{}", "Retry-After: 0\r\n"), answer("200 OK", '{"result": "applied"}')
    with answering(b"", busy, done) as (where, asked), Client(where, wait_s=0.01) as client:
        assert client.commands.send(do="pause", because="a flood")["result"] == "applied"
    keys = {header(one, "idempotency-key") for one in asked}
    assert len(asked) == 3 and len(keys) == 1 and keys != {""}


def test_a_token_that_may_have_been_made_is_not_made_again() -> None:
    with answering(b"") as (where, asked), Client(where, wait_s=0.01) as client, pytest.raises(Unreachable):
        client.tokens.create(name="dm", role="installer")
    assert len(asked) == 1


def test_a_stream_goes_on_behind_the_last_event() -> None:
    def events(*numbers: int) -> bytes:
        text = "".join(f"id: e{one}\nevent: x\ndata: {{\"id\": \"e{one}\"}}\n\n" for one in numbers)
        return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 10\n\n" + text.encode() + b"id: half"

    with answering(events(1, 2), events(3)) as (where, asked), Client(where, wait_s=0.01) as client:
        stream = client.events.stream()
        assert [next(stream)["id"] for _ in range(3)] == ["e1", "e2", "e3"]
    assert [header(one, "last-event-id") for one in asked] == ["", "e2"]


