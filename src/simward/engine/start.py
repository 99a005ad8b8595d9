"""Start = newest snapshot + the journal's tail; and the making of that snapshot from a fold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from simward.engine import events
from simward.engine import outputs as kinds
from simward.engine.fold import Fold
from simward.engine.journal import EVENTS, Journal, Layout, Row, row_outputs
from simward.engine.layouts import MARK_AREA, MARK_FREE, MARK_TAKEN, MARK_TIED, MARKS_SEEN
from simward.engine.pools import column, settle_pools
from simward.engine.replay import fold_row
from simward.engine.revisions import in_todays_layout, with_texts
from simward.engine.snapshot import Snapshot, convert, newest_snapshot, write_snapshot
from simward.engine.state import LAYOUTS, SAVED, State, rows
from simward.engine.tables import PolicyTables
from simward.errors import JournalError

FACTS = (
    "bound_imei",
    "generation",
    "locked",
    "lock_detector",
    "locked_s",
    "locked_until_s",
    "address",
    "other_addresses",
)
"""Columns that record decisions: another kernel must not decide them again (see `fold_foreign`)."""


GONE = 255
TAKEN_BEFORE = "device_taken"
"""A column of subscriptions until 2026-11, now a bit of `marks`."""
WATCH_PREFIX = "watch."
"""What the names of the watch's arrays in a snapshot begin with."""
OWNERS = ("subscriptions", "strangers", "gateways", "segment_states", "devices")
"""The table that holds a finding's owner, by scope (detectors.detector.SCOPES)."""


def snapshots_folder(data_dir: Path) -> Path:
    """Where snapshots are."""
    return data_dir / "snapshots"


ERASING_NAME, ERASED_NAME = "erasing.json", "erased.json"
"""What an erasure leaves in the data folder: while it is being put in place, and from then on."""


def erased_up_to(data_dir: Path) -> int:
    """The last sequence whose rows an erasure has rewritten: the law holds from the snapshot there on; 0 = none."""
    try:
        return int(json.loads((data_dir / ERASED_NAME).read_text(encoding="ascii"))["sequence"])
    except FileNotFoundError:
        return 0


def refuse_half_erased(data_dir: Path) -> None:
    """JournalError where an erasure was cut short: some files are as before, and some are not."""
    if (data_dir / ERASING_NAME).exists():
        raise JournalError("an erasure was cut short: repeat `simward erase` as it was given, and it is finished")


def refuse_before_erasure(sequence: int, data_dir: Path) -> None:
    """JournalError where folding would have to begin before an erasure: those rows no longer say what they said."""
    erased = erased_up_to(data_dir)
    if sequence < erased:
        raise JournalError(
            f"rows up to sequence {erased} were rewritten by an erasure, and the snapshot of then is not there "
            f"(the newest is of {sequence}): put it back from a copy"
        )


def restore(data_dir: Path, journal: Journal) -> Fold:
    """The fold as it was when the journal's last row was written."""
    refuse_half_erased(data_dir)
    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(newest_snapshot, snapshots_folder(data_dir), room=room_to_grow, wanted=is_of_gate)
        Fold.new().events(events.empty(0))  # while the disk is read, what is compiled is loaded
        snapshot = reading.result()
    fold = from_snapshot(snapshot) if snapshot is not None else Fold.new()
    refuse_before_erasure(fold.sequence, data_dir)
    del snapshot  # the fold has taken its arrays over
    refuse_unless_reached(fold, journal)
    last = journal.last  # as of now: a gate may be writing on while this reads
    catch_up(fold, journal)
    if fold.sequence < last:
        raise JournalError(f"folding the journal ends at sequence {fold.sequence}, the journal at {last}")
    return fold


def is_of_gate(name: str) -> bool:
    """Is this array of a snapshot the gate's?"""
    return not name.startswith(WATCH_PREFIX)


def refuse_unless_reached(fold: Fold, journal: Journal) -> None:
    """JournalError where the journal does not follow on the fold without a gap."""
    if fold.sequence > journal.last:
        raise JournalError(
            f"the snapshot holds sequence {fold.sequence}, but the journal ends at {journal.last}: "
            f"rows of the journal are missing"
        )
    if fold.sequence + 1 < journal.first:
        raise JournalError(
            f"the journal begins at sequence {journal.first}, and no snapshot reaches that far ({fold.sequence})"
        )


