"""What policies over the API, and jobs, need of the control plane, put together."""

from __future__ import annotations

from collections.abc import Callable

from simward.control.api.jobs import job_routes
from simward.control.api.objects import object_routes
from simward.control.api.revisions import revision_routes
from simward.control.api.uploads import upload_routes
from simward.control.clock import Clock
from simward.control.gate_link import GateLink
from simward.control.jobs import Jobs
from simward.control.revising import Revising
from simward.registry.database import Registry
from simward.settings import Settings


class Proposals:
    """The part (`jobs`, which also ticks) and the routes. `decided` is called when there are commands for the gate."""

    def __init__(
        self, settings: Settings, registry: Registry, gate: GateLink, clock: Clock, decided: Callable[[], None]
    ) -> None:
        self.jobs = Jobs(settings.dir, registry, clock)
        revising = Revising(settings, registry, gate.ask)
        self.routes = [
            upload_routes(settings, registry, revising, self.jobs, clock.now),
            revision_routes(registry, revising, clock.now),
            job_routes(registry, self.jobs, clock.now, decided),
            object_routes(registry),
        ]
