"""What goes out to other systems and comes back from them, put together: dispatcher, parties, commands, routes."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from simward.control.api.endpoints import endpoint_routes
from simward.control.api.parties import PartyTokens, party_routes
from simward.control.api.party_list import party_list_routes
from simward.control.clock import Clock, SystemClock
from simward.control.commanding import Ask, Commanding
from simward.control.dispatching import Dispatcher
from simward.control.installation import installation_of
from simward.control.run import Part
from simward.registry.database import Registry
from simward.response.announcing import Announcing
from simward.response.parties import Parties, Story
from simward.settings import Settings

LOOK_BACK_US = 7 * 86_400_000_000
"""How old a deadline may be that passed while nothing ran, and is still said to have."""


class Outward:
    """The parts, routes and authenticators of the outward side; `wake` and `tick` are called by who follows."""

    def __init__(
        self, settings: Settings, registry: Registry, announcing: Announcing, ask: Ask, story: Story,
        clock: Clock | None = None,
    ) -> None:  # fmt: skip
        """OSError where the certificates of an endpoint cannot be read, ConfigurationError where data/ is not right."""
        clock = clock or SystemClock()
        self.parties = Parties(settings.parties, story)
        self.dispatcher = Dispatcher(
            registry, settings.endpoints, installation_of(settings.data_dir), clock, told=self.parties.delivered
        )
        self.commanding = Commanding(registry, ask, clock, story, settings.incidents.act_within_s)
        self.parts: list[Part] = [self.dispatcher, self.commanding]
        self.routes = [
            endpoint_routes(registry, self.dispatcher, announcing, clock.now),
            party_routes(registry, self.parties, self._woken, clock.now),
            party_list_routes(registry, settings.parties, settings.endpoints, clock.now),
        ]
        self.authenticators = [PartyTokens(settings.parties)]
        self._looked: int | None = None

    @property
    def changed(self) -> list[Callable[[], None]]:
        """To be called when something may have been written."""
        return [self.dispatcher.wake, self.commanding.wake]

    def tick(self, connection: sa.Connection, now: int) -> None:
        """Each second: which party should have acknowledged by now, and has not?"""
        since = now - LOOK_BACK_US if self._looked is None else self._looked - 1_000_000
        self.parties.escalate(connection, since, now)
        self._looked = now

    def _woken(self) -> None:
        for wake in self.changed:
            wake()
