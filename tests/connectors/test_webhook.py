"""Webhooks as a receiver sees them, over real sockets: what is sent, how it is signed, and what is never done."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from connectors.receiving import OTHER_SECRET, SECRET, Received, Receiver
from simward.connectors import webhook
from simward.connectors.cloudevents import Event, header_value, sequence_extension
from simward.connectors.connector import Outcome
from simward.connectors.webhook import Webhook, retry_after_s
from simward.errors import ConfigurationError
from simward.settings import Endpoint

EVENT = Event(
    id="binding.broken:0/17/0", source="urn:simward:test:default", type="binding.broken", subject="001010000000001",
    at=1_700_000_000_000_250, data={"was": "a device", "now": 'a "phone" €'},
    extensions={**sequence_extension(7), "causationid": "0/17/0"},
)  # fmt: skip


def endpoint(url: str) -> Endpoint:
    """One on this machine."""
    return Endpoint("app", "webhook", url, SECRET, allow_private=True)


def send(to: Endpoint, event: Event = EVENT, times: int = 1) -> Outcome:
    """The outcome of the last of some attempts through one connector."""

    async def attempts() -> Outcome:
        connector = Webhook(to)
        try:
            for _ in range(times):
                outcome = await connector.send(event, time.time_ns() // 1000)
            return outcome
        finally:
            await connector.aclose()

    return asyncio.run(attempts())


def test_structured_mode_carries_the_whole_event_and_others_verify_it() -> None:
    with Receiver() as receiver:
        assert send(endpoint(receiver.url)) == Outcome(204)
    [got] = receiver.received
    assert got.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert got.headers["webhook-id"] == EVENT.id
    assert Verifier(SECRET.decode()).verify(got.body, got.headers) == {
        "specversion": "1.0", "id": "binding.broken:0/17/0", "source": "urn:simward:test:default",
        "type": "binding.broken", "subject": "001010000000001", "time": "2023-11-14T22:13:20.000250Z",
        "sequence": "0000000007", "sequencetype": "Integer", "causationid": "0/17/0",
        "datacontenttype": "application/json", "data": {"was": "a device", "now": 'a "phone" €'},
    }  # fmt: skip


def test_binary_mode_carries_the_data_alone_and_attributes_as_headers() -> None:
    with Receiver() as receiver:
        send(replace(endpoint(receiver.url), mode="binary"), replace(EVENT, subject='gateway "Süd" 100%'))
    [got] = receiver.received
    assert got.headers["content-type"] == "application/json"
    assert Verifier(SECRET.decode()).verify(got.body, got.headers) == EVENT.data
    assert got.headers["ce-specversion"] == "1.0" and got.headers["ce-sequence"] == "0000000007"
    assert got.headers["ce-subject"] == "gateway%20%22S%C3%BCd%22%20100%25"
    assert "ce-datacontenttype" not in got.headers


def test_a_value_of_the_specification_is_written_as_it_says() -> None:
    assert header_value("Euro € 😀") == "Euro%20%E2%82%AC%20%F0%9F%98%80"  # HTTP binding 3.1.3.2


def test_whoever_has_another_secret_or_changed_something_is_refused() -> None:
    with Receiver() as receiver:
        send(endpoint(receiver.url))
    [got] = receiver.received
    with pytest.raises(WebhookVerificationError):
        Verifier(OTHER_SECRET.decode()).verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET.decode()).verify(got.body.replace(b"device", b"DEVICE"), got.headers)


def test_while_a_secret_is_exchanged_both_verify() -> None:
    with Receiver() as receiver:
        send(replace(endpoint(receiver.url), secret=OTHER_SECRET, previous_secret=SECRET))
    [got] = receiver.received
    assert len(got.headers["webhook-signature"].split()) == 2
    for secret in (SECRET, OTHER_SECRET):
        Verifier(secret.decode()).verify(got.body, got.headers)


def test_a_redirect_is_not_followed() -> None:
    with Receiver() as elsewhere, Receiver(lambda got: (307, {"location": elsewhere.url}, b"")) as receiver:
        assert send(endpoint(receiver.url)) == Outcome(307, "answered 307")
    assert not elsewhere.received


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert send(endpoint(receiver.url)).delivered
    assert not proxy.received and receiver.received


def test_a_private_address_is_called_only_where_that_is_permitted() -> None:
    with Receiver() as receiver:
        outcome = send(replace(endpoint(receiver.url), allow_private=False))
    assert "which is not permitted: loopback" in outcome.error and outcome.status is None
    assert not receiver.received


def test_what_was_checked_is_what_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that says something else at each look-up gets one, and is called at what that one said."""
    asked: list[str] = []

    async def checked(host: str, port: int, private: bool) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    monkeypatch.setattr(webhook, "addresses_of", checked)
    with Receiver() as receiver:
        port = receiver.server_address[1]
        to = replace(endpoint(f"http://moves.invalid:{port}/hook?key=1"), allow_private=False)
        assert send(to, times=3).delivered
    assert asked == ["moves.invalid"]
    assert {got.headers["host"] for got in receiver.received} == {f"moves.invalid:{port}"}
    assert receiver.received[0].path == "/hook?key=1"


