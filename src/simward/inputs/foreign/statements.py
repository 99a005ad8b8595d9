"""The SQL by which records become events: each function gives an expression or a statement for DuckDB.

Numbers are given to what is no identity of ours: a pseudonym is as good as a digit for telling one from another. They
lie in the test network 001-01 and under test TACs (TS 23.003 Annex; TS.06), so that none is anybody's.
"""

from __future__ import annotations

from simward.engine import events as ev
from simward.inputs.foreign.mapping import AUTO, DURATIONS, OCTETS, Mapping

MICROS = 1_000_000
COLUMN_NAMES = (
    "subscription", "began_at", "ended_at", "duration", "session", "cell", "area", "network", "rat", "device", "model",
    "apn", "address", "uplink", "downlink", "octets", "gateway", "use_case",
)  # fmt: skip
SERIALS = 1_000_000
"""Devices under one TAC."""
CELLS_FROM = (1 << 28) - 1
"""Cells without a number of ours are E-UTRAN cells, numbered downwards from here."""
EARLIEST_US = 631_152_000 * MICROS
"""1990: what is earlier is no time but a mistake of its unit."""
NETWORK = "regexp_full_match(regexp_replace(network, '[ -]', '', 'g'), '[0-9]{5,6}')"
IPV4 = "regexp_full_match(address, '[0-9]{1,3}([.][0-9]{1,3}){3}')"
NUMERIC = r"'-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?'"


def text(value: str) -> str:
    """A text in SQL."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """An identifier in SQL."""
    return '"' + value.replace('"', '""') + '"'


def moment(column: str, mapping: Mapping) -> str:
    """us since 1970 of a text, NULL where it is none. Times that do not say their zone are of the session's."""
    number = f"try_cast({column} AS DOUBLE)"
    iso = f"epoch_us(try_cast(replace({column}, '/', '-') AS TIMESTAMPTZ))"
    exact = {"epoch-s": MICROS, "epoch-ms": 1000, "epoch-us": 1}
    if mapping.time in exact:
        return f"CAST({number} * {exact[mapping.time]} AS BIGINT)"
    if mapping.time == "iso":
        return iso
    if mapping.time != AUTO:
        return f"epoch_us(CAST(try_strptime({column}, {text(mapping.time)}) AS TIMESTAMPTZ))"
    by_size = (
        f"CAST(CASE WHEN {number} < 1e11 THEN {number} * 1e6 WHEN {number} < 1e14 THEN {number} * 1e3 "
        f"WHEN {number} < 1e17 THEN {number} ELSE {number} / 1e3 END AS BIGINT)"
    )
    return f"CASE WHEN regexp_full_match({column}, {NUMERIC}) THEN {by_size} ELSE {iso} END"


def seconds(column: str, mapping: Mapping) -> str:
    """Whole seconds of a number in the mapping's unit, or of h:m:s; NULL where it is neither, or below 0."""
    plain = f"try_cast({column} AS DOUBLE) * {DURATIONS[mapping.duration]}"
    parts = f"string_split({column}, ':')"
    hours, minutes, rest = (f"try_cast({parts}[{place}] AS DOUBLE)" for place in (1, 2, 3))
    clock = f"{hours} * 3600 + {minutes} * 60 + {rest}"
    found = f"CASE WHEN len({parts}) = 3 THEN {clock} ELSE {plain} END"
    return f"CASE WHEN {found} BETWEEN 0 AND 2e9 THEN CAST({found} AS BIGINT) END"


def amount(column: str, mapping: Mapping) -> str:
    """Octets; NULL where it is no number, or below 0."""
    found = f"try_cast({column} AS DOUBLE) * {OCTETS[mapping.octets]}"
    return f"CASE WHEN {found} BETWEEN 0 AND {float(1 << 48)} THEN CAST({found} AS BIGINT) END"


