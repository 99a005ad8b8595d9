"""A programme: who is attacked when, what honestly happens, and the days that come of it, one after the other.

Everything follows from the seed. Nothing of a day is kept once the next begins but what members remember, so the length
of a programme costs no memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from simward.engine import events as ev
from simward.lab.traffic import attacks
from simward.lab.traffic.calls import CALL, honest_calls
from simward.lab.traffic.day import Day
from simward.lab.traffic.expanding import Expansion, Losses, Texts
from simward.lab.traffic.habits import Volumes, carry_on, honest_sessions, nobody
from simward.lab.traffic.happening import Act, Happening
from simward.lab.traffic.members import BEGINS_AT, DAY_US, HOUR_S, SECOND_US, Members, make_members

HONEST_RATES = {
    "firmware-rollout": (30.0, 1.0), "planned-swap": (1.0, 0.0002), "cell-outage": (4.0, 1.0),
    "gateway-outage": (60.0, 1.0), "heat-wave": (40.0, 1.0), "wrong-clock": (1.0, 0.001), "coverage-hole": (1.0, 0.003),
}  # fmt: skip
"""Each so many days, to that share of its kinds' members (groups: to a whole one)."""
VICTIMS_SHARE = 0.2
"""At most so many members are ever attacked one by one: the rest must stay what is usual."""


@dataclass(frozen=True)
class Plan:
    """What is made: a fleet, its days, and which attacks how often."""

    seed: int = 1
    subscriptions: int = 5_000
    days: int = 40
    attacks: tuple[str, ...] | None = None
    """By name; None: all. An empty one: an honest fleet."""
    times: int = 4
    """Of each attack, strength and pace on one member."""
    group_times: int = 1
    """Likewise on a group."""
    warm_up_days: int = 16
    """Before the first attack: what is usual must be known by then."""
    honest: bool = True
    """With what happens to an honest fleet."""
    tick_s: int = 10
    strength: float | None = None
    """Instead of each attack's own strengths."""
    losses: Losses = field(default_factory=Losses)


@dataclass
class MadeDay:
    """One day, ready to be read once."""

    number: int
    begins_at: int
    calls: np.ndarray
    """CALL rows whose records arrive on this day, in order of arrival."""
    expansion: Expansion
    members: np.ndarray
    texts: Texts

    def slices(self) -> Iterator[np.ndarray]:
        """EVENT rows in order of arrival; each slice is overwritten by the next."""
        yield from self.expansion.slices(self.members, self.texts, self.begins_at + DAY_US)


class Programme:
    """The acts of a plan, and its days."""

    def __init__(self, plan: Plan, texts: Texts, members: Members | None = None) -> None:
        self.plan, self.texts = plan, texts
        self.members = members or make_members(plan.seed, plan.subscriptions)
        self.acts: list[Act] = []
        self.skipped: dict[str, str] = {}
        """What could not be played, and why."""
        self.packets = 0
        _Cast(self).fill()

    def days(self) -> Iterator[MadeDay]:
        """One after the other; each must have been read before the next is asked for."""
        plan, members = self.plan, self.members
        carried, waiting, request = ev.empty(0), np.zeros(0, CALL), 1
        for number in range(plan.days):
            rng = np.random.default_rng([plan.seed, number, 2])
            begins_at = BEGINS_AT + number * DAY_US
            day = self._made(number, begins_at, rng)
            sessions = day.all_sessions()
            others = np.concatenate([carried, day.all_commands()])
            seed = int(rng.integers(0, 1 << 62))
            expansion = Expansion.of(sessions, others, begins_at, seed, request, plan.losses, plan.tick_s, day.silences)
            request += expansion.packets
            self.packets += expansion.packets
            calls = np.concatenate([waiting, day.all_calls()])
            today = calls["arrives_at"] < day.ends_at
            waiting = calls[~today]
            arrived = calls[today]
            arrived = arrived[np.argsort(arrived["arrives_at"], kind="stable")]
            yield MadeDay(number, begins_at, arrived, expansion, members.rows, self.texts)
            carried = expansion.left(members.rows, self.texts, day.ends_at)

    def _made(self, number: int, begins_at: int, rng: np.random.Generator) -> Day:
        members = self.members
        blank = Day(members, number, begins_at, nobody(), np.zeros(0, CALL))
        acts = [one for one in self.acts if one.touches(blank)]
        for act in acts:
            act.happening.before(act, blank)
        day = Day(members, number, begins_at, honest_sessions(members, number, Volumes(), rng),
                  honest_calls(members, number, rng))  # fmt: skip
        for act in acts:
            act.happening.alter(act, day)
        carry_on(members, day.all_sessions())
        return day


