"""`/v1/audit`: who did what, and why, the newest first."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from simward.control.api import paging
from simward.control.api.asking import Asking
from simward.control.api.permissions import needs
from simward.engine.phrases import when
from simward.registry import audit
from simward.registry.database import Registry


class Entry(BaseModel):
    """One write, or one automatic decision. What was erased is null: that it was there is still proved."""

    number: int
    at: str
    tenant: str
    actor: str
    what: str
    object: str
    cause: str
    imsi: str | None
    iccid: str | None
    why: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    erased: bool
    digest: str = Field(description="SHA-256 of the chain up to here.")


class Entries(BaseModel):
    """A page."""

    entries: list[Entry]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


def audit_routes(registry: Registry) -> APIRouter:
    """The route."""
    routes, asking = APIRouter(prefix="/v1/audit", tags=["audit"]), Asking(registry)

    @routes.get(
        "", response_model=None, responses={200: {"model": Entries}}, openapi_extra=needs("read-audit")
    )
    async def entries(
        request: Request, imsi: paging.Digits = None, sort: paging.Sort = "-at", after: paging.After = None,
        limit: paging.Limit = 100,
    ) -> Response:  # fmt: skip
        """The newest first unless `sort=at`; of one subscription with `imsi`. `simward audit verify` proves that none
        is missing."""
        key, tenant = paging.key_of(f"audit {sort}", after, int), request.state.principal.tenant
        found = await asking.read(lambda c: audit.page(
            c, tenant=tenant, after=key and key[0], limit=limit + 1, imsi=imsi, ascending=sort == "at"
        ))  # fmt: skip
        more = paging.cursor_of(f"audit {sort}", found[limit - 1].number) if len(found) > limit else None
        return paging.page("entries", [told(one) for one in found[:limit]], more)

    return routes


def told(entry: audit.Entry) -> dict[str, Any]:
    """An entry as JSON."""
    said = entry.content or {}
    return {
        "number": entry.number, "at": when(entry.at), "tenant": entry.tenant, "actor": entry.actor, "what": entry.what,
        "object": entry.object, "cause": entry.cause, "erased": entry.content is None, "digest": entry.digest.hex(),
        **{name: said.get(name) for name in ("imsi", "iccid", "why", "before", "after")},
    }  # fmt: skip
