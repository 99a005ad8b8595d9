"""The policy in force, read once for each revision, and how many subscriptions are in each part of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from simward.policy.load import Document, Policy, listed, read_policies
from simward.registry import population, revisions
from simward.registry.database import Registry
from simward.registry.population import COUNTS
from simward.registry.tables import DEFAULT_TENANT


class PolicyInForce:
    """For threads: each asks the registry, and a policy that was read is shared."""

    def __init__(self, registry: Registry) -> None:
        self._registry, self._reading = registry, threading.Lock()
        self._read: tuple[int, Policy] = (-1, Policy())

    def policy(self) -> tuple[Any | None, Policy]:
        """The revision in force (None: nothing was applied yet), and its documents."""
        with self._reading:
            with self._registry.reading() as connection:
                row = revisions.newest(connection)
                sequence = 0 if row is None else int(row.last_sequence)
                if self._read[0] != sequence:
                    texts = revisions.texts_of(connection, row)
                    self._read = (sequence, read_policies(texts) if texts else Policy())
            return row, self._read[1]

    def counts(self, of: Callable[[Any], Iterable[str]]) -> dict[str, dict[str, int]]:
        """Name -> COUNTS, by what a row of `population.counted` is `of`."""
        found: dict[str, Counter[str]] = {}
        with self._registry.reading() as connection:
            rows = population.counted(connection)
        for row in rows:
            for name in of(row):
                one = found.setdefault(name, Counter())
                one.update({key: int(getattr(row, key)) for key in COUNTS})
        return {name: {key: one[key] for key in COUNTS} for name, one in found.items()}


def tenant_of(use_case: Document) -> str:
    """Whose a use case is."""
    return str(use_case.get("tenant") or DEFAULT_TENANT)


def segments_of(use_case: Document) -> list[str]:
    """The segments of a use case, the main one first."""
    return [str(one) for one in listed(use_case.get("segment"))]
