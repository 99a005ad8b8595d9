"""The chapters of a subscription's story, each put into one plain sentence or two; quiet repetition is told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from simward.engine import weighing
from simward.engine.benign import Benign
from simward.engine.last_words import last_word_sentence
from simward.engine.past_sessions import PastSession
from simward.engine.phrases import octets, short_when, span, when
from simward.engine.together import sentence
from simward.engine.words import SHARD

RUN_FROM = 3
"""So many quiet chapters of one kind in a row are told as one."""
BACK_WITHIN_S = 60
"""So long after the request that ended an absence may the Start of its session come."""


@dataclass
class Chapter:
    """One thing in the story. `quiet` chapters say nothing new; `facts` go into the JSON form as they are."""

    at: int
    what: str
    text: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    quiet: bool = False
    dropped: bool = False
    session: PastSession | None = None
    finding: dict[str, Any] | None = None
    times: int = 1
    until: int = 0

    @classmethod
    def of_verdict(cls, one: Benign, cohort: str) -> Chapter:
        """What a person said of a finding of behaviour about it, or about its `cohort` (in words; else empty)."""
        allowed = f"and more is allowed{' of ' if cohort else ''}{cohort} until {one.until}"
        meant = f"is benign, {allowed}" if one.until else "is not benign after all"
        text = f"{one.by} said that {one.finding} {meant}: {one.because}"
        facts = {"about": one.finding, "by": one.by, "because": one.because, "until": one.until}
        return cls(one.at, "judged", text, facts | ({"cohort": cohort} if cohort else {}))

    def sentence(self) -> str:
        """What people read."""
        if self.session is not None:
            return session_sentence(self.session)
        if self.finding is not None:
            return f"{finding_sentence(self.finding)} {self.text}".rstrip()
        if self.times > 1:
            return f"{self.text} ({self.times} times until {short_when(self.until)})"
        return self.text

    def told(self) -> dict[str, Any]:
        """The chapter as JSON."""
        document: dict[str, Any] = {"at": when(self.at), "what": self.what, "text": self.sentence(), **self.facts}
        if self.times > 1:
            document |= {"times": self.times, "until": when(self.until)}
        if self.session is not None:
            document |= session_told(self.session)
        if self.finding is not None:
            document["finding"] = self.finding
        return document


class Absence:
    """A silence, and what is different after it.

    A request comes first and a Start a second later, with the address: what that adds belongs to the same chapter.
    """

    def __init__(self, since: int, until: int, opening: str, cause: dict[str, Any] | None) -> None:
        self._until, self._opening, self._cause = until, opening, cause
        self._changes: dict[str, tuple[str, str, str]] = {}
        self.chapter = Chapter(since, "absence")

    def takes(self, at: int) -> bool:
        """Is a session that begins then the one with which it came back?"""
        return 0 <= at - self._until <= BACK_WITHIN_S * 1_000_000

    def add(self, changes: Sequence[tuple[str, str, str]]) -> None:
        """What is different, or different again; then the chapter is written anew."""
        for name, was, now in changes:
            first = self._changes.pop(name, (name, was, now))[1]
            if first != now:
                self._changes[name] = (name, first, now)
        different = list(self._changes.values())
        text = self._opening
        text += f", then back with another {changes_text(different)}." if different else "; nothing changed."
        facts = {"changes": changes_told(different), "away_s": (self._until - self.chapter.at) // 1_000_000}
        if self._cause is not None:
            text, facts["because"] = f"{text} {sentence(self._cause)}", self._cause["id"]
        self.chapter.text, self.chapter.facts = text, facts
        self.chapter.quiet = not different and self._cause is None


def changes_told(changes: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
    """What changed, for JSON."""
    return [{"fact": name, "was": was, "now": now} for name, was, now in changes]


def changes_text(changes: Sequence[tuple[str, str, str]]) -> str:
    """`device A → B, cell X → Y`."""
    return ", ".join(f"{name} {was} → {now}" for name, was, now in changes)


def device_of(facts: dict[str, str]) -> str:
    """The device of some facts in words."""
    device = facts.get("device")
    if not device:
        return "a device that was not reported"
    return f"device {device} software {facts['software']}" if "software" in facts else f"device {device}"


def where_of(facts: dict[str, str]) -> str:
    """Where and how, in words; empty where nothing was reported."""
    parts = []
    if "rat" in facts or "network" in facts:
        parts.append(" in ".join(facts[name] for name in ("rat", "network") if name in facts))
    if "cell" in facts:
        parts.append(f"cell {facts['cell']}" + (f" (area {facts['area']})" if "area" in facts else ""))
    elif "area" in facts:
        parts.append(f"area {facts['area']}")
    named = (
        ("gateway", "gateway"), ("apn", "APN"), ("address", "address"), ("prefix", "prefix"),
        ("ipv6_address", "IPv6 address"), ("delegated", "delegated"),
    )  # fmt: skip
    parts += [f"{word} {facts[name]}" for name, word in named if name in facts]
    return ", ".join(parts)


def session_sentence(session: PastSession) -> str:
    """A session from its beginning to its end."""
    place = where_of(session.facts)
    text = f"Session {session.session_id or '(unnamed)'}: {device_of(session.facts)}{', ' + place if place else ''}."
    if session.decision:
        text += f" Allowed by decision {SHARD}/{session.decision}."
    if session.changes:
        shown = session.changes[:4]
        text += f" Meanwhile {changes_text([one[1:] for one in shown])}"
        rest = len(session.changes) - len(shown) + session.more_changes
        text += f" and {rest} more changes." if rest else "."
    moved = ""
    if session.uplink >= 0 or session.downlink >= 0:
        moved = f"; {octets(session.uplink)} up, {octets(session.downlink)} down"
    if session.ended_at:
        lasted = session.ended_at - session.began_at if session.duration_s < 0 else session.duration_s * 1_000_000
        return f"{text} Ended after {span(lasted)}: {session.how}{moved}."
    return f"{text} No end was reported; last heard of {short_when(session.last_at)}{moved}."


def session_told(session: PastSession) -> dict[str, Any]:
    """A session's facts for JSON."""
    return {
        "session_id": session.session_id,
        "from": when(session.began_at),
        "until": when(session.ended_at) if session.ended_at else None,
        "last_heard": when(session.last_at),
        "duration_s": session.duration_s if session.duration_s >= 0 else None,
        "ended": session.how or None,
        "uplink_octets": session.uplink if session.uplink >= 0 else None,
        "downlink_octets": session.downlink if session.downlink >= 0 else None,
        "decision": f"{SHARD}/{session.decision}" if session.decision else None,
        "multi_session_id": f"{session.multi_session:016x}" if session.multi_session else None,
        **session.facts,
        "changes": [{"at": when(at), "fact": name, "was": was, "now": now} for at, name, was, now in session.changes],
    }


