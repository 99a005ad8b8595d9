"""Where things are: subscriptions by inventory and deployments, cells by the policy, incidents by subscriptions."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from simward.control.console.gathering import View, features, gather
from simward.control.console.sources import Sources
from simward.engine.tables import EARTH_RADIUS_M, PolicyTables
from simward.errors import IdentityError
from simward.identity import Imsi
from simward.registry import tables as t
from simward.registry.incidents import UNRESOLVED

KEPT_US = 5_000_000
"""How old what is shown may be."""
TENANTS_MOST = 32
"""For so many at once it is kept."""
INCIDENTS_MOST = 20_000
WEIGHTS = {"info": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
SEVERITIES = {weight: name for name, weight in WEIGHTS.items()}


@dataclass(frozen=True)
class Sites:
    """Subscriptions with a place: IMSIs (i8, sorted), latitudes and longitudes (f8, degrees)."""

    imsi: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray

    @staticmethod
    def of(places: dict[int, tuple[float, float]]) -> Sites:
        """From degrees by IMSI."""
        imsi = np.fromiter(places, np.int64, len(places))
        degrees = np.array(list(places.values()), np.float64).reshape(-1, 2)
        order = np.argsort(imsi)
        return Sites(imsi[order], degrees[order, 0], degrees[order, 1])

    def find(self, imsis: np.ndarray) -> np.ndarray:
        """The index of each (i8); -1 where it has no place."""
        if not len(self.imsi):
            return np.full(len(imsis), -1)
        at = np.minimum(np.searchsorted(self.imsi, imsis), len(self.imsi) - 1)
        return np.where(self.imsi[at] == imsis, at, -1)


@dataclass(frozen=True)
class Placed:
    """All that somebody may see on the map, as of a moment."""

    at: int
    sites: Sites
    cells: tuple[np.ndarray, np.ndarray]
    """Latitudes, longitudes."""
    open: Sequence[Any]
    """Unresolved incidents, once for each subscription with a place: number, title, severity, imsi, iccid."""
    where: np.ndarray
    """The site of each."""

    def counts(self) -> dict[str, int]:
        """How many there are."""
        incidents = len({row.number for row in self.open})
        return {"sites": len(self.sites.imsi), "cells": len(self.cells[0]), "incidents": incidents}

    def bounds(self) -> list[float] | None:
        """West, south, east, north of all; None where there is nothing."""
        up = np.concatenate([self.sites.latitude, self.cells[0]])
        across = np.concatenate([self.sites.longitude, self.cells[1]])
        return [float(across.min()), float(up.min()), float(across.max()), float(up.max())] if len(up) else None

    def incidents(self) -> list[dict[str, Any]]:
        """The list, the newest first."""
        return [
            {"number": row.number, "title": row.title, "severity": row.severity, "imsi": row.imsi, "iccid": row.iccid,
             "latitude": float(self.sites.latitude[at]), "longitude": float(self.sites.longitude[at])}
            for row, at in zip(self.open, self.where, strict=True)
        ]  # fmt: skip

    def sites_in(self, view: View) -> dict[str, Any]:
        """GeoJSON of the sites."""
        found = gather(self.sites.latitude, self.sites.longitude, view)
        return features(found, [
            {"count": int(count), **({"imsi": Imsi(int(self.sites.imsi[one])).text} if count == 1 else {})}
            for count, one in zip(found.count, found.one, strict=True)
        ])  # fmt: skip

    def cells_in(self, view: View) -> dict[str, Any]:
        """GeoJSON of the cells."""
        found = gather(*self.cells, view)
        return features(found, [{"count": int(count)} for count in found.count])

    def incidents_in(self, view: View) -> dict[str, Any]:
        """GeoJSON of the incidents, with the worst severity of each group."""
        weights = np.array([WEIGHTS.get(row.severity, 1) for row in self.open], np.int64)
        found = gather(self.sites.latitude[self.where], self.sites.longitude[self.where], view, weights)
        return features(found, [
            {"count": int(count), "severity": SEVERITIES[int(weight)], "number": int(self.open[one].number),
             "title": self.open[one].title}
            for count, one, weight in zip(found.count, found.one, found.weight, strict=True)
        ])  # fmt: skip


class Places:
    """Reads them, and keeps what was read: the inventory until its file changes, the rest for seconds."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._lock = threading.Lock()
        self._file: tuple[tuple[int, int], dict[int, tuple[float, float]]] = ((0, 0), {})
        self._cells: tuple[int, tuple[np.ndarray, np.ndarray]] = (-1, (np.zeros(0), np.zeros(0)))
        self._kept: dict[str | None, Placed] = {}

    def of(self, tenant: str | None) -> Placed:
        """What a tenant (None: who may see all) may see. Raises RegistryError."""
        with self._lock:
            now, known = self._sources.now(), self._kept.get(tenant)
            if known is not None and 0 <= now - known.at < KEPT_US:
                return known
            if len(self._kept) >= TENANTS_MOST:
                self._kept.clear()
            self._kept[tenant] = made = self._read(tenant, now)
            return made

    def _read(self, tenant: str | None, now: int) -> Placed:
        places = dict(self._declared())
        with self._sources.registry.reading() as connection:
            places.update(_installed(connection))
            sites = Sites.of(places)
            if tenant is not None:
                sites = _of_tenant(connection, sites, tenant)
            rows = _open(connection, tenant)
        at = sites.find(_numbers(row.imsi for row in rows))
        has = np.flatnonzero(at >= 0)
        return Placed(now, sites, self._cells_in_force(), [rows[int(one)] for one in has], at[has])

    def _declared(self) -> dict[int, tuple[float, float]]:
        path = self._sources.settings.inventory_path
        try:
            found = path.stat()
        except OSError:
            return {}
        stamp = (found.st_mtime_ns, found.st_size)
        if stamp != self._file[0]:
            self._file = (stamp, _of_inventory(path))
        return self._file[1]

    def _cells_in_force(self) -> tuple[np.ndarray, np.ndarray]:
        newest = self._sources.policy()
        if newest is not None and newest[0] != self._cells[0]:
            cells = PolicyTables.from_bytes(newest[1]).cells
            up = np.degrees(np.arcsin(np.clip(cells["z"] / EARTH_RADIUS_M, -1, 1)))
            self._cells = (newest[0], (up, np.degrees(np.arctan2(cells["y"], cells["x"]))))
        return self._cells[1]


