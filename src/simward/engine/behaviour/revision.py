"""A behaviour revision: what a day is settled with, what the fit must remember of earlier days, and what it found."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from simward.engine.behaviour.layouts import (
    CHANNELS,
    COHORTS_MAX,
    KEYS_MAX,
    MATURITIES,
    POOLS_MAX,
    REVISION_ARRAYS,
    SCORE_BINS,
)
from simward.errors import SimwardError

FORMAT = 3
"""Of 1 there are in journals: findings ended at half of the threshold that the day's gates had raised. Up to 2 there
were six channels, and nothing of what is usual of shifts."""
CHANNELS_OF_2 = 6
ANY = -1
TOTAL_BINS, TOTAL_BIN = 1024, 32
"""Bins of what evidence comes to: an eighth of a bit each."""
HISTORY_DAYS = 28
OCTETS_MAX = 256 << 20

Node = tuple[int, int, int, int]
"""A cohort: tenant, use case, model (TAC), radio access, each of them or ANY. (ANY, ANY, ANY, ANY) is the fleet."""
FLEET: Node = (ANY, ANY, ANY, ANY)

MEMORY_ARRAYS = {
    "nodes": ("i8", ("cohorts", 4)),
    # What deviations of each pool were, days fading: the empirical body.
    "deviations": ("f4", ("pools", MATURITIES, CHANNELS, 2 * SCORE_BINS)),
    # How often the total of a subscription rose through each level, and over how many subscription-days.
    "rises": ("f4", ("pools", MATURITIES, TOTAL_BINS)),
    "exposure": ("f4", ("pools", MATURITIES)),
    # Shifts of the last days, newest last, Q10; NO_SHIFT where there is none, in any channel or in this one.
    "history": ("i4", ("cohorts", HISTORY_DAYS, CHANNELS)),
    "pool_nodes": ("i8", ("pools", 4)),
}
"""What the fit of the next day needs of this one: array -> dtype and shape."""
NO_SHIFT = -(1 << 30)


class RevisionUnreadable(SimwardError):
    """Octets that are no behaviour revision, or one of another format."""


@dataclass(frozen=True)
class Budget:
    """How many statistical findings the owner wants at most.

    `a_day`: findings a day for the whole fleet, of which thresholds are derived. `hard_cap`: no more than so many
    subscription findings begin on a day, whatever happens (None = off); what is beyond it is told as one.
    `false_share`: the second gate: of a day's findings at most this share may be expected to be false (1 = it acts only
    on a day whose findings are fewer than chance alone would bring). `benign`: cohorts that are widened, in whole bits.
    """

    a_day: float
    hard_cap: int | None = None
    false_share: float = 1.0
    benign: Mapping[Node, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CohortFinding:
    """A shift that a whole cohort has in common, or a part of it that is too many for chance.

    Amounts are log2(1 + v) in 1/1024. `expected_q` is what earlier days made likely, `chance_q` how far off that it is
    usually; `members` were heard on the day, `share` of them is concerned (1 = all).
    """

    node: Node
    channel: int
    side: int
    since: int
    day: int
    members: int
    share: float
    shift_q: int
    expected_q: int
    chance_q: int
    kind: str  # "shift" or "part"


@dataclass(frozen=True)
class Revision:
    """One day's fit. `arrays` are what the fold is given, `memory` what the next fit is."""

    day: int
    arrays: Mapping[str, np.ndarray]
    memory: Mapping[str, np.ndarray]
    findings: tuple[CohortFinding, ...]
    ended: tuple[CohortFinding, ...]
    figures: Mapping[str, float]

    def octets(self) -> bytes:
        """As it is journalled: a compressed npz, the document among its arrays."""
        document = {
            "format": FORMAT, "day": self.day, "figures": dict(self.figures),
            "findings": [asdict(one) for one in self.findings], "ended": [asdict(one) for one in self.ended],
        }  # fmt: skip
        written = io.BytesIO()
        text = np.frombuffer(json.dumps(document).encode(), np.uint8)
        np.savez_compressed(written, allow_pickle=False, document=text, **self.arrays, **self.memory)
        return written.getvalue()

    @classmethod
    def read(cls, octets: bytes) -> Revision:
        """The inverse; RevisionUnreadable where they are no revision of this format."""
        try:
            with zipfile.ZipFile(io.BytesIO(octets)) as file:
                if sum(one.file_size for one in file.infolist()) > OCTETS_MAX:
                    raise RevisionUnreadable(f"a behaviour revision of more than {OCTETS_MAX} octets")
            with np.load(io.BytesIO(octets), allow_pickle=False) as loaded:
                found = {name: loaded[name] for name in loaded.files}
            document = json.loads(found["document"].tobytes())
            if document["format"] not in range(1, FORMAT + 1):
                raise RevisionUnreadable(f"a behaviour revision of format {document['format']}, not {FORMAT}")
            if document["format"] == 1:
                found["keeps"] = found["thresholds"]
            if document["format"] <= 2:
                found["usual_shifts"] = found["shifts"]
                _add_channels(found)
            return cls(
                int(document["day"]), _checked(found, REVISION_ARRAYS), _checked(found, MEMORY_ARRAYS),
                tuple(_finding(one) for one in document["findings"]),
                tuple(_finding(one) for one in document["ended"]), document["figures"],
            )  # fmt: skip
        except (KeyError, ValueError, TypeError, OSError, zipfile.BadZipFile) as error:
            raise RevisionUnreadable(f"octets that are no behaviour revision: {error}") from error


