"""`events`: what happened, as it stands in the journal, one JSON object a line or a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import numpy as np

from simward import identity
from simward.commands.folder import Folder
from simward.commands.moments import MOMENT
from simward.commands.printing import json_line, stream
from simward.engine import events as ev
from simward.engine.journal import EVENTS, Row, row_events
from simward.engine.phrases import address_text, ipv6_text, prefix_text, terminate_cause_text, when
from simward.engine.story import Subject, look_up
from simward.engine.words import SHARD, Lexicon, session_id_text
from simward.errors import UsageError

COLUMNS = (
    ("received", 24), ("kind", 18), ("subscription", 19), ("device", 17), ("network", 7), ("rat", 6), ("cell", 15),
    ("gateway", 10), ("apn", 14), ("address", 15), ("session", 16),
)  # fmt: skip
FLAGS = (
    (ev.FLAG_IMEI_UNREADABLE, "imei-unreadable"), (ev.FLAG_LOCATION_UNREADABLE, "location-unreadable"),
    (ev.FLAG_SESSION_ID_CUT, "session-id-cut"), (ev.FLAG_TIMESTAMP, "event-timestamp"),
    (ev.FLAG_PREFIX_UNREADABLE, "prefix-unreadable"), (ev.FLAG_PLAN_DEVICE, "plan-device"),
    (ev.FLAG_PLAN_PLACE, "plan-place"),
)  # fmt: skip


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--count", is_flag=True, help="Print only how many there are.")
@click.option("--imsi", "who", help="Only those of one subscription: IMSI, ICCID or MSISDN.")
@click.option("--kind", type=click.Choice(sorted(ev.KIND_NAMES.values())), help="Only those of one kind.")
@click.option("--since", type=MOMENT, help="Only those received since then (2h, 2026-11-23T14:00Z).")
@click.option("--ticks", is_flag=True, help="With the gate's ticks, of which there is one a second.")
@click.pass_obj
def events(
    folder: Folder, as_json: bool, count: bool, who: str | None, kind: str | None, since: int | None, ticks: bool
) -> None:
    """List what happened, as journalled.

    \b
    Keys of an object, null where it was not reported:
      id              shard/sequence; sequences count every kept input, so ticks and revisions leave gaps
      kind            access-request, accounting-start, -interim, -stop, -on, -off, lock, release, disconnect,
                      pause, resume, effect-result (what a gateway said to a Disconnect-Request), change-result (to a
                      CoA-Request), tick
      received_at     by the gate's clock, UTC; happened_at: as the gateway reported it
      imsi, user, msisdn, iccid     the identity as given (iccid: of a command)
      imei, software  device (14 digits) and software version
      plmn, area, cell, rat         visited network, LAC or TAC, cell, radio technology
      apn, address, gateway, client NAS-Identifier and the name of the configured RADIUS client
      prefix          IPv6 prefix, or the address where there is none; delegated: the delegated prefix
      ipv6_address    Framed-IPv6-Address; pdp_type: what was asked for
      session_id      Acct-Session-Id; multi_session_id: what Acct-Multi-Session-Id is known by
      decision        id of the decision that allowed the session, as its Class says
      uplink_octets, downlink_octets, duration_s, terminate_cause
      credentials     of a request whose segment asks for them: right, wrong or missing
      result, error_cause           of an effect-result or a change-result
      flags           what could not be read, and where happened_at comes from

    Over --server these are the events that webhooks send, as CloudEvents; --imsi takes an IMSI there.
    """
    if folder.server is not None:
        if kind or ticks:
            raise UsageError("--kind, --ticks: of the journal alone, which is not read over --server")
        _announced(folder.server.events(who, since), as_json, count)
        return
    matching = _Matching(who, kind, since, ticks)
    with folder.reading() as journal:
        lexicon = Lexicon(journal.manifest)
        if matching.subject is not None:
            look_up(journal.revisions(), matching.subject)
        if count:
            found = (row for row in _rows(journal, matching.subject, since) if row.kind == EVENTS)
            click.echo(sum(matching.how_many(row, row_events(row, journal.layouts)) for row in found))
            return
        rows = _told(journal, lexicon, matching, _rows(journal, matching.subject, since))
        if as_json:
            for one in rows:
                json_line(one)
        else:
            stream(COLUMNS, (_cells(one) for one in rows))


def _announced(found: Iterator[Any], as_json: bool, count: bool) -> None:
    if count:
        click.echo(sum(1 for _ in found))
    elif as_json:
        for one in found:
            json_line(one)
    else:
        columns = (("time", 24), ("type", 24), ("subject", 24), ("use case", 16), ("id", 40))
        stream(columns, ([one[name] for name in ("time", "type", "subject")] + [one.get("usecase"), one["id"]]
                         for one in found))  # fmt: skip


class _Matching:
    """Which events are wanted."""

    def __init__(self, who: str | None, kind: str | None, since: int | None, ticks: bool) -> None:
        self.subject = Subject.parse(who) if who else None
        self._kind = {name: number for number, name in ev.KIND_NAMES.items()}[kind] if kind else 0
        self._since, self._ticks = since or 0, ticks or kind == "tick"

    def positions(self, row: Row, events: np.ndarray) -> np.ndarray:
        """Where in the array of a row the wanted events are."""
        wanted = np.ones(len(events), np.bool_)
        if not self._ticks:
            wanted &= events["kind"] != ev.TICK
        if self._kind:
            wanted &= events["kind"] == self._kind
        if self._since:
            wanted &= events["received_at"] >= self._since
        if self.subject is not None:
            mine = np.zeros(len(events), np.bool_)
            mine[self.subject.among_events(events, with_what_concerns_all=False, first=row.first)] = True
            wanted &= mine
        return np.flatnonzero(wanted)

    def how_many(self, row: Row, events: np.ndarray) -> int:
        """How many of a row's events are wanted."""
        return len(self.positions(row, events))


