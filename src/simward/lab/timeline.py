"""An honest week of the fleet as a plan: who attaches, moves, reports and leaves, and when; nothing here is an attack.

The plan is data, made from the seed alone. Times are seconds of the fleet's own week; whoever plays it squeezes them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from simward.lab import geography
from simward.lab.fleet import CAR, LIFT_ALARM, SCOOTER, Fleet, Place, Subscription, sites

DAY, HOUR, MINUTE = 86_400.0, 3_600.0, 60.0
WEEK = 7 * DAY

GATEWAYS = ("pgw1", "pgw2")
RESTARTED = "pgw2"
RESTART_AT = 3 * DAY + 2 * HOUR  # Thursday, 02:00: a maintenance window
RESTART_LASTS = 20 * MINUTE
CAMPAIGN_AT = 2 * DAY  # Wednesday: a tenth of the fleet gets new software

# What a step does.
ATTACH, INTERIM, STOP, VANISH = "attach", "interim", "stop", "vanish"
GATEWAY_OFF, GATEWAY_ON = "gateway-off", "gateway-on"

# What the network does to the packets of a step.
LOST_ANSWER = "lost-answer"  # the answer is lost: the gateway sends again
TWICE = "twice"  # the datagram arrives twice
OVERTAKEN = "overtaken"  # the next packet of the session arrives before this one


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens. `subscription` is -1 for what concerns a whole gateway."""

    at: float
    subscription: int
    act: str
    gateway: str
    software: int = -1
    place: Place | None = None
    uplink_octets: int = 0
    downlink_octets: int = 0
    duration_s: int = 0
    twist: str = ""


@dataclass(frozen=True)
class Stay:
    """One session as planned: from `begin` to `end`, seen at `places`, reporting at each of `reports`."""

    begin: float
    end: float
    gateway: str
    software: int
    places: tuple[tuple[float, Place], ...]
    uplink_rate: float
    loses_stop: bool = False
    cut: bool = False  # ended by the gateway's restart: neither Stop nor anything else is sent


@dataclass(frozen=True)
class Week:
    """The plan, and what is to be expected of it."""

    seed: int
    steps: tuple[Step, ...]
    updated: frozenset[int]
    """Numbers of the subscriptions whose device changes its software version and attaches afterwards."""

    def count(self, act: str) -> int:
        """How many steps do `act`."""
        return sum(1 for step in self.steps if step.act == act)

    def twists(self, twist: str) -> int:
        """How many steps meet with `twist`."""
        return sum(1 for step in self.steps if step.twist == twist)

    def software_at_end(self) -> dict[int, int]:
        """The version that each subscription's device shows in the last session of the week."""
        return {step.subscription: step.software for step in self.steps if step.act == ATTACH}

    def left_open(self) -> frozenset[int]:
        """Subscriptions whose last session ended without a word: it still counts as live."""
        last = {step.subscription: step.act for step in self.steps if step.subscription >= 0}
        return frozenset(number for number, act in last.items() if act == VANISH)

    def sites_at_end(self) -> dict[int, int]:
        """Where each subscription was seen last."""
        last = {step.subscription: step.place for step in self.steps if step.subscription >= 0 and step.place}
        return {number: int(geography.site_of(place.cell)) for number, place in last.items() if place.area >= 0}

    @property
    def same_second(self) -> int:
        """How many interims have the Acct-Session-Time of the interim before: a handover as a report was due."""
        last: dict[int, tuple[str, int]] = {}
        found = 0
        for step in self.steps:
            found += step.act == INTERIM and last.get(step.subscription) == (INTERIM, step.duration_s)
            last[step.subscription] = (step.act, step.duration_s)
        return found

    @property
    def handovers(self) -> int:
        """How many interims report another cell than the report before."""
        return sum(1 for step in self.steps if step.act == INTERIM and step.place is not None)


def plan_week(fleet: Fleet, seed: int) -> Week:
    """The honest week of `fleet`; the same seed and fleet give the same steps."""
    chance = random.Random(f"week {seed} {len(fleet)}")
    roads = sites(fleet.seed)
    steps: list[Step] = []
    updated: set[int] = set()
    for subscription in fleet.active:
        campaign = CAMPAIGN_AT + chance.random() * DAY if chance.random() < 0.1 else 0.0
        if subscription.use_case == SCOOTER:
            campaign = 0.0  # what may be in any device of a pool is bound to none, and its software goes unjudged
        stays = _restarted(chance, list(_stays(chance, subscription, campaign, roads)))
        if len({stay.software for stay in stays}) > 1:
            updated.add(subscription.number)
        for stay in stays:
            steps.extend(_steps(chance, subscription, stay))
    steps.append(Step(RESTART_AT, -1, GATEWAY_OFF, RESTARTED))
    steps.append(Step(RESTART_AT + RESTART_LASTS, -1, GATEWAY_ON, RESTARTED))
    steps.sort(key=lambda step: (step.at, step.subscription))
    return Week(seed, tuple(steps), frozenset(updated))


