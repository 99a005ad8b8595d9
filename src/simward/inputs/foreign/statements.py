"""The SQL by which records become events: each function gives an expression or a statement for DuckDB.

Numbers are given to what is no identity of ours: a pseudonym is as good as a digit for telling one from another. They
lie in the test network 001-01 and under test TACs (TS 23.003 Annex; TS.06), so that none is anybody's.
"""

from __future__ import annotations

from simward.engine import events as ev
from simward.inputs.foreign.mapping import Mapping
from simward.inputs.foreign.names import DURATIONS, OCTETS

MICROS = 1_000_000
COLUMN_NAMES = (
    "subscription", "began_at", "ended_at", "duration", "session", "cell", "area", "network", "rat", "device", "model",
    "apn", "address", "uplink", "downlink", "octets", "gateway", "use_case", "mcc", "mnc", "latitude", "longitude",
)  # fmt: skip
NUMBER_NAMES = ("began_at_us", "ended_at_us", "lasted_s", "uplink_b", "downlink_b", "octets_b")
"""What the texts say in numbers: us since 1970, s, octets."""
IDENTITIES = ("subscription", "device", "session", "cell", "area", "network", "mcc", "mnc")
SERIALS = 1_000_000
"""Devices under one TAC."""
CELLS_FROM = (1 << 28) - 1
"""Cells without a number of ours are E-UTRAN cells, numbered downwards from here."""
EARLIEST_US = 631_152_000 * MICROS
"""1990: what is earlier is no time but a mistake of its unit; so is what is later than 2100."""
LATEST_US = 4_102_444_800 * MICROS
SHARED_BY = 10
"""A device of more subscriptions is none."""
PARTS_APART_S = 25 * 3600
"""Rows of one session are not farther apart; else its id was used again."""
NETWORK = "regexp_full_match(regexp_replace(network, '[ -]', '', 'g'), '[0-9]{5,6}')"
IPV4 = "regexp_full_match(address, '[0-9]{1,3}([.][0-9]{1,3}){3}')"
SPOILT = "'[0-9]([.,][0-9]*)?[eE][+]?0?[0-9]{1,2}'"
"""A number that lost its last digits (choosing.is_spoilt); not what a hash looks like, such as `8e12345600000012`."""
DEGREES = "CASE WHEN try_cast({0} AS DOUBLE) BETWEEN -{1} AND {1} THEN try_cast({0} AS DOUBLE) END"
DIGITS = "regexp_replace(device, '[ /-]', '', 'g')"
EQUIPMENT = f"""
    CASE WHEN regexp_full_match({DIGITS}, '[0-9]{{14,16}}') THEN left({DIGITS}, 14) ELSE device END AS device,
    CASE WHEN regexp_full_match({DIGITS}, '[0-9]{{16}}') THEN right({DIGITS}, 2) END AS software
"""
"""TS 23.003 6.2: 14 digits are the device, whichever of check digit and software version follows. Systems write one
device now with, now without."""
PLACEHOLDERS = (
    f"({'|'.join(f'{one}+' for one in range(10))}|0?1234567890[0-9]*|00499901064000)"
)
"""What modems and systems say where there is no IMEI."""
SOMEWHERE = "abs(try_cast(latitude AS DOUBLE)) > 0.01 OR abs(try_cast(longitude AS DOUBLE)) > 0.01"
"""Not off the coast of Africa, where no coordinates are."""
WHERE = "coalesce(cell, latitude || ' ' || longitude) AS cell"
"""Coordinates are as good as a name."""


