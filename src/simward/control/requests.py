"""What is counted of requests: by method, route and status, how long until they are answered, who was not let in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from simward.observing.exposition import Histogram, Labels

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.3, 0.6, 1.0, 2.5, 10.0)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NO_ROUTE = "none"


class Requests:
    """Both listeners count here, in the event loop. Routes are templates, so that what is kept has a bound."""

    def __init__(self) -> None:
        self.counted: Counter[Labels] = Counter()
        """(method, route, status) -> how many were answered."""
        self.seconds: dict[Labels, Histogram] = {}
        """(method, route) -> until the answer began."""
        self.now = 0
        """Being served."""
        self.busy = 0
        """Turned away because too many were being served."""
        self.wrong_tokens = 0
        """Showed a token that nobody knows."""

    def note(self, scope: Mapping[str, Any], status: int, seconds: float) -> None:
        """One request was answered."""
        method = scope["method"] if scope["method"] in METHODS else "other"
        path = getattr(scope.get("route"), "path", NO_ROUTE)
        self.counted[method, path, str(status)] += 1
        of = self.seconds.get((method, path))
        if of is None:
            of = self.seconds[method, path] = Histogram(BOUNDS_S)
        of.add(seconds)
