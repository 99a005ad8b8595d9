"""The application: routes put together, errors as problems, the same for every listener."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI

from simward import __version__
from simward.control.api.commands import command_routes, of_no_tenant
from simward.control.api.description import describe
from simward.control.api.health import health_routes
from simward.control.api.permissions import guard
from simward.control.api.problems import add_problems
from simward.control.gate_link import GateLink
from simward.control.readiness import Readiness


def make_app(
    gate: GateLink, data_dir: Path, readiness: Readiness, status: Callable[[], dict[str, Any]],
    routes: Sequence[APIRouter] = (), tenant_of: Callable[[str], str | None] = of_no_tenant,
) -> FastAPI:
    """`routes` are those of other parts; `tenant_of` gives the tenant of the subscription with this ICCID.

    Every route but what the edge opens to all finds `request.state.principal`, and is held to what it declares.
    """
    app = FastAPI(
        title="Simward", version=__version__, openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None,
        dependencies=[Depends(guard)],
    )  # fmt: skip
    add_problems(app)
    describe(app)
    for one in (*routes, health_routes(readiness, status), command_routes(gate, data_dir, tenant_of)):
        app.include_router(one)
    return app
