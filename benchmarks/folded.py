"""The engine without a socket: a fold with a policy and a fleet, and events in random order over it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.gate import write_folder
from benchmarks.load.fleet import ICCID_FIRST, IMEI_FIRST, IMSI_FIRST, MSISDN_FIRST, SOFTWARE, Fleet, luhn
from simward.engine import events
from simward.engine.fold import Fold
from simward.engine.tables import DECLARED, InventoryDelta, PolicyTables
from simward.policy.compile import compile_policy
from simward.policy.load import load_policies
from simward.settings import Settings

BEGAN_AT = 1_700_000_000_000_000
GATEWAY, CLIENT = b"pgw1.example", b"pgw1"
_CYCLE = np.array(
    [events.ACCESS_REQUEST, events.ACCOUNTING_START, events.ACCOUNTING_INTERIM, events.ACCOUNTING_INTERIM,
     events.ACCOUNTING_STOP], np.uint8,
)  # fmt: skip
ECGI, EUTRAN = 4, 6


def prefixed(number: np.ndarray, width: int) -> np.ndarray:
    """Digits as the engine keeps them: 1 in front, so that leading zeros stay."""
    moved: np.ndarray = number + 10**width
    return moved


def policy_tables(folder: Path) -> PolicyTables:
    """The policy that the gate benchmarks use, compiled."""
    write_folder(folder, Fleet(0), b"unused", (1812, 1813, 3799))
    settings = Settings.load(folder)
    return compile_policy(load_policies(settings.policies_dir), settings)


def inventory(fleet: Fleet) -> InventoryDelta:
    """Every subscription of the fleet as declared rows."""
    number = np.arange(fleet.count, dtype=np.int64)
    declared = np.zeros(fleet.count, DECLARED)
    declared["imsi"] = prefixed(IMSI_FIRST + number, 15)
    body = ICCID_FIRST + number
    # The engine keeps an ICCID without its leading 89: of the 19 digits, 17 are left.
    declared["iccid"] = prefixed((body * 10 + luhn(body)) % 10**17, 17)
    declared["msisdn"] = prefixed(MSISDN_FIRST + number, 12)
    return InventoryDelta(declared, np.zeros(0, np.int64), [fleet.use_case])


class Traffic:
    """Events of random subscriptions; each goes through request, start, two interims and stop, again and again."""

    def __init__(self, fold: Fold, fleet: Fleet, seed: int) -> None:
        self.fleet = fleet
        self._random = np.random.default_rng(seed)
        texts = fold.state.texts
        self._apn, self._gateway, self._client = (texts.intern(one) for one in (fleet.apn.encode(), GATEWAY, CLIENT))
        self._step = np.zeros(fleet.count, np.int64)
        self._at = BEGAN_AT + 1_000_000
        self._requests = 0

    def everyone(self) -> np.ndarray:
        """Each subscription once, in random order."""
        return self._random.permutation(self.fleet.count)

    def anyone(self, count: int) -> np.ndarray:
        """Random subscriptions, none twice in one call while there are enough."""
        order = self.everyone()
        return order[:count] if count <= len(order) else self._random.integers(0, self.fleet.count, count)

    def next(self, chosen: np.ndarray) -> np.ndarray:
        """The next event of each of the subscriptions (all different), a microsecond apart."""
        count = len(chosen)
        rows = events.empty(count)
        step = self._step[chosen]
        self._step[chosen] += 1
        session, phase = np.divmod(step, 5)
        rows["kind"] = _CYCLE[phase]
        rows["received_at"] = rows["happened_at"] = self._at + np.arange(count)
        self._at += count
        rows["request"] = self._requests + 1 + np.arange(count)
        self._requests += count
        rows["imsi"] = prefixed(IMSI_FIRST + chosen, 15)
        rows["user"] = rows["imsi"]
        rows["msisdn"] = prefixed(MSISDN_FIRST + chosen, 12)
        rows["imei"], rows["software"] = IMEI_FIRST + chosen, SOFTWARE
        rows["cell"], rows["area"] = (ECGI << 56) | (chosen % 4096), chosen % 64
        rows["plmn"], rows["rat"] = 100101, EUTRAN
        rows["apn"], rows["gateway"], rows["client"] = self._apn, self._gateway, self._client
        rows["address"] = 0x0A400001 + chosen
        self._account(rows, session, phase)
        return rows

    def _account(self, rows: np.ndarray, session: np.ndarray, phase: np.ndarray) -> None:
        """Session identity, and counters for what is not an Access-Request or a Start."""
        identity = (rows["imsi"] * 64 + session % 64).astype(">i8").view(np.uint8).reshape(len(rows), 8)
        accounting = phase > 0
        rows["session_id"][accounting, :8] = identity[accounting]
        rows["session_id_octets"][accounting] = 16
        reported = phase > 1
        rows["duration_s"][reported] = 900 * (phase[reported] - 1)
        rows["uplink_octets"][reported] = 1200 * (phase[reported] - 1)
        rows["downlink_octets"][reported] = 4800 * (phase[reported] - 1)
        rows["cause"][phase == 4] = 1


def fold_all(fold: Fold, rows: np.ndarray) -> tuple[int, int]:
    """Fold every row; returns how many were kept and how many outputs were made."""
    at = kept = made = 0
    while at < len(rows):
        folded = fold.events(rows[at:])
        at += folded.consumed
        kept += int(np.count_nonzero(folded.kept))
        made += len(folded.outputs)
    return kept, made
