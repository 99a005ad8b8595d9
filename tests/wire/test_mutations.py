"""Two hundred thousand changed requests: nothing falls over, nothing unsigned becomes an event, memory stays flat.

`python -m benchmarks mutations` does the same with a million.
"""

from __future__ import annotations

import pytest

from simward.wire.radius.outcomes import OUTCOMES
from wire.judging import STATM, Judging, resident

PACKETS = 200_000
WARM_UP = 50_000
GROWTH_MAX = 4 * 1024 * 1024


@pytest.mark.skipif(not STATM.exists(), reason="no /proc here: memory cannot be looked at")
def test_no_crash_no_event_unsigned_and_memory_flat() -> None:
    judging = Judging(20_260_101)
    judging.judge(WARM_UP)
    after_warm_up = resident()
    judging.judge(PACKETS - WARM_UP)
    grown = resident() - after_warm_up
    assert judging.wrong == []
    assert grown < GROWTH_MAX, f"{grown / 2**20:.1f} MiB more than after {WARM_UP:,} packets"
    assert judging.seen["accepted"] > PACKETS // 20, "the decoder behind the authenticator is reached too"
    never = {"unknown_client", "duplicate_answered", "duplicate_in_flight", "unsigned_proxy_state"}
    assert set(OUTCOMES) - set(judging.seen) <= never, judging.seen