def taken(columns: dict[str, str], given: str, mapping: Mapping) -> str:
    """The table of records: our columns as trimmed texts, NULL for what is absent; `given` is what reads the file."""
    absent = ", ".join(text(one) for one in mapping.absent)
    chosen = []
    for one in COLUMN_NAMES:
        if one not in columns:
            chosen.append(f"CAST(NULL AS VARCHAR) AS {one}")
            continue
        value = f"trim(CAST({columns[one]} AS VARCHAR))"
        chosen.append(f"CASE WHEN lower({value}) IN ({absent}) THEN NULL ELSE {value} END AS {one}")
    return f"SELECT {', '.join(chosen)} FROM {given}"


def read(mapping: Mapping) -> str:
    """The records with their times and amounts as numbers, and why a row tells nothing (`wrong`, NULL: it does)."""
    began, ended, lasted = moment("began_at", mapping), moment("ended_at", mapping), seconds("duration", mapping)
    up, down, both = (amount(one, mapping) for one in ("uplink", "downlink", "octets"))
    return f"""
        CREATE TABLE record AS
        SELECT *, CASE
            WHEN subscription IS NULL THEN 'no subscription'
            WHEN begun IS NULL THEN 'no time that can be read'
            WHEN begun NOT BETWEEN {EARLIEST_US} AND {10**18 - 1} THEN 'a time before 1990, or of another unit'
            WHEN over < begun THEN 'it ends before it begins'
        END AS wrong
        FROM (
            SELECT *, coalesce({ended}, begun + lasted_s * {MICROS}) AS over
            FROM (
                SELECT line, subscription, session, {began} AS begun, ended_at, {lasted} AS lasted_s,
                    cell, area, network, rat, device, model, apn, address, gateway, use_case,
                    {up} AS up, coalesce({down}, CASE WHEN uplink IS NULL THEN {both} END) AS down
                FROM said
            )
        )
    """


