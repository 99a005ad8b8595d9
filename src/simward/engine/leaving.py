"""What the removal of subscriptions from the inventory means outside, and which of their Disconnects lack a proof."""

from __future__ import annotations

import numpy as np

from simward.engine.layouts import DEPARTED, SESSION_CONFINED, SESSION_DISCONNECTING, SESSION_IMSI_REPORTED
from simward.engine.long_ids import stored_after, whole_of
from simward.engine.outputs import (
    DISCONNECT,
    ENDED_REMOVED,
    FINDING_ENDED,
    OUTPUT,
    PLAN_DEVICE,
    PLAN_ENDED,
    UNBOUND,
)
from simward.engine.pools import chain, column, place_of_apn, segments_in
from simward.engine.session_names import KEPT_OCTETS, id_octets_of, put_id
from simward.engine.sessions import SESSIONS_MAX
from simward.engine.state import State, rows
from simward.engine.withholding import Pool

FINDING_FACTS = ("opened_sequence", "opened_index", "detector", "class", "response", "wanted", "held", "was", "now")
INDEXES = 1 << 16
"""Different values of an output's index."""
REMOVALS_MAX = INDEXES // SESSIONS_MAX
"""Most removals of one inventory revision."""
DEPARTED_MAX = 1 << 16
"""Disconnects kept until they have their proof; what is beyond is sent once, and counted as not kept."""
SESSION_FACTS = ("gateway", "client", "apn", "address", "prefix_mark", "id_words", "id_octets", "id_form")


def farewells(state: State, removals: np.ndarray) -> np.ndarray:
    """What a removal means outside, as OUTPUT rows: findings end, live sessions are cut, bindings are gone.

    A session that is being cut already is not cut again. Of all of them it is kept that they have no proof yet.
    """
    table = state.subscriptions[: int(state.meta["subscriptions"][0])]
    cuts: list[np.ndarray] = []
    others: list[np.ndarray] = []
    departed: list[np.ndarray] = []
    under_way: list[np.ndarray] = []
    for row in np.flatnonzero(np.isin(table["imsi"], removals) & (table["imsi"] != 0)).tolist():
        one = table[row]
        for at in chain(state, int(one["finding_head"])):
            finding = state.findings[at]
            output = about_row(state, row, FINDING_ENDED)
            for name in FINDING_FACTS:
                output[name] = finding[name]
            output["severity"] = state.detectors["severity"][int(finding["detector"])][int(finding["class"])]
            others.append(output)
        at = int(one["session_head"])
        while at >= 0:
            session = state.sessions[at]
            if session["flags"] & SESSION_DISCONNECTING:
                under_way.append(leaving(state, row, at))
            else:
                cuts.append(cut(state, row, at))
                departed.append(leaving(state, row, at))
            at = int(session["next"])
        at = int(one["plans"])
        while at:
            plan = state.plans[at]
            if plan["left"] == plan["asked"] or plan["left"] & PLAN_DEVICE:
                output = about_row(state, row, PLAN_ENDED)
                output["now"], output["expected"], output["result"] = plan["imei"], plan["number"], ENDED_REMOVED
                output["opened_sequence"] = plan["planned_sequence"]
                others.append(output)
            at = int(plan["next"])
        if one["bound_imei"]:
            output = about_row(state, row, UNBOUND)
            output["was"] = one["bound_imei"]
            others.append(output)
    # Disconnects first: their proofs name them by their index, of which there are enough for REMOVALS_MAX removals.
    outputs = np.array([*cuts, *others], OUTPUT).reshape(-1)
    outputs["index"] = np.arange(len(outputs)) % INDEXES
    cut_rows = outputs[: len(cuts)]
    cut_rows["opened_sequence"], cut_rows["opened_index"] = cut_rows["sequence"], cut_rows["index"]
    new = np.array(departed, DEPARTED).reshape(-1)
    new["effect_sequence"], new["effect_index"], new["attempts"] = cut_rows["sequence"], cut_rows["index"], 1
    keep_departed(state, np.concatenate([np.array(under_way, DEPARTED).reshape(-1), new]))
    return outputs


def about_row(state: State, row: int, kind: int) -> np.ndarray:
    """An output of a revision about a subscription, as it stands now."""
    output, one = np.zeros((), OUTPUT), state.subscriptions[row]
    output["kind"], output["at"], output["sequence"] = kind, state.meta["now"][0], state.meta["sequence"][0]
    output["row"] = row
    for name in ("imsi", "iccid", "use_case", "generation"):
        output[name] = one[name]
    return output


