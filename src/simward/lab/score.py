"""The score of a performance: for each scene what was caught, what was missed, and what was found that is not so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from simward.lab.performance import Performance, Played
from simward.lab.scenes.scene import ATTACK, Attack, Oddity, Scene

BACKGROUND = "(everybody else)"
NOT_INSTALLED, TOO_SMALL = "detector not installed", "the fleet is too small"
INFORMATION = (
    "device-change/software", "gateway-restarted", "silent", "too-chatty", "off-schedule",
    "unusual-behaviour", "cohort-shift", "address-pool-exhausted",
)  # fmt: skip
"""What claims no theft and no move: true where it is found, or judged by another bar than this one. An outage is none
of it: it is true only while a scene has one."""

USED_MUCH = ("budget-exceeded", "roaming-unexpected")
"""True of a SIM in somebody else's hands: what is done with it takes octets, and may be done abroad. Of nobody else."""


def named(name: str, wanted: tuple[str, ...]) -> bool:
    """Is the finding `detector/class` one of `wanted`, each a detector or a detector/class?"""
    return name in wanted or name.partition("/")[0] in wanted


@dataclass
class SceneScore:
    """One line of the table."""

    scene: str
    kind: str
    strength: float
    victims: int
    caught: int = 0
    missed: int = 0
    false: int = 0
    """Findings about victims that are of the wrong detector; for honest scenes, any that claims a theft or a move."""
    events_to_detection: float | None = None
    """The victims' events from the first of the attack to the finding: median."""
    note: str = ""
    found: dict[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """An attack of full strength that was missed, or a false finding."""
        return not self.note and ((self.missed > 0 and self.strength >= 1.0) or self.false > 0)


@dataclass
class Score:
    """The whole table."""

    seed: int
    subscriptions: int
    days: int
    scenes: list[SceneScore]

    @property
    def passed(self) -> bool:
        """Nothing missed at full strength, nothing false."""
        return not any(one.failed for one in self.scenes)

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "seed": self.seed, "subscriptions": self.subscriptions, "days": self.days, "passed": self.passed,
            "scenes": [asdict(one) for one in self.scenes],
        }  # fmt: skip


def score(performance: Performance, seed: int, days: int) -> Score:
    """Judge every scene, and what was found about everybody else."""
    played = performance.played
    owners = _owners(played)
    lines = [_judged(performance, one, owners) for one in played]
    subscriptions = performance.subscription_days // max(days, 1)
    others = SceneScore(BACKGROUND, "honest", 1.0, subscriptions)
    for finding in performance.findings:
        name = performance.name(finding)
        if int(finding["imsi"]) in owners or named(name, INFORMATION):
            continue
        if explained(played, name, finding):
            continue
        others.found[name] = others.found.get(name, 0) + 1
    others.false = sum(others.found.values())
    return Score(seed, subscriptions, days, [*lines, others])


def explained(played: Sequence[Played], name: str, finding: np.ndarray) -> bool:
    """Is it what a scene of the whole fleet, or of a gateway, tells of itself while it lasts?"""
    return bool(finding["scene"]) or any(
        one.scene.everybody and named(name, _told(one.scene)) and _is_about(one, finding) for one in played
    )


def _told(scene: Scene) -> tuple[str, ...]:
    if isinstance(scene, Attack):
        return (*scene.catches, *scene.also) if scene.one_finding else ()
    return _informs(scene)


def _is_about(one: Played, finding: np.ndarray) -> bool:
    """Did it begin while the scene lasted, and is a finding of a group about the gateway that was silent?"""
    lasts = one.stage.begins_at <= int(finding["at"]) < one.scene.ends_at(one.stage)
    if finding["imsi"]:
        return lasts
    silences = one.scene.silences
    return lasts and (silences is None or int(finding["gateway"]) == int(one.stage.population.gateways[silences]))


