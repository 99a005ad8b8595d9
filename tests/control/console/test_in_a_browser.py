"""Every page in a real browser: it can be read and used at both widths, in both themes, and loads little."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from control.console.browsing import DESKTOP, PHONE, tab
from control.running import RunningControl

PAGES = ("/", "/incidents?state=any")
JAVASCRIPT_OCTETS_MAX = 150_000


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_can_be_used_by_everybody(
    browser: Browser, console: RunningControl, width: int, dark: bool
) -> None:  # fmt: skip
    with tab(browser, console, width=width, dark=dark) as one:
        for path in PAGES:
            one.open(path)
            assert not one.faults(), f"{path} at {width}"
            assert not one.spills(), f"{path} is wider than {width}"
            assert not one.said, path


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_little_javascript(browser: Browser, console: RunningControl, path: str) -> None:
    with tab(browser, console) as one:
        one.open(path)
        assert 0 < sum(one.sent.values()) <= JAVASCRIPT_OCTETS_MAX, one.sent
