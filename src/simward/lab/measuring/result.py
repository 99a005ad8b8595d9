"""A measurement as figures: one row a detector, one an attack and strength, each with how sure it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from simward.lab.measuring.intervals import percentile, poisson_interval, wilson_interval
from simward.lab.measuring.judges import Heard
from simward.lab.measuring.verdicts import Counted, Said, Verdicts

MILLION = 1_000_000
NOT_INSTALLED = "not installed"


@dataclass
class Recall:
    """How many of so many were found, and how soon."""

    found: int
    of: int
    p50_s: float | None = None
    p95_s: float | None = None

    @classmethod
    def over(cls, times: Iterable[float | None]) -> Recall:
        """`times`: of each to be found, seconds until it was; None = it was not."""
        every = list(times)
        hit = [one for one in every if one is not None]
        return cls(len(hit), len(every), percentile(hit, 0.5), percentile(hit, 0.95))

    @property
    def share(self) -> float | None:
        """Found of all; None where there was nothing to be found, which is no recall of 0."""
        return self.found / self.of if self.of else None

    def told(self) -> dict[str, Any]:
        """As JSON, with the share's 95 % interval."""
        low, high = wilson_interval(self.found, self.of)
        return {**asdict(self), "recall": self.share, "recall_low": low, "recall_high": high}


@dataclass
class AttackRow:
    """One attack at one strength and pace."""

    attack: str
    honest: bool
    strength: float
    pace: str
    anybody: Recall
    """Caught by any detector that should or may say so."""
    by_detector: dict[str, Recall]
    """Of each that should, as the attack names it; NOT_INSTALLED ones are left out."""
    awaited: list[str]
    """Should say so, and is not installed."""

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "attack": self.attack, "honest": self.honest, "strength": self.strength, "pace": self.pace,
            "anybody": self.anybody.told(), "by_detector": {name: one.told() for name, one in self.by_detector.items()},
            "awaited": self.awaited,
        }  # fmt: skip


@dataclass
class DetectorRow:
    """One detector over everything."""

    detector: str
    runs: str
    recall: Recall
    """Over all acts that name it as one that should say so."""
    attacks: list[str]
    counted: Counted
    subscription_days: int
    nanoseconds_an_event: float
    """Of the whole fold that it is part of."""

    def told(self) -> dict[str, Any]:
        """As JSON: precision, and false findings in a million subscription-days, with their intervals."""
        true, false = self.counted.right + self.counted.so, self.counted.false
        low, high = wilson_interval(true, true + false)
        fewest, most = poisson_interval(false)
        per = MILLION / max(1, self.subscription_days)
        return {
            "detector": self.detector, "runs": self.runs, "attacks": self.attacks, "recall": self.recall.told(),
            "findings": {"right": self.counted.right, "so": self.counted.so, "beside": self.counted.beside,
                         "false": false, "false_by_class": dict(self.counted.by_class)},
            "precision": true / (true + false) if true + false else None, "precision_low": low, "precision_high": high,
            "false_in_a_million": false * per, "false_in_a_million_low": fewest * per,
            "false_in_a_million_high": most * per, "nanoseconds_an_event": self.nanoseconds_an_event,
        }  # fmt: skip


@dataclass
class Result:
    """Everything that was measured."""

    plan: dict[str, Any]
    played: dict[str, Any]
    detectors: list[DetectorRow]
    attacks: list[AttackRow]
    skipped: dict[str, str]
    groups: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """Happening of a group -> detector -> how many of its findings were about each time that it happened."""
    examples: list[dict[str, object]] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """As one JSON document."""
        return {
            "plan": self.plan, "played": self.played, "detectors": [one.told() for one in self.detectors],
            "attacks": [one.told() for one in self.attacks], "groups": self.groups, "skipped": self.skipped,
            "false_findings": self.examples,
        }  # fmt: skip


def attack_rows(said: Sequence[Said], runs: dict[str, str]) -> list[AttackRow]:
    """One for each attack, strength and pace that was played."""
    grouped: dict[tuple[bool, str, str, float], list[Said]] = defaultdict(list)
    for one in said:
        happening = one.act.happening
        if happening.expects:
            grouped[happening.honest, happening.id, one.act.pace, one.act.strength].append(one)
    rows = []
    for (honest, name, pace, strength), every in sorted(grouped.items()):
        expects = every[0].act.happening.expects
        present = [wanted for wanted in expects if wanted.partition("/")[0] in runs]
        rows.append(AttackRow(
            name, honest, strength, pace, Recall.over(one.first_s for one in every),
            {wanted: Recall.over(one.after_s.get(wanted) for one in every) for wanted in present},
            [wanted for wanted in expects if wanted not in present],
        ))  # fmt: skip
    return rows


def findings_about_groups(said: Sequence[Said]) -> dict[str, dict[str, list[int]]]:
    """Result.groups: honest happenings, too, and those about which nothing was found."""
    told: dict[str, dict[str, list[int]]] = {}
    for name in sorted({one.act.happening.id for one in said if one.act.happening.group}):
        every = [one for one in said if one.act.happening.id == name]
        told[name] = {
            wanted: [one.findings.get(wanted, 0) for one in every]
            for wanted in sorted({wanted for one in every for wanted in one.findings} | _wanted(every[0]))
        }
    return told


def _wanted(one: Said) -> set[str]:
    happening = one.act.happening
    return {name.partition("/")[0] for name in (*happening.expects, *happening.also)}


def detector_rows(verdicts: Verdicts, heard: Heard, subscription_days: int) -> list[DetectorRow]:
    """One for each detector that is installed."""
    rows = []
    for detector, runs in heard.runs.items():
        times: list[float | None] = []
        attacks: set[str] = set()
        for one in verdicts.said:
            for wanted in one.act.happening.expects:
                if wanted.partition("/")[0] == detector:
                    times.append(one.after_s.get(wanted))
                    attacks.add(one.act.happening.id)
        cost = heard.gate if runs == "gate" else heard.watch
        rows.append(DetectorRow(
            detector, runs, Recall.over(times), sorted(attacks), verdicts.counted[detector], subscription_days,
            cost.nanoseconds_each,
        ))  # fmt: skip
    return sorted(rows, key=lambda row: row.detector)
