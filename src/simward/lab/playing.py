"""One scene against a gate that is already running, in a folder whose fleet the lab made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from simward.errors import UsageError, nearest
from simward.lab.attacks import ScenePlayer
from simward.lab.demo import STRANGER, make_network
from simward.lab.folder import read_fleet
from simward.lab.record import read_record
from simward.lab.report import judged
from simward.lab.scenes import BY_NAME


def play_scene(folder: Path, name: str, seed: int, say: Callable[[str], object]) -> list[str]:
    """Play it, say what happened, and give what was missed."""
    if name not in BY_NAME:
        raise UsageError(f"there is no scene {name!r}: {nearest(name, BY_NAME)}")
    scene, fleet = BY_NAME[name], read_fleet(folder)
    network = make_network(folder)
    try:
        before = read_record(folder)
        seen, proofs = {found.imsi for found in before.findings}, sum(map(len, before.proofs.values()))
        used = [one.number for one in (*fleet.subscriptions, *fleet.spares) if one.imsi in seen]
        player = ScenePlayer(network, network.gateways[STRANGER], fleet, seed, avoid=used)
        observed = player.play(scene, acquaint=True)
    finally:
        network.close()
    one = judged(observed, read_record(folder, proofs + (1 if scene.disconnect else 0)))
    say(f"{scene.title}: subscription {observed.imsi} (seed {seed})")
    for number, (act, answer) in enumerate(zip(scene.acts, observed.answers, strict=True), 1):
        forged = f", {act.forged}" if act.forged else ""
        say(f"  packet {number}: {act.send}, device {act.device}{forged}: {answer}")
    say("  saw: " + (", ".join(f"{found.name} ({found.response})" for found in one.found) or "nothing"))
    for miss in one.misses:
        say(f"  missed: {miss}")
    say(f"Look further: simward --dir {folder} explain {observed.imsi}")
    return one.misses
