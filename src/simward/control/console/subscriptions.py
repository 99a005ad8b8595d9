"""`/subscriptions`: the list, and one of them: binding, devices, use, places, absences, findings and its story."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from simward.control.api import paging
from simward.control.api.asking import in_thread
from simward.control.api.permissions import needs
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.control.api.records import STORIES_AT_ONCE, effect_told, finding_told, subscription_told
from simward.control.chapters import past_of
from simward.control.console.acts import ACTS, about, may
from simward.control.console.listings import (
    EXPORT_PAGE_ROWS,
    PAGE_ROWS,
    Column,
    Empty,
    Format,
    Listing,
    Row,
    export,
    whole,
)  # fmt: skip
from simward.control.console.pages import Pages
from simward.control.console.past import PAST_US, past
from simward.control.console.sources import Sources
from simward.errors import IdentityError
from simward.identity import Imsi
from simward.policy.inventory_search import LINES_MOST, lines_with
from simward.registry import incident_pages, listing, searching
from simward.response.incident_life import told as incident_told

COLUMNS = (
    Column("Subscription"), Column("Use case"), Column("State"), Column("Device", wide=True),
    Column("Address", wide=True), Column("APN", wide=True),
)  # fmt: skip
FOUND_COLUMNS = (
    Column("Finding"), Column("Severity"), Column("Began"), Column("Was", wide=True), Column("Now", wide=True),
    Column("Response", wide=True), Column("Incident", wide=True),
)  # fmt: skip
DONE_COLUMNS = (
    Column("Asked of a gateway"), Column("Answer"), Column("When"), Column("Gateway", wide=True),
    Column("Because", wide=True), Column("Incident", wide=True),
)  # fmt: skip
SHOWN, WORDS_LEAST = 10, 3
LABELS = ("label", "eid")
"""Columns of the inventory that are searched for words: the registry does not have them."""
CHAPTERS_SHOWN = 60
ImsiInPath = Annotated[str, Path(pattern=r"^[0-9]{5,15}$")]


def subscription_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the pages."""
    _add_list(routes, pages, sources)
    _add_one(routes, pages, sources)
    _add_past(routes, pages, sources)


