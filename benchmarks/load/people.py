"""Records of people as networks keep them, made up: their days and phones, and everything that is wrong in records.

People sleep, work and travel; use has heavy tails; some have two phones and carry their SIM from one to the other.
Half a per cent of the cells have wrong coordinates, one session in five hundred names a cell that it was not in, some
rows are there twice, and a fifth of the contexts that a SIM leaves behind are recorded on, without data. These rates
are chosen, not measured. Planted copies use another device in another town for three days.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

BEGAN_S = 1_767_571_200
"""Monday, 2026-01-05T00:00:00Z."""
DAY_S, HOUR_S, PART_S = 86_400, 3_600, 1_800
TOWNS, CELLS = 12, 1500
WRONG_CELLS, WRONG_ROWS, TWICE, HANGING, TWO_PHONES, UNTOLD = 0.005, 0.002, 0.003, 0.2, 0.03, 0.002
LONGEST_S = 6 * HOUR_S
WEEKDAY = np.array([3, 2, 1.5, 1, 1, 2, 6, 10, 12, 11, 10, 11, 13, 11, 10, 11, 13, 15, 16, 17, 17, 15, 11, 6])
"""Sessions by hour of day, in proportion."""
AWAY_H, BACK_H = 12, 17
"""Who is in another town is so between these hours, and on the way three hours before and after."""


@dataclass(frozen=True)
class Land:
    """Cells in towns, as they are and as the records have them."""

    town: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    by_town: list[np.ndarray]

    @staticmethod
    def made(chance: np.random.Generator) -> Land:
        """Twelve towns within 600 km."""
        at = np.stack([chance.uniform(58.5, 63.5, TOWNS), chance.uniform(5, 16, TOWNS)])
        others = chance.choice(TOWNS, CELLS - TOWNS, p=chance.dirichlet(np.ones(TOWNS)))
        town = np.concatenate([np.arange(TOWNS), others])
        latitude = at[0, town] + chance.normal(0, 0.08, CELLS)
        longitude = at[1, town] + chance.normal(0, 0.16, CELLS)
        wrong = chance.random(CELLS) < WRONG_CELLS
        latitude[wrong], longitude[wrong] = chance.uniform(50, 66, wrong.sum()), chance.uniform(0, 25, wrong.sum())
        return Land(town, latitude, longitude, [np.flatnonzero(town == one) for one in range(TOWNS)])

    def some(self, chance: np.random.Generator, towns: np.ndarray) -> np.ndarray:
        """A cell in each of these towns."""
        counts = np.array([len(one) for one in self.by_town])
        places = (chance.random(len(towns)) * counts[towns]).astype(int)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        return np.asarray(np.concatenate(self.by_town)[starts[towns] + places])


def write(path: Path, people: int, days: int, seed: int, copied: int = 0) -> None:
    """Write a CSV file with a row for each half hour of each session; the first `copied` people have a copy."""
    chance = np.random.default_rng(seed)
    land = Land.made(chance)
    rows = _parts(_sessions(chance, land, people, days, copied), chance)
    rows = {name: column[order] for order in [_order(chance, len(rows["person"]))] for name, column in rows.items()}
    begun = (BEGAN_S + rows["at"]).astype("datetime64[s]")
    ended = (BEGAN_S + rows["at"] + rows["lasted"]).astype("datetime64[s]")
    device = np.char.add("35", np.char.zfill(rows["device"].astype(str), 12)).astype(object)
    device[chance.random(len(device)) < UNTOLD] = ""
    table = pa.table({
        "user_id": np.char.mod("%08x", rows["person"] * 2_654_435_761 % (1 << 32)),
        "start_time": pa.array(np.datetime_as_string(begun)), "end_time": pa.array(np.datetime_as_string(ended)),
        "session_id": rows["session"] % (1 << 24), "cell_id": rows["cell"] + 1,
        "lat": land.latitude[rows["cell"]].round(5), "lon": land.longitude[rows["cell"]].round(5),
        "rat": np.array(["LTE", "UMTS", "NR"])[rows["person"] % 3], "imei": pa.array(device.tolist()),
        "bytes_up": rows["octets"] // 6, "bytes_down": rows["octets"] - rows["octets"] // 6,
    })  # fmt: skip
    pc.write_csv(table, path)


def _order(chance: np.random.Generator, count: int) -> np.ndarray:
    """In no order, and some twice."""
    again = np.flatnonzero(chance.random(count) < TWICE)
    return np.asarray(chance.permutation(np.concatenate([np.arange(count), again])))


def _sessions(
    chance: np.random.Generator, land: Land, people: int, days: int, copied: int
) -> dict[str, np.ndarray]:  # fmt: skip
    """What people do, and what their copies do."""
    home_town = land.town[chance.integers(0, CELLS, people)]
    level, size = chance.lognormal(1.3, 0.7, people), chance.lognormal(15, 1.2, people)
    lives = (chance.random((people, days)) < np.where(chance.random(people) < 0.15, 0.2, 1.0)[:, None])
    busy = level[:, None] * chance.lognormal(0, 0.5, (people, days)) * (chance.pareto(2.5, (people, days)) + 0.6)
    counts = np.minimum(chance.poisson(busy * lives), 300).ravel()
    person = np.repeat(np.arange(people * days) // days, counts)
    day = np.repeat(np.arange(people * days) % days, counts)
    hours = chance.choice(24, len(day), p=WEEKDAY / WEEKDAY.sum())
    at = day * DAY_S + hours * HOUR_S + chance.integers(0, HOUR_S, len(day))
    hour = at % DAY_S / HOUR_S
    weekend = day % 7 >= 5
    travels = (chance.random((people, days)) < 0.03)[person, day]
    there = chance.integers(0, TOWNS, (people, days))[person, day]
    is_away = travels & (hour >= AWAY_H) & (hour < BACK_H)
    town = np.where(is_away, there, home_town[person])
    cell = land.some(chance, town)
    stays = chance.random(len(cell)) < 0.7
    at_work = (hour > 8) & (hour < 16.5) & ~weekend
    for place, when in ((land.some(chance, home_town), ~at_work), (land.some(chance, home_town), at_work)):
        cell = np.where(stays & when & ~is_away, place[person], cell)
    cell = np.where(chance.random(len(cell)) < WRONG_ROWS, chance.integers(0, CELLS, len(cell)), cell)
    second = (chance.random(people) < TWO_PHONES)[person] & (hour > AWAY_H)
    lasted = np.minimum(chance.lognormal(5.5, 1.7, len(at)), LONGEST_S).astype(np.int64) + 1
    has_two = np.isin(person, person[second])
    swap = np.where(hour > AWAY_H, (day + 1) * DAY_S, day * DAY_S + AWAY_H * HOUR_S)
    hangs = has_two & (at + lasted > swap) & (chance.random(len(at)) < HANGING)
    lasted = np.where(has_two, np.minimum(lasted, swap - at), lasted)
    moves = travels & ((hour < AWAY_H) | (hour < BACK_H) & is_away)
    lasted = np.where(moves, np.minimum(lasted, 900), lasted)
    octets = (size[person] * chance.lognormal(0, 1.6, len(at)) * (chance.pareto(1.5, len(at)) + 0.3)).astype(np.int64)
    on_the_way = travels & ((hour >= AWAY_H - 3) & (hour < AWAY_H) | (hour >= BACK_H) & (hour < BACK_H + 3))
    made = {
        "person": person, "at": at, "lasted": lasted, "cell": cell, "device": person * 2 + second, "octets": octets,
        "hangs": hangs, "swap": swap,
    }  # fmt: skip
    made = {name: column[~on_the_way] for name, column in made.items()}
    return _with_copies(chance, land, made, home_town, people, days, copied)


def _with_copies(
    chance: np.random.Generator, land: Land, made: dict[str, np.ndarray], home_town: np.ndarray, people: int, days: int,
    copied: int,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Each copy begins a session of four hours every two hours from eight o'clock on, and so does the original."""
    if not copied:
        return made
    first = chance.integers(days // 2, days - 3, copied)
    grid = np.meshgrid(np.arange(copied), np.arange(3), np.arange(6), indexing="ij")
    who, which, step = (one.ravel() for one in grid)
    at = (first[who] + which) * DAY_S + (8 + 2 * step) * HOUR_S
    far = (home_town[who] + TOWNS // 2) % TOWNS
    for device, town, later in ((2 * people + who, far, 1200), (2 * who, home_town[who], 0)):
        count = len(who)
        own = {
            "person": who, "at": at + later, "lasted": np.full(count, 4 * HOUR_S), "cell": land.some(chance, town),
            "device": device, "octets": np.full(count, 1_000_000), "hangs": np.zeros(count, bool), "swap": at,
        }  # fmt: skip
        made = {name: np.concatenate([column, own[name]]) for name, column in made.items()}
    return made


def _parts(made: dict[str, np.ndarray], chance: np.random.Generator) -> dict[str, np.ndarray]:
    """A row for each half hour; what hangs is recorded for two more, without data."""
    order = np.lexsort((made["at"], made["person"]))
    made = {name: column[order] for name, column in made.items()}
    session = np.cumsum(chance.integers(1, 400, len(order)))
    parts = -(-made["lasted"] // PART_S)
    counts = parts + 2 * made["hangs"]
    which = np.repeat(np.arange(len(parts)), counts)
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    begins = np.minimum(step, parts[which]) * PART_S
    begins = np.where(step < parts[which], begins, made["lasted"][which] + (step - parts[which]) * PART_S)
    ends = np.where(step < parts[which], np.minimum(begins + PART_S, made["lasted"][which]), begins + PART_S)
    return {
        "person": made["person"][which], "at": made["at"][which] + begins, "lasted": ends - begins,
        "cell": made["cell"][which], "device": made["device"][which], "session": session[which],
        "octets": np.where(step < parts[which], made["octets"][which] // parts[which], 0),
    }  # fmt: skip
