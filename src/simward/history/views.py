"""SQL over history as people read it: identities as digits, times as timestamps, numbers with names by their names.

Made from the layouts by field name: a field that is new is a column at once, as the number that it is.
"""

from __future__ import annotations

import numpy as np

from simward.detectors.detector import RESPONSE_NAMES, SEVERITY_NAMES
from simward.engine import events as ev
from simward.engine import outputs as out
from simward.engine.phrases import TERMINATE_CAUSES
from simward.engine.words import SHARD
from simward.identity import CELL_KINDS, CELL_SHIFT, ECGI, NCGI, rat_text


def named(column: str, names: list[str]) -> str:
    """A number by its name; NULL for those without one."""
    cases = " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(names) if name)
    return f'CASE "{column}" {cases} END'


def digits(column: str, front: str = "") -> str:
    """A prefix-1 decimal as its digits, NULL for 0."""
    return f"""CASE WHEN "{column}" > 0 THEN '{front}' || substr(CAST("{column}" AS VARCHAR), 2) END"""


def time(column: str) -> str:
    """Microseconds as a timestamp (UTC), NULL for 0."""
    return f'CASE WHEN "{column}" > 0 THEN make_timestamp("{column}") END'


def text(column: str) -> str:
    """The text behind a number, NULL for none."""
    return f"""CASE WHEN "{column}" > 0 THEN getvariable('texts')["{column}" + 1] END"""


def address(column: str) -> str:
    """An IPv4 address in dotted form, NULL for 0."""
    parts = " || '.' || ".join(f'CAST(("{column}" >> {shift}) & 255 AS VARCHAR)' for shift in (24, 16, 8, 0))
    return f'CASE WHEN "{column}" > 0 THEN {parts} END'


def cell(column: str) -> str:
    """A cell as policies and `events` write it, NULL for 0."""
    value = f'("{column}" & {(1 << CELL_SHIFT) - 1})'
    cases = ""
    for name, kind in CELL_KINDS.items():
        whole = f"CAST({value} AS VARCHAR)"
        halves = f"CAST({value} >> 16 AS VARCHAR) || '-' || CAST({value} & 65535 AS VARCHAR)"
        cases += f" WHEN {kind} THEN '{name}:' || {whole if kind in (ECGI, NCGI) else halves}"
    return f'CASE "{column}" >> {CELL_SHIFT}{cases} END'


def prefix(high: str, low: str, length: str) -> str:
    """An IPv6 prefix (or, of length 128, address) in text; NULL for length 0."""
    groups = _shortest(f"{_groups(high)} || ':' || {_groups(low)}" if low else f"{_groups(high)} || ':0:0:0:0'")
    bits = f"""CASE WHEN "{length}" < 128 THEN '/' || CAST("{length}" AS VARCHAR) ELSE '' END"""
    return f'CASE WHEN "{length}" > 0 THEN {groups} || {bits} END'


def whole_address(high: str, low: str) -> str:
    """An IPv6 address in text; NULL where both halves are 0."""
    groups = _shortest(f"{_groups(high)} || ':' || {_groups(low)}")
    return f'CASE WHEN "{high}" <> 0 OR "{low}" <> 0 THEN {groups} END'


def _groups(half: str) -> str:
    """Four groups of an IPv6 address."""
    return " || ':' || ".join(f"format('{{:x}}', (\"{half}\" >> {shift}) & 65535)" for shift in (48, 32, 16, 0))


def _shortest(groups: str) -> str:
    """Eight groups with the first of their longest runs of zeros left out (RFC 5952 4.2), as the commands write them.

    Longer runs are tried first; where one has been left out, the later patterns find no eight groups any more.
    """
    made = f"':' || {groups} || ':'"
    for run in range(8, 1, -1):
        made = rf"regexp_replace({made}, '^((?::[^:]+)*?):(?:0:){{{run}}}((?:[^:]+:)*)$', '\1::\2')"
    return rf"regexp_replace(regexp_replace({made}, '^:([^:])', '\1'), '([^:]):$', '\1')"


def octets(column: str) -> str:
    """Octets as text, without the zeros that fill them up; what is not printable is escaped, NULL for none."""
    return rf"""nullif(regexp_replace(CAST("{column}" AS VARCHAR), '(\\x00)+$', ''), '')"""


def hexadecimal(column: str) -> str:
    """A number as 16 hexadecimal digits, NULL for 0."""
    return f"""CASE WHEN "{column}" <> 0 THEN format('{{:016x}}', "{column}") END"""


def _numbered(names: dict[int, str]) -> list[str]:
    return [names.get(number, "") for number in range(max(names) + 1)]


