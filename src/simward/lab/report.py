"""What came of a demo: scenes with what was missed of them, and what went wrong with honest subscriptions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from simward.lab import scripts, timeline
from simward.lab.bearers import Tally
from simward.lab.fleet import Fleet
from simward.lab.gateway import Network
from simward.lab.record import Record
from simward.lab.scripts import Found, Observed
from simward.lab.timeline import Week

SHOWN = 5
"""Of many problems of one sort, so many are listed."""


@dataclass
class SceneReport:
    """One scene as it went; `misses` is empty where everything was seen and done that had to be."""

    observed: Observed
    found: list[Found]
    misses: list[str]


@dataclass
class Report:
    """Everything that the tables are made from."""

    seed: int
    directory: Path
    fleet: Fleet
    week: Week
    tally: Tally
    lag_s: float
    network: Network
    record: Record
    dropped: dict[str, int] = field(default_factory=dict)
    """Packets that the gate dropped during the attacks, by its own reasons."""
    scenes: list[SceneReport] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    updates_seen: int = 0
    seconds: float = 0.0

    @property
    def acknowledged(self) -> int:
        """Requests that the gate answered in the week and in the scenes."""
        return self.tally.acknowledged + sum(one.observed.acknowledged for one in self.scenes)

    @property
    def journalled(self) -> int:
        """Requests that the journal holds."""
        kept = self.record.events
        return sum(count for name, count in kept.items() if name.startswith(("access-", "accounting-")))

    @property
    def passed(self) -> bool:
        """Was no attack missed and no honest subscription wronged?"""
        return not self.problems and not any(one.misses for one in self.scenes)


def judged(observed: Observed, record: Record) -> SceneReport:
    """A scene with what was missed of it."""
    observed.proofs = record.proofs.get(observed.imsi, [])
    return SceneReport(observed, record.of(observed.imsi), scripts.missed(observed, record.findings))


def honest_problems(report: Report, victims: set[str]) -> list[str]:
    """What happened to honest subscriptions, or did not, and should not have; empty where all is well."""
    tally, subscriptions = report.tally, report.fleet.subscriptions
    problems = [
        f"honest subscription {subscriptions[number].imsi} was refused: {reason or 'no reason given'}"
        for number, reason in tally.refused[:SHOWN]
    ]
    problems += [f"{asked} of subscription {number} was never answered" for number, asked in tally.unanswered[:SHOWN]]
    problems += tally.address_faults[:SHOWN] + tally.clashes()[:SHOWN]
    problems += _finding_problems(report, victims)
    problems += _journal_problems(report)
    forged = sum(1 for one in report.scenes for act in one.observed.script.acts if act.forged)
    if sum(report.dropped.values()) != forged:
        problems.append(f"{forged} forged packets were sent; the gate counted {report.dropped or 'none'}")
    for name, gateway in report.network.gateways.items():
        problems += [f"{name}: {count} answers were wrong: {what}" for what, count in gateway.counters.faults.items()]
    return problems


def _journal_problems(report: Report) -> list[str]:
    """Everything acknowledged is in the journal once.

    Two things are acknowledged and taken for repetitions by the gate: the Accounting-On that follows the Accounting-Off
    of the same restart, and an interim with the Acct-Session-Time of another one of its session.
    """
    missing = report.acknowledged - report.journalled
    if 0 <= missing <= 1 + report.week.same_second:
        return []
    return [f"{report.acknowledged:,} requests were acknowledged, the journal holds {report.journalled:,}"]


def _finding_problems(report: Report, victims: set[str]) -> list[str]:
    """Software updates are observed, the restart is one finding; anything else about the honest is too much."""
    numbers = {one.imsi: one.number for one in report.fleet.subscriptions}
    problems: list[str] = []
    updates: set[int] = set()
    restarts: Counter[str] = Counter()
    for found in report.record.findings:
        number = numbers.get(found.imsi, -1)
        if found.detector == "gateway-restarted" and found.gateway == timeline.RESTARTED:
            restarts[found.kind] += 1
        elif found.name == "device-change/software" and number in report.week.updated and found.response == "observe":
            updates.add(number)
        elif found.imsi not in victims:
            about = found.imsi or found.gateway or "nobody"
            problems.append(f"honest {about} got the finding {found.name} ({found.response})")
    report.updates_seen = len(updates)
    if len(updates) < len(report.week.updated):
        problems.append(f"only {len(updates)} of {len(report.week.updated)} software updates were seen")
    if restarts.total() != 1:  # its Accounting-Off and -On are one restart
        problems.append(f"the restart of {timeline.RESTARTED} must be found once; it was found {dict(restarts)}")
    return problems[: 2 * SHOWN]
