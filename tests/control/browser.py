"""A browser as far as access goes: it keeps cookies, follows no redirect, and says where its forms come from."""

from __future__ import annotations

import html
import http.client
import re
import ssl
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from control.running import RunningControl

PASSWORD = "correct horse battery staple"


class Page(NamedTuple):
    """What came."""

    status: int
    headers: Mapping[str, str]
    text: str
    set_cookies: tuple[str, ...]

    def field(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, f"no field {name} in {self.text}"
        return html.unescape(found[1])


class Browser:
    """One, with cookies of its own."""

    def __init__(self, control: RunningControl, *, tls: ssl.SSLContext | None = None) -> None:
        self._address = control.tcp()
        self._tls = tls
        self.cookies: dict[str, str] = {}
        self.origin = f"http{'s' if tls else ''}://{self._address[0]}:{self._address[1]}"

    def get(self, path: str, headers: Mapping[str, str] = {}) -> Page:
        """A page."""
        return self.send("GET", path, headers={"Accept": "text/html,*/*;q=0.8", **headers})

    def post(self, path: str, headers: Mapping[str, str] = {}, **fields: str) -> Page:
        """A form, as a page of this origin sends it."""
        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin, "Accept": "text/html"}
        return self.send("POST", path, urlencode(fields).encode(), {**form, **headers})

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = {}) -> Page:
        """One request."""
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**({"Cookie": kept} if kept else {}), **{name: value for name, value in headers.items() if value}}
        opened = (
            http.client.HTTPSConnection(*self._address, timeout=20, context=self._tls)
            if self._tls
            else http.client.HTTPConnection(*self._address, timeout=20)
        )
        try:
            opened.request(method, path, body or None, sent)
            answer = opened.getresponse()
            text = answer.read().decode()
            cookies = tuple(value for name, value in answer.getheaders() if name.lower() == "set-cookie")
            for one in cookies:
                name, value = one.partition(";")[0].split("=", 1)
                self.cookies[name] = value.strip('"')
                if "max-age=0" in one.lower():
                    del self.cookies[name]
            lowered = {name.lower(): value for name, value in answer.getheaders()}
            return Page(answer.status, lowered, text, cookies)
        finally:
            opened.close()

    def sign_in(self, name: str, password: str, **more: str) -> Page:
        """By password."""
        return self.post("/sign-in", name=name, password=password, **more)

    def csrf(self) -> str:
        """The token of the session."""
        return self.get("/account").field("csrf")


def account(control: RunningControl, name: str, role: str = "viewer", **more: object) -> Browser:
    """A browser in which a new account of this role is signed in; in all tenants, unless one is named."""
    tenant = {"tenant": more.pop("tenant")} if "tenant" in more else {}
    made = control.ask("POST", "/v1/accounts", {"name": name, "memberships": [{"role": role, **tenant}], **more})
    assert made.status == 201, made
    browser = Browser(control)
    path = made.document["link"].removeprefix(browser.origin)
    assert browser.post(path, password=PASSWORD, again=PASSWORD).status == 303
    return browser