def cut(state: State, row: int, at: int) -> np.ndarray:
    """The Disconnect of one of its sessions."""
    output, session = about_row(state, row, DISCONNECT), state.sessions[at]
    for name in ("gateway", "client", "apn", "address"):
        output[name] = session[name]
    put_id(output, session, *stored_after(state, at))
    output["now"], output["subject"] = 1, bool(session["flags"] & SESSION_IMSI_REPORTED)
    return output


def leaving(state: State, row: int, at: int) -> np.ndarray:
    """The DEPARTED row of one of its sessions."""
    kept, session, one = np.zeros((), DEPARTED), state.sessions[at], state.subscriptions[row]
    for name in (*SESSION_FACTS, "effect_sequence", "effect_index", "attempts"):
        kept[name] = session[name]
    kept["imsi"], kept["iccid"], kept["generation"] = one["imsi"], one["iccid"], one["generation"]
    kept["imsi_reported"] = bool(session["flags"] & SESSION_IMSI_REPORTED)
    stored, kept["whole_octets"] = stored_after(state, at)
    kept["stored_id"][: len(stored)] = np.frombuffer(stored, np.uint8)
    kept["heard_s"], kept["held_address"] = int(state.meta["now"][0]) // 1_000_000, session["address"]
    if not session["address"] and not session["prefix_mark"]:  # its gateway reports none: the one that it was given
        place = place_of_apn(state.policy, int(one["use_case"]), int(session["apn"]))
        quarantine = bool(session["flags"] & SESSION_CONFINED)
        pool = Pool.of(state.policy, int(segments_in(state.policy, place)[one["use_case"]]), quarantine)
        number = int(column(state.subscriptions, quarantine, place)[row])
        kept["held_address"] = 0 if pool.bare else number
        if number and pool.bare:
            kept["prefix_mark"] = next((int(one[0]) for one in pool.marks(np.array([number]))), 0)
    return kept


def keep_departed(state: State, new: np.ndarray) -> None:
    """Add rows to those of sessions that are not over, sorted by the name of the effect.

    Where they are too many, those go first that are only kept for their address.
    """
    if not len(new):
        return
    earlier = np.asarray(state.departed)[: int(state.meta["departed"][0])].view(np.ndarray)
    earlier = earlier[earlier["over"] == 0]
    whole = np.concatenate([earlier[earlier["settled"] == 0], new, earlier[earlier["settled"] == 1]])
    dropped = whole[DEPARTED_MAX:]
    state.meta["departed_dropped"] += np.count_nonzero(dropped["settled"] == 0)
    state.meta["departed_expired"] += np.count_nonzero(dropped["settled"])
    whole = whole[:DEPARTED_MAX]
    whole = whole[np.lexsort((whole["effect_index"], whole["effect_sequence"]))]
    table = rows(len(whole), DEPARTED)
    table[:] = whole
    state.departed = table
    state.meta["departed"] = state.meta["departed_open"] = len(whole)
    state.meta["departed_sweep"] = 0
    state.index_departed()


def pending_departed(state: State) -> np.ndarray:
    """The Disconnects of removed subscriptions that have no proof yet, as OUTPUT rows."""
    kept = state.departed[: int(state.meta["departed"][0])]
    kept = kept[(np.asarray(kept["settled"]) == 0) & (np.asarray(kept["over"]) == 0)]
    effects = np.zeros(len(kept), OUTPUT)
    for effect, one in zip(effects, kept, strict=True):
        for name in ("imsi", "iccid", "generation", "gateway", "client", "apn", "address"):
            effect[name] = one[name]
        put_id(effect, one, one["stored_id"].tobytes(), int(one["whole_octets"]))
        effect["kind"], effect["row"], effect["subject"] = DISCONNECT, -1, one["imsi_reported"]
        effect["sequence"] = effect["opened_sequence"] = one["effect_sequence"]
        effect["index"] = effect["opened_index"] = one["effect_index"]
        effect["now"] = one["attempts"]
    return effects


def departed_id(state: State, sequence: int, index: int) -> bytes:
    """The long Acct-Session-Id of the session that this Disconnect was of, whole; empty where there is none."""
    kept = state.departed[: int(state.meta["departed"][0])]
    named = (np.asarray(kept["effect_sequence"]) == sequence) & (np.asarray(kept["effect_index"]) == index)
    for one in kept[named & (np.asarray(kept["whole_octets"]) != 0)]:
        return whole_of(id_octets_of(one)[:KEPT_OCTETS], one["stored_id"].tobytes(), int(one["whole_octets"]))
    return b""
