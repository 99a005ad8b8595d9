"""Sessions into EVENT rows in the order of their arrival: compiled, and in slices, so that a day need not fit memory.

First each session is unrolled into marks: when each of its packets arrives, or that it never does. A mark is one int64,
the arrival (us since midnight) above the number of the packet, so that one sort of plain integers brings a whole day
into order, the same on every machine. Then rows are written where they belong, slice by slice.

What a network does to packets is drawn here by hashing (seed, packet), without state: lost, doubled, late, seen by a
neighbouring cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from simward.compiled import entry
from simward.engine import events as ev
from simward.errors import UsageError
from simward.identity import CELL_SHIFT, ECGI, Plmn
from simward.lab import geography
from simward.lab.traffic import sessions as session_columns
from simward.lab.traffic.members import DAY_US, MINUTE_S, SECOND_US
from simward.lab.traffic.sessions import (
    CONTINUES,
    GOES_ON,
    NETWORKS,
    NO_RECORDS_LOST,
    NO_START,
    NO_STOP,
    ONLY_TRIES,
)

PACKET_BITS = 26
"""So many packets a day: 67 million."""
PACKETS_MOST = 1 << PACKET_BITS
NEVER = np.iinfo(np.int64).max
LATE_MOST_US = 8 * MINUTE_S * SECOND_US
HELD_MOST_US = 6 * 3600 * SECOND_US
"""A gateway that could not send keeps its records, and sends them hours later."""
SLICE = 65_536
LISTENS_S = 9
"""A gate ticks each second; one of which nothing comes for ten was not there (engine/watching/kernel.py)."""
ROWS, COLUMNS, BLOCK, BORDER = geography.ROWS, geography.COLUMNS, geography.BLOCK, geography.BORDER
FOREIGN = geography.FOREIGN
NORTHERN = session_columns.NORTHERN
UNLISTED = geography.UNLISTED
CELL_KIND = ECGI << CELL_SHIFT
PLMN_NUMBERS = np.array([Plmn.parse(one).number for one in NETWORKS], np.int32)
HEX = np.frombuffer(b"0123456789abcdef", np.uint8).copy()
REQUEST, START, INTERIM, STOP = ev.ACCESS_REQUEST, ev.ACCOUNTING_START, ev.ACCOUNTING_INTERIM, ev.ACCOUNTING_STOP
SINGLE, TWICE, LATE, HELD, LOST, BEST, NEXT_BEST, ANY_CELL, SECTOR = range(9)
"""What is drawn."""


@dataclass(frozen=True)
class Losses:
    """What the network does to packets: shares of all, set above what people who run networks call normal."""

    lost: float = 0.003
    twice: float = 0.005
    late: float = 0.003
    """By up to eight minutes."""
    held: float = 0.0005
    """By up to six hours, records alone."""

    def as_array(self) -> np.ndarray:
        """For compiled code."""
        return np.array([0.0, self.twice, self.late, self.held, self.lost], np.float64)


@njit
def drawn(seed, packet, what):  # type: ignore[no-untyped-def]
    """A number from 0 to 1 that belongs to a packet and a question (splitmix64 of both)."""
    value = np.uint64(seed) + np.uint64(packet) * np.uint64(0x9E3779B97F4A7C15)
    value += np.uint64(what) * np.uint64(0xD1B54A32D192ED03)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    value = value ^ (value >> np.uint64(31))
    return np.float64(value >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit
def interims_before(session, at):  # type: ignore[no-untyped-def]
    """How many interims a session had sent before a moment."""
    every_us = np.int64(session["every_s"]) * np.int64(SECOND_US)
    if every_us == 0 or at <= session["began_at"]:
        return np.int64(0)
    return (at - np.int64(session["began_at"]) - np.int64(1)) // every_us


@njit
def packets_of(session):  # type: ignore[no-untyped-def]
    """How many packets a session's part of the day has, lost ones included."""
    flags = np.int64(session["flags"])
    tries = np.int64(session["tries"])
    if flags & ONLY_TRIES:
        return tries
    interims = interims_before(session, np.int64(session["ends_at"]))
    interims -= interims_before(session, np.int64(session["begins_at"]))
    begins = np.int64(0) if flags & CONTINUES else tries + np.int64(2)
    return begins + interims + (np.int64(0) if flags & GOES_ON else np.int64(1))


