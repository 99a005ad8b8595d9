"""`/metrics`: what all processes count, in the text form that Prometheus reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from starlette.responses import Response

from simward.control.api.permissions import needs
from simward.control.gate_link import GateLink, GateUnreachable
from simward.observing.exposition import CONTENT_TYPE
from simward.observing.whole import whole_text

GATE_WITHIN_S = 3.0
"""Less than the ten seconds that Prometheus waits for a scrape."""

ControlText = Callable[[int | None], Awaitable[str]]
"""The text of the control process; given the last sequence of the gate's journal, where somebody says."""


def metrics_routes(gate: GateLink, data_dir: Path, now: Callable[[], int], text: ControlText) -> APIRouter:
    """The one route; `now` gives us UTC."""
    routes = APIRouter(tags=["health"])

    @routes.get(
        "/metrics", openapi_extra=needs("read-status", all_tenants=True), response_class=PlainTextResponse,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )  # fmt: skip
    async def metrics() -> Response:
        """The metrics of all processes; of what does not answer there is `simward_up` 0 and nothing else."""
        gates, last = await _gate(gate)
        control = await text(last)
        whole = await asyncio.to_thread(whole_text, data_dir, now(), gate=gates, last=last, control=control)
        return Response(whole, media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})

    return routes


async def _gate(gate: GateLink) -> tuple[str | None, int | None]:
    try:
        said = await gate.ask({"do": "metrics"}, GATE_WITHIN_S)
        status = await gate.ask({"do": "status"}, GATE_WITHIN_S)
        return str(said["text"]), int(status["sequence"])
    except (GateUnreachable, KeyError, ValueError):
        return None, None
