"""Where one can go: the places of the navigation, each with what it takes to see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One entry of the navigation; shown to whoever has any of `permissions`."""

    label: str
    path: str
    permissions: tuple[str, ...]
    key: str = ""
    """Pressed after `g`, it goes there."""

    also: tuple[str, ...] = ()
    """Other paths that are of this place."""

    def holds(self, path: str) -> bool:
        """Is this page in it?"""
        return any(path == one or (one != "/" and path.startswith(one + "/")) for one in (self.path, *self.also))


PLACES = (
    Place("Overview", "/", ("read-status",), "o"),
    Place("Incidents", "/incidents", ("read-incidents",), "i"),
    Place("Subscriptions", "/subscriptions", ("read-subscriptions",), "s"),
    Place("Findings", "/findings", ("read-findings",), "f"),
    Place("Map", "/map", ("read-subscriptions",), "m"),
    Place("Install", "/install", ("deploy",), "l"),
    Place("Use cases", "/use-cases", ("read-subscriptions",), "u", ("/proposals", "/revisions", "/policy")),
    Place("Rules", "/rules", ("read-rules",), "r"),
    Place("Work orders", "/work-orders", ("read-work-orders",), "w"),
    Place("Endpoints", "/endpoints", ("read-endpoints",), "e"),
    Place("Gateways", "/gateways", ("read-gateways",), "n"),
    Place("Audit", "/audit", ("read-audit",), "a"),
    Place("First run", "/first-run", ("apply-policy",)),
    Place("Access", "/access", ("manage-accounts",), "c"),
)
"""In the order in which they are shown."""