def _stays(chance: random.Random, who: Subscription, campaign: float, roads: tuple[Place, ...]) -> Iterator[Stay]:
    """The sessions of one subscription over the week."""
    gateway = chance.choice(GATEWAYS)
    software, new = who.device.software, who.device.software + 1
    if who.use_case == LIFT_ALARM:
        # Always on. An update reboots the modem: one session ends, the next begins.
        begin = chance.random() * HOUR
        if campaign:
            yield _still(who, begin, campaign, gateway, software, 3.0)
            yield _still(who, campaign + MINUTE, WEEK, gateway, new, 3.0)
        else:
            yield _still(who, begin, WEEK, gateway, software, 3.0)
    elif who.use_case == CAR:
        for day in range(7):
            for begin, lasts in _trips(chance, day):
                version = new if campaign and begin > campaign else software
                yield _trip(chance, roads, begin, begin + lasts, gateway, version)
    else:
        minute = chance.random() * 23 * HOUR
        for day in range(7):
            begin = day * DAY + minute + chance.random() * 10 * MINUTE
            version = new if campaign and begin > campaign else software
            stay = _still(who, begin, begin + 2 * MINUTE + chance.random() * 6 * MINUTE, gateway, version, 40.0)
            yield replace(stay, loses_stop=chance.random() < 0.01)


def _still(who: Subscription, begin: float, end: float, gateway: str, software: int, rate: float) -> Stay:
    return Stay(begin, end, gateway, software, ((begin, who.home),), rate)


def _trips(chance: random.Random, day: int) -> Iterator[tuple[float, float]]:
    """Out in the morning, back in the evening, and now and then an errand at noon."""
    starts = [7.0, 16.5] if day < 5 else [11.0]
    if chance.random() < 0.4:
        starts.insert(1, 13.5)
    for hour in starts:
        yield day * DAY + (hour + chance.random()) * HOUR, (15 + chance.random() * 60) * MINUTE


def _trip(
    chance: random.Random, roads: tuple[Place, ...], begin: float, end: float, gateway: str, software: int
) -> Stay:
    """A drive along neighbouring sites, a handover every twenty minutes or so."""
    at, site = begin, chance.randrange(len(roads))
    places = [(at, roads[site])]
    while (at := at + (10 + chance.random() * 20) * MINUTE) < end - MINUTE:
        site = (site + chance.choice((1, 2))) % len(roads)
        places.append((at, roads[site]))
    return Stay(begin, end, gateway, software, tuple(places), 900.0, loses_stop=chance.random() < 0.02)


def _restarted(chance: random.Random, stays: list[Stay]) -> list[Stay]:
    """What the gateway's restart makes of the sessions: those that it held are cut and begin again, some elsewhere."""
    result: list[Stay] = []
    for stay in stays:
        if stay.gateway != RESTARTED or stay.end <= RESTART_AT or stay.begin >= RESTART_AT + RESTART_LASTS:
            result.append(stay)
            continue
        if stay.begin < RESTART_AT:
            result.append(replace(stay, end=RESTART_AT, cut=True))
        elsewhere = chance.random() < 0.5
        after = RESTART_AT + (MINUTE if elsewhere else RESTART_LASTS + MINUTE) + chance.random() * 5 * MINUTE
        if after + MINUTE < stay.end:
            place = [(after, where) for at, where in stay.places if at <= after][-1:] or [(after, stay.places[0][1])]
            later = tuple((at, where) for at, where in stay.places if at > after)
            gateway = next(name for name in GATEWAYS if name != RESTARTED) if elsewhere else RESTARTED
            result.append(replace(stay, begin=after, gateway=gateway, places=tuple(place) + later))
    return result


def _steps(chance: random.Random, who: Subscription, stay: Stay) -> Iterator[Step]:
    """The packets of one session."""
    number, gateway = who.number, stay.gateway
    yield Step(stay.begin, number, ATTACH, gateway, stay.software, stay.places[0][1], twist=_twist(chance))
    every = 6 * HOUR if who.use_case == LIFT_ALARM else 30 * MINUTE
    reports: list[tuple[float, Place | None]] = list(stay.places[1:])
    at = stay.begin + every
    while at < stay.end - MINUTE:
        reports.append((at, None))
        at += every
    reports.sort(key=lambda report: report[0])
    for at, place in reports:
        twist = OVERTAKEN if chance.random() < 0.01 else _twist(chance)
        yield _reported(number, stay, at, INTERIM, place, twist)
    if stay.cut:
        yield _reported(number, stay, stay.end, VANISH, None, "")
    elif stay.loses_stop:
        yield _reported(number, stay, stay.end, VANISH, None, "")
    elif stay.end < WEEK:
        yield _reported(number, stay, stay.end, STOP, None, _twist(chance))


def _reported(number: int, stay: Stay, at: float, act: str, place: Place | None, twist: str) -> Step:
    passed = at - stay.begin
    up = int(passed * stay.uplink_rate)
    return Step(at, number, act, stay.gateway, stay.software, place, up, up // 3, int(passed), twist)


def _twist(chance: random.Random) -> str:
    drawn = chance.random()
    return LOST_ANSWER if drawn < 0.004 else TWICE if drawn < 0.012 else ""

