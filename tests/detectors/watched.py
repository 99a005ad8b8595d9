"""Stories told to the watch: a fleet that reports each quarter of an hour, ticks each second, and what was found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from story import HOME, IMSI, METER, NB_IOT, Story

from simward.engine import events as e
from simward.engine import outputs as o
from simward.engine.watching.fold import WatchFold
from simward.engine.words import Lexicon, finding

INTERVAL_S = 900
POLICY = """
use_case: meter
binding: {mode: none}
session: {interim_interval: 15m}
responses: {default: observe}
"""
CELL = 5 << 56 | 1


class WatchedFleet(Story):
    """`members` meters, each in the cell, gateway, network and model that `at` says (by member)."""

    interval_s = INTERVAL_S

    def __init__(self, members: int = 20, policy: str = POLICY, at: dict[int, dict[str, Any]] | None = None) -> None:
        super().__init__(policy, members)
        self.watch = WatchFold(self.fold)
        self.found: list[np.ndarray] = []
        self.places = at or {}
        self.members = members
        self.reported = np.full(members, -1.0)
        self.seconds = 0

    def event(self, kind: int, member: int = 0, second: float = 0, **more: Any) -> np.ndarray:
        """One event of a member, `second` seconds from now."""
        place = {"cell": CELL, "gateway": "pgw1", "plmn": HOME, "device": METER + member, **self.places.get(member, {})}
        place |= more
        self.count += 1
        event = e.empty(1)
        event["kind"], event["imsi"], event["imei"] = kind, IMSI + member, place["device"]
        event["cell"], event["plmn"], event["rat"] = place["cell"], place["plmn"], NB_IOT
        event["gateway"] = self.fold.state.texts.intern(place["gateway"].encode())
        event["request"] = 1000 + self.count
        session = place.get("session", f"s{member}").encode()
        event["session_id_octets"] = len(session)
        event["session_id"][0, : len(session)] = list(session)
        event["duration_s"] = self.seconds + second
        event["received_at"] = event["happened_at"] = self.now + int(second * 1_000_000)
        return event

    def of_gateway(self, kind: int, gateway: str = "pgw1", second: float = 0) -> np.ndarray:
        """Accounting-On or -Off."""
        event = self.event(kind, 0, second, gateway=gateway, cell=0, plmn=0, device=0)
        event["imsi"] = event["session_id_octets"] = event["duration_s"] = 0
        event["session_id"] = 0
        return event

    def lasts(self, seconds: int, silent: Iterable[int] = (), extra: Iterable[np.ndarray] = ()) -> WatchedFleet:
        """Time passes: a tick each second, and an interim of every member that is not silent each quarter of an hour,
        spread evenly over it.
        """
        mute = set(silent)
        told = list(extra)
        for second in range(1, seconds + 1):
            tick = e.empty(1)
            tick["kind"] = e.TICK
            tick["received_at"] = tick["happened_at"] = self.now + second * 1_000_000
            told.append(tick)
            at = (self.seconds + second) % self.interval_s
            told += [
                self.event(e.ACCOUNTING_INTERIM, member, second - 0.5)
                for member in range(self.members)
                if member not in mute and at == member * self.interval_s // self.members
            ]
        self.now += seconds * 1_000_000
        self.seconds += seconds
        return self.happen(told)

    def all_start(self) -> WatchedFleet:
        """Every member begins its session, and all report for an hour and a half."""
        self.happen([self.event(e.ACCOUNTING_START, member) for member in range(self.members)])
        return self.lasts(6 * INTERVAL_S)

    def happen(self, told: list[np.ndarray]) -> WatchedFleet:
        """Fold events, ordered by their time, into both folds as the process behind the gate does."""
        events = np.concatenate(sorted(told, key=lambda one: int(one["received_at"][0])))
        at = 0
        while at < len(events):
            first = self.fold.sequence + 1
            folded = self.fold.events(events[at:])
            kept, outputs = events[at : at + folded.consumed][folded.kept], folded.outputs.view(np.ndarray).copy()
            at += folded.consumed
            if len(kept):
                self.kept_as(first, kept, outputs)
        return self

    def kept_as(self, first: int, kept: np.ndarray, outputs: np.ndarray) -> None:
        """What the gate journals, and the watch follows."""
        self.found += list(self.watch.events(kept, first))

    def forget(self) -> WatchedFleet:
        """What was found so far is of no interest."""
        self.found.clear()
        return self

    def told(self, *kinds: int) -> list[dict[str, Any]]:
        """What was found, in words."""
        lexicon = Lexicon(lambda kernel: self.watch.manifest())
        lexicon.policy(self.fold.state.policy.to_bytes())
        for number, text in enumerate(self.fold.state.texts.all()):
            lexicon.learn(lambda _, text=text: text.decode(), number + 1)  # type: ignore[misc]
        return [finding(one, lexicon) for one in self.found if int(one["kind"]) in kinds]

    @property
    def began(self) -> list[str]:
        """detector/class of what began, in order."""
        return [f"{one['detector']}/{one['class']}" for one in self.told(o.FINDING_BEGAN)]

    @property
    def ended(self) -> list[str]:
        """detector/class of what ended, in order."""
        return [f"{one['detector']}/{one['class']}" for one in self.told(o.FINDING_ENDED)]


def in_cells(members: int, size: int, **of_all: Any) -> dict[int, dict[str, Any]]:
    """Members in cells of `size` each."""
    return {one: {"cell": CELL + one // size, **of_all} for one in range(members)}
