"""unknown-subscription: a request for a subscription that is not in the inventory."""

from __future__ import annotations

from story import IMSI, Story

from simward.engine import events as e
from simward.engine.hashing import mix
from simward.engine.layouts import STRANGERS


def test_fires_and_refuses_by_default(story: Story) -> None:
    assert story.attaches(member=99).refused
    assert story.findings == ["unknown-subscription/not-in-inventory"]


def test_fires_for_a_request_that_names_nobody(story: Story) -> None:
    story.attaches(imsi=0)
    assert story.findings == ["unknown-subscription/no-identity"]


def test_stays_quiet_for_whom_the_inventory_knows_by_number(story: Story) -> None:
    story.attaches(imsi=0, msisdn=1_883000000000001)
    assert story.findings == [] and story.allowed
    story.attaches(imsi=0, user=IMSI)
    assert story.findings == [] and story.allowed


def test_boundary_allow_is_one_finding_and_no_refusal() -> None:
    story = Story(unknown_subscription="allow")
    assert story.attaches(member=99).attaches(member=99).allowed
    assert story.findings == ["unknown-subscription/not-in-inventory"]


def test_boundary_ends_when_the_stranger_falls_silent(story: Story) -> None:
    story.attaches(member=99)
    for _ in range(130):
        story.after(hours=0.02)
    assert story.open == []


def test_boundary_what_a_stranger_said_before_newer_records_is_not_news(story: Story) -> None:
    """Two sessions at once, each reporting: every record sent again, some seconds and some others later."""
    told = []
    for number, session in enumerate(("a", "b")):
        story.starts(session, member=99, request=500 + number)
        told.append((story.starts, session, {}))
    for step in range(2):
        for session in ("a", "b"):
            story.reports(session, member=99, duration_s=60 * step, uplink_octets=step)
            told.append((story.reports, session, {"duration_s": 60 * step, "uplink_octets": step}))
    story.stops("a", member=99, duration_s=180)
    told.append((story.stops, "a", {"duration_s": 180}))
    before, sequence = story.fold.state.digest(), story.fold.sequence
    for tell, session, said in told:
        tell(session, member=99, **said)  # with another authenticator
        assert not story.kept, (session, said)
    assert (story.fold.state.digest(), story.fold.sequence) == (before, sequence)


def test_boundary_a_session_after_its_gateways_restart_is_another_one(story: Story) -> None:
    story.starts("a", member=99)
    story.tell(e.ACCOUNTING_ON, imsi=0, device=0, apn="")
    assert story.starts("a", member=99).kept


def test_boundary_who_takes_the_row_of_another_inherits_nothing(story: Story) -> None:
    """Rows are few: two strangers share one, and their sessions may have one name."""
    first = IMSI + 99
    other = next(one for one in range(first + 1, first + 100_000) if mix(one) % STRANGERS == mix(first) % STRANGERS)
    assert story.starts("a", imsi=first).kept and story.starts("a", imsi=other).kept
    assert len(story.disconnects) == 2
