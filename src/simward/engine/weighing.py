"""Which channels of behaviour weigh most in a finding, as its outputs carry it: packed into integers, and read again.

An output's `before[k]` and `after[k]` hold the k-th of them, `before[DAY_PLACE]` the day that was settled, and
`after[DAY_PLACE]` how many hours of it were new, one more than that (0 = not known). Amounts are log2(1 + v) in 1/1024
(behaviour/layouts.py), which is what people's words for them are made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from simward.engine.behaviour.layouts import (
    CHANNEL_NAMES,
    DOWN,
    FAILED,
    HOURS,
    SESSION_TIME,
    SESSIONS,
    SHARE_OFFSET,
    UP,
    UP_SHARE,
)
from simward.engine.phrases import octets, span

TOLD = 3
"""So many channels are told."""
DAY_PLACE = TOLD
LESS = 64
DEVIATIONS = 2
"""A range is so many standard deviations to either side: nineteen days of twenty lie in it."""
MOST_16, MOST_DAYS = 0xFFFF, 0xFF
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Weight:
    """One channel: the day's amount, what is usual for the device and for its peers (low and high), all Q10; how many
    days its evidence has gathered, and how much that is (bits in Q8)."""

    channel: int
    less: bool
    value: int
    usual: tuple[int, int]
    peers: tuple[int, int] | None
    days: int
    bits: int


def put_weights(output: Any, weights: Sequence[Weight], day: int, new_hours: int | None = None) -> None:
    """Write them into an OUTPUT row. `new_hours`: of the day, in which there was never traffic on that day of the week
    before."""
    for place, one in enumerate(weights[:TOLD]):
        named = one.channel + 1 | (LESS if one.less else 0)
        low, high = one.peers or (0, 0)
        output["before"][place] = _packed(named, one.value, *one.usual)
        output["after"][place] = _packed(min(one.days, MOST_DAYS), one.bits, low, high) | (0 if one.peers else 1 << 56)
    output["before"][DAY_PLACE] = day
    output["after"][DAY_PLACE] = 0 if new_hours is None else new_hours + 1


def weights_of(output: Any) -> tuple[list[Weight], int]:
    """The reverse; empty, 0 where the output carries none."""
    found = []
    for place in range(TOLD):
        before, after = int(output["before"][place]), int(output["after"][place])
        if not before:
            break
        named, value, low, high = _parts(before)
        days, bits, peer_low, peer_high = _parts(after)
        peers = None if days >> 8 else (peer_low, peer_high)
        found.append(
            Weight((named & ~LESS) - 1, bool(named & LESS), value, (low, high), peers, days & MOST_DAYS, bits)
        )
    return found, int(output["before"][DAY_PLACE])


def told(output: Any) -> list[dict[str, Any]] | None:
    """As JSON; None where the output carries none. Octets, seconds, or how many, by the channel."""
    weights, day = weights_of(output)
    return [_told(one, day) for one in weights] or None


def new_hours(output: Any) -> int | None:
    """In how many of the day's hours it had traffic for the first time on such a day of the week; None = not known."""
    return int(output["after"][DAY_PLACE]) - 1 if output["after"][DAY_PLACE] else None


def new_hours_text(count: int) -> str:
    """The same in words."""
    hours = "an hour" if count == 1 else f"{count} hours"
    return f"traffic in {hours} of the week in which it never had any before"


def sentence(one: dict[str, Any]) -> str:
    """One of `told` in words."""
    name = one["channel"]
    ranges = [f"usually {range_text(name, one['usual'])}"]
    if one["peers"]:
        ranges.append(f"its peers {range_text(name, one['peers'])}")
    return f"{LABELS[name]} {amount_text(name, one['value'])} ({', '.join(ranges)}; since {one['since']})"


LABELS = {
    "up": "octets up", "down": "octets down", "sessions": "sessions", "session-time": "time in sessions",
    "hours": "hours with traffic", "failed": "requests without a session", "up-share": "share of octets that went up",
}  # fmt: skip
assert tuple(LABELS) == CHANNEL_NAMES
assert (UP, DOWN, SESSIONS, SESSION_TIME, HOURS, FAILED, UP_SHARE) == tuple(range(len(LABELS)))


def amount_text(channel: str, amount: int) -> str:
    """An amount of a channel, as people say it."""
    if channel in ("up", "down"):
        return octets(amount)
    if channel == "up-share":
        return f"{amount / 10:g} %"
    return span(amount * 1_000_000) if channel == "session-time" else str(amount)


def range_text(channel: str, ends: dict[str, int]) -> str:
    """From the low to the high end."""
    low, high = amount_text(channel, ends["low"]), amount_text(channel, ends["high"])
    return low if low == high else f"{low} to {high}"


def amount_of(channel: int, q10: int) -> int:
    """What a feature's number stands for: octets, seconds, how many, or thousandths (UP_SHARE)."""
    if channel == UP_SHARE:
        return round(1000 / (1 + 2 ** ((SHARE_OFFSET - q10) / 1024)))
    return max(0, round(2 ** (q10 / 1024) - 1))


def range_of(channel: int, ends: tuple[int, int]) -> dict[str, int]:
    """Low and high end, as JSON has them."""
    return {"low": amount_of(channel, ends[0]), "high": amount_of(channel, ends[1])}


def around(centre: int, deviation: int) -> tuple[int, int]:
    """The range in which nineteen days of twenty lie, Q10."""
    return max(0, centre - DEVIATIONS * deviation), max(0, centre + DEVIATIONS * deviation)


def _told(one: Weight, day: int) -> dict[str, Any]:
    since = EPOCH + timedelta(days=day - max(0, one.days - 1))
    return {
        "channel": CHANNEL_NAMES[one.channel],
        "side": "less" if one.less else "more",
        "value": amount_of(one.channel, one.value),
        "usual": range_of(one.channel, one.usual),
        "peers": range_of(one.channel, one.peers) if one.peers else None,
        "since": f"{since:%Y-%m-%d}",
        "bits": round(one.bits / 256, 1),
    }


def _packed(first: int, *others: int) -> int:
    whole = first
    for one in others:
        whole = whole << 16 | min(max(int(one), 0), MOST_16)
    return whole


def _parts(whole: int) -> tuple[int, int, int, int]:
    return whole >> 48, whole >> 32 & MOST_16, whole >> 16 & MOST_16, whole & MOST_16
