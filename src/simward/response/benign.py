"""A person's verdict on a finding of behaviour, once the watch has taken it: kept, and what becomes of its incident.

The verdict is an input of the watch's fold, journalled before it has any effect; what stands here follows from that
row, in the transaction that moves the cursor. So nothing is lost or done twice, whoever is killed when.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from simward.engine.benign import last_day
from simward.registry import benign
from simward.registry import incidents as kept
from simward.response import facts as f
from simward.response.incident_life import Life
from simward.response.judging import BENIGN


class Verdicts:
    """Takes facts, behind the mirrors."""

    def __init__(self, life: Life, now: Callable[[], int]) -> None:
        """`now` is the clock of this process, us UTC: deadlines run from when somebody can be told."""
        self._life, self._now = life, now

    def take(self, connection: sa.Connection, fact: f.Fact) -> None:
        """Keep a verdict, and close the incident that it answers; one that was taken back opens it again."""
        if not isinstance(fact, f.Judged):
            return
        before = benign.of_subject(connection, fact.subject)
        if before is not None and benign.says_the_same(before, fact.finding, fact.by, fact.why, fact.until_day):
            return
        whose = benign.whose(connection, fact.finding, fact.imsi)
        benign.note(connection, {
            "subject": fact.subject, "tenant": whose.tenant or fact.tenant, "imsi": fact.imsi, "iccid": whose.iccid,
            "use_case": whose.use_case or fact.use_case, "about": fact.about, "finding": fact.finding, "at": fact.at,
            "actor": fact.by, "because": fact.why, "until_day": fact.until_day, "as_of_seq": fact.sequence,
        })  # fmt: skip
        self._judge(connection, fact, fact.finding, whose.incident)
        if not fact.until_day and before is not None and before.finding != fact.finding:
            # More was allowed because of another finding: that one is not benign any more either.
            self._judge(connection, fact, before.finding, benign.whose(connection, before.finding, None).incident)

    def _judge(self, connection: sa.Connection, fact: f.Judged, finding: str, number: int | None) -> None:
        benign.judge_finding(connection, finding, bool(fact.until_day))
        row = None if number is None else kept.find(connection, number)
        if row is None:
            return
        until = last_day(fact.until_day)
        at = max(fact.at, row.opened_at)
        meant = f"is benign: more is allowed of {fact.about} until {until}" if until else "is not benign after all"
        text = f"{fact.by} said that {finding} {meant} (because: {fact.why.rstrip('.')})."
        facts = {"finding": finding, "until": until, "because": fact.why}
        kept.change(connection, row.number, changed_at=at)
        kept.enter(connection, row.number, at, "judged", text, fact.by, facts)
        if until is None:
            self._open_again(connection, row, fact, at)
        elif row.state != kept.RESOLVED:
            self._close(connection, row, fact, at, f"{fact.why.rstrip('.')}; more is allowed until {until}")

    def _close(self, connection: sa.Connection, row: kept.Incident, fact: f.Judged, at: int, why: str) -> None:
        """Nothing else of it lasts and nothing is locked: it is over, as the person said."""
        if not benign.others_last(connection, row.number) and not kept.locked(connection, row.number):
            self._life.resolve(connection, row, at, fact.by, BENIGN, why, all_findings=False)

    def _open_again(self, connection: sa.Connection, row: kept.Incident, fact: f.Judged, at: int) -> None:
        if row.state == kept.RESOLVED and row.outcome == BENIGN and row.merged_into is None:
            self._life.reopen(connection, row, at, self._now(), fact.by, fact.why)
