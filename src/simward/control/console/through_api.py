"""The API asked by a page, in the same process, as whoever visits the page: one truth, one set of checks, for both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from starlette.types import Message

from simward.control.access.csrf import HEADER
from simward.control.api.problems import TYPE, Problem
from simward.control.console.listings import EXPORT_PAGE_ROWS, NextPage, Row

Query = Mapping[str, Any]


async def read(request: Request, path: str, query: Query | None = None) -> Any:
    """What `GET path` answers whoever sent `request`. Raises the Problem that the route answers with."""
    return await _ask(request, "GET", path, query or {}, None)


async def send(request: Request, path: str, body: Mapping[str, Any]) -> Any:
    """The same of `POST path`: for a page's own POST, which was held to its token already."""
    return await _ask(request, "POST", path, {}, json.dumps(body).encode())


async def remove(request: Request, path: str, query: Query) -> Any:
    """The same of `DELETE path`."""
    return await _ask(request, "DELETE", path, query, None)


def part(text: str | int) -> str:
    """A name as one part of a path."""
    return quote(str(text), safe="")


def pages_of(
    request: Request, path: str, kind: str, query: Query | None = None, limit: int | None = EXPORT_PAGE_ROWS
) -> NextPage:  # fmt: skip
    """All rows of a list of the API, for an export: `kind` is what the list is called in its answer."""

    async def following(after: str | None) -> tuple[Sequence[Row], str | None]:
        asked = {**(query or {}), "limit": limit, "after": after}
        answer = await read(request, path, asked)
        return answer[kind], answer.get("next")

    return following


async def _ask(request: Request, method: str, path: str, query: Query, body: bytes | None) -> Any:
    asked = [(name, value) for name, value in query.items() if value is not None and value != ""]
    scope = {
        **{name: request.scope[name] for name in ("type", "asgi", "http_version", "server", "client", "scheme")},
        "method": method, "path": path, "raw_path": quote(path).encode(), "root_path": "",
        "query_string": urlencode([(name, _in_query(value)) for name, value in asked], doseq=True).encode(),
        "headers": _headers(request, body), "state": dict(request.scope["state"]),
    }  # fmt: skip
    status, octets = 0, bytearray()

    async def receive() -> Message:
        return {"type": "http.request", "body": body or b"", "more_body": False}

    async def take(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            octets.extend(message.get("body", b""))

    await request.app(scope, receive, take)
    answer = json.loads(octets) if octets else None
    if status >= 400:
        raise _problem(status, answer)
    return answer


def _headers(request: Request, body: bytes | None) -> list[tuple[bytes, bytes]]:
    headers = [(b"host", request.headers.get("host", "").encode("latin-1")), (b"sec-fetch-site", b"same-origin")]
    if request.state.principal.csrf:
        headers.append((HEADER.encode(), request.state.principal.csrf.encode()))
    if body is not None:
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    return headers


def _in_query(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _problem(status: int, answer: Any) -> Problem:
    said = answer if isinstance(answer, dict) else {}
    more = {name: value for name, value in said.items() if name not in ("type", "title", "status", "detail")}
    name = str(said.get("type", "")).removeprefix(TYPE) or "unknown"
    return Problem(status, name, str(said.get("title", "That did not work")), str(said.get("detail", "")), **more)
