"""What people found to be benign, in the registry: one verdict for each device and cohort, the newest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.upsert import upsert
from simward.registry.walking import Page, walk

B, F = t.benign.c, t.finding.c
OUTCOME = "benign"


@dataclass(frozen=True)
class Whose:
    """What is known of a finding that somebody judged; None and empty where the registry has it no more."""

    tenant: str | None = None
    iccid: str | None = None
    use_case: str | None = None
    incident: int | None = None


def whose(connection: sa.Connection, finding: str, imsi: str | None) -> Whose:
    """Whose a finding is, and which incident it belongs to; of a subscription also where the finding is gone."""
    wanted = ("tenant", "iccid", "use_case")
    found = connection.execute(sa.select(*(F[one] for one in wanted), F.incident).where(F.id == finding)).one_or_none()
    if found is not None:
        return Whose(found.tenant, found.iccid, found.use_case, found.incident)
    s = t.subscription.c
    mine = connection.execute(sa.select(*(s[one] for one in wanted)).where(s.imsi == imsi)).one_or_none()
    return Whose() if mine is None else Whose(mine.tenant, mine.iccid, mine.use_case)


def of_subject(connection: sa.Connection, subject: str) -> Any | None:
    """The newest verdict on a device (its IMSI) or a cohort; None where there never was one."""
    return connection.execute(sa.select(t.benign).where(B.subject == subject)).one_or_none()


def of_finding(connection: sa.Connection, finding: Any, detectors: Sequence[str]) -> Any | None:
    """The newest verdict on the device or cohort that a finding (a row of the mirror) is about; None: there is none, or
    it is of no detector of behaviour."""
    if finding.detector not in detectors:
        return None
    if finding.imsi:
        return of_subject(connection, finding.imsi)
    about = finding.document["about"]
    mine = sa.select(t.benign).where(B.tenant == finding.tenant, B.imsi.is_(None), B.about == about)
    return connection.execute(mine.order_by(B.at.desc()).limit(1)).one_or_none()


def says_the_same(row: Any, finding: str, by: str, why: str, until_day: int) -> bool:
    """Was this said already, word for word?"""
    return (row.finding, row.actor, row.because, row.until_day) == (finding, by, why, until_day)


def note(connection: sa.Connection, values: dict[str, Any]) -> None:
    """Keep a verdict, in place of what was said of the same device or cohort before."""
    upsert(connection, t.benign, ["subject"], values)


def judge_finding(connection: sa.Connection, finding: str, benign: bool) -> None:
    """What a person said holds for the finding; taken back, it is judged no more."""
    mine = sa.update(t.finding).where(F.id == finding)
    connection.execute(
        mine.values(outcome=OUTCOME) if benign else mine.where(F.outcome == OUTCOME).values(outcome=None)
    )


def others_last(connection: sa.Connection, incident: int) -> bool:
    """Is there a finding in an incident that lasts and is not judged to be benign?"""
    open_one = sa.select(F.id).where(
        F.incident == incident, F.ended_at.is_(None), sa.or_(F.outcome.is_(None), F.outcome != OUTCOME)
    )
    return connection.execute(open_one.limit(1)).first() is not None


def listed(
    connection: sa.Connection, *, tenant: str | None, after: tuple[int, str] | None, limit: int,
    ascending: bool = False, imsi: str | None = None, in_force_on: int | None = None,
) -> Page:  # fmt: skip
    """By when it was said, behind `after`, the newest first unless `ascending`; `in_force_on` a day (since 1970)."""

    def fits(c: Any) -> list[sa.ColumnElement[bool]]:
        wanted = [c.imsi == imsi] if imsi is not None else []
        return wanted + ([c.until_day >= in_force_on] if in_force_on is not None else [])

    return walk(
        connection, t.benign, [B.at, B.subject], after=after, limit=limit, ascending=ascending,
        along=[] if tenant is None else [B.tenant == tenant],
        fits=fits if imsi is not None or in_force_on is not None else None,
    )  # fmt: skip
