"""Honest oddities of gateways: restarts, failover, session names used again, clocks that jump."""

from __future__ import annotations

import numpy as np

from simward.engine import events as ev
from simward.lab.fleet import CAMERA, LIFT_ALARM, USE_CASES
from simward.lab.population import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from simward.lab.scenes.scene import Oddity
from simward.lab.scenes.stage import Stage
from simward.lab.sightings import Day

ALWAYS_ON = (LIFT_ALARM, CAMERA)
AGAIN = (ord("6"), ord("1"))
"""How names of sessions begin (see session_names) that go on at another gateway."""


class GatewayRestart(Oddity):
    """A gateway restarts and says so with Accounting-On.

    Every session that it held is over without a Stop; the devices attach again within minutes. Stronger: more of them
    at once.
    """

    id = "gateway-restart"
    everybody = True
    informs = ("gateway-restarted", "gateway-silent")
    lasts_h = 1.0
    GATEWAY = silences = 0

    def before(self, stage: Stage, begins_at: int) -> None:
        """Its members' long sessions are cut, and begin again within half an hour."""
        if not begins_at <= stage.begins_at < begins_at + DAY_US:
            return
        rows = stage.rows
        # Who begins anew today anyway is not there: it comes back from another gateway.
        cut = stage.victims[(rows["gateway"][stage.victims] == self.GATEWAY) & (rows["renew_at"][stage.victims] == 0)]
        cut = cut[stage.rng.random(len(cut)) < stage.strength]
        rows["renew_at"][cut] = stage.begins_at + (stage.rng.random(len(cut)) * 30 * MINUTE_US).astype(np.int64)
        rows["no_stop"][cut] = True
        stage.memory["cut"] = np.union1d(cut, np.setdiff1d(stage.victims, stage.population.members(ALWAYS_ON)))

    def alter(self, stage: Stage, day: Day) -> None:
        """The Accounting-On itself; what belonged to sessions from before it is not heard again."""
        if not stage.begins_within(day):
            return
        gateway = stage.population.gateways[self.GATEWAY]
        day.add(gateway_event(stage, ev.ACCOUNTING_ON, gateway, stage.begins_at))
        events = day.events
        before = events["received_at"] - events["duration_s"].astype(np.int64) * SECOND_US < stage.begins_at
        day.drop(
            day.of(stage.memory["cut"]) & (events["gateway"] == gateway) & (events["received_at"] >= stage.begins_at)
            & (events["duration_s"] >= 0) & before
        )


class SessionNamesAgain(GatewayRestart):
    """Session names are used again after a gateway's restart.

    Its counter starts anew with each boot (RFC 2866 5.5 asks for no more than uniqueness within one), so sessions after
    the Accounting-On have names of sessions before it.
    """

    id = "session-names-again"
    GATEWAY = silences = 1

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
    informs = ("gateway-silent", "cell-silent/gateway")
    lasts_h = 24.0
    FROM, TO = 0, 1
    silences = FROM

    def ends_at(self, stage: Stage) -> int:
        """After a day, however many they are."""
        return stage.begins_at + int(self.lasts_h * HOUR_US)

    def before(self, stage: Stage, begins_at: int) -> None:
        """What is always on begins again elsewhere, within five minutes."""
        rows = stage.rows
        for at, from_gateway in ((stage.begins_at, self.FROM), (self.ends_at(stage), -1)):
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
        gateways, back = stage.population.gateways, self.ends_at(stage)
        if stage.begins_within(day):
            attach_again(stage, day, moved)
        events = day.events
        at, among = events["received_at"], day.of(moved)
        began = np.where(events["duration_s"] >= 0, at - events["duration_s"].astype(np.int64) * SECOND_US, at)
        away = among & (at >= stage.begins_at) & (began < back)
        events["gateway"][away] = gateways[self.TO]
        day.drop(among & (at >= stage.begins_at) & (began < stage.begins_at))
        if stage.strength >= 1.0:  # nobody is left: whoever else spoke through it has to find the other one too
            day.reroute(gateways[self.FROM], gateways[self.TO], stage.begins_at, back)


def attach_again(stage: Stage, day: Day, moved: np.ndarray) -> None:
    """Journeys go on in a new session, begun within four minutes, of which the first word names no cell."""
    events, population = day.events, stage.population
    always_on = population.members(ALWAYS_ON)
    at, lasted = events["received_at"], events["duration_s"].astype(np.int64)
    going_on = np.flatnonzero(
        day.of(np.setdiff1d(moved, always_on)) & (at >= stage.begins_at) & (lasted >= 0)
        & (at - lasted * SECOND_US < stage.begins_at)
    )  # fmt: skip
    begins = np.zeros(len(population), np.int64)
    begins[moved] = stage.begins_at + (stage.rng.random(len(moved)) * 4 * MINUTE_US).astype(np.int64)
    late = at[going_on] > begins[day.who[going_on]] + 2 * SECOND_US
    day.drop(np.isin(np.arange(len(events)), going_on[~late]))
    going_on = going_on[late]
    since = begins[day.who[going_on]]
    events["duration_s"][going_on] = (at[going_on] - since) // SECOND_US
    events["session_id"][going_on, :2] = AGAIN
    order = going_on[np.argsort(at[going_on], kind="stable")]
    _, first = np.unique(day.who[order], return_index=True)
    first = order[first]
    for kind, after in ((ev.ACCESS_REQUEST, 0), (ev.ACCOUNTING_START, SECOND_US)):
        more = events[first].copy()
        people = stage.rows[day.who[first]]
        more["kind"], more["gateway"] = kind, population.gateways[GatewayFailover.TO]
        more["imei"], more["software"] = people["imei"], people["software"]
        more["received_at"] = begins[day.who[first]] + after
        more["happened_at"] = more["received_at"] // SECOND_US * SECOND_US
        more["cell"], more["area"], more["cause"] = 0, -1, 0
        more["duration_s"] = more["uplink_octets"] = more["downlink_octets"] = -1
        more["request"] = population.take_requests(len(more))
        if kind == ev.ACCESS_REQUEST:
            more["session_id"], more["session_id_octets"], more["address"] = 0, 0, 0
        day.add(more)


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
