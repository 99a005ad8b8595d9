"""Tables: what a page says of one, and the same rows as CSV and JSON for whoever takes them elsewhere."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.responses import Response, StreamingResponse

from simward.control.console.pages import HEADERS

EXPORTED_MOST = 100_000
PAGE_ROWS, EXPORT_PAGE_ROWS = 50, 1000

Format = Annotated[Literal["html", "csv", "json"], Query(description="csv and json: all rows, up to EXPORTED_MOST.")]
FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = Mapping[str, Any]
NextPage = Callable[[str | None], Awaitable[tuple[Sequence[Row], str | None]]]
"""The rows behind a cursor (None: the first), and the cursor of the next page."""


@dataclass(frozen=True)
class Column:
    """One column."""

    label: str
    sort: str = ""
    """What `?sort=` calls it; empty: it cannot be sorted by."""
    numeric: bool = False
    wide: bool = False
    """It is left out where there is little room."""


@dataclass(frozen=True)
class Empty:
    """What a table says that has no rows: what that means, and what to do next."""

    title: str
    text: str = ""
    url: str = ""
    label: str = ""


FURTHER = Empty("None so far", "What was looked through has none that fits. The next page looks further.")


@dataclass(frozen=True)
class Listing:
    """A table of a page, as the macro `table` of `ui.html` shows it."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Any]
    empty: Empty
    next: str | None = None
    sort: str = ""
    """`name`, or `-name` for the other way round."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """What it is filtered by now."""
    is_first: bool = True
    exports: bool = True
    table: str = ""
    """What `?table=` calls it in its export, where a page has more than one."""

    @property
    def nothing(self) -> Empty:
        """What is said where this page has no rows: perhaps a further one has (`registry.walking`)."""
        return self.empty if self.next is None else FURTHER

    def sorted_by(self, column: Column) -> str:
        """`ascending`, `descending` or `none`, as `aria-sort` has it."""
        if not column.sort or self.sort.removeprefix("-") != column.sort:
            return "none"
        return "descending" if self.sort.startswith("-") else "ascending"

    def other_way(self, column: Column) -> str:
        """What `?sort=` is when its heading is pressed."""
        return column.sort if self.sort == f"-{column.sort}" else f"-{column.sort}"


def export(format: Literal["csv", "json"], name: str, pages: NextPage) -> Response:
    """All rows as a file, page by page as they are read; at most EXPORTED_MOST."""
    made, kind = (_as_csv, "text/csv; charset=utf-8") if format == "csv" else (_as_json, "application/json")
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="simward-{name}.{format}"'}
    return StreamingResponse(made(_rows(pages)), headers=headers, media_type=kind)


def whole(rows: Sequence[Row]) -> NextPage:
    """The pages of a table that is all there."""

    async def only(after: str | None) -> tuple[Sequence[Row], str | None]:
        return rows, None

    return only


async def _rows(pages: NextPage) -> AsyncIterator[Sequence[Row]]:
    left, after = EXPORTED_MOST, None
    while left > 0:
        rows, after = await pages(after)
        yield rows[:left]
        left -= len(rows)
        if after is None:
            return


async def _as_json(pages: AsyncIterator[Sequence[Row]]) -> AsyncIterator[str]:
    first = True
    async for rows in pages:
        for row in rows:
            yield ("[\n" if first else ",\n") + json.dumps(row, ensure_ascii=False)
            first = False
    yield "[]\n" if first else "\n]\n"


async def _as_csv(pages: AsyncIterator[Sequence[Row]]) -> AsyncIterator[str]:
    names: list[str] | None = None
    async for rows in pages:
        text = io.StringIO()
        writer = csv.writer(text)
        for row in rows:
            if names is None:
                names = list(row)
                writer.writerow(names)
            writer.writerow([_cell(row.get(name)) for name in names])
        yield text.getvalue()


def _cell(value: Any) -> Any:
    """A value as spreadsheets take it: what somebody else wrote is never a formula to them (OWASP, CSV injection)."""
    if isinstance(value, dict | list | tuple):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(FORMULA):
        return "'" + value
    return value