SUBSCRIPTIONS = """
    CREATE TABLE subscriber AS
    SELECT subscription, number, use_case,
        CASE WHEN regexp_full_match(subscription, '[0-9]{14,15}') THEN subscription
            ELSE '00101' || lpad(CAST(number AS VARCHAR), 10, '0') END AS imsi
    FROM (
        SELECT subscription, any_value(use_case) AS use_case, row_number() OVER (ORDER BY min(line)) AS number
        FROM record WHERE wrong IS NULL GROUP BY subscription
    )
"""
DEVICES = f"""
    CREATE TABLE device AS
    SELECT device, kind, CASE
            WHEN kind = 'imei' THEN device
            ELSE lpad(CAST(tac + serial // {SERIALS} AS VARCHAR), 8, '0')
                || lpad(CAST(serial % {SERIALS} AS VARCHAR), 6, '0')
        END AS imei
    FROM (
        SELECT *, 100000 + 10 * dense_rank() OVER (ORDER BY coalesce(model, '')) AS tac,
            row_number() OVER (PARTITION BY coalesce(model, '') ORDER BY line) AS serial
        FROM (
            SELECT device, any_value(model) AS model, min(line) AS line, CASE
                    WHEN regexp_full_match(device, '[0-9]{{14,16}}') THEN 'imei'
                    WHEN regexp_full_match(device, '[0-9]{{8}}') THEN 'tac' ELSE 'other' END AS kind
            FROM record WHERE wrong IS NULL AND device IS NOT NULL GROUP BY device
        )
    )
"""
"""Of 8 digits it is a TAC: then each subscription has a device of that model that is its own."""
CELLS = f"""
    CREATE TABLE place AS
    SELECT cell, area, CASE
            WHEN regexp_full_match(lower(cell), '(ecgi|ncgi|cgi|sai|rai):[0-9x]+(-[0-9x]+)?') THEN lower(cell)
            WHEN regexp_full_match(cell, '[0-9]{{3}}-[0-9]{{2,3}}-[0-9]{{1,5}}-[0-9]{{1,5}}')
                THEN 'cgi:' || string_split(cell, '-')[3] || '-' || string_split(cell, '-')[4]
            WHEN regexp_full_match(cell, '[0-9]{{1,5}}-[0-9]{{1,5}}') THEN 'cgi:' || cell
            WHEN regexp_full_match(cell, '[0-9]{{1,5}}') AND try_cast(area AS BIGINT) BETWEEN 0 AND 65535
                AND try_cast(cell AS BIGINT) < 65536 THEN 'cgi:' || area || '-' || cell
            WHEN regexp_full_match(cell, '[0-9]{{1,9}}') AND try_cast(cell AS BIGINT) < {CELLS_FROM // 2}
                THEN 'ecgi:' || cell
            ELSE 'ecgi:' || ({CELLS_FROM} - row_number() OVER (ORDER BY line)) END AS named,
        CASE WHEN regexp_full_match(cell, '[0-9]{{3}}-[0-9]{{2,3}}-[0-9]+-[0-9]+')
            THEN string_split(cell, '-')[1] || string_split(cell, '-')[2] END AS plmn
    FROM (
        SELECT cell, area, min(line) AS line FROM record WHERE wrong IS NULL AND cell IS NOT NULL GROUP BY cell, area
    )
"""
PARTS = """
    CREATE TABLE part AS
    SELECT *, coalesce(over, begun) AS until,
        row_number() OVER whole AS part,
        count(*) OVER (PARTITION BY subscription, named) AS parts,
        first_value(begun) OVER whole AS first_begun,
        sum(up) OVER (whole ROWS UNBOUNDED PRECEDING) AS up_sum,
        sum(down) OVER (whole ROWS UNBOUNDED PRECEDING) AS down_sum
    FROM (SELECT *, coalesce(session, 'r' || line) AS named FROM record WHERE wrong IS NULL)
    WINDOW whole AS (PARTITION BY subscription, named ORDER BY begun, line)
"""
"""Rows with the same `session` of one subscription are parts of one: their octets add up."""
JOINED = """
    SELECT p.*, s.imsi, s.number,
        CASE WHEN d.kind = 'tac' THEN p.device || lpad(CAST(s.number % 1000000 AS VARCHAR), 6, '0')
            ELSE d.imei END AS imei,
        c.named AS located, coalesce(regexp_replace(p.network, '[ -]', '', 'g'), c.plmn) AS plmn, t.number AS rat_number
    FROM part p JOIN subscriber s USING (subscription)
        LEFT JOIN device d ON d.device = p.device
        LEFT JOIN place c ON c.cell = p.cell AND c.area IS NOT DISTINCT FROM p.area
        LEFT JOIN technology t ON t.rat = p.rat
"""
_SHARED = f"""
    imsi, imei, CASE WHEN regexp_full_match(plmn, '[0-9]{{5,6}}') THEN plmn END AS plmn, located AS cell,
    coalesce(rat_number, 0) AS rat,
    CASE WHEN {IPV4} THEN address END AS address,
    CASE WHEN contains(address, ':') THEN address END AS ipv6_address, apn, coalesce(gateway, 'records') AS gateway,
    coalesce(gateway, 'records') AS client, left(named, 40) AS session_id
"""


def events() -> str:
    """All events in the order of time, in the columns of a file of events."""
    numbers = ("duration_s", "uplink_octets", "downlink_octets")
    nothing = ", ".join(f"CAST(NULL AS BIGINT) AS {one}" for one in numbers)
    ends = f"""
        CASE WHEN part = parts THEN {ev.ACCOUNTING_STOP} ELSE {ev.ACCOUNTING_INTERIM} END AS kind, {_SHARED},
        (until - first_begun) // {MICROS} AS duration_s, CAST(up_sum AS BIGINT) AS uplink_octets,
        CAST(down_sum AS BIGINT) AS downlink_octets
    """
    return f"""
        WITH joined AS ({JOINED})
        SELECT * EXCLUDE (line, rank) FROM (
            SELECT begun AS received_at, line, 1 AS rank, {ev.ACCESS_REQUEST} AS kind, {_SHARED}, {nothing}
                FROM joined WHERE part = 1
            UNION ALL
            SELECT begun + 1, line, 2, {ev.ACCOUNTING_START}, {_SHARED}, {nothing} FROM joined WHERE part = 1
            UNION ALL
            SELECT greatest(until, begun + 2), line, 0, {ends} FROM joined
        ) ORDER BY received_at, rank, line
    """
