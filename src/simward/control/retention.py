"""Retention in the registry, as `[registry]` says: looked at each hour, piece by piece while there is something."""

from __future__ import annotations

import logging
from collections import Counter

import sqlalchemy as sa

from simward.logs import called
from simward.registry import keeping
from simward.settings import RegistrySettings

log = logging.getLogger(__name__)

LOOK_EVERY_US = 3600 * 1_000_000


class Retention:
    """Ticks beside the rest of what waits for a time, one kind of rows a tick: none of it may hold up the others."""

    def __init__(self, settings: RegistrySettings) -> None:
        wanted = (
            ("findings", settings.keep_findings_s, keeping.prune_findings),
            ("verdicts", settings.keep_findings_s, keeping.prune_benign),
            ("incidents", settings.keep_incidents_s, keeping.prune_incidents),
            ("commands", settings.keep_commands_s, keeping.prune_commands),
        )
        self._kinds = [(name, keep_s * 1_000_000, prune) for name, keep_s, prune in wanted if keep_s]
        self._left = list(self._kinds)
        self._look_at = 0
        self._removed: Counter[str] = Counter()

    def tick(self, connection: sa.Connection, now: int) -> bool:
        """See Ticking."""
        if not self._left:
            if now < self._look_at:
                return False
            self._left = list(self._kinds)
        if not self._left:
            return False
        name, keep_us, prune = self._left[0]
        removed = prune(connection, now - keep_us)
        self._removed[name] += removed
        if not removed:
            self._left.pop(0)
            self._look_at = now + LOOK_EVERY_US
            if self._removed[name]:
                log.info("%d %s were kept long enough", self._removed[name], name,
                         extra=called("registry-pruned", kind=name, rows=self._removed.pop(name)))
        return bool(self._left)
