"""The control plane put together: registry, what follows from facts, what waits for a time, and what others may ask."""

from __future__ import annotations

import time

from simward.control.api.incidents import incident_routes
from simward.control.api.rules import rule_routes
from simward.control.api.work import work_routes
from simward.control.behind import Behind
from simward.control.gate_link import GateLink
from simward.control.heads import Heads, Signer
from simward.control.outward import Outward
from simward.control.run import Control
from simward.registry.database import Registry, url_of
from simward.registry.work_orders import is_open
from simward.response.announcing import Announcing
from simward.response.auditing import Auditing
from simward.response.incidents import Incidents
from simward.response.judging import Judging
from simward.response.rules.acting import Automation
from simward.response.rules.opening import RaisedIncidents
from simward.response.work_orders import WorkOrders
from simward.settings import Settings


def now_us() -> int:
    """The time, us UTC."""
    return time.time_ns() // 1000


def assemble(settings: Settings) -> Control:
    """All parts of one working folder's control plane. Raises RegistryError where the registry cannot be opened."""
    registry = Registry.open(url_of(settings))
    registry.migrate()
    announcing = Announcing(settings.endpoints, now_us, settings.parties)
    heads = Heads(settings.heads_path, Signer.of(settings.data_dir), registry)
    incidents = Incidents(announcing, settings.incidents, now_us)
    outward = Outward(settings, registry, announcing, GateLink(settings.data_dir).ask, incidents.life)
    automation = Automation(
        announcing, now_us, parties=settings.parties, incidents=RaisedIncidents(incidents.life), work_orders=is_open
    )
    behind = Behind(
        settings, registry, now=now_us, before=[Auditing()], heads=heads, ticking=[incidents, automation, outward],
        changed=outward.changed,
        # In this order: what work orders say to a finding is its incident's title, and what is announced names that.
        takers=[WorkOrders(announcing), incidents, announcing, automation],
    )  # fmt: skip
    routes = [
        incident_routes(registry, Judging(incidents.life), settings.data_dir, now_us), rule_routes(registry, now_us),
        work_routes(registry, settings.inventory_path, now_us, outward.commanding.wake),
    ]  # fmt: skip
    return Control(
        settings, parts=[behind, *outward.parts], conditions=[behind], routes=[*routes, *outward.routes],
        authenticators=outward.authenticators,
    )  # fmt: skip
