"""What a subscription's baseline has learnt of it, as its row of BEHAVIOUR holds it: how sure it is, and what is
usual."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from simward.engine.behaviour.layouts import CENTRE_OFFSET, CHANNEL_NAMES, CHANNELS, ONE_BIT, STATE_NAMES, UNUSUAL
from simward.engine.weighing import around, range_of

if TYPE_CHECKING:
    from simward.engine.watching.state import WatchState

DAY_S = 86_400


def baseline_of(state: WatchState, row: int) -> dict[str, Any]:
    """As JSON. `usual` is its own past alone, where nineteen days of twenty lie; what its cohort has in common on a day
    comes on top. A channel of which nothing was learnt is left out."""
    one = state.behaviour[row]
    learnt = [channel for channel in range(CHANNELS) if int(one["taught"]) >> channel & 1]
    return {
        "state": STATE_NAMES[int(one["state"])],
        "learnt_days": int(one["learnt"]),
        "settled": _day(int(one["settled_day"])),
        "evidence_bits": round(int(one["total"]) / ONE_BIT, 1),
        "unusual_since": _day(int(one["since"])) if int(one["class"]) == UNUSUAL else None,
        "benign_until": _day(int(one["benign_until"])),
        "hours_of_week": sum(int(part).bit_count() for part in one["presence"]),
        "usual": {
            CHANNEL_NAMES[channel]: range_of(
                channel, around(int(one["centre"][channel]) - CENTRE_OFFSET, int(one["scale"][channel]))
            )
            for channel in learnt
        },
    }  # fmt: skip


def _day(day: int) -> str | None:
    return f"{datetime.fromtimestamp(day * DAY_S, UTC):%Y-%m-%d}" if day else None
