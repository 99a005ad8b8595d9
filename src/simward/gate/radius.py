"""The RADIUS sockets and what speaks RADIUS on them, behind the five verbs that the loop uses."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np


class Decoded(Protocol):
    """A batch as events; the packets that they came from stay with the port."""

    events: np.ndarray


class RadiusPort(Protocol):
    """What the loop needs of the network. One batch at a time: each verb is about the batch last received."""

    numbers: tuple[int, ...]
    """File numbers to wait for."""

    def receive(self, *, accounting: bool = True) -> int:
        """Take what has come, up to a batch; how many packets."""

    def discard_accounting(self) -> int:
        """Drop what has come on the accounting port, so that it will be sent again; how many packets."""

    def decode(self, now: int) -> Any:
        """The batch as events that are authentic, stamped `now`."""

    def remember(self, decoded: Any, results: np.ndarray) -> None:
        """Keep the requests, to tell retransmissions."""

    def answer(self, decoded: Any, results: np.ndarray, now: int, *, without: np.ndarray | None = None) -> int:
        """Sign and send the answers, but none to the events marked in `without`; how many were sent."""

    def refuse(self, decoded: Any, text: str, now: int, *, without: np.ndarray | None = None) -> int:
        """Reject every Access-Request of the batch, saying why; how many were sent."""
