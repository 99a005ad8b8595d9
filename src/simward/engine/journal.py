"""The journal as a port: what a row is, what a journal promises, and a fake in memory that keeps the same promises.

A row holds the inputs of one batch and the outputs decided on them. Rows follow on without a gap: the first sequence of
a row is one more than the last of the row before. Whoever appends is the only writer.
"""

from __future__ import annotations

import base64
import bisect
import hashlib
import json
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from simward.engine.events import EVENT, empty
from simward.engine.outputs import OUTPUT
from simward.engine.snapshot import convert, dtype_described, dtype_description
from simward.engine.whole_ids import Pair, notes_of_pairs, pairs_noted
from simward.errors import JournalError, NotDurableError

EVENTS, POLICY, INVENTORY, FINDINGS, RECORDS = "events", "policy", "inventory", "findings", "records"
BEHAVIOUR = "behaviour"
ROW_KINDS = (EVENTS, POLICY, INVENTORY, FINDINGS, RECORDS, BEHAVIOUR)


@dataclass(frozen=True)
class Layout:
    """How the bytes of a row are to be read: the dtypes of events and outputs when it was written."""

    events: np.dtype
    outputs: np.dtype

    @cached_property
    def description(self) -> str:
        """Field names, types and offsets as JSON: what a journal keeps, so that an old row can be read by name."""
        described = [dtype_description(self.events), dtype_description(self.outputs)]
        return json.dumps(described, separators=(",", ":"))

    @cached_property
    def id(self) -> str:
        """A name made from the description: two layouts with one id are the same."""
        return hashlib.sha256(self.description.encode()).hexdigest()[:16]

    @staticmethod
    def from_description(text: str) -> Layout:
        """The reverse of `description`."""
        events, outputs = (dtype_described(one) for one in json.loads(text))
        return Layout(events, outputs)


TODAY = Layout(EVENT, OUTPUT)
TODAY_ID = TODAY.id


@dataclass(frozen=True, slots=True)
class Row:
    """One batch: `count` inputs that have the sequence numbers `first` to `last`, and what was decided on them.

    `inputs` are EVENT rows (kind "events"), PolicyTables ("policy") or an InventoryDelta ("inventory"), as bytes. A row
    of the watch's own journal (kind "findings") has none: it is about the inputs in the gate's journal that have its
    sequences. One of kind "behaviour" has an input of the watch's own and no outputs: it is taken before the gate's
    sequence `last` + 1 is folded. A row of the journal of call detail records (kind "records") has RECORD rows, and no
    outputs.
    `outputs` are OUTPUT rows. `at` is the gate clock, us UTC. `kernel` is the hash of what decided. `notes` is JSON:
    "texts" [[id, base64], ...] that this row uses first, "session_ids" [[base64 of the hash, base64], ...] of more than
    48 octets whole, "commands" who asked and why.
    """

    first: int
    count: int
    kind: str
    at: int
    kernel: str
    inputs: bytes
    outputs: bytes
    notes: dict[str, Any] = field(default_factory=dict)
    layout: str = TODAY_ID

    @property
    def last(self) -> int:
        """The sequence of the last input of this row."""
        return self.first + self.count - 1


class JournalGapError(JournalError):
    """Rows are missing: sequences `expected` to `found` - 1 are not there (`found` 0: nothing follows)."""

    def __init__(self, expected: int, found: int) -> None:
        self.expected, self.found = expected, found
        super().__init__(f"sequences {expected} to {found - 1} are missing from the journal")


@dataclass(frozen=True)
class Verification:
    """What a walk over the whole journal found. `wrong` is the first sequence that is not as it was written, 0 = none.

    `digest` chains over every row up to `last`: whoever kept an earlier (last, digest) elsewhere can tell whether
    even the newest rows were removed, which the journal alone cannot show.
    """

    rows: int
    first: int
    last: int
    digest: bytes
    wrong: int = 0
    reason: str = ""


Stop = Callable[[], bool]


