"""Who gets in by which token, and what each may: tried on every route that there is."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi import APIRouter
from fastapi.routing import APIRoute

from control import assembled
from control.browser import Browser, account
from control.running import RunningControl
from control.test_api import is_problem
from simward.cli import cli
from simward.control.api import wrong_tokens
from simward.control.api.edge import NO_PAGES
from simward.control.api.permissions import ANYBODY, DECLARED, KNOWN, OWNER, PERMISSIONS, ROLES, WHOLE, needs
from simward.control.api.wrong_tokens import ADDRESSES_MAX, TRIES, WINDOW_S, WrongTokens
from simward.control.camara.errors import is_camara

FORM = r"simward_[0-9a-f]{12}_[A-Za-z0-9_-]{43}"


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
def tokens(control: RunningControl) -> dict[str, str]:
    """One of each role; `revoked`, `expired`, and `stranger`: an administrator of a tenant that has nothing."""
    made = {role: assembled.token(control, role) for role in ROLES}
    made["stranger"] = assembled.token(control, "administrator", "stranger", tenant="elsewhere")
    made["revoked"] = assembled.token(control, "administrator", "revoked")
    made["expired"] = assembled.token(control, "administrator", "expired", expires_in_s=1)
    assert control.ask("POST", "/v1/tokens/revoked/revoke", {"because": "lost"}).document["state"] == "revoked"
    time.sleep(1.05)
    return made


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of these are wrong far more often than an address may be."""
    monkeypatch.setattr(wrong_tokens, "TRIES", 10**6)