def _owners(played: Sequence[Played]) -> dict[int, Played]:
    """IMSI -> the scene that it is a victim (or an accomplice) of."""
    owners: dict[int, Played] = {}
    for one in played:
        if one.scene.everybody:
            continue
        for imsi in one.stage.people["imsi"]:
            owners[int(imsi)] = one
        for imsi in one.stage.rows["imsi"][one.stage.accomplices]:
            owners.setdefault(int(imsi), one)
    return owners


def _judged(performance: Performance, one: Played, owners: dict[int, Played]) -> SceneScore:
    scene, stage = one.scene, one.stage
    line = SceneScore(scene.id, scene.kind, stage.strength, len(stage.people))
    if isinstance(scene, Attack):
        if not scene.is_installed:
            line.note = NOT_INSTALLED
            return line
    if not line.victims or not scene.fits(stage):
        line.note = TOO_SMALL
        return line
    if isinstance(scene, Attack) and scene.one_finding:
        return _judged_as_one(performance, one, line)
    if scene.everybody:
        line.found = _counted(performance, stage.begins_at, _informs(scene))
        return line
    mine = np.array([owners.get(int(imsi)) is one for imsi in performance.findings["imsi"]], bool)
    firsts: dict[int, int] = {}
    found: Counter[str] = Counter()
    for finding in performance.findings[mine]:
        name, imsi = performance.name(finding), int(finding["imsi"])
        found[name] += 1
        if isinstance(scene, Attack):
            if named(name, scene.catches) and int(finding["at"]) >= int(stage.began_at.min(initial=0)):
                firsts.setdefault(imsi, int(finding["at"]))
            elif not named(name, (*scene.also, *scene.catches, *INFORMATION, *USED_MUCH)):
                line.false += 1
        elif not named(name, (*_informs(scene), *INFORMATION)):
            line.false += 1
    line.found = dict(found)
    if scene.kind == ATTACK:
        line.caught = sum(int(imsi) in firsts for imsi in stage.people["imsi"])
        line.missed = line.victims - line.caught
        line.events_to_detection = _events_to_detection(performance, one, firsts)
    return line


def _informs(scene: Scene) -> tuple[str, ...]:
    return scene.informs if isinstance(scene, Oddity) else ()


def _counted(performance: Performance, since: int, wanted: tuple[str, ...], until: int = 1 << 62) -> dict[str, int]:
    """How often each of some findings began between two times (us), whoever they are about."""
    at = performance.findings["at"]
    findings = performance.findings[(at >= since) & (at < until)]
    names = Counter(performance.name(finding) for finding in findings)
    return {name: count for name, count in names.items() if named(name, wanted)}


def _judged_as_one(performance: Performance, one: Played, line: SceneScore) -> SceneScore:
    """An outage: one finding of the right sort while it lasts; more than one of it are too many."""
    scene, number = one.scene, performance.played.index(one) + 1
    assert isinstance(scene, Attack)
    names = Counter(
        performance.name(finding) for finding in performance.findings
        if not finding["imsi"] and (finding["scene"] == number or (scene.everybody and _is_about(one, finding)))
    )  # fmt: skip
    line.found = {name: count for name, count in names.items() if named(name, (*scene.catches, *scene.also))}
    right = sum(count for name, count in names.items() if named(name, scene.catches))
    line.caught, line.missed = int(right > 0), int(right == 0)
    line.false = max(0, right - 1)
    return line


def _events_to_detection(performance: Performance, one: Played, firsts: dict[int, int]) -> float | None:
    """Median, over the victims that were caught, of their events from the first of the attack to the finding."""
    counts = []
    for imsi, began in zip(one.stage.people["imsi"], one.stage.began_at, strict=False):
        caught_at = firsts.get(int(imsi))
        if caught_at is not None:
            at = performance.heard[performance.heard[:, 0] == imsi, 1]
            counts.append(int(((at >= began) & (at <= caught_at)).sum()))
    return float(np.median(counts)) if counts else None