class Journal(Protocol):
    """What every journal promises; tests/contracts/ holds each implementation to it."""

    @property
    def first(self) -> int:
        """The oldest sequence still kept; 0 while the journal is empty."""

    @property
    def last(self) -> int:
        """The newest durable sequence; 0 while the journal is empty."""

    @property
    def layouts(self) -> Mapping[str, Layout]:
        """Every layout that a row of this journal names, by id."""

    def append(self, row: Row) -> None:
        """Make a row durable.

        Durable on return; else NotDurableError, nothing of it is there, and the same row may be appended again. A row
        that does not follow on `last` is refused with JournalError.
        """

    def rows(self, after: int = 0, *, checked: bool = False) -> Iterator[Row]:
        """The rows that hold any sequence above `after` (0: from the oldest that is kept on), in order, up to now.

        JournalGapError where some are missing. The first row may begin at or before `after`: whoever cut inside a row
        skips what it has. With `checked`, JournalError names the first row that is not as it was written, as far as
        its digest and the one before it can tell; the rows before that one are `verify`'s.
        """

    def follow(self, after: int = 0, *, poll_s: float = 0.05, stop: Stop | None = None) -> Iterator[Row]:
        """Like `rows`, and then each new row soon after it is durable, until `stop()` says so."""

    def register_kernel(self, kernel: str, manifest: Mapping[str, Any]) -> None:
        """Keep what a kernel was made of (its detectors and classes), before its first row. Idempotent."""

    def manifest(self, kernel: str) -> dict[str, Any]:
        """What was registered for a kernel; empty where nothing was."""

    def register_layout(self, layout: Layout) -> None:
        """Keep a layout before the first row that names it; today's is always there. Idempotent."""

    def verify(self) -> Verification:
        """Walk everything: has any row been changed or removed?"""

    def close(self) -> None:
        """Give the journal back. Idempotent."""


def events_row(
    first: int,
    at: int,
    kernel: str,
    events: np.ndarray,
    outputs: np.ndarray,
    texts: Sequence[tuple[int, bytes]] = (),
    notes: Mapping[str, Any] | None = None,
    whole_ids: Sequence[Pair] = (),
) -> Row:
    """A row of the events that are kept (no retransmissions), the first of which has the sequence `first`."""
    said = dict(notes) if notes else {}
    if whole_ids:
        said["session_ids"] = notes_of_pairs(whole_ids)
    if texts:
        said["texts"] = [[number, base64.b64encode(text).decode()] for number, text in texts]
    return Row(first, len(events), EVENTS, at, kernel, events.tobytes(), outputs.tobytes(), said)


def findings_row(
    first: int, last: int, at: int, kernel: str, outputs: np.ndarray, notes: Mapping[str, Any] | None = None
) -> Row:
    """A row of the watch's journal: what it found in the gate's sequences `first` to `last`.

    `notes` have "records" where call detail records were folded there (watch/record_following.py).
    """
    return Row(first, last - first + 1, FINDINGS, at, kernel, b"", outputs.tobytes(), dict(notes or {}))


def behaviour_row(first: int, after: int, at: int, kernel: str, octets: bytes) -> Row:
    """A row of the watch's journal: an input that its fold takes before the gate's sequence `after` + 1."""
    return Row(first, after - first + 1, BEHAVIOUR, at, kernel, octets, b"")


def row_texts(row: Row) -> list[tuple[int, bytes]]:
    """The texts that a row uses first, as Texts.load takes them."""
    return [(int(number), base64.b64decode(text)) for number, text in row.notes.get("texts", ())]


def row_whole_ids(row: Row) -> list[Pair]:
    """The long Acct-Session-Ids that a row's events have a part of, as WholeIds.load takes them."""
    return pairs_noted(row.notes.get("session_ids", ()))


def row_events(row: Row, layouts: Mapping[str, Layout] | None = None) -> np.ndarray:
    """The events of a row in today's layout, writable: copied by field name from the layout that it was written in."""
    if row.layout == TODAY_ID:
        return np.frombuffer(row.inputs, EVENT).copy()
    written = np.frombuffer(row.inputs, _layout(row, layouts).events)
    return convert(written, EVENT, into=empty(len(written)))


def row_outputs(row: Row, layouts: Mapping[str, Layout] | None = None) -> np.ndarray:
    """The outputs of a row in today's layout, writable; fields that it did not have are 0."""
    if row.layout == TODAY_ID:
        return np.frombuffer(row.outputs, OUTPUT).copy()
    return convert(np.frombuffer(row.outputs, _layout(row, layouts).outputs), OUTPUT)


def _layout(row: Row, layouts: Mapping[str, Layout] | None) -> Layout:
    found = (layouts or {}).get(row.layout)
    if found is None:
        raise JournalError(f"row {row.first} is in the layout {row.layout}, which this journal does not describe")
    return found


NO_DIGEST = bytes(32)
"""What the first row of a journal chains to."""

_SIZES = struct.Struct("<9q")


def notes_bytes(row: Row) -> bytes:
    """The notes as they are kept: canonical JSON, empty where there are none."""
    return json.dumps(row.notes, separators=(",", ":"), sort_keys=True).encode() if row.notes else b""


