"""An incident told in plain words, with its evidence: what happened, why, what was done with what proof, what is open.

From the registry; and, where few subscriptions are concerned, from their stories in the journal (engine/story.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from simward.engine.chapters import changes_text, finding_sentence
from simward.engine.phrases import error_cause_text, when
from simward.engine.together import is_about, sentence
from simward.registry import incidents as kept
from simward.registry import tables as t
from simward.response import grouping as g
from simward.response.incident_life import count, told

STORIES_MOST = 3
"""Of so many subscriptions is the journal's story told; of more, what they have in common."""
LISTED_MOST = 10
AROUND_US = g.HOUR_US
"""What fell silent so long before or after belongs to the story."""
CUTTING = ("quarantine", "refuse", "lock")
"""Responses that keep a subscription out of its network."""
PLACE_FACTS = ("network", "area", "cell", "rat", "gateway")
Chapters = Sequence[Mapping[str, Any]]


@dataclass
class Section:
    """A question, and what is known about it: lines of (when, text); when is empty where no time belongs to it."""

    title: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    def add(self, at: str | int | None, text: str) -> None:
        """One more line."""
        self.lines.append((when(at) if isinstance(at, int) else at or "", text))

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {"question": self.title, "answers": [{"at": at or None, "text": text} for at, text in self.lines]}


def subscriptions_of(connection: sa.Connection, number: int) -> list[str]:
    """The IMSIs of an incident, at most one more than are told one by one."""
    f = t.finding.c
    found = sa.select(f.imsi).where(f.incident == number, f.imsi.is_not(None)).distinct().order_by(f.imsi)
    return list(connection.execute(found.limit(STORIES_MOST + 1)).scalars())


def story(connection: sa.Connection, row: kept.Incident, chapters: Mapping[str, Chapters]) -> list[Section]:
    """The sections, in the order in which one asks. `chapters` by IMSI: what the journal says of a subscription."""
    findings = kept.findings(connection, row.number)
    sections = [_happened(connection, row, findings)]
    for imsi, told_of in chapters.items():
        mine = [one for one in findings if one.imsi == imsi]
        sections += _of_one(connection, imsi, mine, told_of, several=len(chapters) > 1)
    sections += [_silent(connection, row)] if not chapters else []
    effects = kept.effects(connection, row.number)
    sections += [_done(connection, row, effects), _told_whom(connection, row), _life(connection, row)]
    return [*(one for one in sections if one.lines), _open(connection, row)]


def document(connection: sa.Connection, row: kept.Incident, sections: Sequence[Section]) -> dict[str, Any]:
    """The whole of an incident as JSON."""
    return {
        **told(row),
        "story": [one.told() for one in sections],
        "evidence": [one.document for one in kept.findings(connection, row.number)],
        "effects": [_plain(one) for one in kept.effects(connection, row.number)],
        "parties": [_plain(one) for one in kept.parties(connection, row.number)],
        "entries": [_plain(one) for one in kept.entries(connection, row.number)],
    }


def _plain(row: Any) -> dict[str, Any]:
    return {
        name: when(value) if value is not None and (name == "at" or name.endswith("_at")) else value
        for name, value in row._mapping.items()
    }


def _happened(connection: sa.Connection, row: kept.Incident, findings: Sequence[Any]) -> Section:
    section = Section("What happened")
    f = t.finding.c
    counted = sa.select(f.detector, f["class"], f.use_case, sa.func.count(), sa.func.min(f.began_at)).where(
        f.incident == row.number
    )
    if row.findings <= LISTED_MOST:
        for one in findings:
            section.add(one.began_at, finding_sentence(one.document))
    else:
        grouped = counted.group_by(f.detector, f["class"], f.use_case).order_by(sa.func.min(f.began_at))
        for detector, class_name, use_case, number, first in connection.execute(grouped):
            name = f"{detector}/{class_name}" if class_name else detector
            section.add(first, f"{name} from then on, {number} times{f' in {use_case}' if use_case else ''}.")
        section.add(None, f"{count(row.subscriptions, 'subscription')} in all. The first: {findings[0].id}.")
    for one in kept.entries(connection, row.number):
        if one.what in ("break-glass", "gap", "late"):
            because = f" Because: {one.facts['because']}." if one.facts and one.facts.get("because") else ""
            section.add(one.at, one.text + because)
    return section


