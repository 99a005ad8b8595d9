"""A server that does nothing but answer: shows how much load the generator can make."""

from __future__ import annotations

import multiprocessing
import os
import socket
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numba import njit

from benchmarks.load.driver import BATCH
from benchmarks.load.syscalls import DONTWAIT, RECVMMSG, SENDMMSG, messages

_ADDRESS_OCTETS = 16


@njit(cache=True, nogil=True)
def answer(sockets, incoming, vectors, packets, names):  # type: ignore[no-untyped-def]
    """For ever: receive a batch, turn each request into an answer of 20 octets, send it back. It checks nothing."""
    while True:
        for at in range(len(sockets)):
            for one in range(BATCH):
                vectors[one].octets = packets.shape[1]
                incoming[one].name_octets = _ADDRESS_OCTETS
            got = RECVMMSG(np.int32(sockets[at]), incoming.ctypes.data, np.uint32(BATCH), np.int32(DONTWAIT), 0)
            for one in range(max(got, 0)):
                packets[one, 0] = 2 if packets[one, 0] == 1 else 5
                packets[one, 2], packets[one, 3] = 0, 20
                vectors[one].octets = 20
            if got > 0:
                SENDMMSG(np.int32(sockets[at]), incoming.ctypes.data, np.uint32(got), np.int32(0))


def serve(core: int, ports: Connection) -> None:
    """Bind two ports of 127.0.0.1, tell which, and answer."""
    os.sched_setaffinity(0, {core})
    opened = []
    for _ in range(2):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        one.bind(("127.0.0.1", 0))
        opened.append(one)
    incoming, vectors, packets = messages(BATCH, 512)
    names = np.zeros((BATCH, _ADDRESS_OCTETS), np.uint8)
    incoming["name"] = names.ctypes.data + np.arange(BATCH) * _ADDRESS_OCTETS
    ports.send([one.getsockname()[1] for one in opened])
    answer(np.array([one.fileno() for one in opened], np.int64), incoming, vectors, packets, names)


class Responder:
    """The server in a process of its own, on one core."""

    def __init__(self, core: int) -> None:
        context: Any = multiprocessing.get_context("spawn")
        receiving, sending = context.Pipe(duplex=False)
        self._process = context.Process(target=serve, args=(core, sending), daemon=True)
        self._process.start()
        if not receiving.poll(60):
            raise TimeoutError("the responder did not start")
        self.auth_port, self.accounting_port = receiving.recv()

    def close(self) -> None:
        """Stop it."""
        self._process.kill()
        self._process.join()
