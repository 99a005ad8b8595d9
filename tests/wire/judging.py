"""Changed requests through the receiver, and whether what it made of each is what hashlib and the RFCs allow."""

from __future__ import annotations

import gc
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from simward.engine.outputs import RESULT
from simward.wire.radius.answer import Answerer
from simward.wire.radius.batch import ACCOUNTING, AUTH, PacketBatch
from simward.wire.radius.outcomes import DUPLICATE_IN_FLIGHT, FIRST_DROPPED, INVALID_ATTRIBUTE, OUTCOMES
from wire.asking import NOW, SECRET, Reading, sockaddr
from wire.mutating import Mutations, is_genuine

BATCH = 1_000
STATM = Path("/proc/self/statm")


def resident(pid: int | str = "self") -> int:
    """Octets of a process (this one) that are in memory."""
    if pid == "self":
        gc.collect()
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass
class Judging:
    """A receiver and its answerer under changed requests; what went wrong is kept, in words."""

    seed: int
    packets: int = 0
    genuine: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._mutations, self._reading = Mutations(self.seed, SECRET), Reading(capacity=BATCH)
        self._answerer, self._out = Answerer(self._reading.clients, {}), PacketBatch(BATCH)
        self._results = np.zeros(BATCH, RESULT)

    def judge(self, count: int) -> None:
        """So many further packets, in whole batches."""
        for _ in range(0, count, BATCH):
            self._judge_batch([self._mutations.next() for _ in range(BATCH)])

    def _judge_batch(self, packets: list[bytes]) -> None:
        reading = self._reading
        reading.batch.clear()
        for number, octets in enumerate(packets):
            kind = ACCOUNTING if octets[:1] == b"\x04" or number % 16 == 0 else AUTH
            reading.batch.add(octets, sockaddr(port=1_024 + number), kind)
        decoded = reading.receiver.decode(reading.batch, NOW + self.packets * 1_000)
        statuses = decoded.status.tolist()
        if decoded.packet_of.tolist() != [row for row, status in enumerate(statuses) if status == 0]:
            self.wrong.append(f"events of packets that were not accepted, after {self.packets:,}")
        for row, status in enumerate(statuses):
            genuine = is_genuine(packets[row], int(reading.batch.port_kind[row]), SECRET)
            self.genuine += genuine
            if genuine != (status < FIRST_DROPPED) and not (genuine and may_be_dropped(status)):
                self.wrong.append(f"{OUTCOMES[status]}, {'' if genuine else 'not '}signed: {packets[row].hex()}")
        self.seen.update(OUTCOMES[status] for status in statuses)
        reading.receiver.remember(decoded, self._results)
        answers = self._answerer.answer(reading.batch, decoded, self._results, self._out)
        if answers != sum(one < FIRST_DROPPED for one in statuses):
            self.wrong.append(f"{answers} answers, after {self.packets:,}")
        reading.texts.take_new()
        self.packets += BATCH


def may_be_dropped(status: int) -> bool:
    """What is signed is refused only for what it says, never for its signature."""
    return INVALID_ATTRIBUTE <= status <= DUPLICATE_IN_FLIGHT or OUTCOMES[status] in (
        "proxy_loop", "missing_message_authenticator",
    )
