"""What a subscription did in a month, made into pictures: when it was connected, where it was away, what it used.

From its story as the journals tell it (engine/story.py): every session, every absence with what was different after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simward.control.console.times import SECOND_US, micros

DAY_US = 86_400 * SECOND_US
PAST_US = 30 * DAY_US
DRAWN_MOST, GAPS_SHOWN, DEVICES_SHOWN, PLACES_SHOWN = 600, 12, 8, 12
BARS_MOST = 48
SPANS_US = tuple(one * 3600 * SECOND_US for one in (1, 2, 3, 6, 12, 24))
Chapter = Mapping[str, Any]


@dataclass(frozen=True)
class Stretch:
    """A part of the line of time: from and how wide, in thousandths of it, and what a reader is told of it."""

    left: float
    width: float
    title: str
    tone: str = ""


@dataclass
class Past:
    """Everything that is drawn and listed."""

    begin: int = 0
    end: int = 0
    sessions: list[Stretch] = field(default_factory=list)
    gaps: list[Stretch] = field(default_factory=list)
    marks: list[Stretch] = field(default_factory=list)
    absences: list[Chapter] = field(default_factory=list)
    """The newest first: those after which something was different in front of the quiet ones."""
    quiet_absences: int = 0
    devices: list[dict[str, Any]] = field(default_factory=list)
    places: list[dict[str, Any]] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    count: int = 0
    uplink: int = 0
    downlink: int = 0


def past(chapters: Sequence[Chapter], now: int) -> Past:
    """Of the month before `now` (us UTC), or of as much of it as there is."""
    first = min((micros(one["at"]) for one in chapters if one["what"] in HAPPENED), default=now)
    made = Past(begin=max(first, now - PAST_US), end=now)
    sessions = [one for one in chapters if one["what"] == "session" and _until(one, now) >= made.begin]
    made.count = len(sessions)
    made.sessions = [_session(made, one) for one in sessions[-DRAWN_MOST:]]
    _absences(made, chapters)
    made.marks = [one for one in (_mark(made, chapter) for chapter in chapters[-DRAWN_MOST:]) if one is not None]
    made.devices = _seen(sessions, chapters, ("device", "software"))[:DEVICES_SHOWN]
    made.places = _seen(sessions, chapters, ("network", "area", "cell", "rat", "gateway"))[:PLACES_SHOWN]
    _usage(made, sessions)
    return made


HAPPENED = ("session", "absence", "change", "refused", "quarantined", "allowed", "finding")
MARKS = {
    "refused": "refused", "quarantined": "quarantined", "finding": "found", "locked": "locked",
    "released": "released", "change": "changed",
}  # fmt: skip
TONES = {
    "refused": "bad", "locked": "bad", "quarantined": "warn", "released": "good", "found": "warn", "changed": "busy",
}  # fmt: skip


def _until(session: Chapter, now: int) -> int:
    return micros(session["until"] or session["last_heard"] or now)


def _place(made: Past, at: int, until: int) -> tuple[float, float]:
    whole = max(1, made.end - made.begin)
    left = min(max(0, at - made.begin), whole)
    right = min(max(left, until - made.begin), whole)
    return round(1000 * left / whole, 2), round(1000 * (right - left) / whole, 2)


def _session(made: Past, one: Chapter) -> Stretch:
    left, width = _place(made, micros(one["from"]), _until(one, made.end))
    return Stretch(left, max(width, 1.2), str(one["text"]), "live" if one["until"] is None else "")


def _absences(made: Past, chapters: Sequence[Chapter]) -> None:
    changed: list[Chapter] = []
    for one in chapters:
        if one["what"] != "absence" or micros(one["at"]) + one["away_s"] * SECOND_US < made.begin:
            continue
        left, width = _place(made, micros(one["at"]), micros(one["at"]) + one["away_s"] * SECOND_US)
        if one["changes"]:
            changed.append(one)
        else:
            made.quiet_absences += 1
        made.gaps.append(Stretch(left, width, str(one["text"]), "changed" if one["changes"] else ""))
    made.gaps = made.gaps[-DRAWN_MOST:]
    made.absences = changed[::-1][:GAPS_SHOWN]


def _mark(made: Past, one: Chapter) -> Stretch | None:
    kind = MARKS.get(str(one["what"]))
    if kind is None or micros(one["at"]) < made.begin:
        return None
    return Stretch(_place(made, micros(one["at"]), micros(one["at"]))[0], 0, f"{kind}: {one['text']}", TONES[kind])


def _seen(
    sessions: Sequence[Chapter], chapters: Sequence[Chapter], facts: tuple[str, ...]
) -> list[dict[str, Any]]:  # fmt: skip
    """Each combination of these facts that a session or a request reported, the last seen first."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for one, refused in _reports(sessions, chapters):
        key = tuple(str(one.get(name) or "") for name in facts)
        if not any(key):
            continue
        at = micros(one["at"])
        known = found.setdefault(key, {**dict(zip(facts, key, strict=True)), "first": at, "last": at, "sessions": 0,
                                       "refused": 0})  # fmt: skip
        known["first"], known["last"] = min(known["first"], at), max(known["last"], at)
        known["refused" if refused else "sessions"] += int(one.get("times", 1))
    return sorted(found.values(), key=lambda one: -int(one["last"]))


def _reports(sessions: Sequence[Chapter], chapters: Sequence[Chapter]) -> Iterator[tuple[Chapter, bool]]:
    for one in sessions:
        yield one, False
    for one in chapters:
        if one["what"] in ("refused", "quarantined"):
            yield one, True


def _usage(made: Past, sessions: Sequence[Chapter]) -> None:
    """Octets by spans of time, as if each session had used them evenly: gateways report sums."""
    counted = [one for one in sessions if one["uplink_octets"] is not None or one["downlink_octets"] is not None]
    if not counted:
        return
    span = next((one for one in SPANS_US if (made.end - made.begin) / one <= BARS_MOST), SPANS_US[-1])
    first = made.begin // span * span
    times = list(range(first, made.end + 1, span))
    series = {"down": [0.0] * len(times), "up": [0.0] * len(times)}
    for one in counted:
        begin, end = micros(one["from"]), _until(one, made.end)
        for name, octets in (("down", one["downlink_octets"] or 0), ("up", one["uplink_octets"] or 0)):
            for place, share in _shares(begin, end, first, span, len(times)):
                series[name][place] += octets * share
    made.uplink, made.downlink = (round(sum(series[name])) for name in ("up", "down"))
    made.usage = {
        "kind": "bars", "unit": "octets", "times": [one // SECOND_US for one in times], "step": span // SECOND_US,
        "series": [{"label": name, "values": [round(one) for one in values]} for name, values in series.items()],
    }  # fmt: skip


def _shares(begin: int, end: int, first: int, span: int, count: int) -> Iterator[tuple[int, float]]:
    """Which spans a session lies in, and with how much of itself."""
    if end <= begin:
        if 0 <= (begin - first) // span < count:
            yield (begin - first) // span, 1.0
        return
    for place in range(max(0, (begin - first) // span), min(count - 1, (end - first) // span) + 1):
        inside = min(end, first + (place + 1) * span) - max(begin, first + place * span)
        if inside > 0:
            yield place, inside / (end - begin)
