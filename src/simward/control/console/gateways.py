"""`/gateways`: every gateway that was heard of, and which are silent."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.api.permissions import needs
from simward.control.console import through_api as api
from simward.control.console.listings import Column, Empty, Format, Listing, export
from simward.control.console.pages import Pages
from simward.control.console.sources import Sources

COLUMNS = (
    Column("Gateway"), Column("State"), Column("Live sessions", numeric=True), Column("Heard", wide=True),
    Column("Restarted", wide=True),
)  # fmt: skip


def gateway_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the page."""

    @routes.get("/gateways", openapi_extra=needs("read-gateways", all_tenants=True))
    async def gateways(request: Request, after: str | None = None, format: Format = "html") -> Response:
        """In the order in which they were first heard of."""
        if format != "html":
            return export(format, "gateways", api.pages_of(request, "/v1/gateways", "gateways", limit=None))
        answer = await api.read(request, "/v1/gateways", {"after": after})
        empty = Empty(
            "No gateway was heard of", "Have one send its RADIUS requests here: see [[gateway]] in simward.toml."
        )  # fmt: skip
        listing = Listing(
            "gateways", COLUMNS, answer["gateways"], empty, next=answer["next"], is_first=after is None
        )  # fmt: skip
        return pages.answer(request, "gateways.html", listing=listing)