class _Cast:
    """Gives each act its victims and its time."""

    def __init__(self, programme: Programme) -> None:
        self._programme, self._plan, self._members = programme, programme.plan, programme.members
        self._rng = np.random.default_rng([programme.plan.seed, 7])
        self._free = {name: list(self._rng.permutation(who)) for name, who in self._members.by_kind.items()}
        self._left = int(VICTIMS_SHARE * len(self._members))

    def fill(self) -> None:
        """Attacks first, so that what is honest does not take their victims; then in order of time."""
        plan = self._plan
        chosen = attacks.attacks() if plan.attacks is None else [attacks.happening(name) for name in plan.attacks]
        grouped = [(one, self._group(one)) for one in chosen if one.group]
        for _, who in grouped:
            self._reserve(who)
        for _ in range(plan.times):  # in turn, so that where victims run out each has about as many
            for one in chosen:
                if not one.group:
                    self._one_by_one(one)
        self._groups(grouped)
        if plan.honest:
            for one in attacks.installed().values():
                if one.honest:
                    self._honest(one)
        acts = self._programme.acts
        acts.sort(key=lambda act: act.begins_at)
        for number, act in enumerate(acts):
            act.number = number

    def _strengths(self, one: Happening) -> Sequence[float]:
        return one.strengths if self._plan.strength is None else (self._plan.strength,)

    def _one_by_one(self, one: Happening) -> None:
        """Once with each strength and pace."""
        for strength in self._strengths(one):
            for pace in one.paces:
                lasts = one.lasts(pace)
                if not self._fits(one, lasts):
                    continue
                who = self._victim(one)
                if who is None:
                    self._programme.skipped.setdefault(one.id, "the fleet is too small for more of them")
                    return
                self._put(one, np.array([who]), self._some_time(lasts), lasts, strength, pace)

    def _reserve(self, who: np.ndarray | None) -> None:
        """Whom a group's attack befalls, nothing else does: a finding is to tell of one of them."""
        if who is not None:
            taken = set(who.tolist())
            self._free = {name: [one for one in pool if one not in taken] for name, pool in self._free.items()}

    def _groups(self, chosen: Sequence[tuple[Happening, np.ndarray | None]]) -> None:
        """One after another over the days, so that two are not told from each other by luck; and one group's not in
        turn, since what begins anew after a day's rest is the same."""
        most = max([len(self._strengths(one)) for one, _ in chosen], default=0)
        waiting = [
            (one, who, strength, pace)
            for _ in range(self._plan.group_times) for turn in range(most) for one, who in chosen
            for strength in self._strengths(one)[turn : turn + 1] for pace in one.paces
        ]  # fmt: skip
        longest = max([one.lasts(pace) for one, _, _, pace in waiting], default=0.0)
        first, room = self._plan.warm_up_days, self._plan.days - self._plan.warm_up_days - longest - 1
        for place, (one, who, strength, pace) in enumerate(waiting):
            lasts = one.lasts(pace)
            if who is None or not self._fits(one, lasts):
                self._programme.skipped.setdefault(one.id, "the fleet is too small or its days are too few")
                continue
            day = first + max(0.0, (place + 0.5) * room / len(waiting))
            at = BEGINS_AT + int(day) * DAY_US + int((9 + 8 * self._rng.random()) * HOUR_S * SECOND_US)
            self._put(one, who, at, lasts, strength, pace)

    def _honest(self, one: Happening) -> None:
        every_days, share = HONEST_RATES[one.id]
        day = every_days * self._rng.random()
        while day < self._plan.days - 1:
            if one.group:
                who = self._group(one)
            else:
                mine = self._members.of(one.kinds)
                who = np.sort(self._rng.choice(mine, self._rng.binomial(len(mine), share), replace=False))
            if who is not None and len(who):
                whole = one.group == "" or one.lasts_days >= 1
                hour = 0.0 if whole else 8 + 10 * self._rng.random()
                at = BEGINS_AT + int(day) * DAY_US + int(hour * HOUR_S * SECOND_US)
                self._put(one, who, at, one.lasts_days, one.strengths[0], "")
            day += every_days

    def _put(self, one: Happening, who: np.ndarray, at: int, lasts: float, strength: float, pace: str) -> None:
        number = len(self._programme.acts)
        if one.from_midnight:
            at = BEGINS_AT + (at - BEGINS_AT) // DAY_US * DAY_US
        rng = np.random.default_rng([self._plan.seed, number, 3])
        act = Act(one, self._members, who, at, at + int(lasts * DAY_US), strength, pace, rng)
        self._programme.acts.append(act)

    def _fits(self, one: Happening, lasts: float) -> bool:
        if self._plan.warm_up_days + lasts + 1 <= self._plan.days:
            return True
        why = f"it takes {lasts:g} days after {self._plan.warm_up_days} of warm-up"
        self._programme.skipped.setdefault(one.id, why)
        return False

    def _some_time(self, lasts: float) -> int:
        room = self._plan.days - self._plan.warm_up_days - lasts - 1
        day = self._plan.warm_up_days + self._rng.random() * room
        return BEGINS_AT + int(day * DAY_US)

    def _victim(self, one: Happening) -> int | None:
        """One that no other act has, of the happening's kinds in turn."""
        pools = sorted((self._free[name] for name in one.kinds), key=len, reverse=True)
        if not self._left or not pools or not pools[0]:
            return None
        self._left -= 1
        pool = pools[int(self._rng.integers(0, sum(bool(pool) for pool in pools)))]
        return int(pool.pop())

    def _group(self, one: Happening) -> np.ndarray | None:
        """The members of the smallest group that is large enough; of cells and gateways, one at random."""
        rows = self._members.rows
        mine = self._members.of(one.kinds)
        keys = {
            "cell": (rows["site"].astype(np.int64) * 4 + rows["sector"]) * 8 + rows["network"],
            "model": rows["kind"].astype(np.int64) * 16 + rows["model"],
            "gateway": rows["gateway"].astype(np.int64),
            "kind": rows["kind"].astype(np.int64),
        }[one.group][mine]
        found, count = np.unique(keys, return_counts=True)
        enough = np.flatnonzero(count >= max(1, one.members_least))
        if not len(enough):
            return None
        if one.group == "gateway":
            chosen = found[-1]  # the smallest of the operator's
        elif one.group == "cell" or one.honest:
            chosen = found[self._rng.choice(enough)]
        else:
            chosen = found[enough[np.argmin(count[enough])]]
        who: np.ndarray = mine[keys == chosen]
        return np.sort(self._rng.choice(who, one.few, replace=False)) if 0 < one.few < len(who) else who