def _add_channels(found: dict[str, np.ndarray]) -> None:
    """Nothing is known of channels that there were not yet: what is measured in them begins with the next fit."""
    for name, wanted in {**REVISION_ARRAYS, **MEMORY_ARRAYS}.items():
        if CHANNELS in wanted[1]:
            axis = wanted[1].index(CHANNELS)
            there = found[name]
            if there.ndim != len(wanted[1]) or there.shape[axis] != CHANNELS_OF_2:
                raise ValueError(f"{name} has {there.shape}")
            shape = list(there.shape)
            shape[axis] = CHANNELS - CHANNELS_OF_2
            empty = np.full(shape, NO_SHIFT if name == "history" else 0, there.dtype)
            found[name] = np.concatenate([there, empty], axis=axis)
    muted = found["muted"]
    of_side = (1 << CHANNELS_OF_2) - 1
    found["muted"] = (muted & of_side) | ((muted >> CHANNELS_OF_2) & of_side) << CHANNELS


def _finding(said: dict[str, Any]) -> CohortFinding:
    tenant, use_case, tac, rat = said.pop("node")
    return CohortFinding(node=(tenant, use_case, tac, rat), **said)


def _checked(found: Mapping[str, np.ndarray], wanted: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays by name, each with the dtype and shape that the fold relies on: it reads them unchecked."""
    sizes = {"keys": KEYS_MAX, "cohorts": COHORTS_MAX, "pools": POOLS_MAX}
    told: dict[str, int] = {}
    checked = {}
    for name, (dtype, shape) in wanted.items():
        array = np.ascontiguousarray(found[name])
        if array.dtype != np.dtype(dtype) or array.ndim != len(shape):
            raise ValueError(f"{name} is {array.dtype} of {array.ndim} dimensions")
        for length, size in zip(array.shape, shape):
            if isinstance(size, str):
                if length > sizes[size] or told.setdefault(size, length) != length:
                    raise ValueError(f"{name} has {length} {size}")
            elif length != size:
                raise ValueError(f"{name} has {array.shape}")
        checked[name] = array
    for name, most in (("cohorts", "cohorts"), ("pools", "pools")):
        if name in checked and len(checked[name]) and int(checked[name].max()) >= told.get(most, 0):
            raise ValueError(f"{name} points nowhere")
    return checked
