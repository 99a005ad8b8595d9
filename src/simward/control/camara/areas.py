"""The area of each use case, and whether policy itself refuses outside it: from the policy in force in the journal."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from simward.engine.journal import POLICY
from simward.engine.words import Lexicon
from simward.history.whole import WholeJournal
from simward.policy.compile import CANONICAL
from simward.quantities import QuantityError, distance_m
from simward.response import facts as f

RADIUS_MOST_M = 200_000
REFUSING = ("refuse", "lock")
DETECTOR, CLASS = "outside-area", "outside-area/outside"


@dataclass(frozen=True)
class Area:
    """A circle; `enforced` where policy refuses what is outside, whoever asked for it or not."""

    latitude: float
    longitude: float
    radius_m: int
    enforced: bool

    @property
    def told(self) -> dict[str, Any]:
        """As CAMARA writes it, whose circles end at 200 km."""
        center = {"latitude": self.latitude, "longitude": self.longitude}
        return {"areaType": "CIRCLE", "center": center, "radius": min(max(self.radius_m, 1), RADIUS_MOST_M)}


class Areas:
    """Takes the policy revisions that are followed; what was in force before is read from the journal once."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir, self._lock = data_dir, threading.Lock()
        self._areas: Mapping[str, Area] | None = None

    def take(self, connection: sa.Connection, fact: f.Fact) -> None:
        """See Taker."""
        if isinstance(fact, f.PolicyApplied) and fact.what == "policy":
            self._areas = areas_of(fact.documents)

    def of(self, use_case: str | None) -> Area | None:
        """Of a use case; None where it names none. Reads the journal the first time: not in an event loop."""
        with self._lock:
            if self._areas is None:
                self._areas = areas_of(self._in_force())
            return self._areas.get(use_case or "")

    def _in_force(self) -> dict[str, Any]:
        lexicon, documents = Lexicon(lambda kernel: {}), "{}"
        with closing(WholeJournal.open(self._data_dir)) as journal:
            for row in journal.revisions():
                if row.kind == POLICY:
                    lexicon.policy(row.inputs)
                    documents = lexicon.sources.get(CANONICAL, "{}")
        found: dict[str, Any] = json.loads(documents)
        return found


def areas_of(documents: Mapping[str, Any]) -> dict[str, Area]:
    """By use case, from the documents of a policy."""
    circles = documents.get("area", {})
    made = {}
    for name, use_case in documents.get("use_case", {}).items():
        mobility = use_case.get("mobility")
        area = mobility.get("area") if isinstance(mobility, dict) else None
        circle = circles.get(area, {}).get("circle") if area else None
        if circle:
            made[name] = Area(
                float(circle["latitude"]), float(circle["longitude"]), _metres(circle["radius"]),
                _response(use_case.get("responses", {})) in REFUSING,
            )  # fmt: skip
    return made


def _metres(radius: Any) -> int:
    if isinstance(radius, int | float):
        return round(radius)
    try:
        return distance_m(str(radius))
    except QuantityError:  # another version wrote it: better the widest circle than none
        return RADIUS_MOST_M


def _response(responses: Mapping[str, Any]) -> str:
    return str(responses.get(CLASS) or responses.get(DETECTOR) or responses.get("default") or "observe")
