"""Rows on their way into the journal: at once when it can be written, kept in order and tried again when it cannot."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

import numpy as np

from simward.engine.journal import Journal, Row
from simward.errors import NotDurableError
from simward.logs import called

log = logging.getLogger(__name__)

RETRY_S = 0.5
PENDING_OCTETS_MAX = 64 * 1024 * 1024
REPEAT_LOG_S = 10.0

OnDurable = Callable[[np.ndarray], None]
"""Called with a row's outputs once they are durable."""


class Recorder:
    """Owns the order of rows. While any row waits, nothing newer goes past it."""

    def __init__(self, journal: Journal, on_durable: OnDurable) -> None:
        self._journal = journal
        self._on_durable = on_durable
        self._pending: deque[tuple[Row, np.ndarray]] = deque()
        self._retry_at = 0.0
        self._log_at = 0.0
        self.pending_octets = 0
        self.since = 0.0
        self.reason = ""
        self.failures = 0

    @property
    def durable(self) -> bool:
        """Is everything that was folded in the journal?"""
        return not self._pending

    @property
    def pending_rows(self) -> int:
        """How many rows wait."""
        return len(self._pending)

    @property
    def has_room(self) -> bool:
        """May another row wait?"""
        return self.pending_octets < PENDING_OCTETS_MAX

    def append(self, row: Row, outputs: np.ndarray, now: float) -> bool:
        """Make `row` durable, or keep it (False) until `retry` can."""
        if self.durable:
            try:
                self._journal.append(row)
            except NotDurableError as error:
                self._fails(error, now)
            else:
                if len(outputs):
                    self._on_durable(outputs)
                return True
        self._pending.append((row, outputs))
        self.pending_octets += _octets(row)
        return False

    def retry(self, now: float) -> bool:
        """Try again what waits, if it is time to; is everything durable now?"""
        if self._pending and now >= self._retry_at:
            self.drain(now)
        return self.durable

    def drain(self, now: float) -> None:
        """Append what waits, in order, until the first failure."""
        while self._pending:
            row, outputs = self._pending[0]
            try:
                self._journal.append(row)
            except NotDurableError as error:
                self._fails(error, now)
                return
            self._pending.popleft()
            self.pending_octets -= _octets(row)
            if len(outputs):
                self._on_durable(outputs)
        log.warning(
            "the journal can be written again, after %.1f s; nothing that was acknowledged is missing",
                    now - self.since,
            extra=called("journal-durable-again"),
        )
        self.since, self.reason = 0.0, ""

    def _fails(self, error: NotDurableError, now: float) -> None:
        self.failures += 1
        self._retry_at = now + RETRY_S
        self.reason = str(error)
        if not self.since:
            self.since, self._log_at = now, 0.0
        if now >= self._log_at:
            self._log_at = now + REPEAT_LOG_S
            log.critical(
                "THE JOURNAL CANNOT BE WRITTEN: %s. Accounting is not acknowledged until it can be.", error,
                extra=called("journal-not-durable"),
            )


def _octets(row: Row) -> int:
    return len(row.inputs) + len(row.outputs) + 256
