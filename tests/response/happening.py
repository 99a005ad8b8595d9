"""Facts as a test spells them out, taken by mirrors, incidents and announcements as the control process has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import sqlalchemy as sa

from simward.engine.phrases import when
from simward.engine.words import FINDING_KEYS
from simward.incident_settings import IncidentSettings
from simward.registry import incidents as kept
from simward.registry import tables as t
from simward.registry.database import Registry
from simward.response import facts as f
from simward.response.announcing import Announcing
from simward.response.incidents import Incidents
from simward.response.mirroring import Mirroring

MIDNIGHT_US = 1_795_392_000_000_000
SECOND_US = 1_000_000
METER, PHONE = "35000000000001", "35999900000007"


def imsi(number: int) -> str:
    """The test network's subscription of this number."""
    return f"00101{number:010d}"


class Happening:
    """Time stands still unless `after` moves it; every fact is one transaction."""

    def __init__(self, registry: Registry, settings: IncidentSettings | None = None) -> None:
        self.registry, self.now, self.sequence = registry, MIDNIGHT_US, 0
        self.lag_us = 0
        self.announcing = Announcing([], self.clock)
        self.incidents = Incidents(self.announcing, settings or IncidentSettings(), self.clock)
        self.mirroring = Mirroring()

    def clock(self) -> int:
        """The control process's: behind the facts by what a test says."""
        return self.now + self.lag_us

    def after(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> Self:
        """Let time pass."""
        self.now += int((seconds + 60 * minutes + 3600 * hours) * SECOND_US)
        return self

    def take(self, *facts: f.Fact) -> Happening:
        """As Following has takers take them."""
        with self.registry.writing() as connection:
            for fact in facts:
                self.mirroring.take(connection, fact)
                self.incidents.take(connection, fact)
                self.announcing.take(connection, fact)
        return self

    def tick(self) -> Happening:
        """A second of the control process."""
        with self.registry.writing() as connection:
            self.incidents.tick(connection, self.clock())
        return self

    def begins(
        self, detector: str, who: int | None, *, seen: dict[str, str] | None = None, **said: Any
    ) -> f.FindingBegan:
        """A finding of a subscription (or of none) as the journal tells it."""
        base = self._base(who)
        document = dict.fromkeys(FINDING_KEYS) | {
            "id": base["id"], "at": when(self.now), "detector": detector, "class": "", "severity": "medium",
            "tenant": "default", "imsi": base["imsi"], "iccid": base["iccid"], "use_case": base["use_case"],
            "response": "notify", "wanted": "notify", "scope": "subscription",
        }  # fmt: skip
        document |= {"class" if key == "class_" else key: value for key, value in said.items()}
        for key in ("tenant", "use_case"):
            base[key] = document[key]
        because = f"{detector}/{document['class']}" if document["class"] else detector
        return f.FindingBegan(**base, because=because, document=document, seen=seen or {})

    def found(self, detector: str, who: int | None = None, **said: Any) -> dict[str, Any]:
        """Such a finding, taken; gives its document."""
        fact = self.begins(detector, who, **said)
        self.take(fact)
        return fact.document

    def ends(self, *documents: dict[str, Any]) -> Happening:
        """Findings end."""
        for one in documents:
            base = self._base(None) | {"imsi": one["imsi"], "tenant": one["tenant"]}
            self.take(f.FindingEnded(**base, document={**one, "ended_at": when(self.now)}))
        return self

    def disconnects(self, who: int, because: str, *, held: str | None = None) -> str:
        """The gate sends a Disconnect-Request; gives the effect's id."""
        base = self._base(who)
        self.take(
            f.EffectSent(
                **base, because=because, effect=base["id"], what="disconnect", gateway="pgw1", session_id="s1",
                held=held,
            )
        )
        return str(base["id"])

    def answered(self, who: int, effect: str, result: str = "ack", error_cause: int | None = None) -> Happening:
        """The gateway says what came of it."""
        return self.take(f.EffectProved(**self._base(who), effect=effect, result=result, error_cause=error_cause))

    def stops(self, who: int) -> Happening:
        """Its session ends."""
        return self.take(f.SessionStopped(**self._base(who), session_id="s1", gateway="pgw1"))

    def locks(self, who: int) -> Happening:
        """It is refused from now on."""
        return self.take(f.Locked(**self._base(who), until=None, by_person=False))

    def quarantines(self, who: int, because: str) -> Happening:
        """A person has it confined from now on."""
        command = {"do": "quarantine", "actor": "ada", "because": because}
        return self.take(f.Quarantined(**self._base(who), until=None, command=command))

    def releases(self, who: int, was: str = "lock") -> Happening:
        """And is not any more."""
        return self.take(f.Released(**self._base(who), why="person", was=was))

    def commands(self, who: int, **command: Any) -> Happening:
        """A person's command is answered."""
        return self.take(f.CommandAnswered(**self._base(who), command=command, answer="applied"))

    def applies(self, **command: Any) -> Happening:
        """A row of a revision that somebody applied."""
        return self.take(f.PolicyApplied(**self._base(None), what="inventory", command=command))

    def _base(self, who: int | None) -> dict[str, Any]:
        self.sequence += 1
        return {
            "id": f"0/{self.sequence}/0", "at": self.now, "sequence": self.sequence, "tenant": "default",
            "imsi": None if who is None else imsi(who),
            "iccid": None if who is None else f"8900101{who:012d}",
            "use_case": None if who is None else "water-meter",
        }  # fmt: skip

    def open(self) -> list[Any]:
        """Incidents that are no part of others, unresolved, the oldest first."""
        with self.registry.reading() as connection:
            return kept.listed(connection, states=kept.UNRESOLVED)[::-1]

    def incident(self, number: int) -> Any:
        """One of them, as it now is."""
        with self.registry.reading() as connection:
            return kept.get(connection, number)

    def entries(self, number: int) -> list[str]:
        """What its story says."""
        with self.registry.reading() as connection:
            return [one.what for one in kept.entries(connection, number)]

    def announced(self, kind: str = "incident.*") -> list[tuple[str, str]]:
        """(type, id) of what was announced, in order."""
        a = t.announcement.c
        with self.registry.reading() as connection:
            found = sa.select(a.type, a.id).where(a.type.like(kind.replace("*", "%"))).order_by(a.number)
            return [(one.type, one.id) for one in connection.execute(found)]


def many(happening: Happening, detector: str, whom: Iterable[int], **said: Any) -> None:
    """The same finding about many, one after the other, in one transaction."""
    happening.take(*(happening.begins(detector, who, **said) for who in whom))
