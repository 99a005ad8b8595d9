"""What RADIUS itself needs of the policy in force: which credentials an APN asks for, and the filters of segments."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simward.engine.fold import Fold
from simward.engine.tables import PolicyTables, filter_parts
from simward.errors import ConfigurationError, Problem, nearest
from simward.policy.compile import CANONICAL
from simward.wire.radius.answer import Answerer
from simward.wire.radius.credentials import credentials_of
from simward.wire.radius.filters import filter_values, filters_of
from simward.wire.radius.receive import Receiver

Attributes = list[tuple[str, bytes]]


class InForce:
    """Hands the wire layer its part of each policy revision. Passwords stay inside: nothing here prints them."""

    def __init__(
        self, fold: Fold, receiver: Receiver, answerer: Answerer, read_secrets: Callable[[], Mapping[str, bytes]],
        settings_path: Path,
    ) -> None:
        """`read_secrets` reads the [[secret]] entries of `settings_path`, anew for each revision."""
        self._fold, self._receiver, self._answerer = fold, receiver, answerer
        self._read_secrets, self._path = read_secrets, settings_path
        self._secrets: Mapping[str, bytes] = {}
        self._names: list[str] = [""]
        self._filters: list[tuple[Attributes, Attributes]] = [([], [])]

    def check(self, tables: PolicyTables) -> None:
        """Before a revision is applied: ConfigurationError where it asks for a secret that is not there."""
        secrets = self._read_secrets()
        declared = set(json.loads(tables.sources.get(CANONICAL, "{}")).get("segment", tables.names["segments"]))
        missing = [
            Problem(
                str(self._path), 1, "secret", f"no [[secret]] {name!r}, which segment {segment!r} asks for",
                nearest(name, secrets),
            )
            for segment, name in zip(tables.names["segments"], tables.of_segments("secrets"), strict=True)
            if name and name not in secrets and segment in declared  # one that is only kept may have lost its secret
        ]  # fmt: skip
        if missing:
            raise ConfigurationError(missing)
        self._secrets = secrets

    def take(self) -> None:
        """The fold has another policy: from now on requests are asked, and answered, as it says."""
        tables = self._fold.state.policy
        asked = zip(tables.segments["apn"], tables.segments["credentials"], tables.of_segments("secrets"), strict=True)
        self._receiver.ask_for(
            credentials_of((int(apn), int(kind), self._secrets.get(name, b"")) for apn, kind, name in asked if kind)
        )
        texts = zip(tables.of_segments("filters"), tables.of_segments("quarantine_filters"), strict=True)
        self._filters = [
            (filter_values(*filter_parts(normal)), filter_values(*filter_parts(confined))) for normal, confined in texts
        ]
        self._answerer.send_filters(filters_of(self._filters))
        names = tables.names["segments"]
        numbers = [names.index(name) if name in names else 0 for name in self._names]
        self._receiver.renumber_segments(np.array(numbers, np.uint16))
        self._names = list(names)

    def filter_of(self, effect: Any, *, quarantine: bool) -> Attributes:
        """The filter that a change of a session (OUTPUT) puts in place; empty where its segment has none."""
        return self._filters[self._fold.segment_of(int(effect["use_case"]), int(effect["apn"]))][quarantine]