def operations(control: RunningControl) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path with something in it, and what it declares, of every route; those that are not described too."""
    found = []
    for route in every_route(control.control.app.routes):
        path = re.sub(r"\{(\w+)(?::(?:path|int))?\}", lambda name: "1" if "number" in name[1] else "x", route.path)
        declared = route.openapi_extra or {}
        found += [(method, path, declared) for method in sorted(route.methods)]
    return found


def every_route(routes: Iterable[Any]) -> Iterator[APIRoute]:
    """Those of routers that were included too."""
    for one in routes:
        if isinstance(one, APIRoute):
            yield one
        elif hasattr(one, "original_router"):
            yield from every_route(one.original_router.routes)
        else:
            assert getattr(one, "path", "") in NO_ROUTES, f"{one} stands beside the guard"


NO_ROUTES = ("/v1/openapi.json", "/static")
"""What FastAPI answers by itself, or is the same for everybody: the edge lets in to the first whoever is known."""


def test_what_is_described_is_among_them(control: RunningControl) -> None:
    described = control.control.app.openapi()["paths"]
    count = sum(len(methods) for methods in described.values())
    assert len([one for one in every_route(control.control.app.routes) if one.include_in_schema]) == count > 50


def test_every_route_declares_what_it_needs(control: RunningControl) -> None:
    for method, path, declared in operations(control):
        assert declared.get(DECLARED), f"{method} {path} says nothing: openapi_extra=needs(...)"
        assert set(declared[DECLARED]) == {ANYBODY} or path not in ("/sign-in",)
    used = {one for _, _, declared in operations(control) for one in declared[DECLARED]}
    assert used <= {*PERMISSIONS, OWNER, ANYBODY, KNOWN}


def test_every_route_is_documented(control: RunningControl, repository: Path) -> None:
    text = (repository / "docs" / "reference" / "http.md").read_text()
    paths = control.control.app.openapi()["paths"]
    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert set(re.findall(r"^\| `((?:GET|POST|PUT|DELETE) /\S+)` \|", text, re.M)) == served | {"GET /v1/openapi.json"}


def test_what_declares_nothing_is_the_owners(folder: Path, tmp_path: Path) -> None:
    routes = APIRouter()

    @routes.get("/v1/forgotten")
    async def forgotten() -> dict[str, str]:
        return {}

    place = assembled.RunningGate(tmp_path / "net", 1, control="127.0.0.1:0").folder
    control = RunningControl(place, routes=[routes], authenticators=[_Anybody()])
    try:
        assert control.ask("GET", "/v1/forgotten").status == 200
        assert is_problem(control.ask("GET", "/v1/forgotten", tcp=True), 403, "not-permitted")
    finally:
        control.close()
    with pytest.raises(ValueError, match="no permission"):
        needs("read-minds")


class _Anybody:
    async def authenticate(self, headers: object) -> Any:
        from simward.control.api.principals import Principal

        return Principal("somebody")


def test_without_a_token_in_force_nothing_is_open_but_health(control: RunningControl, tokens: dict[str, str]) -> None:
    wrong = tokens["administrator"][:-1] + ("A" if tokens["administrator"][-1] != "A" else "B")
    unknown = "simward_0123456789ab_" + "A" * 43
    for method, path, declared in operations(control):
        if ANYBODY in declared[DECLARED]:
            continue
        answer = control.ask(method, path, {}, tcp=True)
        assert is_refused(answer, path, 401, "unauthenticated"), (method, path)
        for token in (tokens["revoked"], tokens["expired"], wrong, unknown, "nonsense"):
            answer = control.ask(method, path, {}, token=token)
            assert is_refused(answer, path, 401, "unauthenticated"), (method, path, token)
            assert "invalid_token" in answer.headers["www-authenticate"]


def is_refused(answer: Any, path: str, status: int, name: str) -> bool:
    """As a problem; under CAMARA's paths in CAMARA's words."""
    if is_camara(path):
        return bool(answer.status == status and set(answer.document) == {"status", "code", "message"})
    return is_problem(answer, status, name)


@pytest.fixture(scope="module")
def stranger(control: RunningControl) -> Browser:
    """Where an administrator of a tenant that has nothing is signed in."""
    control.control.app.state.access.signing_in.by_address.most = 10**6
    return account(control, "mallory", "administrator", tenant="elsewhere")


def test_a_page_sends_who_is_not_known_to_where_one_signs_in(control: RunningControl) -> None:
    for method, path, declared in operations(control):
        answer = Browser(control).send(method, path, b"", {"Accept": "text/html"})
        if ANYBODY in declared[DECLARED]:
            assert answer.status != 401, (method, path)
        elif method == "GET" and not path.startswith(NO_PAGES) and not is_camara(path):
            assert answer.status == 303 and answer.headers["location"].startswith("/sign-in"), (method, path)
        else:
            assert answer.status == 401, (method, path)


def test_a_session_may_what_a_token_may(control: RunningControl, tokens: dict[str, str], stranger: Browser) -> None:
    """The stranger's sweep: every route by its session and by its token, with ids that are not its own."""
    csrf = stranger.csrf()
    for method, path, declared in operations(control):
        if ANYBODY in declared[DECLARED] or path in ENDS_IT or path in ENDLESS:
            continue
        sent = {"Origin": stranger.origin, "Content-Type": "application/json", "Accept": "*/*"}
        if method != "GET":
            assert stranger.send(method, path, b"{}", sent).status == 403, (method, path, "without its form's token")
        body = b"{}" if method != "GET" else b""
        by_session = stranger.send(method, path, body, {**sent, "X-CSRF-Token": csrf})
        if path.startswith("/v1/") or is_camara(path):
            by_token = control.ask(method, path, {} if method != "GET" else None, token=tokens["stranger"])
            assert by_session.status == by_token.status, (method, path, by_session.text)
        assert not (by_session.status < 300 and method != "GET" and "/x/" in path), (method, path, by_session.text)


ENDS_IT = ("/sign-out",)
ENDLESS = ("/v1/events/stream",)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_its_line_says(control: RunningControl, tokens: dict[str, str], role: str) -> None:
    for method, path, declared in operations(control):
        needed = set(declared[DECLARED])
        answer = control.ask(method, path, {} if method != "GET" else None, token=tokens[role])
        if needed & {ANYBODY, KNOWN} or needed & ROLES[role]:
            assert answer.status not in (401, 403) or needed in ({KNOWN}, {ANYBODY}), (method, path, answer)
        elif path.startswith("/v1/") or is_camara(path):
            assert is_refused(answer, path, 403, "not-permitted"), (method, path)
        else:
            assert answer.status == 403 and "may not" in answer.document, (method, path)


def test_roles_are_told_apart() -> None:
    assert set().union(*ROLES.values()) == set(PERMISSIONS) == ROLES["administrator"]
    assert not ROLES["operator"] & {"approve", "manage-tokens"} and not ROLES["approver"] & {"lock", "release"}
    writing = {name for name in PERMISSIONS if not name.startswith("read-")}
    assert ROLES["installer"] & writing == {"deploy"}
    for role in ("viewer", "auditor"):
        assert not ROLES[role] & writing
    assert ROLES["policy-author"] & writing == {"propose-policy", "apply-policy"}
    assert all("apply-policy" not in ROLES[one] for one in ROLES if one not in ("policy-author", "administrator"))


