"""A sender that nobody configured: Access-Requests from unknown addresses, as fast as one process can send them."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numba import njit

from benchmarks.load.driver import BATCH
from benchmarks.load.fleet import Fleet
from benchmarks.load.packets import STRIDE
from benchmarks.load.sessions import Traffic
from benchmarks.load.syscalls import SENDMMSG, messages, nanoseconds

SOURCES = tuple(f"127.0.0.{number}" for number in range(2, 10))
BURST_NS = 20_000_000
"""So often the flood looks up whether it is to end."""


@njit(cache=True, nogil=True)
def burst(sockets, outgoing, for_ns):  # type: ignore[no-untyped-def]
    """Send a batch on each socket in turn for a while; returns how many packets the kernel took."""
    moment = np.zeros(2, np.int64)
    end, sent = nanoseconds(moment) + for_ns, 0
    while nanoseconds(moment) < end:
        for at in range(len(sockets)):
            sent += max(0, SENDMMSG(np.int32(sockets[at]), outgoing.ctypes.data, np.uint32(BATCH), np.int32(0)))
    return sent


def flood(core: int, ports: list[int], orders: Connection) -> None:
    """Send to the ports of 127.0.0.1 in turn until told to end; then say how much was sent in how many seconds."""
    os.sched_setaffinity(0, {core})
    packets = Traffic(Fleet(BATCH), b"a-guess", 1, seed=7).auth(BATCH)
    outgoing, vectors, _ = messages(BATCH, 1)
    vectors["base"] = packets.octets.ctypes.data + np.arange(BATCH) * STRIDE
    vectors["octets"] = packets.lengths
    opened = []
    for number, source in enumerate(SOURCES):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((source, 0))
        one.connect(("127.0.0.1", ports[number % len(ports)]))
        opened.append(one)
    numbers = np.array([one.fileno() for one in opened], np.int64)
    burst(numbers[:0], outgoing, 0)
    orders.send("ready")
    orders.recv()
    sent, began = 0, time.monotonic()
    while not orders.poll():
        sent += burst(numbers, outgoing, BURST_NS)
    orders.send((sent, time.monotonic() - began))


class Flood:
    """The sender in a process of its own, on one core; quiet until `start`."""

    def __init__(self, core: int, ports: list[int]) -> None:
        context: Any = multiprocessing.get_context("spawn")
        self._orders, theirs = context.Pipe()
        self._process = context.Process(target=flood, args=(core, ports, theirs), daemon=True)
        self._process.start()
        if not self._orders.poll(60):
            raise TimeoutError("the flood did not get ready")
        self._orders.recv()

    def start(self) -> None:
        """Begin."""
        self._orders.send("go")

    def stop(self) -> tuple[int, float]:
        """End; packets sent, and in how many seconds."""
        self._orders.send("end")
        sent, seconds = self._orders.recv()
        return int(sent), float(seconds)

    def close(self) -> None:
        """Away with the process."""
        self._process.kill()
        self._process.join()
