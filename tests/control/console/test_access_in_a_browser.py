"""The pages by which people come and go, in a real Chromium: at both widths, light and dark, for eye and ear."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import argon2
import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from control.browser import PASSWORD
from control.running import RunningControl
from control.test_people import new_folder, signing_in_of
from gate.running import until
from simward.control.assembling import assemble
from simward.settings import Settings


@pytest.fixture
def control(tmp_path: Path) -> Iterator[RunningControl]:
    folder = new_folder(tmp_path)
    made = RunningControl(folder, control=assemble(Settings.load(folder)))
    made.tcp()
    signing_in_of(made)._passwords._hasher = argon2.PasswordHasher(1, 8 * 1024, 1)
    yield made
    made.close()
    assert made.error is None


def good(page: Page) -> None:
    """Nothing that somebody could not use, and nothing wider than the window."""
    found = [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    assert not found, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_from_the_first_link_to_a_second_factor(
    control: RunningControl, browser: Browser, width: int, scheme: str
) -> None:
    file = control.folder / "data" / "first-administrator.url"
    link = str(until(lambda: file.exists() and file.read_text())).strip()
    origin = link.partition("/first/")[0]
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(link)
    good(page)
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password (").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    page.wait_for_url(origin + "/")
    page.goto(origin + "/account")
    good(page)
    page.get_by_role("link", name="Set one up").click()
    good(page)
    secret = pyotp.TOTP(page.locator("figure code").inner_text())
    page.get_by_label("The code that the app shows").fill(secret.at(time.time() - 30))
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    good(page)
    assert len(re.findall(r"(?:[A-Z2-7]{6}-){3}", page.inner_text("main"))) == 8
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out").click()
    good(page)
    page.get_by_role("link", name="Sign in again").click()
    good(page)
    assert not said  # no policy was broken, nothing was missing
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("not this one")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    good(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Code of your app").wait_for()
    good(page)
    page.get_by_label("Code of your app").fill(secret.now())
    page.keyboard.press("Enter")
    page.wait_for_url(origin + "/")
    page.close()
