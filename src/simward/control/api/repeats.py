"""`Idempotency-Key`: a write that is sent again is done once, and answered as it was.

As draft-ietf-httpapi-idempotency-key-header has it. A key is the caller's own; what is kept under it for a day is a
digest of the request, and its answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simward.control.api.asking import Asking
from simward.control.api.principals import Principal
from simward.control.api.problems import MEDIA_TYPE, Problem, invalid, response_of
from simward.registry import repeats as kept
from simward.registry.database import Registry

log = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
KEY = re.compile(r'"?([!#-\[\]-~]{1,128})"?')
"""Visible ASCII; in quotes, as the draft has it, or without."""
NEVER = ("/v1/tokens", "/v1/account", "/account", "/sign-", "/first/")
"""Their answers hold what is kept nowhere."""
ANSWER_OCTETS_MAX = 64 * 1024
PRUNED_EVERY_US = 60 * 1_000_000
AWAITED_S = 5.0
"""For how long one that is sent again waits for the first, before it is told that that is being served."""


def command_id(caller: Principal, key: str) -> str:
    """How the gate knows a command that was sent with a key: it acts once, also where the answer was never kept."""
    return "key-" + hashlib.sha256(f"{caller_of(caller)}\n{key}".encode()).hexdigest()[:32]


def caller_of(principal: Principal) -> str:
    """Whose keys these are."""
    return f"token {principal.token}" if principal.token else principal.name


class Repeats:
    """Stands before the routes."""

    def __init__(self, app: ASGIApp, registry: Registry, now: Callable[[], int]) -> None:
        self._app, self._asking, self._now = app, Asking(registry), now
        self._running: dict[tuple[str, str], _Running] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        shown = dict(scope.get("headers", ())).get(HEADER.lower().encode())
        if scope["type"] != "http" or scope["method"] != "POST" or shown is None or scope["path"].startswith(NEVER):
            await self._app(scope, receive, send)
            return
        match = KEY.fullmatch(shown.decode("latin-1"))
        if match is None:
            problem = invalid("header", HEADER, "is 1 to 128 visible characters of ASCII")
            await response_of(problem)(scope, receive, send)
            return
        mine = (caller_of(scope["state"]["principal"]), match[1])
        while mine in self._running:
            if not await self._over(self._running[mine]):
                problem = Problem(409, "in-progress", "That is being done", "A request with this key is being served.",
                                  headers={"Retry-After": "1"})  # fmt: skip
                await response_of(problem)(scope, receive, send)
                return
        running = self._running[mine] = _Running()
        try:
            await self._once(mine, scope, receive, send)
        except Problem as problem:
            await response_of(problem)(scope, receive, send)
        finally:
            self._done(mine, running)

    @staticmethod
    async def _over(running: _Running) -> bool:
        """Wait a little until that request is answered; only one that repeats it does, the others are told to."""
        if running.awaited:
            return False
        running.awaited = True
        try:
            await asyncio.wait_for(running.done.wait(), AWAITED_S)
        except TimeoutError:
            return False
        finally:
            running.awaited = False
        return True

    def _done(self, mine: tuple[str, str], running: _Running) -> None:
        running.done.set()
        if self._running.get(mine) is running:
            del self._running[mine]

    async def _once(self, mine: tuple[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        body = await _whole(receive)
        asked = b"\n".join((scope["path"].encode(), scope.get("query_string", b""), body))
        fingerprint, now = hashlib.sha256(asked).digest(), self._now()
        row = await self._asking.write(lambda c: kept.begin(c, *mine, fingerprint, now))
        if row is not None and bytes(row.fingerprint) != fingerprint:
            raise Problem(422, "key-reused", "The key is another request's", f"{HEADER}: it came with another request.")
        if row is not None and row.status is not None:
            again = Response(row.answer, row.status, {"Idempotent-Replayed": "true"}, _media_type(row.status))
            await again(scope, receive, send)
            return
        # One that was begun and not answered (a crash) is done again: commands have an id that the gate knows.
        keeping = _Keeping()
        await self._app(scope, _replayed(body, receive), keeping)
        answer = keeping.answer
        if answer is None:
            await self._asking.write(lambda c: kept.forget(c, *mine))
        else:
            await self._asking.write(lambda c: kept.answered(c, *mine, keeping.status, answer))
        self._done(mine, self._running[mine])  # who has the answer may ask again
        for message in keeping.messages:
            await send(message)


class Forgetting:
    """Removes, now and then, what need not be kept any more."""

    def __init__(self) -> None:
        self._at = 0

    def tick(self, connection: sa.Connection, now: int) -> None:
        """See Ticking."""
        if now - self._at >= PRUNED_EVERY_US:
            self._at = now
            kept.prune(connection, now)


class _Running:
    """A request that is being served."""

    def __init__(self) -> None:
        self.done, self.awaited = asyncio.Event(), False


class _Keeping:
    """Holds an answer back until it is kept."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        """Its status."""
        return int(self.messages[0]["status"])

    @property
    def answer(self) -> str | None:
        """What is to be kept: what was done, or decided against. None: nothing, it may be asked anew."""
        body = b"".join(message.get("body", b"") for message in self.messages)
        decided = 200 <= self.status < 300 or self.status == 409
        return body.decode() if decided and len(body) <= ANSWER_OCTETS_MAX else None


async def _whole(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _media_type(status: int) -> str:
    return "application/json" if status < 300 else MEDIA_TYPE
