"""OAuth 2.0: tokens that clients get for their secret, and JWTs of issuers that the settings name."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from connectors.receiving import Receiver
from control.camara_running import AUDIENCE, ISSUER
from control.running import Answer, RunningControl
from control.test_api import is_problem
from gate.running import RunningGate
from simward.cli import cli
from simward.control.api import wrong_tokens
from simward.control.assembling import assemble
from simward.control.oauth.keys import ASK_EVERY_S, FRESH_S, Keys, KeysUnreadable
from simward.settings import Settings
from simward.settings_camara import Issuer

KEY, OTHER_KEY = (ECKey.generate_key("P-256", {"kid": name}) for name in ("one", "two"))
SECRET = OctKey.generate_key(256, {"kid": "one"})
CHECK = "/device-swap/v1/check"
NOBODY = {"phoneNumber": "+4912345678"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("oauth")
    (place / "keys.json").write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}))
    more = (
        f'[[issuer]]\nname = "idp"\nissuer = "{ISSUER}"\naudience = "{AUDIENCE}"\njwks_file = "../keys.json"\n'
        'scopes = {"fleet.read" = "read-status"}\n'
    )
    made = RunningGate(place / "net", 1, control="127.0.0.1:0", more=more).folder
    (made / "data").mkdir()
    return made


@pytest.fixture(scope="module")
def control(folder: Path) -> Iterator[RunningControl]:
    made = RunningControl(folder, control=assemble(Settings.load(folder)))
    yield made
    made.close()
    assert made.error is None


@pytest.fixture(scope="module")
def client(control: RunningControl) -> dict[str, Any]:
    asked = {"name": "shop", "scopes": ["device-swap:check", "sim-swap"], "because": "a pilot", "actor": "ada"}
    answer = control.ask("POST", "/v1/clients", asked)
    assert answer.status == 201 and answer.headers["cache-control"] == "no-store"
    made: dict[str, Any] = answer.document
    return made


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_tokens, "TRIES", 10**6)


def form(control: RunningControl, fields: str, **headers: str) -> Answer:
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return control.ask("POST", "/oauth2/token", fields.encode(), sent, tcp=True)


def basic(id_: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{id_}:{secret}".encode()).decode()


def opens(control: RunningControl, token: str, path: str = CHECK) -> int:
    return control.ask("POST", path, NOBODY, token=token).status


def test_a_client_gets_a_token_by_either_way_of_showing_its_secret(
    control: RunningControl, client: dict[str, Any]
) -> None:
    for answer in (
        form(control, "grant_type=client_credentials", Authorization=basic(client["id"], client["secret"])),
        form(control, f"grant_type=client_credentials&client_id={client['id']}&client_secret={client['secret']}"),
    ):
        assert answer.status == 200 and answer.headers["cache-control"] == "no-store"
        given = answer.document
        assert (given["token_type"], given["expires_in"]) == ("Bearer", 900)
        assert given["scope"] == "device-swap:check sim-swap"
        assert opens(control, given["access_token"]) == 404, "it is let in, and there is no such number"
        assert opens(control, given["access_token"], "/device-swap/v1/retrieve-date") == 403
        assert control.ask("GET", "/v1/tokens", token=given["access_token"]).status == 403


def test_it_may_ask_for_less_and_not_for_more(control: RunningControl, client: dict[str, Any]) -> None:
    shown = {"Authorization": basic(client["id"], client["secret"])}
    less = form(control, "grant_type=client_credentials&scope=sim-swap", **shown).document
    assert less["scope"] == "sim-swap" and opens(control, less["access_token"]) == 403
    more = form(control, "grant_type=client_credentials&scope=sim-swap+device-swap", **shown)
    assert (more.status, more.document["error"]) == (400, "invalid_scope")


WRONG = [
    ("grant_type=client_credentials", {}, 401, "invalid_client"),
    ("grant_type=client_credentials", {"Authorization": basic("0" * 16, "x")}, 401, "invalid_client"),
    ("grant_type=client_credentials", {"Authorization": "Basic !"}, 401, "invalid_client"),
    ("grant_type=client_credentials", {"Authorization": "Bearer x"}, 401, "invalid_client"),
    ("grant_type=password", {"Authorization": "right"}, 400, "unsupported_grant_type"),
    ("", {"Authorization": "right"}, 400, "invalid_request"),
    ("grant_type=client_credentials&client_secret=x", {"Authorization": "right"}, 400, "invalid_request"),
    ("grant_type=client_credentials&grant_type=x", {"Authorization": "right"}, 400, "invalid_request"),
    ("grant_type=client_credentials", {"Authorization": "right", "Content-Type": "application/json"}, 400,
     "invalid_request"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "headers", "status", "error"), WRONG, ids=str)
def test_errors_are_those_of_oauth(
    control: RunningControl, client: dict[str, Any], fields: str, headers: dict[str, str], status: int, error: str
) -> None:
    right = {"right": basic(client["id"], client["secret"])}
    sent = {name: right.get(value, value) for name, value in headers.items()}
    answer = form(control, fields, **sent)
    assert (answer.status, answer.document["error"]) == (status, error), answer
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_secrets_are_kept_nowhere_and_a_revoked_client_has_nothing(
    control: RunningControl, folder: Path
) -> None:
    asked = {"name": "gone", "scopes": ["sim-swap"]}
    made = control.ask("POST", "/v1/clients", asked).document
    assert is_problem(control.ask("POST", "/v1/clients", asked), 409, "client-refused")
    shown = basic(made["id"], made["secret"])
    token = form(control, "grant_type=client_credentials", Authorization=shown).document["access_token"]
    with closing(sqlite3.connect(folder / "data" / "registry.sqlite")) as registry:
        registry.execute("PRAGMA wal_checkpoint")
    for file in (folder / "data").glob("registry*"):
        octets = file.read_bytes()
        assert made["secret"].encode() not in octets and token.rpartition("_")[2].encode() not in octets
    assert opens(control, token, "/sim-swap/v2/check") == 404
    assert control.ask("POST", "/v1/clients/gone/revoke", {"because": "over"}).document["state"] == "revoked"
    assert opens(control, token, "/sim-swap/v2/check") == 401
    answer = form(control, "grant_type=client_credentials", Authorization=shown)
    assert (answer.status, answer.document["error"]) == (401, "invalid_client")


def test_an_address_that_is_wrong_often_waits(
    control: RunningControl, client: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrong_tokens, "TRIES", 1)
    form(control, "grant_type=client_credentials", Authorization=basic("x", "y"))
    right = basic(client["id"], client["secret"])
    assert form(control, "grant_type=client_credentials", Authorization=right).status == 429


def issued(header: dict[str, Any] | None = None, key: Any = KEY, **claims: Any) -> str:
    now = int(time.time())
    said = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "shop", "client_id": "shop", "iat": now, "exp": now + 60, "jti": "1",
        "scope": "device-swap:check", **claims,
    }  # fmt: skip
    whole = {"alg": "ES256", "typ": "at+jwt", "kid": "one", **(header or {})}
    return jwt.encode(whole, {name: value for name, value in said.items() if value is not None}, key,
                      algorithms=["ES256", "HS256"])  # fmt: skip


def test_a_jwt_of_the_issuer_opens_what_its_scopes_say(control: RunningControl) -> None:
    assert opens(control, issued()) == 404
    assert opens(control, issued(aud=["x", AUDIENCE])) == 404
    assert opens(control, issued(), "/sim-swap/v2/check") == 403
    assert control.ask("GET", "/v1/status", token=issued(scope="fleet.read")).status == 200
    assert control.ask("GET", "/v1/status", token=issued(scope="read-status")).status == 403, "settings give no such"


NOT_A_TOKEN = {
    "another issuer": {"iss": "https://other.example"}, "another audience": {"aud": "other"}, "expired": {"exp": 1},
    "not yet": {"nbf": 2**33}, "from the future": {"iat": 2**33}, "no subject": {"sub": None},
    "no client": {"client_id": None}, "no id": {"jti": None}, "no number": {"phone_number": "tel:1"},
    "a time that is none": {"exp": "soon"}, "a client that is no name": {"client_id": "a\nb"},
}  # fmt: skip


@pytest.mark.parametrize("claims", NOT_A_TOKEN.values(), ids=NOT_A_TOKEN)
def test_claims_that_do_not_hold_open_nothing(control: RunningControl, claims: dict[str, Any]) -> None:
    assert opens(control, issued(**claims)) == 401


@pytest.mark.parametrize(
    ("header", "key"),
    [({}, OTHER_KEY), ({"kid": "two"}, OTHER_KEY), ({"typ": "JWT"}, KEY), ({"alg": "HS256"}, SECRET)],
    ids=["another key", "an unknown key", "an ID token", "a shared secret"],
)
def test_signatures_that_do_not_hold_open_nothing(control: RunningControl, header: dict[str, Any], key: Any) -> None:
    assert opens(control, issued(header, key)) == 401


def test_what_is_no_jwt_opens_nothing(control: RunningControl) -> None:
    whole = issued()
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "at+jwt"}).encode()).decode().rstrip("=")
    for token in (f"{none}.{whole.split('.')[1]}.", "a.b.c", "e30.e30.e30", whole[:-4] + "AAAA", "[]" * 9000):
        assert opens(control, token) == 401


def test_keys_are_kept_and_asked_for_anew_where_a_token_names_another() -> None:
    now, asked = [0.0], []
    sets: list[Any] = [[KEY], [KEY, OTHER_KEY], KeysUnreadable("down")]

    async def fetch(url: str) -> bytes:
        asked.append(url)
        found = sets.pop(0)
        if isinstance(found, Exception):
            raise found
        return json.dumps({"keys": [one.as_dict(private=False) for one in found]}).encode()

    async def story() -> None:
        issuer = Issuer("idp", ISSUER, AUDIENCE, "https://idp.example/jwks")
        keys = Keys(issuer, fetch, lambda: now[0])
        assert await keys.find("one") and await keys.find("one") and len(asked) == 1
        assert await keys.find("two") is None and len(asked) == 1, "not so soon again"
        now[0] = ASK_EVERY_S
        assert await keys.find("two") and len(asked) == 2
        now[0] += FRESH_S
        assert await keys.find("one") and len(asked) == 3, "an issuer that is down has not changed its keys"

    asyncio.run(story())


def test_keys_come_from_where_the_issuer_has_them() -> None:
    whole = json.dumps({"keys": [KEY.as_dict(private=False), {**SECRET.as_dict(), "kid": "secret"}]}).encode()
    answers: list[Any] = [(200, {}, whole), 500, (302, {"location": "/other"}, b""), (200, {}, b"x" * 300_000),
                          (200, {}, b"[]")]  # fmt: skip
    with Receiver(lambda received: answers.pop(0)) as receiver:

        async def story() -> None:
            issuer = Issuer("idp", ISSUER, AUDIENCE, receiver.url)
            keys = Keys(issuer)
            assert await keys.find("one") and await keys.find(None)
            assert await keys.find("secret") is None, "a shared secret proves nothing of who signed"
            for _ in range(4):
                assert await Keys(issuer).find("one") is None

        asyncio.run(story())


def test_by_the_command_line(control: RunningControl, folder: Path) -> None:
    def simward(*words: str) -> Any:
        return CliRunner().invoke(cli, ["--dir", str(folder), *words])

    made = simward("client", "create", "--name", "cli", "--scope", "sim-swap", "--expires", "2h")
    assert made.exit_code == 0, made.output
    id_, secret = made.stdout.split()
    assert form(control, "grant_type=client_credentials", Authorization=basic(id_, secret)).status == 200
    assert "cli" in simward("client", "list").stdout
    assert simward("client", "create", "--name", "cli", "--scope", "sim-swap").exit_code == 1
    assert simward("client", "revoke", "cli").exit_code == 0
    assert simward("client", "revoke", "cli").exit_code == 1
    assert "revoked" in simward("client", "list", "--all").stdout
    assert is_problem(control.ask("POST", "/v1/clients", {"name": "x", "scopes": ["god"]}), 422, "invalid-request")
