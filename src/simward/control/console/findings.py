"""`/findings`: every finding, by detector, use case and subscription."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from simward.control.api.permissions import needs
from simward.control.console import through_api as api
from simward.control.console.listings import PAGE_ROWS, Column, Empty, Format, Listing, export
from simward.control.console.pages import Pages
from simward.control.console.sources import Sources
from simward.detectors import installed

COLUMNS = (
    Column("Finding"), Column("Severity"), Column("About"), Column("Began"), Column("Was", wide=True),
    Column("Is", wide=True), Column("Became of it", wide=True),
)  # fmt: skip
Word = Annotated[str | None, Query(max_length=63)]


def finding_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the page."""
    detectors = sorted(one.id for one in installed())

    @routes.get("/findings", openapi_extra=needs("read-findings"))
    async def findings(
        request: Request, detector: Word = None, use_case: Word = None, imsi: Word = None, lasting: bool | None = None,
        after: str | None = None, format: Format = "html",
    ) -> Response:  # fmt: skip
        """The newest first."""
        query = {"detector": detector, "use_case": use_case, "imsi": imsi, "lasting": lasting}
        if format != "html":
            return export(format, "findings", api.pages_of(request, "/v1/findings", "findings", query))
        answer = await api.read(request, "/v1/findings", {**query, "after": after, "limit": PAGE_ROWS})
        empty = Empty("No finding", "Nothing odd of this kind was seen.")
        listing = Listing("findings", COLUMNS, answer["findings"], empty, next=answer["next"], is_first=after is None)
        chosen = {name: value or "" for name, value in query.items() if name != "lasting"}
        return pages.answer(
            request, "findings.html", listing=listing, detectors=detectors, chosen=chosen,
            lasting="" if lasting is None else str(lasting).lower(),
        )  # fmt: skip
