"""Times as pages show them: when, to the second and with the zone, and how long ago or how soon that is."""

from __future__ import annotations

from datetime import UTC, datetime

from simward.engine.phrases import span

SECOND_US = 1_000_000


def micros(at: int | str) -> int:
    """Microseconds since 1970 UTC, of these or of ISO 8601 as `phrases.when` writes it."""
    if isinstance(at, int):
        return at
    moment = datetime.fromisoformat(at)
    return int(moment.replace(microsecond=0).timestamp()) * SECOND_US + moment.microsecond


def exact(at: int | str) -> str:
    """`2026-03-01 14:05:09 UTC`."""
    return f"{datetime.fromtimestamp(micros(at) // SECOND_US, UTC):%Y-%m-%d %H:%M:%S} UTC"


def machine(at: int | str) -> str:
    """As `<time datetime>` has it, to the millisecond."""
    seconds, rest = divmod(micros(at), SECOND_US)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:03d}Z"


def relative(at: int | str, now: int) -> str:
    """`3 min ago`, `in 2 h`, `now`; the largest unit alone."""
    apart = micros(at) - now
    if abs(apart) < SECOND_US:
        return "now"
    largest = " ".join(span(abs(apart)).split()[:2])
    return f"in {largest}" if apart > 0 else f"{largest} ago"
