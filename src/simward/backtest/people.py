"""Everybody who was cut in either world: their rows, and what a pass over events leaves of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simward.backtest.acts import PERSON_NUMBER
from simward.backtest.tally import DEED, DID, NOBODY, PERSON, WOULD, follow_events
from simward.compiled import records
from simward.detectors.detector import LOCK, QUARANTINE, REFUSE
from simward.engine.layouts import CONFINED_BY_RULE
from simward.engine.outputs import QUARANTINED, REJECT
from simward.engine.state import BATCH_MAX, State

Deeds = Callable[[np.ndarray], None]
CUT_FIELDS = ("at", "level", "detector", "class")


class People:
    """Rows of PERSON; `deeds` is given each cut (DEED rows) when it is over. Memory grows with who is ever cut."""

    def __init__(self, deeds: Deeds) -> None:
        self._rows = np.zeros(1024, PERSON)
        self._count = 0
        self._places = np.zeros(0, np.int32)
        self._sorted = (np.zeros(0, np.int64), np.zeros(0, np.int64))
        self._tell = deeds
        self._room = np.zeros(4 * BATCH_MAX, DEED)
        self.since = np.iinfo(np.int64).max
        """Cuts that began before are not counted (us UTC)."""

    @property
    def rows(self) -> np.ndarray:
        """Everybody so far."""
        return self._rows[: self._count]

    def know(self, state: State) -> None:
        """Take over which subscriptions there are; called whenever the inventory changed."""
        used = state.subscriptions[: int(state.meta["subscriptions"][0])]
        places = np.full(len(used), NOBODY, np.int32)
        places[: len(self._places)] = self._places
        self._places = places
        numbers = np.asarray(used["imsi"])
        order = np.argsort(numbers, kind="stable")
        self._sorted = numbers[order], order

    def rows_of(self, imsis: np.ndarray) -> np.ndarray:
        """Rows of the subscriptions with these IMSIs, -1 where there is none."""
        numbers, order = self._sorted
        if not len(numbers):
            return np.full(len(imsis), NOBODY, np.int64)
        at = np.minimum(np.searchsorted(numbers, imsis), len(numbers) - 1)
        return np.where((numbers[at] == imsis) & (imsis != 0), order[at], NOBODY)

    def follow(
        self, events: np.ndarray, results: np.ndarray, would: np.ndarray, did: np.ndarray, state: State, sequence: int
    ) -> None:
        """Go through events that were folded (see tally.follow)."""
        more = len(would) + len(did)
        if self._count + more >= len(self._rows):
            grown = np.zeros(2 * (self._count + more), PERSON)
            grown[: self._count] = self.rows
            self._rows = grown
        if 2 * len(events) + more > len(self._room):
            self._room = np.zeros(2 * (2 * len(events) + more), DEED)
        count, made = follow_events(
            records(events), records(results), records(would), records(did), records(self._rows), self._count,
            self._places, records(state.subscriptions.view(np.ndarray)), sequence, self.since, records(self._room),
        )  # fmt: skip
        self._count = int(count)
        if made:
            self._tell(self._room[:made])

    def remember(self, state: State) -> None:
        """Who is cut in a state that was not folded here: locked or in quarantine, or refused or confined when it asked
        last."""
        used = state.subscriptions[: int(state.meta["subscriptions"][0])].view(np.ndarray)
        cut = np.flatnonzero((used["locked"] > 0) | (used["last_verdict"] > 0))
        rows = np.zeros(len(cut) + 1024, PERSON)
        one, chosen = rows[: len(cut)], used[cut]
        for name in ("imsi", "iccid", "use_case"):
            one[name] = chosen[name]
        one["row"] = cut
        one["at"][:, DID] = np.where(chosen["locked"] > 0, chosen["locked_s"].astype(np.int64), chosen["heard_s"])
        one["at"][:, DID] = np.maximum(one["at"][:, DID] * 1_000_000, 1)
        level = np.array([0, QUARANTINE, REFUSE], np.uint8)[np.minimum(chosen["last_verdict"], REJECT)]
        set_aside = np.where(chosen["locked"] < CONFINED_BY_RULE, LOCK, QUARANTINE)
        one["level"][:, DID] = np.where(chosen["locked"] > 0, set_aside, level)
        by = np.where(chosen["locked"] < CONFINED_BY_RULE, chosen["lock_detector"], PERSON_NUMBER)
        one["detector"][:, DID] = np.where(chosen["locked"] > 0, by, chosen["last_detector"])
        one["class"][:, DID] = np.where(chosen["locked"] > 0, 0, chosen["last_class"])
        self._rows, self._count = rows, len(cut)
        self._places[cut] = np.arange(len(cut))

    def part(self, since: int) -> None:
        """From here on there are two worlds: whoever is cut in the one is cut in the other as well."""
        rows = self.rows
        for name in CUT_FIELDS:
            rows[name][:, WOULD] = rows[name][:, DID]
        rows["both"] = rows["at"] != 0
        rows["cuts"] = rows["alone"] = 0
        self.since = since

    def leave(self, rows: np.ndarray, at: int) -> None:
        """Subscriptions that were removed: their cuts are over, and their rows may become somebody else's."""
        left = [int(self._places[row]) for row in rows.tolist() if row >= 0 and self._places[row] != NOBODY]
        self._end(left, at)
        self._places[rows[rows >= 0]] = NOBODY

    def finish(self, at: int) -> None:
        """The end of what is recorded: cuts that last are counted up to here."""
        self._end(range(self._count), at)

    def _end(self, numbers: list[int] | range, at: int) -> None:
        for world in (WOULD, DID):
            chosen = np.array([one for one in numbers if self._rows["at"][one, world]], np.int64)
            people = self._rows[chosen]
            began = people["at"][:, world]
            if world == WOULD:
                self._rows["cut_us"][chosen] += at - np.maximum(began, self.since)
            self._rows["at"][chosen, world] = 0
            counted = began >= self.since
            deeds = np.zeros(len(chosen), DEED)
            deeds["at"], deeds["until"], deeds["person"], deeds["world"] = began, at, chosen, world
            deeds["use_case"] = people["use_case"]
            for name in ("level", "detector", "class", "both"):
                deeds[name] = people[name][:, world]
            self._rows["alone"][chosen, world] += (people["both"][:, world] == 0) & counted
            if counted.any():
                self._tell(deeds[counted])


assert QUARANTINED == 1 and REJECT == 2
