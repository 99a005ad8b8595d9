"""Two hundred thousand changed requests: nothing falls over, nothing unsigned becomes an event, memory stays flat."""

from __future__ import annotations

import gc
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from simward.engine.outputs import RESULT
from simward.wire.radius.answer import Answerer
from simward.wire.radius.batch import ACCOUNTING, AUTH, PacketBatch
from simward.wire.radius.outcomes import DUPLICATE_IN_FLIGHT, FIRST_DROPPED, INVALID_ATTRIBUTE, OUTCOMES
from wire.asking import NOW, SECRET, Reading, sockaddr
from wire.mutating import Mutations, is_genuine

PACKETS = 200_000
WARM_UP = 50_000
BATCH = 1_000
GROWTH_MAX = 4 * 1024 * 1024
STATM = Path("/proc/self/statm")


def resident() -> int:
    """Octets of this process that are in memory."""
    gc.collect()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not STATM.exists(), reason="no /proc here: memory cannot be looked at")
def test_no_crash_no_event_unsigned_and_memory_flat() -> None:
    mutations, reading = Mutations(20_260_101, SECRET), Reading(capacity=BATCH)
    answerer, out = Answerer(reading.clients, {}), PacketBatch(BATCH)
    results = np.zeros(BATCH, RESULT)
    seen: Counter[str] = Counter()
    after_warm_up = 0
    for done in range(0, PACKETS, BATCH):
        if done == WARM_UP:
            after_warm_up = resident()
        packets = [mutations.next() for _ in range(BATCH)]
        reading.batch.clear()
        for number, octets in enumerate(packets):
            kind = ACCOUNTING if octets[:1] == b"\x04" or number % 16 == 0 else AUTH
            reading.batch.add(octets, sockaddr(port=1_024 + number), kind)
        decoded = reading.receiver.decode(reading.batch, NOW + done * 1_000)
        statuses = decoded.status.tolist()
        assert decoded.packet_of.tolist() == [row for row, status in enumerate(statuses) if status == 0]
        for row, status in enumerate(statuses):
            genuine = is_genuine(packets[row], int(reading.batch.port_kind[row]), SECRET)
            if status < FIRST_DROPPED:
                assert genuine, (OUTCOMES[status], packets[row].hex())
            elif genuine:  # signed, and still not taken: only for what it says, never for its signature
                assert INVALID_ATTRIBUTE <= status <= DUPLICATE_IN_FLIGHT or OUTCOMES[status] in (
                    "proxy_loop", "missing_message_authenticator",
                ), (OUTCOMES[status], packets[row].hex())
        seen.update(OUTCOMES[status] for status in statuses)
        reading.receiver.remember(decoded, results)
        assert answerer.answer(reading.batch, decoded, results, out) == sum(one < FIRST_DROPPED for one in statuses)
        reading.texts.take_new()
    grown = resident() - after_warm_up
    assert grown < GROWTH_MAX, f"{grown / 2**20:.1f} MiB more than after {WARM_UP:,} packets"
    assert seen["accepted"] > PACKETS // 20, "the decoder behind the authenticator is reached too"
    assert set(OUTCOMES) - set(seen) <= {"unknown_client", "duplicate_answered", "duplicate_in_flight"}, seen
