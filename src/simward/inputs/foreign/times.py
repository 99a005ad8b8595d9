"""Times as people and systems write them, as SQL that gives microseconds since 1970."""

from __future__ import annotations

import duckdb

from simward.errors import ConfigurationError, Problem
from simward.inputs.foreign import statements as sql
from simward.inputs.foreign.mapping import AUTO, DAY_FIRST, MONTH_FIRST, Mapping
from simward.inputs.foreign.source import SAMPLE_ROWS, Source

MICROS = 1_000_000
NUMERIC = r"'-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?'"
SPREADSHEET_DAYS = (20_000, 80_000)
"""Days since 1899-12-30, as spreadsheets count them, of the years 1954 to 2118; as seconds they would be in 1970."""
PARTED = r"'^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.](?:[0-9]{4}|[0-9]{2})(?:$|[ T,])'"
"""Day and month before the year, in either order."""
CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p")
SELDOM = (
    "%a %b %d %H:%M:%S %Y", "%Y.%m.%d %H:%M:%S", "%Y.%m.%d %H:%M", "%Y-%m-%d %H", "%d/%b/%y %I.%M.%S.%f %p",
    "%d/%b/%y %I.%M.%S %p",
)  # fmt: skip
NAMED_DAYS = ("%d/%b/%Y", "%d/%b/%y", "%d/%B/%Y", "%b %d %Y", "%B %d %Y")
YEAR = "(19|20)[0-9]{2}"
DAY = f"{YEAR}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
MINUTE = "([01][0-9]|2[0-3])[0-5][0-9]"
DIGITS = (
    (f"{DAY}{MINUTE}[0-5][0-9]", "%Y%m%d%H%M%S"), (f"{DAY}{MINUTE}", "%Y%m%d%H%M"),
    (f"{DAY}{MINUTE}[0-5][0-9][0-9]{{3}}", "%Y%m%d%H%M%S%g"), (DAY, "%Y%m%d"),
)  # fmt: skip
"""Times of digits alone, which as seconds or milliseconds would lie in another age."""


def moments(
    connection: duckdb.DuckDBPyConnection, source: Source, columns: dict[str, str], mapping: Mapping, file: str
) -> dict[str, str]:  # fmt: skip
    """How the times of a file are read: an expression over `began_at` and one over `ended_at`."""
    order = mapping.time if mapping.time in (DAY_FIRST, MONTH_FIRST) else DAY_FIRST
    if mapping.time == AUTO:
        for ours in ("began_at", "ended_at"):
            if ours in columns and (found := _order(connection, source, columns[ours], file, ours)):
                order = found
                break
    return {one: moment(one, mapping, order) for one in ("began_at", "ended_at")}


def moment(column: str, mapping: Mapping, order: str = DAY_FIRST) -> str:
    """us since 1970 of a text, NULL where it is none. Times that do not say their zone are of the session's."""
    number = f"try_cast({column} AS DOUBLE)"
    dashed = f"replace({column}, '/', '-')"
    offset = rf"regexp_replace({dashed}, '(:[0-9]{{2}}(?:[.][0-9]+)?) ?([+-][0-9]{{2}}):?([0-9]{{2}})$', '\1\2:\3')"
    iso = f"epoch_us(try_cast({offset} AS TIMESTAMPTZ))"
    origin = int(mapping.origin.timestamp()) * MICROS if mapping.origin else 0
    exact = {"epoch-s": MICROS, "epoch-ms": 1000, "epoch-us": 1}
    if mapping.time in exact:
        return f"{origin} + CAST({number} * {exact[mapping.time]} AS BIGINT)"
    if mapping.time == "iso":
        return iso
    if "%" in mapping.time:
        return strptime(column, (mapping.time,))
    by_size = (
        f"CASE WHEN {number} < 1e11 THEN {number} * 1e6 WHEN {number} < 1e14 THEN {number} * 1e3 "
        f"WHEN {number} < 1e17 THEN {number} ELSE {number} / 1e3 END"
    )
    least, most = SPREADSHEET_DAYS
    by_size = f"CASE WHEN {number} BETWEEN {least} AND {most} THEN ({number} - 25569) * 86400e6 ELSE {by_size} END"
    if origin:
        by_size = f"{origin} + {number} * 1e6"
    digits = " ".join(
        f"WHEN regexp_full_match({column}, {sql.text(pattern)}) THEN {strptime(column, (form,))}"
        for pattern, form in DIGITS
    )
    day = ("%d/%m/%Y", "%d/%m/%y") if order == DAY_FIRST else ("%m/%d/%Y", "%m/%d/%y")
    slashes = f"regexp_replace({column}, '^([0-9]{{1,2}})[-/. ]([0-9A-Za-z]+)[-/. ]', '\\1/\\2/')"
    spelled = f"regexp_replace({slashes}, '[ T,]+', ' ', 'g')"
    forms = tuple(f"{one} {clock}" for one in day for clock in CLOCKS) + day
    named = tuple(f"{one} {clock}" for one in NAMED_DAYS for clock in CLOCKS) + NAMED_DAYS + SELDOM
    plain = digits if not origin else ""
    return (
        f"CASE {plain} WHEN regexp_full_match({column}, {NUMERIC}) THEN CAST({by_size} AS BIGINT) "
        f"WHEN regexp_matches({column}, {PARTED}) THEN {strptime(spelled, forms)} "
        f"ELSE coalesce({iso}, {strptime(spelled, named)}) END"
    )


def strptime(value: str, forms: tuple[str, ...]) -> str:
    """us since 1970 by the first of the formats that fits, in the session's zone."""
    listed = ", ".join(sql.text(one) for one in forms)
    return f"epoch_us(CAST(try_strptime({value}, [{listed}]) AS TIMESTAMPTZ))"


def _order(
    connection: duckdb.DuckDBPyConnection, source: Source, column: str, file: str, ours: str
) -> str:  # fmt: skip
    """Which comes first, day or month, as the numbers above 12 show; empty where times are written otherwise."""
    value = f"trim(CAST({column} AS VARCHAR), ' ''\t')"
    where = f"FROM {source.given} WHERE regexp_matches({value}, {PARTED})"
    some_rows = f"SELECT {value} AS value FROM {source.given} LIMIT {SAMPLE_ROWS}"
    if not connection.execute(f"SELECT 1 FROM ({some_rows}) WHERE regexp_matches(value, {PARTED}) LIMIT 1").fetchone():
        return ""
    first, second, some = connection.execute(
        f"SELECT max(CAST(regexp_extract({value}, {PARTED}, 1) AS INTEGER)), "
        f"max(CAST(regexp_extract({value}, {PARTED}, 2) AS INTEGER)), any_value({value}) {where}"
    ).fetchone() or (0, 0, "")
    if first > 12 and second > 12:
        what = f"days and months change places in times like {some}"
        instead = "say how they are written: --time '%d/%m/%Y %H:%M:%S'"
        raise ConfigurationError([Problem(file, 1, ours, what, instead)])
    if first > 12 or second > 12:
        return DAY_FIRST if first > 12 else MONTH_FIRST
    if "." in some.partition(" ")[0]:
        return DAY_FIRST
    instead = f"say which: --time {DAY_FIRST} or --time {MONTH_FIRST}"
    what = f"in {some} either the day or the month comes first, and no number above 12 shows which"
    raise ConfigurationError([Problem(file, 1, ours, what, instead)])