def catch_up(fold: Fold, journal: Journal) -> None:
    """Fold what the journal holds beyond `fold`; JournalError where a row of it is not as it was written."""
    foreign: list[Row] = []
    for row in journal.rows(after=fold.sequence, checked=True):
        if row.kernel != fold.kernel and row.kind == EVENTS:
            foreign.append(row)
            continue
        fold_foreign(fold, foreign, journal.layouts)
        foreign = []
        fold_row(fold, row, journal.layouts)
    fold_foreign(fold, foreign, journal.layouts)


def fold_foreign(fold: Fold, foreign: list[Row], layouts: Mapping[str, Layout]) -> None:
    """Fold rows that another kernel decided: sessions and memories anew, but its bindings, locks and addresses as
    facts.
    """
    if not foreign:
        return
    before = fold.state.subscriptions[: int(fold.state.meta["subscriptions"][0])]
    kept = {name: np.array(before[name]) for name in FACTS}
    ordered = np.array(before["marks"]) & ~np.uint8(MARKS_SEEN)
    for row in foreign:
        fold_row(fold, row, layouts)
        # Another kernel may have taken a retransmission for news, or the reverse: the journal's numbering stands.
        fold.state.meta["sequence"] = row.last
    table = fold.state.subscriptions
    for name, facts in kept.items():
        table[name][: len(facts)] = facts
    table["marks"][: len(ordered)] = (table["marks"][: len(ordered)] & MARKS_SEEN) | ordered
    found = {int(imsi): row for row, imsi in enumerate(table["imsi"][: int(fold.state.meta["subscriptions"][0])])}
    for row in foreign:
        for output in row_outputs(row, layouts):
            place = found.get(int(output["imsi"]))
            if place is not None:
                put_fact(table, place, output)
    settle_pools(fold.state, fold.state.policy)


def put_fact(table: np.ndarray, place: int, output: np.ndarray) -> None:
    """Write what one recorded output says about a binding, a lock or an address."""
    kind = int(output["kind"])
    if kind == kinds.BOUND:
        table["bound_imei"][place] = int(output["now"]) // 1000
        if output["event_kind"] == events.COMMAND_BIND:
            remark(table, place, MARK_TIED, MARK_FREE)
    elif kind == kinds.UNBOUND:
        table["bound_imei"][place] = 0
        unbound = output["event_kind"] == events.COMMAND_UNBIND
        remark(table, place, MARK_FREE if unbound else 0, MARK_TIED if unbound else MARK_TIED | MARK_FREE)
    elif kind in (kinds.RESTRICTED, kinds.UNRESTRICTED):
        remark(table, place, *((MARK_AREA, 0) if kind == kinds.RESTRICTED else (0, MARK_AREA)))
    elif kind == kinds.PLANNED:
        if output["result"] & kinds.PLAN_DEVICE and table["declared_imei"][place]:
            table["declared_imei"][place] = output["now"]
    elif kind in (kinds.LOCKED, kinds.CONFINED):
        table["locked"][place] = output["result"]
        table["lock_detector"][place] = output["detector"]
        table["locked_s"][place] = int(output["at"]) // 1_000_000
        table["locked_until_s"][place] = int(output["was"]) // 1_000_000
    elif kind == kinds.RELEASED:
        table["locked"][place] = table["lock_detector"][place] = 0
        table["locked_s"][place] = table["locked_until_s"][place] = 0
    elif kind == kinds.ADDRESS_GIVEN:
        number, segment = int(output["subject"]) or int(output["address"]), int(output["result"])
        column(table, False, segment)[place] = number
    else:
        return
    table["generation"][place] = output["generation"]


def remark(table: np.ndarray, place: int, on: int, off: int) -> None:
    """Set some of the marks of a subscription, and take others off."""
    table["marks"][place] = (int(table["marks"][place]) | on) & ~off


def save(
    fold: Fold, data_dir: Path, more: Mapping[str, np.ndarray] | None = None, said: Mapping[str, Any] | None = None
) -> Path:
    """Write a snapshot of the fold, with `more` arrays and `said` among its notes. For a process behind the gate: it
    takes as long as the disk does.
    """
    arrays = dict(fold.state.saved())
    texts = fold.state.texts.all()
    arrays["policy"] = np.frombuffer(fold.state.policy.to_bytes(), np.uint8)
    arrays["texts"] = np.frombuffer(b"".join(texts), np.uint8)
    arrays["text_octets"] = np.array([len(text) for text in texts], np.int32)
    arrays.update(more or {})
    notes = {"detectors": [one["id"] for one in fold.manifest()["detectors"]], **(said or {})}
    return write_snapshot(snapshots_folder(data_dir), fold.sequence, fold.kernel, arrays, notes)


