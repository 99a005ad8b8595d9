"""device-change: the SIM is in a device that it does not belong in."""

from __future__ import annotations

from story import METER, OTHER_METER, PHONE, POLICY, Story

from simward.engine import events as e
from simward.engine import outputs as o

LOCKING = POLICY.replace(
    "binding:", "responses: {device-change: lock, device-change/software: observe}\nrelease_when: RULE\nbinding:"
)


def locking(rule: str = "never") -> Story:
    return Story(LOCKING.replace("RULE", rule))


def test_fires_when_the_sim_wakes_up_in_another_model(story: Story) -> None:
    story.attaches(device=METER).after(hours=2).attaches(device=PHONE)
    assert story.findings == ["device-change/other-model"]
    finding = story.of(o.FINDING_BEGAN)[0]
    assert (finding["was"], finding["now"], finding["expected"]) == (METER, PHONE, METER)


def test_fires_for_a_device_of_the_same_model(story: Story) -> None:
    story.attaches(device=METER).attaches(device=OTHER_METER)
    assert story.findings == ["device-change/same-model"]


def test_fires_once_for_new_software_of_the_same_device(story: Story) -> None:
    story.attaches(software=1).attaches(software=2).attaches(software=2)
    assert story.findings == ["device-change/software"]
    assert story.open == []


def test_fires_when_a_device_comes_back_after_another(story: Story) -> None:
    story.attaches(device=METER).attaches(device=PHONE).attaches(device=METER)
    assert story.findings == ["device-change/other-model", "device-change/returned"]
    assert story.attaches(device=METER).open == []


def test_fires_when_a_bound_subscription_withholds_its_device(story: Story) -> None:
    story.attaches(device=METER).attaches(device=0)
    assert story.findings == ["device-change/not-reported"]
    assert story.refused, "not_reported is refused unless the use case says otherwise"


def test_stays_quiet_while_the_device_stays(story: Story) -> None:
    for _ in range(5):
        story.attaches().starts().reports(duration_s=60).stops()
    assert story.findings == []


def test_stays_quiet_before_anything_is_bound(story: Story) -> None:
    assert story.attaches(device=0).allowed
    assert story.findings == []


def test_stays_quiet_about_accounting_without_a_device(story: Story) -> None:
    story.attaches().starts(device=0).reports(device=0, duration_s=60)
    assert story.findings == []


def test_stays_quiet_with_binding_none() -> None:
    story = Story(POLICY.replace("first-use", "none"))
    story.attaches(device=METER).attaches(device=PHONE)
    assert story.findings == []


def test_boundary_one_condition_is_one_finding_however_often_it_asks(story: Story) -> None:
    story.attaches(device=METER)
    for _ in range(10):
        story.attaches(device=PHONE)
    assert story.findings == ["device-change/other-model"]
    assert story.open == ["device-change/other-model"]


def test_boundary_a_refused_request_binds_nothing() -> None:
    story = Story(POLICY.replace("binding:", "responses: {apn-not-permitted: refuse}\nbinding:"))
    assert story.attaches(device=PHONE, apn="internet").refused
    assert story.attaches(device=METER).allowed
    assert story.row().bound_imei == METER


def test_boundary_mode_model_lets_one_model_take_its_own_place() -> None:
    story = Story(POLICY.replace("first-use", "model"))
    story.attaches(device=METER).attaches(device=OTHER_METER)
    assert story.findings == []
    assert story.attaches(device=PHONE).findings == ["device-change/other-model"]


def test_boundary_declared_devices_are_bound_before_first_use() -> None:
    story = Story(POLICY.replace("first-use", "declared"), imeis={0: METER})
    assert story.attaches(device=PHONE).findings == ["device-change/other-model"]


def test_lock_refuses_whatever_comes_until_a_person_releases() -> None:
    story = locking()
    assert story.attaches(device=METER).allowed
    assert story.attaches(device=PHONE).refused
    assert story.attaches(device=METER).refused
    assert "subscription-locked/locked" in story.open
    story.says(e.COMMAND_RELEASE)
    assert "subscription-locked/locked" not in story.open
    assert story.attaches(device=METER).allowed
    assert story.open == []


def test_lock_ends_in_line_when_the_bound_device_returns() -> None:
    story = locking("bound-device-returns")
    assert story.attaches(device=METER).attaches(device=PHONE).refused
    assert story.attaches(device=PHONE).refused
    assert story.attaches(device=METER).allowed
    assert story.findings[-1] == "device-change/returned"
    assert [int(one["result"]) for one in story.of(o.RELEASED)] == [o.RELEASE_RETURNED]


def test_lock_expires_without_traffic() -> None:
    story = locking("24h")
    assert story.attaches(device=METER).attaches(device=PHONE).refused
    story.after(hours=23.9)
    assert not story.of(o.RELEASED)
    story.after(hours=0.2)
    assert [int(one["result"]) for one in story.of(o.RELEASED)] == [o.RELEASE_EXPIRY]


def test_rebind_makes_the_next_device_the_bound_one() -> None:
    story = locking()
    story.attaches(device=METER).attaches(device=PHONE)
    story.says(e.COMMAND_RELEASE, flags=e.FLAG_REBIND)
    generation = int(story.row().generation)
    assert story.attaches(device=PHONE).allowed
    assert story.row().bound_imei == PHONE
    assert int(story.row().generation) == generation + 1
    assert story.attaches(device=METER).findings[-1] == "device-change/other-model"
    assert story.refused, "it was bound earlier and is not any more"


def test_a_wrong_device_in_accounting_is_disconnected_once() -> None:
    story = locking()
    story.attaches(device=METER).starts("abc", device=METER).reports("abc", device=PHONE, duration_s=10)
    story.reports("abc", device=PHONE, duration_s=20)
    assert len(story.disconnects) == 1
    assert bytes(story.disconnects[0]["session_id"][:3]) == b"abc"


POOLED = POLICY.replace("binding: {mode: first-use}", "binding: {pool: approved}")
POOLED += '---\npool: approved\ntac: ["35000000-35000099"]\nimei: ["49000000000001"]\n'


def test_a_pool_lets_its_devices_take_each_others_place() -> None:
    story = Story(POOLED).attaches(device=METER).attaches(device=OTHER_METER).attaches(device=49000000000001)
    assert story.findings == []


def test_a_pool_shuts_out_every_other_device() -> None:
    story = Story(POOLED).attaches(device=METER).attaches(device=49000000000002)
    assert story.findings == ["device-change/not-in-pool"]
    assert story.attaches(device=0).refused, "and one that does not say which device it is"


def test_a_lock_ends_when_a_device_of_the_pool_returns() -> None:
    locks = "responses: {device-change: lock}\nrelease_when: bound-device-returns\nbinding:"
    policy = POOLED.replace("binding:", locks)
    story = Story(policy).attaches(device=METER)
    assert story.attaches(device=PHONE).refused
    assert story.attaches(device=OTHER_METER).allowed
