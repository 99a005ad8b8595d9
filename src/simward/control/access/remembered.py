"""Who showed what a moment ago: found without a thread and a query, and forgotten as soon as it may be another way.

Whatever this process writes to who may come in (it is the only one that writes) makes all of it void before the answer
to that write leaves. What somebody else did to the database by hand holds after LASTS_S.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from simward.registry.database import Registry

LASTS_S = 1.0
MOST = 4096


class Remembered:
    """Rows by what was shown; that itself is not kept."""

    def __init__(self, registry: Registry, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._registry, self._monotonic = registry, monotonic
        self._rows: OrderedDict[bytes, tuple[int, float, Any]] = OrderedDict()

    @property
    def edition(self) -> int:
        """To be asked before the row is read, and said with it: what was written meanwhile makes it void."""
        return self._registry.edition_of_access

    def row(self, shown: bytes) -> Any | None:
        """What was kept, where it still holds."""
        name = hashlib.sha256(shown).digest()
        edition, until, row = self._rows.get(name, (-1, 0.0, None))
        if edition == self.edition and self._monotonic() < until:
            return row
        self._rows.pop(name, None)
        return None

    def keep(self, shown: bytes, row: Any, edition: int) -> None:
        """For a moment; the oldest goes where there are too many."""
        self._rows[hashlib.sha256(shown).digest()] = (edition, self._monotonic() + LASTS_S, row)
        if len(self._rows) > MOST:
            self._rows.popitem(last=False)
