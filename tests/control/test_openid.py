"""People come in by OpenID Connect: a real provider beside, asked over HTTP, and what comes back that should not."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import html
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from control.browser import Browser, Page, account
from control.running import RunningControl
from control.test_people import new_folder
from gate.running import until
from simward.control.access import openid_pages
from simward.control.access.openid import KEYS_EVERY_S, NotProved, OpenId
from simward.control.access.openid_pages import found_in, memberships_of
from simward.control.api.permissions import ROLES
from simward.control.assembling import assemble
from simward.errors import ConfigurationError
from simward.settings import Settings
from simward.settings_openid import ROLES as NAMED_ROLES
from simward.settings_openid import Grant, OpenIdSettings

SAID = """
[openid]
issuer = "ISSUER"
client_id = "simward"
client_secret = "of a client that is registered nowhere"
label = "Sign in with Example"
[[openid.grant]]
claim = "groups"
value = "network-operators"
role = "operator"
[[openid.grant]]
claim = "groups"
value = "water"
role = "viewer"
tenant = "water"
"""


class ProviderProcess:
    """A process of its own."""

    def __init__(self, place: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._log = (place / "provider.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(self.port), "--require-nonce",
             "true"], stdout=self._log, stderr=self._log,
        )  # fmt: skip
        until(self._answers)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def person(self, subject: str, **claims: Any) -> None:
        """Somebody who can sign in there."""
        said = {"email": f"{subject}@example.com", **claims}
        assert httpx.put(f"{self.issuer}/users/{subject}", json=said).is_success

    def decide(self, url: str, **fields: str) -> str:
        """What it has the browser go on to after the person has answered."""
        answer = httpx.post(url, data=fields)
        assert answer.status_code in (302, 303), answer.text
        return answer.headers["location"]

    def close(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(20)
        self._log.close()


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    made = ProviderProcess(tmp_path_factory.mktemp("provider"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def control(provider: ProviderProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(openid_pages, "ADDRESS_TRIES", 10**6)  # all of these come from one address
        made = started(tmp_path_factory.mktemp("openid"), SAID.replace("ISSUER", provider.issuer))
    made.control.app.state.access.signing_in.by_address.most = 10**6
    yield made
    made.close()
    assert made.error is None


def started(place: Path, said: str) -> RunningControl:
    folder = new_folder(place)
    file = folder / "simward.toml"
    file.write_text(file.read_text() + said)
    file.chmod(0o600)
    made = RunningControl(folder, control=assemble(Settings.load(folder)))
    made.tcp()
    return made


def away(browser: Browser, path: str = "/sign-in/openid") -> str:
    """Where the button leads."""
    answer = browser.get(path)
    assert answer.status == 303, answer
    return answer.headers["location"]


def back(browser: Browser, url: str) -> Page:
    assert url.startswith(browser.origin + "/sign-in/openid/callback?")
    return browser.get(url.removeprefix(browser.origin))


def signed_in(control: RunningControl, provider: ProviderProcess, subject: str) -> tuple[Browser, Page]:
    browser = Browser(control)
    return browser, back(browser, provider.decide(away(browser), sub=subject))


def audited(control: RunningControl, what: str) -> list[dict[str, Any]]:
    """The newest first."""
    return [one for one in control.ask("GET", "/v1/audit").document["entries"] if one["what"] == what]


def test_the_button_leads_there_with_all_that_protects_the_way_back(control: RunningControl, provider: Any) -> None:
    page = Browser(control).get("/sign-in?next=/incidents")
    assert 'href="/sign-in/openid?next=/incidents"' in page.text and "Sign in with Example" in page.text
    browser = Browser(control)
    url = away(browser)
    asked = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
    assert url.startswith(provider.issuer + "/oauth2/authorize?")
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert min(len(asked[one]) for one in ("state", "nonce", "code_challenge")) >= 43
    assert asked["redirect_uri"] == browser.origin + "/sign-in/openid/callback"
    kept = browser.cookies["simward-openid"]
    assert asked["nonce"] not in kept and asked["state"] not in kept


def test_who_has_a_group_gets_its_role(control: RunningControl, provider: ProviderProcess) -> None:
    provider.person("mia", groups=["network-operators", "other"])
    browser = Browser(control)
    answer = back(browser, provider.decide(away(browser, "/sign-in/openid?next=/incidents"), sub="mia"))
    assert (answer.status, answer.headers["location"]) == (303, "/incidents")
    assert "simward-openid" not in browser.cookies
    me = control.ask("GET", "/v1/me", headers={"Cookie": f"simward={browser.cookies['simward']}"}, tcp=True).document
    assert (me["name"], me["role"], me["tenant"]) == ("mia@example.com", "operator", None)
    assert "Your provider signs you in" in html.unescape(browser.get("/account").text)
    [told] = [one for one in control.ask("GET", "/v1/accounts").document["accounts"] if one["name"] == me["name"]]
    assert told["signs_in_by"] == ["openid"]
    [made] = audited(control, "account.make")
    assert made["after"]["subject"] == "mia" and made["actor"] == "mia@example.com"
    assert audited(control, "session.begin")[0]["after"]["how"] == "OpenID Connect"
    # No password lets it in.
    refused = Browser(control).sign_in("mia@example.com", "correct horse battery staple")
    assert refused.status == 403


def test_whom_no_claim_makes_anything_is_not_let_in(control: RunningControl, provider: ProviderProcess) -> None:
    provider.person("eve", groups=["network-operator", "everybody"])
    browser, answer = signed_in(control, provider, "eve")
    assert answer.status == 403 and "nothing there makes you anything here" in answer.text
    assert "simward" not in browser.cookies
    assert audited(control, "session.refused")[0]["after"]["subject"] == "eve"
    assert not [one for one in control.ask("GET", "/v1/accounts").document["accounts"] if "eve" in one["name"]]


def test_who_loses_a_group_loses_what_it_gave(control: RunningControl, provider: ProviderProcess) -> None:
    provider.person("kim", groups=["network-operators", "water"])
    before, answer = signed_in(control, provider, "kim")
    assert answer.status == 303
    provider.person("kim", groups=["water"])
    now, answer = signed_in(control, provider, "kim")
    assert answer.status == 303
    me = control.ask("GET", "/v1/me", headers={"Cookie": f"simward={now.cookies['simward']}"}, tcp=True).document
    assert (me["role"], me["tenant"]) == ("viewer", "water")
    assert before.get("/account").status == 303  # that session worked in all tenants
    provider.person("kim", groups=[])
    _, answer = signed_in(control, provider, "kim")
    assert answer.status == 403 and now.get("/account").status == 303
    changed = audited(control, "account.change")
    assert [one["after"]["memberships"] for one in changed[:2]] == [{}, {"water": "viewer"}]


def test_who_is_disabled_stays_out(control: RunningControl, provider: ProviderProcess) -> None:
    provider.person("lou", groups=["water"])
    browser, _ = signed_in(control, provider, "lou")
    off = {"enabled": False, "because": "has left"}
    assert control.ask("POST", "/v1/accounts/lou@example.com/change", off).status == 200
    assert browser.get("/account").status == 303
    assert signed_in(control, provider, "lou")[1].status == 403


def test_a_name_is_nobodys_proof(control: RunningControl, provider: ProviderProcess) -> None:
    account(control, "root@example.com", "administrator")
    provider.person("mallory", email="Root@Example.com", groups=["water"])
    _, answer = signed_in(control, provider, "mallory")
    assert answer.status == 403 and "there is an account root@example.com" in answer.text


def test_signing_out_offers_to_sign_out_there_too(control: RunningControl, provider: ProviderProcess) -> None:
    provider.person("ann", groups=["water"])
    browser, _ = signed_in(control, provider, "ann")
    page = browser.post("/sign-out", csrf=browser.csrf())
    url = html.unescape(re.search(r'href="([^"]*end_session[^"]*)"', page.text)[1])  # type: ignore[index]
    assert url.startswith(provider.issuer)
    assert parse_qs(urlsplit(url).query)["post_logout_redirect_uri"] == [browser.origin + "/sign-in"]
    assert httpx.get(url).status_code == 200
    local = account(control, "local-person")
    assert "end_session" not in local.post("/sign-out", csrf=local.csrf()).text


def test_what_comes_back_to_another_browser_or_twice_opens_nothing(
    control: RunningControl, provider: ProviderProcess
) -> None:
    provider.person("bob", groups=["water"])
    victim, attacker = Browser(control), Browser(control)
    url = provider.decide(away(attacker), sub="bob")
    for answer in (back(victim, url), (away(victim), back(victim, url))[1]):
        assert answer.status == 403 and "begun in another browser" in answer.text
    assert back(attacker, url).status == 303
    assert back(attacker, url).status == 403  # its cookie is gone
    browser = Browser(control)
    url = provider.decide(away(browser), sub="bob")
    kept = browser.cookies["simward-openid"]
    assert back(browser, url).status == 303
    browser.cookies["simward-openid"] = kept
    answer = back(browser, url)  # and the code was taken
    assert answer.status == 403 and "does not prove who you are" in answer.text


def test_what_the_provider_refuses_is_said(control: RunningControl, provider: ProviderProcess) -> None:
    browser = Browser(control)
    answer = back(browser, provider.decide(away(browser), action="deny") + "&state=" + "x")
    assert answer.status == 403
    browser = Browser(control)
    state = parse_qs(urlsplit(away(browser)).query)["state"][0]
    asked = urlencode({"error": "access_denied", "state": state, "error_description": "<b>", "session_state": "1"})
    answer = browser.get(f"/sign-in/openid/callback?{asked}")
    assert answer.status == 403 and "did not sign you in" in answer.text
    url = away(browser)
    code = parse_qs(urlsplit(provider.decide(url, sub="mia")).query)
    other = urlencode({"code": code["code"][0], "state": code["state"][0], "iss": "https://other.example"})
    answer = browser.get(f"/sign-in/openid/callback?{other}")  # RFC 9207
    assert answer.status == 403 and "does not prove" in answer.text


def test_a_provider_that_is_gone_is_said_and_passwords_go_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        gone = f"http://127.0.0.1:{free.getsockname()[1]}"
    made = started(tmp_path, SAID.replace("ISSUER", gone))
    try:
        answer = Browser(made).get("/sign-in/openid")
        assert answer.status == 503 and "cannot be reached" in answer.text and answer.headers["retry-after"]
        assert account(made, "ada").get("/account").status == 200
    finally:
        made.close()


# ID tokens that prove nothing: a provider of our own making, since a right one signs none of these.


class Forger(OpenId):
    """A client whose provider says what a test wants."""

    def __init__(self, **answers: Any) -> None:
        super().__init__(OpenIdSettings("https://login.example", "simward", "secret"), lambda: 1_000_000)
        self.key = RSAKey.generate_key(2048, {"kid": "1"})
        self.fetched: list[str] = []
        self.token: dict[str, Any] = {}
        self.answers: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": "https://login.example", "authorization_endpoint": "https://login.example/a",
                "token_endpoint": "https://login.example/t", "jwks_uri": "https://login.example/keys",
                "userinfo_endpoint": "https://login.example/me",
            },
            "/keys": {"keys": [self.key.as_dict(private=False)]},
            "/me": {"sub": "mia", "groups": ["a"]}, **answers,
        }  # fmt: skip

    async def _get(self, url: str, headers: Any = None) -> dict[str, Any]:
        self.fetched.append(urlsplit(url).path)
        return dict(self.answers[urlsplit(url).path])

    async def _token(self, *asked: Any) -> dict[str, Any]:
        return self.token

    def signed(self, key: Any = None, header: Mapping[str, Any] = MappingProxyType({}), **changed: Any) -> str:
        claims = {"iss": "https://login.example", "aud": "simward", "sub": "mia", "nonce": "N", "iat": 1_000_000,
                  "exp": 1_000_300, **changed}  # fmt: skip
        said = {"alg": "RS256", "kid": "1", **header}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(said, kept, key or self.key, algorithms=[said["alg"]])

    async def asked(self, token: str) -> dict[str, Any]:
        self.token = {"id_token": token, "access_token": "A"}
        return await self.claims("code", "", "N", "verifier", "https://simward.example/back")


def run(awaited: Any) -> Any:
    return asyncio.run(awaited)


def test_a_right_token_proves_and_userinfo_adds() -> None:
    forger = Forger()
    assert run(forger.asked(forger.signed()))["groups"] == ["a"]


@pytest.mark.parametrize("changed", [
    {"iss": "https://other.example"}, {"aud": "other"}, {"aud": ["simward", "other"]}, {"aud": None}, {"nonce": "M"},
    {"nonce": None}, {"exp": 999_900}, {"exp": None}, {"iat": 1_000_900}, {"sub": None}, {"sub": ""},
    {"sub": "x" * 256}, {"azp": "other"}, {"at_hash": "wrong"},
])  # fmt: skip
def test_a_token_that_is_not_of_now_ours_and_theirs(changed: dict[str, Any]) -> None:
    forger = Forger()
    with pytest.raises(NotProved):
        run(forger.asked(forger.signed(**changed)))


def test_a_token_that_somebody_else_signed() -> None:
    forger = Forger()
    stranger = RSAKey.generate_key(2048, {"kid": "1"})
    unsigned = ".".join([*forger.signed().split(".")[:2], ""])
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    without = ".".join([head, forger.signed().split(".")[1], ""])
    for token in (forger.signed(stranger), unsigned, without, "", "a.b.c", "nonsense"):
        with pytest.raises(NotProved):
            run(forger.asked(token))


def test_a_public_key_is_not_taken_for_a_shared_secret() -> None:
    forger = Forger()
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"1"}').rstrip(b"=")
    signed = head + b"." + forger.signed().split(".")[1].encode()
    made = hmac.digest(forger.key.as_pem(private=False), signed, "sha256")
    with pytest.raises(NotProved):
        run(forger.asked((signed + b"." + base64.urlsafe_b64encode(made).rstrip(b"=")).decode()))


def test_new_keys_are_fetched_and_not_for_everybody_who_asks() -> None:
    forger = Forger()

    async def story() -> None:
        await forger.asked(forger.signed())
        before = forger.key
        forger.key = RSAKey.generate_key(2048, {"kid": "2"})
        forger.answers["/keys"] = {"keys": [forger.key.as_dict(private=False)]}
        forger._keys_at -= KEYS_EVERY_S
        await forger.asked(forger.signed(header={"kid": "2"}))
        for _ in range(5):
            with pytest.raises(NotProved):
                await forger.asked(forger.signed(before, {"kid": "3"}))

    run(story())
    assert forger.fetched.count("/keys") == 2


def test_userinfo_of_somebody_else() -> None:
    forger = Forger(**{"/me": {"sub": "somebody else", "groups": ["network-operators"]}})
    with pytest.raises(NotProved, match="somebody else"):
        run(forger.asked(forger.signed()))


def test_grants_are_read_in_order_and_inside_of_claims() -> None:
    grants = (Grant("a.b", "x", "operator"), Grant("a.b", "y", "viewer"), Grant("c", "z", "viewer", "water"))
    assert memberships_of({"a": {"b": ["y", "x"]}, "c": "z"}, grants) == {"*": "operator", "water": "viewer"}
    assert memberships_of({"a": "x", "c": ["zz"]}, grants) == memberships_of({}, grants) == {}
    assert found_in({"a.b": 1, "a": {"b": 2}}, "a.b") == 1  # names that are URLs have dots
    assert set(NAMED_ROLES) == set(ROLES)


@pytest.mark.parametrize(("wrong", "right", "problem"), [
    ('issuer = "ISSUER"', 'issuer = "http://login.example"', "without TLS"),
    ('issuer = "ISSUER"', 'issuer = "login.example"', "is no issuer"),
    ('client_id = "simward"', "", "client_id is missing"),
    ('role = "operator"', 'role = "operater"', "operator"),
    ('claim = "groups"\nvalue = "water"', 'value = "water"', "claim is missing"),
    ('label = "Sign in with Example"', 'scopes = ["email"]', "is not OpenID Connect"),
])  # fmt: skip
def test_settings_that_cannot_be_meant(tmp_path: Path, wrong: str, right: str, problem: str) -> None:
    folder = new_folder(tmp_path)
    file = folder / "simward.toml"
    assert wrong in SAID
    file.write_text(file.read_text() + SAID.replace(wrong, right).replace("ISSUER", "https://login.example"))
    with pytest.raises(ConfigurationError, match=problem):
        Settings.load(folder)


def test_a_secret_is_not_printed(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    file = folder / "simward.toml"
    file.write_text(file.read_text() + SAID.replace("ISSUER", "https://login.example"))
    assert "registered nowhere" not in repr(Settings.load(folder))
