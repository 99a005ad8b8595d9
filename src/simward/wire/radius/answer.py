"""Results in, signed answers out: one compiled pass that builds, signs and addresses every answer of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from simward import compiled
from simward.engine import outputs
from simward.engine.outputs import REJECT, RESULT
from simward.wire.radius import batch as batches
from simward.wire.radius import class_token, compiling, outcomes
from simward.wire.radius import clients as client_tables
from simward.wire.radius import filters as filter_tables
from simward.wire.radius import lanes as hashing_together
from simward.wire.radius import md5 as hashing
from simward.wire.radius import octets as numbers
from simward.wire.radius.batch import ADDRESS_OCTETS, ROOM, PacketArrays, PacketBatch
from simward.wire.radius.class_token import class_key, put_class
from simward.wire.radius.clients import ClientTable
from simward.wire.radius.compiling import uncounted
from simward.wire.radius.filters import Filters, filters_of, put_filter
from simward.wire.radius.lanes import LANES, LANES_FROM, add_octets, open_lane, run_lanes, take_digest, turn_outward
from simward.wire.radius.md5 import AFTER_KEY, FRESH, INITIAL, hmac_md5, md5
from simward.wire.radius.octets import copy, put16, put32, u16
from simward.wire.radius.outcomes import ACCEPTED, ACKNOWLEDGE_ONLY, DUPLICATE_ANSWERED, STATUS_SERVER
from simward.wire.radius.receive import NO_KEY, Decoded

HEADER = 20
ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE = 1, 2, 3, 4, 5
FRAMED_IP_ADDRESS, REPLY_MESSAGE, SESSION_TIMEOUT, PROXY_STATE = 8, 18, 27, 33
FRAMED_IPV6_PREFIX, DELEGATED_IPV6_PREFIX, FRAMED_IPV6_ADDRESS = 97, 123, 168
MESSAGE_AUTHENTICATOR, ACCT_INTERIM_INTERVAL = 80, 85
REPLY_OCTETS_MAX = 253
SPECIAL = 255
"""A detector number that no detector has: its reply text is the one given to `refuse`."""

SOURCES = (
    batches, class_token, client_tables, compiling, filter_tables, hashing, hashing_together, numbers, outcomes,
    outputs,
)
DEFAULT_REPLY = b"Refused by policy."


class Replies(NamedTuple):
    """Reply-Messages by detector and class; anything beyond the table gets row 0, class 0."""

    octets: np.ndarray  # u1[detector, class, 253]
    counts: np.ndarray  # i4[detector, class]


class Outcome(NamedTuple):
    """What became of the batch, as compiled code takes it."""

    status: np.ndarray
    client_of: np.ndarray
    cached: np.ndarray  # RESULT a packet
    results: np.ndarray  # RESULT an event
    without: np.ndarray  # bool an event: no answer


class Signing(NamedTuple):
    """Where answers are signed."""

    lanes: hashing_together.Lanes
    scratch: np.ndarray  # md5.new_scratch()
    state: np.ndarray  # u4[4]: a digest
    class_key: np.ndarray  # class_token.class_key()
    filters: Filters


@uncounted
def _put_integer(octets, at, number, value):  # type: ignore[no-untyped-def]
    octets[at], octets[at + 1] = number, 6
    put32(octets, at + 2, np.int64(value))
    return at + 6


@uncounted
def _put_prefix(octets, at, number, high, length):  # type: ignore[no-untyped-def]
    """RFC 3162 2.3, RFC 4818 3: reserved, length in bits, and the octets that this many bits take."""
    count = (np.int64(length) + np.int64(7)) >> np.int64(3)
    octets[at], octets[at + 1], octets[at + 2], octets[at + 3] = number, count + 4, 0, length
    for index in range(count):
        octets[at + 4 + index] = (np.int64(high) >> np.int64(56 - 8 * index)) & np.int64(255)
    return at + 4 + count


@uncounted
def _put_ipv6(octets, at, high, low):  # type: ignore[no-untyped-def]
    """RFC 6911 3.1: the 16 octets of the address."""
    octets[at], octets[at + 1] = FRAMED_IPV6_ADDRESS, 18
    for index in range(8):
        octets[at + 2 + index] = (np.int64(high) >> np.int64(56 - 8 * index)) & np.int64(255)
        octets[at + 10 + index] = (np.int64(low) >> np.int64(56 - 8 * index)) & np.int64(255)
    return at + 18


@uncounted
def _put_accept(octets, at, result, signing):  # type: ignore[no-untyped-def]
    """What an Access-Accept tells the gateway (TS 29.061 16.4.2). Service-Type and Framed-Protocol are left out: the
    gateway asked for the only ones there are."""
    if result.address:
        at = _put_integer(octets, at, FRAMED_IP_ADDRESS, result.address)
    if result.prefix_length:
        at = _put_prefix(octets, at, FRAMED_IPV6_PREFIX, result.prefix_high, result.prefix_length)
    if result.ipv6_high or result.ipv6_low:
        at = _put_ipv6(octets, at, result.ipv6_high, result.ipv6_low)
    if result.delegated_length:
        at = _put_prefix(octets, at, DELEGATED_IPV6_PREFIX, result.delegated_high, result.delegated_length)
    if result.session_timeout_s > 0:
        at = _put_integer(octets, at, SESSION_TIMEOUT, result.session_timeout_s)
    if result.interim_interval_s > 0:
        at = _put_integer(octets, at, ACCT_INTERIM_INTERVAL, result.interim_interval_s)
    if result.class_token:
        at = put_class(octets, at, signing.class_key, result.class_token, result.row, result.class_check)
    return put_filter(octets, at, np.int64(result.segment), np.int64(result.verdict), signing.filters)


@uncounted
def _put_reject(octets, at, result, replies):  # type: ignore[no-untyped-def]
    detector, one = np.int64(result.detector), np.int64(result["class"])
    if detector == SPECIAL:
        detector, one = np.int64(len(replies.counts) - 1), np.int64(0)
    elif detector >= len(replies.counts) - 1 or one >= replies.counts.shape[1]:
        detector, one = np.int64(0), np.int64(0)
    count = np.int64(replies.counts[detector, one])
    if count == 0:
        return at
    octets[at], octets[at + 1] = REPLY_MESSAGE, count + 2
    for index in range(count):
        octets[at + 2 + index] = replies.octets[detector, one, index]
    return at + 2 + count


@uncounted
def _put_proxy_states(octets, at, asked, base):  # type: ignore[no-untyped-def]
    """RFC 2865 5.33: every Proxy-State goes back unchanged and in order."""
    place, end = base + HEADER, base + u16(asked, base + 2)
    while place < end:
        size = np.int64(asked[place + 1])
        if asked[place] == PROXY_STATE:
            copy(octets, at, asked, place, size)
            at += size
        place += size
    return at


@uncounted
def _store(octets, at, state):  # type: ignore[no-untyped-def]
    for word in range(4):
        digest = np.int64(state[word])
        for index in range(4):
            octets[at + 4 * word + index] = (digest >> np.int64(8 * index)) & np.int64(255)


@uncounted
def _sign(octets, base, length, signed, clients, client, scratch, state):  # type: ignore[no-untyped-def]
    """RFC 3579 3.2, then RFC 2865 3; the Request Authenticator still stands in the header."""
    if signed:
        copy(scratch, 0, octets, base, length)
        hmac_md5(scratch, length, clients.keys[client], state)
        _store(octets, base + HEADER + 2, state)
    row = clients.rows[client]
    copy(scratch, 0, octets, base, length)
    copy(scratch, length, clients.secrets, row.secret_start, row.secret_octets)
    md5(scratch, length + row.secret_octets, state)
    _store(octets, base + 4, state)


@uncounted
def _sign_together(asked, out, first, count, clients, client_of, sources, lanes, state):  # type: ignore[no-untyped-def]
    """`_sign` for answers from `first` on, at most as many as there are lanes."""
    any_signed = False
    for lane in range(count):
        row, base = sources[first + lane], np.int64(first + lane) * ROOM
        if _is_signed(asked, row):
            open_lane(lanes, lane, clients.keys[client_of[row]].inner, AFTER_KEY)
            add_octets(lanes, lane, out.octets, base, np.int64(out.lengths[first + lane]))
            any_signed = True
    if any_signed:
        run_lanes(lanes)
        for lane in range(count):
            if _is_signed(asked, sources[first + lane]):
                turn_outward(lanes, lane, clients.keys[client_of[sources[first + lane]]].outer, AFTER_KEY)
        run_lanes(lanes)
    for lane in range(count):
        row, base = sources[first + lane], np.int64(first + lane) * ROOM
        if _is_signed(asked, row):
            take_digest(lanes, lane, state)
            _store(out.octets, base + HEADER + 2, state)
        own = clients.rows[client_of[row]]
        open_lane(lanes, lane, INITIAL, FRESH)
        add_octets(lanes, lane, out.octets, base, np.int64(out.lengths[first + lane]))
        add_octets(lanes, lane, clients.secrets, own.secret_start, own.secret_octets)
    run_lanes(lanes)
    for lane in range(count):
        take_digest(lanes, lane, state)
        _store(out.octets, np.int64(first + lane) * ROOM + 4, state)


@uncounted
def _sign_some(asked, out, first, count, clients, client_of, sources, signing):  # type: ignore[no-untyped-def]
    """Sign `count` answers from `first` on: together, where there are enough of them."""
    if count >= LANES_FROM:
        _sign_together(asked, out, first, count, clients, client_of, sources, signing.lanes, signing.state)
        return
    for place in range(first, first + count):
        row, length = sources[place], np.int64(out.lengths[place])
        _sign(
            out.octets, np.int64(place) * ROOM, length, _is_signed(asked, row), clients, client_of[row],
            signing.scratch, signing.state,
        )


@uncounted
def _is_signed(asked, row):  # type: ignore[no-untyped-def]
    """RFC 5997 3: the answer to a Status-Server may carry a Message-Authenticator whatever its code."""
    return asked.octets[np.int64(row) * ROOM] != ACCOUNTING_REQUEST


@uncounted
def _build(asked, row, out, place, result, replies, signing):  # type: ignore[no-untyped-def]
    """One answer into row `place` of `out`, unsigned; the Request Authenticator stands in its header."""
    data, octets = asked.octets, out.octets
    base, at = np.int64(row) * ROOM, np.int64(place) * ROOM
    start, code = at, np.int64(data[base])
    accounting = asked.port_kind[row] == 1
    octets[at + 1] = data[base + 1]
    copy(octets, at + 4, data, base + 4, 16)
    at += HEADER
    if _is_signed(asked, row):
        octets[at], octets[at + 1] = MESSAGE_AUTHENTICATOR, 18  # first, against CVE-2024-3596
        for index in range(16):
            octets[at + 2 + index] = 0
        at += 18
    if code == ACCESS_REQUEST:
        if result.verdict == REJECT:
            octets[start] = ACCESS_REJECT
            at = _put_reject(octets, at, result, replies)
        else:
            octets[start] = ACCESS_ACCEPT
            at = _put_accept(octets, at, result, signing)
    else:
        octets[start] = ACCOUNTING_RESPONSE if accounting else ACCESS_ACCEPT
    at = _put_proxy_states(octets, at, data, base)
    put16(octets, start + 2, at - start)
    out.lengths[place] = at - start


@uncounted
def answer_batch(asked, count, outcome, replies, clients, out, sources, signing):  # type: ignore[no-untyped-def]
    """Answer what is to be answered; returns how many answers there are. Their order is that of the requests."""
    made, event = np.int64(0), -1
    for row in range(count):
        status = outcome.status[row]
        result = outcome.cached[row]
        if status == ACCEPTED:
            event += 1
            if event >= len(outcome.results) or outcome.without[event]:
                continue
            result = outcome.results[event]
        elif status != STATUS_SERVER and status != DUPLICATE_ANSWERED and status != ACKNOWLEDGE_ONLY:
            continue
        _build(asked, row, out, made, result, replies, signing)
        here, there = np.int64(row) * ADDRESS_OCTETS, np.int64(made) * ADDRESS_OCTETS
        copy(out.addresses, there, asked.addresses, here, ADDRESS_OCTETS)
        out.address_lengths[made] = asked.address_lengths[row]
        out.port_kind[made] = asked.port_kind[row]
        sources[made] = row
        made += 1
        if made % LANES == 0:
            _sign_some(asked, out, made - LANES, LANES, clients, outcome.client_of, sources, signing)
    _sign_some(asked, out, made - made % LANES, made % LANES, clients, outcome.client_of, sources, signing)
    return made


_answer = compiled.settled_entry(answer_batch, depends=SOURCES)


class Answerer:
    """Makes the answers of a batch.

    `reply_texts` maps (detector number, class number) to a Reply-Message; `key` is the receiver's, for Class.
    """

    def __init__(
        self, clients: ClientTable, reply_texts: Mapping[tuple[int, int], bytes], *, key: bytes = NO_KEY
    ) -> None:
        self._clients = clients
        detectors = max((key[0] for key in reply_texts), default=0) + 1
        classes = max((key[1] for key in reply_texts), default=0) + 1
        self._replies = Replies(
            np.zeros((detectors + 1, classes, REPLY_OCTETS_MAX), np.uint8), np.zeros((detectors + 1, classes), np.int32)
        )
        for (detector, one), text in {(0, 0): DEFAULT_REPLY, **reply_texts}.items():
            self._set_reply(detector, one, text)
        self._signing = Signing(
            hashing_together.new_lanes(), hashing.new_scratch(), np.zeros(4, np.uint32), class_key(key), filters_of(())
        )
        self._rejects = np.zeros(0, RESULT)
        self._none = np.zeros(0, np.bool_)

    def send_filters(self, filters: Filters) -> None:
        """From now on an Access-Accept carries these."""
        self._signing = self._signing._replace(filters=filters)

    def answer(
        self,
        batch: PacketBatch,
        decoded: Decoded,
        results: np.ndarray,
        out: PacketBatch,
        now_us: int = 0,
        without: np.ndarray | None = None,
    ) -> int:
        """Fill `out` with signed answers; returns how many.

        `results` has one RESULT an event of `decoded` (fewer: the rest get no answer yet); events marked in `without`
        get none. Status-Server, answered duplicates and acknowledge-only records are answered too.
        """
        if len(self._none) < decoded.count:
            self._none = np.zeros(batch.capacity, np.bool_)
        skipped = self._none[: decoded.count] if without is None else without.astype(np.bool_, copy=False)
        outcome = Outcome(
            decoded.status, decoded.client_of, decoded.arrays.cached, compiled.records(results), skipped
        )
        arrays: PacketArrays = out.arrays
        out.count = int(
            _answer(
                batch.arrays, batch.count, outcome, self._replies, self._clients.arrays, arrays, out.sources,
                self._signing,
            )
        )
        return out.count

    def refuse(
        self,
        batch: PacketBatch,
        decoded: Decoded,
        text: str | bytes,
        out: PacketBatch,
        without: np.ndarray | None = None,
    ) -> int:
        """Reject every Access-Request among the events with this Reply-Message; accounting gets no answer."""
        self._set_reply(len(self._replies.counts) - 1, 0, text.encode() if isinstance(text, str) else text)
        if len(self._rejects) < decoded.count:
            self._rejects = np.zeros(batch.capacity, RESULT)
            self._rejects["verdict"], self._rejects["detector"] = REJECT, SPECIAL
        skipped = decoded.events["kind"] != ACCESS_REQUEST
        if without is not None:
            skipped |= without
        return self.answer(batch, decoded, self._rejects[: decoded.count], out, without=skipped)

    def _set_reply(self, detector: int, one: int, text: bytes) -> None:
        text = text[:REPLY_OCTETS_MAX]
        self._replies.octets[detector, one, : len(text)] = np.frombuffer(text, np.uint8)
        self._replies.counts[detector, one] = len(text)
