"""People come in: by the first link, by password and second factor; what each session may, and how it ends."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import argon2
import pyotp
import pytest
from click.testing import CliRunner

from control import assembled
from control.browser import PASSWORD, Browser, account
from control.running import RunningControl
from control.test_api import is_problem
from gate.running import RunningGate
from simward.cli import cli
from simward.control.access import signing_in
from simward.control.access.signing_in import SigningIn
from simward.control.assembling import assemble
from simward.settings import Settings

OTHER = "another horse, another battery"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_folder(tmp_path_factory.mktemp("people"))


def new_folder(place: Path) -> Path:
    """A working folder whose control plane nobody has started yet."""
    folder = RunningGate(place / "net", 1, control="127.0.0.1:0").folder
    (folder / "data").mkdir(mode=0o700)
    return folder


@pytest.fixture(scope="module")
def control(folder: Path) -> Iterator[RunningControl]:
    made = RunningControl(folder, control=assemble(Settings.load(folder)))
    made.tcp()
    signing_in_of(made).by_address.most = 10**6  # all of these come from one address
    signing_in_of(made)._passwords._hasher = argon2.PasswordHasher(1, 8 * 1024, 1)
    yield made
    made.close()
    assert made.error is None


def signing_in_of(control: RunningControl) -> SigningIn:
    """What lets people in there."""
    return control.control.app.state.access.signing_in


def turned(sealed: str) -> str:
    """With one character another one."""
    return sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:]


def simward(folder: Path, *words: str) -> Any:
    return CliRunner().invoke(cli, ["--dir", str(folder), *words])


def test_the_first_administrator_comes_by_a_link_that_works_once(control: RunningControl, folder: Path) -> None:
    file = folder / "data" / "first-administrator.url"
    assert assembled.until(lambda: file.exists() and file.read_text()) and file.stat().st_mode & 0o777 == 0o600
    browser, url = Browser(control), file.read_text().strip()
    assert url.startswith(browser.origin + "/first/")
    path = url.removeprefix(browser.origin)
    for kept in (folder / "data").glob("registry*"):
        assert url.rpartition("_")[2].encode() not in kept.read_bytes()
    for _ in range(2):  # to look at it does not use it up
        assert browser.get(path).status == 200
    for wrong in ({"password": "short", "again": "short"}, {"password": PASSWORD, "again": OTHER},
                  {"password": "password1234", "again": "password1234"}, {"password": "a" * 20, "again": "a" * 20},
                  {"password": PASSWORD, "again": PASSWORD, "name": "no name"}):  # fmt: skip
        answer = browser.post(path, **{"name": "ada", **wrong})
        assert answer.status in (409, 422) and 'role="alert"' in answer.text
    assert browser.post(path, {"Origin": "http://evil.example"}, name="ada", password=PASSWORD).status == 403
    answer = browser.post(path, name="Ada", password=PASSWORD, again=PASSWORD)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert not file.exists()
    assert browser.get("/account").status == 200
    me = control.ask("GET", "/v1/me", headers={"Cookie": f"simward={browser.cookies['simward']}"}, tcp=True).document
    assert (me["name"], me["kind"], me["role"], me["tenant"]) == ("ada", "account", "administrator", None)
    again = Browser(control)
    for method in (again.get, again.post):
        answer = method(path)
        assert answer.status == 404 and "does not work any more" in answer.text
    exported = simward(folder, "audit", "export").stdout
    assert "account.make" in exported and PASSWORD not in exported and url.rpartition("_")[2] not in exported


def test_signing_in_and_out(control: RunningControl) -> None:
    account(control, "bob")
    browser = Browser(control)
    answer = browser.get("/account?x=1")
    assert (answer.status, answer.headers["location"]) == (303, "/sign-in?next=/account%3Fx%3D1")
    form = browser.get(answer.headers["location"])
    assert form.status == 200 and form.field("next") == "/account?x=1"
    answer = browser.sign_in("BOB", PASSWORD, next="/account?done=tenant")
    assert (answer.status, answer.headers["location"]) == (303, "/account?done=tenant")
    (given, known) = answer.set_cookies
    assert "HttpOnly" in given and "SameSite=lax" in given and "Path=/" in given and "HttpOnly" in known
    first = browser.cookies["simward"]
    assert browser.get("/v1/status", {"Accept": "*/*"}).status == 200
    assert browser.sign_in("bob", PASSWORD).status == 303 and browser.cookies["simward"] != first
    rest = Browser(control)
    rest.cookies["simward"] = first
    assert rest.get("/v1/status").status == 401, "the session before is over"
    kept = browser.cookies["simward"]
    answer = browser.post("/sign-out", csrf=browser.csrf())
    assert answer.status == 200 and "simward" not in browser.cookies
    rest.cookies["simward"] = kept
    assert rest.get("/v1/status").status == 401, "signed out here, not only in the browser"


@pytest.mark.parametrize(
    "where", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/a\nb", ""]
)
def test_one_goes_on_only_to_pages_here(control: RunningControl, where: str) -> None:
    if control.ask("GET", "/v1/accounts/eve").status == 404:
        account(control, "eve")
    answer = Browser(control).sign_in("eve", PASSWORD, next=where)
    assert (answer.status, answer.headers["location"]) == (303, "/")


def test_what_is_wrong_is_said_the_same_for_all(control: RunningControl) -> None:
    account(control, "carol")
    said = {Browser(control).sign_in(name, "wrong wrong wrong").text.replace(name, "") for name in ("carol", "nobody")}
    assert len(said) == 1 and "Name or password is wrong." in said.pop()


def test_whether_an_account_exists_cannot_be_told_by_time(control: RunningControl) -> None:
    account(control, "dave")
    spent: dict[str, list[float]] = {"dave": [], "nobody-here": []}
    for _ in range(4):
        for name, times in spent.items():
            begun = time.perf_counter()
            assert Browser(control).sign_in(name, "wrong wrong wrong").status == 403
            times.append(time.perf_counter() - begun)
    least = {name: min(times) for name, times in spent.items()}
    assert 0.6 < least["dave"] / least["nobody-here"] < 1.7, least


def test_who_is_wrong_too_often_waits(control: RunningControl, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = account(control, "frank")
    stranger = Browser(control)
    for _ in range(signing_in.ACCOUNT_TRIES):
        assert stranger.sign_in("frank", "wrong wrong wrong").status == 403
    answer = stranger.sign_in("frank", PASSWORD)
    assert answer.status == 429 and 0 < int(answer.headers["retry-after"]) <= signing_in.ACCOUNT_WITHIN_S
    assert browser.sign_in("frank", PASSWORD).status == 303, "where he signed in before he is not kept out"
    other = Browser(control)
    other.cookies["simward-known"] = turned(browser.cookies["simward-known"])
    assert other.sign_in("frank", PASSWORD).status == 429
    monkeypatch.setattr(signing_in_of(control).by_address, "most", 1)
    assert Browser(control).sign_in("somebody", "wrong wrong wrong").status == 429


def test_a_hash_of_weaker_parameters_is_made_anew(control: RunningControl, folder: Path) -> None:
    browser = account(control, "victor")
    passwords = signing_in_of(control)._passwords

    def kept() -> str:
        with closing(sqlite3.connect(folder / "data" / "registry.sqlite", timeout=10)) as registry:
            return str(registry.execute("SELECT password FROM account WHERE name = 'victor'").fetchone()[0])

    before, weaker = kept(), passwords._hasher
    assert before.startswith("$argon2id$")
    passwords._hasher = argon2.PasswordHasher(2, 8 * 1024, 1)
    try:
        for _ in range(2):
            assert browser.sign_in("victor", PASSWORD).status == 303
            assert "t=2" in kept() and kept() != before
    finally:
        passwords._hasher = weaker


def test_failures_are_audited_together(control: RunningControl, folder: Path) -> None:
    account(control, "grace")
    for _ in range(3):
        Browser(control).sign_in("grace", "wrong wrong wrong")

    def noted() -> int:
        entries = control.ask("GET", "/v1/audit").document["entries"]
        mine = [one for one in entries if (one["what"], one["actor"]) == ("session.refused", "grace")]
        return sum(one["after"]["times"] for one in mine)

    assert assembled.until(lambda: noted() == 3)
    assert "nobody-here" not in simward(folder, "audit", "export").stdout


@pytest.fixture(scope="module")
def browser(control: RunningControl) -> Browser:
    """Of an administrator."""
    return account(control, "heidi", "administrator")


class TestForgery:
    """What another site has the browser send."""

    @pytest.mark.parametrize(
        "headers",
        [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Sec-Fetch-Site": "cross-site"},
         {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}],
        ids=str,
    )  # fmt: skip
    def test_is_refused_even_with_the_token(self, browser: Browser, headers: dict[str, str]) -> None:
        token = browser.csrf()
        answer = browser.post("/account/tenant", headers, csrf=token, tenant="*")
        assert answer.status == 403 and ":forged" in answer.text
        answer = browser.send("POST", "/v1/tokens", b"{}", {"Origin": browser.origin, **headers, "X-CSRF-Token": token})
        assert answer.status == 403 and ":forged" in answer.text
        answer = browser.post("/sign-in", headers, name="heidi", password=PASSWORD)
        assert answer.status == 403, "nobody is signed in to somebody else's account unawares"

    @pytest.mark.parametrize("token", ["", "wrong", "ä"])
    def test_is_refused_without_the_token(self, browser: Browser, token: str) -> None:
        assert browser.post("/account/tenant", csrf=token, tenant="*").status == 403
        said = b'{"name": "x", "role": "viewer"}'
        sent = {"Origin": browser.origin, "Content-Type": "application/json"}
        assert browser.send("POST", "/v1/tokens", said, sent).status == 403
        assert browser.get("/account").status == 200

    def test_the_api_can_be_used_with_it(self, browser: Browser) -> None:
        said = b'{"name": "by-heidi", "role": "viewer"}'
        sent = {"Origin": browser.origin, "Content-Type": "application/json", "X-CSRF-Token": browser.csrf()}
        answer = browser.send("POST", "/v1/tokens", said, sent)
        assert answer.status == 201 and '"made_by":"heidi"' in answer.text

    def test_another_sessions_token_is_none(self, control: RunningControl, browser: Browser) -> None:
        other = Browser(control)
        other.sign_in("heidi", PASSWORD)
        assert browser.post("/account/tenant", csrf=other.csrf(), tenant="*").status == 403


def test_a_second_factor(control: RunningControl, folder: Path) -> None:
    browser = account(control, "ivan")
    page = browser.get("/account/second-factor")
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page.text)[1]  # type: ignore[index]
    assert "<svg" in page.text and "style=" not in page.text
    totp, offered, csrf = pyotp.TOTP(secret), page.field("offered"), page.field("csrf")
    for wrong in ({"code": "000000"}, {"old": "wrong"}, {"offered": "00"}, {"code": ""}):
        said = {"offered": offered, "csrf": csrf, "code": totp.now(), "old": PASSWORD, **wrong}
        assert browser.post("/account/second-factor", **said).status == 422
    used = totp.now()
    page = browser.post("/account/second-factor", offered=offered, csrf=csrf, code=used, old=PASSWORD)
    codes = re.findall(r"<code>((?:[A-Z2-7]{6}-){3}[A-Z2-7]{6})</code>", page.text)
    assert page.status == 200 and len(codes) == 8
    with closing(sqlite3.connect(folder / "data" / "registry.sqlite")) as registry:
        registry.execute("PRAGMA wal_checkpoint")
    for file in (folder / "data").glob("registry*"):
        assert secret.encode() not in file.read_bytes() and codes[0].encode() not in file.read_bytes()

    fresh = Browser(control)
    page = fresh.sign_in("ivan", PASSWORD)
    assert page.status == 200 and "simward" not in fresh.cookies, "the password alone opens nothing"
    passed = page.field("passed")
    assert fresh.post("/sign-in/code", passed=passed, code=used).status == 403, "a code works once"
    assert fresh.post("/sign-in/code", passed=turned(passed), code=codes[1]).status == 403
    later = totp.at(int(time.time()) + 30)  # a telephone that is half a minute ahead
    assert fresh.post("/sign-in/code", passed=passed, code=later).status == 303
    for tried in (totp.now(), later):
        assert Browser(control).post("/sign-in/code", passed=passed, code=tried).status == 403
    for status in (303, 403):
        assert Browser(control).post("/sign-in/code", passed=passed, code=codes[0].lower()).status == status
    assert "7 recovery codes are left" in fresh.get("/account").text
    for _ in range(signing_in.CODE_TRIES):
        last = Browser(control).post("/sign-in/code", passed=passed, code="000000")
    assert last.status == 429 and "wait" in last.text
    assert fresh.post("/account/second-factor/remove", csrf=fresh.csrf(), old="wrong").status == 422
    assert fresh.post("/account/second-factor/remove", csrf=fresh.csrf(), old=PASSWORD).status == 303
    assert Browser(control).sign_in("ivan", PASSWORD).status == 303


def test_a_second_factor_that_is_needed(control: RunningControl) -> None:
    browser = account(control, "judy", "administrator", needs_second_factor=True)
    assert "it is required" in browser.get("/account").text
    assert is_problem_page(browser.get("/v1/status", {"Accept": "*/*"}), 403)
    page = browser.get("/account/second-factor")
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page.text)[1]  # type: ignore[index]
    said = {"offered": page.field("offered"), "csrf": page.field("csrf"), "old": PASSWORD}
    assert browser.post("/account/second-factor", code=pyotp.TOTP(secret).now(), **said).status == 200
    assert browser.get("/v1/status", {"Accept": "*/*"}).status == 200


def is_problem_page(page: Any, status: int) -> bool:
    return page.status == status and page.headers["content-type"] == "application/problem+json"


def test_a_new_password_signs_out_everywhere_else(control: RunningControl) -> None:
    browser, other = account(control, "kim"), Browser(control)
    other.sign_in("kim", PASSWORD)
    stolen = browser.cookies["simward"]
    for wrong in ({"old": "wrong"}, {"password": "short", "again": "short"}, {"again": PASSWORD}):
        said = {"old": PASSWORD, "password": OTHER, "again": OTHER, **wrong}
        assert browser.post("/account/password", csrf=browser.csrf(), **said).status == 422
    answer = browser.post("/account/password", csrf=browser.csrf(), old=PASSWORD, password=OTHER, again=OTHER)
    assert answer.status == 303 and browser.cookies["simward"] != stolen
    assert "is changed" in browser.get(answer.headers["location"]).text
    assert other.get("/account").status == 303
    other.cookies["simward"] = stolen
    assert other.get("/account").status == 303
    assert other.sign_in("kim", PASSWORD).status == 403 and other.sign_in("kim", OTHER).status == 303


def test_ones_own_sessions_can_be_ended(control: RunningControl) -> None:
    browser, other = account(control, "leo"), Browser(control)
    other.sign_in("leo", PASSWORD)
    (id_,) = re.findall(r"/account/sessions/([0-9a-f]{12})/end", browser.get("/account").text)
    thief = account(control, "mallory")
    assert thief.post(f"/account/sessions/{id_}/end", csrf=thief.csrf()).status == 404
    assert other.get("/account").status == 200
    assert browser.post(f"/account/sessions/{id_}/end", csrf=browser.csrf()).status == 303
    assert other.get("/account").status == 303


def test_a_session_ends_by_itself(control: RunningControl, folder: Path) -> None:
    browser = account(control, "nina")
    for column, ago_s in (("seen_at", 2 * 3600), ("ends_at", 1)):
        assert browser.sign_in("nina", PASSWORD).status == 303
        assert browser.get("/account").status == 200
        with closing(sqlite3.connect(folder / "data" / "registry.sqlite", timeout=10)) as registry:
            at = time.time_ns() // 1000 - ago_s * 1_000_000
            mine = "account = (SELECT id FROM account WHERE name = 'nina')"
            registry.execute(f"UPDATE session SET {column} = ? WHERE {mine}", (at,))
            registry.commit()
        # Written by hand, not by the process itself: that holds within a second.
        assert assembled.until(lambda: browser.get("/account").status == 303), column


def test_what_an_account_is_changes_at_once(control: RunningControl, folder: Path) -> None:
    browser = account(control, "oscar", "administrator")
    assert browser.get("/v1/tokens", {"Accept": "*/*"}).status == 200
    assert simward(folder, "account", "grant", "oscar", "--role", "viewer").exit_code == 0
    assert browser.get("/v1/tokens", {"Accept": "*/*"}).status == 403
    assert browser.get("/v1/status", {"Accept": "*/*"}).status == 200
    assert simward(folder, "account", "disable", "oscar").exit_code == 0
    assert browser.get("/v1/status", {"Accept": "*/*"}).status == 401
    assert browser.sign_in("oscar", PASSWORD).status == 403
    assert simward(folder, "account", "enable", "oscar").exit_code == 0
    assert browser.sign_in("oscar", PASSWORD).status == 303


def test_one_account_in_several_tenants(control: RunningControl) -> None:
    memberships = [{"role": "viewer", "tenant": "default"}, {"role": "operator", "tenant": "water"}]
    made = control.ask("POST", "/v1/accounts", {"name": "peggy", "memberships": memberships})
    browser = Browser(control)
    browser.post(made.document["link"].removeprefix(browser.origin), password=PASSWORD, again=PASSWORD)
    assert '"tenant":"default"' in browser.get("/v1/me", {"Accept": "*/*"}).text
    assert browser.post("/account/tenant", csrf=browser.csrf(), tenant="*").status == 404
    assert browser.post("/account/tenant", csrf=browser.csrf(), tenant="water").status == 303
    me = browser.get("/v1/me", {"Accept": "*/*"}).text
    assert '"tenant":"water"' in me and '"role":"operator"' in me


def test_by_the_command_line(control: RunningControl, folder: Path) -> None:
    made = simward(folder, "account", "create", "Quinn", "--role", "operator@water", "--role", "viewer@default")
    assert made.exit_code == 0, made.output
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/first/[0-9a-f]{12}_[\w-]{43}", made.stdout.strip())
    assert simward(folder, "account", "create", "quinn", "--role", "viewer").exit_code == 1
    assert simward(folder, "account", "create", "x", "--role", "god").exit_code == 2
    assert simward(folder, "account", "create", "x").exit_code == 2
    assert "operator of water" in simward(folder, "account", "list").stdout
    browser = Browser(control)
    again = simward(folder, "account", "reset", "quinn").stdout.strip().removeprefix(browser.origin)
    before = made.stdout.strip().removeprefix(browser.origin)
    assert browser.post(before, password=PASSWORD, again=PASSWORD).status == 404
    assert browser.post(again, password=PASSWORD, again=PASSWORD).status == 303
    assert simward(folder, "account", "reset", "quinn").exit_code == 0
    assert browser.get("/account").status == 303 and browser.sign_in("quinn", PASSWORD).status == 403
    first = simward(folder, "account", "link").stdout.strip().removeprefix(browser.origin)
    assert browser.post(first, name="rescue", password=PASSWORD, again=PASSWORD).status == 303
    assert simward(folder, "account", "reset", "nobody-at-all").exit_code == 1


def test_a_link_that_signs_in(control: RunningControl, folder: Path) -> None:
    """Without a password, once, where a browser asks for it; a second factor it does not stand for."""
    assert simward(folder, "account", "link", "--sign-in").exit_code == 2
    simward(folder, "account", "create", "visitor", "--role", "viewer")
    browser = Browser(control)
    made = simward(folder, "account", "link", "visitor", "--sign-in").stdout.strip().removeprefix(browser.origin)
    for _ in range(2):
        page = browser.get(made)
        assert page.status == 200 and "visitor" in page.text and "password" not in page.text
    assert browser.post(made, {"Origin": "http://evil.example"}).status == 403
    answer = browser.post(made)
    assert (answer.status, answer.headers["location"]) == (303, "/") and browser.get("/account").status == 200
    assert Browser(control).post(made).status == 404
    assert browser.sign_in("visitor", "").status == 403, "it has no password"
    account(control, "helga")
    made = simward(folder, "account", "link", "helga", "--sign-in").stdout.strip().removeprefix(browser.origin)
    with closing(sqlite3.connect(folder / "data" / "registry.sqlite")) as registry, registry:
        registry.execute("UPDATE account SET second_factor = x'00' WHERE name = 'helga'")
    other = Browser(control)
    page = other.post(made)
    assert page.status == 200 and page.field("passed") and "simward" not in other.cookies
    exported = simward(folder, "audit", "export").stdout
    assert "signs_in True" in exported


def test_the_last_administrator_stays(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    control = RunningControl(folder, control=assemble(Settings.load(folder)))
    try:
        account(control, "ada", "administrator")
        for said in ({"enabled": False}, {"memberships": [{"role": "viewer"}]}):
            assert is_problem(control.ask("POST", "/v1/accounts/ada/change", said), 409, "account-refused")
    finally:
        control.close()


def test_who_is_bound_to_a_tenant_knows_its_people_alone(control: RunningControl) -> None:
    token = assembled.token(control, "administrator", "of-steam", tenant="steam")
    account(control, "rupert", "viewer", tenant="steam")
    account(control, "sybil", "viewer")
    found = control.ask("GET", "/v1/accounts", token=token).document["accounts"]
    assert [one["name"] for one in found] == ["rupert"]
    assert is_problem(control.ask("GET", "/v1/accounts/sybil", token=token), 404, "no-such-account")
    for path in ("change", "reset"):
        answer = control.ask("POST", f"/v1/accounts/sybil/{path}", {}, token=token)
        assert is_problem(answer, 404, "no-such-account")
    everything = {"name": "trudy", "memberships": [{"role": "administrator"}]}
    assert is_problem(control.ask("POST", "/v1/accounts", everything, token=token), 403, "not-permitted")
    wider = {"memberships": [{"role": "viewer", "tenant": "steam"}, {"role": "viewer", "tenant": "water"}]}
    assert is_problem(control.ask("POST", "/v1/accounts/rupert/change", wider, token=token), 403, "not-permitted")
    assert control.ask("POST", "/v1/accounts/rupert/change", {"memberships": wider["memberships"]}).status == 200
    answer = control.ask("POST", "/v1/accounts/rupert/change", {"enabled": False}, token=token)
    assert is_problem(answer, 403, "not-permitted"), "he is somebody elsewhere too"
    seen = control.ask("GET", "/v1/accounts/rupert", token=token).document["memberships"]
    assert seen == [{"role": "viewer", "tenant": "steam"}]


def test_every_answer_protects_whoever_asked(control: RunningControl) -> None:
    browser = account(control, "ursula")
    for page in (browser.get("/sign-in"), browser.get("/account"), browser.get("/v1/me"), browser.get("/nowhere"),
                 Browser(control).get("/account"), Browser(control).get("/v1/me"), browser.get("/healthz")):
        assert page.headers["x-content-type-options"] == "nosniff" and page.headers["cache-control"] == "no-store"
        policy = page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy and "unsafe" not in policy and "default-src 'none'" in policy
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["cross-origin-opener-policy"] == "same-origin"
        assert "strict-transport-security" not in page.headers, "not by TLS"
    for page in (browser.get("/account"), browser.get("/sign-in"), browser.get("/account/second-factor")):
        assert not re.search(r"<script|style=|\son\w+=", page.text)
