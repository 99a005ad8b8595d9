"""The story of one subscription, read from the journal: what was declared, what happened, what was found and done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from simward import identity
from simward.engine import events as ev
from simward.engine import outputs as out
from simward.engine.benign import Benign, Kind, newest_of_each
from simward.engine.both_journals import BothJournals
from simward.engine.chapters import Absence, Chapter, changes_text, changes_told, condensed, device_of, where_of
from simward.engine.journal import EVENTS, FINDINGS, INVENTORY, POLICY, Journal, Layout, Row, row_events, row_outputs
from simward.engine.past_sessions import FACTS, PastSession, SessionBook, facts_of
from simward.engine.phrases import span, when
from simward.engine.recorded import COMMAND_NAMES, Deeds
from simward.engine.tables import BINDING_MODES, LIFECYCLE, InventoryDelta, unpack
from simward.engine.together import Together, sentence, since_sentence
from simward.engine.words import Findings, Lexicon
from simward.errors import IdentityError

NEVER = 253_402_300_799_000_000  # the end of the year 9999
AWAY_FROM_S = 60
"""A silence between sessions that is shorter is not told as an absence."""
COMMANDS = tuple(COMMAND_NAMES)
GATEWAY_KINDS = (ev.ACCOUNTING_ON, ev.ACCOUNTING_OFF)
FOR_ALL = (*GATEWAY_KINDS, ev.COMMAND_PAUSE, ev.COMMAND_RESUME)
TAC_DIGITS = 8
PLACE_FACTS = ("device", "software", "network", "area", "cell", "rat", "gateway")


class Subject:
    """Whose story it is: every number that may stand for the subscription."""

    def __init__(self, imsis: set[int], iccid: int = 0, msisdns: set[int] | None = None) -> None:
        self.imsis, self.iccid, self.msisdns = imsis, iccid, msisdns or set()
        self.declared_msisdn = 0
        self._decisions: set[int] = set()

    @staticmethod
    def parse(text: str) -> Subject:
        """From an IMSI, ICCID or MSISDN as people type it. Digits alone may be an IMSI or an MSISDN: both are tried."""
        stripped = text.strip()
        digits = identity.SEPARATORS.sub("", stripped.rstrip("fF"))
        if digits.startswith("89") and len(digits) >= 18:
            return Subject(set(), identity.Iccid.parse(stripped).number)
        if stripped.startswith("+") or len(digits) < 14:
            return Subject(set(), 0, {identity.Msisdn.parse(stripped).number})
        try:
            return Subject({identity.Imsi.parse(stripped).number}, 0, {int("1" + digits)})
        except IdentityError:
            raise IdentityError(f"{text!r} is no IMSI (14 or 15 digits), ICCID (89...) or MSISDN (+...)") from None

    def numbers(self) -> set[int]:
        """Every number that events and outputs may name it by."""
        return {*self.imsis, *self.msisdns, *({self.iccid} if self.iccid else ())}

    def learn(self, rows: np.ndarray) -> np.ndarray:
        """The declared rows of the subscription among `rows`; their numbers are its own from now on."""
        mine = np.isin(rows["imsi"], list(self.imsis))
        if self.iccid:
            mine |= rows["iccid"] == self.iccid
        elif self.msisdns and not mine.any():
            mine |= np.isin(rows["msisdn"], list(self.msisdns))
        found = rows[mine]
        for row in found:
            self.imsis.add(int(row["imsi"]))
            self.iccid = self.iccid or int(row["iccid"])
            self.declared_msisdn = int(row["msisdn"])
            if row["msisdn"]:
                self.msisdns = {int(row["msisdn"])}
        return found

    def among_events(
        self, events: np.ndarray, with_what_concerns_all: bool = True, *, first: int = 0
    ) -> np.ndarray:
        """Positions of the events that are about it, and of what concerns all: gateway restarts, pauses.

        With `first`, the sequence of the first one, events are found too that say whose they are by a Class alone.
        """
        imsis = list(self.imsis)
        named = np.isin(events["imsi"], imsis)
        unnamed = events["imsi"] == 0
        if unnamed.any():
            aliases = [*imsis, *self.msisdns]
            named |= unnamed & (np.isin(events["user"], aliases) | np.isin(events["msisdn"], list(self.msisdns)))
        if first and len(events):
            asked = np.flatnonzero(named & (events["kind"] == ev.ACCESS_REQUEST))
            self._decisions.update((first + asked).tolist())
            by_class = unnamed & (events["class_token"] != 0)
            if by_class.any():
                named |= by_class & np.isin(events["class_token"], list(self._decisions))
        if self.iccid:
            named |= np.isin(events["kind"], COMMANDS) & (events["subject"] == self.iccid)
        if with_what_concerns_all:
            named |= np.isin(events["kind"], FOR_ALL)
        return np.flatnonzero(named)

    def among_outputs(self, outputs: np.ndarray) -> np.ndarray:
        """The outputs that are about it."""
        mine = np.isin(outputs["imsi"], list(self.imsis))
        if self.iccid:
            mine |= outputs["iccid"] == self.iccid
        return outputs[mine]


class Story:
    """Feed it every row in order with `take`; then `told` gives the whole story."""

    def __init__(self, subject: Subject, lexicon: Lexicon) -> None:
        self.subject = subject
        self._lexicon = lexicon
        self._book = SessionBook(lexicon)
        self._findings = Findings()
        self._together = Together()
        self._deeds = Deeds(lexicon)
        self._chapters: list[Chapter] = []
        self._last: dict[str, str] = {}
        self._heard_at = 0
        self._absence: Absence | None = None
        self._allowed: dict[int, Chapter] = {}
        self._told_sessions: set[int] = set()
        self.declared: dict[str, Any] = {}
        self._modes: list[int] = [0]
        self._release_rules: list[int] = [0]
        self._paused = False
        self._benign: list[dict[str, Any]] = []

    @property
    def known(self) -> bool:
        """Was it ever declared or heard of?"""
        return bool(self._chapters)

    def take(self, row: Row, layouts: Mapping[str, Layout]) -> None:
        """Pick out of one row what belongs to the story."""
        self._lexicon.take(row)
        if row.kind == POLICY:
            use_cases = unpack(row.inputs)[0]["use_cases"]
            self._modes, self._release_rules = use_cases["binding_mode"].tolist(), use_cases["release_rule"].tolist()
            self._declaration(row.at, dict(self.declared))
        elif row.kind == INVENTORY:
            self._inventory(row)
        elif row.kind == FINDINGS:
            self._together.take(row_outputs(row, layouts), self._lexicon)
        outputs = self.subject.among_outputs(row_outputs(row, layouts))
        events = row_events(row, layouts) if row.kind == EVENTS else np.zeros(0, ev.EVENT)
        positions = self.subject.among_events(events, first=row.first)
        sequences = sorted({*(row.first + positions).tolist(), *outputs["sequence"].tolist()})
        mine = set(positions.tolist())
        for sequence in sequences:
            results = outputs[outputs["sequence"] == sequence]
            event = events[sequence - row.first] if sequence - row.first in mine else None
            if event is not None:
                self._event(event, sequence, row.notes)
            self._found(results)
            if event is not None and int(event["kind"]) == ev.ACCESS_REQUEST:
                self._request(event, results, sequence)
            for result in results:
                self._chapters += self._deeds.output(result)

    def judged(self, said: Iterable[tuple[int, Mapping[str, Any]]], now: int) -> None:
        """What people said of findings of behaviour (own_inputs.VERDICT), with when, in order; those of it and of its
        cohorts are told, and as of `now` (us UTC) which are in force."""
        device = self._last.get("device", "")[:TAC_DIGITS]
        use_case, rat = self.declared.get("use_case") or "", self._last.get("rat", "")
        kind = Kind(use_case, int(device), rat) if device.isdigit() and use_case else None
        told = []
        for at, one in said:
            verdict = Benign.of(at, one)
            if verdict is not None and verdict.holds_for(self.subject.imsis, kind, self._lexicon):
                told.append((at, one))
                cohort = verdict.about(self._lexicon) if verdict.cohort is not None else ""
                self._insert(Chapter.of_verdict(verdict, cohort))
        self._benign = [one.told(self._lexicon, now) for one in newest_of_each(told) if one.in_force(now)]

    def _insert(self, chapter: Chapter) -> None:
        """A chapter that comes from elsewhere, after the last that began before it."""
        earlier = (at for at, one in enumerate(self._chapters, 1) if one.at <= chapter.at)
        self._chapters.insert(max(earlier, default=0), chapter)

    def told(self, everything: bool = False) -> dict[str, Any]:
        """The story as JSON: who, the chapters (quiet runs as one unless `everything`), how it stands, what to do."""
        chapters = [one for one in self._chapters if not one.dropped] if everything else condensed(self._chapters)
        return {
            "subscription": self._who(),
            "chapters": [one.told() for one in chapters],
            "now": self._now(),
            "could": self._could(),
        }

    def _who(self) -> dict[str, Any]:
        return {
            "imsi": [identity.imsi_text(one) for one in sorted(self.subject.imsis)],
            "iccid": identity.iccid_text(self.subject.iccid) or None,
            "msisdn": identity.msisdn_text(self.subject.declared_msisdn) or None if self.declared else None,
            **self.declared,
        }

    def _inventory(self, row: Row) -> None:
        delta = InventoryDelta.from_bytes(row.inputs)
        for declared in self.subject.learn(delta.upserts):
            self._declaration(row.at, {
                "use_case": delta.use_cases[int(declared["use_case"])],
                "state": LIFECYCLE[int(declared["state"])],
                "declared_device": identity.imei_text(int(declared["imei"])) or None,
            })  # fmt: skip
        imsis = list(self.subject.imsis)
        if imsis and np.isin(imsis, delta.removals).all():
            self._deeds.removed()
        if self.declared and np.isin(delta.removals, imsis).any():
            self._chapters.append(Chapter(row.at, "removed", "Removed from the inventory."))
            self.declared = {}

    def _declaration(self, at: int, declared: dict[str, Any]) -> None:
        """What the owner says of it, told when it changes."""
        if not declared:
            return
        number = self._lexicon.use_case_number(declared["use_case"])
        modes = {value: name for name, value in BINDING_MODES.items()}
        declared |= {
            "tenant": self._lexicon.tenant_of(number),
            "segment": self._lexicon.segment_of(number) or None,
            "binding": modes.get(self._modes[number] if 0 <= number < len(self._modes) else 0, "none"),
        }
        self._deeds.release_rule = self._release_rules[number] if number < len(self._release_rules) else 0
        if declared == self.declared:
            return
        parts = [f"binding {declared['binding']}", f"tenant {declared['tenant']}"]
        parts += [f"segment {declared['segment']}"] if declared["segment"] else []
        parts += [f"device {declared['declared_device']}"] if declared["declared_device"] else []
        parts += [f"state {declared['state']}"] if declared["state"] != "active" else []
        before = "Declared" if not self.declared else "Now declared"
        text = f"{before} as {declared['use_case']}: {', '.join(parts)}."
        self._chapters.append(Chapter(at, "declared", text, dict(declared)))
        self._deeds.declared(declared["declared_device"] or "", declared["binding"])
        self.declared = declared

    def _event(self, event: Any, sequence: int, notes: dict[str, Any]) -> None:
        kind = int(event["kind"])
        if kind in COMMANDS:
            self._deeds.command(event, sequence, notes)
        elif kind in (ev.COMMAND_PAUSE, ev.COMMAND_RESUME):
            self._paused = kind == ev.COMMAND_PAUSE
        elif kind == ev.CHANGE_RESULT:
            if event["argument"] == ev.SESSION_CONTEXT_NOT_FOUND:
                self._book.disconnected(event)
        elif kind == ev.EFFECT_RESULT:
            # A NAK for a session that the gateway does not know proves its end as well as an ACK does (RFC 5176 3.5).
            if event["cause"] == ev.EFFECT_ACK or event["argument"] == ev.SESSION_CONTEXT_NOT_FOUND:
                self._book.disconnected(event)
        elif kind in GATEWAY_KINDS:
            for session in self._book.take(event):
                self._heard_at = max(self._heard_at, session.last_at)
        elif kind == ev.ACCESS_REQUEST:
            self._heard(event)
        else:
            if (event not in self._book) and kind != ev.ACCOUNTING_STOP:
                self._heard(event)
            for session in self._book.take(event):
                self._session(session, event)

    def _heard(self, event: Any) -> None:
        """A request or a new session: was there a silence before, and what is different after it?"""
        facts, at = facts_of(event, self._lexicon), int(event["happened_at"])
        others = [one for one in self._book.live() if one.facts.get("apn") != facts.get("apn")]
        names = PLACE_FACTS if others else FACTS
        changes = [
            (name, self._last[name], facts[name]) for name in names
            if name in facts and name in self._last and self._last[name] != facts[name]
        ]  # fmt: skip
        gap = at - self._heard_at
        if self._last and not others and gap >= AWAY_FROM_S * 1_000_000:
            text = f"Away {span(gap)}"
            for one in self._book.live()[:1]:
                text = f"Silent for {span(gap)} (no end of session {one.session_id} was reported)"
            cause = self._together.explaining(self._last, self._heard_at, at)
            self._absence = Absence(self._heard_at, at, text, cause)
            self._absence.add(changes)
            self._chapters.append(self._absence.chapter)
        elif changes and self._absence and int(event["kind"]) == ev.ACCOUNTING_START and self._absence.takes(at):
            self._absence.add(changes)
        elif changes:
            text = f"Changed without an absence: {changes_text(changes)}."
            self._chapters.append(Chapter(at, "change", text, {"changes": changes_told(changes)}))
        self._last |= facts
        self._heard_at = max(self._heard_at, at)

    def _request(self, event: Any, results: np.ndarray, sequence: int) -> None:
        facts, at = facts_of(event, self._lexicon), int(event["received_at"])
        verdicts = results[results["kind"] == out.VERDICT]
        by = f"{device_of(facts)}{', ' + where_of(facts) if where_of(facts) else ''}"
        if not len(verdicts):
            text = f"Asked to connect ({by}) and was allowed; no session was reported."
            self._allowed[sequence] = Chapter(at, "allowed", text, facts, quiet=True)
            self._chapters.append(self._allowed[sequence])
            return
        verdict = verdicts[-1]
        reason = self._lexicon.reason(verdict["detector"], verdict["class"])
        word = "Refused" if int(verdict["verdict"]) == out.REJECT else "Let into quarantine"
        text = f"{word}: {reason} ({by})."
        last = self._chapters[-1] if self._chapters else None
        if last is not None and last.text == text:
            last.times, last.until = last.times + 1, at
        else:
            name = "refused" if int(verdict["verdict"]) == out.REJECT else "quarantined"
            self._chapters.append(Chapter(at, name, text, {**facts, "because": reason}))

    def _session(self, session: PastSession, event: Any) -> None:
        self._last |= session.facts
        self._heard_at = max(self._heard_at, int(event["happened_at"]))
        if id(session) in self._told_sessions:
            return
        for sequence in self._allowing(session):
            self._allowed.pop(sequence).dropped = True
        earlier = [one.session for one in self._chapters if one.session is not None]
        quiet = bool(earlier) and not session.changes and _same_place(earlier[-1], session)
        # The book holds on to every live session, and the chapter to every ended one: an id() is not used twice.
        self._told_sessions.add(id(session))
        self._chapters.append(Chapter(session.began_at, "session", session=session, quiet=quiet))

    def _allowing(self, session: PastSession) -> list[int]:
        """The request that a session came of: the one that its Class names, else those of its APN so far."""
        if session.decision:
            return [session.decision] if session.decision in self._allowed else []
        apn = session.facts.get("apn")
        return [one for one, told in self._allowed.items() if apn is None or told.facts.get("apn") in (None, apn)]

    def _found(self, results: np.ndarray) -> None:
        for merged in self._findings.take(results, self._lexicon):
            self._deeds.found(merged)
            if not any(one.finding is merged for one in self._chapters):
                at = int(results["at"][0])
                self._chapters.append(Chapter(at, "finding", self._before(merged), finding=merged))

    def _before(self, finding: dict[str, Any]) -> str:
        """What came before a silence, where that was a refusal."""
        last = next((one for one in reversed(self._chapters) if one.finding is None), None)
        if not finding["last_word"] or last is None or last.what != "refused":
            return ""
        return f"Before that: {last.text[:1].lower()}{last.text[1:]}"

    def _open_findings(self) -> list[dict[str, Any]]:
        return [one for one in self._findings if not one["ended_at"]]

    def _now(self) -> dict[str, Any]:
        live, over = self._live_and_probably_over()
        return {
            **self._deeds.now(),
            "declared": bool(self.declared),
            "paused": self._paused,
            "state": self.declared.get("state"),
            "last_heard": when(self._heard_at) if self._heard_at else None,
            "live_sessions": [one.session_id or "(unnamed)" for one in live],
            "probably_over": [one.session_id or "(unnamed)" for one in over],
            "open_findings": [f"{one['detector']}/{one['class']}" for one in self._open_findings()],
            "together": self._silent_together(bool(live)),
            "benign": self._benign,
        }

    def _silent_together(self, live: bool) -> str | None:
        """Why nothing is heard of it now, where many are silent with it. One without a session may owe nothing yet."""
        cause = self._together.explaining(self._last, self._heard_at, NEVER)
        if cause is None or cause["ended_at"]:
            return None
        return sentence(cause) if live else f"Since it was heard last: {since_sentence(cause)}"

    def _live_and_probably_over(self) -> tuple[list[PastSession], list[PastSession]]:
        """Sessions that nothing has ended; where a later one took the place in the APN, a Stop was probably lost."""
        unended = self._book.live()
        newest: dict[str, int] = {}
        for one in [*unended, *(chapter.session for chapter in self._chapters if chapter.session is not None)]:
            apn = one.facts.get("apn", "")
            newest[apn] = max(newest.get(apn, 0), one.began_at)
        over = [one for one in unended if one.began_at < newest[one.facts.get("apn", "")]]
        return [one for one in unended if one not in over], over

    def _could(self) -> list[str]:
        """Commands that fit how it stands now."""
        iccid = identity.iccid_text(self.subject.iccid)
        if not self.declared:
            return ["add a line for it to inventory.csv, then: simward apply"]
        could = ["simward resume --because TEXT"] if self._paused else []
        if self._deeds.locked or self._deeds.quarantined:
            could.append(f"simward release {iccid} --because TEXT")
        elif self._open_findings():
            could += [f"simward {name} {iccid} --because TEXT" for name in ("quarantine", "lock")]
        could += [
            f"simward benign {one['id']} --because TEXT" for one in self._open_findings()
            if one["detector"] == "unusual-behaviour"
        ]  # fmt: skip
        since = [one["channels"][0]["since"] for one in self._open_findings() if one.get("channels")]
        if since:  # the records behind what is unusual
            imsi = identity.imsi_text(min(self.subject.imsis))
            could.append(f"simward events --imsi {imsi} --since {min(since)}T00:00Z")
        if self.declared.get("state") in ("suspended", "retired"):
            could.append("set its state to active in inventory.csv, then: simward apply")
        if self._book.live():
            could.append(f"simward disconnect {iccid} --because TEXT")
        return could


def _same_place(one: PastSession, other: PastSession) -> bool:
    return all(one.facts.get(name) == other.facts.get(name) for name in FACTS)


def read_story(journal: Journal | BothJournals[Any], text: str) -> Story:
    """The story of the subscription that `text` names. Read once; twice where only the inventory knows its IMSI."""
    subject = Subject.parse(text)
    if not subject.imsis or subject.msisdns:
        look_up(journal.rows(), subject)
    return tell_story(journal, subject, journal.rows())


def tell_story(journal: Journal | BothJournals[Any], subject: Subject, rows: Iterable[Row]) -> Story:
    """The story of a subscription, from rows that hold at least everything about it."""
    story = Story(subject, Lexicon(journal.manifest))
    for row in rows:
        story.take(row, journal.layouts)
    if isinstance(journal, BothJournals):
        story.judged(journal.verdicts(), journal.newest_at)
    return story


def numbers_of(text: str, rows: Iterable[Row]) -> set[int]:
    """Every number that the subscription `text` has ever gone by, according to the inventories among `rows`."""
    subject = Subject.parse(text)
    found = subject.numbers()
    for row in rows:
        if row.kind == INVENTORY:
            subject.learn(InventoryDelta.from_bytes(row.inputs).upserts)
            found |= subject.numbers()
    return found


def look_up(rows: Iterable[Row], subject: Subject) -> None:
    """Learn a subscription's other identities from the inventory, if it is there."""
    for row in rows:
        if row.kind == INVENTORY and len(subject.learn(InventoryDelta.from_bytes(row.inputs).upserts)):
            return
