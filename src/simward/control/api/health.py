"""`/healthz`, `/readyz`, `/v1/status`: does it live, is it of use, how does it stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from simward.control.api.answers import Alive, Ready, Status, answered
from simward.control.api.permissions import ANYBODY, needs
from simward.control.api.problems import Problem
from simward.control.readiness import Readiness


def health_routes(readiness: Readiness, status: Callable[[], dict[str, Any]]) -> APIRouter:
    """The three routes; `status()` gives what the process says of itself."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", openapi_extra=needs(ANYBODY), **answered(Alive))
    async def alive() -> dict[str, Any]:
        """The process answers; nothing more is asked."""
        return {"alive": True}

    @routes.get("/readyz", openapi_extra=needs(ANYBODY), **answered(Ready))
    async def ready() -> dict[str, Any]:
        """Everything that it needs is there: 200, or 503 with what is not."""
        conditions = await readiness.look()
        told = {name: one.told() for name, one in conditions.items()}
        missing = [f"{name}: {one.said}" for name, one in conditions.items() if not one.ok]
        if missing:
            raise Problem(503, "not-ready", "Not ready", "; ".join(missing), conditions=told)
        return {"ready": True, "conditions": told}

    @routes.get("/v1/status", openapi_extra=needs("read-status"), **answered(Status))
    async def how() -> dict[str, Any]:
        """How the control plane stands."""
        conditions = await readiness.look()
        return {**status(), "conditions": {name: one.told() for name, one in conditions.items()}}

    return routes