COMMAND = f"kind BETWEEN {ev.COMMANDS[0]} AND {ev.COMMANDS[-1]}"
RESULT = f"kind IN ({ev.EFFECT_RESULT}, {ev.CHANGE_RESULT})"
RATS = [rat_text(number) if not rat_text(number).startswith("rat-") else "" for number in range(64)]

EVENT_COLUMNS = {
    "received_at": time("received_at"), "happened_at": time("happened_at"),
    "kind": named("kind", _numbered(ev.KIND_NAMES)), "imsi": digits("imsi"), "user": digits("user"),
    "msisdn": digits("msisdn", "+"), "imei": "CASE WHEN imei > 0 THEN lpad(CAST(imei AS VARCHAR), 14, '0') END",
    "plmn": digits("plmn"), "cell": cell("cell"), "rat": named("rat", RATS), "apn": text("apn"),
    "address": address("address"), "gateway": text("gateway"), "client": text("client"),
    "session_id": octets("session_id"),
    "cause": f"CASE WHEN NOT {RESULT} THEN {named('cause', _numbered(TERMINATE_CAUSES))} END AS terminate_cause, "
             f"CASE WHEN {RESULT} THEN {named('cause', list(ev.EFFECT_RESULT_NAMES))} END",
    "argument": f"CASE WHEN {RESULT} AND argument > 0 THEN argument END",
    "prefix_high": prefix("prefix_high", "prefix_low", "prefix_length"),
    "delegated_high": prefix("delegated_high", "", "delegated_length"),
    "ipv6_high": whole_address("ipv6_high", "ipv6_low"),
    "pdp_type": named("pdp_type", list(ev.PDP_NAMES)), "multi_session": hexadecimal("multi_session"),
    "class_token": f"CASE WHEN class_token > 0 THEN '{SHARD}/' || CAST(class_token AS VARCHAR) END",
    "credentials": named("credentials", list(ev.CREDENTIALS_NAMES)),
    "subject": f"CASE WHEN {COMMAND} THEN {digits('subject', '89')} END",
}  # fmt: skip
EVENT_NAMES = {
    "cause": "result", "argument": "error_cause", "subject": "iccid", "prefix_high": "prefix",
    "delegated_high": "delegated", "ipv6_high": "ipv6_address", "multi_session": "multi_session_id",
    "class_token": "decision",
}  # fmt: skip
LEFT_OUT = (
    "session_id_octets", "spare", "event", "prefix_low", "prefix_length", "delegated_length", "ipv6_low",
    "class_row", "class_check", "before", "after",
)  # fmt: skip
"""Fields that are part of a column, or mean nothing by themselves; in `raw_events` and `raw_outputs` they are."""

OUTPUT_COLUMNS = {
    "at": time("at"), "kind": named("kind", list(out.KIND_NAMES)),
    "imsi": digits("imsi"), "iccid": digits("iccid", "89"),
    "gateway": text("gateway"), "client": text("client"), "apn": text("apn"), "address": address("address"),
    "severity": named("severity", list(SEVERITY_NAMES)), "response": named("response", list(RESPONSE_NAMES)),
    "wanted": named("wanted", list(RESPONSE_NAMES)), "held": named("held", list(out.HELD_NAMES)),
    "verdict": named("verdict", list(out.VERDICT_NAMES)), "event_kind": named("event_kind", _numbered(ev.KIND_NAMES)),
    "session_id": octets("session_id"),
}  # fmt: skip


def events_view() -> str:
    """SELECT list of the view `events`, over `raw_events`."""
    unsaid = ev.empty(1)[0]
    parts = [f"'{SHARD}/' || CAST(sequence AS VARCHAR) AS id"]
    for name in ev.EVENT.names or ():
        if name in LEFT_OUT:
            continue
        written = EVENT_COLUMNS.get(name) or _plain(name, ev.EVENT, unsaid[name])
        parts.append(f'{written} AS "{EVENT_NAMES.get(name, name)}"')
    return ", ".join(parts)


def outputs_view() -> str:
    """SELECT list of the view `outputs`, over `raw_outputs`."""
    parts = [f"'{SHARD}/' || CAST(sequence AS VARCHAR) || '/' || CAST(\"index\" AS VARCHAR) AS id"]
    for name in out.OUTPUT.names or ():
        if name not in LEFT_OUT:
            parts.append(f'{OUTPUT_COLUMNS.get(name) or _plain(name, out.OUTPUT, None)} AS "{name}"')
    return ", ".join(parts)


def _plain(name: str, dtype: np.dtype, unsaid: object) -> str:
    """A field as it is; NULL where it is -1 and that means that it was not reported."""
    kind = dtype.fields[name][0]  # type: ignore[index]
    if kind.subdtype is not None or kind.kind not in "iuf":
        return octets(name)
    return f'nullif("{name}", -1)' if unsaid is not None and unsaid == -1 else f'"{name}"'
