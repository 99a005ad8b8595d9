"""An address that a session may still have is given to nobody else: after renames and removals, until a proof."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

from story import IMSI, POLICY, Story

from simward.engine import departed, leaving
from simward.engine import events as ev
from simward.engine import outputs as o
from simward.engine.snapshot import newest_snapshot
from simward.engine.start import from_snapshot, save
from simward.engine.tables import DECLARED, InventoryDelta
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import GateSettings, Settings

TWO_ADDRESSES = POLICY.replace("10.64.0.0/24", "10.64.0.0/30")
RENAMED = POLICY.replace("metering", "water-metering")
ONLY_IPV6 = POLICY.replace("pool: 10.64.0.0/24", "pool6: 2001:db8:64::/62")
ADDRESS_POOL = "address_pool6: 2001:db8:64::10/126"
IPV6_COLUMNS = ("prefix_high", "prefix_length", "ipv6_high", "ipv6_low")
FIRST, SECOND = 0x0A400001, 0x0A400002


def put(story: Story, policy: str) -> None:
    tables = compile_policy(read_policies({"story.yaml": policy}), Settings(Path("/nowhere"), GateSettings()))
    story.fold.policy(tables, story.now)


def remove(story: Story, *members: int) -> np.ndarray:
    """Take members out of the inventory; their Disconnects."""
    gone = InventoryDelta(np.zeros(0, DECLARED), np.array([IMSI + member for member in members]), [])
    outputs = np.array(story.fold.inventory(gone, story.now))
    return outputs[outputs["kind"] == o.DISCONNECT]


def declare(story: Story, use_case: str, *members: int) -> None:
    """Put members into the inventory, or into another use case."""
    lines = np.zeros(len(members), DECLARED)
    lines["imsi"], lines["iccid"] = IMSI + np.array(members), 1_00_1000000000000001 + np.array(members)
    story.fold.inventory(InventoryDelta(lines, np.zeros(0, np.int64), [use_case]), story.now)


def given(story: Story, member: int) -> int:
    return int(story.attaches(member=member).last["address"])


def restarted(story: Story, folder: Path) -> None:
    """Go on from a snapshot."""
    save(story.fold, folder)
    snapshot = newest_snapshot(folder / "snapshots")
    assert snapshot is not None
    digest = story.fold.state.digest()
    story.fold = from_snapshot(snapshot)
    assert story.fold.state.digest() == digest


def test_a_renamed_segment_with_the_same_pool_keeps_every_address() -> None:
    story = Story()
    before = [given(story, member) for member in range(3)]
    put(story, RENAMED)
    assert given(story, 3) not in before
    assert [given(story, member) for member in (2, 1, 0)] == before[::-1]


def test_a_renamed_segment_of_a_renamed_use_case_too() -> None:
    story = Story()
    before = [given(story, member) for member in range(3)]
    put(story, RENAMED.replace("use_case: meter", "use_case: water"))
    declare(story, "water", 3)
    assert given(story, 3) not in before
    assert given(story, 2) == before[2], "who has not moved yet"
    declare(story, "water", 0, 1, 2)
    assert [given(story, member) for member in (2, 1, 0)] == before[::-1]


def test_a_renamed_segment_keeps_its_open_finding() -> None:
    story = Story(TWO_ADDRESSES)
    for member in range(3):
        story.attaches(member=member)
    assert story.open == ["address-pool-exhausted/exhausted"]
    renamed = TWO_ADDRESSES.replace("metering", "water-metering")
    put(story, renamed + "quarantine_pool: 10.65.0.0/30\n")
    assert given(story, 0) == FIRST and story.attaches(member=2).refused
    assert story.open == ["address-pool-exhausted/exhausted"], "the pool is the same one, and so is what is said of it"


@pytest.mark.parametrize("stopped", [False, True])
def test_where_no_pool_matches_a_live_sessions_address_is_withheld(stopped: bool) -> None:
    story = Story()
    assert given(story, 0) == FIRST
    story.starts("s", address=FIRST)
    put(story, RENAMED.replace("10.64.0.0/24", "10.64.0.0/30"))  # overlaps, but is no pool that there was
    if stopped:
        story.stops("s").after(seconds=1)
    numbers = [given(story, member) for member in (1, 2)]
    assert (FIRST in numbers) is stopped
    assert story.findings == ([] if stopped else ["address-pool-exhausted/exhausted"])
    if not stopped:
        story.stops("s").after(seconds=1)
        assert given(story, 2) == FIRST and story.open == []


def test_members_that_stay_behind_in_a_gone_segment_do_not_clash_with_an_overlapping_one() -> None:
    story = Story(members=8)
    before = [given(story, member) for member in range(3)]
    put(story, RENAMED.replace("use_case: meter", "use_case: water").replace("10.64.0.0/24", "10.64.0.0/28"))
    declare(story, "water", 4, 5)
    numbers = [given(story, member) for member in (4, 5)]
    assert not set(numbers) & set(before)
    assert given(story, 0) == before[0]
    assert given(story, 3) not in {*numbers, *before}, "one of the gone segment gets none that is the other's to give"


def test_another_use_case_gives_no_address_of_a_live_session() -> None:
    other = "---\nuse_case: other\nsegment: others\n---\nsegment: others\napn: others.iot\npool: 10.65.0.0/30\n"
    story = Story(TWO_ADDRESSES + other)
    declare(story, "meter", 0, 1, 2)
    assert given(story, 0) == FIRST
    story.starts("s", address=FIRST)
    declare(story, "other", 0)
    assert [given(story, 1), given(story, 2)] == [SECOND, 0]
    story.stops("s").after(seconds=1)
    assert given(story, 2) == FIRST


def test_a_pool_that_moves_onto_a_live_sessions_address_passes_it_by() -> None:
    story = Story(TWO_ADDRESSES)
    assert given(story, 0) == FIRST
    story.starts("s", address=0x0A500001)  # whatever it was given there
    put(story, POLICY.replace("10.64.0.0/24", "10.80.0.0/24"))
    assert given(story, 0) == 0x0A500001, "its own"
    story = Story(TWO_ADDRESSES)
    assert [given(story, 0), given(story, 1)] == [FIRST, SECOND]
    story.starts("s", member=1, address=0x0A500001)
    put(story, POLICY.replace("10.64.0.0/24", "10.80.0.0/24"))
    assert given(story, 0) not in (0x0A500001, 0x0A500002) and given(story, 1) == 0x0A500002


PROOFS = ("ack", "unknown", "stop", "stop of the subscription that came back", "restart", "a day of silence")


@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("where", ["in memory", "from a snapshot"])
def test_the_address_of_a_removed_subscription_waits_for_a_proof(proof: str, where: str, tmp_path: Path) -> None:
    story = Story(TWO_ADDRESSES)
    assert [given(story, 0), given(story, 1)] == [FIRST, SECOND]
    story.starts("s", address=FIRST)
    (cut,) = remove(story, 0)
    assert story.attaches(member=2).refused and story.open == ["address-pool-exhausted/exhausted"]
    if where == "from a snapshot":
        restarted(story, tmp_path)
    story.fold_in(story.fold.effect_result(cut, ev.EFFECT_NAK, 506, story.now))
    assert story.after(seconds=1).attaches(member=2).refused, "a refusal proves nothing"
    if proof == "ack":
        story.fold_in(story.fold.effect_result(cut, ev.EFFECT_ACK, 0, story.now))
    elif proof == "unknown":
        story.fold_in(story.fold.effect_result(cut, ev.EFFECT_NAK, 503, story.now))
    elif proof == "restart":
        story.tell(ev.ACCOUNTING_ON, gateway="pgw2").after(seconds=1)
        assert story.attaches(member=2).refused, "another gateway's"
        story.tell(ev.ACCOUNTING_ON)
    elif proof == "a day of silence":
        story.after(seconds=departed.HELD_BACK_S // 2).reports("s")
        story.after(seconds=departed.HELD_BACK_S - 120)
        assert story.attaches(member=2).refused, "it was heard meanwhile"
        story.after(seconds=120)
        assert int(story.fold.state.meta["departed_expired"][0]) == 1
    else:
        if proof != "stop":
            declare(story, "meter", 0)
        story.stops("other", address=FIRST).after(seconds=1)
        assert story.attaches(member=2).refused, "another session's"
        story.stops("s", address=FIRST)
    story.after(seconds=1)
    if proof == PROOFS[3]:
        assert given(story, 2) == FIRST and story.attaches(member=0).refused
    else:
        assert given(story, 2) == FIRST
    assert int(story.fold.state.meta["withheld_open"][0]) == 0


def test_an_address_that_two_bearers_share_waits_for_both() -> None:
    story = Story(TWO_ADDRESSES)
    assert [given(story, 0), given(story, 1)] == [FIRST, SECOND]
    story.starts("a", address=FIRST).starts("b", address=FIRST)
    cuts = remove(story, 0)
    for cut in cuts:
        assert story.after(seconds=1).attaches(member=2).refused
        story.fold_in(story.fold.effect_result(cut, ev.EFFECT_ACK, 0, story.now))
    assert story.after(seconds=1).attaches(member=2).allowed
    assert story.attaches(member=3).refused, "given back once, not twice"


def test_a_gateway_that_reports_no_address_leaves_that_which_was_given() -> None:
    story = Story(TWO_ADDRESSES)
    assert [given(story, 0), given(story, 1)] == [FIRST, SECOND]
    story.starts("s")
    (cut,) = remove(story, 0)
    assert story.attaches(member=2).refused
    story.fold_in(story.fold.effect_result(cut, ev.EFFECT_ACK, 0, story.now))
    assert given(story.after(seconds=1), 2) == FIRST


@pytest.mark.parametrize("column", ["prefix_high", "ipv6_low"])
def test_a_prefix_or_an_ipv6_address_alone_is_withheld_too(column: str) -> None:
    policy = ONLY_IPV6 if column == "prefix_high" else ONLY_IPV6.replace("pool6: 2001:db8:64::/62", ADDRESS_POOL)
    story = Story(policy, members=5)
    numbers = [int(story.attaches(member=member).last[column]) for member in range(4)]
    assert len(set(numbers)) == 4
    reported = {name: int(story.attaches(member=1).last[name]) for name in IPV6_COLUMNS}
    story.starts("s", member=1, **reported)
    (cut,) = remove(story, 1)
    assert story.attaches(member=4).refused
    story.fold_in(story.fold.effect_result(cut, ev.EFFECT_ACK, 0, story.now))
    assert int(story.after(seconds=1).attaches(member=4).last[column]) == numbers[1]


def test_what_is_only_kept_for_its_address_goes_first_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "DEPARTED_MAX", 1)
    story = Story()
    for member in range(2):
        story.starts(f"s{member}", member=member, address=given(story, member))
    (cut,) = remove(story, 0)
    story.fold_in(story.fold.effect_result(cut, ev.EFFECT_SILENCE, 0, story.now))
    (cut,) = remove(story, 1)
    assert len(story.fold.pending_effects()) == 1
    assert int(story.fold.state.meta["departed_expired"][0]) == 1
    assert int(story.fold.state.meta["departed_dropped"][0]) == 0
