"""gateway-restarted: every session that the gateway held is over, and that is one finding."""

from __future__ import annotations

from story import Story

from simward.engine import events as e
from simward.engine import outputs as o


def up(story: Story, **more: object) -> Story:
    return story.tell(e.ACCOUNTING_ON, imsi=0, device=0, apn="", plmn=0, rat=0, **more)


def test_fires_once_for_all_its_sessions(story: Story) -> None:
    story.starts("a", member=0).starts("b", member=1)
    up(story)
    assert story.findings == ["gateway-restarted/accounting-on"]
    assert int(story.of(o.FINDING_BEGAN)[0]["was"]) == 2
    assert story.open == []


def test_stays_quiet_about_the_subscriptions_it_held(story: Story) -> None:
    story.attaches().starts("a")
    up(story)
    story.attaches().starts("b").stops("a")
    assert story.findings == ["gateway-restarted/accounting-on"]
    assert int(story.row().session_count) == 1


def test_stays_quiet_about_another_gateways_sessions(story: Story) -> None:
    story.starts("a", gateway="pgw2")
    up(story, gateway="pgw1")
    story.reports("a", gateway="pgw2", duration_s=5)
    assert int(story.row().session_count) == 1


def test_boundary_a_retransmitted_accounting_on_changes_nothing(story: Story) -> None:
    story.starts("a")
    up(story)
    happened = story.now
    story.starts("b")
    up(story, happened_at=happened)
    assert not story.kept
    assert int(story.row().session_count) == 1