def _add_list(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    @routes.get("/subscriptions", openapi_extra=needs("read-subscriptions"))
    async def subscriptions(
        request: Request, use_case: paging.Name = None, locked: bool | None = None, imei: paging.Digits = None,
        after: paging.After = None, format: Format = "html",
    ) -> Response:  # fmt: skip
        """By IMSI: those of the inventory, and those that were seen without being in it."""
        tenant = request.state.principal.tenant

        async def page(cursor: str | None, rows: int) -> tuple[Sequence[Row], str | None]:
            key = paging.key_of("subscriptions", cursor, str)
            found = await sources.asking.read(lambda c: listing.subscriptions(
                c, tenant=tenant, after=key, limit=rows, use_case=use_case, locked=locked, imei=imei and imei[:14],
            ))  # fmt: skip
            return [subscription_told(one) for one in found.rows], paging.next_of("subscriptions", found.on)

        if format != "html":
            return export(format, "subscriptions", lambda cursor: page(cursor, EXPORT_PAGE_ROWS))
        rows, more = await page(after, PAGE_ROWS)
        is_locked = "" if locked is None else str(locked).lower()
        chosen = {"use_case": use_case or "", "locked": is_locked, "imei": imei or ""}
        return pages.answer(
            request, "subscriptions.html", chosen=chosen,
            listing=Listing("subscriptions", COLUMNS, rows, _empty(any(chosen.values())), next=more,
                            is_first=after is None),
        )  # fmt: skip

    @routes.get("/search", openapi_extra=needs("read-subscriptions"))
    async def search(
        request: Request, q: Annotated[str, Query(max_length=64)] = "", format: Format = "html"
    ) -> Response:  # fmt: skip
        """By any identifier: where only one thing has it, on to that."""
        principal: Principal = request.state.principal
        sees_incidents = principal.local or principal.allows("read-incidents", None)

        def look(connection: Any) -> tuple[list[searching.Hit], Any]:
            incident = searching.incident(connection, q, principal.tenant) if sees_incidents else None
            return searching.subscriptions(connection, q, principal.tenant, SHOWN), incident

        hits, incident = await sources.asking.read(look) if q else ([], None)
        if not hits and incident is None and len(q.strip()) >= WORDS_LEAST:
            hits = await in_thread(lambda: _called(sources, q, principal.tenant))
        if format != "html":
            return export(format, "found", whole([{"found_by": one.by, **subscription_told(one.row)} for one in hits]))
        if incident is not None and not hits:
            return pages.gone_to(request, f"/incidents/{incident.number}")
        if incident is None and len(hits) == 1:
            return pages.gone_to(request, f"/subscriptions/{hits[0].row.imsi}")
        return pages.answer(
            request, "search.html", q=q, hits=hits, incident=incident_told(incident) if incident else None, most=SHOWN
        )  # fmt: skip


def _called(sources: Sources, q: str, tenant: str | None) -> list[searching.Hit]:
    """By what people call it: the label of a site, or what the inventory has in LABELS."""
    lines = lines_with(sources.settings.inventory_path, q.strip(), LABELS, SHOWN if tenant is None else LINES_MOST)
    imsis = []
    for line in lines:
        with suppress(IdentityError):  # `apply` says what is wrong with it
            imsis.append(Imsi.parse(line.get("imsi", "")).text)
    with sources.registry.reading() as connection:
        return searching.called(connection, q, imsis, tenant, SHOWN)


def _empty(filtered: bool) -> Empty:
    if filtered:
        return Empty("No such subscription", "None fits all that is chosen.", "/subscriptions", "Show all")
    return Empty(
        "No subscription yet", "Put your SIMs into inventory.csv, then: simward apply. Those that ask without being in "
        "it appear here as well."
    )  # fmt: skip


def _add_one(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    @routes.get("/subscriptions/{imsi}", openapi_extra=needs("read-subscriptions"))
    async def subscription(imsi: ImsiInPath, request: Request) -> Response:
        """How it stands, and what was found and done about it; its past comes by itself (`past`)."""
        principal: Principal = request.state.principal
        tenant = principal.tenant

        def look(c: Any) -> Any:
            row = listing.subscription(c, tenant=tenant, imsi=imsi)
            if row is None:
                return None
            return (
                row, listing.findings(c, tenant=tenant, after=None, limit=SHOWN, imsi=imsi).rows,
                listing.effects(c, tenant=tenant, after=None, limit=SHOWN, imsi=imsi).rows,
                incident_pages.about(c, imsi, tenant, SHOWN),
            )  # fmt: skip

        row, findings, effects, incidents = await sources.asking.read(look) or _none(imsi)
        return pages.answer(
            request, "subscription.html", subscription=subscription_told(row),
            acts=[act for act in ACTS.values() if act.name in about([row]) and may(principal, act)],
            findings=_table("findings", FOUND_COLUMNS, [finding_told(one) for one in findings], "Nothing was found"),
            effects=_table("effects", DONE_COLUMNS, [effect_told(one) for one in effects], "No gateway was asked"),
            incidents=[incident_told(one) for one in incidents],
        )  # fmt: skip

    @routes.get("/subscriptions/{imsi}/findings", openapi_extra=needs("read-findings"))
    async def findings(imsi: ImsiInPath, request: Request, format: Format = "csv") -> Response:
        """All of its findings, to be taken elsewhere."""
        tenant = request.state.principal.tenant
        if await sources.asking.read(lambda c: listing.subscription(c, tenant=tenant, imsi=imsi)) is None:
            _none(imsi)

        async def page(cursor: str | None) -> tuple[Sequence[Row], str | None]:
            key, most = paging.key_of("findings", cursor, int, str), EXPORT_PAGE_ROWS
            found = await sources.asking.read(
                lambda c: listing.findings(c, tenant=tenant, after=key, limit=most, imsi=imsi)
            )
            return [finding_told(one) for one in found.rows], paging.next_of("findings", found.on)

        return export("json" if format == "json" else "csv", f"findings-of-{imsi}", page)


    @routes.get("/subscriptions/{imsi}/effects", openapi_extra=needs("read-effects"))
    async def effects(imsi: ImsiInPath, request: Request, format: Format = "csv") -> Response:
        """All that gateways were asked about it, to be taken elsewhere."""
        tenant = request.state.principal.tenant
        if await sources.asking.read(lambda c: listing.subscription(c, tenant=tenant, imsi=imsi)) is None:
            _none(imsi)

        async def page(cursor: str | None) -> tuple[Sequence[Row], str | None]:
            key = paging.key_of("effects", cursor, int, str)
            found = await sources.asking.read(
                lambda c: listing.effects(c, tenant=tenant, after=key, limit=EXPORT_PAGE_ROWS, imsi=imsi)
            )
            return [effect_told(one) for one in found.rows], paging.next_of("effects", found.on)

        return export("json" if format == "json" else "csv", f"effects-of-{imsi}", page)


def _none(imsi: str) -> Any:
    said = f"No subscription has IMSI {imsi}, in the inventory or seen."
    raise Problem(404, "not-found", "No such subscription", said)


def _table(name: str, columns: Sequence[Column], rows: Sequence[Row], nothing: str) -> Listing:
    return Listing(name, columns, rows, Empty(nothing), exports=False)


def _add_past(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    telling = asyncio.Semaphore(STORIES_AT_ONCE)

    @routes.get("/subscriptions/{imsi}/past", openapi_extra=needs("read-subscriptions"))
    async def its_past(imsi: ImsiInPath, request: Request) -> Response:
        """Its sessions, use, places, absences and story, read from the journals."""
        tenant, now = request.state.principal.tenant, sources.now()
        if await sources.asking.read(lambda c: listing.subscription(c, tenant=tenant, imsi=imsi)) is None:
            _none(imsi)
        async with telling:
            told = await in_thread(lambda: past_of(sources.data_dir, imsi, now - PAST_US))
        chapters = told["chapters"] if told else []
        return pages.answer(
            request, "subscription_past.html", imsi=imsi, now=told["now"] if told else None,
            past=past(told["everything"], now) if told else None, chapters=chapters[::-1][:CHAPTERS_SHOWN],
            chapters_left=max(0, len(chapters) - CHAPTERS_SHOWN),
        )  # fmt: skip
