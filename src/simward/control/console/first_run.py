"""`/first-run`: from nothing to a first locked SIM, a step after the other, each ticked off by what is so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.api.permissions import needs
from simward.control.api.problems import Problem
from simward.control.console import through_api as api
from simward.control.console.pages import Pages
from simward.control.console.sources import Sources
from simward.registry import tables as t


@dataclass(frozen=True)
class Step:
    """One of them."""

    title: str
    text: str
    done: bool
    url: str = ""
    label: str = ""
    command: str = ""
    """What is typed at a terminal instead."""


def first_run_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the page."""

    @routes.get("/first-run", openapi_extra=needs("read-status"))
    async def first_run(request: Request) -> Response:
        """How far it is."""
        facts = await sources.asking.read(_facts)
        running, heard = await _gateways(request)
        found = steps(facts, running, heard, bool(sources.settings.gateways))
        return pages.answer(request, "first_run.html", steps=found, left=sum(not one.done for one in found))


async def _gateways(request: Request) -> tuple[bool, bool]:
    """Does the gate run, and has it heard of a gateway? Who may not see gateways is shown what came of them."""
    try:
        return True, bool((await api.read(request, "/v1/gateways"))["gateways"])
    except Problem as problem:
        return problem.status_code != 503, False


def _facts(connection: sa.Connection) -> dict[str, bool]:
    s = t.subscription.c
    wanted: dict[str, Any] = {
        "policy": sa.select(t.revision.c.number), "inventory": sa.select(s.imsi).where(s.state.is_not(None)),
        "bound": sa.select(s.imsi).where(s.imei.is_not(None)), "found": sa.select(t.finding.c.id),
        "locked": sa.select(s.imsi).where(s.locked_at.is_not(None)),
        "resolved": sa.select(t.incident.c.number).where(t.incident.c.resolved_at.is_not(None)),
    }  # fmt: skip
    return {name: connection.execute(asked.limit(1)).first() is not None for name, asked in wanted.items()}


def steps(facts: dict[str, bool], running: bool, heard: bool, declared: bool) -> Sequence[Step]:
    """All of them, in order."""
    return (
        Step("Say what your devices do", "A use case: what a kind of device does, what follows where it does not.",
             facts["policy"], "/policy/edit", "Write a policy", "simward apply"),
        Step("Say which SIMs there are", "One line a subscription, with its use case: inventory.csv, or over the API.",
             facts["inventory"], "", "", "simward apply"),
        Step("Start the gate", "It answers what gateways ask, and must run for anything to be judged.", running, "", "",
             "simward serve"),
        Step("Let a gateway ask", "A [[gateway]] of simward.toml, with its address and a secret; then point its RADIUS "
             "at this machine.", heard or (declared and facts["bound"]), "/gateways", "Gateways"),
        Step("Switch a device on", "Its SIM is bound to it, as the use case says. Or say which device it will be.",
             facts["bound"], "/install", "Install"),
        Step("Put the SIM into another device", "Within seconds it is a finding, and an incident.", facts["found"],
             "/incidents", "Incidents"),
        Step("See it locked", "By policy where it says so (responses: {device-change: lock}), or by you.",
             facts["locked"] or facts["resolved"], "/incidents", "Incidents"),
        Step("Let it go", "Release the SIM, and resolve the incident: what was it? That is the record of detectors.",
             facts["resolved"], "/incidents", "Incidents"),
    )  # fmt: skip
