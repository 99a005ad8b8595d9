"""What every request passes first: it gets a correlator, has to be somebody's, and may be neither large nor too many.

Every answer leaves with what keeps browsers from being turned against whoever asked.

One application serves two listeners. Which one a request came by is known here and nowhere else: an `Edge` stands
before the application at each.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simward import logs
from simward.control.access.proxies import Proxies
from simward.control.access.response_headers import protected
from simward.control.api.principals import LOCAL, Authenticator, Principal
from simward.control.api.problems import INTERNAL, Problem, no_registry, response_of
from simward.control.api.rates import Rates
from simward.control.api.scopes import BASES
from simward.control.api.wrong_tokens import WrongTokens
from simward.control.api.wrong_tokens import headers as wait_headers
from simward.control.requests import Requests
from simward.errors import RegistryError
from simward.logs import called

log = logging.getLogger(__name__)

BODY_OCTETS_MAX = 64 * 1024
LARGER_BODIES = {
    "/v1/work-orders": 2 * 1024 * 1024, "/v1/jobs": 2 * 1024 * 1024, "/v1/uploads": 16 * 1024 * 1024,
    "/policy/check": 8 * 1024 * 1024, "/policy/propose": 8 * 1024 * 1024,
}  # fmt: skip
"""A swap of ten thousand by file is one request, and so is a fleet."""
AT_ONCE = 128
OPEN_TO_ALL = (
    "/healthz", "/readyz", "/sign-in", "/sign-in/code", "/sign-in/openid", "/sign-in/openid/callback", "/oauth2/token",
)  # fmt: skip
OPEN_BELOW = ("/first/", "/static/")
NO_PAGES = ("/v1/", "/healthz", "/readyz", "/metrics", "/oauth2/", *(f"{base}/" for base in BASES.values()))
"""What programs ask for: they are never sent to a form."""
CORRELATOR = re.compile(rb"[A-Za-z0-9_:;./<>{}-]{1,256}")
"""As CAMARA has it (Commonalities, x-correlator): what is not of this form is replaced."""


class Edge:
    """Stands between a listener and the application."""

    def __init__(
        self, app: ASGIApp, authenticators: Sequence[Authenticator] | None, *, secure: bool = False,
        requests: Requests | None = None, proxies: Proxies | None = None,
    ) -> None:  # fmt: skip
        """`authenticators` None: the listener is the owner's own socket, and whoever comes by it is the owner.

        `secure`: browsers come by TLS, here or at a proxy in front. `requests`: where they are counted.
        """
        self._app, self._authenticators, self._secure = app, authenticators, secure
        self._proxies = proxies
        self._wrong, self._rates, self._requests = WrongTokens(), Rates(), requests or Requests()
        self._now = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] != "http":
            raise RuntimeError(f"the listener passed on {scope['type']!r}; it is to serve HTTP alone")
        headers = {name.lower(): value for name, value in scope["headers"]}
        correlator = headers.get(b"x-correlator", b"")
        if not CORRELATOR.fullmatch(correlator):
            correlator = str(uuid.uuid4()).encode()

        begun, private, left = False, True, list[tuple[bytes, bytes]]()
        came_at = time.monotonic()

        async def correlated(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self._requests.note(scope, message["status"], time.monotonic() - came_at)
                said = protected(message.get("headers", ()), secure=self._secure, private=private)
                message["headers"] = [*said, (b"x-correlator", correlator), *left]
            await send(message)

        logs.correlator.set(correlator.decode())
        self._now += 1
        self._requests.now += 1
        try:
            principal = await self._admit(scope, headers)
            private = not scope["path"].startswith("/static/")
            left += self._rates.count(principal)
            scope["state"] = {**scope.get("state", {}), "principal": principal, "correlator": correlator.decode()}
            await self._app(scope, _bounded(receive, _octets_max(scope)), correlated)
        except Problem as problem:
            await _answer_of(problem, scope, headers)(scope, receive, correlated)
        except Exception:  # ours, whatever it is: the caller gets a problem, the log the rest
            log.exception(
                "%s %s failed (x-correlator %s)", scope["method"], scope["path"], correlator.decode(),
                extra=called("request-failed", method=scope["method"], path=scope["path"]),
            )
            if not begun:
                await response_of(INTERNAL)(scope, receive, correlated)
        finally:
            self._now -= 1
            self._requests.now -= 1

    async def _admit(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Principal | None:
        """Who asks; None for what is open to everybody. Raises Problem."""
        if self._now > AT_ONCE:
            self._requests.busy += 1
            wait = {"Retry-After": "1"}
            raise Problem(503, "busy", "Too many requests at once", f"{AT_ONCE} are being served", headers=wait)
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > _octets_max(scope):
            raise _too_large(_octets_max(scope))
        if self._proxies is not None:
            self._proxies.hold(scope, headers)
        if self._authenticators is None:
            return LOCAL
        if scope["path"] in OPEN_TO_ALL or scope["path"].startswith(OPEN_BELOW):
            return None
        return await self._known(self._authenticators, scope, headers)

    async def _known(
        self, authenticators: Sequence[Authenticator], scope: Scope, headers: Mapping[bytes, bytes]
    ) -> Principal:
        """Whoever shows who it is; an address that was wrong too often is not even heard. Raises Problem."""
        shows = b"authorization" in headers
        address = scope["client"][0] if scope.get("client") else ""
        wait_s = self._wrong.wait_s(address) if shows else 0
        if wait_s:
            said = f"Too many wrong tokens came from this address; try again in {wait_s} s."
            raise Problem(429, "wrong-tokens", "Too many wrong tokens", said, headers=wait_headers(wait_s))
        try:
            for one in authenticators:
                principal = await one.authenticate(headers)
                if principal is not None:
                    return principal
        except RegistryError as error:
            raise no_registry(error) from None
        challenge = "Bearer"
        if shows:
            self._wrong.note(address)
            self._requests.wrong_tokens += 1
            challenge = 'Bearer error="invalid_token"'  # RFC 6750 3.1
        raise Problem(
            401, "unauthenticated", "Who are you?", "This address serves only callers that show who they are.",
            headers={"WWW-Authenticate": challenge},
        )  # fmt: skip


def _answer_of(problem: Problem, scope: Scope, headers: Mapping[bytes, bytes]) -> Response:
    """The problem; a person who would see a page, and is not known, is sent to where one signs in."""
    wants_page = b"text/html" in headers.get(b"accept", b"") and not scope["path"].startswith(NO_PAGES)
    if problem.status_code != 401 or not wants_page or scope["method"] not in ("GET", "HEAD"):
        return response_of(problem)
    asked = scope.get("query_string", b"").decode("latin-1")
    path = scope["path"] + (f"?{asked}" if asked else "")
    return RedirectResponse(f"/sign-in?next={quote(path, safe='/')}" if path != "/" else "/sign-in", 303)


def _octets_max(scope: Scope) -> int:
    """How large a body may be."""
    return LARGER_BODIES.get(scope["path"], BODY_OCTETS_MAX)


def _bounded(receive: Receive, most: int) -> Receive:
    """A body that ends in an error where it becomes too large, whatever its Content-Length said."""
    octets = 0

    async def bounded() -> Message:
        nonlocal octets
        message = await receive()
        octets += len(message.get("body", b""))
        if octets > most:
            raise _too_large(most)
        return message

    return bounded


def _too_large(most: int) -> Problem:
    return Problem(413, "too-large", "The request is too large", f"A body has at most {most} octets.")
