"""The pages behind the first three, with a whole Simward at work: what each shows, and what its buttons do."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser

from control.console.at_work import FLEET, LIMIT, NEW, STOLEN, AtWork, iccid, imsi
from control.console.browsing import DESKTOP, PHONE, tab
from control.console.visiting import Page
from gate.running import imeisv, needs_radclient, until

pytestmark = needs_radclient
PAGES = (
    "/findings", "/map", "/install", "/use-cases", "/use-cases/water-meter", "/policy/edit",
    "/policy/edit?use_case=water-meter", "/proposals", "/revisions", "/revisions/1", "/rules", "/rules/thief",
    "/rules/thief/approve", "/rules/thief/reject", "/rules/thief/pause", "/rules/thief/resume", "/rules/thief/undo",
    "/work-orders", "/work-orders/new", "/endpoints", "/endpoints/ops", "/endpoints/ops/test", "/endpoints/ops/redrive",
    "/endpoints/ops/redeliver", "/gateways", "/audit", "/audit/verify", "/first-run", "/access", "/access/tokens",
    "/access/accounts/new", "/access/tokens/new",
)  # fmt: skip
EXPORTS = (
    "/findings", "/map", "/use-cases", "/use-cases/water-meter", "/proposals", "/revisions", "/rules", "/rules/thief",
    "/work-orders", "/endpoints", "/endpoints/ops", "/gateways", "/audit", "/access", "/access/tokens",
    "/install", "/endpoints?table=parties", "/rules/thief?table=held", "/search?q=0010100", "/incidents",
    "/subscriptions", "/subscriptions/{imsi}/findings", "/subscriptions/{imsi}/effects",
)  # fmt: skip


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    made = AtWork(tmp_path_factory.mktemp("at-work") / "net")
    yield made
    made.close()


def visit(
    at_work: AtWork, path: str, form: Mapping[str, str] | None = None, role: str = "administrator", **headers: str
) -> Page:  # fmt: skip
    """As somebody of this role, over TCP."""
    sent = {"Authorization": f"Bearer {at_work.token(role)}", **headers}
    body = None
    if form is not None:
        body, sent["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
    connection = http.client.HTTPConnection(*at_work.tcp(), timeout=60)
    try:
        connection.request("GET" if form is None else "POST", path, body, sent)
        answer = connection.getresponse()
        return Page(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def does(at_work: AtWork, path: str, role: str = "administrator", **form: str) -> str:
    """What a dialog does; where it leads then."""
    page = visit(at_work, path, {"because": "a test", **form}, role)
    assert page.status == 303, page.text[page.text.find("<main") :]
    return page.headers["location"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there(at_work: AtWork, path: str) -> None:
    page = visit(at_work, path)
    assert page.status == 200 and "<h1" in page.text, page.text[:2000]


@pytest.mark.parametrize("path", EXPORTS)
def test_every_table_can_be_taken_away(at_work: AtWork, path: str) -> None:
    path = path.format(imsi=imsi(1))
    asked = f"{path}{'&' if '?' in path else '?'}format"
    page = visit(at_work, f"{asked}=json")
    assert page.status == 200 and isinstance(json.loads(page.text), list)
    assert visit(at_work, f"{asked}=csv").headers["content-type"] == "text/csv; charset=utf-8"


def test_who_may_not_is_shown_neither_page_nor_button(at_work: AtWork) -> None:
    assert visit(at_work, "/audit", role="operator").status == 403
    assert visit(at_work, "/rules/thief/approve", role="operator").status == 403
    page = visit(at_work, "/rules/thief", role="operator")
    assert page.status == 200 and "Approve…" not in page.text and "/rules/thief/pause" in page.text


def test_what_a_limit_holds_is_approved_in_part_and_rejected(at_work: AtWork) -> None:
    page = visit(at_work, "/rules/thief")
    held = re.findall(r'name="ids" value="([^"]+)"', page.text)
    assert len(held) == STOLEN - LIMIT
    assert f'name="ids" value="{held[0]},{held[1]}"' in visit(
        at_work, f"/rules/thief/approve?ids={held[0]}&ids={held[1]}"
    ).text
    assert visit(at_work, "/rules/thief/approve", {"ids": held[0]}).status == 422, "nobody said why"
    assert does(at_work, "/rules/thief/approve", ids=held[0]) == "/rules/thief"
    assert does(at_work, "/rules/thief/reject", ids=held[1]) == "/rules/thief"
    until(lambda: at_work.rule()["actions"].get("done"), lambda done: done == LIMIT + 1)
    assert at_work.rule()["actions"]["refused"] == 1


def test_a_rule_is_paused_resumed_and_undone(at_work: AtWork) -> None:
    does(at_work, "/rules/thief/pause")
    assert "paused" in visit(at_work, "/rules").text and at_work.rule()["paused"]["because"] == "a test"
    does(at_work, "/rules/thief/resume")
    assert at_work.rule()["paused"] is None
    assert "subscriptions</option>" in visit(at_work, "/rules/thief/undo").text
    where = does(at_work, "/rules/thief/undo", hours="1")
    assert where.startswith("/undo/")
    until(lambda: "All of it is answered" in visit(at_work, where).text)


def test_planned_work_is_written_line_by_line_and_cancelled(at_work: AtWork) -> None:
    begins = f"{datetime.now(UTC):%Y-%m-%dT%H:%M}"
    form = {"iccids": f"{iccid(6)} 35000001000099\n", "begins": begins, "hours": "24", "device": "true"}
    assert visit(at_work, "/work-orders/new", {**form, "because": "x", "begins": "soon"}).status == 422
    page = visit(at_work, "/work-orders/new", {**form, "because": "x", "iccids": "1 2 3"})
    assert page.status == 422 and "Line 1" in page.text
    page = visit(at_work, "/work-orders/new", {**form, "because": "a swap"})
    where = page.headers.get("location", "")
    assert page.status == 303 and where.startswith("/work-orders/"), page.text[page.text.find("<main") :]
    assert iccid(6) in visit(at_work, where).text
    does(at_work, f"{where}/cancel")
    assert "cancelled" in visit(at_work, where).text


def test_an_endpoint_that_is_down_says_so_when_it_is_tested(at_work: AtWork) -> None:
    assert "device-management" in visit(at_work, "/endpoints").text
    [party] = json.loads(visit(at_work, "/v1/parties").text)["parties"]
    assert party["endpoint"] == "ops" and party["may"] == ["release"] and party["acknowledge_within_s"] == 4 * 3600
    assert not party["answers"] and party["overdue"] == 0
    page = visit(at_work, "/endpoints/ops/test", {})
    assert page.status == 200 and "The test was not delivered" in page.text
    assert does(at_work, "/endpoints/ops/redrive") == "/endpoints/ops"
    page = visit(at_work, "/endpoints/ops/redeliver", {"announcement": "none"})
    assert page.status == 404 and "None is not kept" in page.text


def test_the_audit_is_filtered_and_verified(at_work: AtWork) -> None:
    assert "The audit is whole" in visit(at_work, "/audit/verify").text
    rows = json.loads(visit(at_work, f"/audit?imsi={imsi(1)}&what=lock&format=json").text)
    assert rows and all(row["imsi"] == imsi(1) and "lock" in row["what"] for row in rows)
    assert "No entry" in visit(at_work, "/audit?actor=nobody-of-this-name").text


def test_people_and_systems_are_let_in_and_sent_away(at_work: AtWork) -> None:
    page = visit(at_work, "/access/accounts/new", {"name": "ada", "role-0": "operator", "because": "she is new"})
    assert page.status == 200 and "/first/" in page.text
    assert visit(at_work, "/access/accounts/new", {"name": "ada", "because": "x"}).status == 422
    does(at_work, "/access/accounts/ada/roles", **{"role-0": "viewer", "role-1": "approver", "tenant-1": "north"})
    account = at_work.ask("GET", "/v1/accounts/ada")
    assert account["memberships"] == [
        {"role": "viewer", "tenant": None}, {"role": "approver", "tenant": "north"}
    ]  # fmt: skip
    does(at_work, "/access/accounts/ada/disable")
    assert "disabled" in visit(at_work, "/access/accounts/ada").text
    page = visit(at_work, "/access/tokens/new", {"name": "dm", "role": "installer", "days": "3", "because": "x"})
    assert page.status == 200 and "copy it now" in page.text
    made = next(one for one in at_work.ask("GET", "/v1/tokens")["tokens"] if one["name"] == "dm")
    does(at_work, f"/access/tokens/{made['id']}/revoke")
    assert all(one["name"] != "dm" for one in at_work.ask("GET", "/v1/tokens")["tokens"])


def test_a_policy_is_checked_line_by_line_while_it_is_typed(at_work: AtWork) -> None:
    text = at_work.ask("GET", "/v1/policy")["texts"]["policies/meters.yaml"]["text"]
    wrong = text.replace("mode: first-use", "mode: first-us")
    page = visit(at_work, "/policy/check", {"name": "policies/meters.yaml", "text": wrong}, **{"HX-Request": "true"})
    assert page.status == 200 and 'data-line="4"' in page.text and "first-use" in page.text
    page = visit(at_work, "/policy/check", {"name": "policies/meters.yaml", "text": text}, **{"HX-Request": "true"})
    assert "Nothing is wrong" in page.text
    page = visit(at_work, "/policy/propose", {"name": "policies/meters.yaml", "text": wrong, "because": "x"})
    assert page.status == 422 and "first-us" in page.text, "what was typed is not lost"


def test_a_policy_is_planned_tried_applied_and_rolled_back(at_work: AtWork) -> None:
    text = at_work.ask("GET", "/v1/policy")["texts"]["policies/meters.yaml"]["text"]
    changed = text.replace("device-change: notify", "device-change: lock")
    where = does(at_work, "/policy/propose", name="policies/meters.yaml", text=changed)
    assert "responses.device-change: notify → lock" in visit(at_work, f"{where}/plan").text
    assert does(at_work, f"{where}/backtest", last="1d") == where
    page = until(lambda: visit(at_work, where).text, lambda said: "data-chart" in said, within_s=120)
    assert "Whom it would have cut" in page and iccid(1) in page
    assert "Tried on the record" in visit(at_work, f"{where}/apply").text
    before = at_work.ask("GET", "/v1/revisions?limit=1")["revisions"][0]["number"]
    assert does(at_work, f"{where}/apply", confirm="true") == "/revisions"
    newest = until(
        lambda: at_work.ask("GET", "/v1/revisions?limit=1")["revisions"][0]["number"], lambda one: one > before
    )
    page = visit(at_work, f"/revisions/{newest}").text
    assert 'class="added"' in page and "device-change: lock" in page
    assert does(at_work, f"/revisions/{before}/roll-back", confirm="true") == "/revisions"
    until(lambda: "device-change: notify" in visit(at_work, "/use-cases/water-meter").text)
    assert "are known from call detail records alone" in visit(at_work, "/use-cases/water-meter").text


def test_an_installer_sees_right_or_wrong(at_work: AtWork) -> None:
    mistyped = {"iccid": iccid(NEW), "imei": "350000010000083", "use_case": "water-meter"}
    page = visit(at_work, "/install", mistyped, "installer")
    assert page.status == 422 and "is it mistyped?" in page.text and 'aria-invalid="true"' in page.text
    page = visit(at_work, "/install", {**mistyped, "imei": imeisv(NEW)[:14], "latitude": "north"}, "installer")
    assert page.status == 422 and "is no number" in page.text
    where = does(at_work, "/install", "installer", **{**mistyped, "imei": imeisv(NEW)[:14], "label": "Well 12"})
    until(lambda: "Switch it on" in visit(at_work, where, role="installer").text)
    at_work.asks(NEW, **{"3GPP-IMEISV": f'"{imeisv(NEW, tac="35999900")}"'})
    until(lambda: "Wrong device" in visit(at_work, where, role="installer").text)
    at_work.asks(NEW)
    until(lambda: "Right" in visit(at_work, where, role="installer").text)
    assert does(at_work, f"{where}/take-back", "installer") == where


def test_the_map_has_sites_cells_and_incidents(at_work: AtWork) -> None:
    view = "west=10&south=59&east=12&north=61&zoom=14"
    drawn = json.loads(visit(at_work, f"/map/places?{view}").text)
    assert sum(one["properties"]["count"] for one in drawn["sites"]["features"]) == FLEET
    assert drawn["cells"]["features"][0]["geometry"]["coordinates"] == pytest.approx([10.75, 59.95], abs=1e-4)
    assert drawn["incidents"]["features"][0]["properties"]["severity"]
    drawn = json.loads(visit(at_work, "/map/places?west=-20&south=0&east=40&north=80&zoom=0").text)
    assert [one["properties"]["count"] for one in drawn["sites"]["features"]] == [FLEET]
    assert "incidents" not in json.loads(visit(at_work, f"/map/places?{view}", role="installer").text)


def test_the_first_run_ticks_off_what_is_so(at_work: AtWork) -> None:
    page = visit(at_work, "/first-run").text
    assert page.count('class="chip tone-good"') >= 6


SEEN = (
    "/findings", "/install", "/use-cases", "/use-cases/water-meter", "/policy/edit?use_case=water-meter", "/proposals",
    "/revisions", "/revisions/1", "/rules", "/rules/thief", "/rules/thief/undo", "/work-orders", "/work-orders/new",
    "/endpoints", "/endpoints/ops", "/gateways", "/audit", "/audit/verify", "/first-run", "/access", "/access/tokens",
    "/access/accounts/new", "/map",
)  # fmt: skip


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, True), (PHONE, False)], ids=["desktop-dark", "phone-light"])
def test_every_page_can_be_used_by_everybody(browser: Browser, at_work: AtWork, width: int, dark: bool) -> None:
    with tab(browser, at_work, width=width, dark=dark) as one:
        for path in SEEN:
            one.open(path)
            assert not one.faults(), f"{path} at {width}"
            assert not one.spills(), f"{path} is wider than {width}"
            if path != "/map":  # where there is no WebGL, MapLibre says so, and the page in its own words
                assert one.said == [], path


def test_the_map_is_drawn_or_says_why_not(browser: Browser, at_work: AtWork) -> None:
    with tab(browser, at_work) as one:
        one.open("/map").page.wait_for_selector("#map[data-drawn], #map .empty:has-text('WebGL')")
        assert f"{FLEET} sites, 1 cell" in one.text()


def test_an_editor_says_what_is_wrong_while_one_types(browser: Browser, at_work: AtWork) -> None:
    with tab(browser, at_work) as one:
        field = one.open("/policy/edit?use_case=water-meter").page.locator("#text")
        text = field.input_value()
        field.fill(text.replace("mode: first-use", "mode: first-us"))
        one.page.get_by_role("link", name="Line 4", exact=True).click()
        assert one.page.locator("[data-gutter] .wrong").inner_text() == "4"
        chosen = field.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)")
        assert "first-us" in chosen
        field.fill(text)
        one.page.wait_for_selector("#found .right")


def test_a_rule_is_paused_in_a_dialog(browser: Browser, at_work: AtWork) -> None:
    with tab(browser, at_work) as one:
        one.open("/rules/thief").press("Pause").confirm("Pause", "a drill")
        one.page.wait_for_selector("text=a drill")
        one.press("Resume").confirm("Resume", "it is over")
        one.page.wait_for_selector("a:has-text('Pause')")


def test_an_installer_sees_it_change_on_a_phone(browser: Browser, at_work: AtWork) -> None:
    with tab(browser, at_work, width=PHONE, role="installer") as one:
        one.open("/install")
        one.page.fill("#iccid", iccid(NEW))
        one.page.fill("#imei", imeisv(NEW)[:14])
        one.page.get_by_role("button", name="Install", exact=True).click()
        one.page.wait_for_selector(".outcome.tone-busy:has-text('Switch it on')")
        at_work.asks(NEW)
        one.page.wait_for_selector(".outcome.tone-good:has-text('Right')")
