"""Where cells, areas and countries are: `cells.csv`, the areas of a policy, and the table of countries, as arrays.

A point is kept as whole metres from the centre of the earth (engine/tables.py CELL): distances are then sums of squares
of integers, the same on every machine.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from simward.engine.tables import AREA_KIND, CELL, COUNTRIES, COUNTRY, EARTH_RADIUS_M
from simward.errors import ConfigurationError, IdentityError, Problem, nearest
from simward.identity import CELL_SHIFT, CGI, ECGI, NCGI, Cell, Plmn

COLUMNS = ("plmn", "tracking_area", "cell", "latitude", "longitude")
PROBLEMS_MAX = 100
"""More than that are one mistake, made in every line."""


def points(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """i8[n, 3]: the point of each pair of degrees (WGS 84, taken for a sphere: wrong by at most 0.4 %)."""
    across, up = np.radians(longitude), np.radians(latitude)
    flat = np.cos(up)
    whole = np.stack([flat * np.cos(across), flat * np.sin(across), np.sin(up)], axis=-1)
    return np.rint(whole * EARTH_RADIUS_M).astype(np.int64)


@dataclass(frozen=True)
class _Line:
    """One line of cells.csv: the keys (kind << 56 | value) that it places, and where."""

    keys: tuple[int, ...]
    plmn: int
    latitude: float
    longitude: float


def read_cells(path: Path) -> np.ndarray:
    """CELL rows of the table of cells, sorted; none where there is no file. ConfigurationError with every problem."""
    if not path.exists():
        return np.zeros(0, CELL)
    problems: list[Problem] = []
    seen: dict[tuple[int, int], int] = {}
    keys: list[int] = []
    plmns: list[int] = []
    places: list[tuple[float, float]] = []
    for number, line in _lines(path, COLUMNS, ("plmn", "latitude", "longitude"), problems):
        found = _read_line(path, number, line, problems)
        if found is None:
            if len(problems) >= PROBLEMS_MAX:
                break
            continue
        for position, key in enumerate(found.keys):
            first = seen.setdefault((found.plmn, key), number)
            if first == number:
                keys.append(key)
                plmns.append(found.plmn)
                places.append((found.latitude, found.longitude))
            elif position == 0:
                problems.append(Problem(str(path), number, "cell", f"this cell stands in line {first} already"))
    if problems:
        raise ConfigurationError(problems)
    cells = np.zeros(len(keys), CELL)
    cells["cell"], cells["plmn"] = keys, plmns
    if places:
        degrees = np.array(places, np.float64)
        cells["x"], cells["y"], cells["z"] = points(degrees[:, 0], degrees[:, 1]).T
    return np.sort(cells, order=["plmn", "cell"])


def _lines(
    path: Path, columns: tuple[str, ...], needed: tuple[str, ...], problems: list[Problem]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of a CSV file by column, numbered as an editor numbers them; a wrong header is all that is said."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = [name.strip().lower() for name in next(reader, [])]
            wrong = list(_wrong_header(path, header, columns, needed))
            if wrong:
                problems.extend(wrong)
                return
            for row in reader:
                if not row or (row[0].lstrip().startswith("#") and len(row) == 1):
                    continue
                if len(row) != len(header):
                    what = f"has {len(row)} columns, the header {len(header)}"
                    problems.append(Problem(str(path), reader.line_num, "", what))
                    continue
                yield reader.line_num, dict(zip(header, (one.strip() for one in row), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(Problem(str(path), 1, "", f"cannot be read: {error}"))


read_lines = _lines
"""The same for other tables that stand beside the policies."""


def _wrong_header(
    path: Path, header: list[str], columns: tuple[str, ...], needed: tuple[str, ...]
) -> Iterator[Problem]:
    for name in header:
        if name not in columns:
            yield Problem(str(path), 1, name, "unknown column", nearest(name, columns))
    for name in needed:
        if name not in header:
            yield Problem(str(path), 1, name, "the column is missing", f"header: {','.join(columns)}")


def _read_line(path: Path, number: int, line: dict[str, str], problems: list[Problem]) -> _Line | None:
    before = len(problems)

    def wrong(column: str, what: str, instead: str = "") -> None:
        problems.append(Problem(str(path), number, column, what, instead))

    plmn = 0
    try:
        plmn = Plmn.parse(line["plmn"]).number
    except IdentityError as error:
        wrong("plmn", str(error))
    degrees = {}
    for column, limit in (("latitude", 90), ("longitude", 180)):
        text = line[column]
        if not re.fullmatch(r"[+-]?\d{1,3}(\.\d+)?", text) or abs(float(text)) > limit:
            wrong(column, f"{text!r} is not an angle", f"degrees from -{limit} to {limit}, like 59.91")
        else:
            degrees[column] = float(text)
    area, keys = line.get("tracking_area", ""), []
    if area and not (area.isdigit() and int(area) < 1 << 24):
        wrong("tracking_area", f"{area!r} is not a TAC or LAC", "a number below 16777216")
    else:
        try:
            keys = list(_keys(line.get("cell", ""), int(area) if area else -1))
        except IdentityError as error:
            wrong("cell", str(error))
    if not keys and len(problems) == before:
        wrong("cell", "neither cell nor tracking_area is given", "one of them, or both")
    if len(problems) > before:
        return None
    return _Line(tuple(keys), plmn, degrees["latitude"], degrees["longitude"])


def _keys(cell: str, area: int) -> Iterator[int]:
    """What a line places: a cell under every identity that its number can be, or else the whole area."""
    if not cell:
        if area >= 0:
            yield AREA_KIND << CELL_SHIFT | area
        return
    if not cell.isdigit():
        yield Cell.parse(cell).number
        return
    number = int(cell)
    if number >= 1 << 36:
        raise IdentityError(f"{cell} is larger than any cell identity (36 bits, TS 38.413 9.3.1.7)")
    if number < 1 << 28:
        yield ECGI << CELL_SHIFT | number
    yield NCGI << CELL_SHIFT | number
    if number < 1 << 16 and 0 <= area < 1 << 16:
        yield CGI << CELL_SHIFT | area << 16 | number


@cache
def countries() -> np.ndarray:
    """COUNTRY rows by mobile country code, from countries.csv beside this module."""
    table = np.zeros(COUNTRIES, COUNTRY)
    with (Path(__file__).parent / "countries.csv").open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            place = points(np.array([float(line["latitude"])]), np.array([float(line["longitude"])]))[0]
            table[int(line["mcc"])] = (*place.tolist(), int(line["radius_km"]) * 1000)
    return table
