"""One day while it is being made: honest sessions and calls, which happenings change, drop and add to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simward.engine import events as ev
from simward.lab.traffic.calls import CALL
from simward.lab.traffic.members import DAY_US, SECOND_US, Members
from simward.lab.traffic.sessions import CONTINUES, GOES_ON, NO_STOP, SESSION, next_serials


@dataclass
class Day:
    """The tables of one day. Rows are named by their places in `sessions` (and `calls`)."""

    members: Members
    number: int
    begins_at: int
    sessions: np.ndarray
    """SESSION."""
    calls: np.ndarray
    """CALL."""
    commands: list[np.ndarray] = field(default_factory=list)
    """EVENT rows that are no packets of a session: what is announced, a gateway that restarts."""
    _more: list[np.ndarray] = field(default_factory=list)
    _more_calls: list[np.ndarray] = field(default_factory=list)
    _dropped: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    _order: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    _sorted: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    silences: list[tuple[int, int, int]] = field(default_factory=list)
    """Gateway (position in GATEWAYS), since and until when nothing is heard of it, us."""

    def __post_init__(self) -> None:
        self._dropped = np.zeros(len(self.sessions), bool)
        self._put_in_order()

    def _put_in_order(self) -> None:
        self._order = np.argsort(self.sessions["who"], kind="stable")
        self._sorted = self.sessions["who"][self._order]

    @property
    def ends_at(self) -> int:
        """Midnight after it, us."""
        return self.begins_at + DAY_US

    def of(self, who: np.ndarray) -> np.ndarray:
        """Places of the honest sessions of some members, in order of the members and of nothing else."""
        first, last = np.searchsorted(self._sorted, who), np.searchsorted(self._sorted, who, side="right")
        places = np.concatenate([np.zeros(0, np.int64), *(self._order[a:b] for a, b in zip(first, last, strict=True))])
        kept: np.ndarray = places[~self._dropped[places]]
        return kept

    def within(self, who: np.ndarray, since: int, until: int) -> np.ndarray:
        """Of these, the ones that begin in a time, us."""
        places = self.of(who)
        at = self.sessions["begins_at"][places]
        chosen: np.ndarray = places[(at >= since) & (at < until)]
        return chosen

    def split(self, who: np.ndarray, at: int) -> None:
        """What of some members goes on at a moment (us) becomes two rows, so that what comes after it can be changed.

        The same is reported of both as of the one. What moves is left whole: where it is is told from where it began.
        """
        places = self.of(who)
        rows = self.sessions[places]
        chosen = places[(rows["begins_at"] < at) & (rows["ends_at"] > at) & (rows["columns_an_hour"] == 0.0)]
        if not len(chosen):
            return
        later = self.sessions[chosen].copy()
        share = (at - later["begins_at"]) / (later["ends_at"] - later["begins_at"])
        for name in ("up", "down"):
            earlier = (later[name] * share).astype(np.int64)
            later[f"{name}_before"] += earlier
            later[name] -= earlier
            self.sessions[name][chosen] = earlier
        later["begins_at"], later["tries"] = at, 0
        later["flags"] |= CONTINUES
        self.sessions["ends_at"][chosen] = at
        self.sessions["flags"][chosen] = (self.sessions["flags"][chosen] & ~np.uint8(GOES_ON)) | NO_STOP
        self.sessions = np.concatenate([self.sessions, later])
        self._dropped = np.concatenate([self._dropped, np.zeros(len(later), bool)])
        self._put_in_order()

    def drop(self, places: np.ndarray) -> None:
        """These never happen."""
        self._dropped[places] = True

    def mute(self, who: np.ndarray, since: int, until: int) -> None:
        """Nothing is heard of some members between two times: what goes on is cut off without a word."""
        places = self.of(who)
        begins, ends = self.sessions["begins_at"][places], self.sessions["ends_at"][places]
        self.drop(places[(begins >= since) & (begins < until)])
        cut = places[(begins < since) & (ends > since)]
        self.sessions["ends_at"][cut] = since
        self.sessions["flags"][cut] = (self.sessions["flags"][cut] & ~np.uint8(GOES_ON)) | NO_STOP

    def resume(self, who: np.ndarray, since: int, until: int, within_s: int, rng: np.random.Generator) -> None:
        """What was on before a time of silence and would be after it begins anew, within so many seconds of its end.

        To be called before the silence is made.
        """
        if not self.begins_at < until < self.ends_at - within_s * SECOND_US:
            return
        places = self.of(who)
        rows = self.sessions[places]
        on = ((rows["flags"] & GOES_ON) != 0) & (rows["begins_at"] < since) & (rows["ends_at"] > until)
        # Of a silence that began on an earlier day nothing is on any more: members begin anew by themselves.
        again = rows[on].copy()
        lasts = again["ends_at"] - again["begins_at"]
        again["begins_at"] = until + (rng.random(len(again)) * within_s * SECOND_US).astype(np.int64)
        left = (again["ends_at"] - again["begins_at"]) / np.maximum(1, lasts)
        again["began_at"] = again["begins_at"]
        for name in ("up", "down"):
            again[name] = again[name] * left
            again[f"{name}_before"] = 0
        again["serial"] = next_serials(self.members, again["who"])
        again["flags"], again["tries"] = GOES_ON, 0
        self.add(again)

    def add(self, rows: np.ndarray) -> None:
        """More SESSION rows."""
        self._more.append(rows)

    def add_calls(self, rows: np.ndarray) -> None:
        """More CALL rows."""
        self._more_calls.append(rows)

    def silence_gateway(self, gateway: int, since: int, until: int) -> None:
        """Nothing arrives from a gateway (position in GATEWAYS) between two times; what it would have said is lost."""
        self.silences.append((gateway, since, until))

    def all_sessions(self) -> np.ndarray:
        """SESSION rows of everybody."""
        rows = np.concatenate([self.sessions[~self._dropped], *self._more, np.zeros(0, SESSION)])
        for gateway, since, until in self.silences:
            rows = self._without(rows, gateway, since, until)
        return rows

    def all_calls(self) -> np.ndarray:
        """CALL rows of everybody, in order of arrival."""
        rows = np.concatenate([self.calls, *self._more_calls, np.zeros(0, CALL)])
        return rows[np.argsort(rows["arrives_at"], kind="stable")]

    def all_commands(self) -> np.ndarray:
        """EVENT rows, in order."""
        rows = np.concatenate([ev.empty(0), *self.commands])
        return rows[np.argsort(rows["received_at"], kind="stable")]

    def _without(self, rows: np.ndarray, gateway: int, since: int, until: int) -> np.ndarray:
        """What is left where a gateway is silent: sessions that begin meanwhile are not heard of, others are cut."""
        there, begins = rows["gateway"] == gateway, rows["begins_at"]
        rows = rows[~(there & (begins >= since) & (begins < until))]
        there = rows["gateway"] == gateway
        cut = there & (rows["begins_at"] < since) & (rows["ends_at"] > since)
        rows["ends_at"][cut] = since
        rows["flags"][cut] = (rows["flags"][cut] & ~np.uint8(GOES_ON)) | NO_STOP
        return rows