def test_another_tenant_sees_nothing(control: RunningControl, tokens: dict[str, str]) -> None:
    """Its administrator asks for every id that there is; what is there is not there for it."""
    whole = control.ask("GET", "/v1/incidents?state=open&state=resolved&state=acknowledged").document["incidents"]
    assert whole
    assert control.ask("GET", "/v1/incidents", token=tokens["stranger"]).document["incidents"] == []
    own = control.ask("GET", "/v1/incidents", token=assembled.token(control, "viewer", "own", tenant="default"))
    assert own.document["incidents"]
    for one in whole:
        path = f"/v1/incidents/{one['number']}"
        assert is_problem(control.ask("GET", path, token=tokens["stranger"]), 404, "no-such-incident")
        for action, said in (("acknowledge", {}), ("note", {"because": "x"}), ("assign", {"to": "x"}),
                             ("resolve", {"outcome": "benign", "because": "x"}), ("reopen", {"because": "x"})):
            answer = control.ask("POST", f"{path}/{action}", said, token=tokens["stranger"])
            assert is_problem(answer, 404, "no-such-incident"), action
    lock = {"do": "lock", "iccid": "8900101000000000019", "because": "x"}
    assert is_problem(control.ask("POST", "/v1/commands", lock, token=tokens["stranger"]), 404, "not-found")
    for do in ("pause", "resume"):
        answer = control.ask("POST", "/v1/commands", {"do": do, "because": "x"}, token=tokens["stranger"])
        assert is_problem(answer, 403, "not-permitted")


def test_what_is_of_all_tenants_is_not_for_one(control: RunningControl, tokens: dict[str, str]) -> None:
    for method, path, declared in operations(control):
        if declared.get(WHOLE):
            answer = control.ask(method, path, {} if method != "GET" else None, token=tokens["stranger"])
            is_page = answer.headers["content-type"].startswith("text/html")
            assert answer.status == 403 if is_page else is_problem(answer, 403, "not-permitted"), (method, path)


def test_who_is_bound_to_a_tenant_makes_tokens_for_it_alone(control: RunningControl, tokens: dict[str, str]) -> None:
    new = {"name": "theirs", "role": "viewer"}
    for wrong in ({}, {"tenant": "default"}):
        answer = control.ask("POST", "/v1/tokens", {**new, **wrong}, token=tokens["stranger"])
        assert is_problem(answer, 403, "not-permitted")
    made = control.ask("POST", "/v1/tokens", {**new, "tenant": "elsewhere"}, token=tokens["stranger"])
    assert made.status == 201 and made.document["made_by"] == "token stranger"
    seen = control.ask("GET", "/v1/tokens?all=true", token=tokens["stranger"]).document["tokens"]
    assert {one["name"] for one in seen} == {"stranger", "theirs"}
    answer = control.ask("POST", "/v1/tokens/viewer/revoke", {}, token=tokens["stranger"])
    assert is_problem(answer, 404, "no-such-token")


def test_a_token_is_kept_nowhere(control: RunningControl, folder: Path) -> None:
    made = control.ask("POST", "/v1/tokens", {"name": "once", "role": "viewer", "because": "a dashboard"})
    token = made.document["token"]
    assert re.fullmatch(FORM, token) and made.headers["cache-control"] == "no-store"
    secret = token.rpartition(made.document["id"] + "_")[2].encode()
    with closing(sqlite3.connect(folder / "data" / "registry.sqlite")) as registry:
        (kept,) = registry.execute("SELECT digest FROM token WHERE name = 'once'").fetchall()
        registry.execute("PRAGMA wal_checkpoint")
    assert kept[0] == hashlib.sha256(secret).digest()
    for file in (folder / "data").glob("registry*"):
        assert secret not in file.read_bytes()
    assert all("token" not in one for one in control.ask("GET", "/v1/tokens").document["tokens"])


def test_making_and_revoking_is_audited_and_a_name_is_free_again(control: RunningControl, folder: Path) -> None:
    said = {"name": "ledger", "role": "operator", "actor": "ada", "because": "the ERP"}
    made = control.ask("POST", "/v1/tokens", said).document
    assert is_problem(control.ask("POST", "/v1/tokens", said), 409, "token-refused")
    for _ in range(2):
        path = f"/v1/tokens/{made['id']}/revoke"
        assert control.ask("POST", path, {"actor": "bob", "because": "gone"}).document["revoked_by"] == "bob"
    assert is_problem(control.ask("GET", "/v1/status", token=made["token"]), 401, "unauthenticated")
    assert control.ask("POST", "/v1/tokens", said).status == 201
    exported = CliRunner().invoke(cli, ["--dir", str(folder), "audit", "export"]).stdout
    mine = [line for line in exported.splitlines() if f"token {made['id']}" in line]
    assert ["token.make" in mine[0], "token.revoke" in mine[1], len(mine)] == [True, True, 2]
    assert "the ERP" in mine[0] and made["token"] not in exported


