"""What gateways report about a population in one day: plain columns, then EVENT rows in the order of their arrival."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simward.engine import events as ev
from simward.lab import geography
from simward.lab.population import SECOND_US, Population

HEX = np.array([f"{octet:02x}".encode() for octet in range(256)], "S2").view(np.uint8).reshape(256, 2)
ROW = np.dtype((np.void, ev.EVENT.itemsize))
UPLINK_OCTETS_PER_S, DOWNLINK_OCTETS_PER_S = 40, 13

Column = Any
"""One value for all, or an array."""


def sightings(who: np.ndarray, at: Column, kind: int, serial: Column, **more: Column) -> dict[str, np.ndarray]:
    """Columns of one kind of event: `who` (numbers), `at` (us), `serial` (of the session); all as long as `who`.

    More: duration_s, site, sector, network.
    """
    columns = {"at": at, "kind": kind, "serial": serial, "duration_s": -1, **more}
    return {"who": who, **{name: np.broadcast_to(value, who.shape) for name, value in columns.items()}}


def joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """All parts below one another."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def session_names(who: np.ndarray, serial: np.ndarray, salt: int = 0) -> np.ndarray:
    """Acct-Session-Ids: 16 hexadecimal characters, u1[n, 16], one for each (subscription, serial)."""
    number = (who.astype(np.int64) << 24) | (serial.astype(np.int64) & 0xFFFFFF) | (np.int64(salt) << 56)
    octets = number.astype(">i8").view(np.uint8).reshape(-1, 8)
    return HEX[octets].reshape(-1, 16)


def as_events(population: Population, columns: dict[str, np.ndarray]) -> np.ndarray:
    """EVENT rows of sightings: each subscription as it is now, reported by its gateway."""
    who = columns["who"]
    events = ev.empty(len(who))
    rows = population.rows
    for name in ("imsi", "msisdn", "imei", "software", "rat"):
        events[name] = rows[name][who]
    events["kind"] = columns["kind"]
    at = columns["at"].astype(np.int64)
    events["received_at"] = at
    events["happened_at"] = at // SECOND_US * SECOND_US  # Event-Timestamp has seconds
    events["flags"] = ev.FLAG_TIMESTAMP
    events["request"] = population.take_requests(len(who))
    events["apn"] = population.apns[rows["use_case"][who]]
    events["gateway"] = population.gateways[rows["gateway"][who]]
    events["client"] = population.client
    put_place(events, slice(None), columns["site"], columns["sector"], columns["network"])
    put_credentials(events, population)
    accounting = events["kind"] != ev.ACCESS_REQUEST
    names = session_names(who, columns["serial"])
    names[~accounting] = 0
    events["session_id"][:, :16] = names
    events["session_id_octets"] = np.where(accounting, 16, 0)
    duration = columns["duration_s"].astype(np.int64)
    events["duration_s"] = duration
    reported = duration >= 0
    events["uplink_octets"] = np.where(reported, duration * UPLINK_OCTETS_PER_S, -1)
    events["downlink_octets"] = np.where(reported, duration * DOWNLINK_OCTETS_PER_S, -1)
    events["address"] = np.where(accounting, rows["address"][who], 0)
    events["cause"] = events["kind"] == ev.ACCOUNTING_STOP
    return events


def put_place(events: np.ndarray, rows: Any, site: Column, sector: Column, network: Column) -> None:
    """Let `rows` of the events be seen at a site; `network` as in geography.PLMNS."""
    wide = np.asarray(network, np.int64)
    events["plmn"][rows] = geography.PLMN_NUMBERS[wide]
    events["area"][rows] = geography.area_of(np.asarray(site))
    events["cell"][rows] = geography.cell_of(np.asarray(site, np.int64), np.asarray(sector, np.int64), wide)


def put_credentials(events: np.ndarray, population: Population, shown: int = ev.CREDENTIALS_RIGHT) -> None:
    """Let the requests for an APN that asks for a password have shown it: the right one, or as `shown` says."""
    asked = (events["kind"] == ev.ACCESS_REQUEST) & np.isin(events["apn"], population.asking_apns)
    events["credentials"][asked] = shown


@dataclass
class Day:
    """The events of one day, unsorted, and whose each is (-1 = nobody's of the fleet); scenes change it in place."""

    begins_at: int
    events: np.ndarray
    who: np.ndarray
    dropped: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    _more: list[np.ndarray] = field(default_factory=list)
    _rerouted: list[tuple[int, int, int, int]] = field(default_factory=list)
    _hushed: list[tuple[int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dropped = np.zeros(len(self.events), bool)

    def of(self, members: np.ndarray) -> np.ndarray:
        """Which events are about some of the members? bool, one an event."""
        top = int(members.max(initial=0)) + 2
        among = np.zeros(max(top, int(self.who.max(initial=-1)) + 2), bool)
        among[members] = True
        found: np.ndarray = among[self.who]  # -1 reads the last place, which nobody has
        return found & ~self.dropped

    def drop(self, which: np.ndarray) -> None:
        """These never happened, or nobody heard of them."""
        self.dropped |= which

    def add(self, events: np.ndarray) -> None:
        """More events, wherever in time they belong."""
        self._more.append(events)

    def reroute(self, gateway: int, other: int, since: int, until: int) -> None:
        """What a gateway would say between two times (us) comes from another one, whichever scene sends it."""
        self._rerouted.append((gateway, other, since, until))

    def hush(self, gateway: int, since: int, until: int) -> None:
        """Nothing arrives from a gateway between two times (us), whichever scene has it say something."""
        self._hushed.append((gateway, since, until))

    def in_order(self) -> np.ndarray:
        """The events that arrive, ordered by received_at."""
        kept = np.flatnonzero(~self.dropped)
        parts = [self.events, *self._more]
        at = np.concatenate([self.events["received_at"][kept], *(part["received_at"] for part in self._more)])
        place = np.concatenate([kept, len(self.events) + np.arange(len(at) - len(kept))])
        # As opaque rows: to copy a structure field by field takes ten times as long.
        whole = np.concatenate([np.ascontiguousarray(part).view(ROW) for part in parts])
        arrived: np.ndarray = whole[place[np.argsort(at, kind="stable")]].view(ev.EVENT)
        for gateway, other, since, until in self._rerouted:
            at = arrived["received_at"]
            arrived["gateway"][(arrived["gateway"] == gateway) & (at >= since) & (at < until)] = other
        for gateway, since, until in self._hushed:
            at = arrived["received_at"]
            arrived = arrived[(arrived["gateway"] != gateway) | (at < since) | (at >= until)]
        return arrived
