"""Fits each day once it is over, in order: beside the fold while that keeps up, in step with it where it catches up.

A day that cannot be fitted passes unjudged, which is journalled and shown; none is skipped silently.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from simward.behaviour_settings import BehaviourSettings, budget_of
from simward.engine.behaviour.renumbering import Renumbering
from simward.engine.outputs import OUTPUT
from simward.engine.watching.fold import WatchFold
from simward.engine.watching.own_inputs import SETTLED, UNFITTED, OwnInput
from simward.errors import SimwardError
from simward.logs import called

log = logging.getLogger(__name__)

DAY_S, SECOND_US = 86_400, 1_000_000
OVERRUN_S = 60
"""A day is settled so long before the second midnight after it at the latest: then another one's counting is over."""
ATTEMPTS, BACKOFF_S = 3, 30.0


@dataclass(frozen=True)
class Copied:
    """All that a fit is made from, as it was at one sequence: nothing of it is shared with the fold."""

    day: int
    rows: np.ndarray
    """BEHAVIOUR, one a subscription."""
    use_cases: np.ndarray
    """i8, the use case of each."""
    tenants: np.ndarray
    """The tenant of each use case."""
    benign: np.ndarray
    """BENIGN_COHORT: verdicts that have not expired."""
    before: bytes
    """The fit of the day before as it was journalled, empty = there was none."""
    a_day: float
    """The alarm budget: as the owner set it, else as it follows from how many were heard on the day."""
    is_derived: bool = False


Fit = Callable[[Copied], bytes]


