"""`/incidents`: the list, and what is asked before somebody decides about one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from simward.control.api.incidents import Asked, Severity, State
from simward.control.api.permissions import needs
from simward.control.api.problems import Problem
from simward.control.console.listings import Column, Empty, Format, Listing, export, whole
from simward.control.console.pages import Pages
from simward.control.console.sources import Sources
from simward.registry import incidents as kept
from simward.response.incident_life import told

COLUMNS = (
    Column("Incident"), Column("Severity"), Column("State"), Column("Deadline"), Column("Opened", wide=True),
    Column("Subscriptions", numeric=True, wide=True), Column("Owner", wide=True),
)  # fmt: skip
LISTED_MOST = 200


def incident_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the pages."""

    @routes.get("/incidents", openapi_extra=needs("read-incidents"))
    async def incidents(
        request: Request, state: State | Literal["unresolved", "any"] = "unresolved", severity: Severity | None = None,
        format: Format = "html",
    ) -> Response:  # fmt: skip
        """The newest first."""
        tenant = request.state.principal.tenant
        states = {"unresolved": kept.UNRESOLVED, "any": ()}.get(state, (state,))
        rows = await sources.asking.read(lambda c: [told(one) for one in kept.listed(
            c, states=states, severities=(severity,) if severity else (), tenant=tenant, limit=LISTED_MOST
        )])  # fmt: skip
        if format != "html":
            return export(format, "incidents", whole(rows))
        empty = Empty("No incident", "Nothing of this kind is waiting for anybody.")
        return pages.answer(
            request, "incidents.html", listing=Listing("incidents", COLUMNS, rows, empty),
            chosen={"state": state, "severity": severity or ""},
        )  # fmt: skip

    @routes.get("/incidents/{number}/acknowledge", openapi_extra=needs("judge-incidents"))
    async def ask_to_acknowledge(number: int, request: Request) -> Response:
        """What acknowledging it will do."""
        return asking(request, number, "", "")

    @routes.post("/incidents/{number}/acknowledge", openapi_extra=needs("judge-incidents"))
    async def acknowledge(
        number: int, request: Request, because: Annotated[str, Form()] = "", csrf: Annotated[str, Form()] = ""
    ) -> Response:  # fmt: skip
        """Somebody sees to it."""
        try:
            await sources.cases.act(request.state.principal, number, "acknowledge", Asked(because=because))
        except Problem as problem:
            if problem.status_code != 409:
                raise
            return asking(request, number, because, str(problem.detail), 409)
        return pages.gone_to(request, "/incidents")

    def asking(request: Request, number: int, because: str, error: str, status: int = 200) -> Response:
        facts: dict[str, Any] = {"title": f"Acknowledge incident {number}", "verb": "Acknowledge", "danger": False}
        return pages.answer(
            request, "ask_incident.html", status=status, number=number, because=because, error=error, back="/incidents",
            **facts,
        )  # fmt: skip
