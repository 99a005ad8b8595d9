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

    def holds(self, path: str) -> bool:
        """Is this page in it?"""
        return path == self.path or (self.path != "/" and path.startswith(self.path + "/"))


PLACES = (
    Place("Overview", "/", ("read-status",), "o"),
    Place("Incidents", "/incidents", ("read-incidents",), "i"),
    Place("Subscriptions", "/subscriptions", ("read-subscriptions",), "s"),
)
"""In the order in which they are shown."""
