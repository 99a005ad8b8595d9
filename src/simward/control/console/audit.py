"""`/audit`: who did what, when and why; whether the chain of it is whole; and all of it to take away."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from simward.control.api import paging
from simward.control.api.asking import in_thread
from simward.control.api.permissions import needs
from simward.control.api.problems import Problem
from simward.control.console import through_api as api
from simward.control.console.listings import PAGE_ROWS, Column, Empty, Format, Listing, NextPage, Row, export
from simward.control.console.pages import Pages
from simward.control.console.sources import Sources
from simward.control.heads import FOLDER, PUBLIC_NAME, is_signed, public_key, read_heads
from simward.errors import IdentityError, UsageError
from simward.identity import Imsi
from simward.registry import audit as chain

COLUMNS = (Column("What"), Column("By"), Column("When"), Column("Why", wide=True), Column("Changed", wide=True))
LOOKED_THROUGH_PAGES = 20
"""Of the API's largest page: so far back a filter by words looks for a page of its own."""
Words = Annotated[str | None, Query(max_length=100)]


def audit_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the pages."""
    walking = asyncio.Semaphore(1)

    @routes.get("/audit", openapi_extra=needs("read-audit"))
    async def audit(
        request: Request, imsi: Words = None, actor: Words = None, what: Words = None, after: str | None = None,
        format: Format = "html",
    ) -> Response:  # fmt: skip
        """The newest first; of a subscription, of an actor, of a kind of deed."""
        query = {"imsi": _digits(imsi)}
        if format != "html":
            return export(format, "audit", _picked(api.pages_of(request, "/v1/audit", "entries", query), actor, what))
        rows, more = await _page(request, query, actor, what, after)
        empty = Empty("No entry", "Nobody did anything of this kind, or what you filter by is misspelt.")
        listing = Listing("entries", COLUMNS, rows, empty, next=more, is_first=after is None)
        chosen = {"imsi": imsi or "", "actor": actor or "", "what": what or ""}
        return pages.answer(request, "audit.html", listing=listing, chosen=chosen)

    @routes.get("/audit/verify", openapi_extra=needs("read-audit", all_tenants=True))
    async def verify(request: Request) -> Response:
        """Compute the chain again, and hold the heads that are kept here to it."""
        async with walking:
            found = await in_thread(lambda: verified(sources))
        return pages.answer(request, "audit_verified.html", found=found)


def _digits(imsi: str | None) -> str | None:
    if imsi is None:
        return None
    try:
        return Imsi.parse(imsi).text
    except IdentityError as error:
        raise Problem(422, "invalid-request", "That is no IMSI", str(error)) from None


async def _page(
    request: Request, query: dict[str, Any], actor: str | None, what: str | None, after: str | None
) -> tuple[list[Row], str | None]:
    """A page of what fits. The API filters by subscription; words are looked for here, so far back and no farther."""
    if not actor and not what:
        answer = await api.read(request, "/v1/audit", {**query, "after": after, "limit": PAGE_ROWS})
        return answer["entries"], answer["next"]
    found: list[Row] = []
    for _ in range(LOOKED_THROUGH_PAGES):
        answer = await api.read(request, "/v1/audit", {**query, "after": after, "limit": paging.LISTED_MOST})
        found += [row for row in answer["entries"] if _fits(row, actor, what)]
        after = answer["next"]
        if after is None or len(found) >= PAGE_ROWS:
            break
    return found, after


def _picked(pages: NextPage, actor: str | None, what: str | None) -> NextPage:
    async def following(after: str | None) -> tuple[list[Row], str | None]:
        rows, more = await pages(after)
        return [row for row in rows if _fits(row, actor, what)], more

    return following


def _fits(row: Row, actor: str | None, what: str | None) -> bool:
    does = f"{row['what']} {row['object']}".lower()
    return (not actor or actor.lower() in row["actor"].lower()) and (not what or what.lower() in does)


def verified(sources: Sources) -> dict[str, Any]:
    """The chain computed again from its beginning, and each signed head of this installation held to it."""
    with sources.registry.reading() as connection:
        walked, dark = chain.walk(connection), chain.unreadable(connection)
        heads, wrong = 0, ""
        path = sources.settings.heads_path
        if path.exists():
            try:
                public = public_key(sources.data_dir / FOLDER / PUBLIC_NAME)
                for said in read_heads(path):
                    wrong = _held_to(said, chain.digest_at(connection, int(said["audit"]["number"])), public)
                    if wrong:
                        break
                    heads += 1
            except UsageError as error:
                wrong = str(error)
    return {
        "entries": walked.entries, "digest": walked.digest.hex(), "wrong_at": walked.wrong, "reason": walked.reason,
        "unreadable": dark, "heads": heads, "heads_wrong": wrong,
    }  # fmt: skip


def _held_to(said: dict[str, Any], digest: bytes | None, public: Any) -> str:
    number = said["audit"]["number"]
    if not is_signed(said, public):
        return f"The head of entry {number} is not signed by this installation's key."
    if digest is None:
        return f"Entries up to {number} were there when a head was signed; the newest are missing."
    return "" if digest.hex() == said["audit"]["digest"] else f"Entry {number} is not what it was when it was signed."
