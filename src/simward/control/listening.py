"""Where the control plane is asked: the owner's unix socket, and TCP as soon as its address is free."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from simward import unix_sockets
from simward.control.http_connections import CONNECTIONS_MAX, Connection, HasContext, by_tls
from simward.errors import PeerError
from simward.logs import called
from simward.toml_reading import Address

log = logging.getLogger(__name__)

SOCKET_NAME = "control.sock"
BACKLOG = 128
KEEP_ALIVE_S = 10
DRAIN_S = 3
"""How long requests that are being served may go on after the stop."""
RETRY_FIRST_S, RETRY_MOST_S = 1.0, 60.0


class Server(uvicorn.Server):
    """Serves one socket; signals are for the process to take, not for each of its listeners."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None of them."""
        yield


def server(app: ASGIApp, certificate: HasContext | None = None) -> Server:
    """HTTP/1.1 alone, bounded, without a log of its own: what strangers send that is not HTTP is no line for each.

    With a `certificate` by TLS alone.
    """
    speaking = Connection if certificate is None else by_tls(certificate)
    return Server(
        uvicorn.Config(
            app, loop="asyncio", http=speaking, ws="none", lifespan="off", log_config=None, log_level="error",
            access_log=False, proxy_headers=False, server_header=False, limit_concurrency=CONNECTIONS_MAX + 1,
            backlog=BACKLOG, timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=DRAIN_S,
        )
    )  # fmt: skip


def open_local(data_dir: Path) -> socket.socket:
    """The owner's socket; PeerError where another control process has it, or it cannot be made."""
    path = data_dir / SOCKET_NAME
    if unix_sockets.somebody_listens(path):
        raise PeerError(f"another control process is already running in {data_dir}")
    try:
        return unix_sockets.listen(path, BACKLOG)
    except OSError as error:
        raise PeerError(f"cannot listen on {path}: {error.strerror or error}") from error


async def open_tcp(address: Address) -> socket.socket:
    """The address, as soon as it is free: until then it is tried again, with patience, and said in the log."""
    pause_s = RETRY_FIRST_S
    while True:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        try:
            opened = socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)
        except OSError as error:
            why = "another process has it" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
            log.error(
                "NOT SERVING %s: %s. The commands of this machine go on by %s; it is tried again in %g s "
                "([control] http in simward.toml says where, or \"none\")", address, why, SOCKET_NAME, pause_s,
                extra=called("not-serving", address=str(address)),
            )  # fmt: skip
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RETRY_MOST_S)
        else:
            opened.setblocking(False)
            # asyncio does this for connections that know their protocol's number, which these do not: head and body of
            # an answer are two writes, and the second would wait for an acknowledgement that is held back (40 ms).
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return opened


def address_of(opened: socket.socket) -> str:
    """Host and port, as a URL has them."""
    name = opened.getsockname()
    return str(Address(name[0], name[1]))