def text(value: str) -> str:
    """A text in SQL."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """An identifier in SQL."""
    return '"' + value.replace('"', '""') + '"'


def number(column: str) -> str:
    """DOUBLE of a text: a point or a comma before what is less than 1, commas between thousands."""
    thousands = f"regexp_full_match({column}, '-?[0-9]{{1,3}}(,[0-9]{{3}})+([.][0-9]+)?')"
    point = f"CASE WHEN {thousands} THEN '' ELSE '.' END"
    return f"try_cast(replace({column}, ',', {point}) AS DOUBLE)"


def seconds(column: str, unit: str) -> str:
    """Whole seconds of a number in that unit, or of h:m:s (after `1 days`, too); NULL where it is neither."""
    plain = f"{number(column)} * {DURATIONS[unit]}"
    clock = f"regexp_extract({column}, '([0-9]+:[0-9]+:[0-9.]+)$', 1)"
    days = f"coalesce(try_cast(regexp_extract({column}, '^([0-9]+) days?', 1) AS DOUBLE), 0)"
    parts = f"string_split({clock}, ':')"
    hours, minutes, rest = (f"try_cast({parts}[{place}] AS DOUBLE)" for place in (1, 2, 3))
    told = f"{days} * 86400 + {hours} * 3600 + {minutes} * 60 + {rest}"
    found = f"CASE WHEN contains({column}, ':') THEN {told} ELSE {plain} END"
    return f"CASE WHEN {found} BETWEEN 0 AND 2e9 THEN CAST({found} AS BIGINT) END"


def amount(column: str, unit: str) -> str:
    """Octets; NULL where it is no number, or below 0."""
    found = f"{number(column)} * {OCTETS[unit]}"
    return f"CASE WHEN {found} BETWEEN 0 AND {float(1 << 48)} THEN CAST({found} AS BIGINT) END"


def identity_text(column: str) -> str:
    """A number as it was before a spreadsheet or a program made a fraction of it: `12.0`, `3.5E+3`."""
    whole = f"CAST(try_cast(replace({column}, ',', '.') AS DOUBLE) AS HUGEINT)"
    digits = f"len(regexp_extract({column}, '^[0-9][.,]?([0-9]*)', 1))"
    intact = f"{digits} >= try_cast(regexp_extract({column}, '[eE][+]?([0-9]+)$', 1) AS BIGINT)"
    return (
        f"CASE WHEN regexp_full_match({column}, {SPOILT}) AND {intact} THEN CAST({whole} AS VARCHAR) "
        f"ELSE regexp_replace({column}, '^([0-9]+)[.]0+$', '\\1') END"
    )


def taken(columns: dict[str, str], given: str, mapping: Mapping, units: dict[str, str], moments: dict[str, str]) -> str:
    """The table of records: our columns as trimmed texts, NULL for what is absent, and what they say in numbers.

    `columns`: ours -> how its text is taken from a row of `given`; `moments`: how a time is read from the text.
    """
    absent = ", ".join(text(one) for one in mapping.absent)
    chosen = []
    for one in COLUMN_NAMES:
        if one not in columns:
            chosen.append(f"CAST(NULL AS VARCHAR) AS {one}")
            continue
        value = f"trim(CAST({columns[one]} AS VARCHAR), ' ''\t')"
        known = identity_text(value) if one in IDENTITIES else value
        chosen.append(f"CASE WHEN lower({value}) IN ({absent}) THEN NULL ELSE {known} END AS {one}")
    numbers = [f"{moments[one]} AS {one}_us" for one in ("began_at", "ended_at")]
    numbers.append(f"{seconds('duration', units.get('duration', 's'))} AS lasted_s")
    numbers += [f"{amount(one, units.get(one, 'B'))} AS {one}_b" for one in ("uplink", "downlink", "octets")]
    whole = ", ".join(one if one != "cell" else WHERE for one in COLUMN_NAMES)
    return f"SELECT {whole}, {', '.join(numbers)} FROM (SELECT {', '.join(chosen)} FROM {given})"


REPEATED = f"""
    DELETE FROM said WHERE line IN (
        SELECT line FROM (
            SELECT line, row_number() OVER (PARTITION BY hash({', '.join(COLUMN_NAMES)}) ORDER BY line) AS nth FROM said
        ) WHERE nth > 1
    )
"""
"""Rows that say the same as another in everything that is taken are one row."""
RECORDS = f"""
    CREATE TABLE record AS
    SELECT *, CASE
        WHEN subscription IS NULL THEN 'no subscription'
        WHEN regexp_full_match(subscription, {SPOILT}) THEN 'its subscription lost digits in a spreadsheet'
        WHEN began_at IS NULL AND ended_at IS NULL THEN 'no time'
        WHEN begun IS NULL THEN 'no time that can be read'
        WHEN begun NOT BETWEEN {EARLIEST_US} AND {LATEST_US} THEN 'a time before 1990 or after 2100, or of another unit'
        WHEN over < begun THEN 'it ends before it begins'
    END AS wrong
    FROM (
        SELECT *, coalesce(ended_at_us, begun + lasted_s * {MICROS}) AS over
        FROM (
            SELECT line, subscription, session, began_at, ended_at, ended_at_us,
                coalesce(began_at_us, ended_at_us - coalesce(lasted_s, 0) * {MICROS}) AS begun, lasted_s,
                cell, area, coalesce(network, mcc || lpad(mnc, CAST(greatest(len(mnc), 2) AS INTEGER), '0')) AS network,
                rat, {EQUIPMENT}, model, apn, address, gateway, use_case, latitude, longitude,
                uplink_b AS up, coalesce(downlink_b, CASE WHEN uplink IS NULL THEN octets_b END) AS down
            FROM said
        )
    )