def row_digest(previous: bytes, row: Row, notes: bytes) -> bytes:
    """SHA-256 over the digest before and all of the row; every length first, so that nothing can shift.

    SHA-256, since current processors compute it in hardware: twice as fast as BLAKE2b, and known to every auditor.
    """
    kind, kernel, layout = row.kind, row.kernel, row.layout  # ASCII, all three
    sizes = _SIZES.pack(
        row.first, row.count, row.at, len(kind), len(kernel), len(layout), len(notes), len(row.inputs), len(row.outputs)
    )
    digest = hashlib.sha256(b"".join((previous, sizes, f"{kind}{kernel}{layout}".encode(), notes)))
    digest.update(row.inputs)
    if row.outputs:
        digest.update(row.outputs)
    return digest.digest()


def refuse_unless_next(row: Row, last: int, layouts: Mapping[str, Layout]) -> None:
    """JournalError where a row cannot follow on `last`: the writer has lost count, or is not the only one."""
    if row.kind not in ROW_KINDS:
        raise JournalError(f"a row of unknown kind {row.kind!r}")
    if row.layout not in layouts:
        raise JournalError(f"a row in the layout {row.layout}, which was not registered")
    if row.count < 1 or row.first != last + 1:
        raise JournalError(f"a row of sequences {row.first} to {row.last} cannot follow {last}")


class MemoryJournal:
    """A journal that forgets when the process ends. Set `refusing` to make appends fail like a full disk does."""

    def __init__(self) -> None:
        self.refusing: str = ""
        self._rows: list[Row] = []
        self._digests: list[bytes] = []
        self._manifests: dict[str, dict[str, Any]] = {}
        self._layouts = {TODAY_ID: TODAY}

    @property
    def first(self) -> int:
        """See Journal."""
        return self._rows[0].first if self._rows else 0

    @property
    def last(self) -> int:
        """See Journal."""
        return self._rows[-1].last if self._rows else 0

    @property
    def layouts(self) -> Mapping[str, Layout]:
        """See Journal."""
        return self._layouts

    def append(self, row: Row) -> None:
        """See Journal."""
        refuse_unless_next(row, self.last, self._layouts)
        if self.refusing:
            raise NotDurableError(self.refusing)
        self._digests.append(row_digest(self._digests[-1] if self._digests else NO_DIGEST, row, notes_bytes(row)))
        self._rows.append(row)

    def rows(self, after: int = 0, *, checked: bool = False) -> Iterator[Row]:
        """See Journal."""
        expected = after + 1 if after else self.first
        start = bisect.bisect_right(self._rows, after, key=lambda row: row.last)
        for number, row in enumerate(self._rows[start:], start):
            if row.first > expected:
                raise JournalGapError(expected, row.first)
            before = self._digests[number - 1] if number else NO_DIGEST
            if checked and row_digest(before, row, notes_bytes(row)) != self._digests[number]:
                raise JournalError(f"sequence {row.first} of the journal cannot be relied on: changed since")
            expected = row.last + 1
            yield row

    def follow(self, after: int = 0, *, poll_s: float = 0.05, stop: Stop | None = None) -> Iterator[Row]:
        """See Journal."""
        return poll_rows(self.rows, after, poll_s, stop)

    def register_kernel(self, kernel: str, manifest: Mapping[str, Any]) -> None:
        """See Journal."""
        self._manifests.setdefault(kernel, json.loads(json.dumps(manifest)))

    def manifest(self, kernel: str) -> dict[str, Any]:
        """See Journal."""
        return self._manifests.get(kernel, {})

    def register_layout(self, layout: Layout) -> None:
        """See Journal."""
        self._layouts[layout.id] = layout

    def verify(self) -> Verification:
        """See Journal."""
        digest, expected = NO_DIGEST, self.first
        for number, row in enumerate(self._rows):
            digest = row_digest(digest, row, notes_bytes(row))
            if row.first != expected:
                return Verification(number, self.first, expected - 1, digest, expected, "missing")
            if digest != self._digests[number]:
                return Verification(number, self.first, expected - 1, digest, row.first, "changed")
            expected = row.last + 1
        return Verification(len(self._rows), self.first, self.last, digest)

    def close(self) -> None:
        """See Journal."""


def poll_rows(
    rows: Callable[[int], Iterator[Row]], after: int, poll_s: float, stop: Stop | None
) -> Iterator[Row]:
    """Follow by asking again: what is there, then what is new, waiting `poll_s` where nothing is."""
    pause = threading.Event()  # never set: a wait that needs no clock
    while True:
        for row in rows(after):
            after = row.last
            yield row
            if stop is not None and stop():
                return
        if stop is not None and stop():
            return
        pause.wait(poll_s)
