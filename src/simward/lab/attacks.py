"""Plays scenes against a gate and notes what a gateway saw of them."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from simward.errors import PeerError, UsageError
from simward.lab import packets, scenes
from simward.lab.bearers import Driver, Session, Tally
from simward.lab.fleet import Device, Fleet, Subscription, laptop, phone, twin
from simward.lab.gateway import Answer, Gateway, Network
from simward.lab.packets import Usage
from simward.lab.scenes import Act, Observed, Scene

ANSWER_WITHIN_S = 6.0
DISCONNECT_WITHIN_S = 5.0


@dataclass(frozen=True)
class Patience:
    """How long silence must last to count as silence."""

    silence_s: float = 0.6


class ScenePlayer:
    """Plays one scene after another, each against a victim of its own."""

    def __init__(
        self, network: Network, stranger: Gateway, fleet: Fleet, seed: int, patience: Patience | None = None,
        software: Mapping[int, int] | None = None, avoid: Collection[int] = (),
    ) -> None:  # fmt: skip
        """`software`: the versions that devices have by now; `avoid`: subscriptions that may not be victims."""
        self._network, self._stranger, self._fleet = network, stranger, fleet
        self._chance = random.Random(f"scenes {seed}")
        self._patience = patience or Patience()
        self._software = software or {}
        self._taken: set[int] = set(avoid)

    def victim(self, scene: Scene) -> Subscription:
        """A subscription that no other scene has used."""
        if scene.victim == "unknown":
            spares = self._fleet.spares
            return next((one for one in spares if one.number not in self._taken), spares[0])
        if scene.victim == "suspended":
            return self._fleet.suspended
        free = [
            one
            for one in self._fleet.by_use_case[scene.victim]
            if one.state == "active" and one.number not in self._taken
        ]
        if not free:
            raise UsageError(f"no {scene.victim} is left that nothing has been found about; make a new fleet")
        chosen = self._chance.choice(free)
        self._taken.add(chosen.number)
        return chosen

    def play(self, scene: Scene, acquaint: bool = False) -> Observed:
        """Play a scene; `acquaint`: first let the victim attach honestly, so that a first use binds its own device."""
        who = self.victim(scene)
        observed = Observed(scene, who.imsi, who.iccid)
        gateway = self._network.gateways[scene.gateway]
        stage = _Stage(self, gateway, who, observed)
        if acquaint and scene.victim not in ("unknown", "suspended"):
            stage.acquaint()
        gateway.disconnects.clear()
        gateway.on_disconnect = stage.disconnect
        for act in scene.acts:
            observed.answers.append(stage.act(act))
        if scene.disconnect:
            self._network.run(lambda: scene.disconnect in observed.disconnects and stage.quiet, DISCONNECT_WITHIN_S)
        observed.milliseconds.extend(stage.tally.decision_ms)
        observed.acknowledged = stage.tally.acknowledged
        return observed

    def device(self, shown: str, who: Subscription) -> Device | None:
        """The device that a packet shows."""
        own = who.device.updated(self._software.get(who.number, who.device.software))
        makers: Mapping[str, Callable[[], Device | None]] = {
            scenes.OWN: lambda: own,
            scenes.LAPTOP_COPY: lambda: own,
            scenes.PHONE: lambda: phone(self._chance),
            scenes.LAPTOP: lambda: laptop(self._chance),
            scenes.TWIN: lambda: twin(own, self._fleet),
            scenes.WITHHELD: lambda: None,
        }
        return makers[shown]()


class _Stage:
    """One scene being played."""

    def __init__(self, player: ScenePlayer, gateway: Gateway, who: Subscription, observed: Observed) -> None:
        self.tally = Tally()
        self._player, self._gateway, self._who, self._observed = player, gateway, who, observed
        self._network = player._network
        self._driver = Driver(self.tally)
        self._session: Session | None = None
        self._told: list[str] = []
        self._reported_at = 0.0
        self._phone: dict[str, Device | None] = {}

    @property
    def quiet(self) -> bool:
        """Has everything that was sent been answered?"""
        return not self._network.outstanding

    def act(self, act: Act) -> str:
        """Send one packet of the scene and wait for what comes of it."""
        self._told.clear()
        if act.forged:
            return self._forge(act)
        device = self._device(act)
        place = self._who.home if not act.plmn else replace(self._who.home, plmn=act.plmn)
        if act.send in (scenes.ATTACH, scenes.ASK):
            self._driver.attach(
                self._gateway, self._who, device, place, self._opened, self._told.append, rat=act.rat, apn=act.apn
            )
        else:
            session = self._live()
            session.bearer = replace(session.bearer, device=device, place=place)
            self._reported_at = time.monotonic()
            self._driver.report(session, packets.INTERIM, self._told.append, Usage(1000, 400, 60))
        self._network.run(lambda: bool(self._told), ANSWER_WITHIN_S)
        return self._told[0] if self._told else scenes.SILENCE

    def acquaint(self) -> None:
        """Let the victim's own device attach and leave again: a session that stays would rightly be disconnected."""
        first = self.act(Act(scenes.ATTACH, scenes.ACCEPT))
        if first != scenes.ACCEPT:
            raise PeerError(f"{self._observed.scene.name}: the victim's own device got: {first}")
        self._told.clear()
        self._driver.report(self._live(), packets.STOP, self._told.append, Usage(100, 40, 1))
        self._network.run(lambda: bool(self._told), ANSWER_WITHIN_S)
        self._session = None
        self.tally.decision_ms.clear()

    def disconnect(self, session_id: str) -> int:
        """Answer a Disconnect-Request as this scene's gateway does; after an ACK the session ends with a Stop."""
        session = self._session
        mine = session is not None and session.bearer.session_id == session_id
        self._observed.disconnect_ms = (time.monotonic() - self._reported_at) * 1000
        if not mine or self._observed.scene.disconnect == scenes.NAK:
            self._observed.disconnects.append(scenes.NAK if mine else "nak: not this session")
            return packets.SESSION_CONTEXT_NOT_FOUND
        assert session is not None
        self._observed.disconnects.append(scenes.ACK)
        self._driver.report(session, packets.STOP, lambda _: None, Usage(2000, 800, 61, packets.ADMIN_RESET))
        return 0

    def _opened(self, session: Session) -> None:
        self._session = session

    def _live(self) -> Session:
        if self._session is None:
            raise PeerError(f"{self._observed.scene.name}: there is no session to report about; its attach was refused")
        return self._session

    def _device(self, act: Act) -> Device | None:
        """The same phone throughout a scene."""
        if act.device not in self._phone:
            self._phone[act.device] = self._player.device(act.device, self._who)
        return self._phone[act.device]

    def _forge(self, act: Act) -> str:
        """Send a spoilt packet once and listen for a while; any answer, authentic or not, breaks the silence."""
        gateway = self._player._stranger if act.forged == scenes.STRANGER else self._gateway
        heard: list[str] = []
        before = sum(gateway.counters.faults.values())

        def answered(answer: Answer) -> None:
            heard.append(scenes.SILENCE if answer.packet is None else f"answered with code {answer.code}")

        port = gateway.auth_port if act.send == scenes.ASK else gateway.accounting_port
        gateway.ask(
            port, lambda identifier, _: self._spoilt(act, gateway, identifier), answered, attempts=1,
            patience=self._player._patience.silence_s,
        )  # fmt: skip
        self._network.run(lambda: bool(heard), ANSWER_WITHIN_S)
        return "an answer to a forged packet" if sum(gateway.counters.faults.values()) > before else heard[0]

    def _spoilt(self, act: Act, gateway: Gateway, identifier: int) -> bytes:
        nas = gateway.nas
        if act.forged == scenes.WRONG_SECRET:
            nas = replace(nas, secret=os.urandom(16))
        if act.forged == scenes.STRANGER:
            nas = self._gateway.nas
        device = self._device(act)
        if act.send == scenes.ASK:
            session_id, charging_id = self._gateway.next_session()
            bearer = packets.Bearer(
                self._who, session_id, charging_id, device, self._who.home, self._who.rat, self._who.apn
            )
            octets = packets.access_request(bearer, nas, identifier, signed=act.forged != scenes.UNSIGNED)
        elif act.send == scenes.GATEWAY_ON:
            octets = packets.gateway_report(packets.ON, nas, identifier, int(time.time()))
        else:
            bearer = replace(self._live().bearer, device=device)
            usage = Usage(1, 1, 1)
            octets = packets.accounting_request(bearer, packets.INTERIM, usage, nas, identifier, int(time.time()))
        if act.forged == scenes.RANDOM:
            return bytes((octets[0], identifier)) + os.urandom(len(octets) - 2)
        return octets[: len(octets) - 7] if act.forged == scenes.TRUNCATED else octets
