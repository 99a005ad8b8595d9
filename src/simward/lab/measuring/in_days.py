"""Drives the watch's fold so that each day is fitted once it is over, where this version has fits of days."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, Protocol

import numpy as np

from simward.engine.outputs import OUTPUT
from simward.engine.watching.fold import WatchFold

FITTING = "simward.fitting"


class Driven(Protocol):
    """What takes the events that the gate would have journalled, and says what the watch finds."""

    def events(self, events: np.ndarray, first: int) -> np.ndarray:
        """OUTPUT rows; the first of the events has the sequence `first`."""

    def finish(self) -> np.ndarray:
        """OUTPUT rows of what is over at the end."""


class Undriven:
    """The fold alone: nothing is fitted."""

    def __init__(self, watch: WatchFold) -> None:
        self._watch = watch

    def events(self, events: np.ndarray, first: int) -> np.ndarray:
        """Fold them."""
        return self._watch.events(events, first)

    def finish(self) -> np.ndarray:
        """Nothing."""
        return np.zeros(0, OUTPUT)


def driven(watch: WatchFold, findings_a_day: float) -> Driven:
    """The watch's fold with each day fitted in step, under an alarm budget."""
    if importlib.util.find_spec(FITTING) is None:
        return Undriven(watch)
    day_fits = importlib.import_module(f"{FITTING}.day_fits")
    fit = importlib.import_module(f"{FITTING}.daily").fit_copied
    settings: Any = importlib.import_module("simward.behaviour_settings").BehaviourSettings
    made: Driven = day_fits.InStep(watch, settings(findings_a_day=findings_a_day), fit)
    return made
