"""The console put together: its files, its templates, and every page."""

from __future__ import annotations

from fastapi import APIRouter

from simward.control.console.acting import acting_pages
from simward.control.console.assets import Assets, asset_routes
from simward.control.console.incidents import incident_pages
from simward.control.console.overview import overview_pages
from simward.control.console.page_route import page_router, unknown_pages
from simward.control.console.pages import Pages
from simward.control.console.places_behind import PLACES_BEHIND
from simward.control.console.sources import Sources
from simward.control.console.subscriptions import subscription_pages


def console_routes(sources: Sources) -> list[APIRouter]:
    """All of them."""
    assets = Assets()
    pages = Pages(assets, sources.now)
    routes = page_router(pages)
    for add in (overview_pages, incident_pages, subscription_pages, acting_pages, *PLACES_BEHIND):
        add(routes, pages, sources)
    return [asset_routes(assets), routes, unknown_pages(pages)]
