"""Scenes on a fleet as events: day after day through the real fold, and every finding that began."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simward.engine import events as ev
from simward.engine import outputs as out
from simward.engine.fold import Fold
from simward.engine.tables import InventoryDelta, PolicyTables
from simward.engine.watching import compose
from simward.engine.watching.fold import WatchFold
from simward.engine.watching.layouts import SILENT
from simward.lab.fleet import Fleet, Subscription
from simward.lab.folder import ADDRESSES, Ports, write_fleet, write_settings
from simward.lab.habits import honest_day
from simward.lab.policies import OBSERVED_POLICIES
from simward.lab.population import DAY_US, HOUR_US, PERSON, SECOND_US, Population
from simward.lab.scenes.scene import Attack, Oddity, Scene
from simward.lab.scenes.stage import Stage
from simward.policy.plan import Current, plan
from simward.policy.wanted import read_wanted
from simward.settings import Settings

BEGINS_AT = 1_699_920_000_000_000
"""Midnight of a Tuesday in 2023: where the lab's days begin."""
TICK_EVERY_US = 10 * SECOND_US
"""The gate ticks each second. The watch takes a longer pause than ten for a time in which the gate did not run, so this
is the rarest that it can listen by."""
LATEST_BEGIN_H = 9
FOLLOWED_AT_ONCE = 512
"""Events that the watch folds before it is asked whom its findings are about: an hour of a small fleet."""
CELL_SILENT = "cell-silent"
POINTERS = ("cell", "gateway", "network", "model", "software")
"""The fields of a watched subscription that point at its groups, in the order of their kinds."""
VICTIMS = 4
VICTIMS_BELOW_A_MAST = 12

FINDING = np.dtype(
    [
        ("at", "i8"),
        ("imsi", "i8"),
        ("was", "i8"),
        ("now", "i8"),
        ("expected", "i8"),
        ("sequence", "i8"),
        ("gateway", "i4"),
        ("detector", "u1"),
        ("class", "u1"),
        ("scene", "i2"),
    ]
)
"""`imsi` is 0 where it is about a group; `scene` is then 1 + the position in `played` of the scene whose victims are
most of those that are silent (0 = none's)."""


@dataclass
class Played:
    """A scene on its stage, from the day of `first_at` to that of `last_at` (us)."""

    scene: Scene
    stage: Stage
    first_at: int = BEGINS_AT
    last_at: int = 1 << 62

    def plays(self, begins_at: int) -> bool:
        """On the day that begins then?"""
        return self.first_at < begins_at + DAY_US and begins_at <= self.last_at


@dataclass
class Performance:
    """What came of it: FINDING rows in order, and how the victims' events arrived."""

    played: Sequence[Played]
    findings: np.ndarray
    names: list[str]
    """`detector/class` of `detector * 16 + class`."""
    heard: np.ndarray
    """(imsi, received_at) of the victims' events, i8[n, 2], in order."""
    events: int = 0
    kept: int = 0
    subscription_days: int = 0
    fold_s: float = 0.0

    def name(self, finding: np.ndarray) -> str:
        """`detector/class`."""
        return self.names[int(finding["detector"]) * 16 + int(finding["class"])]


def revisions(fleet: Fleet, policies: dict[str, str] | None = None) -> tuple[PolicyTables, list[InventoryDelta]]:
    """The lab's policies, cells, models and the fleet's inventory, read from a folder as the gate reads them."""
    with tempfile.TemporaryDirectory(prefix="simward-lab-") as place:
        folder = Path(place) / "fleet"
        write_fleet(folder, fleet, policies or OBSERVED_POLICIES, () if policies else fleet.buttons)
        write_settings(folder, Ports(1812, 1813, dict.fromkeys(ADDRESSES, 3799)))
        wanted = read_wanted(Settings.load(folder))
        _, deltas = plan(Current.empty(), wanted.tables, wanted.inventory).deltas()
    return wanted.tables, list(deltas)


def new_fold(fleet: Fleet, policies: dict[str, str] | None = None) -> Fold:
    """A fold with those revisions."""
    tables, deltas = revisions(fleet, policies)
    fold = Fold.new()
    fold.policy(tables, BEGINS_AT - 1)
    for delta in deltas:
        fold.inventory(delta, BEGINS_AT - 1)
    return fold


@dataclass
class Programme:
    """Scenes on a population, all at once; day by day the events that come of it."""

    population: Population
    played: Sequence[Played]
    days: int
    rng: np.random.Generator

    def events(self) -> Iterator[np.ndarray]:
        """EVENT rows of one day after another, in the order of their arrival."""
        ready = [one for one in self.played if one.scene.fits(one.stage)]
        ready.sort(key=lambda one: one.scene.on_the_way)
        for one in ready:
            one.scene.prepare(one.stage)
        for number in range(self.days):
            begins_at = BEGINS_AT + number * DAY_US
            playing = [one for one in ready if one.plays(begins_at)]
            for one in playing:
                one.scene.before(one.stage, begins_at)
            day = honest_day(self.population, begins_at, self.rng)
            for one in playing:
                one.scene.alter(one.stage, day)
            day.add(ticks(begins_at))
            yield day.in_order()


