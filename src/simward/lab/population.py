"""A fleet as columns: what a hundred thousand devices are, and where and how they are right now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simward.identity import rat_number
from simward.lab.fleet import APNS, PASSWORDS, USE_CASES, Fleet

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
SECOND_US = 1_000_000

GATEWAYS = ("pgw1", "pgw2")
Intern = Callable[[bytes], int]
"""Text -> its number in whatever takes the events."""

PERSON = np.dtype(
    [
        ("imsi", "i8"),
        ("iccid", "i8"),
        ("msisdn", "i8"),
        ("imei", "i8"),
        ("site", "i8"),  # where it is, or where it begins its day
        ("column", "f8"),  # of what drives: its place on the road
        ("minute", "f8"),  # of the day at which it wakes up, us after midnight
        ("leans", "f4", (2,)),  # towards which neighbours of its cell it reselects (see geography.beside)
        ("begun_at", "i8"),  # of the session that is always on, 0 = none
        ("renew_at", "i8"),  # when that session ends and another begins, 0 = not today
        ("address", "u4"),  # that the gate gave it, 0 = none yet
        ("serial", "i4"),  # of its sessions
        ("rat", "u1"),
        ("software", "i1"),
        ("sector", "u1"),
        ("network", "u1"),  # HOME or PARTNER
        ("gateway", "u1"),  # position in GATEWAYS
        ("use_case", "u1"),  # position in USE_CASES
        ("direction", "i1"),  # of what drives
        ("no_stop", "?"),  # its session was cut: no Stop is sent when it is renewed
        ("active", "?"),
    ]
)


@dataclass
class Population:
    """The members of a fleet by number; habits and scenes change the columns as the days go by."""

    fleet: Fleet
    rows: np.ndarray
    """PERSON, one a subscription."""
    apns: np.ndarray
    gateways: np.ndarray
    client: int
    second_apn: int
    stolen_apns: dict[str, int]
    asking_apns: np.ndarray
    """Those whose segment asks for a password."""
    requests: int = 0
    """How many events were made: each has a number of its own."""
    by_use_case: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, fleet: Fleet, intern: Intern, rng: np.random.Generator) -> Population:
        """The columns of a fleet; `intern` numbers the texts that events carry."""
        rows = np.zeros(len(fleet), PERSON)
        numbers = [
            (int("1" + one.imsi), int("1" + one.iccid[2:]), int("1" + one.msisdn), int(one.device.imei),
             one.site, one.sector, one.network, USE_CASES.index(one.use_case), one.device.software,
             rat_number(one.rat), one.state == "active")
            for one in fleet.subscriptions
        ]  # fmt: skip
        names = (
            "imsi", "iccid", "msisdn", "imei", "site", "sector", "network", "use_case", "software", "rat", "active",
        )  # fmt: skip
        for name, column in zip(names, zip(*numbers, strict=True), strict=True):
            rows[name] = column
        rows["column"] = rows["site"] % 200
        rows["minute"] = rng.random(len(rows)) * 23 * HOUR_US
        rows["leans"] = rng.random((len(rows), 2))
        rows["gateway"] = rng.integers(0, len(GATEWAYS), len(rows))
        rows["direction"] = rng.choice((-1, 1), len(rows))
        population = cls(
            fleet, rows,
            np.array([intern(APNS[name].encode()) for name in USE_CASES], np.int32),
            np.array([intern(name.encode()) for name in GATEWAYS], np.int32),
            intern(b"lab"), intern(b"alarms.iot"),
            {apn: intern(apn.encode()) for apn in APNS.values()},
            np.array([intern(apn.encode()) for apn in PASSWORDS], np.int32),
        )  # fmt: skip
        active = np.flatnonzero(rows["active"])
        population.by_use_case = {
            name: active[rows["use_case"][active] == number] for number, name in enumerate(USE_CASES)
        }
        return population

    def __len__(self) -> int:
        return len(self.rows)

    def take_addresses(self, imsis: np.ndarray, addresses: np.ndarray) -> None:
        """The gate gave these addresses: reports carry them from now on."""
        order = np.argsort(self.rows["imsi"])
        place = order[np.minimum(np.searchsorted(self.rows["imsi"], imsis, sorter=order), len(order) - 1)]
        mine = self.rows["imsi"][place] == imsis
        self.rows["address"][place[mine]] = addresses[mine]

    def take_requests(self, count: int) -> Any:
        """So many numbers that no request has had."""
        first = self.requests + 1
        self.requests += count
        return np.arange(first, first + count)

    def members(self, use_cases: tuple[str, ...]) -> np.ndarray:
        """Numbers of the active members of some use cases."""
        return np.concatenate([self.by_use_case[name] for name in use_cases])