def _of_one(
    connection: sa.Connection, imsi: str, findings: Sequence[Any], chapters: Chapters, several: bool
) -> list[Section]:
    """What dropped the device off, did it come back elsewhere, did anything else change, what else fell silent."""
    of = f" ({imsi})" if several else ""
    off, back = Section(f"What dropped the device off{of}"), Section(f"Did it come back, and where{of}")
    other, silent = Section(f"Did anything else change{of}"), Section(f"What else fell silent there{of}")
    if not findings or not chapters:
        return []
    anchor = min(one.began_at for one in findings)
    before = [one for one in chapters if one["what"] == "session" and one["from"] < when(anchor)]
    last = before[-1] if before else None
    _dropped(off, last, chapters, when(anchor))
    absent = [one for one in chapters if one["what"] in ("absence", "change") and one["at"] <= when(anchor)]
    absence = absent[-1] if absent and (last is None or absent[-1]["at"] >= last["from"]) else None
    _came_back(back, absence, chapters, when(anchor))
    changes = [one for one in (absence or {}).get("changes", ()) if one["fact"] not in PLACE_FACTS]
    if changes:
        other.add(absence["at"] if absence else None, f"Yes: {_changed(changes)}.")
    elif absence is not None:
        other.add(absence["at"], "No: device, software, address and APN are as they were.")
    if last is not None:
        facts = {key: str(value) for key, value in last.items() if isinstance(value, str)}
        _fell_silent(connection, silent, facts, anchor)
    return [off, back, other, silent]


def _dropped(section: Section, last: Mapping[str, Any] | None, chapters: Chapters, anchor: str) -> None:
    if last is None:
        section.add(None, "Nothing is known of a session before.")
        return
    name = last["session_id"] or "(unnamed)"
    if last["until"] is None:
        section.add(last["last_heard"], f"No end of session {name} was reported; that is when it was heard last.")
    elif last["until"] > anchor:
        section.add(last["until"], f"It had not dropped off: session {name} went on, and ended later: {last['ended']}.")
    else:
        section.add(last["until"], f"Session {name} ended: {last['ended']}.")
    for one in chapters:
        if one["what"] == "disconnect" and one.get("session_id") == last["session_id"] and one["at"] <= anchor:
            section.add(one["at"], one["text"])


def _came_back(section: Section, absence: Mapping[str, Any] | None, chapters: Chapters, anchor: str) -> None:
    if absence is not None:
        moved = [one for one in absence.get("changes", ()) if one["fact"] in PLACE_FACTS]
        away = absence["text"].split(",")[0].split(";")[0].rstrip(".")
        where = f"elsewhere: {_changed(moved)}" if moved else "in the same place, as far as was reported"
        section.add(absence["at"], f"{away}. It came back {where}.")
    after = [one for one in chapters if one["at"] >= anchor and one["what"] in ("refused", "quarantined", "session")]
    turned = [one for one in after if one["what"] != "session"]
    if turned:
        times = sum(one.get("times", 1) for one in turned)
        section.add(turned[0]["at"], f"{turned[0]['text']} {count(times, 'request')} so far met this.")
    up = [one for one in after if one["what"] == "session"]
    for one in up[-1:]:
        section.add(one["at"], one["text"])
    if not section.lines:
        section.add(None, "Nothing was heard of it since.")


def _changed(changes: Sequence[Mapping[str, str]]) -> str:
    return changes_text([(one["fact"], one["was"], one["now"]) for one in changes])


def _fell_silent(connection: sa.Connection, section: Section, facts: dict[str, str], anchor: int) -> None:
    f = t.finding.c
    found = sa.select(f.document, f.began_at, f.incident).where(
        f.detector.in_(g.OUTAGES), f.began_at.between(anchor - AROUND_US, anchor + AROUND_US)
    )
    for one in connection.execute(found.order_by(f.began_at)):
        if is_about(one.document, facts):
            what = f"Its gateway {one.document['gateway']} restarted. [{one.document['id']}]"
            text = what if one.document["detector"] == "gateway-restarted" else sentence(one.document)
            section.add(one.began_at, text + (f" Incident {one.incident}." if one.incident else ""))
    if not section.lines:
        section.add(None, "Nothing: no cell, gateway, network or model of its own fell silent within an hour of it.")


def _silent(connection: sa.Connection, row: kept.Incident) -> Section:
    """Of many: the outages that overlap."""
    section = Section("What else fell silent then")
    f = t.finding.c
    found = sa.select(f.document, f.began_at, f.incident).where(
        f.detector.in_(g.OUTAGES), f.began_at.between(row.opened_at - AROUND_US, row.changed_at + AROUND_US),
        sa.or_(f.incident.is_(None), f.incident != row.number),
    )  # fmt: skip
    for one in connection.execute(found.order_by(f.began_at).limit(LISTED_MOST)):
        document = one.document
        about = document["about"] or f"gateway {document['gateway']}"
        number = f" Incident {one.incident}." if one.incident else ""
        section.add(one.began_at, f"{g.title_of(g.OUTAGE, document, about)}. [{document['id']}]{number}")
    return section


