"""The API by TLS: what is spoken, a certificate that changes under way, strangers who never shake hands, proxies."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import os
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from control.browser import PASSWORD, Browser
from control.certificates import PEM, Authority
from control.running import RunningControl
from gate.running import RunningGate, until
from simward.control import http_connections
from simward.control.access import certificate
from simward.control.access.proxies import Proxies
from simward.control.api.problems import Problem
from simward.control.assembling import assemble
from simward.control.http_connections import CONNECTIONS_MAX
from simward.errors import ConfigurationError
from simward.settings import ControlSettings, Settings

authority = Authority()
CERTIFIED = 'tls_certificate = "chain.pem"\ntls_key = "key.pem"\n'


def folder_with(place: Path, control: str, http: str = "127.0.0.1:0") -> Path:
    """A working folder whose [control] says this too."""
    folder = RunningGate(place / "net", 1, control=http).folder
    (folder / "data").mkdir(mode=0o700, exist_ok=True)
    file = folder / "simward.toml"
    file.write_text(file.read_text().replace("[control]\n", f"[control]\n{control}"))
    return folder


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningControl]:
    monkeypatch.setattr(certificate, "LOOK_EVERY_S", 0.05)
    folder = folder_with(tmp_path, CERTIFIED)
    authority.issue(folder)
    made = RunningControl(folder, control=assemble(Settings.load(folder)))
    made.tcp()
    yield made
    made.close()
    assert made.error is None


def connected(control: RunningControl, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    context = context or authority.trust()
    return context.wrap_socket(socket.create_connection(control.tcp(), timeout=10), server_hostname="127.0.0.1")


def name_of(connection: ssl.SSLSocket) -> str:
    """Whose certificate the server showed."""
    shown: Any = connection.getpeercert()
    return str(dict(one[0] for one in shown["subject"])["commonName"])


def first_link(control: RunningControl) -> str:
    """That of the first administrator."""
    file = control.folder / "data" / "first-administrator.url"
    return str(until(lambda: file.exists() and file.read_text())).strip()


def ask(connection: ssl.SSLSocket) -> bytes:
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = b""
    while not answer.endswith(b"}"):
        answer += connection.recv(4096)
    return answer


def test_people_come_by_tls_and_everything_says_so(control: RunningControl) -> None:
    browser = Browser(control, tls=authority.trust())
    url = first_link(control)
    assert url.startswith(browser.origin + "/first/") and url.startswith("https:")
    fields = {"name": "ada", "password": PASSWORD, "again": PASSWORD}
    path = url.removeprefix(browser.origin)
    http_page = {"Origin": browser.origin.replace("https", "http")}
    assert browser.post(path, http_page, **fields).status == 403  # of a page that anybody on the way could have written
    answer = browser.post(path, **fields)
    assert answer.status == 303 and all("Secure" in one and one.startswith("__Host-") for one in answer.set_cookies)
    assert "max-age" in answer.headers["strict-transport-security"]
    assert browser.get("/account").status == 200
    assert control.ask("GET", "/readyz").document["conditions"]["certificate"]["ok"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_is_of_today(control: RunningControl, version: ssl.TLSVersion) -> None:
    context = authority.trust()
    context.minimum_version = context.maximum_version = version
    with connected(control, context) as one:
        assert b" 200 " in ask(one) and one.version() == version.name.replace("_", ".")
        cipher: Any = one.cipher()
        assert "GCM" in cipher[0] or "CHACHA20" in cipher[0]


def test_older_versions_and_plain_http_are_not_spoken(control: RunningControl) -> None:
    context = authority.trust()
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        connected(control, context)
    plain = http.client.HTTPConnection(*control.tcp(), timeout=10)
    with contextlib.closing(plain), pytest.raises((http.client.HTTPException, OSError)):
        plain.request("GET", "/healthz")
        plain.getresponse()
    assert control.ask("GET", "/healthz").status == 200


def test_a_request_that_comes_with_the_handshake_is_heard(control: RunningControl) -> None:
    """The end of the handshake and the first octets of a request, in one piece."""
    context, incoming, outgoing = authority.trust(), ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with socket.create_connection(control.tcp(), timeout=10) as plain:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                incoming.write(plain.recv(65536))
        client.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        plain.sendall(outgoing.read())
        answer = b""
        while not answer.endswith(b"}"):
            try:
                answer += client.read(4096)
            except ssl.SSLWantReadError:
                incoming.write(plain.recv(65536))
    assert b" 200 " in answer


@pytest.mark.parametrize("by_rsa", [False, True])
def test_a_new_certificate_is_shown_and_no_connection_breaks(control: RunningControl, by_rsa: bool) -> None:
    with connected(control) as before:
        assert name_of(before) == "simward" and b" 200 " in ask(before)
        authority.issue(control.folder, "renewed", by_rsa=by_rsa)

        def shown() -> bool:
            with connected(control) as one:
                return name_of(one) == "renewed" and b" 200 " in ask(one)

        until(shown)
        assert b" 200 " in ask(before)


def test_what_cannot_be_used_is_said_and_the_certificate_before_stays(
    control: RunningControl, caplog: pytest.LogCaptureFixture
) -> None:
    other = control.folder / "other"
    other.mkdir()
    _, key = authority.issue(other)
    os.replace(key, control.folder / "key.pem")
    until(lambda: "the key is that of another certificate" in caplog.text)
    (control.folder / "chain.pem").unlink()
    until(lambda: "No such file" in caplog.text)
    time.sleep(0.2)
    assert caplog.text.count("CERTIFICATE NOT CHANGED") == 2
    with connected(control) as one:
        assert name_of(one) == "simward" and b" 200 " in ask(one)


def test_strangers_who_never_shake_hands_make_room(control: RunningControl) -> None:
    before = len(os.listdir("/proc/self/fd"))
    opened = [socket.create_connection(control.tcp(), timeout=10) for _ in range(CONNECTIONS_MAX + 50)]
    with connected(control) as one:
        assert b" 200 " in ask(one)
    assert len(os.listdir("/proc/self/fd")) - before <= 2 * CONNECTIONS_MAX + 60
    assert opened[0].recv(1) == b""
    for silent in opened:
        silent.close()


def test_who_does_not_shake_hands_in_time_is_gone(
    control: RunningControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "REQUEST_WITHIN_S", 0.3)
    for said in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"):
        with socket.create_connection(control.tcp(), timeout=10) as one, contextlib.suppress(ConnectionResetError):
            one.sendall(said)
            while one.recv(4096):
                pass


def test_a_connection_that_is_idle_ends_with_the_process(control: RunningControl) -> None:
    with connected(control) as one:
        ask(one)
        began = time.monotonic()
        control.close()
        assert time.monotonic() - began < 4.5


@pytest.mark.parametrize("wrong", ["no file", "no certificate", "a key with a password"])
def test_it_does_not_start_with_what_it_cannot_serve_with(tmp_path: Path, wrong: str) -> None:
    folder = folder_with(tmp_path, CERTIFIED)
    chain, key = authority.issue(folder)
    if wrong == "no file":
        chain.unlink()
    elif wrong == "no certificate":
        chain.write_text("nonsense")
    else:
        read = serialization.load_pem_private_key(key.read_bytes(), None)
        by_password = serialization.BestAvailableEncryption(b"secret")
        key.write_bytes(read.private_bytes(PEM, serialization.PrivateFormat.PKCS8, by_password))
    with pytest.raises(ConfigurationError, match="cannot be served with"):
        assemble(Settings.load(folder))


@pytest.mark.parametrize(("said", "http", "problem"), [
    ("", "0.0.0.0:8443", "without TLS"),
    ("", "192.0.2.1:8443", "without TLS"),
    ('tls_certificate = "chain.pem"\n', "127.0.0.1:0", "means nothing without tls_key"),
    ('proxies = ["192.0.2.1"]\n', "192.0.2.7:8080", "under which name"),
    ('proxy_header = "forwarded"\n', "127.0.0.1:0", "means nothing without proxies"),
    (CERTIFIED + 'public_url = "http://simward.example"\n', "127.0.0.1:0", "is http"),
])  # fmt: skip
def test_settings_that_would_send_passwords_in_the_clear(tmp_path: Path, said: str, http: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        Settings.load(folder_with(tmp_path, said, http))


BEHIND = 'public_url = "https://simward.example"\nproxies = ["127.0.0.1", "192.0.2.0/24"]\n'


def test_behind_a_proxy_clients_are_who_it_says(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, BEHIND)
    made = RunningControl(folder, control=assemble(Settings.load(folder)))
    try:
        said = {"Authorization": "Bearer wrong", "X-Forwarded-For": "203.0.113.9, 198.51.100.7, 192.0.2.4"}
        while made.ask("GET", "/v1/me", headers=said, tcp=True).status == 401:
            pass
        assert made.ask("GET", "/v1/me", headers=said, tcp=True).status == 429
        lies = {**said, "X-Forwarded-For": "203.0.113.10, 198.51.100.7"}  # what a client wrote itself changes nothing
        assert made.ask("GET", "/v1/me", headers=lies, tcp=True).status == 429
        other = {**said, "X-Forwarded-For": "198.51.100.7, 203.0.113.9"}
        assert made.ask("GET", "/v1/me", headers=other, tcp=True).status == 401
        assert first_link(made).startswith("https://simward.example/first/")
        assert account_from_elsewhere(made) == "203.0.113.77"
    finally:
        made.close()


def account_from_elsewhere(made: RunningControl) -> str:
    """The address that a session is noted with."""
    link = made.ask("POST", "/v1/accounts", {"name": "ada", "memberships": [{"role": "viewer"}]}).document["link"]
    browser = Browser(made)
    browser.origin = "https://simward.example"
    fields = {"password": PASSWORD, "again": PASSWORD}
    path = link.removeprefix(browser.origin)
    answer = browser.post(path, {"X-Forwarded-For": "203.0.113.77", "X-Forwarded-Proto": "https"}, **fields)
    assert answer.status == 303, answer
    sessions = [one for one in made.ask("GET", "/v1/audit").document["entries"] if one["what"] == "session.begin"]
    return str(sessions[0]["after"]["address"])


@pytest.mark.parametrize(("header", "said", "client"), [
    ("x-forwarded-for", "", "192.0.2.1"),
    ("x-forwarded-for", "nonsense", "192.0.2.1"),
    ("x-forwarded-for", "203.0.113.9, nonsense, 192.0.2.4", "192.0.2.4"),
    ("x-forwarded-for", "[2001:db8::7]:4711", "2001:db8::7"),
    ("x-forwarded-for", "203.0.113.9:55", "203.0.113.9"),
    ("forwarded", 'for=203.0.113.9, FOR="[2001:db8::7]:4711";proto=https', "2001:db8::7"),
    ("forwarded", "for=unknown", "192.0.2.1"),
    ("forwarded", "by=203.0.113.9", "192.0.2.1"),
])  # fmt: skip
def test_what_a_proxy_says_is_read_from_its_end(header: str, said: str, client: str) -> None:
    proxies = Proxies(_behind(header))
    scope = {"client": ("192.0.2.1", 4711), "path": "/"}
    proxies.hold(scope, {header.encode(): said.encode()})
    assert scope["client"] == (client, 0)


def test_nobody_passes_a_proxy_by() -> None:
    proxies = Proxies(_behind("x-forwarded-for"))
    with pytest.raises(Problem) as refused:
        proxies.hold({"client": ("198.51.100.7", 1), "path": "/sign-in"}, {b"x-forwarded-for": b"127.0.0.1"})
    assert refused.value.status_code == 403
    for peer, path in (("127.0.0.1", "/sign-in"), ("198.51.100.7", "/healthz")):
        scope = {"client": (peer, 1), "path": path}
        proxies.hold(scope, {b"x-forwarded-for": b"203.0.113.9"})
        assert scope["client"] == (peer, 1)


def _behind(header: str) -> ControlSettings:
    return ControlSettings(
        public_url="https://simward.example", proxies=(ipaddress.ip_network("192.0.2.0/24"),), proxy_header=header
    )

