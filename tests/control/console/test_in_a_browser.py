"""Every page in a real browser: it can be read and used at both widths, in both themes, and loads little."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from control.console.browsing import DESKTOP, PHONE, tab
from control.running import RunningControl
from engine.recording import IMSI

PAGES = (
    "/", "/incidents?state=any", "/incidents/1", "/incidents/1/resolve", "/subscriptions", "/subscriptions/{imsi}",
    "/subscriptions/{imsi}/past", "/search?q=0010", "/no-such-page", "/sign-in",
)  # fmt: skip
EXPECTED = "Failed to load resource"
"""What the browser says of a page that is not there."""
JAVASCRIPT_OCTETS_MAX = 150_000


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["desktop-light", "phone-dark"])
def test_every_page_can_be_used_by_everybody(
    browser: Browser, console: RunningControl, width: int, dark: bool
) -> None:  # fmt: skip
    with tab(browser, console, width=width, dark=dark) as one:
        for path in PAGES:
            one.open(path.format(imsi=IMSI))
            assert not one.faults(), f"{path} at {width}"
            assert not one.spills(), f"{path} is wider than {width}"
            assert [said for said in one.said if not said.startswith(EXPECTED)] == [], path


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_little_javascript(browser: Browser, console: RunningControl, path: str) -> None:
    with tab(browser, console) as one:
        one.open(path.format(imsi=IMSI))
        assert sum(one.sent.values()) <= JAVASCRIPT_OCTETS_MAX, one.sent


def test_what_is_printed_is_the_page_in_black_on_white(browser: Browser, console: RunningControl) -> None:
    """From dark too; without what one cannot press on paper."""
    with tab(browser, console, dark=True) as one:
        one.open(f"/subscriptions/{IMSI}")
        for where in (".places", ".top", ".buttons"):
            assert one.page.locator(where).first.is_visible(), where
        one.page.emulate_media(media="print")
        for where in (".places", ".top", ".buttons"):
            assert not one.page.locator(where).first.is_visible(), where
        assert IMSI in one.text()
        ink = one.page.evaluate("getComputedStyle(document.body).color")
        paper = one.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (ink, paper) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
        assert one.said == []
