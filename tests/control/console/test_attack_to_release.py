"""The story that the console exists for, by clicking: a stolen SIM, from what is seen first to its release."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from control.console.attacked import Attacked, iccid, imsi
from control.console.browsing import DESKTOP, PHONE, tab
from gate.running import needs_radclient, until

pytestmark = needs_radclient


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    made = Attacked(tmp_path_factory.mktemp("attacked") / "net")
    yield made
    made.close()


@pytest.mark.parametrize(("width", "stolen"), [(DESKTOP, 1), (PHONE, 2)], ids=["desktop", "phone"])
def test_from_attack_to_release(browser: Browser, net: Attacked, width: int, stolen: int) -> None:
    with tab(browser, net, width=width, role="operator") as one:
        one.open("/")
        assert "Reject" in net.is_put_into_a_phone(stolen)
        number = net.incident_of(stolen)

        # The overview says it without being asked again (which takes five seconds: tried once).
        if width == PHONE:
            one.open("/")
        due = one.page.locator("#due").get_by_role("link", name=f"#{number} device-change/other-model")
        expect(due).to_be_visible()
        expect(one.page.get_by_role("heading", name="Somebody is needed")).to_be_visible()
        due.click()
        expect(one.page.get_by_role("heading", level=1)).to_contain_text("device-change/other-model")
        now = one.page.locator(".side-now").first
        expect(now).to_contain_text("35999900000007")
        expect(one.page.locator("#story + h3")).to_have_text("What happened")
        assert not one.faults() and not one.spills()

        # Who acts is asked first, is told what will happen, and has to say why.
        one.press("Acknowledge").confirm("Acknowledge")
        expect(one.page.locator(".head")).to_contain_text("acknowledged")
        one.press("Release")
        asked = one.page.locator("#ask[open]")
        expect(asked).to_contain_text("The lock comes off. It may connect again in device")
        assert not one.faults()
        asked.get_by_role("button", name="Release").click()
        expect(asked.locator("textarea:invalid")).to_be_visible()
        one.confirm("Release", "the thief was caught")
        expect(one.page.locator(".timeline")).to_contain_text("Because: the thief was caught")
        expect(one.page.get_by_role("link", name="Lock", exact=True).or_(
            one.page.get_by_role("button", name="Lock", exact=True)
        ).first).to_be_visible()  # fmt: skip
        until(lambda: "Access-Accept" in net.asks(stolen))

        # From anywhere to the subscription, by any identifier.
        one.page.keyboard.press("/")
        one.page.keyboard.type(iccid(stolen))
        one.page.keyboard.press("Enter")
        expect(one.page.get_by_role("heading", level=1)).to_have_text(imsi(stolen))
        expect(one.page.locator("#presence")).to_be_visible()
        expect(one.page.locator("#devices + ul")).to_contain_text("1 refused")
        expect(one.page.locator("#its-story + ol")).to_contain_text("the thief was caught")
        assert not one.faults() and not one.spills()

        one.open(f"/incidents/{number}").press("Resolve")
        one.page.get_by_label("true positive").check()
        one.confirm("Resolve", "it was stolen, and came back")
        expect(one.page.locator(".head")).to_contain_text("resolved")
        assert not one.said


@pytest.mark.parametrize("width", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_deed_is_done_by_clicking(browser: Browser, net: Attacked, width: int) -> None:
    """Each is asked first, says what it will do, and is done by the gate."""

    def stands() -> dict[str, object]:
        return net.ask("GET", f"/v1/subscriptions/{imsi(3)}")

    def effects() -> int:
        return len(net.ask("GET", f"/v1/effects?imsi={imsi(3)}")["effects"])

    net.connects(3)
    with tab(browser, net, width=width, role="operator") as one:
        known = effects()
        for verb, told, done in (
            ("Disconnect", "It may connect again at once", lambda: effects() > known),
            ("Quarantine", "It is confined until somebody releases it", lambda: stands()["confined"]),
            ("Release", "It leaves quarantine", lambda: not stands()["locked_at"]),
            ("Lock", "It is refused whatever it asks with", lambda: stands()["locked_at"] and not stands()["confined"]),
            ("Release", "The lock comes off", lambda: not stands()["locked_at"]),
        ):
            one.open(f"/subscriptions/{imsi(3)}").press(verb)
            expect(one.page.locator("#ask[open]")).to_contain_text(told)
            assert not one.faults() and not one.spills()
            one.confirm(verb, f"to try {verb}")
            expect(one.page.locator("#ask[open]")).to_have_count(0)
            until(done)
        assert not one.said


def test_what_cannot_be_done_says_why(browser: Browser, net: Attacked) -> None:
    with tab(browser, net, role="operator") as one:
        one.open(f"/subscriptions/{imsi(3)}").press("Lock")
        expect(one.page.locator("#ask[open]")).to_be_visible()
        one.page.keyboard.press("Escape")
        expect(one.page.locator("#ask[open]")).to_have_count(0)
        one.press("Planned work")
        one.page.get_by_label("Into device").fill("123")
        one.confirm("Planned work", "a new modem")
        expect(one.page.locator("#ask[open] [role=alert]")).to_contain_text("IMEI")
        one.page.get_by_label("Into device").fill("35999900000009")
        one.confirm("Planned work")
        expect(one.page.locator("#ask[open]")).to_have_count(0)
        assert net.ask("GET", "/v1/work-orders")["work_orders"][0]["because"] == "a new modem"


def test_a_viewer_is_offered_nothing_to_press(browser: Browser, net: Attacked) -> None:
    with tab(browser, net, role="viewer") as one:
        one.open(f"/subscriptions/{imsi(3)}")
        assert one.page.locator(".head .buttons").count() == 0
        one.open("/no/such/page")
        assert "No such page" in one.text()
