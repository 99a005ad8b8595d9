"""The first three pages: what they say, what they let whom do, and that lists are whole, in order and in pages."""

from __future__ import annotations

import json
import re

import pytest

from control.assembled import token
from control.console.visiting import visit
from control.running import RunningControl
from engine.recording import IMSI


def first_incident(console: RunningControl) -> int:
    """The number of one that there is."""
    return int(json.loads(visit(console, "/incidents?state=any&format=json").text)[0]["number"])


def test_the_overview_says_what_is_wrong_first(console: RunningControl) -> None:
    page = visit(console, "/")
    assert "Somebody is needed" in page.text, "no gate runs here"
    assert "Nobody is guarded: no gate is running." in page.text
    assert "Due first" in page.text and "What was found" in page.text
    chart = re.search(r'data-chart="([^"]+)"', visit(console, "/?findings=month").text)
    assert chart is None or "series" in chart[1]


def test_incidents_are_sorted_filtered_and_in_pages(console: RunningControl) -> None:
    newest = json.loads(visit(console, "/incidents?state=any&format=json").text)
    oldest = json.loads(visit(console, "/incidents?state=any&sort=number&format=json").text)
    assert [one["number"] for one in oldest] == sorted(one["number"] for one in newest)
    for sort in ("deadline", "-deadline", "changed", "-changed", "subscriptions", "-subscriptions"):
        page = visit(console, f"/incidents?state=any&sort={sort}")
        assert page.status == 200 and "aria-sort=" in page.text
    page = visit(console, "/incidents?use_case=no-such-case")
    assert "No such incident" in page.text and "Show all that wait" in page.text
    assert visit(console, "/incidents?after=nonsense").status == 422


def test_an_incident_is_told_with_its_evidence_and_what_to_do(console: RunningControl) -> None:
    page = visit(console, f"/incidents/{first_incident(console)}")
    for part in ("The story", "Evidence", "Timeline", "Still open", "What to do", "Who was told", "Similar incidents"):
        assert part in page.text, part
    assert 'class="side-now"' in page.text
    evidence = visit(console, f"/incidents/{first_incident(console)}/evidence?format=csv")
    assert evidence.text.startswith("id,at,detector,class") and "attachment" in evidence.headers["content-disposition"]
    assert visit(console, "/incidents/999999").status == 404


def test_a_person_judges_on_pages(console: RunningControl) -> None:
    number = first_incident(console)
    asked = visit(console, f"/incidents/{number}/note", hx_request="true")
    assert "One more line of its story" in asked.text and "<nav" not in asked.text
    noted = visit(console, f"/incidents/{number}/note", {"because": "asked the operator"})
    assert noted.status == 303 and noted.headers["location"] == f"/incidents/{number}"
    assert "asked the operator" in visit(console, f"/incidents/{number}").text
    said = visit(console, f"/incidents/{number}/note", {"because": " "})
    assert said.status == 422 and "A note says something" in said.text
    gone = visit(console, f"/incidents/{number}/assign", {"to": "ada"}, hx_request="true")
    assert gone.status == 204 and gone.headers["hx-redirect"] == f"/incidents/{number}"
    wrong = visit(console, f"/incidents/{number}/resolve", {"because": "x", "outcome": "who knows"})
    assert wrong.status == 422 and "is no outcome" in wrong.text


def test_who_may_not_act_is_offered_nothing_and_refused(console: RunningControl) -> None:
    viewer = token(console, "viewer", "page-viewer")
    number = first_incident(console)
    page = visit(console, f"/incidents/{number}", token=viewer)
    assert page.status == 200 and "What can be done" not in page.text
    for path in (f"/incidents/{number}/resolve", f"/subscriptions/{IMSI}/lock"):
        assert visit(console, path, token=viewer).status == 403
        assert visit(console, path, {"because": "x"}, token=viewer).status == 403


def test_of_another_tenant_there_is_nothing(console: RunningControl) -> None:
    other = token(console, "operator", "page-other", tenant="elsewhere")
    assert "Nobody has to do anything" in visit(console, "/incidents", token=other).text
    assert visit(console, f"/incidents/{first_incident(console)}", token=other).status == 404
    assert visit(console, f"/subscriptions/{IMSI}", token=other).status == 404
    assert visit(console, f"/subscriptions/{IMSI}/past", token=other).status == 404
    assert visit(console, f"/subscriptions/{IMSI}/lock", token=other).status == 404
    assert "Nothing is called this" in visit(console, f"/search?q={IMSI}", token=other).text
    overview = visit(console, "/", token=other)
    assert overview.status == 200 and "Live sessions" not in overview.text


def test_a_subscription_and_its_past(console: RunningControl) -> None:
    page = visit(console, f"/subscriptions/{IMSI}")
    assert page.status == 200 and "Binding and identity" in page.text and 'hx-trigger="load"' in page.text
    past = visit(console, f"/subscriptions/{IMSI}/past")
    assert past.status == 200 and 'id="past"' in past.text
    assert visit(console, "/subscriptions/001019999999999").status == 404
    assert json.loads(visit(console, f"/subscriptions/{IMSI}/findings?format=json").text) is not None


def test_lists_of_subscriptions(console: RunningControl) -> None:
    rows = json.loads(visit(console, "/subscriptions?format=json").text)
    assert any(one["imsi"] == IMSI for one in rows)
    assert "No such subscription" in visit(console, "/subscriptions?locked=true&use_case=none").text


@pytest.mark.parametrize("typed", [IMSI, f" {IMSI[:5]} {IMSI[5:]}"])
def test_search_leads_to_the_one_that_has_it(console: RunningControl, typed: str) -> None:
    found = visit(console, f"/search?q={typed.replace(' ', '%20')}")
    assert found.status == 303 and found.headers["location"] == f"/subscriptions/{IMSI}"
    number = first_incident(console)
    assert visit(console, f"/search?q=%23{number}").headers["location"] == f"/incidents/{number}"
    many = visit(console, "/search?q=00101")
    assert many.status == 200 and IMSI[:5] in many.text
    assert "What are you looking for" in visit(console, "/search").text
    assert "Nothing is called this" in visit(console, "/search?q=10.255.255.255").text


def test_a_browser_is_told_of_an_unknown_address_on_a_page(console: RunningControl) -> None:
    page = visit(console, "/no/such/page", accept="text/html,*/*")
    assert page.status == 404 and "No such page" in page.text and "<nav" in page.text
    program = visit(console, "/v1/no-such", accept="application/json")
    assert program.status == 404 and program.headers["content-type"] == "application/problem+json"
    assert visit(console, "/v1/commands", accept="*/*").status == 405