class DayFits:
    """`step` gives what is to be journalled next, and `stops_at` says up to where the fold may go before."""

    def __init__(
        self, watch: WatchFold, settings: BehaviourSettings, fit: Fit, before: Callable[[], bytes], *, beside: bool
    ) -> None:
        """`before()` reads the newest fit that was taken; `beside`: a fit may take its time in a thread."""
        self._watch, self._settings, self._fit, self._before, self._beside = watch, settings, fit, before, beside
        self._running: threading.Thread | None = None
        self._made: OwnInput | None = None
        self._names = watch.names
        self._attempts, self._not_before = 0, 0.0
        self.fitted = self.failed = self.unfitted = 0
        self.seconds = 0.0
        self.trouble = ""
        """Why the last attempt failed; empty where it did not."""

    @property
    def day(self) -> int:
        """The day (since 1970) that is to be settled next; 0 while nothing was counted yet."""
        settled = int(self._watch.state.watch_meta["settled_day"][0])
        return settled + 1 if settled else 0

    @property
    def is_running(self) -> bool:
        """Is a fit under way, or made and not journalled yet?"""
        return self._running is not None or self._made is not None

    @property
    def is_made(self) -> bool:
        """Is one made that could not be journalled so far?"""
        return self._made is not None

    def due_at(self) -> int:
        """When the next day is to be fitted, us: with its grace for late records; 0 = there is none."""
        day = self.day
        return ((day + 1) * DAY_S + self._settings.grace_s) * SECOND_US if day else 0

    def overrun_at(self) -> int:
        """When it must have been settled."""
        return ((self.day + 2) * DAY_S - OVERRUN_S) * SECOND_US

    def stops_at(self, now: int) -> int:
        """A step of the fold that begins with what came at `now` is to end with the first of this time (us) on."""
        if self.is_running:
            return self.overrun_at()
        return self.due_at() or (now // SECOND_US // DAY_S + 1) * DAY_S * SECOND_US

    def step(self, *, wait: bool) -> OwnInput | None:
        """Begin what is due; what is made, once it is. With `wait` (or in step) it is done when this returns.

        The caller journals what it gets and then calls `taken`; until then it gets the same again.
        """
        if self._running is not None:
            if not (wait or self._watch.now >= self.overrun_at() or not self._running.is_alive()):
                return None
            self._running.join()
            self._running = None
        if self._made is not None and Renumbering.between(self._names, self._watch.names) is not None:
            self._made = None  # a policy came meanwhile that numbers use cases otherwise: the day is fitted again
        if self._made is not None:
            return self._made
        if not self.day or self._watch.now < self.due_at() or time.monotonic() < self._not_before:
            return None
        copied = self._copied()
        if self._beside and not wait:
            self._running = threading.Thread(target=self._make, args=(copied,), name="fit", daemon=True)
            self._running.start()
            return None
        while self._made is None:
            self._make(copied)
        return self._made

    def taken(self) -> None:
        """What `step` gave is journalled."""
        self._made, self._attempts, self._running = None, 0, None

    def facts(self) -> dict[str, Any]:
        """How it is doing."""
        return {
            "findings_a_day": self._settings.findings_a_day, "fitting": self._running is not None,
            "fit_seconds": round(self.seconds, 3), "fitted": self.fitted, "fits_failed": self.failed,
            "unfitted": self.unfitted, "failing_because": self.trouble,
        }  # fmt: skip

    def close(self, within_s: float = 5.0) -> None:
        """A fit under way is begun again by the next process."""
        if self._running is not None:
            self._running.join(within_s)

    def _copied(self) -> Copied:
        self._names = self._watch.names
        watch, count = self._watch, self._watch.subscriptions
        rows = watch.state.behaviour[:count].copy()
        gate = watch.gate.state
        benign = watch.state.benign_cohorts
        a_day = self._settings.findings_a_day
        return Copied(
            self.day, rows, np.asarray(gate.subscriptions["use_case"][:count]).astype(np.int64),
            np.asarray(gate.policy.use_cases["tenant"]).astype(np.int64),
            benign[benign["until_day"] >= self.day].copy(), self._before(),
            budget_of(heard_on(rows, self.day)) if a_day is None else a_day, is_derived=a_day is None,
        )  # fmt: skip

    def _make(self, copied: Copied) -> None:
        began = time.monotonic()
        said: dict[str, Any] = {"budget": copied.a_day, "budget_is_derived": copied.is_derived}
        try:
            octets = self._fit(copied)
        # Whatever went wrong: the fold goes on, and it is said that this day was not judged.
        except Exception as error:
            self._attempts, self.failed = self._attempts + 1, self.failed + 1
            self.trouble = str(error) if isinstance(error, SimwardError) else f"{type(error).__name__}: {error}"
            log.error(
                "day %d cannot be fitted: %s", copied.day, self.trouble,
                exc_info=not isinstance(error, SimwardError), extra=called("fit-failed", day=copied.day),
            )  # fmt: skip
            self._not_before = time.monotonic() + BACKOFF_S
            if self._attempts >= ATTEMPTS:
                self.unfitted, self._not_before = self.unfitted + 1, 0.0
                self._made = OwnInput(UNFITTED, {**said, "day": copied.day, "because": self.trouble})
                self.trouble = ""
            return
        self.seconds = time.monotonic() - began
        self.fitted, self.trouble = self.fitted + 1, ""
        self._made = OwnInput(SETTLED, said, octets)
        log.info(
            "day %d fitted in %.1f s", copied.day, self.seconds,
            extra=called("day-fitted", day=copied.day, seconds=round(self.seconds, 3)),
        )


def heard_on(rows: np.ndarray, day: int) -> int:
    """How many of the watch's rows (BEHAVIOUR) are to be settled with that day, also while it is still counted."""
    counting = (rows["day"] != 0) & (rows["day"] <= day)
    heard = np.where(counting, rows["day"], rows["features_day"]) == day
    return int(np.count_nonzero(heard & (rows["settled_day"] < day)))


class InStep:
    """The watch fold with each day fitted in line, for events that no journal and no follower is behind."""

    def __init__(self, watch: WatchFold, settings: BehaviourSettings, fit: Fit) -> None:
        self.watch = watch
        self._newest = b""
        self.fits = DayFits(watch, settings, fit, lambda: self._newest, beside=False)

    def events(self, events: np.ndarray, first: int, found: np.ndarray | None = None) -> np.ndarray:
        """WatchFold.events: fold events, the first of which has the sequence `first`; returns the outputs."""
        parts, at, received_at = [np.zeros(0, OUTPUT)], 0, events["received_at"]
        while at < len(events):
            self._fit(first + at - 1)
            stops_at = self.fits.stops_at(int(received_at[at]))
            until = max(at + 1, min(len(events), int(np.searchsorted(received_at, stops_at)) + 1))
            rows = found[at:until] if found is not None else None
            parts.append(self.watch.events(events[at:until], first + at, rows))
            at = until
        return np.concatenate(parts)

    def finish(self) -> np.ndarray:
        """Settle the days that are over by now, at the end of all events; what was found."""
        parts = [np.zeros(0, OUTPUT)]
        while True:
            self._fit(self.watch.sequence)
            if not len(self.watch.awaited):
                return np.concatenate(parts)
            parts += self.watch.take_due(self.watch.sequence + 1, self.watch.now)

    def _fit(self, after: int) -> None:
        """Hand the fold what is due, to be taken after this sequence."""
        made = self.fits.step(wait=True) if not len(self.watch.awaited) else None
        if made is not None:
            octets = made.to_bytes()
            self._newest = made.octets or self._newest
            self.watch.awaited.add(after, lambda: octets)
            self.fits.taken()
