"""Who held an address at a time, and how sure the journal is of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simward import identity
from simward.engine import events as ev
from simward.engine.held import Held, without_address
from simward.engine.journal import EVENTS, INVENTORY, Journal, Layout, Row, row_events
from simward.engine.past_sessions import PastSession, SessionBook
from simward.engine.phrases import when
from simward.engine.tables import InventoryDelta
from simward.engine.words import Lexicon

SURE, LIKELY, DOUBTFUL = "certain", "likely", "doubtful"


class Holders:
    """Feed it every row in order; then ask `at`."""

    def __init__(self, wanted: Held, lexicon: Lexicon) -> None:
        self._wanted = wanted
        self._lexicon = lexicon
        self._book = SessionBook(lexicon)
        self._sessions: list[PastSession] = []
        self._inventories: list[np.ndarray] = []

    def take(self, row: Row, layouts: Mapping[str, Layout]) -> None:
        """Pick out of one row what is about the address."""
        self._lexicon.take(row)
        if row.kind == INVENTORY:
            self._inventories.append(InventoryDelta.from_bytes(row.inputs).upserts)
        if row.kind != EVENTS:
            return
        events = row_events(row, layouts)
        kind = events["kind"]
        # A Stop may leave out its addresses: those are looked at one by one.
        silent = (kind == ev.ACCOUNTING_STOP) & without_address(events)
        about = self._wanted.among(events) | (kind == ev.ACCOUNTING_ON) | (kind == ev.ACCOUNTING_OFF) | silent
        for position in np.flatnonzero(about).tolist():
            event = events[position]
            if silent[position] and event not in self._book:
                continue
            for session in self._book.take(event):
                if not any(session is known for known in self._sessions[-64:]):
                    self._sessions.append(session)

    def unnamed(self) -> list[PastSession]:
        """Sessions that say whose they are by their Class alone."""
        return [one for one in self._sessions if one.decision and not (one.imsi or one.user or one.msisdn)]

    def at(self, moment: int) -> list[dict[str, Any]]:
        """The sessions that held the address at `moment`, the most certain first."""
        found = [self._told(one, moment) for one in self._sessions if _held(one, moment)]
        return sorted(found, key=lambda one: ((SURE, LIKELY, DOUBTFUL).index(one["sure"]), one["from"]))

    def _told(self, session: PastSession, moment: int) -> dict[str, Any]:
        sure, why = self._sureness(session, moment)
        imsi, iccid = self._subscription(session)
        return {
            "sure": sure,
            "why": why,
            "imsi": identity.imsi_text(imsi) or None,
            "iccid": identity.iccid_text(iccid) or None,
            "device": session.facts.get("device"),
            "software": session.facts.get("software"),
            "from": when(session.began_at),
            "until": when(session.ended_at) if session.ended_at else None,
            "last_heard": when(session.last_at),
            "ended": session.how or None,
            "apn": session.facts.get("apn"),
            "address": session.facts.get("address"),
            "prefix": session.facts.get("prefix"),
            "ipv6_address": session.facts.get("ipv6_address"),
            "delegated": session.facts.get("delegated"),
            "gateway": session.gateway or None,
            "session_id": session.session_id,
        }

    def _sureness(self, session: PastSession, moment: int) -> tuple[str, str]:
        apn = session.facts.get("apn")
        later = [one for one in self._sessions if one is not session and session.began_at < one.began_at <= moment]
        later = [one for one in later if one.facts.get("apn") == apn]
        if later and moment > session.last_at:
            return DOUBTFUL, "no Stop by then, and another session has taken the address in the same APN"
        if not session.start_seen:
            return LIKELY, "no Start was reported; when it began is reckoned from the reported duration"
        if session.ended_at and session.how.startswith("gateway"):
            how = SURE if moment <= session.last_at else LIKELY
            return how, "ended by a restart of its gateway, without a Stop of its own"
        if session.ended_at:
            return SURE, "Start and Stop were reported"
        if moment <= session.last_at:
            return SURE, "reported before and after"
        return LIKELY, "no Stop so far; nothing was reported after this time yet"

    def _subscription(self, session: PastSession) -> tuple[int, int]:
        """IMSI and ICCID, by the inventory where the session itself did not say its IMSI."""
        for rows in reversed(self._inventories):
            for column, number in (
                ("imsi", session.imsi), ("msisdn", session.msisdn), ("imsi", session.msisdn), ("imsi", session.user),
                ("msisdn", session.user),
            ):  # fmt: skip
                if not number:
                    continue
                found = np.flatnonzero(rows[column] == number)
                if len(found):
                    return int(rows["imsi"][found[-1]]), int(rows["iccid"][found[-1]])
        return session.imsi, 0


def _held(session: PastSession, moment: int) -> bool:
    return session.began_at <= moment and (session.live or moment < session.ended_at)


def who_held(journal: Journal, lexicon: Lexicon, wanted: Held, moment: int) -> list[dict[str, Any]]:
    """Who held an address at `moment`; read from all rows, since a later report may be about that time."""
    holders = Holders(wanted, lexicon)
    for row in journal.rows():
        holders.take(row, journal.layouts)
    for session in holders.unnamed():
        asked = request_of(journal, session.decision)
        if asked is not None:
            session.imsi, session.user, session.msisdn = (int(asked[name]) for name in ("imsi", "user", "msisdn"))
    return holders.at(moment)


def request_of(journal: Journal, decision: int) -> Any | None:
    """The request (an EVENT row) that was decided at that sequence; None where the journal no longer reaches it."""
    row = next(iter(journal.rows(after=decision - 1)), None)
    if row is None or row.kind != EVENTS or not row.first <= decision <= row.last:
        return None
    return row_events(row, journal.layouts)[decision - row.first]
