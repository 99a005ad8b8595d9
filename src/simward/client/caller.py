"""Makes calls: with a token, a key a write, as often as it takes, and problems as exceptions; waiting or awaiting."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from simward.client.events import Reader
from simward.client.problems import ProblemError, Unreachable, problem_of

KEY, IF_MATCH = "Idempotency-Key", "If-Match"
TRY_AGAIN = frozenset((429, 502, 503, 504))
"""Answers after which the same call may be taken a moment later."""
HEARTBEATS_S = 45.0
"""A stream says something each 15 s; one that is silent for so long is dead."""


@dataclass(frozen=True)
class Options:
    """How to reach a server, and how patiently."""

    url: str = "http://127.0.0.1:8080"
    token: str = ""
    ca_file: Path | None = None
    """Certificates (PEM) that are trusted besides nothing: for a server with a certificate of its own."""
    socket: Path | None = None
    """The owner's socket (DIR/data/control.sock) instead of `url`; it takes no token."""
    timeout_s: float = 30.0
    attempts: int = 5
    """How often a call is made at most. Only what is done once however often it arrives is made again."""
    wait_s: float = 0.5
    """Before the second; twice as long before each further one, less chance, at most `wait_most_s`."""
    wait_most_s: float = 15.0
    headers: Mapping[str, str] = field(default_factory=dict)

    def verify(self) -> ssl.SSLContext | bool:
        """What certificates are held against."""
        return True if self.ca_file is None else ssl.create_default_context(cafile=str(self.ca_file))

    def all_headers(self) -> dict[str, str]:
        """Of every call."""
        known = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {"Accept": "application/json", **known, **self.headers}

    def wait(self, attempt: int, response: httpx.Response | None) -> float:
        """Seconds before the attempt after this one (counted from 1)."""
        said = response.headers.get("retry-after", "") if response is not None else ""
        whole = min(self.wait_s * 2 ** (attempt - 1), self.wait_most_s)
        return min(float(said), self.wait_most_s) if said.isdigit() else whole * (0.5 + 0.5 * random.random())


def path(template: str, *values: object) -> str:
    """A path with values in place of its names."""
    first, *parts = template.split("{")
    pairs = zip(values, parts, strict=True)
    return first + "".join(quote(str(value), safe="") + part.partition("}")[2] for value, part in pairs)


@dataclass(frozen=True)
class _Call:
    """One call, however often it is made."""

    method: str
    path: str
    arguments: dict[str, Any]
    again: bool
    """May it be made again where nobody knows whether it arrived?"""


def _call(
    method: str, where: str, query: Mapping[str, Any] | None, body: Mapping[str, Any] | None, content: bytes | None,
    media_type: str, key: str | None, keyed: bool, if_match: str | None,
) -> _Call:  # fmt: skip
    headers = {}
    if keyed:
        headers[KEY] = key or str(uuid.uuid4())
    if if_match is not None:
        headers[IF_MATCH] = if_match
    arguments: dict[str, Any] = {"headers": headers, "params": given(query or {}) or None}
    if content is not None:
        arguments["content"] = content
        headers["Content-Type"] = media_type
    elif body is not None:
        arguments["json"] = {name: value for name, value in body.items() if value is not None}
    return _Call(method, where, arguments, keyed or method in ("GET", "PUT", "DELETE"))


