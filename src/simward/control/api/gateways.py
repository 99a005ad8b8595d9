"""`/v1/gateways`: every gateway that the gate has heard of, and which of them are silent."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from simward.control.api import paging
from simward.control.api.asking import Asking
from simward.control.api.permissions import needs
from simward.control.api.problems import gate_unreachable, invalid
from simward.control.gate_link import GateLink, GateUnreachable
from simward.engine.layouts import GATEWAYS_MAX
from simward.engine.phrases import when
from simward.registry import listing
from simward.registry.database import Registry


class Gateway(BaseModel):
    """A gateway: known by the name that it says (NAS-Identifier), behind the RADIUS client that says it."""

    gateway: str
    client: str = Field(description="Its `[[gateway]]` in the settings.")
    sessions: int = Field(description="Live ones.")
    heard_at: str | None
    restarted_at: str | None = Field(description="When it last said that it had restarted, or shut down.")
    silent_since: str | None = Field(description="When the finding that it is silent began; null: it is not.")


class Gateways(BaseModel):
    """A page, in the order in which they were first heard of."""

    gateways: list[Gateway]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


def gateway_routes(gate: GateLink, registry: Registry) -> APIRouter:
    """The route."""
    routes, asking = APIRouter(prefix="/v1/gateways", tags=["gateways"]), Asking(registry)

    @routes.get(
        "", response_model=None, responses={200: {"model": Gateways}},
        openapi_extra=needs("read-gateways", all_tenants=True),
    )  # fmt: skip
    async def gateways(after: paging.After = None) -> Response:
        """As the gate knows them now: it must be running."""
        (row,) = paging.key_of("gateways", after, int) or (0,)
        if row > GATEWAYS_MAX:
            raise invalid("query", "after", f"lies beyond the {GATEWAYS_MAX} that are kept")
        try:
            answer = await gate.ask({"do": "gateways", "after": row})
        except GateUnreachable as error:
            raise gate_unreachable(error) from None
        silent = {
            row.document.get("gateway") or row.document.get("about"): row.began_at
            for row in await asking.read(listing.silent_gateways)
        }
        more = answer.get("next")
        told = [_told(one, silent.get(one["gateway"])) for one in answer.get("gateways", [])]
        return paging.page("gateways", told, None if more is None else paging.cursor_of("gateways", more))

    return routes


def _told(one: dict[str, Any], silent_since: int | None) -> dict[str, Any]:
    times = {name: when(one[name]) if one[name] else None for name in ("heard_at", "restarted_at")}
    names = ("gateway", "client", "sessions")
    return {
        **{name: one[name] for name in names}, **times, "silent_since": when(silent_since) if silent_since else None
    }
