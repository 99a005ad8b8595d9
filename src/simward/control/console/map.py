"""`/map`: where sites, cells and open incidents are; what lies together is gathered by the server."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from simward.control.api.asking import in_thread
from simward.control.api.permissions import needs
from simward.control.console.gathering import ZOOM_MOST, View
from simward.control.console.listings import Column, Empty, Format, Listing, export, whole
from simward.control.console.pages import Pages
from simward.control.console.places import Places
from simward.control.console.sources import Sources

COLUMNS = (Column("Incident"), Column("Severity"), Column("Subscription"), Column("Latitude", numeric=True),
           Column("Longitude", numeric=True))  # fmt: skip
LISTED_MOST = 200
Degrees = Annotated[float, Query(ge=-540, le=540)]


def map_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the page, and what it draws."""
    places = Places(sources)

    @routes.get("/map", openapi_extra=needs("read-subscriptions"))
    async def map_(request: Request, format: Format = "html") -> Response:
        """The map; below it, the same incidents as a list."""
        tenant, may = request.state.principal.tenant, pages.visit(request).may("read-incidents")
        found = await in_thread(lambda: places.of(tenant))
        rows = found.incidents() if may else []
        if format != "html":
            return export(format, "incidents-on-the-map", whole(rows))
        empty = Empty(
            "No open incident has a place", "Sites come from the inventory (latitude, longitude) and from what is "
            "installed with a place; cells from cells.csv.",
        )  # fmt: skip
        listing = Listing("placed", COLUMNS, rows[:LISTED_MOST], empty)
        return pages.answer(request, "map.html", listing=listing, counts=found.counts(), bounds=found.bounds())

    @routes.get("/map/places", openapi_extra=needs("read-subscriptions"))
    async def drawn(
        request: Request, west: Degrees, south: Degrees, east: Degrees, north: Degrees,
        zoom: Annotated[float, Query(ge=0, le=ZOOM_MOST)],
    ) -> Response:  # fmt: skip
        """What lies in a view, as GeoJSON (RFC 7946) by layer."""
        tenant, may = request.state.principal.tenant, pages.visit(request).may("read-incidents")
        view = View(west, south, east, north, zoom)

        def gathered() -> dict[str, Any]:
            found = places.of(tenant)
            layers = {"sites": found.sites_in(view), "cells": found.cells_in(view)}
            return {**layers, "incidents": found.incidents_in(view)} if may else layers

        return JSONResponse(await in_thread(gathered))
