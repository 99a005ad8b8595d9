"""What becomes of a deployment: each state, each mistake, and that nothing is told or sent twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from response.deployed import Deployed
from response.happening import METER, PHONE, Happening, imsi
from simward.control.deploying import delta_of
from simward.registry import deployments as kept
from simward.registry import tables as t
from simward.registry.database import Registry
from simward.response import facts as f
from simward.response.deploying import Mistake

OTHER = "35000000000002"


@pytest.fixture
def deployed(registry: Registry) -> Deployed:
    return Deployed(Happening(registry))


def test_right_wrong_and_right_again(deployed: Deployed) -> None:
    number = deployed.deploy(deployed.wants(1))
    assert deployed.state(number) == "accepted" and not deployed.deployments.attaching
    (row,) = deployed.in_force()
    assert delta_of(row.lines).upserts[["imei", "owner", "state"]].tolist() == [(int(METER), 1, 0)]
    assert deployed.state(number) == "waiting" and len(deployed.deployments.attaching) == 2, "by IMSI and by MSISDN"
    deployed.attaches(1, None)
    assert deployed.state(number) == "waiting" and "not reported" in deployed.row(number).said
    for _ in range(3):
        deployed.attaches(1, PHONE, "reject")
    assert deployed.state(number) == "wrong-device"
    deployed.attaches(1, METER, "reject", "network-not-permitted")
    assert deployed.state(number) == "refused" and deployed.row(number).said == "reject: network-not-permitted"
    deployed.attaches(1)
    assert deployed.state(number) == "confirmed" and not deployed.deployments.attaching
    told = [kind for kind, _ in deployed.happening.announced("deployment.*")]
    assert told == ["deployment.accepted", "deployment.failed", "deployment.failed", "deployment.confirmed"]


def test_after_a_restart_it_waits_for_the_same(deployed: Deployed) -> None:
    deployed.deploy(deployed.wants(1))
    deployed.in_force()
    waiting, deployed.deployments.attaching = deployed.deployments.attaching, {}
    with deployed.happening.registry.reading() as connection:
        deployed.deployments.begin(connection)
    assert deployed.deployments.attaching == waiting


def test_what_had_no_answer_is_sent_again_as_it_was(deployed: Deployed) -> None:
    deployed.deploy(deployed.wants(1))
    first = deployed.sent()
    second = deployed.deploy(deployed.wants(2, OTHER))
    assert [(row.number, row.revision) for row in deployed.sent()] == [(row.number, row.revision) for row in first]
    deployed.in_force()
    assert [row.number for row in deployed.sent()] == [second]


def test_what_comes_together_is_one_revision(deployed: Deployed) -> None:
    numbers = [deployed.deploy(deployed.wants(who, f"3500000000000{who}")) for who in (1, 2, 3)]
    assert [row.number for row in deployed.in_force()] == numbers
    assert {deployed.state(number) for number in numbers} == {"waiting"}


def test_the_same_again_is_the_same_and_another_takes_its_place(deployed: Deployed) -> None:
    number = deployed.deploy(deployed.wants(1))
    assert deployed.deploy(deployed.wants(1)) == number
    other = deployed.deploy(deployed.wants(1, label="Well 12"))
    assert other != number and deployed.state(number) == "superseded"
    assert [row.number for row in deployed.in_force()] == [other], "the first is not sent any more"
    assert deployed.row(other).before[0]["use_case"] == "stock"


def test_taken_back_by_a_call_or_by_the_files(deployed: Deployed) -> None:
    first, second = deployed.deploy(deployed.wants(1)), deployed.deploy(deployed.wants(2, OTHER))
    deployed.in_force()
    deployed.cancel(first)
    assert deployed.state(first) == "cancelling"
    (row,) = deployed.in_force()
    assert row.asked == kept.UNDEPLOY and deployed.state(first) == "cancelled"
    command = {"do": "apply", "actor": "ada"}
    base = deployed.happening._base(None)
    deployed.takes(f.PolicyApplied(**base, what="inventory", command=command, handed_back=(imsi(2), imsi(3))))
    assert deployed.state(second) == "taken-back"
    ended = [name for kind, name in deployed.happening.announced("deployment.ended")]
    assert ended == [f"deployment.ended:{first}", f"deployment.ended:{second}"]
    assert deployed.deploy(deployed.wants(3, METER)), "its device is free"


def test_a_subscription_that_has_left_the_inventory_meanwhile(deployed: Deployed) -> None:
    number = deployed.deploy(deployed.wants(1))
    deployed.in_force(imsi(1))
    assert deployed.state(number) == "failed" and "inventory no more" in deployed.row(number).said


def wrong(deployed: Deployed, wanted: object, tenant: str | None = None) -> Mistake:
    with pytest.raises(Mistake) as caught:
        deployed.deploy(wanted, tenant)  # type: ignore[arg-type]
    return caught.value


def test_what_cannot_be_meant(deployed: Deployed) -> None:
    assert wrong(deployed, deployed.wants(9)).name == "unknown-subscription"
    assert wrong(deployed, replace(deployed.wants(1), iccid=None, imsi=imsi(9))).name == "unknown-subscription"
    assert wrong(deployed, deployed.wants(1, use_case="nothing")).name == "unknown-use-case"
    assert wrong(deployed, deployed.wants(1, use_case="theirs")).name == "other-tenant"
    assert wrong(deployed, deployed.wants(1), "elsewhere").name == "unknown-subscription", "not there for a stranger"
    s = t.subscription
    changes = {2: {"locked_at": 1, "locked_because": "device-change"}, 3: {"state": "retired"},
               4: {"use_case": "tracker", "declared_imei": PHONE}}  # fmt: skip
    with deployed.happening.registry.writing() as connection:
        for who, values in changes.items():
            connection.execute(sa.update(s).where(s.c.imsi == imsi(who)).values(**values))
    assert wrong(deployed, deployed.wants(2)).name == "subscription-locked"
    assert wrong(deployed, deployed.wants(3)).name == "subscription-out-of-service"
    assert wrong(deployed, deployed.wants(4, use_case="tracker")).name == "wrong-model"


def test_a_device_is_one_cards(deployed: Deployed) -> None:
    deployed.deploy(deployed.wants(1))
    found = wrong(deployed, deployed.wants(2))
    assert (found.name, found.facts["imsi"]) == ("device-bound-elsewhere", imsi(1))
    with deployed.happening.registry.writing() as connection:
        s = t.subscription
        values = {"imei": OTHER, "use_case": "water-meter", "tenant": "elsewhere"}
        connection.execute(sa.update(s).where(s.c.imsi == imsi(5)).values(**values))
    assert wrong(deployed, deployed.wants(2, OTHER), "default").facts == {}, "whose it is, not everybody may know"
    with deployed.happening.registry.writing() as connection:
        connection.execute(sa.update(s).where(s.c.imsi == imsi(5)).values(use_case="tracker"))
    assert deployed.deploy(deployed.wants(2, OTHER)), "where a model is bound, no device is its own"
