"""Verdicts on findings of behaviour and their incidents: closed, kept open, opened again; nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from response.happening import Happening
from simward.engine.words import MANY_OF_THE_FLEET, WHOLE_FLEET
from simward.registry import audit, benign
from simward.registry import incidents as kept
from simward.registry.database import Registry
from simward.response import facts as f
from simward.response.auditing import Auditing
from simward.response.benign import Verdicts
from simward.response.judging import Judging, unjudgeable

TODAY = 20_779


@pytest.fixture
def story(registry: Registry) -> Happening:
    return Happening(registry)


def says(story: Happening, finding: dict[str, Any], until_day: int = TODAY + 30, why: str = "so") -> None:
    """The watch has journalled what ada said, and control reads it."""
    story.sequence += 1
    fact = f.Judged(
        id=f"w0-verdict/{story.sequence}/0", at=story.now, sequence=story.sequence, imsi=finding["imsi"],
        finding=finding["id"], by="ada", why=why, until_day=until_day, subject=finding["imsi"] or "cohort 7",
        about=finding["about"] or f"IMSI {finding['imsi']}",
    )  # fmt: skip
    with story.registry.writing() as connection:
        for taker in (Auditing(), Verdicts(story.incidents.life, story.clock)):
            taker.take(connection, fact)


def incident(story: Happening, number: int = 1) -> Any:
    with story.registry.reading() as connection:
        return kept.get(connection, number)


def audited(story: Happening) -> list[str]:
    with story.registry.reading() as connection:
        return [one.what for one in audit.entries(connection)]


def test_another_finding_that_lasts_keeps_it_open(story: Happening) -> None:
    odd = story.found("unusual-behaviour", 1, class_="sudden")
    other = story.found("unusual-behaviour", 1, class_="lasting")
    assert incident(story).findings == 2
    says(story, odd)
    assert incident(story).state == "open"
    says(story, odd, why="so it is")  # no more is allowed than before, and the other one has still not ended
    assert incident(story).state == "open"
    story.ends(other)
    says(story, odd, why="really")
    assert (incident(story).state, incident(story).outcome) == ("resolved", "benign")
    with story.registry.reading() as connection:
        assert [one.outcome for one in kept.findings(connection, 1)] == ["benign", None], "nobody judged the other one"


def test_a_lock_keeps_it_open(story: Happening) -> None:
    odd = story.found("unusual-behaviour", 1, class_="sudden")
    story.locks(1)
    says(story, odd)
    assert incident(story).state == "open"


def test_what_was_resolved_by_a_person_is_not_resolved_again(story: Happening) -> None:
    """`resolve --outcome benign` tells the watch, and control reads the verdict behind it."""
    told: list[tuple[str, bool]] = []
    judging = Judging(story.incidents.life, lambda finding, is_benign, actor, why: told.append((finding, is_benign)))
    odd = story.found("unusual-behaviour", 1, class_="sudden")
    with story.registry.writing() as connection:
        judging.act(connection, 1, "resolve", story.now, "ada", "so", outcome="benign")
    assert told == [(odd["id"], True)]
    before = incident(story).changes
    says(story, odd)
    assert incident(story).changes == before and incident(story).state == "resolved"
    says(story, odd, until_day=0)
    assert incident(story).state == "open" and incident(story).reopened == 1


def test_it_is_one_entry_however_often_it_is_said(story: Happening) -> None:
    shift = story.found("cohort-shift", None, about="use case meter, nb-iot")
    for _ in range(3):
        says(story, shift)
    assert audited(story) == ["finding.benign"]
    says(story, shift, until_day=TODAY + 31)
    says(story, shift, until_day=0)
    assert audited(story) == ["finding.benign", "finding.benign", "finding.not-benign"]
    with story.registry.reading() as connection:
        (row,) = benign.listed(connection, tenant="default", after=None, limit=10).rows
        assert (row.subject, row.until_day, row.imsi) == ("cohort 7", 0, None)
        assert not benign.listed(connection, tenant="acme", after=None, limit=10).rows
        assert not benign.listed(connection, tenant=None, after=None, limit=10, in_force_on=TODAY).rows


def test_a_tenant_judges_what_is_its_own_alone() -> None:
    def said(about: str | None, detector: str = "cohort-shift") -> dict[str, Any]:
        return {"detector": detector, "about": about}

    assert not unjudgeable("acme", said("use case meter"), "acme") and not unjudgeable("acme", said(None), None)
    assert unjudgeable("acme", said("use case meter"), "other")
    assert unjudgeable("default", said(WHOLE_FLEET), "default") and not unjudgeable("default", said(WHOLE_FLEET), None)
    assert unjudgeable("default", said(MANY_OF_THE_FLEET), None)
    assert "resolve its incident" in unjudgeable("acme", said(None, "silent"), "acme")
