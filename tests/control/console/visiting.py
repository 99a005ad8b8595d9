"""Pages as a browser asks for them, with and without htmx."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from control.running import RunningControl
from simward.commands.through_control import _Connection


class Page(NamedTuple):
    """One answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()


def visit(
    control: RunningControl, path: str, form: Mapping[str, str] | None = None, token: str = "", **headers: str
) -> Page:  # fmt: skip
    """Ask for a page, or send it a form; by the owner's socket, or over TCP with a token. `accept_encoding="gzip"`."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["Authorization"] = f"Bearer {token}"
        connection: http.client.HTTPConnection = http.client.HTTPConnection(*control.tcp(), timeout=20)
    else:
        connection = _Connection(control.folder / "data" / "control.sock", 20)
    body = None
    if form is not None:
        body, sent["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
    try:
        connection.request("GET" if form is None else "POST", path, body, sent)
        answer = connection.getresponse()
        return Page(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()