@njit
def packet_at(session, number):  # type: ignore[no-untyped-def]
    """Kind and moment (us) of the packet with this number of a session's part."""
    flags = np.int64(session["flags"])
    begins_at, place = np.int64(session["begins_at"]), np.int64(number)
    if (flags & CONTINUES) == 0:
        tries = np.int64(session["tries"])
        if place < tries:
            return np.int64(REQUEST), begins_at - (tries - place) * np.int64(session["retry_s"]) * np.int64(SECOND_US)
        if place == tries:
            return np.int64(REQUEST), begins_at
        if place == tries + 1:
            return np.int64(START), begins_at + np.int64(SECOND_US)
        place -= tries + np.int64(2)
    first = interims_before(session, begins_at)
    if place < interims_before(session, np.int64(session["ends_at"])) - first:
        every_us = np.int64(session["every_s"]) * np.int64(SECOND_US)
        return np.int64(INTERIM), np.int64(session["began_at"]) + (first + place + np.int64(1)) * every_us
    return np.int64(STOP), np.int64(session["ends_at"])


@njit
def is_lost(session, kind, seed, packet, shares):  # type: ignore[no-untyped-def]
    """Is a packet never heard? An Access-Request is sent until it is answered."""
    flags = np.int64(session["flags"])
    if (kind == START and flags & NO_START) or (kind == STOP and flags & NO_STOP):
        return True
    return kind != REQUEST and (flags & NO_RECORDS_LOST) == 0 and drawn(seed, packet, LOST) < shares[LOST]


@njit
def delay_us(session, kind, seed, packet, shares):  # type: ignore[no-untyped-def]
    """How long after it happened a packet arrives."""
    if kind == REQUEST or session["flags"] & NO_RECORDS_LOST:
        return np.int64(0)
    if drawn(seed, packet, HELD) < shares[HELD]:
        return np.int64(drawn(seed, packet, HELD + 16) * HELD_MOST_US)
    if drawn(seed, packet, LATE) < shares[LATE]:
        return np.int64(drawn(seed, packet, LATE + 16) * LATE_MOST_US)
    return np.int64(0)


def _unroll(sessions, begins_at, seed, shares, firsts, marks):  # type: ignore[no-untyped-def]
    """Write the marks of all packets, doubled ones twice; returns how many. `firsts`: number of each's first packet."""
    made, packet = np.int64(0), np.int64(0)
    for row in range(len(sessions)):
        session = sessions[row]
        firsts[row] = packet
        for number in range(packets_of(session)):
            kind, at = packet_at(session, number)
            if not is_lost(session, kind, seed, packet, shares):
                arrives_us = max(np.int64(0), at + delay_us(session, kind, seed, packet, shares) - begins_at)
                marks[made] = (arrives_us << np.int64(PACKET_BITS)) | packet
                made += 1
                if (session["flags"] & NO_RECORDS_LOST) == 0 and drawn(seed, packet, TWICE) < shares[TWICE]:
                    again_us = arrives_us + np.int64(2 * SECOND_US)
                    marks[made] = (again_us << np.int64(PACKET_BITS)) | packet
                    made += 1
            packet += 1
    return made


def _count(sessions):  # type: ignore[no-untyped-def]
    """How many packets all sessions have."""
    count = np.int64(0)
    for row in range(len(sessions)):
        count += packets_of(sessions[row])
    return count