def test_the_next_address_is_tried_where_nobody_listens_at_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    async def two(*_: object) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    monkeypatch.setattr(webhook, "addresses_of", two)
    with Receiver() as receiver:
        assert send(endpoint(receiver.url)).delivered


def test_a_large_answer_is_not_read_to_its_end() -> None:
    with Receiver(lambda got: (200, {}, bytes(10_000_000))) as receiver:
        began = time.monotonic()
        assert send(endpoint(receiver.url)).delivered
    assert time.monotonic() - began < 5


def test_who_does_not_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "ANSWER_WITHIN_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = send(endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}/"))
    assert outcome == Outcome(None, "no answer within 0.2 s")


def test_who_answers_by_the_octet_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "ANSWER_WITHIN_S", 0.3)
    over = threading.Event()

    def drip(listening: socket.socket) -> None:
        opened, _ = listening.accept()
        with opened:
            opened.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            while not over.wait(0.05):
                try:
                    opened.sendall(b".")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        outcome = send(endpoint(f"http://127.0.0.1:{listening.getsockname()[1]}/"))
        over.set()
        thread.join()
    assert outcome == Outcome(None, "no answer within 0.3 s")


def test_nobody_there_is_an_outcome() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    outcome = send(endpoint(f"http://127.0.0.1:{port}/"))
    assert outcome.status is None and "connection" in outcome.error.lower()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, None), ("120", 120), ("soon", None), ("-5", None), ("Tue, 14 Nov 2023 22:14:20 GMT", 60),
     ("Tue, 14 Nov 2023 22:00:00 GMT", 0), ("Tue, 14 Nov 2023 22:00:00 +99999999999999999999", None),
     ("Tue, 14 Nov 2023 99999999999999999999:00:00 GMT", None), ("9" * 5000, None)],
)  # fmt: skip
def test_how_long_a_receiver_asks_us_to_wait(value: str | None, expected: int | None) -> None:
    assert retry_after_s(value, EVENT.at) == expected


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(certificate, key) of app.example, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert", folder / "key"
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=app.example", "-addext", "subjectAltName=DNS:app.example", "-keyout", str(key), "-out", str(cert),
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed (Debian: openssl)")
    return cert, key


@pytest.fixture
def https(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> tuple[Receiver, list[str | None], Path]:
    """A receiver behind TLS, the names that were asked for (SNI), and the certificate."""
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.sni_callback = lambda _, name, __: names.append(name)
    receiver = Receiver()
    receiver.socket = context.wrap_socket(receiver.socket, server_side=True)

    async def here(*_: object) -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr(webhook, "addresses_of", here)
    return receiver, names, certificate[0]


def test_a_certificate_is_verified_for_the_name_and_not_the_address(
    https: tuple[Receiver, list[str | None], Path],
) -> None:
    receiver, names, ca_file = https
    port = receiver.server_address[1]
    with receiver:
        right = replace(endpoint(f"https://app.example:{port}/"), ca_file=ca_file)
        assert send(right).delivered
        assert names == ["app.example"]
        other = send(replace(right, url=f"https://other.example:{port}/"))
        unknown = send(replace(right, ca_file=None))
    assert "CERTIFICATE_VERIFY_FAILED" in other.error and "CERTIFICATE_VERIFY_FAILED" in unknown.error
    assert len(receiver.received) == 1


def test_connections_are_used_again() -> None:
    ports: set[str] = set()

    def answers(got: Received) -> int:
        return 204

    with Receiver(answers) as receiver:
        accept = receiver.get_request

        def noted() -> object:
            opened = accept()
            ports.add(str(opened[1]))
            return opened

        receiver.get_request = noted  # type: ignore[method-assign, assignment]
        send(endpoint(receiver.url), times=5)
    assert len(ports) == 1 and len(receiver.received) == 5


def test_no_answer_is_worse_than_an_outcome(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """What ends an attempt in a way that nobody foresaw would else end the dispatcher, and so the whole process."""

    def bug(response: object, at: int) -> Outcome:
        raise OverflowError("a bug")

    monkeypatch.setattr(webhook, "_outcome", bug)
    with Receiver() as receiver:
        assert send(endpoint(receiver.url)) == Outcome(None, "OverflowError")
    assert "nobody foresaw" in caplog.text


@pytest.mark.parametrize("url", ["https://xn--/", "https://exa\x00mple.com/", "https://0177.0.0.1/"])
def test_what_is_no_url_after_all_is_said_of_its_endpoint(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"endpoint\.app\.url: is no URL"):
        Webhook(endpoint(url))
