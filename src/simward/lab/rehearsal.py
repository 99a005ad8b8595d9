"""Scenes over RADIUS, against a gate of their own on loopback, and their score.

Attacks are played as scripts, each with the answers that it must get. Honest oddities are played as the packets of some
days of everything that stands still, squeezed into seconds: what moves would seem to fly.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simward.lab.attacks import Patience, ScriptPlayer
from simward.lab.demo import STRANGER, make_network
from simward.lab.fleet import CAMERA, LIFT_ALARM, WATER_METER, Fleet
from simward.lab.folder import ADDRESSES, Ports, write_fleet, write_settings
from simward.lab.gate_process import GateProcess, simward
from simward.lab.gateway import Network, free_port
from simward.lab.onwire import EventPlayer
from simward.lab.performance import Cast, Programme
from simward.lab.population import Population
from simward.lab.record import Record, read_record
from simward.lab.report import judged
from simward.lab.scenes.scene import Attack, Oddity, Scene
from simward.lab.score import BACKGROUND, INFORMATION, NOT_INSTALLED, SceneScore, Score, named
from simward.lab.scripts import Observed

STANDING = (WATER_METER, LIFT_ALARM, CAMERA)
DAYS = 3
EVENTS_ONLY = "as events only"
SILENCE_S = 0.3


def rehearse(fleet: Fleet, scenes: Sequence[Scene], seed: int) -> Score:
    """Start a gate, play everything that can be played in seconds, stop the gate, judge by its record."""
    with tempfile.TemporaryDirectory(prefix="simward-lab-") as place:
        folder = Path(place) / "fleet"
        write_fleet(folder, fleet)
        ports = Ports(free_port(), free_port(), {name: free_port(address) for name, address in ADDRESSES.items()})
        write_settings(folder, ports)
        simward(folder, "apply", "--yes")
        gate = GateProcess(folder)
        network: Network | None = None
        try:
            gate.wait_until_ready()
            network = make_network(folder)
            lines = _play(network, folder, fleet, scenes, seed)
        finally:
            if network is not None:
                network.close()
            gate.stop()
    return Score(seed, len(fleet), DAYS, lines)


def _play(network: Network, folder: Path, fleet: Fleet, scenes: Sequence[Scene], seed: int) -> list[SceneScore]:
    lines = [SceneScore(one.id, one.kind, 1.0, 0, note=_why_not(one)) for one in scenes]
    ready = [one for one, line in zip(scenes, lines, strict=True) if not line.note]
    player = ScriptPlayer(network, network.gateways[STRANGER], fleet, seed, Patience(SILENCE_S))
    observed = {one.id: player.play(one.script(), acquaint=True) for one in ready if isinstance(one, Attack)}
    taken = {imsi for one in observed.values() for imsi in (one.imsi, *one.accomplices)}
    for gateway in network.gateways.values():
        gateway.on_disconnect = lambda session_id: 0
    programme, refused = _honest(network, fleet, [one for one in ready if isinstance(one, Oddity)], taken, seed)
    record = read_record(folder, proofs=sum(1 for one in observed.values() if one.script.disconnect))
    members = {
        played.scene.id: {str(imsi)[1:] for imsi in played.stage.people["imsi"]}
        for played in programme.played
        if not played.scene.everybody
    }
    for scene, line in zip(scenes, lines, strict=True):
        if scene.id in observed:
            _judge_attack(line, observed[scene.id], record)
        elif scene.id in members:
            _judge_honest(line, members[scene.id], record, refused)
    others = SceneScore(BACKGROUND, "honest", 1.0, len(fleet))
    rest = {one.imsi for one in fleet.subscriptions} - taken - set().union(*members.values(), ())
    _judge_honest(others, rest, record, refused)
    return [*lines, others]


def _why_not(scene: Scene) -> str:
    """Why a scene is not played here; empty where it is."""
    if isinstance(scene, Attack):
        return NOT_INSTALLED if not scene.is_installed else "" if scene.live else EVENTS_ONLY
    if isinstance(scene, Oddity) and scene.live and set(scene.use_cases) & set(STANDING):
        return ""
    return EVENTS_ONLY


def _honest(
    network: Network, fleet: Fleet, scenes: Sequence[Oddity], taken: set[str], seed: int
) -> tuple[Programme, list[str]]:
    """Play some days of whatever stands still and is nobody's victim; gives the programme and what was refused."""
    texts: dict[int, str] = {}
    numbers: dict[bytes, int] = {}

    def intern(text: bytes) -> int:
        number = numbers.setdefault(text, len(numbers) + 1)
        texts[number] = text.decode()
        return number

    rng = np.random.default_rng([seed, len(fleet)])
    population = Population.of(fleet, intern, rng)
    used = {one.number for one in fleet.subscriptions if one.imsi in taken}
    for name, members in population.by_use_case.items():
        kept = [number for number in members if number not in used] if name in STANDING else []
        population.by_use_case[name] = np.array(kept, np.int64)
    cast = Cast(population, [(one, 1.0) for one in scenes], DAYS, rng)
    programme = Programme(population, cast.played, DAYS, rng)
    player = EventPlayer(network, population, texts)
    for events in programme.events():
        player.play(events)
    return programme, player.refused


def _judge_attack(line: SceneScore, observed: Observed, record: Record) -> None:
    report = judged(observed, record)
    line.victims = 1
    line.caught, line.missed = int(not report.misses), int(bool(report.misses))
    line.found = dict(Counter(found.name for found in report.found))
    if report.misses:
        line.found["; ".join(report.misses)] = 1


def _judge_honest(line: SceneScore, members: set[str], record: Record, refused: list[str]) -> None:
    line.victims = len(members)
    found = Counter(one.name for one in record.findings if one.imsi in members)
    line.found = dict(found)
    line.false = sum(count for name, count in found.items() if not named(name, INFORMATION))
    cut = sum(imsi in members for imsi in refused)
    if cut:
        line.found["refused"] = cut
        line.false += cut
