"""The policy in force, read once for each revision, and how many subscriptions are in each part of it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from simward.policy.load import Document, Policy, listed, read_policies
from simward.registry import objects, revisions
from simward.registry.database import Registry
from simward.registry.tables import DEFAULT_TENANT

COUNTED_FOR_S = 10.0
"""Counting goes through every subscription: so long a count serves everybody."""
COUNTS = ("members", "bound", "locked", "confined", "addressed")


class PolicyInForce:
    """For threads: each asks the registry, and what was read or counted a moment ago is shared."""

    def __init__(self, registry: Registry, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._registry, self._monotonic = registry, monotonic
        self._reading, self._counting = threading.Lock(), threading.Lock()
        self._read: tuple[int, Policy] = (-1, Policy())
        self._counts: list[Any] = []
        self._counted_at: float | None = None

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
        """Name -> COUNTS, by what a row of `objects.counted` is `of`."""
        found: dict[str, Counter[str]] = {}
        for row in self._fresh():
            for name in of(row):
                one = found.setdefault(name, Counter())
                one.update({key: int(getattr(row, key) or 0) for key in COUNTS})
        return {name: {key: one[key] for key in COUNTS} for name, one in found.items()}

    def _fresh(self) -> list[Any]:
        if not self._is_old():
            return self._counts
        # Whoever comes while another counts is given what was counted before, if anything was.
        if not self._counting.acquire(blocking=self._counted_at is None):
            return self._counts
        try:
            if self._is_old():
                with self._registry.reading() as connection:
                    self._counts = list(objects.counted(connection))
                self._counted_at = self._monotonic()
            return self._counts
        finally:
            self._counting.release()

    def _is_old(self) -> bool:
        return self._counted_at is None or self._monotonic() - self._counted_at >= COUNTED_FOR_S


def tenant_of(use_case: Document) -> str:
    """Whose a use case is."""
    return str(use_case.get("tenant") or DEFAULT_TENANT)


def segments_of(use_case: Document) -> list[str]:
    """The segments of a use case, the main one first."""
    return [str(one) for one in listed(use_case.get("segment"))]