"""
"""The records, and why a row tells nothing (`wrong`, NULL: it does)."""
FAR_APART = """
    UPDATE record SET cell = record.cell || ' ' || latitude || ' ' || longitude
    FROM (
        SELECT cell, area FROM record WHERE wrong IS NULL GROUP BY cell, area
        HAVING max(try_cast(latitude AS DOUBLE)) - min(try_cast(latitude AS DOUBLE)) > 0.1
            OR max(try_cast(longitude AS DOUBLE)) - min(try_cast(longitude AS DOUBLE)) > 0.2
    ) AS several
    WHERE record.cell = several.cell AND record.area IS NOT DISTINCT FROM several.area AND latitude IS NOT NULL
        AND longitude IS NOT NULL
"""
"""One number for cells that are 10 km apart is the number of several: their coordinates tell them apart."""
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
    SELECT device, kind, rows, CASE
            WHEN kind = 'imei' THEN device
            WHEN kind = 'tac' THEN device
            WHEN kind = 'model'
                THEN lpad(CAST(200000 + 10 * row_number() OVER (ORDER BY kind, line) AS VARCHAR), 8, '0')
            WHEN kind = 'none' THEN NULL
            ELSE lpad(CAST(tac + serial // {SERIALS} AS VARCHAR), 8, '0')
                || lpad(CAST(serial % {SERIALS} AS VARCHAR), 6, '0')
        END AS imei
    FROM (
        SELECT *, 100000 + 10 * dense_rank() OVER (ORDER BY coalesce(model, '')) AS tac,
            row_number() OVER (PARTITION BY coalesce(model, '') ORDER BY line) AS serial
        FROM (
            SELECT *, CASE
                    WHEN regexp_full_match(device, {text(PLACEHOLDERS)}) OR regexp_full_match(device, {SPOILT})
                        OR (shared_by > {SHARED_BY} AND NOT are_models) THEN 'none'
                    WHEN regexp_full_match(device, '[0-9]{{8}}') THEN 'tac'
                    WHEN shared_by > {SHARED_BY} THEN 'model'
                    WHEN regexp_full_match(device, '[0-9]{{14}}') THEN 'imei' ELSE 'other' END AS kind
            FROM (
                SELECT *, 2 * sum(rows) FILTER (shared_by > {SHARED_BY}) OVER () >= sum(rows) OVER () AS are_models
                FROM (
                    SELECT device, any_value(model) AS model, min(line) AS line, count(*) AS rows,
                        count(DISTINCT subscription) AS shared_by
                    FROM record WHERE wrong IS NULL AND device IS NOT NULL GROUP BY device
                )
            )
        )
    )
"""
"""Of 8 digits it is a TAC: then each subscription has a device of that model that is its own. So it has where many
name the same device, if most rows are such: then the column holds models. Where few are, it is what modems say that
have no IMEI."""
NO_DEVICES = """
    UPDATE record SET device = NULL, software = NULL FROM device d WHERE record.device = d.device AND d.kind = 'none'
"""
CELLS = f"""
    CREATE TABLE place AS
    SELECT cell, area, latitude, longitude, CASE
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
        SELECT cell, area, min(line) AS line,
            median({DEGREES.format('latitude', 90)}) FILTER ({SOMEWHERE}) AS latitude,
            median({DEGREES.format('longitude', 180)}) FILTER ({SOMEWHERE}) AS longitude
        FROM record WHERE wrong IS NULL AND cell IS NOT NULL GROUP BY cell, area
    )
"""
PARTS = f"""
    CREATE TABLE part AS
    SELECT *, coalesce(over, begun) AS until,
        row_number() OVER whole AS part,
        count(*) OVER (PARTITION BY subscription, named) AS parts,
        first_value(begun) OVER whole AS first_begun,
        lead(coalesce(up, 0) + coalesce(down, 0)) OVER whole AS moved_next,
        sum(up) OVER (whole ROWS UNBOUNDED PRECEDING) AS up_sum,
        sum(down) OVER (whole ROWS UNBOUNDED PRECEDING) AS down_sum
    FROM (
        SELECT * EXCLUDE (anew), CASE WHEN session IS NULL THEN 'r' || line
            ELSE CASE WHEN len(session) > 32 THEN md5(session) ELSE session END
                || CASE WHEN sum(anew) OVER one > 0 THEN '#' || CAST(sum(anew) OVER one AS INTEGER) ELSE '' END
            END AS named
        FROM (
            SELECT *, CASE
                WHEN session IS NULL THEN 0
                WHEN begun > max(coalesce(over, begun)) OVER (one ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                    + {PARTS_APART_S * MICROS} THEN 1
                WHEN device <> last_value(device IGNORE NULLS)
                    OVER (one ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 1
                ELSE 0 END AS anew
            FROM record WHERE wrong IS NULL
            WINDOW one AS (PARTITION BY subscription, session ORDER BY begun, line)
        )
        WINDOW one AS (PARTITION BY subscription, session ORDER BY begun, line)
    )
    WINDOW whole AS (PARTITION BY subscription, named ORDER BY begun, line)
"""
"""Rows with the same `session` of one subscription are parts of one: their octets add up. Ids are used again: what
comes more than a day later, or from another device, is another session."""
JOINED = """
    SELECT p.*, s.imsi, s.number,
        CASE WHEN d.kind IN ('tac', 'model') THEN d.imei || lpad(CAST(s.number % 1000000 AS VARCHAR), 6, '0')
            WHEN d.kind = 'imei' THEN d.imei || coalesce(p.software, '') ELSE d.imei END AS imei,
        c.named AS located, lead(c.named) OVER (PARTITION BY p.subscription, p.named ORDER BY p.part) AS next_located,
        t.number AS rat_number, c.latitude AS north, c.longitude AS east,
        p.subscription IN (SELECT subscription FROM part WHERE device IS NOT NULL) AS is_told,
        coalesce(regexp_replace(p.network, '[ -]', '', 'g'), c.plmn, CASE WHEN north IS NOT NULL THEN '00101' END)
            AS plmn
    FROM part p JOIN subscriber s USING (subscription)
        LEFT JOIN device d ON d.device = p.device
        LEFT JOIN place c ON c.cell = p.cell AND c.area IS NOT DISTINCT FROM p.area
        LEFT JOIN technology t ON t.rat = p.rat
"""
PACE = """
    SELECT quantile_cont(sessions, 0.999) FROM (
        SELECT count(*) AS sessions FROM part WHERE part = 1 GROUP BY subscription, begun // 3600000000
    )
"""
"""Sessions that a subscription seldom begins more of in an hour."""
_SHARED = f"""
    imsi, imei, CASE WHEN regexp_full_match(plmn, '[0-9]{{5,6}}') THEN plmn END AS plmn,
    coalesce(rat_number, 0) AS rat,
    CASE WHEN {IPV4} THEN address END AS address,
    CASE WHEN contains(address, ':') THEN address END AS ipv6_address, apn, coalesce(gateway, 'records') AS gateway,
    coalesce(gateway, 'records') AS client, named AS session_id
"""


