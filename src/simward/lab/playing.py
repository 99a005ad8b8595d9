"""One scene against a gate that is already running, in a folder whose fleet the lab made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from simward.errors import UsageError
from simward.lab import scenes
from simward.lab.attacks import ScriptPlayer
from simward.lab.demo import STRANGER, make_network
from simward.lab.folder import read_fleet
from simward.lab.record import read_record
from simward.lab.report import judged
from simward.lab.scenes.scene import Attack


def play_scene(folder: Path, name: str, seed: int, say: Callable[[str], object]) -> list[str]:
    """Play it, say what happened, and give what was missed."""
    scene, fleet = scenes.scene(name), read_fleet(folder)
    if not isinstance(scene, Attack) or not scene.live:
        raise UsageError(f"{name} is not played against a gate: try `simward lab score --scene {name}`")
    script = scene.script()
    network = make_network(folder)
    try:
        before = read_record(folder)
        seen, proofs = {found.imsi for found in before.findings}, sum(map(len, before.proofs.values()))
        used = [one.number for one in (*fleet.subscriptions, *fleet.spares) if one.imsi in seen]
        player = ScriptPlayer(network, network.gateways[STRANGER], fleet, seed, avoid=used)
        observed = player.play(script, acquaint=True)
    finally:
        network.close()
    one = judged(observed, read_record(folder, proofs + (1 if script.disconnect else 0)))
    say(f"{scene.title}: subscription {observed.imsi} (seed {seed})")
    for number, (act, answer) in enumerate(zip(script.acts, observed.answers, strict=True), 1):
        forged = f", {act.forged}" if act.forged else ""
        say(f"  packet {number}: {act.send}, device {act.device}{forged}: {answer}")
    say("  saw: " + (", ".join(f"{found.name} ({found.response})" for found in one.found) or "nothing"))
    for miss in one.misses:
        say(f"  missed: {miss}")
    say(f"Look further: simward --dir {folder} explain {observed.imsi}")
    return one.misses
