"""`/`, which answers: is the fleet safe now."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.api.permissions import needs
from simward.control.console.pages import Pages
from simward.control.console.sources import Sources


def overview_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the page."""

    @routes.get("/", openapi_extra=needs("read-status"))
    async def overview(request: Request) -> Response:
        """How it all stands, on one screen."""
        return pages.answer(request, "overview.html", conditions=await sources.readiness.look())