def test_last_use_is_known(control: RunningControl, tokens: dict[str, str]) -> None:
    assert control.ask("GET", "/v1/status", token=tokens["viewer"]).status == 200

    def used() -> Any:
        found = control.ask("GET", "/v1/tokens").document["tokens"]
        return next(one["used_at"] for one in found if one["name"] == "viewer")

    assert assembled.until(used)


@pytest.mark.parametrize(
    "wrong",
    [{"role": "god"}, {"name": ""}, {"name": "a b"}, {"name": "x" * 64}, {"expires_in_s": 0}, {"tenant": ""},
     {"expires_in_s": 10**9}, {"token": "mine"}, {"name": None}],
    ids=str,
)  # fmt: skip
def test_what_is_no_token_is_told(control: RunningControl, wrong: dict[str, object]) -> None:
    answer = control.ask("POST", "/v1/tokens", {"name": "y", "role": "viewer", **wrong})
    assert is_problem(answer, 422, "invalid-request")


def test_an_address_that_is_wrong_often_waits(
    control: RunningControl, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrong_tokens, "TRIES", TRIES)
    edge_was_patient = [control.ask("GET", "/v1/status", token="wrong") for _ in range(TRIES + 1)]
    answer = edge_was_patient[-1]
    assert is_problem(answer, 429, "wrong-tokens") and 0 < int(answer.headers["retry-after"]) <= WINDOW_S + 1
    assert 'q=10;w=60' in answer.headers["ratelimit-policy"] and "r=0" in answer.headers["ratelimit"]
    assert control.ask("GET", "/v1/status", token=tokens["viewer"]).status == 429
    assert control.ask("GET", "/healthz", tcp=True).status == 200
    assert control.ask("GET", "/v1/status", tcp=True).status == 401, "who shows nothing was not wrong"
    assert control.ask("GET", "/v1/status").status == 200, "the owner's socket knows no address"


def test_wrong_tokens_are_counted_by_address_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_tokens, "TRIES", TRIES)
    now = [0.0]
    wrong = WrongTokens(lambda: now[0])
    for _ in range(TRIES):
        assert wrong.wait_s("2001:db8::1") == 0
        wrong.note("2001:db8::1")
    assert wrong.wait_s("2001:db8::2") == WINDOW_S, "a /64 is one address"
    assert wrong.wait_s("2001:db8:0:1::1") == wrong.wait_s("192.0.2.1") == 0
    wrong.note("::ffff:192.0.2.9")
    now[0] = WINDOW_S + 0.1
    assert wrong.wait_s("2001:db8::1") == 0
    for number in range(ADDRESSES_MAX + 10):
        wrong.note(f"{10 + number // 65536}.{number // 256 % 256}.{number % 256}.1")
    assert len(wrong._since) == ADDRESSES_MAX


def simward(folder: Path, *words: str) -> Any:
    return CliRunner().invoke(cli, ["--dir", str(folder), *words])


def test_by_the_command_line(control: RunningControl, folder: Path) -> None:
    made = simward(folder, "token", "create", "--role", "viewer", "--name", "cli", "--expires", "2h", "--tenant", "a")
    assert made.exit_code == 0, made.output
    assert re.fullmatch(FORM, made.stdout.strip()), "nothing else is on standard output: it can be piped"
    assert control.ask("GET", "/v1/status", token=made.stdout.strip()).status == 200
    assert "cli" in simward(folder, "token", "list").stdout
    assert simward(folder, "token", "create", "--role", "viewer", "--name", "cli").exit_code == 1
    assert simward(folder, "token", "create", "--role", "viewer", "--name", "b", "--expires", "soon").exit_code == 2
    assert simward(folder, "token", "revoke", "cli").exit_code == 0
    assert simward(folder, "token", "revoke", "cli").exit_code == 1
    assert "revoked" in simward(folder, "token", "list", "--all").stdout
    assert control.ask("GET", "/v1/status", token=made.stdout.strip()).status == 401


