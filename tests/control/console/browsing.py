"""Pages in a real Chromium: opened at a width and in a theme, clicked, and looked over for what a reader cannot use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from control.assembled import token
from control.running import RunningControl

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
DESKTOP, PHONE = 1280, 390
HEIGHTS = {DESKTOP: 900, PHONE: 844}
PATIENCE_MS = 15_000
BAD = ("serious", "critical")
expect.set_options(timeout=PATIENCE_MS)


class Console(Protocol):
    """Something that serves a console: see `Shown` for a control plane in a thread of the test."""

    def tcp(self) -> tuple[str, int]:
        """Where."""

    def token(self, role: str) -> str:
        """A token of this role."""


class Shown:
    """That of a RunningControl."""

    def __init__(self, control: RunningControl) -> None:
        self._control = control

    def tcp(self) -> tuple[str, int]:
        """See Console."""
        return self._control.tcp()

    def token(self, role: str) -> str:
        """See Console."""
        key = (str(self._control.folder), role)
        if key not in _tokens:
            _tokens[key] = token(self._control, role, f"browser-{role}")
        return _tokens[key]


_tokens: dict[tuple[str, str], str] = {}


def chromium() -> str | None:
    """Where Debian's is, or another one of that name; None where there is none."""
    return shutil.which("chromium") or shutil.which(CHROMIUM)


def launched(playwright: Playwright) -> Browser:
    """The browser."""
    return playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))


@dataclass
class Tab:
    """A page in the browser, of a console's."""

    page: Page
    address: str
    said: list[str] = field(default_factory=list)
    """Errors in the browser's console: scripts that failed, what the policy forbade, what could not be loaded."""
    sent: dict[str, int] = field(default_factory=dict)
    """Octets of each script as it was sent, by address."""

    def open(self, path: str) -> Tab:
        """Go there, and wait until nothing is loaded any more."""
        self.page.goto(self.address + path, wait_until="networkidle")
        return self

    def text(self, where: str = "main") -> str:
        """What a reader sees there."""
        return self.page.locator(where).inner_text()

    def press(self, name: str) -> Tab:
        """The button or link of this name."""
        self.page.get_by_role("button", name=name, exact=True).or_(
            self.page.get_by_role("link", name=name, exact=True)
        ).first.click()
        return self

    def confirm(self, verb: str, because: str = "") -> Tab:
        """In the dialog that asks: why, and yes."""
        dialog = self.page.locator("#ask[open]")
        if because:
            dialog.locator("[name=because]").fill(because)
        dialog.get_by_role("button", name=verb, exact=True).click()
        return self

    def faults(self) -> list[str]:
        """What axe calls serious or worse: the rule, and where."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']}: {node['target'][0]}: {node['html'][:160]}" for one in found if one["impact"] in BAD
            for node in one["nodes"]
        ]  # fmt: skip

    def spills(self) -> bool:
        """Is the page wider than the window?"""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@contextmanager
def tab(
    browser: Browser, console: Console | RunningControl, *, width: int = DESKTOP, dark: bool = False,
    role: str = "administrator", **more: Any,
) -> Iterator[Tab]:  # fmt: skip
    """A tab of a browser that nobody used before; whoever sits there has this role."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]}, color_scheme="dark" if dark else "light",
        reduced_motion="reduce", has_touch=width == PHONE, is_mobile=width == PHONE, **more,
    )  # fmt: skip
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield signed_in(context, Shown(console) if isinstance(console, RunningControl) else console, role)
    finally:
        context.close()


def signed_in(context: BrowserContext, console: Console, role: str) -> Tab:
    """A tab in which requests are somebody's of this role."""
    context.set_extra_http_headers({"Authorization": f"Bearer {console.token(role)}"})
    made = Tab(context.new_page(), "http://{}:{}".format(*console.tcp()))
    made.page.on("console", lambda line: made.said.append(line.text) if line.type == "error" else None)
    made.page.on("pageerror", lambda error: made.said.append(str(error)))
    made.page.on("response", lambda answer: _note(made, answer))
    return made


def _note(made: Tab, answer: Any) -> None:
    if answer.url.endswith(".js"):
        made.sent[answer.url] = int(answer.headers.get("content-length", 0))