@njit
def put_place(event, session, at, seed, packet):  # type: ignore[no-untyped-def]
    """Where a packet says that the device is: on its way, or in its home cell, or in a neighbour of that."""
    site, sector, network = np.int64(session["site"]), np.int64(session["sector"]), np.int64(session["network"])
    row, column = site // COLUMNS, site % COLUMNS
    if session["columns_an_hour"] != 0.0:
        hours = (at - np.int64(session["begins_at"])) / (3600.0 * SECOND_US)
        moved = np.int64(np.rint(session["columns_an_hour"] * hours))
        column = min(max(column + moved, np.int64(0)), np.int64(COLUMNS - 1))
        sector = np.int64(1) + np.int64(drawn(seed, packet, SECTOR) * 3)
        network = np.int64(FOREIGN) if column >= BORDER and network < NORTHERN else network
    elif session["leans"][0] >= 0.0:
        best = drawn(seed, packet, BEST)
        towards = -1.0
        if best < 0.01:
            towards = drawn(seed, packet, ANY_CELL)
            sector = np.int64(1) + np.int64(drawn(seed, packet, SECTOR) * 3)
        elif best < 0.15:
            towards = np.float64(session["leans"][0])
        elif best < 0.20:
            towards = np.float64(session["leans"][1])
        if towards >= 0.0:
            turn = np.int64(towards * 8)
            north = np.int64(1) if turn == 1 else (np.int64(-1) if turn == 2 else np.int64(0))
            east = np.int64(1) if turn == 3 or turn == 5 else (np.int64(-1) if turn == 4 or turn == 6 else np.int64(0))
            row = min(max(row + north, np.int64(0)), np.int64(ROWS - 1))
            column = min(max(column + east, np.int64(0)), np.int64(COLUMNS - 1))
    site = row * COLUMNS + column
    eci = ((np.int64(1000) + site + np.int64(20_000) * network) << np.int64(8)) | sector
    if network >= NORTHERN:
        eci += np.int64(UNLISTED << 8)
    event["plmn"] = PLMN_NUMBERS[network]
    event["area"] = np.int64(100) + (row // BLOCK) * np.int64(COLUMNS // BLOCK) + column // BLOCK
    event["cell"] = np.int64(CELL_KIND) | eci


@njit
def put_usage(event, session, kind, at):  # type: ignore[no-untyped-def]
    """Which session it is, how long it has lasted, and what it has counted so far."""
    name = (np.uint64(session["salt"]) << np.uint64(56)) | (np.uint64(session["who"] + 1) << np.uint64(28))
    name |= np.uint64(session["serial"] & 0xFFFFFFF)
    for place in range(16):
        event["session_id"][place] = HEX[np.int64((name >> np.uint64(60 - 4 * place)) & np.uint64(15))]
    event["session_id_octets"] = 16
    if kind == START:
        return
    event["duration_s"] = (at - np.int64(session["began_at"])) // np.int64(SECOND_US)
    lasts_us = max(np.int64(1), np.int64(session["ends_at"]) - np.int64(session["begins_at"]))
    part = min(1.0, (at - np.int64(session["begins_at"])) / lasts_us)
    event["uplink_octets"] = np.int64(session["up_before"]) + np.int64(session["up"] * part)
    event["downlink_octets"] = np.int64(session["down_before"]) + np.int64(session["down"] * part)
    if kind == STOP:
        event["cause"] = 1  # User-Request


def _fill(events, marks, sessions, firsts, others, members, texts, begins_at, seed, request, blank):  # type: ignore[no-untyped-def]
    """Write one EVENT row for each mark. `texts`: apns, gateways and the client, as the fold numbers them."""
    apns, gateways, client, packets = texts
    for place in range(len(marks)):
        event = events[place]
        packet = marks[place] & np.int64(PACKETS_MOST - 1)
        if packet >= packets:
            events[place] = others[packet - packets]
            continue
        events[place] = blank[0]
        row = np.searchsorted(firsts, packet, side="right") - 1
        session = sessions[row]
        kind, at = packet_at(session, packet - firsts[row])
        event["received_at"] = begins_at + (marks[place] >> np.int64(PACKET_BITS))
        happened_at = at + np.int64(session["drift_s"]) * np.int64(SECOND_US)
        event["happened_at"] = happened_at // np.int64(SECOND_US) * np.int64(SECOND_US)  # Event-Timestamp has seconds
        event["flags"] = ev.FLAG_TIMESTAMP
        event["kind"] = kind
        event["imsi"], event["imei"] = session["imsi"], session["imei"]
        event["software"], event["rat"] = session["software"], session["rat"]
        if session["who"] >= 0:
            event["msisdn"] = members[session["who"]]["msisdn"]
        event["apn"], event["gateway"] = apns[session["apn"]], gateways[session["gateway"]]
        event["client"] = client
        event["request"] = request + packet
        put_place(event, session, at, seed, packet)
        if kind == REQUEST:
            event["credentials"] = session["credentials"]
        else:
            put_usage(event, session, kind, at)


DEPENDS = (ev, geography, session_columns)
unroll = entry(_unroll, DEPENDS)
count_packets = entry(_count, DEPENDS)
fill = entry(_fill, DEPENDS)


@dataclass(frozen=True)
class Texts:
    """The numbers of texts in whatever takes the events: APNs in the order of kinds.APNS, gateways, the client."""

    apns: np.ndarray
    gateways: np.ndarray
    client: int


@dataclass
class Expansion:
    """A day's packets in order of arrival, and whatever else arrives among them, to be written in slices."""

    sessions: np.ndarray
    firsts: np.ndarray
    marks: np.ndarray
    others: np.ndarray
    """EVENT rows that are made already."""
    packets: int
    begins_at: int
    seed: int
    request: int
    """Number of the first request."""

    @classmethod
    def of(
        cls, sessions: np.ndarray, others: np.ndarray, begins_at: int, seed: int, request: int, losses: Losses,
        tick_s: int, silences: Sequence[tuple[int, int, int]] = (),
    ) -> Expansion:  # fmt: skip
        """Unroll and sort, with a tick each `tick_s` and wherever nothing would be heard for long.

        `silences`: gateway (position in GATEWAYS), since and until when nothing arrives from it, us.

        UsageError where a day has more packets than a mark can number.
        """
        count = int(count_packets(sessions))
        firsts, marks = np.zeros(len(sessions), np.int64), np.zeros(2 * count, np.int64)
        made = int(unroll(sessions, begins_at, seed, losses.as_array(), firsts, marks))
        marks = np.sort(_without(marks[:made], sessions, firsts, begins_at, silences))
        others = np.concatenate([others, ticks(marks >> PACKET_BITS, begins_at, tick_s)])
        if count + len(others) >= PACKETS_MOST:
            raise UsageError(f"a day of {count:,} packets: {PACKETS_MOST:,} are the most; make the fleet smaller")
        arrives_us = np.maximum(0, others["received_at"] - begins_at)
        more = (arrives_us << PACKET_BITS) | (count + np.arange(len(others)))
        marks = np.sort(np.concatenate([marks, more]))
        return cls(sessions, firsts, marks, others, count, begins_at, seed, request)

    def slices(self, members: np.ndarray, texts: Texts, until: int) -> Iterator[np.ndarray]:
        """EVENT rows that arrive before `until` (us), at most SLICE at a time; each is overwritten by the next."""
        room = np.zeros(SLICE, ev.EVENT)
        last = int(np.searchsorted(self.marks, (until - self.begins_at) << PACKET_BITS))
        for at in range(0, last, SLICE):
            yield self._filled(room, self.marks[at : min(at + SLICE, last)], members, texts)

    def left(self, members: np.ndarray, texts: Texts, until: int) -> np.ndarray:
        """EVENT rows that arrive later."""
        marks = self.marks[int(np.searchsorted(self.marks, (until - self.begins_at) << PACKET_BITS)) :]
        return self._filled(np.zeros(len(marks), ev.EVENT), marks, members, texts)

    def _filled(self, room: np.ndarray, marks: np.ndarray, members: np.ndarray, texts: Texts) -> np.ndarray:
        events = room[: len(marks)]
        every = (texts.apns, texts.gateways, texts.client, self.packets)
        fill(
            events, marks, self.sessions, self.firsts, self.others, members, every, self.begins_at, self.seed,
            self.request, BLANK,
        )  # fmt: skip
        return events


def _without(
    marks: np.ndarray, sessions: np.ndarray, firsts: np.ndarray, begins_at: int,
    silences: Sequence[tuple[int, int, int]],
) -> np.ndarray:  # fmt: skip
    """The marks that arrive although some gateways are silent: what one had held back is lost, too."""
    for gateway, since, until in silences:
        at = begins_at + (marks >> PACKET_BITS)
        within = np.flatnonzero((at >= since) & (at < until))
        of = np.searchsorted(firsts, marks[within] & (PACKETS_MOST - 1), side="right") - 1
        marks = np.delete(marks, within[sessions["gateway"][of] == gateway])
    return marks


def ticks(heard_us: np.ndarray, begins_at: int, tick_s: int) -> np.ndarray:
    """TICK rows of a day: each `tick_s`, and within every gap of what is heard (us since midnight) that is longer than
    a gate's silence may be."""
    at = (np.arange(1, DAY_US // (tick_s * SECOND_US) + 1) * (tick_s * SECOND_US)) - 1
    if tick_s > LISTENS_S + 1:
        heard = np.unique(np.concatenate([[0], heard_us[heard_us < DAY_US], at, [DAY_US]]))
        wide = np.flatnonzero(np.diff(heard) > LISTENS_S * SECOND_US)
        more = [np.arange(heard[one] + LISTENS_S * SECOND_US, heard[one + 1], LISTENS_S * SECOND_US) for one in wide]
        at = np.concatenate([at, *more])
    rows = ev.empty(len(at))
    rows["kind"] = ev.TICK
    rows["received_at"] = rows["happened_at"] = begins_at + at
    return rows


BLANK = ev.empty(1)
assert DAY_US << PACKET_BITS < NEVER
