"""The control plane's life: open the owner's socket, run every part, and stop them all when told to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from fastapi import APIRouter

from simward.control import listening
from simward.control.access.certificate import Certificate
from simward.control.access.proxies import Proxies
from simward.control.api.app import make_app
from simward.control.api.commands import of_no_tenant
from simward.control.api.edge import AT_ONCE, Edge
from simward.control.api.principals import Authenticator
from simward.control.camara.errors import CamaraErrors
from simward.control.gate_link import GateLink
from simward.control.readiness import Conditions, GateConditions, Readiness
from simward.control.requests import Requests
from simward.logs import called
from simward.parentage import is_orphan
from simward.settings import Settings

log = logging.getLogger(__name__)

LOOK_FOR_PARENT_S = 0.5
STOP_WITHIN_S = 5.0
THREADS_MAX = AT_ONCE + 32
"""One for each request and for what the parts do: who reads does not wait for a thread that waits to write."""


class Part(Protocol):
    """Something that goes on for as long as the control plane runs."""

    async def run(self) -> None:
        """Until cancelled. Where it raises, the whole process ends with that error, and is started again."""


class Control:
    """One control plane: its parts, and what they offer to others."""

    def __init__(
        self, settings: Settings, *, parts: Sequence[Part] = (), conditions: Sequence[Conditions] = (),
        routes: Sequence[APIRouter] = (), authenticators: Sequence[Authenticator] = (),
        tenant_of: Callable[[str], str | None] = of_no_tenant, secure: bool = False,
        certificate: Certificate | None = None, welcome: Callable[[str], Awaitable[None]] | None = None,
        requests: Requests | None = None,
    ) -> None:
        """`parts` run beside the listeners; `conditions` are asked for /readyz, beside those of the gate.

        `tenant_of` gives the tenant of the subscription with this ICCID, for callers who are bound to one. `welcome` is
        told the URL once it is served; `secure`: browsers come by TLS, here (`certificate`) or at a proxy; `requests`:
        where they are counted.
        """
        self.gate = GateLink(settings.data_dir)
        self._settings, self._parts = settings, list(parts)
        self._authenticators, self._secure, self._welcome = list(authenticators), secure, welcome
        self._requests = requests or Requests()
        self._certificate = certificate
        if certificate is not None:
            self._parts.append(certificate)
            conditions = [*conditions, certificate]
        self._began = time.monotonic()
        self._http = ""
        self.app = make_app(
            self.gate, settings.data_dir, Readiness([GateConditions(self.gate), *conditions]), self.status, routes,
            tenant_of,
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        """What the process says of itself."""
        return {
            "pid": os.getpid(),
            "uptime_s": round(time.monotonic() - self._began, 1),
            "http": self._http or None,
            "http_wanted": None if self._settings.control.http is None else str(self._settings.control.http),
        }

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping`. Raises PeerError where it cannot listen, and whatever a part raises."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS_MAX, "asked"))
        local = listening.open_local(self._settings.data_dir)
        local_server = listening.server(CamaraErrors(Edge(self.app, None, requests=self._requests)))
        servers = [local_server]
        try:
            async with asyncio.TaskGroup() as group:
                tcp = group.create_task(self._serve_tcp(servers))
                serving = [group.create_task(local_server.serve([local])), tcp]
                running = [group.create_task(part.run()) for part in self._parts]
                log.info(
                    "control plane: serving %s", self._settings.data_dir / listening.SOCKET_NAME,
                    extra=called("serving"),
                )
                await stopping.wait()
                for server in servers:
                    server.should_exit = True
                if len(servers) == 1:
                    tcp.cancel()  # it still waits for its address
                await asyncio.wait(serving, timeout=STOP_WITHIN_S)
                for one in (*serving, *running):
                    one.cancel()
        except BaseExceptionGroup as errors:
            for error in errors.exceptions[1:]:
                log.error("and %r", error, extra=called("control-failed-too"))
            raise errors.exceptions[0] from None
        finally:
            local.close()
            (self._settings.data_dir / listening.SOCKET_NAME).unlink(missing_ok=True)

    async def _serve_tcp(self, servers: list[listening.Server]) -> None:
        wanted = self._settings.control.http
        if wanted is None:
            return
        opened = await listening.open_tcp(wanted)
        self._http = f"http{'s' if self._certificate else ''}://{listening.address_of(opened)}"
        proxies = Proxies(self._settings.control)
        edge = Edge(
            self.app, self._authenticators, secure=self._secure, requests=self._requests, proxies=proxies
        )  # fmt: skip
        server = listening.server(CamaraErrors(edge), self._certificate)
        servers.append(server)
        log.info("control plane: serving %s", self._http, extra=called("serving"))
        if self._welcome is not None:
            await self._welcome(self._http)
        with contextlib.closing(opened):
            await server.serve([opened])


async def until_told(parent: int) -> asyncio.Event:
    """An event that SIGTERM, SIGINT or the end of `parent` (0 = nobody) sets."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)

    def look() -> None:
        if is_orphan(parent):
            told.set()
        else:
            loop.call_later(LOOK_FOR_PARENT_S, look)

    look()
    return told
