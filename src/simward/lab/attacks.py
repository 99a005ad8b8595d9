"""Plays scripts against a gate and notes what a gateway saw of them."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from simward.errors import PeerError, UsageError
from simward.lab import geography, packets, scripts
from simward.lab.bearers import Driver, Session, Tally
from simward.lab.fleet import Device, Fleet, Place, Subscription, laptop, phone, twin
from simward.lab.gateway import Answer, Gateway, Network
from simward.lab.packets import Usage
from simward.lab.scripts import Act, Observed, Script

ANSWER_WITHIN_S = 6.0
DISCONNECT_WITHIN_S = 5.0


@dataclass(frozen=True)
class Patience:
    """How long silence must last to count as silence."""

    silence_s: float = 0.6


class ScriptPlayer:
    """Plays one script after another, each against a victim of its own."""

    def __init__(
        self, network: Network, stranger: Gateway, fleet: Fleet, seed: int, patience: Patience | None = None,
        software: Mapping[int, int] | None = None, avoid: Collection[int] = (), sites: Mapping[int, int] | None = None,
    ) -> None:  # fmt: skip
        """`software`: the versions that devices have by now; `avoid`: subscriptions that may not be victims; `sites`:
        where they were seen a moment ago, where that is not at home."""
        self._network, self._stranger, self._fleet = network, stranger, fleet
        self._chance = random.Random(f"scripts {seed}")
        self._patience = patience or Patience()
        self._software = software or {}
        self._sites = sites or {}
        self._taken: set[int] = set(avoid)

    def victim(self, script: Script, like: Subscription | None = None) -> Subscription:
        """A subscription that no other script has used; one whose device is of the same model as that of `like`."""
        if script.victim == "unknown":
            spares = self._fleet.spares
            return next((one for one in spares if one.number not in self._taken), spares[0])
        if script.victim == "suspended":
            return self._fleet.suspended
        free = [
            one
            for one in self._fleet.by_use_case[script.victim]
            if one.state == "active" and one.number not in self._taken
            and (like is None or one.device.imei[:8] == like.device.imei[:8])
        ]
        if not free:
            raise UsageError(f"no {script.victim} is left that nothing has been found about; make a new fleet")
        chosen = self._chance.choice([one for one in free if self._stays(script, one)] or free)
        self._taken.add(chosen.number)
        return chosen

    def _stays(self, script: Script, who: Subscription) -> bool:
        """Is it served at home, where it is and wherever a script takes it by one network? Another may be refused."""
        here = np.int64(self._sites.get(who.number, who.site))
        farther = [geography.moved_km(here, act.km) for act in script.acts if act.km and not act.plmn]
        sites = np.array([who.site, here, *farther], np.int64)
        return len(set(geography.network_at(sites, who.network).tolist())) == 1

    def play(self, script: Script, acquaint: bool = False) -> Observed:
        """Play a script; `acquaint`: first let the victim attach honestly, so that a first use binds its own device."""
        who = self.victim(script)
        observed = Observed(script, who.imsi, who.iccid)
        gateway = self._network.gateways[script.gateway]
        stage = _Stage(self, gateway, who, observed)
        if acquaint and script.victim not in ("unknown", "suspended"):
            stage.acquaint()
        for one in self._network.gateways.values():
            one.disconnects.clear()
            one.on_disconnect = stage.disconnect
        for act in script.acts:
            observed.answers.append(stage.act(act))
        if script.disconnect:
            self._network.run(lambda: script.disconnect in observed.disconnects and stage.quiet, DISCONNECT_WITHIN_S)
        observed.milliseconds.extend(stage.tally.decision_ms)
        observed.acknowledged = stage.tally.acknowledged
        return observed

    def device(self, shown: str, who: Subscription) -> Device | None:
        """The device that a packet shows."""
        own = who.device.updated(self._software.get(who.number, who.device.software))
        makers: Mapping[str, Callable[[], Device | None]] = {
            scripts.OWN: lambda: own,
            scripts.COPY: lambda: own,
            scripts.PHONE: lambda: phone(self._chance),
            scripts.LAPTOP: lambda: laptop(self._chance),
            scripts.TWIN: lambda: twin(own, self._fleet),
            scripts.WITHHELD: lambda: None,
        }
        return makers[shown]()


class _Stage:
    """One script being played."""

    def __init__(self, player: ScriptPlayer, gateway: Gateway, who: Subscription, observed: Observed) -> None:
        self.tally = Tally()
        self._player, self._gateway, self._observed = player, gateway, observed
        self._who = {scripts.VICTIM: who}
        self._network = player._network
        self._driver = Driver(self.tally)
        self._sessions: dict[tuple[str, str], Session] = {}
        self._told: list[str] = []
        self._reported_at = 0.0
        self._shown: dict[str, Device | None] = {}

    @property
    def quiet(self) -> bool:
        """Has everything that was sent been answered?"""
        return not self._network.outstanding

    def act(self, act: Act) -> str:
        """Send one packet of the script and wait for what comes of it."""
        self._told.clear()
        if act.forged:
            return self._forge(act)
        who, device = self._subscription(act), self._device(act)
        place = _place(who, act, self._player._sites.get(who.number, who.site))
        if act.send in (scripts.ATTACH, scripts.ASK):
            def opened(session: Session) -> None:
                self._sessions[act.sim, act.session] = session

            self._driver.attach(
                self._gateway_of(act), who, device, place, opened, self._told.append, rat=act.rat, apn=act.apn,
                ago_s=act.ago_s, wrong_password=act.wrong_password,
            )  # fmt: skip
        else:
            session = self._live(act)
            session.bearer = replace(session.bearer, device=device, place=place, rat=act.rat or session.bearer.rat)
            self._reported_at = time.monotonic()
            status = packets.STOP if act.send == scripts.STOP else packets.INTERIM
            passed = 60 * len(self._observed.answers)
            self._driver.report(session, status, self._told.append, Usage(1000 + passed, 400, passed))
        self._network.run(lambda: bool(self._told), ANSWER_WITHIN_S)
        return self._told[0] if self._told else scripts.SILENCE

    def acquaint(self) -> None:
        """Let the victim's own device attach and leave again: a session that stays would rightly be disconnected."""
        first = self.act(Act(scripts.ATTACH, scripts.ACCEPT))
        if first != scripts.ACCEPT:
            raise PeerError(f"{self._observed.script.name}: the victim's own device got: {first}")
        self._told.clear()
        self._driver.report(self._live(Act(scripts.STOP)), packets.STOP, self._told.append, Usage(100, 40, 1))
        self._network.run(lambda: bool(self._told), ANSWER_WITHIN_S)
        self._sessions.clear()
        self.tally.decision_ms.clear()

    def disconnect(self, session_id: str) -> int:
        """Answer a Disconnect-Request as this script's gateway does; after an ACK the session ends with a Stop."""
        named = [one for one in self._sessions.values() if one.bearer.session_id == session_id]
        session, mine = named[0] if named else None, bool(named)
        self._observed.disconnect_ms = (time.monotonic() - self._reported_at) * 1000
        if not mine or self._observed.script.disconnect == scripts.NAK:
            self._observed.disconnects.append(scripts.NAK if mine else "nak: not this session")
            return packets.SESSION_CONTEXT_NOT_FOUND
        assert session is not None
        self._observed.disconnects.append(scripts.ACK)
        self._driver.report(session, packets.STOP, lambda _: None, Usage(2000, 800, 61, packets.ADMIN_RESET))
        return 0

    def _subscription(self, act: Act) -> Subscription:
        """Whose SIM an act uses; the accomplice is chosen when it is first needed."""
        if act.sim not in self._who:
            self._who[act.sim] = self._player.victim(self._observed.script, like=self._who[scripts.VICTIM])
            self._observed.accomplices.append(self._who[act.sim].imsi)
        return self._who[act.sim]

    def _gateway_of(self, act: Act) -> Gateway:
        if not act.other_gateway:
            return self._gateway
        others = [one for one in self._network.gateways.values() if one not in (self._gateway, self._player._stranger)]
        return others[0]

    def _live(self, act: Act) -> Session:
        session = self._sessions.get((act.sim, act.session))
        if session is None:
            name = self._observed.script.name
            raise PeerError(f"{name}: there is no session to report about; its attach was refused")
        return session

    def _device(self, act: Act) -> Device | None:
        """The same phone throughout a script; a copy is one of the victim's device, whoever's SIM is in it."""
        if act.device == scripts.OWN:
            return self._player.device(act.device, self._subscription(act))
        if act.device not in self._shown:
            self._shown[act.device] = self._player.device(act.device, self._who[scripts.VICTIM])
        return self._shown[act.device]

    def _forge(self, act: Act) -> str:
        """Send a spoilt packet once and listen for a while; any answer, authentic or not, breaks the silence."""
        gateway = self._player._stranger if act.forged == scripts.STRANGER else self._gateway
        heard: list[str] = []
        before = sum(gateway.counters.faults.values())

        def answered(answer: Answer) -> None:
            heard.append(scripts.SILENCE if answer.packet is None else f"answered with code {answer.code}")

        port = gateway.auth_port if act.send == scripts.ASK else gateway.accounting_port
        gateway.ask(
            port, lambda identifier, _: self._spoilt(act, gateway, identifier), answered, attempts=1,
            patience=self._player._patience.silence_s,
        )  # fmt: skip
        self._network.run(lambda: bool(heard), ANSWER_WITHIN_S)
        return "an answer to a forged packet" if sum(gateway.counters.faults.values()) > before else heard[0]

    def _spoilt(self, act: Act, gateway: Gateway, identifier: int) -> bytes:
        nas = gateway.nas
        if act.forged == scripts.WRONG_SECRET:
            nas = replace(nas, secret=os.urandom(16))
        if act.forged == scripts.STRANGER:
            nas = self._gateway.nas
        device = self._device(act)
        if act.send == scripts.ASK:
            session_id, charging_id = self._gateway.next_session()
            who = self._subscription(act)
            bearer = packets.Bearer(who, session_id, charging_id, device, who.home, who.rat, who.apn)
            octets = packets.access_request(bearer, nas, identifier, signed=act.forged != scripts.UNSIGNED)
        elif act.send == scripts.GATEWAY_ON:
            octets = packets.gateway_report(packets.ON, nas, identifier, int(time.time()))
        else:
            bearer = replace(self._live(act).bearer, device=device)
            usage = Usage(1, 1, 1)
            octets = packets.accounting_request(bearer, packets.INTERIM, usage, nas, identifier, int(time.time()))
        if act.forged == scripts.RANDOM:
            return bytes((octets[0], identifier)) + os.urandom(len(octets) - 2)
        return octets[: len(octets) - 7] if act.forged == scripts.TRUNCATED else octets


def _place(who: Subscription, act: Act, site: int) -> Place:
    """Where an act is seen: where it is, so many kilometres away, or in a cell of another network, listed nowhere."""
    site = int(geography.moved_km(np.int64(site), act.km)) if act.km else site
    place = Place.of(site, who.sector, int(geography.network_at(np.int64(site), who.network)))
    return replace(place, plmn=act.plmn, cell=place.cell + (geography.UNLISTED << 8)) if act.plmn else place
