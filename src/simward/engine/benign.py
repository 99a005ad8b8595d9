"""What people found to be benign, as the watch's journal has it: whom more is allowed, until when, who said so and why.

One verdict is in force of each device and each cohort: the newest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simward import identity
from simward.engine.behaviour.cohort_numbers import ANY, Cohort, cohort_number
from simward.engine.phrases import when
from simward.engine.words import Lexicon

DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Benign:
    """What somebody said of a finding of behaviour, and of whom that is."""

    at: int
    """us UTC, by the watch's clock."""
    finding: str
    by: str
    because: str
    until_day: int
    """The last day of it (days since 1970, UTC); 0: it is not benign after all."""
    imsi: int = 0
    cohort: Cohort | None = None

    @staticmethod
    def of(at: int, said: Mapping[str, Any]) -> Benign | None:
        """From what is journalled (own_inputs.VERDICT); None where it is about nobody any more: that was erased."""
        cohort = Cohort(*said["cohort"]) if "cohort" in said else None
        imsi = int(said.get("imsi", 0))
        if not imsi and cohort is None:
            return None
        return Benign(
            at, str(said["finding"]), str(said["by"]), str(said["because"]), int(said["until_day"]), imsi, cohort
        )

    @property
    def subject(self) -> str:
        """Of whom it is, as one text."""
        if self.cohort is not None:
            return f"cohort {cohort_number(self.cohort)}"
        return identity.imsi_text(self.imsi)

    @property
    def until(self) -> str | None:
        """The last day of it (2026-12-31, UTC); None where it was taken back."""
        return last_day(self.until_day)

    def in_force(self, now: int) -> bool:
        """Is more allowed at `now` (us UTC)?"""
        return self.until_day >= now // DAY_US

    def about(self, lexicon: Lexicon) -> str:
        """Of whom it is, in words."""
        if self.cohort is not None:
            return lexicon.cohort(cohort_number(self.cohort))
        return f"IMSI {identity.imsi_text(self.imsi)}"

    def holds_for(self, imsis: Iterable[int], kind: Kind | None, lexicon: Lexicon) -> bool:
        """Is it about one of these, or about a cohort that what they are puts them into?"""
        if self.cohort is None:
            return self.imsi in imsis
        return kind is not None and kind.is_in(self.cohort, lexicon)

    def told(self, lexicon: Lexicon, now: int) -> dict[str, Any]:
        """As JSON."""
        return {
            "finding": self.finding, "about": self.about(lexicon),
            "imsi": identity.imsi_text(self.imsi) if self.cohort is None else None,
            "at": when(self.at), "by": self.by, "because": self.because, "until": self.until,
            "in_force": self.in_force(now),
        }  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """What says into which cohorts a subscription belongs: names, and the model as TAC; empty or 0 = not known."""

    use_case: str
    tac: int
    rat: str

    def is_in(self, cohort: Cohort, lexicon: Lexicon) -> bool:
        """Does one of this kind belong to a cohort, or to a narrower one inside it?"""
        if cohort.use_case != ANY and lexicon.use_case(cohort.use_case) != self.use_case:
            return False
        if cohort.use_case == ANY and cohort.tenant != ANY and (
            lexicon.tenant(cohort.tenant) != lexicon.tenant_of(lexicon.use_case_number(self.use_case))
        ):
            return False
        rat = identity.rat_text(cohort.rat) if cohort.rat > 0 else ""
        return cohort.tac in (ANY, self.tac) and (cohort.rat == ANY or rat == self.rat)


def newest_of_each(said: Iterable[tuple[int, Mapping[str, Any]]]) -> list[Benign]:
    """Of verdicts in order, the newest about each device and each cohort, the oldest of these first."""
    kept: dict[str, Benign] = {}
    for at, one in said:
        verdict = Benign.of(at, one)
        if verdict is not None:
            kept.pop(verdict.subject, None)
            kept[verdict.subject] = verdict
    return list(kept.values())


def last_day(until_day: int) -> str | None:
    """A day as a date; None for 0."""
    return when(until_day * DAY_US)[:10] if until_day else None


def sentence(told: Mapping[str, Any]) -> str:
    """A verdict (`Benign.told`) that is in force, for people."""
    whom = f"Of its cohort ({told['about']})" if told["imsi"] is None else "Of it"
    return (
        f"{whom} more is allowed until {told['until']}: {told['by']} said on {told['at'][:10]} that {told['finding']} "
        f"is benign ({told['because']})."
    )
