"""`/v1/parties`: which other systems must be told, may ask for what, and owe an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from simward.control.api import answers_outward as a
from simward.control.api import paging
from simward.control.api.answers import answered
from simward.control.api.asking import Asking
from simward.control.api.permissions import needs
from simward.registry import parties as kept
from simward.registry.database import Registry
from simward.settings import Endpoint, Party

LISTED_MOST = 1000


def party_list_routes(
    registry: Registry, parties: Sequence[Party], endpoints: Sequence[Endpoint], now: Callable[[], int]
) -> APIRouter:
    """The one route. A party is of the tenant of the endpoint that it is told through."""
    routes, asking = APIRouter(prefix="/v1/parties", tags=["parties"]), Asking(registry)
    tenant_of = {one.name: one.tenant for one in endpoints}

    @routes.get("", openapi_extra=needs("read-endpoints"), **answered(a.Parties))
    async def listed(request: Request, after: paging.After = None, limit: paging.Limit = LISTED_MOST) -> Response:
        """Every party of the settings by name: whom it is told through, what it may ask for, what it has not answered.

        An endpoint is tested, and what a party did not get is sent again, at `/v1/endpoints/{name}`.
        """
        key, tenant = paging.key_of("parties", after, str), request.state.principal.tenant
        found = [
            one for one in sorted(parties, key=lambda one: one.name)
            if tenant in (None, tenant_of.get(one.endpoint)) and (key is None or one.name > key[0])
        ]  # fmt: skip
        owed = await asking.read(lambda c: kept.owed(c, now()))
        more = paging.cursor_of("parties", found[limit - 1].name) if len(found) > limit else None
        return paging.page("parties", [told(one, owed) for one in found[:limit]], more)

    return routes


def told(party: Party, owed: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    """A party as it is shown: its token is no part of it."""
    unanswered, overdue = owed.get(party.name, (0, 0))
    return {
        "name": party.name, "endpoint": party.endpoint, "use_cases": list(party.use_cases), "may": list(party.may),
        "acknowledge_within_s": party.acknowledge_within_s, "answers": bool(party.token), "unanswered": unanswered,
        "overdue": overdue,
    }  # fmt: skip
