"""Do they decide the same? The wrong device and the unknown subscription are refused, and every session has its row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.contestants import Contestant
from benchmarks.load.fleet import Fleet
from benchmarks.load.packets import access_requests
from benchmarks.postgres import Postgres

ASKED = 10
"""So few that the gate's policy, which limits how many it locks in an hour, refuses all of them."""
SEED = 1_000_000
"""Far from those of the traffic: the same authenticator from the same port would be a retransmission."""


@dataclass(frozen=True)
class InOtherDevices(Fleet):
    """The same subscriptions, each in a device that it does not belong in."""

    def imeisv(self, number: np.ndarray) -> np.ndarray:
        """Those of a million devices further on."""
        return super().imeisv(number + 1_000_000)


def refusals(fleet: Fleet, secret: bytes, sockets: int, contestants: list[Contestant]) -> dict[str, object]:
    """Ask with what must be refused and what must not; AssertionError where one decides otherwise."""
    known, beyond = np.arange(ASKED), np.arange(fleet.count, fleet.count + ASKED)
    asked = {
        "bound device": (access_requests(fleet, known, secret, sockets, SEED), 0),
        "other device": (access_requests(InOtherDevices(fleet.count), known, secret, sockets, SEED + 1), ASKED),
        "unknown subscription": (access_requests(fleet, beyond, secret, sockets, SEED + 2), ASKED),
    }
    said: dict[str, object] = {}
    for what, (packets, wanted) in asked.items():
        outcomes = {one.name: one.load.run(packets, outstanding=ASKED) for one in contestants}
        rejected = {name: outcome.rejected for name, outcome in outcomes.items()}
        if any(count != wanted for count in rejected.values()):
            raise AssertionError(f"{what}: of {ASKED} were to be rejected {wanted}, but: {outcomes}")
        said[what] = {"asked": ASKED, "rejected": rejected}
    return said


def check_the_database_works(store: Postgres, sessions: int) -> None:
    """Every session that started has its row, open and with the address it was given."""
    rows = int(store.query("SELECT count(*) FROM radacct WHERE acctstoptime IS NULL AND framedipaddress IS NOT NULL"))
    if rows != sessions:
        raise AssertionError(f"{sessions} sessions were started, but the database holds {rows}")
