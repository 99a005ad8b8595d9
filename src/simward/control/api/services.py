"""`/v1/services`: which services of each use case are used, which could be taken off, and what risk goes with that."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from simward.control.api import paging
from simward.control.api.asking import in_thread
from simward.control.api.permissions import needs
from simward.control.policy_in_force import PolicyInForce, tenant_of
from simward.observing.services import UNUSED_FOR_DAYS, read_services
from simward.registry.database import Registry

Verdict = Literal["none", "used though none", "not known yet", "unused", "used by few", "used"]
Name = Annotated[str | None, Query(max_length=63)]


class Service(BaseModel):
    """One service of one use case."""

    use_case: str
    service: Literal["data", "voice", "sms"]
    policy: Literal["", "none", "budget", "unlimited"] = Field(description="What `services` says; empty: nothing.")
    members: int
    ever_used: int = Field(description="Members that have ever used it.")
    used_lately: int = Field(description="And within `unused_for_days`.")
    last_used_at: str | None = Field(description="To the hour; null: never.")
    known_since: str | None = Field(description="Since when it is known who uses it; null: nothing tells of it.")
    verdict: Verdict = Field(description="`unused`: take it off. `used by few`: those want a use case of their own.")
    risk: str = Field(description="What taking it off rules out; empty where nothing speaks for that.")


class Services(BaseModel):
    """A page, by use case and service."""

    as_of: str | None = Field(description="The newest snapshot of the watch; null: there is none yet.")
    unused_for_days: int = Field(description="A service that nobody used for so long is not needed.")
    services: list[Service]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


def service_routes(registry: Registry, data_dir: Path) -> APIRouter:
    """The route."""
    routes, in_force = APIRouter(prefix="/v1/services", tags=["objects"]), PolicyInForce(registry)

    @routes.get(
        "", response_model=None, responses={200: {"model": Services}}, openapi_extra=needs("read-subscriptions")
    )
    async def services(
        request: Request, use_case: Name = None, verdict: Verdict | None = None, after: paging.After = None,
        limit: paging.Limit = 100,
    ) -> JSONResponse:  # fmt: skip
        """What could be taken off the SIMs of each use case: a service that is not there cannot be misused."""
        key, tenant = paging.key_of("services", after, str, str), request.state.principal.tenant
        said = await in_thread(lambda: read_services(data_dir)) or {}
        mine = await in_thread(lambda: _use_cases(in_force, tenant))
        rows: list[dict[str, Any]] = sorted(
            (
                one for one in said.get("services", ())
                if one["use_case"] in mine and use_case in (None, one["use_case"]) and verdict in (None, one["verdict"])
            ),
            key=lambda one: (one["use_case"], one["service"]),
        )  # fmt: skip
        rows = [one for one in rows if key is None or (one["use_case"], one["service"]) > key]
        on = (rows[limit - 1]["use_case"], rows[limit - 1]["service"]) if len(rows) > limit else None
        return JSONResponse({
            "as_of": said.get("as_of"), "unused_for_days": said.get("unused_for_days", UNUSED_FOR_DAYS),
            "services": rows[:limit], "next": paging.next_of("services", on),
        })  # fmt: skip

    return routes


def _use_cases(in_force: PolicyInForce, tenant: str | None) -> set[str]:
    """Those of the policy in force that a caller may see."""
    _, policy = in_force.policy()
    return {name for name, one in policy.of("use_case").items() if tenant in (None, tenant_of(one))}
