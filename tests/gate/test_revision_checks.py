"""Pieces of a revision that were damaged or made up are refused in words, or harmless to compiled code."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simward.engine import events
from simward.engine.apply import Revision
from simward.engine.fold import Fold
from simward.engine.leaving import REMOVALS_MAX
from simward.engine.tables import CELL, DECLARED, MODEL, POLICY_ARRAYS, InventoryDelta, PolicyTables
from simward.errors import UsageError
from simward.gate.revisions import read_piece
from simward.policy.compile import Beside, compile_policy
from simward.policy.load import read_policies
from simward.settings import GateSettings, Settings

IMSI = 1_001010000000001
ROUNDS = 250
POLICY = """
use_case: meter
segment: metering
binding: {pool: modems}
mobility: {area: north}
networks: {plmn: ["00101", "00102"], rat: [nb-iot]}
responses: {device-change: lock}
release_when: bound-device-returns
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/24
quarantine_pool: 10.65.0.0/29
---
area: north
circle: {latitude: 59.9, longitude: 10.7, radius: 30 km}
---
pool: modems
tac: ["35000000-35000099"]
"""


def policy() -> PolicyTables:
    """Every table has rows."""
    settings = Settings(Path("/nowhere"), GateSettings())
    return compile_policy(read_policies({"a.yaml": POLICY}), settings, Beside(np.ones(3, CELL), np.ones(2, MODEL)))


def inventory(count: int = 5) -> InventoryDelta:
    lines = np.zeros(count, DECLARED)
    lines["imsi"], lines["iccid"] = IMSI + np.arange(count), 1_00_1000000000000001 + np.arange(count)
    return InventoryDelta(lines, np.array([IMSI + 77]), ["meter"])


def read(folder: Path, octets: bytes, kind: str) -> Revision:
    path = folder / f"000000-{kind}.bin"
    path.write_bytes(octets)
    return read_piece(path)


def use(piece: Revision) -> None:
    """Fold the piece, and then what would look everything up."""
    fold = Fold.new()
    fold.policy(policy(), 1)
    fold.inventory(inventory(), 1)
    if isinstance(piece, PolicyTables):
        fold.policy(piece, 2)
        fold.inventory(inventory(), 3)
    else:
        fold.inventory(piece, 2)
    batch = events.empty(20)
    batch["kind"] = 1 + np.arange(20) % 4
    batch["imsi"], batch["imei"], batch["plmn"], batch["rat"] = IMSI + np.arange(20) % 6, 35000000000001, 100101, 8
    batch["cell"], batch["area"], batch["request"], batch["received_at"] = 4 << 56 | 1, 7, 1 + np.arange(20), 5
    assert fold.events(batch).consumed == 20


def pieces() -> list[tuple[str, Revision]]:
    return [("policy", policy()), ("inventory", inventory())]


@pytest.mark.parametrize(("kind", "piece"), pieces())
def test_a_right_piece_is_taken(tmp_path: Path, kind: str, piece: Revision) -> None:
    use(read(tmp_path, piece.to_bytes(), kind))


def test_the_largest_pool_that_policy_takes_is_taken(tmp_path: Path) -> None:
    large = POLICY.replace("pool: 10.64.0.0/24", "pool6: 2001:db8::/32").replace("quarantine_pool: 10.65.0.0/29\n", "")
    made = compile_policy(read_policies({"a.yaml": large}), Settings(Path("/nowhere"), GateSettings()))
    assert int(made.segments["pool_last"][1]) > 1 << 31
    use(read(tmp_path, made.to_bytes(), "policy"))


@pytest.mark.parametrize(("kind", "piece"), pieces())
def test_damaged_octets_are_refused_or_harmless(tmp_path: Path, kind: str, piece: Revision) -> None:
    chance, whole, refused = random.Random(10), piece.to_bytes(), 0
    for _ in range(ROUNDS):
        octets = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        if chance.random() < 0.2:
            del octets[chance.randrange(len(octets)) :]
        try:
            made = read(tmp_path, bytes(octets), kind)
        except UsageError:
            refused += 1
            continue
        use(made)
    assert refused > ROUNDS // 10


def columns(array: np.ndarray) -> list[np.ndarray]:
    """Views of every column of whole numbers, also of records in records."""
    if array.dtype.names is None:
        return [array]
    return [one for name in array.dtype.names for one in columns(array[name])]


def test_numbers_that_point_nowhere_are_refused_or_harmless(tmp_path: Path) -> None:
    chance, refused = random.Random(11), 0
    for number in range(ROUNDS):
        one: Any = policy() if number % 2 else inventory()
        arrays = [getattr(one, name) for name in POLICY_ARRAYS] if number % 2 else [one.upserts, one.removals]
        array = chance.choice([array for array in arrays if array.size])
        column = chance.choice(columns(array))
        info = np.iinfo(column.dtype)
        column[...] = chance.choice([info.max, info.min, info.max - 1, 1, 2, 255 & info.max, 70_000 & info.max])
        try:
            made = read(tmp_path, one.to_bytes(), "policy" if number % 2 else "inventory")
        except UsageError:
            refused += 1
            continue
        use(made)
    assert refused > ROUNDS // 10


def changed(**columns: Any) -> PolicyTables:
    made = policy()
    for name, value in columns.items():
        made.use_cases[name][1] = value
    return made


def lines(**columns: Any) -> InventoryDelta:
    made = inventory()
    for name, value in columns.items():
        made.upserts[name][3] = value
    return made


@pytest.mark.parametrize(
    ("piece", "said"),
    [
        (changed(segment=2), "segment: a number that is not below 2"),
        (changed(other_segments=-1), "other_segments"),
        (changed(tenant=9), "tenant"),
        (changed(pool_from=1), "pool_from and pool_count"),
        (changed(binding_mode=5), "binding_mode"),
        (replace(policy(), responses=policy().responses[:, :3]), "responses: 3 columns for"),
        (replace(policy(), responses=policy().responses[:1]), "responses: 1 rows for 2 use cases"),
        (replace(policy(), responses=policy().responses + np.uint8(6)), "responses: a number"),
        (replace(policy(), segments=policy().segments[:1]), "segments: 1 rows for 2 names"),
        (replace(policy(), knobs=np.zeros(2, [("a", "f8")])), "knobs: not the columns of whole numbers"),
        (replace(policy(), cells=np.zeros((2, 2), CELL)), "cells: 2 dimensions"),
        (replace(policy(), countries=policy().countries[:7]), "countries"),
        (lines(use_case=1), "use_case: a number that is not below 1"),
        (lines(use_case=-1), "use_case"),
        (lines(state=4), "state"),
        (lines(imsi=0), "imsi: a number that is no identity"),
        (lines(imei=-5), "imei"),
        (replace(inventory(), removals=np.zeros(3, np.int32)), "removals: not IMSIs"),
        (replace(inventory(), removals=IMSI + np.arange(REMOVALS_MAX + 1)), f"more than {REMOVALS_MAX}"),
        (replace(inventory(), removals=np.array([IMSI, IMSI + 1, IMSI])), "removals: the same IMSI twice"),
        (lines(imsi=IMSI + 1), "upserts: the same IMSI twice"),
        (replace(inventory(), upserts=np.zeros(3, [("imsi", "i8")])), "upserts: not lines of an inventory"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, piece: Revision, said: str) -> None:
    kind = "policy" if isinstance(piece, PolicyTables) else "inventory"
    with pytest.raises(UsageError, match=said):
        read(tmp_path, piece.to_bytes(), kind)
