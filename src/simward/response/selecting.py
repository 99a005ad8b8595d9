"""Which subscriptions a refit is about: those of a use case, with a label, or near a place, by `inventory.csv`."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from simward.engine.tables import EARTH_RADIUS_M
from simward.errors import ConfigurationError, IdentityError, Problem
from simward.identity import Iccid


@dataclass(frozen=True)
class Selection:
    """All that is given must fit. `label` may hold * and ?; `near` is latitude, longitude (degrees), radius (m)."""

    use_case: str | None = None
    label: str | None = None
    near: tuple[float, float, float] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the inventory that it needs."""
        found = ["iccid"]
        found += ["use_case"] if self.use_case is not None else []
        found += ["label"] if self.label is not None else []
        return (*found, "latitude", "longitude") if self.near is not None else tuple(found)

    def fits(self, line: dict[str, str]) -> bool:
        """Is a line of the inventory one of these?"""
        if self.use_case is not None and (line["use_case"] or "").strip() != self.use_case:
            return False
        if self.label is not None and not fnmatchcase((line["label"] or "").strip(), self.label):
            return False
        return self.near is None or self._is_near(line)

    def _is_near(self, line: dict[str, str]) -> bool:
        assert self.near is not None
        latitude, longitude, radius_m = self.near
        try:
            here = float(line["latitude"]), float(line["longitude"])
        except (TypeError, ValueError):
            return False  # it says nothing of where it is
        return apart_m((latitude, longitude), here) <= radius_m


def apart_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The distance of two places (degrees) on a sphere, m, by the haversine formula."""
    (a, b), (c, d) = (tuple(map(math.radians, place)) for place in (one, other))
    half = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def select(inventory: Path, selection: Selection) -> list[str]:
    """The ICCIDs of the subscriptions that fit, each once, in the order of the file.

    Raises ConfigurationError where the file cannot be read or does not say what is asked for.
    """
    try:
        with inventory.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            lines.fieldnames = [name.strip().lower() for name in lines.fieldnames or ()]
            missing = [name for name in selection.columns if name not in lines.fieldnames]
            if missing:
                what, instead = "no such column", "add it, or select by another one"
                raise ConfigurationError([Problem(str(inventory), 1, one, what, instead) for one in missing])
            found = (line["iccid"] for line in lines if selection.fits(line))
            return list(dict.fromkeys(_parsed(inventory, lines, text) for text in found))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError([Problem(str(inventory), 1, "", f"cannot be read: {error}")]) from None


def _parsed(inventory: Path, lines: csv.DictReader[str], text: str) -> str:
    try:
        return Iccid.parse(text).text
    except IdentityError as error:
        raise ConfigurationError([Problem(str(inventory), lines.line_num, "iccid", str(error))]) from None
