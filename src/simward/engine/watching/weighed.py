"""The evidence of findings of behaviour: the channels that weigh most, beside the device's own range and its peers'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from simward.engine.behaviour.layouts import CENTRE_OFFSET, cohort_key
from simward.engine.behaviour.scoring import maturity_of
from simward.engine.outputs import FINDING_ENDED
from simward.engine.weighing import TOLD, Weight, around, put_weights

if TYPE_CHECKING:
    from simward.engine.behaviour.revision import Revision

ACQUAINTED_DAYS = 14
"""So many days it takes until each day of the week is known twice."""
LOWER_BIT, CHANNEL_BITS = 128, 127


def put_evidence(outputs: np.ndarray, rows: np.ndarray, use_cases: np.ndarray, revision: Revision) -> None:
    """Write into outputs about subscriptions what their rows of BEHAVIOUR say after the day was settled."""
    for place in np.flatnonzero(outputs["kind"] != FINDING_ENDED).tolist():
        output = outputs[place]
        at = int(output["row"])
        cohort = cohort_at(revision.arrays, rows[at], int(use_cases[at]))
        put_weights(output, weights(rows[at], revision.arrays, cohort), revision.day, new_hours(rows[at]))
        output["expected"] = threshold(rows[at], revision.arrays, cohort)


def cohort_at(arrays: Mapping[str, np.ndarray], row: Any, use_case: int) -> int:
    """The cohort of a row of BEHAVIOUR; 0, the fleet, where its key is not among those of the revision."""
    keys = arrays["keys"]
    key = cohort_key(use_case, int(row["tac"]), int(row["rat"]))
    place = int(np.searchsorted(keys, key))
    return int(arrays["cohorts"][place]) if place < len(keys) and int(keys[place]) == key else 0


def weights(row: Any, arrays: Mapping[str, np.ndarray], cohort: int) -> list[Weight]:
    """The channels of a row that weigh most, heaviest first."""
    found = []
    for place in range(TOLD):
        named = int(row["weighs"][place])
        if not named:
            break
        channel = (named & CHANNEL_BITS) - 1
        shift = int(arrays["shifts"][cohort, channel])
        own = int(row["centre"][channel]) - CENTRE_OFFSET + shift
        peers = int(arrays["peer_centre"][cohort, channel]) + shift
        found.append(
            Weight(
                channel, bool(named & LOWER_BIT), int(row["features"][channel]),
                around(own, int(row["scale"][channel])), around(peers, int(arrays["peer_spread"][cohort, channel])),
                int(row["ages"][channel]), abs(int(row["ledger"][channel])),
            )
        )  # fmt: skip
    return found


def new_hours(row: Any) -> int | None:
    """How many of the settled day's hours are new; None while most of the week still is."""
    return int(row["new_hours"]) if int(row["learnt"]) > ACQUAINTED_DAYS else None


def threshold(row: Any, arrays: Mapping[str, np.ndarray], cohort: int) -> int:
    """Above which evidence a row is unusual, bits in Q8; what a verdict adds is not in it."""
    return int(arrays["thresholds"][int(arrays["pools"][cohort]), int(maturity_of(int(row["learnt"])))])