def _of_inventory(path: Path) -> dict[int, tuple[float, float]]:
    """Degrees by IMSI. Lines that cannot be read are left out: `simward plan` says what is wrong with them."""
    places = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            names = [name.strip().lower() for name in next(lines, ())]
            if not {"imsi", "latitude", "longitude"} <= set(names):
                return {}
            columns = [names.index(name) for name in ("imsi", "latitude", "longitude")]
            for line in lines:
                try:
                    imsi, up, across = (line[column] for column in columns)
                    places[Imsi.parse(imsi).number] = (float(up), float(across))
                except (ValueError, IndexError, IdentityError):
                    continue
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}
    return places


def _installed(connection: sa.Connection) -> dict[int, tuple[float, float]]:
    d = t.deployment.c
    found = sa.select(d.lines, d.latitude, d.longitude).where(d.live, d.latitude.is_not(None))
    return {
        Imsi.parse(line["imsi"]).number: (row.latitude, row.longitude)
        for row in connection.execute(found) for line in row.lines
    }  # fmt: skip


def _of_tenant(connection: sa.Connection, sites: Sites, tenant: str) -> Sites:
    mine = sa.select(t.subscription.c.imsi).where(t.subscription.c.tenant == tenant)
    known = _numbers(connection.execute(mine).scalars())
    kept = np.isin(sites.imsi, known)
    return Sites(sites.imsi[kept], sites.latitude[kept], sites.longitude[kept])


def _numbers(imsis: Iterable[str]) -> np.ndarray:
    return np.array([Imsi.parse(one).number for one in imsis], np.int64)


def _open(connection: sa.Connection, tenant: str | None) -> Sequence[Any]:
    """Each subscription that a finding of an unresolved incident is about, once an incident; the newest first."""
    i, f = t.incident.c, t.finding.c
    found = sa.select(i.number, i.title, i.severity, f.imsi, f.iccid).join_from(
        t.incident, t.finding, f.incident == i.number
    ).where(i.state.in_(UNRESOLVED), f.imsi.is_not(None)).distinct()  # fmt: skip
    found = found if tenant is None else found.where(i.tenant == tenant)
    return connection.execute(found.order_by(i.number.desc(), f.imsi).limit(INCIDENTS_MOST)).all()