def given(query: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters without those that are not given, as a query has them."""
    words = {True: "true", False: "false"}
    return {
        name: words[value] if isinstance(value, bool) else list(value) if isinstance(value, (list, tuple)) else value
        for name, value in query.items() if value is not None
    }  # fmt: skip


def _answer(response: httpx.Response) -> Any:
    """The document of an answer. Raises ProblemError where it is a problem."""
    try:
        document = response.json() if response.content else None
    except ValueError:
        document = None
    if response.is_success:
        return document
    raise problem_of(response.status_code, document, response.headers.get("x-correlator", ""))


def _may_go_on(call: _Call, response: httpx.Response | None, error: Exception | None) -> bool:
    if error is not None:
        return call.again or isinstance(error, httpx.ConnectError)  # who was not reached has done nothing
    assert response is not None
    if response.status_code == 409:
        return call.again and ":in-progress" in response.text
    return response.status_code in TRY_AGAIN


class Caller:
    """Waits for each answer. Close it, or use it in `with`."""

    def __init__(self, options: Options) -> None:
        self._options = options
        transport = httpx.HTTPTransport(uds=str(options.socket)) if options.socket else None
        base = "http://localhost" if options.socket else options.url
        self._http = httpx.Client(
            base_url=base, headers=options.all_headers(), timeout=options.timeout_s, transport=transport,
            verify=options.verify(),
        )  # fmt: skip

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def call(
        self, method: str, where: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None,
        content: bytes | None = None, media_type: str = "", key: str | None = None, keyed: bool = False,
        if_match: str | None = None,
    ) -> Any:  # fmt: skip
        """The document that is answered. Raises ProblemError and Unreachable."""
        one = _call(method, where, query, body, content, media_type, key, keyed, if_match)
        for attempt in range(1, self._options.attempts + 1):
            response, error = None, None
            try:
                response = self._http.request(one.method, one.path, **one.arguments)
            except httpx.TransportError as caught:
                error = caught
            if attempt < self._options.attempts and _may_go_on(one, response, error):
                time.sleep(self._options.wait(attempt, response))
                continue
            if response is not None:
                return _answer(response)
            raise Unreachable(f"{method} {where}: {error or 'nobody answers'}") from error
        raise AssertionError("there is at least one attempt")

    def pages(self, where: str, rows: str, *, query: Mapping[str, Any]) -> Iterator[Any]:
        """The rows of all pages."""
        after: str | None = None
        while True:
            page = self.call("GET", where, query={**query, "after": after})
            yield from page[rows]
            after = page["next"]
            if after is None:
                return

    def stream(self, where: str, *, query: Mapping[str, Any]) -> Iterator[Any]:
        """Events as they come, for ever; behind the last one again after a stream has broken off."""
        reader, attempt = Reader(query.get("after")), 0
        while True:
            try:
                yield from self._one_stream(where, query, reader)
                attempt = 0
            except httpx.TransportError as error:
                attempt += 1
                if attempt >= self._options.attempts:
                    raise Unreachable(f"{where}: {error}") from error
            except ProblemError as problem:
                attempt += 1
                if problem.status not in TRY_AGAIN or attempt >= self._options.attempts:
                    raise
            time.sleep(max(reader.retry_s, self._options.wait(max(attempt, 1), None)))

    def _one_stream(self, where: str, query: Mapping[str, Any], reader: Reader) -> Iterator[Any]:
        reader.begin()
        with self._http.stream("GET", where, **_streamed(query, reader)) as response:
            if not response.is_success:
                response.read()
                _answer(response)
            yield from reader.take(response.iter_lines())


class AsyncCaller:
    """The same, awaited."""

    def __init__(self, options: Options) -> None:
        self._options = options
        transport = httpx.AsyncHTTPTransport(uds=str(options.socket)) if options.socket else None
        base = "http://localhost" if options.socket else options.url
        self._http = httpx.AsyncClient(
            base_url=base, headers=options.all_headers(), timeout=options.timeout_s, transport=transport,
            verify=options.verify(),
        )  # fmt: skip

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def call(
        self, method: str, where: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None,
        content: bytes | None = None, media_type: str = "", key: str | None = None, keyed: bool = False,
        if_match: str | None = None,
    ) -> Any:  # fmt: skip
        """See Caller."""
        one = _call(method, where, query, body, content, media_type, key, keyed, if_match)
        for attempt in range(1, self._options.attempts + 1):
            response, error = None, None
            try:
                response = await self._http.request(one.method, one.path, **one.arguments)
            except httpx.TransportError as caught:
                error = caught
            if attempt < self._options.attempts and _may_go_on(one, response, error):
                await asyncio.sleep(self._options.wait(attempt, response))
                continue
            if response is not None:
                return _answer(response)
            raise Unreachable(f"{method} {where}: {error or 'nobody answers'}") from error
        raise AssertionError("there is at least one attempt")

    async def pages(self, where: str, rows: str, *, query: Mapping[str, Any]) -> AsyncIterator[Any]:
        """See Caller."""
        after: str | None = None
        while True:
            page = await self.call("GET", where, query={**query, "after": after})
            for row in page[rows]:
                yield row
            after = page["next"]
            if after is None:
                return

    async def stream(self, where: str, *, query: Mapping[str, Any]) -> AsyncIterator[Any]:
        """See Caller."""
        reader, attempt = Reader(query.get("after")), 0
        while True:
            reader.begin()
            try:
                async with self._http.stream("GET", where, **_streamed(query, reader)) as response:
                    if not response.is_success:
                        await response.aread()
                        _answer(response)
                    async for line in response.aiter_lines():
                        attempt = 0
                        event = reader.line(line)
                        if event is not None:
                            yield event
            except httpx.TransportError as error:
                attempt += 1
                if attempt >= self._options.attempts:
                    raise Unreachable(f"{where}: {error}") from error
            except ProblemError as problem:
                attempt += 1
                if problem.status not in TRY_AGAIN or attempt >= self._options.attempts:
                    raise
            await asyncio.sleep(max(reader.retry_s, self._options.wait(max(attempt, 1), None)))


def _streamed(query: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    """The arguments of a stream: behind the last event that there was."""
    params = given({**query, "after": None})
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": reader.last_id} if reader.last_id else {})}
    return {"params": params, "headers": headers, "timeout": httpx.Timeout(30.0, read=HEARTBEATS_S)}
