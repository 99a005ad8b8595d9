"""Revisions in mid-stream: addresses neither leak nor clash, and nobody is judged by nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

from story import ABROAD, IMSI, METER, PHONE, POLICY, Story

from simward.engine import events as ev
from simward.engine import leaving
from simward.engine import outputs as o
from simward.engine.apply import declared
from simward.engine.snapshot import newest_snapshot
from simward.engine.start import from_snapshot, save
from simward.engine.tables import DECLARED, InventoryDelta
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import GateSettings, Settings


def put(story: Story, policy: str) -> None:
    tables = compile_policy(read_policies({"story.yaml": policy}), Settings(Path("/nowhere"), GateSettings()))
    story.fold.policy(tables, story.now)


def addresses(story: Story) -> list[int]:
    return [int(story.attaches(member=member).last["address"]) for member in range(4)]


def test_a_pool_that_shrinks_or_grows_keeps_the_addresses_that_still_fit() -> None:
    story = Story()
    before = addresses(story)
    put(story, POLICY.replace("10.64.0.0/24", "10.64.0.0/29"))
    assert addresses(story) == before
    put(story, POLICY.replace("10.64.0.0/24", "10.64.0.0/16"))
    assert addresses(story) == before


def test_a_renamed_use_case_is_judged_as_before_until_its_members_follow() -> None:
    refusing = POLICY.replace("binding:", "responses: {network-not-permitted: refuse}\nbinding:")
    story = Story(refusing)
    before = addresses(story)
    put(story, refusing.replace("use_case: meter", "use_case: water"))
    assert story.attaches(plmn=ABROAD).refused
    lines, names = declared(story.fold)
    lines["use_case"] = names.index("water")
    story.fold.inventory(InventoryDelta(lines, np.zeros(0, np.int64), names), story.now)
    assert story.attaches(plmn=ABROAD).refused
    assert addresses(story) == before
    put(story, refusing.replace("use_case: meter", "use_case: water"))
    assert "meter" not in story.fold.state.policy.names["use_cases"]


def test_a_segments_open_finding_follows_it() -> None:
    story = Story(POLICY.replace("10.64.0.0/24", "10.64.0.0/31"))
    for member in range(4):
        story.attaches(member=member)
    assert story.open == ["address-pool-exhausted/exhausted"]
    first = "segment: aaa\napn: aaa.iot\npool: 10.99.0.0/24\n---\n"
    put(story, first + POLICY)
    story.attaches(member=3)
    assert story.open == []


def test_removal_ends_findings_cuts_sessions_and_forgets_the_binding() -> None:
    story = Story()
    story.attaches().starts("s").attaches(device=PHONE)
    gone = InventoryDelta(np.zeros(0, DECLARED), np.array([IMSI]), [])
    outputs = story.fold.inventory(gone, story.now)
    assert sorted(int(one["kind"]) for one in outputs) == [o.FINDING_ENDED, o.DISCONNECT, o.UNBOUND]
    assert int(story.fold.state.meta["findings_live"][0]) == 0
    lines = np.zeros(1, DECLARED)
    lines["imsi"], lines["iccid"] = IMSI, 1_00_1000000000000001
    story.fold.inventory(InventoryDelta(lines, np.zeros(0, np.int64), ["meter"]), story.now)
    assert story.attaches(device=METER).allowed
    assert int(story.row().session_count) == 0


def test_every_disconnect_of_a_large_removal_has_a_name_of_its_own() -> None:
    members = 300
    story = Story(POLICY.replace("10.64.0.0/24", "10.64.0.0/16"), members=members)
    for member in range(members):
        story.attaches(member=member, device=METER + member).starts(f"s{member}", member=member, device=METER + member)
    gone = InventoryDelta(np.zeros(0, DECLARED), IMSI + np.arange(members), [])
    outputs = story.fold.inventory(gone, story.now)
    cuts = outputs[outputs["kind"] == o.DISCONNECT]
    assert len(cuts) == members == len(np.unique(outputs[["sequence", "index"]][outputs["kind"] == o.DISCONNECT]))
    assert len(np.unique(outputs["index"])) == len(outputs) > 512
    proof = story.fold.events(story.fold.effect_result(cuts[290], ev.EFFECT_ACK, 0, story.now)).outputs[-1]
    assert (proof["opened_sequence"], proof["opened_index"]) == (cuts[290]["sequence"], cuts[290]["index"])


def test_a_proof_of_an_earlier_journal_names_its_effect_in_one_octet() -> None:
    story = Story().attaches().starts("s").attaches(device=PHONE, member=0)
    story.says(ev.COMMAND_DISCONNECT)
    (effect,) = story.fold.pending_effects()
    result = story.fold.effect_result(effect, ev.EFFECT_ACK, 0, story.now)
    result["identifier"], result["request"] = result["request"], 0
    story.fold_in(result)
    assert not len(story.fold.pending_effects()) and int(story.row().session_count) == 0


def without(story: Story, *members: int) -> np.ndarray:
    """Take members out of the inventory; the outputs."""
    story.now += 60_000_000
    gone = InventoryDelta(np.zeros(0, DECLARED), np.array([IMSI + member for member in members]), [])
    return np.array(story.fold.inventory(gone, story.now))


def names(outputs: np.ndarray) -> list[tuple[int, int, int]]:
    """Which effects these are, and of whom."""
    return sorted((int(one["sequence"]), int(one["index"]), int(one["imsi"])) for one in outputs)


def test_a_disconnect_of_a_removed_subscription_waits_for_its_proof(tmp_path: Path) -> None:
    story = Story()
    for member in range(3):
        story.attaches(member=member).starts(f"0{member}ab", member=member, address=0x0A400001 + member)
    cuts = without(story, 0, 1)
    cuts = cuts[cuts["kind"] == o.DISCONNECT]
    save(story.fold, tmp_path)
    snapshot = newest_snapshot(tmp_path / "snapshots")
    assert snapshot is not None
    for fold in (story.fold, from_snapshot(snapshot)):
        waiting = fold.pending_effects()
        assert names(waiting) == names(cuts) and len(waiting) == 2
        for sent, kept in zip(cuts, waiting, strict=True):
            for name in ("iccid", "gateway", "client", "apn", "address", "session_id", "session_id_octets", "subject"):
                assert np.array_equal(sent[name], kept[name]), name
        fold.events(fold.effect_result(waiting[1], ev.EFFECT_NAK, 503, story.now))
        assert names(fold.pending_effects()) == names(cuts[:1])
        fold.events(fold.effect_result(waiting[0], ev.EFFECT_SILENCE, 0, story.now))
        assert not len(fold.pending_effects())
    assert story.fold.state.digest() == fold.state.digest()


def test_a_session_that_is_being_cut_already_is_not_cut_again_by_removal() -> None:
    story = Story().attaches().starts("s")
    story.says(ev.COMMAND_DISCONNECT)
    under_way = story.fold.pending_effects()
    assert not (without(story, 0)["kind"] == o.DISCONNECT).any()
    assert names(story.fold.pending_effects()) == names(under_way)
    lines = np.zeros(1, DECLARED)
    lines["imsi"], lines["iccid"] = IMSI, 1_00_1000000000000001
    story.fold.inventory(InventoryDelta(lines, np.zeros(0, np.int64), ["meter"]), story.now)
    story.fold_in(story.fold.effect_result(under_way[0], ev.EFFECT_ACK, 0, story.now))
    assert not len(story.fold.pending_effects()), "also where it was added again meanwhile"


def test_disconnects_that_wait_for_their_proof_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "DEPARTED_MAX", 2)
    story = Story()
    for member in range(3):
        story.attaches(member=member).starts(f"s{member}", member=member)
    assert (without(story, 0, 1, 2)["kind"] == o.DISCONNECT).sum() == 3, "all are sent"
    assert len(story.fold.pending_effects()) == 2 and int(story.fold.state.meta["departed_dropped"][0]) == 1


def test_a_pool_of_another_family_begins_at_its_own_beginning() -> None:
    """What was given of an IPv4 pool says nothing of bare numbers: 170 million would have been taken for given back."""
    story = Story()
    addresses(story)
    put(story, POLICY.replace("pool: 10.64.0.0/24", "pool6: 2001:db8::/32"))
    state = story.fold.state
    assert int(state.meta["freed"][0]) < 10 and int(state.segment_states["next_address"][1]) < 10
