"""A console over the journals of a bad day, and a browser, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from control.assembled import recorded_day, running
from control.console.browsing import chromium, launched
from control.running import RunningControl


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    """Of which the tests change nothing but what is theirs alone."""
    control = running(recorded_day(tmp_path_factory.mktemp("console")))
    yield control
    control.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Gone before other modules' tests run: Playwright's event loop would be in the way of theirs."""
    if chromium() is None:
        pytest.skip("Chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        made = launched(playwright)
        yield made
        made.close()
