"""Makes history beside the watch: a thread of its own, since a segment takes half a minute and findings cannot wait."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

from simward.errors import SimwardError
from simward.history.keeping import Keeping, Kept
from simward.logs import called

log = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0
BACKOFF_S, BACKOFF_MAX_S = 30.0, 3600.0


def due(keeping: Keeping) -> Iterator[Kept]:
    """Do what is due, one step after the other, until nothing is."""
    while (kept := keeping.step(time.time_ns() // 1000)) is not None:
        yield kept


class Archiving:
    """Steps of `Keeping` now and then. A segment that cannot be archived stays where it is, and is tried again."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self._told = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self.archived = self.removed = self.failed = 0
        self.trouble = ""
        """Why the last attempt failed; empty while history is made."""
        self._thread.start()

    def close(self, within_s: float = 5.0) -> None:
        """Stop after the step at hand; one that takes longer is done again by the next process."""
        self._told.set()
        self._thread.join(within_s)

    def _run(self) -> None:
        backoff_s, explained = BACKOFF_S, False
        while not self._told.is_set():
            try:
                for kept in due(self._keeping):
                    self._count(kept)
                    if self._told.is_set():
                        return
                backoff_s, wait_s, self.trouble = BACKOFF_S, LOOK_EVERY_S, ""
            # A thread that ends says so nowhere, and the journal would fill the disk: nothing may end this one.
            except Exception as error:
                said = isinstance(error, (SimwardError, OSError))
                self.failed, self.trouble = self.failed + 1, str(error) if said else f"{type(error).__name__}: {error}"
                log.error(
                    "the journal cannot be made history (%s); trying again in %.0f s", self.trouble, backoff_s,
                    exc_info=not said and not explained,
                    extra=called("history-failed"),
                )  # fmt: skip
                explained |= not said
                wait_s, backoff_s = backoff_s, min(2 * backoff_s, BACKOFF_MAX_S)
            self._told.wait(wait_s)

    def _count(self, kept: Kept) -> None:
        log.info("%s", kept, extra=called("history-kept"))
        self.archived += kept.archived is not None
        self.removed += kept.removed is not None
