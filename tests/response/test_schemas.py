"""What is announced is as its schema says: of every type, as the code that makes it makes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa
import yaml

from response.deployed import Deployed
from response.happening import PHONE, Happening, imsi
from simward.connectors.cloudevents import structured
from simward.registry import tables as t
from simward.registry import work_orders as kept
from simward.registry.database import Registry, sqlite_url
from simward.response import facts as f
from simward.response.announcing import TYPES, Announcement
from simward.response.judging import Judging
from simward.response.rules.acting import Automation
from simward.response.rules.opening import RaisedIncidents
from simward.response.schemas import SCHEMAS
from simward.response.telling import event_of
from simward.response.work_orders import WorkOrders

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


def test_every_type_has_a_schema_and_no_other() -> None:
    assert list(SCHEMAS) == list(TYPES)
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.fixture
def happening(tmp_path: Path) -> Iterator[Happening]:
    registry = Registry.open(sqlite_url(tmp_path))
    registry.migrate()
    yield Happening(registry)
    registry.close()


def everything(happening: Happening) -> None:
    """Something of every type."""
    base = happening._base(1)
    command = {"do": "release", "actor": "ada", "because": "exchanged", "id": "c1"}
    happening.take(f.Bound(**base, device="3500000000000101", imei="350000000000014", generation=1, apn="meters.iot",
                           address="10.64.0.2"))  # fmt: skip
    broken = happening.found("device-change", 1, class_="other-model", response="lock", wanted="lock", severity="high",
                             was="350000000000014", now="359999000000071", expected="350000000000014")  # fmt: skip
    happening.locks(1)
    effect = happening.disconnects(1, "device-change/other-model")
    happening.answered(1, effect).tick()
    happening.take(f.Released(**happening._base(1), why="person", command=command))
    happening.take(f.Quarantined(**happening._base(1), until=None, command=command))
    happening.take(f.Unbound(**happening._base(1), imei="350000000000014", removed=False, command=command))
    happening.ends(broken)
    happening.found("gateway-silent", None, gateway="pgw1", about="gateway pgw1", scope="gateway", use_case=None)
    happening.found("gateway-restarted", None, gateway="pgw1", scope="gateway", use_case=None)
    happening.take(f.PolicyApplied(**happening._base(None), what="inventory", command=command))
    works(happening)
    deploys(happening)
    with happening.registry.writing() as connection:
        number = happening.open()[0].number
        Judging(happening.incidents.life).act(connection, number, "acknowledge", happening.now, "ada")
    with happening.registry.writing() as connection:
        Judging(happening.incidents.life).act(connection, number, "resolve", happening.now, "ada", "it was", "benign")
        test = Announcement("endpoint.test", "endpoint.test:1", happening.now, "endpoint a", data={"endpoint": "a"})
        happening.announcing.say(connection, test)
    fires_a_rule(happening)


def fires_a_rule(happening: Happening) -> None:
    """One that tells an endpoint of every finding."""
    rule = {"rule": "tell", "on": ["device-change"], "do": [{"notify": {"endpoint": "a"}}], "mode": "live"}
    now, incidents = lambda: happening.now, RaisedIncidents(happening.incidents.life)
    automation = Automation(happening.announcing, now, incidents=incidents)
    applied = f.PolicyApplied(**happening._base(None), what="policy", documents={"rule": {"tell": rule}})
    with happening.registry.writing() as connection:
        automation.take(connection, applied)
    document = happening.found("device-change", 1, class_="other-model", response="notify", wanted="notify")
    began = f.FindingBegan(**happening._base(1), document=document)
    with happening.registry.writing() as connection:
        automation.take(connection, began)
        assert automation.tick(connection, happening.now)


def deploys(happening: Happening) -> None:
    """A device that is deployed, seen in another one, confirmed and taken back."""
    deployed = Deployed(happening)
    number = deployed.deploy(deployed.wants(4))
    deployed.in_force()
    deployed.attaches(4, PHONE)
    deployed.attaches(4)
    deployed.cancel(number)
    deployed.in_force()


def works(happening: Happening) -> None:
    """A work order that is done, and one that is overdue."""
    subscription = happening._base(1)
    orders = WorkOrders(happening.announcing)
    with happening.registry.writing() as connection:
        for why in ("", "expired"):
            item = kept.Item(str(subscription["iccid"]), happening.now, happening.now + 1, "35111111000001")
            order = kept.Order("plan", "a title", "ada", "worn out", [item])
            number = kept.create(connection, order, happening.now)
            base = happening._base(1)
            fact: f.Fact = f.PlanEnded(**base, order=number, imei=item.imei, why=why)
            if not why:
                fact = f.Planned(**base, order=number, device=True, place=False, was=None, now=item.imei, changes={})
            orders.take(connection, fact)


def announced(happening: Happening) -> list[Any]:
    """All rows."""
    with happening.registry.reading() as connection:
        return list(connection.execute(sa.select(t.announcement).order_by(t.announcement.c.number)))


def test_what_is_announced_is_as_its_schema_says(happening: Happening) -> None:
    everything(happening)
    rows = announced(happening)
    assert {row.type for row in rows} == set(TYPES), "something of every type"
    document = yaml.safe_load((REFERENCE / "asyncapi.yaml").read_text())
    for row in rows:
        strict = {**SCHEMAS[row.type], "additionalProperties": True}
        jsonschema.validate(row.data, strict, format_checker=jsonschema.FormatChecker())
        _, body = structured(event_of(row, "6c0f4f0e-8a70-4c55-9d0e-0123456789ab"))
        event = {"$ref": f"#/components/schemas/{row.type}.event", "components": document["components"]}
        jsonschema.validate(yaml.safe_load(body), event)


def test_what_a_subscription_lived_through_is_numbered_without_a_gap(happening: Happening) -> None:
    everything(happening)
    mine = [row.sequence for row in announced(happening) if row.subject == imsi(1)]
    assert mine == list(range(1, len(mine) + 1))


def test_the_reference_refers_only_to_what_is_there() -> None:
    document = yaml.safe_load((REFERENCE / "asyncapi.yaml").read_text())
    assert document["asyncapi"] == "3.0.0"

    def refer(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            for key, value in part.items():
                if key == "$ref":
                    yield value
                else:
                    yield from refer(value)
        elif isinstance(part, list):
            for value in part:
                yield from refer(value)

    for one in refer(document):
        at: Any = document
        for step in one.removeprefix("#/").split("/"):
            at = at[step]
    assert set(document["components"]["messages"]) == set(TYPES)
