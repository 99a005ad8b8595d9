"""Honest oddities of gateways: restarts, failover, session names used again, clocks that jump."""

from __future__ import annotations

import numpy as np

from simward.engine import events as ev
from simward.lab.fleet import USE_CASES
from simward.lab.population import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from simward.lab.scenes.scene import Oddity
from simward.lab.scenes.stage import Stage
from simward.lab.sightings import Day


class GatewayRestart(Oddity):
    """A gateway restarts and says so with Accounting-On.

    Every session that it held is over without a Stop; the devices attach again within minutes. Stronger: more of them
    at once.
    """

    id = "gateway-restart"
    everybody = True
    informs = ("gateway-restarted", "gateway-silent")
    GATEWAY = 0

    def before(self, stage: Stage, begins_at: int) -> None:
        """Its members' long sessions are cut, and begin again within half an hour."""
        if not begins_at <= stage.begins_at < begins_at + DAY_US:
            return
        rows = stage.rows
        cut = stage.victims[rows["gateway"][stage.victims] == self.GATEWAY]
        cut = cut[stage.rng.random(len(cut)) < stage.strength]
        rows["renew_at"][cut] = stage.begins_at + (stage.rng.random(len(cut)) * 30 * MINUTE_US).astype(np.int64)
        rows["no_stop"][cut] = True

    def alter(self, stage: Stage, day: Day) -> None:
        """The Accounting-On itself; what belonged to sessions from before it is not heard again."""
        if not stage.begins_within(day):
            return
        gateway = stage.population.gateways[self.GATEWAY]
        day.add(gateway_event(stage, ev.ACCOUNTING_ON, gateway, stage.begins_at))
        events = day.events
        before = events["received_at"] - events["duration_s"].astype(np.int64) * SECOND_US < stage.begins_at
        day.drop(
            (events["gateway"] == gateway) & (events["received_at"] >= stage.begins_at) & (events["duration_s"] >= 0)
            & before
        )


class SessionNamesAgain(GatewayRestart):
    """Session names are used again after a gateway's restart.

    Its counter starts anew with each boot (RFC 2866 5.5 asks for no more than uniqueness within one), so sessions after
    the Accounting-On have names of sessions before it.
    """

    id = "session-names-again"
    GATEWAY = 1

    def before(self, stage: Stage, begins_at: int) -> None:
        """As in a restart, and the serial numbers begin again."""
        super().before(stage, begins_at)
        if begins_at <= stage.begins_at < begins_at + DAY_US:
            rows = stage.rows
            rows["serial"][stage.victims[rows["gateway"][stage.victims] == self.GATEWAY]] = 0


class GatewayFailover(Oddity):
    """A gateway dies without a word, and its whole fleet moves to the other one.

    Within five minutes each of its sessions begins again elsewhere; the old ones never get a Stop. What sees a SIM at
    two gateways as cloned would suspend them all. Stronger: a larger share of the fleet. After a day they go back.
    """

    id = "gateway-failover"
    everybody = True
    informs = ("gateway-silent",)
    FROM, TO = 0, 1
    LASTS = DAY_US

    def before(self, stage: Stage, begins_at: int) -> None:
        """Long sessions begin again elsewhere, within five minutes."""
        rows = stage.rows
        for at, from_gateway in ((stage.begins_at, self.FROM), (stage.begins_at + self.LASTS, -1)):
            if begins_at <= at < begins_at + DAY_US:
                if from_gateway == self.FROM:
                    moved = stage.victims[rows["gateway"][stage.victims] == self.FROM]
                    stage.memory["moved"] = moved[stage.rng.random(len(moved)) < stage.strength]
                moved = stage.memory["moved"]
                rows["renew_at"][moved] = at + (stage.rng.random(len(moved)) * 4 * MINUTE_US).astype(np.int64)
                rows["no_stop"][moved] = from_gateway == self.FROM

    def alter(self, stage: Stage, day: Day) -> None:
        """From then on they are reported by the other gateway; what belonged to the dead one is not heard again."""
        moved = stage.memory.get("moved")
        if moved is None:
            return
        events, back = day.events, stage.begins_at + self.LASTS
        at, among = events["received_at"], day.of(moved)
        began = np.where(events["duration_s"] >= 0, at - events["duration_s"].astype(np.int64) * SECOND_US, at)
        away = among & (at >= stage.begins_at) & (began < back)
        events["gateway"][away] = stage.population.gateways[self.TO]
        day.drop(among & (at >= stage.begins_at) & (began < stage.begins_at))


class ClockJumps(Oddity):
    """The clocks of gateways and devices jump.

    Event-Timestamps are hours ahead, hours behind, or those of 1970, and right again. Stronger: in more of the reports.
    """

    id = "clock-jumps"
    use_cases = USE_CASES
    OFFSETS = (-6 * HOUR_US, -61 * SECOND_US, 90 * SECOND_US, 25 * HOUR_US)

    def alter(self, stage: Stage, day: Day) -> None:
        """Wrong times in some of the reports; when they arrive does not change."""
        wrong = stage.some(stage.of(day), 0.4 * stage.strength)
        offsets = stage.rng.choice(self.OFFSETS, len(wrong))
        day.events["happened_at"][wrong] += offsets[wrong]
        epoch = stage.some(wrong, 0.1)
        day.events["happened_at"][epoch] = 3600 * SECOND_US


def gateway_event(stage: Stage, kind: int, gateway: int, at: int) -> np.ndarray:
    """One Accounting-On or -Off."""
    event = ev.empty(1)
    event["kind"], event["gateway"], event["client"] = kind, gateway, stage.population.client
    event["received_at"], event["happened_at"] = at, at // SECOND_US * SECOND_US
    event["flags"], event["request"] = ev.FLAG_TIMESTAMP, stage.population.take_requests(1)
    return event
