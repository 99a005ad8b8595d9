"""What every list has in common: a page size, an opaque cursor for the next page, and the fields that are wanted.

A page may be short, or empty, and have a next one: rare things are looked for so many rows at a time.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from simward.control.api.problems import Problem, invalid

LISTED_MOST, CURSOR_MOST = 1000, 256
NUMBER_END = 2**63

Limit = Annotated[int, Query(ge=1, le=LISTED_MOST, description="How many at most.")]
After = Annotated[str | None, Query(
    max_length=CURSOR_MOST, description="`next` of the page before; nothing else is a cursor."
)]  # fmt: skip
Fields = Annotated[str | None, Query(max_length=1000, description="Only these, separated by commas.")]
Sort = Annotated[Literal["-at", "at"], Query(description="The newest first (-at), or the oldest.")]
Moment = Annotated[int | None, Query(ge=0, lt=NUMBER_END, description="us since 1970 UTC.")]
Number = Annotated[int | None, Query(ge=1, lt=NUMBER_END)]
Digits = Annotated[str | None, Query(pattern=r"^[0-9]{5,20}$")]
Name = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$")]


def cursor_of(kind: str, *key: int | str) -> str:
    """The cursor that goes on behind this key."""
    return base64.urlsafe_b64encode(json.dumps([kind, *key], separators=(",", ":")).encode()).decode().rstrip("=")


def next_of(kind: str, key: Sequence[int | str] | None) -> str | None:
    """The same; None where there is no more."""
    return None if key is None else cursor_of(kind, *key)


def key_of(kind: str, cursor: str | None, *types: type) -> Any:
    """The key (a tuple) in a cursor of a list of this kind; None without one. Raises Problem where it is none."""
    if cursor is None:
        return None
    try:
        said = json.loads(base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True))
    except (ValueError, RecursionError):
        raise _no_cursor() from None
    right = isinstance(said, list) and [type(one) for one in said] == [str, *types] and said[0] == kind
    if not right or any(isinstance(one, int) and not 0 <= one < NUMBER_END for one in said):
        raise _no_cursor()
    return tuple(said[1:])


def _no_cursor() -> Problem:
    return invalid("query", "after", "is not the `next` of a page of this list")


def sparse(model: type[BaseModel], fields: str | None) -> Sequence[str] | None:
    """The fields that are wanted, all of a model's; None: every one. Raises Problem where one is not there."""
    if fields is None:
        return None
    known = {one.alias or name for name, one in model.model_fields.items()}
    wanted = fields.split(",")
    unknown = [one for one in wanted if one not in known]
    if unknown:
        there_are = ", ".join(sorted(known))
        raise invalid("query", "fields", f"there is no field {unknown[0][:64]!r}; there are: {there_are}")
    return wanted


def picked(row: Mapping[str, Any], fields: Sequence[str] | None) -> Mapping[str, Any]:
    """A row with these fields alone."""
    return row if fields is None else {name: row[name] for name in fields}


def moments(since: int | None, until: int | None) -> None:
    """Raises Problem where nothing can be between."""
    if since is not None and until is not None and since >= until:
        raise invalid("query", "until", "lies before since")


def page(name: str, rows: Sequence[Mapping[str, Any]], after: str | None) -> Response:
    """A page: its rows under `name`, and `next` (null: there is no more).

    As an answer already: they are JSON as they are, and FastAPI would first go through every value to see.
    """
    return JSONResponse({name: rows, "next": after})


def optional(schema: dict[str, Any]) -> None:
    """For `json_schema_extra` of a model whose fields may be left out by `fields`."""
    schema.pop("required", None)


Severity = Literal["info", "low", "medium", "high", "critical"]
