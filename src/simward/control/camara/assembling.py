"""CAMARA's interfaces and the tokens that open them, put together for a control plane."""

from __future__ import annotations

from simward.control.api.principals import Authenticator
from simward.control.camara.areas import Areas
from simward.control.camara.fraud import Binding, fraud_routes
from simward.control.camara.notifying import Notifying
from simward.control.camara.subscriptions import Subscribing, subscription_routes
from simward.control.camara.swaps import DEVICE, SIM, swap_routes
from simward.control.camara.telling import Telling
from simward.control.clock import Clock
from simward.control.following import Taker
from simward.control.gate_link import GateLink
from simward.control.installation import installation_of
from simward.control.oauth.clients import client_routes
from simward.control.oauth.given import GivenTokens
from simward.control.oauth.giving import token_routes
from simward.control.oauth.issued import IssuedTokens
from simward.control.run import Part
from simward.registry.database import Registry
from simward.registry.sealing import Vault
from simward.settings import Settings


class Camara:
    """Parts, routes, takers and authenticators; `changed` is called by who follows."""

    def __init__(
        self, settings: Settings, registry: Registry, gate: GateLink, clock: Clock, vault: Vault
    ) -> None:
        areas = Areas(settings.data_dir)
        self.telling = Telling(installation_of(settings.data_dir), areas)
        self.notifying = Notifying(registry, settings.camara, vault, clock)
        self.takers: list[Taker] = [areas, self.telling]
        self.parts: list[Part] = [self.notifying]
        self.changed = [self.notifying.wake]
        self.authenticators: list[Authenticator] = [
            GivenTokens(registry, clock.now), IssuedTokens(settings.issuers)
        ]
        subscribing = Subscribing(
            registry, self.telling, areas, vault, clock.now, allow_private=settings.camara.allow_private_sinks,
            woken=self.notifying.wake,
        )  # fmt: skip
        days = settings.camara.monitored_days
        self.routes = [
            client_routes(registry, clock.now), token_routes(registry, clock.now),
            fraud_routes(Binding(registry, gate, areas)), subscription_routes(subscribing),
            *(swap_routes(swap, registry, clock.now, days) for swap in (DEVICE, SIM)),
        ]  # fmt: skip
