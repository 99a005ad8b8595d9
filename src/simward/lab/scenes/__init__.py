"""The scenes of the lab: every attack and every honest oddity by name, found by being in this folder."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache

from simward.errors import UsageError, nearest
from simward.lab.scenes.scene import ATTACK, HONEST, Attack, Oddity, Scene

NOT_SCENES = {"scene", "stage", "enacting"}


@cache
def installed() -> Mapping[str, Scene]:
    """Every scene by id, attacks first, each kind in alphabetical order."""
    found: list[Scene] = []
    for info in pkgutil.iter_modules(__path__):
        if info.name in NOT_SCENES:
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        found += [
            kind()
            for _, kind in inspect.getmembers(module, inspect.isclass)
            if issubclass(kind, Scene) and kind.__module__ == module.__name__ and kind.id
        ]
    found.sort(key=lambda scene: (scene.kind != ATTACK, scene.id))
    scenes = {scene.id: scene for scene in found}
    assert len(scenes) == len(found), "two scenes have one id"
    return scenes


def attacks() -> tuple[Attack, ...]:
    """The attacks."""
    return tuple(one for one in installed().values() if isinstance(one, Attack))


def oddities() -> tuple[Oddity, ...]:
    """What is odd and honest."""
    return tuple(one for one in installed().values() if isinstance(one, Oddity))


def scene(name: str) -> Scene:
    """The scene of this id; UsageError with the nearest name where there is none."""
    found = installed().get(name)
    if found is None:
        raise UsageError(f"there is no scene {name!r}: {nearest(name, installed())}")
    return found


def best(count: int) -> tuple[Attack, ...]:
    """The attacks to show to somebody who has a minute: the best ranked whose detectors are installed."""
    ready = [one for one in attacks() if one.rank and one.live and one.is_installed]
    return tuple(sorted(ready, key=lambda one: one.rank)[:count])
