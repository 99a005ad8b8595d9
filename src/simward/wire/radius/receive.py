"""Datagrams in, authentic events out: one compiled pass over a batch, with every refusal counted by its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from simward import compiled, identity
from simward.engine import events as event_layout
from simward.engine import outputs, texts
from simward.engine.events import (
    ACCESS_REQUEST,
    ACCOUNTING_INTERIM,
    ACCOUNTING_OFF,
    ACCOUNTING_ON,
    ACCOUNTING_START,
    ACCOUNTING_STOP,
    EVENT,
    FLAG_APN_UNKNOWN_TEXT,
    FLAG_SESSION_ID_CUT,
    SESSION_ID_OCTETS,
)
from simward.engine.outputs import RESULT
from simward.engine.texts import OVERFLOW_TEXT, TEXTS_MAX, Texts
from simward.engine.whole_ids import HASH_OCTETS, Pair
from simward.wire.radius import batch as batches
from simward.wire.radius import (
    class_token,
    compiling,
    credentials,
    fields,
    lanes,
    location,
    md5,
    naming,
    octets,
    outcomes,
    subscriber,
    verify,
)
from simward.wire.radius import clients as client_tables
from simward.wire.radius import duplicates as caches
from simward.wire.radius.batch import ACCOUNTING, ADDRESS_OCTETS, ROOM, PacketBatch
from simward.wire.radius.class_token import class_key, read_class
from simward.wire.radius.clients import ClientTable, address_high, address_low, find_client
from simward.wire.radius.compiling import uncounted
from simward.wire.radius.credentials import Credentials, credentials_of, read_credentials
from simward.wire.radius.duplicates import ANSWERED, Duplicates, claim_slot, find_request, is_seeded
from simward.wire.radius.fields import (
    ACCT_SESSION_ID,
    ACCT_STATUS_TYPE,
    CLASS,
    NONE,
    WANTED,
    WANTED_APN,
    Found,
    TextArrays,
    fill_event,
    integer,
)
from simward.wire.radius.lanes import LANES, LANES_FROM
from simward.wire.radius.octets import i64, join63, mix, u16
from simward.wire.radius.outcomes import (
    ACCEPTED,
    ACKNOWLEDGE_ONLY,
    BAD_CODE,
    DUPLICATE_ANSWERED,
    DUPLICATE_IN_FLIGHT,
    OUTCOMES,
    STATUS_SERVER,
    UNKNOWN_CLIENT,
)
from simward.wire.radius.packet import HEADER_OCTETS
from simward.wire.radius.verify import (
    ACCOUNTING_REQUEST,
    STATUS_SERVER_REQUEST,
    Work,
    check_accounting,
    check_authentic,
    check_frame,
    find_attributes,
    hash_ahead,
)

SOURCES = (
    batches, caches, class_token, client_tables, credentials, event_layout, fields, identity, lanes, location, md5,
    naming, octets, outcomes, outputs, compiling, subscriber, texts, verify,
)
"""Every module whose source the machine code below is made from."""

KIND_OF_STATUS = np.zeros(16, np.uint8)
"""Acct-Status-Type (RFC 2866 5.1) to event kind; 0 = a type that is acknowledged and makes no event."""
KIND_OF_STATUS[1], KIND_OF_STATUS[2], KIND_OF_STATUS[3] = ACCOUNTING_START, ACCOUNTING_STOP, ACCOUNTING_INTERIM
KIND_OF_STATUS[7], KIND_OF_STATUS[8] = ACCOUNTING_ON, ACCOUNTING_OFF


@uncounted
def _check(packets, row, clients, client, work, lane):  # type: ignore[no-untyped-def]
    """The outcome of everything that needs no memory: framing, code, attributes, authenticators."""
    base = np.int64(row) * ROOM
    status = check_frame(packets.octets, base, np.int64(packets.lengths[row]))
    if status != ACCEPTED:
        return status
    code = np.int64(packets.octets[base])
    wanted = ACCOUNTING_REQUEST if packets.port_kind[row] == ACCOUNTING else ACCESS_REQUEST
    if code != wanted and code != STATUS_SERVER_REQUEST:
        return BAD_CODE
    length = u16(packets.octets, base + 2)
    counted = find_attributes(packets.octets, base, length, work.found)
    status = check_authentic(packets.octets, base, length, counted, clients, client, work, lane)
    if status != ACCEPTED:
        return status
    if code == STATUS_SERVER_REQUEST:
        return STATUS_SERVER
    if code == ACCOUNTING_REQUEST:
        return check_accounting(packets.octets, work.found.standard)
    return ACCEPTED


@uncounted
def _name_request(asked, packets, row, high, low):  # type: ignore[no-untyped-def]
    """Fill the key of RFC 5080 2.2.2 and its 63-bit hash."""
    base, mask = np.int64(row) * ROOM, np.int64(0xFFFFFFFF)
    data = packets.octets
    asked.high, asked.low = high, low
    asked.port = u16(packets.addresses, np.int64(row) * ADDRESS_OCTETS + 2)
    asked.code, asked.identifier = data[base], data[base + 1]
    asked.first, asked.second = i64(data, base + 4), i64(data, base + 12)
    head = np.int64(asked.port) << np.int64(16) | np.int64(asked.code) << np.int64(8) | np.int64(asked.identifier)
    left, right = mix(np.int64(0x811C9DC5), head), mix(np.int64(0x2545F491), head)
    for whole in (asked.high, asked.low, asked.first, asked.second):
        upper, lower = (np.int64(whole) >> np.int64(32)) & mask, np.int64(whole) & mask
        left = mix(mix(left, upper), lower)
        right = mix(mix(right, lower ^ np.int64(0x5A5A5A5A)), upper)
    asked.request = join63(left, right)


@uncounted
def _look_up(asked, duplicates, now, cached, row):  # type: ignore[no-untyped-def]
    """ACCEPTED for a new request; otherwise which kind of duplicate it is, with the old result in cached[row]."""
    slot = find_request(duplicates.requests, asked, now)
    if slot >= 0:
        if duplicates.requests[slot].state != ANSWERED:
            return DUPLICATE_IN_FLIGHT
        cached[row] = duplicates.results[slot]
        return DUPLICATE_ANSWERED
    if asked.code == ACCOUNTING_REQUEST and is_seeded(duplicates.seeds, asked.request):
        cached[row].verdict = 0
        return DUPLICATE_ANSWERED
    return ACCEPTED


@uncounted
def receive_batch(packets, count, clients, texts, duplicates, work, now, decoded, counts):  # type: ignore[no-untyped-def]
    """Judge each packet (decoded.status) and decode those that are new and authentic; returns how many events.

    `counts` goes up by what became of each.
    """
    made = np.int64(0)
    asked = work.asked[0]
    for row in range(count):
        at, size = np.int64(row) * ADDRESS_OCTETS, packets.address_lengths[row]
        high, low = address_high(packets.addresses, at, size), address_low(packets.addresses, at, size)
        decoded.client_of[row] = find_client(clients, high, low)
    for row in range(count):
        lane = np.int64(row % LANES)
        together = min(LANES, count - (row - lane))
        if together < LANES_FROM:
            lane = np.int64(-1)
        elif lane == 0:
            hash_ahead(packets, row, together, clients, decoded.client_of, work)
        at, size = np.int64(row) * ADDRESS_OCTETS, packets.address_lengths[row]
        high, low = address_high(packets.addresses, at, size), address_low(packets.addresses, at, size)
        client = np.int64(decoded.client_of[row])
        if client < 0:
            decoded.status[row] = UNKNOWN_CLIENT
            counts[UNKNOWN_CLIENT] += 1
            continue
        status = _check(packets, row, clients, client, work, lane)
        kind = np.int64(ACCESS_REQUEST)
        if status == ACCEPTED and packets.port_kind[row] == ACCOUNTING:
            stated = integer(packets.octets, work.found.standard, ACCT_STATUS_TYPE, NONE)
            kind = np.int64(KIND_OF_STATUS[stated]) if stated < len(KIND_OF_STATUS) else np.int64(0)
            if kind == 0:
                status = ACKNOWLEDGE_ONLY
        if status == ACCEPTED:
            _name_request(asked, packets, row, high, low)
            status = _look_up(asked, duplicates, now, decoded.cached, row)
        decoded.status[row] = status
        counts[status] += 1
        if status != ACCEPTED:
            continue
        decoded.slot_of[made] = claim_slot(duplicates.requests, asked, now)
        decoded.request_of[made] = asked.request
        decoded.packet_of[made] = row
        event = decoded.events[made]
        event.received_at = now
        fill_event(event, made, packets.octets, work.found, texts, clients.rows[client].name)
        event.request, event.kind, event.identifier = asked.request, kind, asked.identifier
        event.client = clients.rows[client].name
        if kind == ACCESS_REQUEST:
            event.credentials = read_credentials(
                packets.octets, np.int64(row) * ROOM, work.found.standard, event.apn, client, clients, work
            )
        if work.found.standard[CLASS]:
            end = np.int64(row) * ROOM + u16(packets.octets, np.int64(row) * ROOM + 2)
            read_class(packets.octets, work.found.standard[CLASS], end, work.class_key, event)
        made += 1
    return made


_receive = compiled.settled_entry(receive_batch, depends=SOURCES)
_remember = compiled.settled_entry(caches.remember_results, depends=[caches, compiling, outputs])
_forget = compiled.entry(caches.forget_requests, depends=[caches, compiling])


class DecodedArrays(NamedTuple):
    """Room for what becomes of a batch, reused from batch to batch."""

    status: np.ndarray  # i1 a packet: outcomes.py
    client_of: np.ndarray  # i4 a packet: row of the client, -1 = unknown
    cached: np.ndarray  # RESULT a packet: what a duplicate was answered with
    packet_of: np.ndarray  # i4 an event: row of its packet
    slot_of: np.ndarray  # i8 an event: its place among the duplicates
    request_of: np.ndarray  # i8 an event: EVENT.request
    events: np.ndarray  # EVENT


_RECEIVED = object()
NO_KEY = bytes(class_token.KEY_OCTETS)


class Decoded:
    """What a batch turned out to be. Only a Receiver makes one, and it verifies first: there is no other way to events.

    `events` (EVENT rows in the order of packets), `packet_of`, `status` and the rest are views into the receiver's
    buffers, valid until its next `decode`.
    """

    def __init__(self, made_by: object, arrays: DecodedArrays, packets: int, count: int) -> None:
        if made_by is not _RECEIVED:
            raise TypeError("only Receiver.decode makes a Decoded")
        self.arrays = arrays
        self.packets = packets
        self.count = count
        self.status = arrays.status[:packets]
        self.client_of = arrays.client_of[:packets]
        self.packet_of = arrays.packet_of[:count]
        self.events = arrays.events[:count]


class Receiver:
    """Turns batches into events. Time comes in; nothing is logged; counts are kept by outcome."""

    def __init__(
        self, clients: ClientTable, texts: Texts, duplicates: Duplicates | None = None, *, key: bytes = NO_KEY
    ) -> None:
        """`key`: what our Class attributes are written with (class_token.KEY_OCTETS)."""
        self.clients = clients
        self.counts = np.zeros(len(OUTCOMES), np.int64)
        self._texts = texts
        self._duplicates = duplicates or Duplicates()
        scratch = md5.new_scratch()
        found = Found(np.zeros(256, np.int32), np.zeros(256, np.int32), np.zeros(2, np.int64))
        asked = _records(np.zeros(1, caches.REQUEST))
        self._work = Work(
            found, scratch, np.zeros(4, np.uint32), asked, lanes.new_lanes(), class_key(key), credentials_of(()),
            np.zeros(LANES, np.int64),
        )
        self._arrays = _room(0)
        self._wanted = _records(np.zeros(0, WANTED))
        self._wanted_count = np.zeros(1, np.int64)
        self._room = np.zeros(256, np.uint8)
        self._full = np.zeros(1, np.bool_)

    @property
    def counters(self) -> dict[str, int]:
        """How many packets had each outcome, by name (outcomes.py)."""
        return {name: int(count) for name, count in zip(OUTCOMES, self.counts, strict=True)}

    def decode(self, batch: PacketBatch, now_us: int) -> Decoded:
        """Judge and decode rows 0..batch.count-1; `now_us` becomes received_at of every event."""
        if batch.capacity > len(self._arrays.status):
            self._arrays = _room(batch.capacity)
            self._wanted = _records(np.zeros(2 * batch.capacity, WANTED))
        self._wanted_count[0] = 0
        texts = self._texts
        self._full[0] = texts.count >= TEXTS_MAX
        table = TextArrays(
            texts.slots, texts.entries, texts.blob, self._full, self._wanted, self._wanted_count, self._room
        )
        duplicates = self._duplicates.arrays(now_us)
        made = _receive(
            batch.arrays, batch.count, self.clients.arrays, table, duplicates, self._work, now_us, self._arrays,
            self.counts,
        )  # fmt: skip
        if self._wanted_count[0]:
            self._intern()
        texts.whole_ids.load(self._long_ids(batch, int(made)))
        return Decoded(_RECEIVED, self._arrays, batch.count, int(made))

    def remember(self, decoded: Decoded, results: np.ndarray) -> None:
        """These events are durable and decided on: a retransmission is answered with the same result from now on."""
        count = min(len(results), decoded.count)
        cache, arrays = self._duplicates.arrays(0), decoded.arrays
        _remember(cache.requests, cache.results, arrays.slot_of, arrays.request_of, _records(results), count)

    def forget(self, decoded: Decoded) -> None:
        """These events could not be made durable: a retransmission is a new request."""
        arrays = decoded.arrays
        _forget(self._duplicates.arrays(0).requests, arrays.slot_of, arrays.request_of, decoded.count)

    def ask_for(self, credentials: Credentials) -> None:
        """From now on requests are asked for these."""
        self._work = self._work._replace(credentials=credentials)

    def renumber_segments(self, number_of: np.ndarray) -> None:
        """Another policy is in force: what was segment n in answers that may be asked for again is number_of[n]."""
        self._duplicates.renumber_segments(number_of)

    def seed(self, requests: Iterable[int] | np.ndarray) -> None:
        """EVENT.request of accounting events in the journal's tail, after a restart."""
        self._duplicates.seed(requests)

    def _long_ids(self, batch: PacketBatch, made: int) -> Iterator[Pair]:
        """The Acct-Session-Ids of which an event has only a part, whole, with the hash that it has instead."""
        events, kept = self._arrays.events[:made].view(np.ndarray), SESSION_ID_OCTETS - HASH_OCTETS
        for row in np.flatnonzero(events["flags"] & FLAG_SESSION_ID_CUT).tolist():
            part = events["session_id"][row].tobytes()
            packet = batch.octets[int(self._arrays.packet_of[row])].tobytes()
            at, end = HEADER_OCTETS, int.from_bytes(packet[2:4], "big")
            while at + 2 <= end:
                value = packet[at + 2 : at + packet[at + 1]]
                if packet[at] == ACCT_SESSION_ID and len(value) > len(part) and value[:kept] == part[:kept]:
                    yield part[kept:], value
                    break
                at += max(packet[at + 1], 2)

    def _intern(self) -> None:
        """Give numbers to texts that were seen for the first time (a few in the life of a gate)."""
        for wanted in self._wanted[: self._wanted_count[0]]:
            number = self._texts.intern(wanted["text"][: wanted["octets"]].tobytes())
            event = self._arrays.events[int(wanted["row"])]
            event["apn" if wanted["field"] == WANTED_APN else "gateway"] = number
            if number == OVERFLOW_TEXT and wanted["field"] == WANTED_APN:
                event["flags"] |= FLAG_APN_UNKNOWN_TEXT


def _records(rows: np.ndarray) -> Any:
    return compiled.records(rows)


def _room(capacity: int) -> DecodedArrays:
    return DecodedArrays(
        np.zeros(capacity, np.int8), np.zeros(capacity, np.int32), _records(np.zeros(capacity, RESULT)),
        np.zeros(capacity, np.int32), np.zeros(capacity, np.int64), np.zeros(capacity, np.int64),
        _records(np.zeros(capacity, EVENT)),
    )
