"""Points of a map gathered into groups: all that lie in one square of a view's grid become one, with their number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

ZOOM_MOST = 24
SQUARE_PIXELS, TILE_PIXELS = 56, 512
"""A square of the grid, and a tile of the map (MapLibre's), in CSS pixels."""
GROUPS_MOST = 2000
LATITUDE_MOST = 85.0511
"""Where the web's Mercator map ends."""


@dataclass(frozen=True)
class View:
    """What is looked at, degrees; `west` may lie below -180 and `east` above 180 where it crosses the date line."""

    west: float
    south: float
    east: float
    north: float
    zoom: float


@dataclass(frozen=True)
class Groups:
    """Groups of points: how many, where their middle is, one of them each (the index), and the largest weight."""

    count: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    one: np.ndarray
    weight: np.ndarray


def gather(latitude: np.ndarray, longitude: np.ndarray, view: View, weight: np.ndarray | None = None) -> Groups:
    """The groups in a view (f8[n] degrees each, i8[n] weights), the largest first, at most GROUPS_MOST."""
    across = _into(longitude, view.west)
    inside = np.flatnonzero((across <= view.east) & (latitude >= view.south) & (latitude <= view.north))
    up, across = latitude[inside], across[inside]
    squares = 2.0**view.zoom * TILE_PIXELS / SQUARE_PIXELS
    column = np.floor((across + 180) / 360 * squares).astype(np.int64)
    row = np.floor(_mercator(up) * squares).astype(np.int64)
    _, first, of, count = np.unique(
        column * (1 << 32) + row, return_index=True, return_inverse=True, return_counts=True
    )  # fmt: skip
    heavy = np.zeros(len(count), np.int64)
    if weight is not None:
        np.maximum.at(heavy, of, weight[inside])
    order = np.argsort(-count, kind="stable")[:GROUPS_MOST]
    return Groups(
        count[order], (np.bincount(of, up, len(count)) / count)[order],
        (np.bincount(of, across, len(count)) / count)[order], inside[first[order]], heavy[order],
    )  # fmt: skip


def _into(longitude: np.ndarray, west: float) -> np.ndarray:
    """The same meridians, counted from the western edge of a view on."""
    return west + np.mod(longitude - west, 360.0)


def _mercator(latitude: np.ndarray) -> np.ndarray:
    """From 0 in the south to 1 in the north, as the map has it (EPSG:3857)."""
    up = np.radians(np.clip(latitude, -LATITUDE_MOST, LATITUDE_MOST))
    return 0.5 + np.log(np.tan(np.pi / 4 + up / 2)) / (2 * np.pi)


def features(groups: Groups, told: list[dict[str, Any]]) -> dict[str, Any]:
    """GeoJSON (RFC 7946) of groups; `told` are the properties of each."""
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": properties,
             "geometry": {"type": "Point", "coordinates": [round(float(across), 5), round(float(up), 5)]}}
            for properties, across, up in zip(told, groups.longitude, groups.latitude, strict=True)
        ],
    }  # fmt: skip
