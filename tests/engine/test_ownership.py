"""Lines that the API owns: bound and told at once, left alone by the files, and at a cost that knows no fleet."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

from story import IMSI, METER, PHONE, POLICY, Story

from simward.engine import outputs as o
from simward.engine.apply import declared, revision_row
from simward.engine.tables import DECLARED, HANDED_BACK, OF_API, OF_FILES, InventoryDelta

STOCK = POLICY + "---\nuse_case: stock\nbinding: {mode: none}\n"
SEGMENTS = POLICY + "---\nuse_case: other\nsegment: second\n---\nsegment: second\napn: second.iot\npool: 10.65.0.0/24\n"
NOBODY = np.zeros(0, np.int64)


def line(member: int = 0, imei: int = 0, owner: int = OF_FILES) -> np.ndarray:
    one = np.zeros(1, DECLARED)
    one["imsi"], one["iccid"] = IMSI + member, 1_00_1000000000000001 + member
    one["msisdn"], one["imei"], one["owner"] = 1_883000000000001 + member, imei, owner
    return one


def revises(story: Story, lines: np.ndarray, use_case: str = "meter", removals: np.ndarray = NOBODY) -> np.ndarray:
    """Journal a revision as the gate does; its outputs."""
    row = revision_row(story.fold, InventoryDelta(lines, removals, [use_case]), story.now)
    return np.frombuffer(row.outputs, o.OUTPUT)


@pytest.mark.parametrize("mode", ["first-use", "declared", "model"])
def test_a_deployed_device_is_bound_at_once_and_told(mode: str) -> None:
    story = Story(POLICY.replace("first-use", mode))
    (bound,) = revises(story, line(imei=METER, owner=OF_API))
    assert bound["kind"] == o.BOUND and bound["event_kind"] == o.BY_REVISION
    assert (int(bound["imsi"]), int(bound["now"]) // 1000, int(bound["generation"])) == (IMSI, METER, 1)
    assert story.attaches(device=METER).findings == []
    assert story.attaches(device=PHONE).findings == ["device-change/other-model"]


@pytest.mark.parametrize("mode", ["none", "first-use"])
def test_files_bind_on_first_use_as_ever(mode: str) -> None:
    story = Story(POLICY.replace("first-use", mode))
    assert not len(revises(story, line(imei=METER))) and int(story.row().bound_imei) == 0
    assert len(revises(story, line(1, imei=METER, owner=OF_API))) == (mode == "first-use")


def test_the_same_again_changes_nothing() -> None:
    story = Story()
    revises(story, line(imei=METER, owner=OF_API))
    before = story.row().copy()
    assert not len(revises(story, line(imei=METER, owner=OF_API)))
    assert story.row().generation == before.generation == 1


def test_files_leave_alone_what_the_api_owns() -> None:
    """Also where both were on their way at once: the one that comes later is cut down to what it may say."""
    story = Story()
    revises(story, line(imei=METER, owner=OF_API))
    revises(story, np.concatenate([line(imei=PHONE), line(1, imei=PHONE)]), removals=np.array([IMSI]))
    lines, _ = declared(story.fold)
    assert lines[["imei", "owner"]][:2].tolist() == [(METER, OF_API), (PHONE, OF_FILES)]
    revises(story, line(imei=0, owner=HANDED_BACK))
    assert declared(story.fold)[0][["imei", "owner"]][0].tolist() == (0, OF_FILES)
    revises(story, line()[:0], removals=np.array([IMSI]))
    assert IMSI not in declared(story.fold)[0]["imsi"]


def test_the_api_adds_no_subscription_that_the_files_have_removed() -> None:
    story = Story()
    revises(story, line()[:0], removals=np.array([IMSI]))
    assert not len(revises(story, line(imei=METER, owner=OF_API)))
    assert IMSI not in declared(story.fold)[0]["imsi"]


def test_what_moves_is_counted_and_gives_its_address_back() -> None:
    story = Story(SEGMENTS).attaches()
    limits, names = story.fold.state.limits, story.fold.state.policy.names["use_cases"]
    assert limits["members"][names.index("other")] == 4, "the story's members are of the last use case"
    revises(story, line(imei=METER, owner=OF_API), "meter")
    assert limits["members"].tolist()[-2:] == [1, 3]
    assert int(story.row().address) == 0, "it has another segment now"
    assert int(story.fold.state.segment_states["given"].sum()) == 0
    assert story.attaches(device=METER).allowed


def test_a_subscription_that_has_attached_keeps_its_address_in_its_segment() -> None:
    story = Story(STOCK.replace("use_case: stock", "use_case: twin\nsegment: metering"))
    address = int(story.attaches().last["address"])
    revises(story, line(imei=METER, owner=OF_API), "meter")
    assert int(story.attaches(device=METER).last["address"]) == address


def test_what_a_line_costs_knows_no_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing walks over all subscriptions, unless an address is given up."""
    from simward.engine import revisions

    story = Story(STOCK)
    for name in ("count_members", "settle_pools", "settle_bindings"):
        monkeypatch.setattr(revisions, name, lambda *_: pytest.fail("walks over the fleet"))
    revises(story, line(imei=METER, owner=OF_API), "meter")
    assert story.attaches(device=METER).allowed
