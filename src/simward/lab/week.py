"""Plays an honest week against a gate: real packets in real time, the plan's cadence squeezed, its order kept."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from simward.lab import packets, timeline
from simward.lab.bearers import Driver, Manner, Session
from simward.lab.fleet import Fleet
from simward.lab.gateway import Network
from simward.lab.packets import Usage
from simward.lab.timeline import Step, Week

STATUSES = {timeline.INTERIM: packets.INTERIM, timeline.STOP: packets.STOP}
GATEWAY_STATUSES = {timeline.GATEWAY_OFF: packets.OFF, timeline.GATEWAY_ON: packets.ON}
SETTLE_S = 10.0

Progress = Callable[[float, int], None]
"""Called a few times a second with the time of the fleet's week and how many steps have begun."""


class WeekPlayer:
    """Each subscription's steps follow one another: the next is sent when the one before has been answered."""

    def __init__(self, network: Network, fleet: Fleet, week: Week, driver: Driver) -> None:
        self.sessions: dict[int, Session] = {}
        self.lag_s = 0.0
        """How late the latest step was sent: the lab's own load and the gate's answers together."""
        self._network, self._fleet, self._week, self._driver = network, fleet, week, driver
        self._queues: dict[int, deque[tuple[float, Step]]] = {}
        self._held_back: dict[int, Step] = {}
        self._busy: set[int] = set()

    def play(self, seconds: float, progress: Progress) -> bool:
        """Play the week in `seconds`; False where answers were still missing some time after its end."""
        begun = time.monotonic()
        steps, at, shown = self._week.steps, 0, 0.0
        pace = seconds / timeline.WEEK
        while at < len(steps):
            now = time.monotonic()
            while at < len(steps) and begun + steps[at].at * pace <= now:
                self._due(begun + steps[at].at * pace, steps[at])
                at += 1
            if now - shown > 0.1:
                shown = now
                progress((now - begun) / pace, at)
            if at < len(steps):
                self._network.turn(min(0.02, begun + steps[at].at * pace - time.monotonic()))
        settled = self._network.run(lambda: not self._busy and not self._network.outstanding, SETTLE_S)
        progress(timeline.WEEK, at)
        return settled

    def _due(self, when: float, step: Step) -> None:
        queue = self._queues.setdefault(step.subscription, deque())
        queue.append((when, step))
        if step.subscription not in self._busy:
            self._next(step.subscription)

    def _next(self, number: int) -> None:
        queue = self._queues[number]
        while queue:
            when, step = queue.popleft()
            self.lag_s = max(self.lag_s, time.monotonic() - when)
            if self._begin(step):
                self._busy.add(number)
                return
        self._busy.discard(number)

    def _begin(self, step: Step) -> bool:
        """Send what a step sends; False where it sends nothing that must be waited for."""
        number = step.subscription
        if step.act in GATEWAY_STATUSES:
            gateway = self._network.gateways[step.gateway]
            if step.act == timeline.GATEWAY_OFF:
                # What it has begun it ends first: a Start after its Accounting-Off would say that it is up again.
                self._network.run(lambda: not gateway.outstanding, SETTLE_S)
            self._driver.gateway_report(gateway, GATEWAY_STATUSES[step.act], lambda _: self._done(number))
            return True
        if step.act == timeline.ATTACH:
            self._attach(step)
            return True
        session = self.sessions.get(number)
        if session is None:
            return False
        if step.act == timeline.VANISH:
            self._forget(session)
            return False
        if step.twist == timeline.OVERTAKEN:
            self._held_back[number] = step
            return False
        self._report(session, step, lambda _: self._done(number))
        overtaken = self._held_back.pop(number, None)
        if overtaken is not None:
            self._report(session, overtaken, lambda _: None)
        if step.act == timeline.STOP:
            del self.sessions[number]
        return True

    def _attach(self, step: Step) -> None:
        who = self._fleet.subscriptions[step.subscription]
        assert step.place is not None
        before = self.sessions.pop(who.number, None)
        if before is not None:
            self._forget(before)

        def opened(session: Session) -> None:
            self.sessions[who.number] = session

        self._driver.attach(
            self._network.gateways[step.gateway], who, who.device.updated(step.software), step.place, opened,
            lambda _: self._done(who.number), manner=_manner(step),
        )  # fmt: skip

    def _report(self, session: Session, step: Step, told: Callable[[str], None]) -> None:
        if step.place is not None:
            session.bearer = replace(session.bearer, place=step.place)
        usage = Usage(step.uplink_octets, step.downlink_octets, step.duration_s)
        self._driver.report(session, STATUSES[step.act], told, usage, _manner(step))

    def _forget(self, session: Session) -> None:
        """The session is gone at the gateway, and nothing says so to anybody."""
        session.gateway.sessions.pop(session.bearer.session_id, None)
        self.sessions.pop(session.number, None)
        self._held_back.pop(session.number, None)

    def _done(self, number: int) -> None:
        self._next(number)


def _manner(step: Step) -> Manner:
    return Manner(twice=step.twist == timeline.TWICE, loses_answer=step.twist == timeline.LOST_ANSWER)