PLACED = f"""
    SELECT plmn, located AS cell, format('{{:.6f}}', any_value(north)) AS latitude,
        format('{{:.6f}}', any_value(east)) AS longitude
    FROM ({JOINED}) WHERE north IS NOT NULL AND east IS NOT NULL AND regexp_full_match(plmn, '[0-9]{{5,6}}')
    GROUP BY plmn, located ORDER BY plmn, located
"""
"""The cells whose coordinates the records tell, as `cells.csv` has them."""


def events() -> str:
    """All events in the order of time, in the columns of a file of events.

    Records tell where they began: what ends has the place where the next part begins, or none.
    Where the device is not said but is at other times, there is no request: it was asked for with the device, which
    these records only leave out. An interim says that its device was still there. The end of a part shows that only
    where the next one moved data: a context that nobody took down goes on being recorded after its SIM was moved.
    """
    numbers = ("duration_s", "uplink_octets", "downlink_octets")
    nothing = ", ".join(f"CAST(NULL AS BIGINT) AS {one}" for one in numbers)
    ends = f"""
        CASE WHEN part = parts THEN {ev.ACCOUNTING_STOP} ELSE {ev.ACCOUNTING_INTERIM} END AS kind,
        next_located AS cell, {_SHARED},
        (until - first_begun) // {MICROS} AS duration_s, CAST(up_sum AS BIGINT) AS uplink_octets,
        CAST(down_sum AS BIGINT) AS downlink_octets
    """
    return f"""
        WITH joined AS ({JOINED})
        SELECT * EXCLUDE (line, rank) FROM (
            SELECT begun AS received_at, line, 1 AS rank, {ev.ACCESS_REQUEST} AS kind, located AS cell, {_SHARED},
                {nothing} FROM joined WHERE part = 1 AND (imei IS NOT NULL OR NOT is_told)
            UNION ALL
            SELECT begun + 1, line, 2, {ev.ACCOUNTING_START}, located, {_SHARED}, {nothing} FROM joined WHERE part = 1
            UNION ALL
            SELECT greatest(until, begun + 2), line, 0, {ends} FROM joined WHERE part = parts OR moved_next > 0
        ) ORDER BY received_at, rank, line
    """
