"""What one owner's subscriptions do is told to that owner's endpoints alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from response.happening import Happening
from simward.errors import ConfigurationError
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.registry import tables as t
from simward.registry.database import Registry
from simward.response.announcing import Announcing
from simward.settings import Endpoint, Party, Settings

ENDPOINTS = (
    Endpoint("ours", "webhook", "https://ours.example/"),
    Endpoint("theirs", "webhook", "https://theirs.example/", tenant="acme"),
)
PARTIES = (Party("dm", "ours"), Party("their-dm", "theirs"))


@pytest.fixture
def told(registry: Registry) -> Happening:
    """Two owners, each with an endpoint and a party for every use case."""
    happening = Happening(registry)
    happening.announcing = Announcing(ENDPOINTS, happening.clock, PARTIES)
    return happening


def deliveries(registry: Registry) -> set[tuple[str, str]]:
    """(type, endpoint) of everything that is on its way."""
    joined = t.delivery.join(t.announcement, t.delivery.c.announcement == t.announcement.c.number)
    with registry.reading() as connection:
        rows = connection.execute(sa.select(t.announcement.c.type, t.delivery.c.endpoint).select_from(joined))
        return {(row.type, row.endpoint) for row in rows}


@pytest.mark.parametrize(("tenant", "endpoint"), [("default", "ours"), ("acme", "theirs")])
def test_a_broken_binding_is_its_owners_alone(
    told: Happening, registry: Registry, tenant: str, endpoint: str
) -> None:
    told.found("device-change", 1, class_="other-model", severity="high", response="lock", tenant=tenant)
    assert deliveries(registry) == {("finding.raised", endpoint), ("binding.broken", endpoint)}
    with registry.reading() as connection:
        assert connection.execute(sa.select(t.incident_party.c.party)).scalars().all() == [
            "dm" if tenant == "default" else "their-dm"
        ]


def test_what_concerns_everybody_is_told_to_the_operators_own(told: Happening, registry: Registry) -> None:
    told.found("gateway-silent", None, gateway="pgw1")
    assert {endpoint for _, endpoint in deliveries(registry)} == {"ours"}


def test_a_rule_cannot_tell_another_owner() -> None:
    policy = read_policies({"a.yaml": "rule: a\non: binding.broken\ndo: [{webhook: {endpoint: theirs}}]"})
    with pytest.raises(ConfigurationError, match="belongs to tenant 'acme'"):
        compile_policy(policy, Settings(Path("/nowhere"), endpoints=ENDPOINTS))