def room_to_grow(name: str, used: int) -> int:
    """Rows to make for a table that is read from a snapshot: what is not touched takes no memory."""
    return used + used // 4 + 4096 if SAVED.get(name) else used


def from_snapshot(snapshot: Snapshot) -> Fold:
    """A fold as a snapshot holds it; tables of another layout are read by field name."""
    arrays = snapshot.arrays
    state = State(in_todays_layout(PolicyTables.from_bytes(arrays["policy"].tobytes())))
    for name in SAVED:
        saved = arrays.get(name)
        if saved is None:
            continue
        if name == "commands":
            state.commands[: len(saved)] = saved[: len(state.commands)]
            continue
        setattr(state, name, as_table(saved, name, len(getattr(state, name))))
    load_texts(state, arrays["texts"], arrays["text_octets"])
    state.policy = with_texts(state.policy, state)
    fold = Fold(state)
    renumber_detectors(state, list(snapshot.notes["detectors"]), [one["id"] for one in fold.manifest()["detectors"]])
    state.moved()
    state.index_subscriptions()
    state.index_devices()
    state.index_gateways()
    state.index_departed()
    return fold


def as_table(saved: np.ndarray, name: str, least: int) -> np.ndarray:
    """A table of today's layout that begins with the saved rows: the array itself where that is possible."""
    if name in ("segment_states", "limits"):
        least = len(saved)
    whole = saved.base
    if saved.dtype == LAYOUTS[name] and isinstance(whole, np.ndarray) and len(whole) >= least:
        return whole
    table = rows(max(least, room_to_grow(name, len(saved))), LAYOUTS[name])
    table[: len(saved)] = saved if saved.dtype == LAYOUTS[name] else convert(saved, LAYOUTS[name])
    if TAKEN_BEFORE in (saved.dtype.names or ()):
        table["marks"][: len(saved)] |= np.where(saved[TAKEN_BEFORE], np.uint8(MARK_TAKEN), np.uint8(0))
    return table


def load_texts(state: State, joined: np.ndarray, octets: np.ndarray) -> None:
    """Put the texts back under their numbers."""
    ends = np.cumsum(octets)
    whole = joined.tobytes()
    state.texts.load(
        [(number, whole[end - count : end]) for number, (count, end) in enumerate(zip(octets, ends, strict=True))]
    )


def renumber_detectors(state: State, then: list[str], now: list[str]) -> None:
    """Detectors are numbered by their order in the folder: where that changed, rows that name one are put right."""
    if then == now:
        return
    number = np.array([now.index(name) if name in now else GONE for name in then] or [GONE], np.uint8)
    used = int(state.meta["findings"][0])
    state.findings["detector"][:used] = number[state.findings["detector"][:used]]
    for row in np.flatnonzero(
        (state.findings["detector"][:used] == GONE) & (state.findings["opened_sequence"][:used] != 0)
    ):
        drop_finding(state, int(row))
    sessions = state.sessions["confined_by"][: int(state.meta["sessions"][0])]
    sessions[:] = np.where(number[sessions] == GONE, 0, number[sessions])
    known = int(state.meta["subscriptions"][0])
    for name in ("lock_detector", "last_detector"):
        renumbered = number[state.subscriptions[name][:known]]
        state.subscriptions[name][:known] = np.where(renumbered == GONE, 0, renumbered)


def drop_finding(state: State, row: int) -> None:
    """Take a finding whose detector no longer exists off its owner's chain, and give up its row."""
    findings = state.findings
    owners = getattr(state, OWNERS[int(findings["scope"][row])])
    chain = np.ndarray((1,), owners.dtype, owners.data, int(findings["row"][row]) * owners.itemsize)["finding_head"]
    while int(chain[0]) != row:
        at = int(chain[0])
        chain = findings["next"][at : at + 1]
    chain[0] = findings["next"][row]
    findings[row : row + 1].view(np.uint8)[:] = 0
    findings["next"][row] = state.meta["finding_free"][0]
    state.meta["finding_free"] = row
    state.meta["findings_live"] -= 1