def finding_sentence(finding: dict[str, Any]) -> str:
    """A finding with its evidence and what came of it."""
    name = f"{finding['detector']}/{finding['class']}" if finding["class"] else finding["detector"]
    evidence = ", ".join(f"{key} {finding[key]}" for key in ("was", "now", "expected") if finding[key] is not None)
    about = f" of segment {finding['segment']}" if finding.get("segment") else ""
    text = f"Finding {name}{about} ({finding['severity']})"
    if evidence:
        text += f": {evidence}"
    if finding.get("projection"):
        text += f"; {projected(finding['projection'])}"
    if finding.get("channels"):
        text += f"; {'; '.join(map(weighing.sentence, finding['channels']))}"
    if finding.get("new_hours"):
        text += f"; {weighing.new_hours_text(finding['new_hours'])}"
    if finding.get("last_word"):
        text += f"; {last_word_sentence(finding['last_word'])}"
    text += f". Response: {finding['response'] or 'observe'}"
    if finding["held"]:
        text += f" ({finding['wanted']} was wanted, and held by {finding['held']})"
    if finding["ended_at"] and finding["ended_at"] != finding["at"]:
        text += f". It ended {finding['ended_at'][:19].replace('T', ' ')}"
    elif not finding["ended_at"]:
        text += ". It lasts"
    return f"{text}. [{finding['id']}]"


def projected(projection: dict[str, Any]) -> str:
    """What will be at this rate, in words."""
    text = f"at this rate {projection['period_ends_with']} by the end of the period"
    if projection["month_used_up_at"]:
        used_up_at = projection["month_used_up_at"][:16].replace("T", " ")
        text += f", and the month's budget is used up by {used_up_at}"
    return text


def condensed(chapters: Sequence[Chapter]) -> list[Chapter]:
    """The story with runs of quiet sessions and absences told as one chapter each."""
    told: list[Chapter] = []
    run: list[Chapter] = []
    for chapter in [*(one for one in chapters if not one.dropped), Chapter(0, "")]:
        if chapter.quiet:
            run.append(chapter)
            continue
        told += _as_one(run)
        run = []
        told.append(chapter)
    return told[:-1]


def _as_one(run: list[Chapter]) -> list[Chapter]:
    sessions = [one.session for one in run if one.session is not None]
    if len(sessions) < RUN_FROM:
        return run
    gaps = [one.facts["away_s"] for one in run if "away_s" in one.facts]
    last = max(one.ended_at or one.last_at for one in sessions)
    up, down = (sum(max(0, getattr(one, name)) for one in sessions) for name in ("uplink", "downlink"))
    text = f"{len(sessions)} sessions like it until {short_when(last)}; {octets(up)} up, {octets(down)} down"
    if gaps:
        low, high = span(min(gaps) * 1_000_000), span(max(gaps) * 1_000_000)
        text += f"; away {low if low == high else f'{low} to {high}'} between them"
    unended = sum(not one.ended_at for one in sessions)
    if unended:
        text += f"; {unended} without a reported end"
    facts = {"sessions": len(sessions), "until": when(last), "uplink_octets": up, "downlink_octets": down}
    return [Chapter(run[0].at, "sessions", text + ".", facts)]
