"""The attacks, by name: found by being in this folder. None knows what would catch it but by name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache

from simward.errors import UsageError, nearest
from simward.lab.traffic import honest
from simward.lab.traffic.happening import Happening


@cache
def installed() -> Mapping[str, Happening]:
    """Every attack by name, and what is honest (traffic/honest.py) after them."""
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    found: list[Happening] = []
    for module in (*modules, honest):
        for _, one in inspect.getmembers(module, inspect.isclass):
            if issubclass(one, Happening) and one.__module__ == module.__name__ and one.id:
                found.append(one())
    found.sort(key=lambda one: (one.honest, one.id))
    named = {one.id: one for one in found}
    assert len(named) == len(found), "two happenings have one name"
    return named


def attacks() -> tuple[Happening, ...]:
    """What is wrong."""
    return tuple(one for one in installed().values() if not one.honest)


def happening(name: str) -> Happening:
    """The one of this name; UsageError with the nearest where there is none."""
    found = installed().get(name)
    if found is None:
        raise UsageError(f"there is no attack {name!r}: {nearest(name, installed())}")
    return found