class Cast:
    """Gives each scene victims of its own and a day to begin."""

    def __init__(
        self, population: Population, scenes: Sequence[tuple[Scene, float]], days: int, rng: np.random.Generator
    ) -> None:
        """`scenes`: with their strengths. They begin after half of the days, so that homes are learnt by then.

        Outages have the last days for themselves, and the four before them are for what takes days to be seen.
        """
        self.population, self.days = population, days
        self._rng = rng
        self._free = {name: list(rng.permutation(one)) for name, one in population.by_use_case.items()}
        self.played: list[Played] = []
        outages = self._outages(scenes)
        first = (days + 1) // 2
        room = max(1, min([days, *outages.values()]) - 4 - first)
        for number, (scene, strength) in enumerate(scenes):
            day = outages.get(scene.id, min(days - 1, first + number % room))
            self.played.append(Played(scene, self._stage(scene, strength, day)))

    def _outages(self, scenes: Sequence[tuple[Scene, float]]) -> dict[str, int]:
        """The day on which each outage begins: one after the other, so that the last is over when the days are."""
        begin, last = {}, self.days
        for scene, _ in scenes:
            if isinstance(scene, Attack) and scene.one_finding:
                last -= math.ceil((LATEST_BEGIN_H + scene.lasts_h) / 24)
                begin[scene.id] = min(max(1, last), self.days - 1)
        return begin

    def _stage(self, scene: Scene, strength: float, day: int) -> Stage:
        population, rng = self.population, self._rng
        victims = population.members(scene.use_cases) if scene.everybody else self._victims(scene)
        accomplices = victims[:0]
        if isinstance(scene, Attack) and scene.takes_two:
            accomplices = self._victims(scene)
            victims = victims[: len(accomplices)]
        begins_at = BEGINS_AT + day * DAY_US + int((1 + rng.random() * (LATEST_BEGIN_H - 1)) * HOUR_US)
        stage = Stage(
            population, victims, accomplices, strength, begins_at, BEGINS_AT + self.days * DAY_US, rng,
            population.rows[victims].copy(),
        )  # fmt: skip
        stranger = scene.stranger if isinstance(scene, Attack) else ""
        if stranger:
            fleet = population.fleet
            of = {"unknown": fleet.spares[:VICTIMS], "suspended": (fleet.suspended,), "no-data": fleet.buttons}
            strangers = of[stranger]
            stage.people, stage.victims, stage.accomplices = people_of(strangers), victims[:0], victims[:0]
        return stage

    def _victims(self, scene: Scene) -> np.ndarray:
        """A few that no other scene has, from the scene's use cases in turn; fewer where the fleet is small."""
        if isinstance(scene, Attack) and scene.stranger:
            return np.zeros(0, np.int64)
        chosen: list[int] = []
        wanted = VICTIMS_BELOW_A_MAST if isinstance(scene, Attack) and scene.one_finding else VICTIMS
        pools = [self._free[name] for name in scene.use_cases]
        while len(chosen) < wanted and any(pools):
            for pool in pools:
                if pool and len(chosen) < wanted:
                    chosen.append(int(pool.pop()))
        return np.array(sorted(chosen), np.int64)


def perform(
    fleet: Fleet, scenes: Sequence[tuple[Scene, float]], *, days: int, seed: int,
    progress: Callable[[int], None] = lambda day: None,
) -> Performance:  # fmt: skip
    """Play scenes together on a fleet, through a fold of its own. `progress` is told how many days are over."""
    fold, rng = new_fold(fleet), np.random.default_rng([seed, len(fleet), days])
    population = Population.of(fleet, fold.state.texts.intern, rng)
    cast = Cast(population, scenes, days, rng)
    return folded(fold, Programme(population, cast.played, days, rng), progress)


def folded(fold: Fold, programme: Programme, progress: Callable[[int], None] = lambda day: None) -> Performance:
    """Fold everything that a programme brings. `progress` is told how many days are over."""
    collected = _Collected(fold, programme.played)
    for number, events in enumerate(programme.events(), start=1):
        given = collected.fold_day(events)
        if len(given):
            programme.population.take_addresses(given["imsi"], given["address"])
        progress(number)
    return collected.performance(len(programme.population) * programme.days)


def people_of(subscriptions: Sequence[Subscription]) -> np.ndarray:
    """PERSON rows of subscriptions that are not among the population."""
    rows = np.zeros(len(subscriptions), PERSON)
    for row, one in zip(rows, subscriptions, strict=True):
        row["imsi"], row["msisdn"], row["imei"] = int("1" + one.imsi), int("1" + one.msisdn), int(one.device.imei)
        row["site"], row["sector"], row["network"] = one.site, one.sector, one.network
        row["software"], row["rat"] = one.device.software, 8
    return rows