def _done(connection: sa.Connection, row: kept.Incident, effects: Sequence[Any]) -> Section:
    section = Section("What was done, with what proof")
    f, s = t.finding.c, t.subscription.c
    members = sa.select(f.imsi).where(f.incident == row.number, f.imsi.is_not(None))
    locked = sa.select(s.imsi, s.locked_at, s.locked_because, s.confined)
    locked = locked.where(s.imsi.in_(members), s.locked_at.is_not(None))
    for number, one in enumerate(connection.execute(locked.order_by(s.locked_at).limit(LISTED_MOST + 1))):
        if number == LISTED_MOST:
            section.add(None, "More are locked or in quarantine.")
        else:
            what = "put into quarantine" if one.confined else "locked"
            section.add(one.locked_at, f"{one.imsi} was {what}: {one.locked_because}.")
    for one in effects[:LISTED_MOST]:
        section.add(one.at, _effect(one))
    if len(effects) > LISTED_MOST:
        stands = kept.proofs(connection, row.number)
        held = f", {stands['held']} held back by a limit" if stands["held"] else ""
        section.add(None, f"{stands['sent']} effects in all, {stands['proved']} of them proved{held}.")
    held_by = Counter(connection.execute(
        sa.select(f.held).where(f.incident == row.number, f.held.is_not(None))
    ).scalars())  # fmt: skip
    for held_name, number in sorted(held_by.items()):
        section.add(None, f"{count(number, 'response')} held back by {held_name}.")
    if not section.lines and row.findings:
        _in_force(connection, section, row)
    return section


def _in_force(connection: sa.Connection, section: Section, row: kept.Incident) -> None:
    """Where nothing is locked and nothing was sent: what requests were answered with, now or then."""
    f = t.finding.c
    found = connection.execute(
        sa.select(f.response, sa.func.count(), sa.func.min(f.began_at))
        .where(f.incident == row.number, f.held.is_(None), f.response.in_(CUTTING)).group_by(f.response)
    ).all()  # fmt: skip
    for response, number, at in sorted(found, key=lambda one: CUTTING.index(one[0])):
        section.add(at, f"The gate answered {count(number, 'finding')} with {response}; no session was to be ended.")
    if not found:
        section.add(None, "Nothing: policy asked only that somebody know.")


def _effect(one: Any) -> str:
    gateway, name = one.gateway or "its gateway", f"{one.what} of {one.imsi}"
    if one.held:
        return f"{name} held by {one.held}. [{one.id}]"
    said = {
        "ack": f"{gateway} acknowledged", "silence": f"{gateway} never answered",
        "not-sent": f"it was not sent, {gateway} takes none", "stop": "its session ended (Stop)",
        "nak": f"{gateway} refused: {error_cause_text(one.error_cause or 0) or 'no reason given'}",
    }.get(one.result or "", "no answer yet")  # fmt: skip
    proved = f" at {when(one.proved_at)[11:19]}" if one.proved_at else ""
    return f"{name}: {said}{proved}. [{one.id}]"


def _told_whom(connection: sa.Connection, row: kept.Incident) -> Section:
    section = Section("Who was told, and who answered what")
    for one in kept.parties(connection, row.number):
        text = f"{one.party} was told"
        text += f", delivered {when(one.delivered_at)[11:19]}" if one.delivered_at else ", not delivered yet"
        if one.answered_at:
            text += f"; answered {when(one.answered_at)[11:19]}"
            text += f": {one.action}" if one.action else ""
            text += f" ({one.reason})" if one.reason else ""
        elif one.deadline_at:
            late = " and is late" if one.escalated_at else ""
            text += f"; has not answered{late}, due {when(one.deadline_at)[11:19]}"
        section.add(one.told_at, f"{text}.")
    return section


LIFE = ("merged", "severity", "grown", "acknowledged", "assigned", "note", "contained", "uncontained", "escalated",
        "unanswered", "answered", "command", "released", "resolved", "judged", "reopened")  # fmt: skip


def _life(connection: sa.Connection, row: kept.Incident) -> Section:
    section = Section("How it went on")
    for one in kept.entries(connection, row.number):
        if one.what in LIFE:
            section.add(one.at, f"Note by {one.actor}: {one.text}" if one.what == "note" else one.text)
    return section


def _open(connection: sa.Connection, row: kept.Incident) -> Section:
    section = Section("What is still open")
    if row.merged_into:
        section.add(None, f"It is part of incident {row.merged_into}.")
        return section
    if row.open_findings:
        section.add(None, f"{count(row.open_findings, 'finding')} of {row.findings} last.")
    stands = kept.proofs(connection, row.number)
    if stands["sent"] > stands["proved"]:
        section.add(None, f"{stands['sent'] - stands['proved']} of {count(stands['sent'], 'effect')} not proved.")
    if kept.locked(connection, row.number):
        section.add(None, "Something is locked or in quarantine, until somebody releases it or its time is over.")
    if row.state != kept.RESOLVED and row.acknowledged_at is None:
        section.add(row.deadline_at, "To be acknowledged." if row.deadline_at else "Nobody has acknowledged it.")
    elif row.state == kept.ACKNOWLEDGED and row.deadline_at:
        section.add(row.deadline_at, f"To be contained, by {row.owner}.")
    if row.state == kept.RESOLVED and row.outcome is None:
        section.add(None, "Nobody has judged it: true-positive, benign or false-positive?")
    if not section.lines:
        section.add(None, "Nothing.")
    return section
