"""Webhooks: CloudEvents over HTTP, signed as Standard Webhooks has it, sent only to addresses that are permitted.

Nothing of the environment counts (no proxies, no .netrc), no redirect is followed, no cookie is kept: a transport
alone sends, without a client around it. Every step has a deadline, and of an answer only the status is of interest.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import re
import ssl
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from simward import __version__
from simward.connectors.cloudevents import Event, binary, structured
from simward.connectors.connector import Outcome
from simward.connectors.reaching import addresses_of
from simward.connectors.signing import signed_headers
from simward.errors import ConfigurationError, PeerError, Problem
from simward.logs import called
from simward.settings import Endpoint
from simward.settings_outward import signing_key

log = logging.getLogger(__name__)

CONNECT_WITHIN_S, WRITE_WITHIN_S, READ_WITHIN_S = 5.0, 5.0, 15.0
ANSWER_WITHIN_S = 20.0
"""The whole of an attempt; Standard Webhooks recommends 15 to 30 s."""
ANSWER_OCTETS_MAX = 64 * 1024
"""More of an answer's body than this is not read: the connection is closed instead."""
KEEP_CONNECTION_S = 20.0
LOOK_UP_EVERY_S = 30.0
ADDRESSES_TRIED = 3
ERROR_CHARACTERS_MAX = 200
if importlib.util.find_spec("sniffio") is None:
    # httpcore asks for it at every step of every request; Python would look through the disk each time. None says that
    # it is not there (The import system, 5.3.1).
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
USER_AGENT = f"simward/{__version__}"


class Webhook:
    """One endpoint that takes webhooks."""

    def __init__(self, endpoint: Endpoint) -> None:
        """ConfigurationError where the URL is none; OSError and ssl.SSLError where `ca_file` cannot be used."""
        self._name = endpoint.name
        try:
            self._url = httpx.URL(endpoint.url)
            self._host = self._url.host  # it is decoded (IDNA) each time it is asked for, and may be none then
        except (httpx.InvalidURL, ValueError) as error:
            problem = Problem("simward.toml", 0, f"endpoint.{endpoint.name}.url", f"is no URL: {error}")
            raise ConfigurationError([problem]) from None
        self._write = binary if endpoint.mode == "binary" else structured
        self._keys = [signing_key(one) for one in (endpoint.secret, endpoint.previous_secret) if one]
        self._private = endpoint.allow_private
        self._addresses: tuple[float, Sequence[str]] = (0.0, ())
        self._connections = Connections(ssl.create_default_context(cafile=endpoint.ca_file and str(endpoint.ca_file)))

    async def send(self, event: Event, at: int) -> Outcome:
        """One attempt; `at` (us UTC) is what it is signed with."""
        headers, body = self._write(event)
        headers |= signed_headers(event.id, at // 1_000_000, body, self._keys)
        return await self.post(headers | {"user-agent": USER_AGENT, "accept": "*/*"}, body, at)

    async def post(self, headers: dict[str, str], body: bytes, at: int) -> Outcome:
        """One attempt with these headers, at `at` (us UTC)."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await self._post(headers, body, at)
        except TimeoutError:
            return self._failed(f"no answer within {ANSWER_WITHIN_S:g} s")
        except httpx.TimeoutException as error:
            return self._failed(f"too slow: {type(error).__name__}")
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            return self._failed(str(error) or type(error).__name__)
        except PeerError as error:
            return self._failed(str(error))
        except Exception as error:  # a fault of ours must not end the other endpoints' deliveries
            log.exception(
                "%s: an attempt failed in a way that nobody foresaw", self._name,
                extra=called("attempt-broke", endpoint=self._name),
            )
            return self._failed(type(error).__name__)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._connections.aclose()

    async def _post(self, headers: dict[str, str], body: bytes, at: int) -> Outcome:
        addresses = (await self._permitted())[:ADDRESSES_TRIED]
        for position, address in enumerate(addresses, 1):
            try:
                return await self._post_to(address, headers, body, at)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if position == len(addresses):
                    raise
        raise PeerError("its name has no address")

    async def _post_to(self, address: str, headers: dict[str, str], body: bytes, at: int) -> Outcome:
        request = httpx.Request("POST", self._url, headers=headers, content=body)
        # The address that was checked is what is connected to; Host, SNI and the certificate's name stay the URL's.
        request.url = self._url.copy_with(host=address)
        request.extensions = {
            "sni_hostname": self._url.raw_host.decode("ascii"),
            "timeout": {
                "connect": CONNECT_WITHIN_S, "write": WRITE_WITHIN_S, "read": READ_WITHIN_S, "pool": ANSWER_WITHIN_S,
            },
        }  # fmt: skip
        async with self._connections.one() as transport:
            response = await transport.handle_async_request(request)
            try:
                await _read_off(response)
            finally:
                await response.aclose()
        return _outcome(response, at)

    async def _permitted(self) -> Sequence[str]:
        looked_up, addresses = self._addresses
        if not addresses or time.monotonic() - looked_up > LOOK_UP_EVERY_S:
            port = self._url.port or (443 if self._url.scheme == "https" else 80)
            addresses = await addresses_of(self._host, port, self._private)
            self._addresses = (time.monotonic(), addresses)
        return addresses

    def _failed(self, error: str) -> Outcome:
        self._addresses = (0.0, ())  # it may have moved
        return Outcome(None, _printable(error))


class Connections:
    """Connections to one endpoint, each a transport of its own: the last one used is the next to be used.

    One pool of many looks at each of its connections for every request, which took longer than the request itself.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._idle: deque[tuple[float, httpx.AsyncHTTPTransport]] = deque()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        """One that nobody else uses; what has been idle for long is closed."""
        transport = self._idle.pop()[1] if self._idle else self._new()
        try:
            yield transport
        finally:
            self._idle.append((time.monotonic(), transport))
            while self._idle and self._idle[0][0] < time.monotonic() - KEEP_CONNECTION_S:
                await self._idle.popleft()[1].aclose()

    async def aclose(self) -> None:
        """Close those that are idle; nobody uses any."""
        while self._idle:
            await self._idle.pop()[1].aclose()

    def _new(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_CONNECTION_S)
        return httpx.AsyncHTTPTransport(verify=self._context, trust_env=False, limits=limits)


async def _read_off(response: httpx.Response) -> None:
    """Read a body to its end, so that the connection can be used again; give up where it is large."""
    octets = 0
    assert isinstance(response.stream, httpx.AsyncByteStream)
    async for piece in response.stream:
        octets += len(piece)
        if octets > ANSWER_OCTETS_MAX:
            return


def _outcome(response: httpx.Response, at: int) -> Outcome:
    status = response.status_code
    error = "" if 200 <= status <= 299 else f"answered {status}"
    return Outcome(status, error, retry_after_s(response.headers.get("retry-after"), at))


def retry_after_s(value: str | None, at: int) -> int | None:
    """Retry-After (RFC 9110 10.2.3) in seconds from `at` (us UTC); None where there is none that can be read."""
    if value is None:
        return None
    if re.fullmatch(r"\d{1,9}", value.strip()):
        return int(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # an hour, or a zone, of twenty digits
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0, round((moment - datetime.fromtimestamp(at / 1_000_000, UTC)).total_seconds()))


def _printable(text: str) -> str:
    """What a peer or a library said, as one line for a table."""
    return "".join(one if one.isprintable() else " " for one in text)[:ERROR_CHARACTERS_MAX]


CONNECTORS: dict[str, Callable[[Endpoint], Webhook]] = {"webhook": Webhook}
"""By the `kind` of an endpoint."""