def ticks(begins_at: int) -> np.ndarray:
    """The ticks of a day."""
    rows = ev.empty(DAY_US // TICK_EVERY_US)
    rows["kind"] = ev.TICK
    rows["received_at"] = rows["happened_at"] = begins_at + (np.arange(len(rows)) + 1) * TICK_EVERY_US - 1
    return rows


def may_silence(scene: Scene) -> bool:
    """Are victims of the scene silent, in truth? The device that an attacker has robbed of its SIM is."""
    return isinstance(scene, Attack) or (isinstance(scene, Oddity) and CELL_SILENT in scene.informs)


class _Collected:
    """What the folds of the gate and the watch say, kept as far as scenes are judged by it."""

    def __init__(self, fold: Fold, played: Sequence[Played]) -> None:
        self._fold, self._played = fold, played
        self._gate_detectors = fold.manifest()["detectors"]
        self._watch = WatchFold(fold)
        self._silenced = [
            (number, one.stage.rows["imsi"][np.concatenate([one.stage.victims, one.stage.accomplices])])
            for number, one in enumerate(played) if not one.scene.everybody and may_silence(one.scene)
        ]  # fmt: skip
        self._findings: list[np.ndarray] = []
        self._heard: list[np.ndarray] = []
        self._events = self._kept = 0
        self._fold_s = 0.0
        self._watched = np.unique(np.concatenate([
            np.zeros(0, np.int64),
            *(one.stage.people["imsi"] for one in played if not one.scene.everybody),
        ]))  # fmt: skip

    def fold_day(self, events: np.ndarray) -> np.ndarray:
        """Fold all of them, the watch behind the gate; returns the outputs that say which addresses were given."""
        at, before, given = 0, time.perf_counter(), [np.zeros(0, out.OUTPUT)]
        while at < len(events):
            first = self._fold.sequence + 1
            folded = self._fold.events(events[at:])
            self._follow(events[at : at + folded.consumed][folded.kept], first)
            at += folded.consumed
            self._kept += int(np.count_nonzero(folded.kept))
            given.append(folded.outputs[folded.outputs["kind"] == out.ADDRESS_GIVEN])
            self._note(folded.outputs[folded.outputs["kind"] == out.FINDING_BEGAN])
        self._fold_s += time.perf_counter() - before
        self._events += len(events)
        if len(self._watched):
            mine = events[np.isin(events["imsi"], self._watched)]
            self._heard.append(np.stack([mine["imsi"], mine["received_at"]], axis=1))
        return np.concatenate(given)

    def _follow(self, kept: np.ndarray, first: int) -> None:
        """Let the watch fold what the gate would have journalled."""
        for at in range(0, len(kept), FOLLOWED_AT_ONCE):
            told = self._watch.events(kept[at : at + FOLLOWED_AT_ONCE], first + at)
            began = told[told["kind"] == out.FINDING_BEGAN]
            if len(began):
                rows = self._note(began)
                rows["detector"] += len(self._gate_detectors)
                rows["scene"] = [0 if one["imsi"] else self._scene_of(one) for one in began]

    def _note(self, began: np.ndarray) -> np.ndarray:
        rows = np.zeros(len(began), FINDING)
        for name in set(FINDING.names or ()) & set(began.dtype.names or ()):
            rows[name] = began[name]
        if len(rows):
            self._findings.append(rows)
        return rows

    def _scene_of(self, finding: np.ndarray) -> int:
        """1 + the number of the scene that has most of the silent members of a group for victims; 0 = no scene has."""
        group = self._watch.state.groups[int(finding["row"])]
        watched = self._watch.state.watched[: self._watch.subscriptions]
        mine = watched[POINTERS[int(group["kind"]) - 1]] == int(finding["row"]) + 1
        silent = self._fold.state.subscriptions["imsi"][np.flatnonzero(mine & (watched["standing"] == SILENT))]
        counts = [
            int(np.isin(silent, imsis).sum()) if self._played[number].stage.begins_at <= finding["at"] else 0
            for number, imsis in self._silenced
        ]
        if 2 * sum(counts) <= len(silent):
            return 0
        return 1 + self._silenced[int(np.argmax(counts))][0]

    def performance(self, subscription_days: int) -> Performance:
        """Everything."""
        names = []
        for one in (*self._gate_detectors, *compose.manifest()["detectors"]):
            classes = [f"{one['id']}/{name}" for name in one["classes"][:16]]
            names += classes + [one["id"]] * (16 - len(classes))
        return Performance(
            self._played, np.concatenate([np.zeros(0, FINDING), *self._findings]), names,
            np.concatenate([np.zeros((0, 2), np.int64), *self._heard]), self._events, self._kept, subscription_days,
            self._fold_s,
        )  # fmt: skip
