"""A made-up land of cell sites on a grid: where each stands, what it is called, who its neighbours are.

Sites stand 3 km apart in ROWS x COLUMNS. A tracking area is a block of 5 x 5 of them, a site has three sectors, each a
cell. West of the border two networks of one country share the land; east of it is the network of another country. Four
sites out of five are listed in `cells.csv`, since no owner has coordinates of every cell.

Everything takes and gives NumPy arrays (or plain integers): `site` counts row by row, `plmn` is a position in PLMNS.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from simward.identity import CELL_SHIFT, ECGI, Plmn

ROWS, COLUMNS = 30, 200
SITES = ROWS * COLUMNS
SPACING_KM = 3.0
BLOCK = 5
BORDER = 140
"""The first column that lies abroad."""
SOUTH, WEST = 59.0, 10.0
KM_PER_DEGREE = 111.19  # of latitude, on a sphere of 6371 km
KM_PER_DEGREE_EAST = KM_PER_DEGREE * math.cos(math.radians(60.0))

HOME_PLMN, PARTNER_PLMN, FOREIGN_PLMN = "00101", "00102", "99999"
"""Test networks: MCC 001 (ITU-T E.212 Annex: test), MNC 01 and 02; MCC 999 is for internal use, so no partner's."""
NORTHERN_PLMN, EASTERN_PLMN = "24299", "44099"
"""Networks that do not exist (MNC 99) in countries that do, on two continents: only real countries have distances."""
PLMNS = (HOME_PLMN, PARTNER_PLMN, FOREIGN_PLMN)
HOME, PARTNER, FOREIGN = 0, 1, 2
UNLISTED = 500_000
"""Added to an eNodeB's number, it gives one that stands in no table."""
PLMN_NUMBERS = np.array([Plmn.parse(one).number for one in PLMNS], np.int32)


def site_at(row: Any, column: Any) -> Any:
    """The site in this row and column, both held inside the land."""
    return np.clip(row, 0, ROWS - 1).astype(np.int64) * COLUMNS + np.clip(column, 0, COLUMNS - 1).astype(np.int64)


def row_of(site: Any) -> Any:
    """South to north."""
    return site // COLUMNS


def column_of(site: Any) -> Any:
    """West to east."""
    return site % COLUMNS


def area_of(site: Any) -> Any:
    """The tracking area code of a site (16 bits)."""
    return 100 + (row_of(site) // BLOCK) * (COLUMNS // BLOCK) + column_of(site) // BLOCK


def eci_of(site: Any, sector: Any, plmn: Any) -> Any:
    """E-UTRAN Cell Identity: 20 bits of eNodeB, 8 of cell (TS 36.413 9.2.1.38)."""
    return (1000 + site + 20_000 * plmn) << 8 | sector


def site_of(eci: Any) -> Any:
    """The site of an E-UTRAN Cell Identity: the reverse of `eci_of`."""
    return ((eci >> 8) - 1000) % 20_000


def cell_of(site: Any, sector: Any, plmn: Any) -> Any:
    """The cell as events carry it."""
    return (ECGI << CELL_SHIFT) | np.int64(eci_of(site, sector, plmn))


def latitude_of(site: Any) -> Any:
    """Degrees north."""
    return SOUTH + row_of(site) * SPACING_KM / KM_PER_DEGREE


def longitude_of(site: Any) -> Any:
    """Degrees east."""
    return WEST + column_of(site) * SPACING_KM / KM_PER_DEGREE_EAST


def is_listed(site: Any) -> Any:
    """Does `cells.csv` have its coordinates?"""
    return site % 5 != 0


def network_at(site: Any, wanted: Any) -> Any:
    """Position in PLMNS of the network that serves a site to who prefers `wanted` (HOME or PARTNER)."""
    return np.where(column_of(site) >= BORDER, FOREIGN, wanted)


def beside(site: Any, chance: Any) -> Any:
    """A neighbouring site, chosen by `chance` in 0..1; in one quarter of the draws the site itself."""
    turn = (np.asarray(chance) * 8).astype(np.int64)
    north = np.where(turn == 1, 1, 0) - np.where(turn == 2, 1, 0)
    east = np.where((turn == 3) | (turn == 5), 1, 0) - np.where((turn == 4) | (turn == 6), 1, 0)
    return site_at(row_of(site) + north, column_of(site) + east)


def moved_km(site: Any, km: float) -> Any:
    """A site of the same row about `km` away, eastward where there is land, else westward; never beyond its ends."""
    steps, column = max(1, round(km / SPACING_KM)), column_of(np.asarray(site))
    farthest = np.where(column < COLUMNS // 2, COLUMNS - 1, 1)
    west = np.where(column - steps >= 0, column - steps, farthest)
    return site_at(row_of(np.asarray(site)), np.where(column + steps < COLUMNS, column + steps, west))


def listed_cells() -> Iterator[tuple[str, int, str, float, float]]:
    """Every line of `cells.csv`: plmn, tracking area, cell, latitude, longitude."""
    for site in range(SITES):
        if not is_listed(site):
            continue
        networks = (FOREIGN,) if column_of(site) >= BORDER else (HOME, PARTNER)
        for plmn in networks:
            for sector in (1, 2, 3):
                yield (
                    PLMNS[plmn], int(area_of(site)), f"ecgi:{eci_of(site, sector, plmn)}",
                    round(float(latitude_of(site)), 5), round(float(longitude_of(site)), 5),
                )  # fmt: skip
