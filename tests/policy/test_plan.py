"""What a plan says, what it asks before it does it, and that applying it leaves nothing to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simward.engine.apply import declared
from simward.engine.fold import Fold
from simward.engine.leaving import REMOVALS_MAX
from simward.engine.tables import OF_API, InventoryDelta
from simward.policy.compile import compile_policy
from simward.policy.inventory import load_inventory
from simward.policy.load import read_policies
from simward.policy.plan import DELTA_ROWS, Current, Plan, plan
from simward.settings import GateSettings, Settings

POLICY = """
use_case: meter
segment: metering
binding: first-use
networks: {plmn: ["00101"]}
limits: {lock: {per_hour: 20}}
---
use_case: alarm
segment: metering
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/16
"""


def rows(count: int, use_case: str = "meter", start: int = 0, more: str = ",,") -> list[str]:
    """Lines of an inventory."""
    return [f"89001010000{n:08d},00101{n:010d},{use_case}{more}" for n in range(start, start + count)]


class World:
    """A fold, and files that are applied to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fold = Fold.new()
        self.policy = POLICY
        self.gate = GateSettings()
        self.lines = rows(100)

    def plan(self, *, take_back: bool = False) -> Plan:
        """From what is in force to what the files say now."""
        path = self.folder / "inventory.csv"
        path.write_text("iccid,imsi,use_case,imei,state\n" + "\n".join(self.lines) + "\n")
        policy = read_policies({"a.yaml": self.policy})
        tables = compile_policy(policy, Settings(self.folder, self.gate))
        return plan(Current.of(self.fold.state), tables, load_inventory(path, policy.of("use_case")),
                    take_back=take_back)

    def apply(self, *, take_back: bool = False) -> Plan:
        """Plan, and fold what it gives."""
        made = self.plan(take_back=take_back)
        tables, chunks = made.deltas()
        if tables is not None:
            self.fold.policy(tables, 1)
        for chunk in chunks:
            self.fold.inventory(chunk, 2)
        return made

    def column(self, name: str) -> np.ndarray:
        """A column of the fold's subscriptions."""
        return self.fold.state.subscriptions[name][: int(self.fold.state.meta["subscriptions"][0])]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Before anything was applied."""
    return World(tmp_path)


@pytest.fixture
def settled(world: World) -> World:
    """A hundred meters in force."""
    world.apply()
    return world


def test_the_first_plan_adds_everything_and_asks_nothing(world: World) -> None:
    made = world.apply()
    assert made.added.number == 100
    assert [(one.kind, one.name, one.change) for one in made.objects] == [
        ("segment", "metering", "added"), ("use_case", "alarm", "added"), ("use_case", "meter", "added"),
    ]  # fmt: skip
    assert made.needs_confirmation == ()
    assert made.settings == ()
    assert made.members == {"meter": (0, 100)}


def test_what_was_applied_leaves_nothing_to_do(settled: World) -> None:
    made = settled.plan()
    assert made.empty
    assert made.deltas() == (None, [])
    assert made.lines() == ["Nothing would change: what is in force is what the files say."]


def test_comments_and_layout_change_nothing(settled: World) -> None:
    turned = "---".join(reversed(POLICY.split("---")))
    settled.policy = "# a comment\n" + turned.replace("first-use", "{mode: first-use}")
    settled.lines.reverse()
    assert settled.plan().empty


def test_a_changed_use_case_says_key_by_key_what_and_whom_it_concerns(settled: World) -> None:
    settled.policy = POLICY.replace("per_hour: 20", "per_hour: 5").replace('"00101"', '"00101", "00102"')
    made = settled.apply()
    [change] = made.objects
    assert (change.kind, change.name, change.change, change.members) == ("use_case", "meter", "changed", 100)
    assert change.keys == (("limits.lock.per_hour", "20", "5"), ("networks.plmn", "00101", "00101, 00102"))
    assert made.lines() == [
        "~ use case meter changed (100 subscriptions)",
        "    limits.lock.per_hour: 20 -> 5",
        "    networks.plmn: 00101 -> 00101, 00102",
    ]
    assert made.deltas()[1] == []


def test_a_changed_segment_concerns_the_members_of_its_use_cases(settled: World) -> None:
    settled.policy = POLICY.replace("10.64.0.0/16", "10.65.0.0/16")
    assert [(one.kind, one.members, one.keys) for one in settled.plan().objects] == [
        ("segment", 100, (("pool", "10.64.0.0/16", "10.65.0.0/16"),))
    ]


def test_a_setting_that_the_gate_decides_by_is_part_of_it(settled: World) -> None:
    settled.gate = GateSettings(unknown_subscription="allow")
    made = settled.apply()
    assert made.settings == (("unknown_subscription", "reject", "allow"),)
    assert settled.plan().empty


def test_subscriptions_change_by_what_the_gate_reads(settled: World) -> None:
    settled.lines[3] = rows(1, "alarm", 3, ",35000001000001,suspended")[0]
    made = settled.apply()
    assert made.changed.number == 1
    assert made.changed.examples == (
        "8900101000000000003: imei - -> 35000001000001, use_case meter -> alarm, state active -> suspended",
    )
    assert made.taken_out.number == 1
    assert made.members == {"alarm": (0, 1), "meter": (100, 99)}
    assert settled.plan().empty


@pytest.mark.parametrize(
    ("fleet", "removed", "asks"),
    [
        (100, 10, False), (100, 11, True), (2000, 20, False), (2000, 21, True),
        (3, 3, True), (3, 1, False), (4, 2, True), (1, 1, True),
    ],
)  # fmt: skip
def test_removing_much_of_a_fleet_asks_first(world: World, fleet: int, removed: int, asks: bool) -> None:
    world.lines = rows(fleet)
    world.apply()
    world.lines = world.lines[removed:]
    made = world.plan()
    assert made.removed.number == removed
    reason = f"{removed} of {fleet:,} subscriptions would be removed or taken out of service"
    assert made.needs_confirmation == ((reason,) if asks else ())


def test_retiring_much_of_a_fleet_asks_too(settled: World) -> None:
    settled.lines = rows(50, more=",,retired") + rows(50, start=50)
    assert settled.plan().needs_confirmation == (
        "50 of 100 subscriptions would be removed or taken out of service",
    )  # fmt: skip


def test_the_end_of_a_use_case_with_members_asks(settled: World) -> None:
    settled.lines = rows(100, "alarm")
    settled.policy = POLICY.replace("use_case: meter", "use_case: other")
    assert settled.plan().needs_confirmation == ("use case meter would end; it has 100 subscriptions",)
    settled.apply()
    assert settled.plan().empty
    settled.policy = settled.policy.replace("use_case: other", "use_case: another")
    assert settled.plan().needs_confirmation == ()


def test_locks_and_bindings_that_are_touched_are_counted(settled: World) -> None:
    state = settled.fold.state
    state.subscriptions["bound_imei"][:20] = 35_000_001_000_001
    state.subscriptions["locked"][:10] = 1
    settled.lines = settled.lines[5:]
    settled.lines[10] = rows(1, start=15, more=",35000001000009,")[0]
    settled.lines[11] = rows(1, start=16, more=",35000001000001,")[0]
    made = settled.plan()
    assert (made.locks_lost, made.bindings_lost, made.bindings_moved) == (5, 5, 1)
    assert made.lines()[-3:] == [
        "! 5 locked or quarantined ones removed, with their locks",
        "! 5 bound ones removed, with their bindings",
        "! 1 bindings to be settled anew",
    ]


def test_the_inventory_comes_in_chunks_that_a_gate_can_take(world: World) -> None:
    world.policy = POLICY.replace("10.64.0.0/16", "10.64.0.0/12")
    world.lines = rows(DELTA_ROWS + 1)
    _, chunks = world.apply().deltas()
    assert [len(one.upserts) for one in chunks] == [DELTA_ROWS, 1]
    world.lines = rows(1, start=1) + rows(5, start=DELTA_ROWS + 10)
    made = world.apply()
    _, chunks = made.deltas()
    removed = [(0, REMOVALS_MAX), (0, REMOVALS_MAX), (0, DELTA_ROWS - 2 * REMOVALS_MAX)]
    assert [(len(one.upserts), len(one.removals)) for one in chunks] == [*removed, (5, 0)]
    assert world.plan().empty
    assert int((world.column("imsi") != 0).sum()) == 6


def test_half_an_apply_is_finished_by_the_next(settled: World) -> None:
    settled.policy = POLICY.replace("use_case: meter", "use_case: gauge")
    settled.lines = rows(100, "gauge")
    tables, _ = settled.plan().deltas()
    assert tables is not None
    settled.fold.policy(tables, 1)
    made = settled.apply()
    assert (made.tables, made.changed.number) == (None, 100)
    gauge = settled.fold.state.policy.names["use_cases"].index("gauge")
    assert (settled.column("use_case")[:100] == gauge).all()
    assert settled.plan().empty


@pytest.mark.parametrize(
    ("pool", "readdressed"),
    [("pool: 10.64.0.0/12", 0), ("pool: 10.80.0.0/16", 3), ("pool: 10.64.0.0/16\npool6: 2001:db8:6400::/40", 3),
     ("pool6: 2001:db8:6400::/40", 3), ("pool: 10.64.0.0/16\naddress_pool6: 2001:db8:aa::/112", 3),
     ("pool: 10.64.0.0/30", 1)],
)
def test_a_changed_pool_says_who_gets_other_addresses(tmp_path: Path, pool: str, readdressed: int) -> None:
    world = World(tmp_path)
    world.apply()
    used = world.fold.state.subscriptions
    used["address"][:3] = (10 << 24 | 64 << 16) + np.arange(1, 4)
    world.policy = POLICY.replace("pool: 10.64.0.0/16", pool)
    made = world.plan()
    assert made.readdressed == readdressed
    assert any("other addresses" in line for line in made.lines()) == bool(readdressed)
    kept = used["address"][:3].copy()
    world.apply()
    assert np.count_nonzero(used["address"][:3] != kept) == (0 if "10.64.0.0/1" in pool else readdressed)


def deployed(world: World, *numbers: int) -> None:
    """The API deploys these subscriptions: declares a device, and another use case."""
    lines, names = declared(world.fold)
    lines = lines[list(numbers)]
    lines["owner"], lines["imei"] = OF_API, 35_000000_000001 + np.array(numbers)
    lines["use_case"] = names.index("alarm")
    world.fold.inventory(InventoryDelta(lines, np.zeros(0, np.int64), names), 3)


def test_what_the_api_owns_is_left_and_said(world: World) -> None:
    world.apply()
    deployed(world, 3, 4)
    made = world.plan()
    assert made.empty and made.left_to_api.number == 2 and made.left_to_api.examples[0] == "8900101000000000003"
    assert made.lines()[1].startswith("= 2 subscriptions owned by the API (deployed), left as deployed")
    world.lines = [one for one in world.lines if not one.startswith("8900101000000000003")]
    made = world.apply()
    assert made.empty and made.left_to_api.number == 2, "what the files have no more is left, too"
    world.lines[3] = "8900101000000000004,001010000000004,alarm,35000000-000005-0,"
    assert world.plan().left_to_api.number == 1, "where both say the same there is nothing to say"


def test_what_the_api_owns_is_taken_back_when_asked(world: World) -> None:
    world.apply()
    deployed(world, 3, 4)
    world.lines = [one for one in world.lines if not one.startswith("8900101000000000003")]
    made = world.apply(take_back=True)
    assert made.taken_back.number == 2 and not made.removed.number
    assert "= 2 subscriptions owned by the API so far, taken back by the files" in made.lines()
    lines, names = declared(world.fold)
    assert not lines["owner"].any() and int(lines["imei"][4]) == 0 and names[int(lines["use_case"][4])] == "meter"
    assert world.plan().removed.number == 1, "what the files do not name goes with the next plan, which says so"
