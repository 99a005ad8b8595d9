"""`/revisions`: what was applied, by whom and why; what each changed, as a diff; and going back to one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.api.permissions import needs
from simward.control.api.problems import Problem
from simward.control.console import through_api as api
from simward.control.console.listings import PAGE_ROWS, Column, Empty, Format, Listing, export
from simward.control.console.pages import Pages
from simward.control.console.planning import asks_first, plan_lines
from simward.control.console.questions import Form, Question, add_question
from simward.control.console.sources import Sources

COLUMNS = (
    Column("Revision"), Column("When"), Column("By"), Column("Changed"), Column("Why", wide=True),
    Column("Subscriptions", numeric=True, wide=True),
)  # fmt: skip
DIFF_LINES_MOST = 2000


def revision_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the pages."""

    @routes.get("/revisions", openapi_extra=needs("read-policy", all_tenants=True))
    async def revisions(request: Request, after: str | None = None, format: Format = "html") -> Response:
        """The newest first; the first of all is in force."""
        if format != "html":
            return export(format, "revisions", api.pages_of(request, "/v1/revisions", "revisions"))
        answer = await api.read(request, "/v1/revisions", {"after": after, "limit": PAGE_ROWS})
        empty = Empty("Nothing was applied yet", "Begin with a first policy.", "/first-run", "Begin")
        listing = Listing(
            "revisions", COLUMNS, answer["revisions"], empty, next=answer["next"], is_first=after is None
        )  # fmt: skip
        return pages.answer(request, "revisions.html", listing=listing)

    @routes.get("/revisions/{number}", openapi_extra=needs("read-policy", all_tenants=True))
    async def revision(number: int, request: Request) -> Response:
        """One of them, against the one before."""
        one = await api.read(request, f"/v1/revisions/{number}")
        newest = (await api.read(request, "/v1/revisions", {"limit": 1}))["revisions"][0]["number"]
        before = await _before(request, number)
        return pages.answer(
            request, "revision.html", one=one, diffs=diffs(before, one["texts"]), in_force=number == newest
        )

    _add_rolling_back(routes, pages)


async def _before(request: Request, number: int) -> Mapping[str, Any]:
    """The texts of the revision before; none where there was none, or it is kept no more."""
    try:
        return (await api.read(request, f"/v1/revisions/{number - 1}"))["texts"] if number > 1 else {}
    except Problem as problem:
        if problem.status_code != 404:
            raise
        return {}


def diffs(before: Mapping[str, Any], after: Mapping[str, Any]) -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    """Each text that differs: its name, and its lines as (what, line); `what` is added, removed, place or same."""
    found = []
    for name in sorted({*before, *after}):
        old, new = (side.get(name, {}).get("text", "").splitlines() for side in (before, after))
        lines = list(difflib.unified_diff(old, new, lineterm="", n=3))[2:]
        if lines:
            found.append((name, [(_what(line), line) for line in lines[:DIFF_LINES_MOST]]))
    return found


def _what(line: str) -> str:
    return {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "same")


def _add_rolling_back(routes: APIRouter, pages: Pages) -> None:
    async def asks(request: Request) -> Question:
        number = request.path_params["number"]
        plan = await api.read(request, f"/v1/revisions/{number}/plan")
        return Question(
            f"Go back to revision {number}", "Roll back", f"/revisions/{number}",
            [f"The policy of revision {number} is in force again, as a new revision. Subscriptions stay as they are "
             "declared.", *plan_lines(plan)], danger=True, fields=asks_first(plan),
        )  # fmt: skip

    async def does(request: Request, form: Form) -> str:
        number = request.path_params["number"]
        body = {"because": form["because"], "confirm": form.get("confirm") == "true"}
        await api.send(request, f"/v1/revisions/{number}/roll-back", body)
        return "/revisions"

    add_question(routes, pages, "/revisions/{number:int}/roll-back", "apply-policy", asks, does, all_tenants=True)
