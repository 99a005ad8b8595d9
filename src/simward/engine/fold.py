"""The gate fold: state, policy and inputs in; state and outputs out. The same code for live traffic and for history."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simward.compiled import INTERPRETED
from simward.engine import compose
from simward.engine.events import CHANGE_RESULT, EFFECT_RESULT, EVENT
from simward.engine.layouts import SESSION_CHANGING, SESSION_CONFINED, SESSION_DISCONNECTING, SESSION_IMSI_REPORTED
from simward.engine.leaving import departed_id, pending_departed
from simward.engine.long_ids import stored_after, whole_of
from simward.engine.outputs import CHANGE, DISCONNECT, INTO_QUARANTINE, OUT_OF_QUARANTINE, OUTPUT
from simward.engine.revisions import apply_inventory, apply_policy
from simward.engine.rows import MAPPED
from simward.engine.session_names import KEPT_OCTETS, id_octets_of, put_id
from simward.engine.state import BATCH_MAX, State, interpreted
from simward.engine.tables import InventoryDelta, PolicyTables


class Folded(NamedTuple):
    """What one call of the fold made; views that hold until the next call."""

    consumed: int
    outputs: np.ndarray  # OUTPUT
    results: np.ndarray  # RESULT, one for each consumed event
    kept: np.ndarray  # bool: False = a retransmission, which changed nothing and is not journalled


class Fold:
    """One shard's state and its kernel."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.kernel = compose.kernel_hash()
        self._fold = compose.composed()
        # Plain arrays: slicing a recarray costs some microseconds, which one request alone would wait for.
        self._outputs = state.scratch["outputs"].view(np.ndarray)
        self._results = state.scratch["results"].view(np.ndarray)
        self._duplicate = self._results["duplicate"]

    @classmethod
    def new(cls) -> Fold:
        """An empty state under the default policy: nobody is known."""
        return cls(State(PolicyTables.default()))

    @property
    def sequence(self) -> int:
        """Sequence number of the last input folded."""
        return int(self.state.meta["sequence"][0])

    @property
    def now(self) -> int:
        """received_at of the newest input, us."""
        return int(self.state.meta["now"][0])

    def manifest(self) -> dict[str, Any]:
        """What readers of the outputs must know about this kernel."""
        return compose.manifest()

    def events(self, events: np.ndarray) -> Folded:
        """Fold events (EVENT, received_at non-decreasing). May consume fewer than given: call again with the rest."""
        batch = events if len(events) <= BATCH_MAX else events[:BATCH_MAX]
        if not batch.flags.c_contiguous:
            batch = np.ascontiguousarray(batch)
        count = len(batch)
        self.state.make_room(count)
        tables = self.state.tables()
        address = batch.ctypes.data
        tables["events"] = address
        if INTERPRETED:
            MAPPED[address] = interpreted(batch)
        consumed, made = self._fold(tables, count)
        kept = self._duplicate[:consumed] == 0
        return Folded(int(consumed), self._outputs[:made], self._results[:consumed], kept)

    def policy(self, tables: PolicyTables, at: int) -> np.ndarray:
        """Put a policy revision into force; takes one sequence number."""
        self._advance(at)
        apply_policy(self.state, tables)
        return self._outputs[:0]

    def inventory(self, delta: InventoryDelta, at: int) -> np.ndarray:
        """Apply a change of the inventory; takes one sequence number."""
        self._advance(at)
        return apply_inventory(self.state, delta)

    def segment_of(self, use_case: int, apn: int) -> int:
        """The segment that an APN (text id) is for a use case: its first one for an APN of none (addressing.py)."""
        one, segments = self.state.policy.use_cases[use_case], self.state.policy.segments
        for segment in one["other_segments"].tolist():
            if segment and apn and int(segments["apn"][segment]) == apn:
                return int(segment)
        return int(one["segment"])

    def find(self, *, imsi: int = 0, iccid: int = 0, msisdn: int = 0) -> int:
        """Row of the subscription, or -1. By ICCID this reads the whole table: for people, not for packets."""
        rows_found = self.find_all(imsi=imsi, iccid=iccid, msisdn=msisdn)
        return rows_found[0] if rows_found else -1

    def find_all(self, *, imsi: int = 0, iccid: int = 0, msisdn: int = 0) -> list[int]:
        """Rows of the subscriptions: one ICCID may carry several IMSIs."""
        used = self.state.subscriptions[: int(self.state.meta["subscriptions"][0])]
        field, wanted = ("imsi", imsi) if imsi else ("iccid", iccid) if iccid else ("msisdn", msisdn)
        if not wanted:
            return []
        return [int(row) for row in np.flatnonzero(np.asarray(used[field]) == wanted) if used["imsi"][row]]

    def pending_effects(self) -> np.ndarray:
        """Disconnects and changes without an answer, as OUTPUT rows: to be sent (again) after a restart.

        Those of subscriptions that were removed meanwhile are among them.
        """
        state = self.state
        used = state.sessions[: int(state.meta["sessions"][0])]
        waiting = np.flatnonzero(
            ((used["flags"] & (SESSION_DISCONNECTING | SESSION_CHANGING)) != 0) & (used["effect_sequence"] != 0)
        )
        effects = np.zeros(len(waiting), OUTPUT)
        for position, row in enumerate(waiting):
            session, effect = used[row], effects[position]
            owner = state.subscriptions[int(session["subscription"])]
            for name in ("gateway", "client", "apn", "address"):
                effect[name] = session[name]
            put_id(effect, session, *stored_after(state, int(row)))
            for name in ("imsi", "iccid", "use_case", "generation"):
                effect[name] = owner[name]
            effect["subject"] = bool(session["flags"] & SESSION_IMSI_REPORTED)
            effect["kind"] = DISCONNECT
            if session["flags"] & SESSION_CHANGING:
                effect["kind"] = CHANGE
                effect["result"] = OUT_OF_QUARANTINE if session["flags"] & SESSION_CONFINED else INTO_QUARANTINE
            effect["row"] = session["subscription"]
            effect["sequence"] = effect["opened_sequence"] = session["effect_sequence"]
            effect["index"] = effect["opened_index"] = session["effect_index"]
            effect["now"] = session["attempts"]
        return np.concatenate([effects, pending_departed(state)])

    def whole_id(self, effect: Any) -> bytes:
        """The Acct-Session-Id of the session that a DISCONNECT or CHANGE output is about, where the output has no room
        for all of it: up to 253 octets (RFC 2866 5.5). Empty where it is not known, or no longer.
        """
        state, sequence, index = self.state, int(effect["opened_sequence"]), int(effect["opened_index"])
        row = int(effect["row"])
        at = int(state.subscriptions["session_head"][row]) if 0 <= row < int(state.meta["subscriptions"][0]) else -1
        if at >= 0 and not state.subscriptions["imsi"][row]:
            at = -1  # a row that is free: what stands there is the next free one
        while at >= 0:
            session = state.sessions[at]
            if int(session["effect_sequence"]) == sequence and int(session["effect_index"]) == index:
                stored, octets = stored_after(state, at)
                return whole_of(id_octets_of(session)[:KEPT_OCTETS], stored, octets) if octets else b""
            at = int(session["next"])
        return departed_id(state, sequence, index) or state.texts.whole_ids.of(effect["session_id"].tobytes())

    def effect_result(self, effect: Any, cause: int, error_cause: int, at: int) -> np.ndarray:
        """The event (one EVENT row) that says what became of a DISCONNECT or CHANGE output."""
        event = np.zeros(1, EVENT)
        for name in ("gateway", "client", "imsi", "apn", "address", "session_id_octets", "session_id"):
            event[name] = effect[name]
        for name in ("uplink_octets", "downlink_octets", "area", "duration_s", "software"):
            event[name] = -1
        kind = CHANGE_RESULT if int(effect["kind"]) == CHANGE else EFFECT_RESULT
        event["kind"], event["cause"], event["argument"] = kind, cause, error_cause
        event["subject"], event["request"] = effect["sequence"], effect["index"]
        event["received_at"] = event["happened_at"] = at
        return event

    def _advance(self, at: int) -> None:
        meta = self.state.meta
        meta["sequence"] += 1
        meta["now"] = max(int(meta["now"][0]), at)