def _rows(journal: Any, subject: Subject | None, since: int | None) -> Iterator[Row]:
    """The rows in which what is wanted can be, and those that bring texts."""
    return journal.rows_about(subject.numbers(), since or 0) if subject else journal.rows_since(since or 0)


def _told(journal: Any, lexicon: Lexicon, matching: _Matching, rows: Iterator[Row]) -> Iterator[dict[str, Any]]:
    for row in rows:
        lexicon.take(row)
        if row.kind == EVENTS:
            found = row_events(row, journal.layouts)
            for position in matching.positions(row, found):
                yield told(found[position], row.first + int(position), lexicon)


def told(event: Any, sequence: int, lexicon: Lexicon) -> dict[str, Any]:
    """One event as JSON."""
    kind = int(event["kind"])
    command = kind in ev.COMMANDS
    result = kind in (ev.EFFECT_RESULT, ev.CHANGE_RESULT)
    return {
        "id": f"{SHARD}/{sequence}",
        "kind": ev.KIND_NAMES.get(kind, f"kind-{kind}"),
        "received_at": when(event["received_at"]),
        "happened_at": when(event["happened_at"]) if event["happened_at"] else None,
        "imsi": identity.imsi_text(int(event["imsi"])) or None,
        "user": identity.imsi_text(int(event["user"])) or None,
        "msisdn": identity.msisdn_text(int(event["msisdn"])) or None,
        "iccid": (identity.iccid_text(int(event["subject"])) or None) if command else None,
        "imei": identity.imei_text(int(event["imei"])) or None,
        "software": int(event["software"]) if event["software"] >= 0 else None,
        "plmn": identity.plmn_text(int(event["plmn"])) or None,
        "area": int(event["area"]) if event["area"] >= 0 else None,
        "cell": identity.cell_text(int(event["cell"])) or None,
        "rat": identity.rat_text(int(event["rat"])) or None,
        "apn": lexicon.text(event["apn"]) or None,
        "address": address_text(event["address"]) if event["address"] else None,
        "prefix": prefix_text(event["prefix_high"], event["prefix_low"], int(event["prefix_length"])) or None,
        "ipv6_address": ipv6_text(event["ipv6_high"], event["ipv6_low"]) or None,
        "delegated": prefix_text(event["delegated_high"], 0, int(event["delegated_length"])) or None,
        "pdp_type": ev.PDP_NAMES[int(event["pdp_type"])] or None,
        "gateway": lexicon.text(event["gateway"]) or None,
        "client": lexicon.text(event["client"]) or None,
        "session_id": session_id_text(event),
        "multi_session_id": f"{int(event['multi_session']):016x}" if event["multi_session"] else None,
        "decision": f"{SHARD}/{int(event['class_token'])}" if event["class_token"] else None,
        "uplink_octets": int(event["uplink_octets"]) if event["uplink_octets"] >= 0 else None,
        "downlink_octets": int(event["downlink_octets"]) if event["downlink_octets"] >= 0 else None,
        "duration_s": int(event["duration_s"]) if event["duration_s"] >= 0 else None,
        "terminate_cause": terminate_cause_text(event["cause"]) or None if not result else None,
        "credentials": ev.CREDENTIALS_NAMES[int(event["credentials"])] or None,
        "result": ev.EFFECT_RESULT_NAMES[int(event["cause"])] if result else None,
        "error_cause": int(event["argument"]) if result and event["argument"] > 0 else None,
        "flags": [name for flag, name in FLAGS if int(event["flags"]) & flag],
    }


def _cells(one: dict[str, Any]) -> list[Any]:
    who = one["imsi"] or one["user"] or one["msisdn"] or one["iccid"]
    device = one["imei"] and one["imei"] + (f"/{one['software']:02d}" if one["software"] is not None else "")
    place = [one[name] for name in ("plmn", "rat", "cell", "gateway", "apn")]
    place += [one["address"] or one["prefix"], one["session_id"]]
    return [one["received_at"][:23] + "Z", one["kind"], who, device, *place]
