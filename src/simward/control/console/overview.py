"""`/`, which answers: is the fleet safe now."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.api.behaviour import behaviour_of
from simward.control.api.permissions import needs
from simward.control.api.principals import Principal
from simward.control.console.pages import Pages
from simward.control.console.sources import Sources
from simward.control.console.words import count
from simward.control.gate_link import GateUnreachable
from simward.control.readiness import Condition
from simward.observing.behaviour import CAPPED, LATE, UNFITTED
from simward.registry import listing, standing
from simward.registry.hourly import HOUR_US

Range = Literal["day", "week", "month"]
RANGES: dict[Range, tuple[str, int, int]] = {
    "day": ("24 hours", 24, 1), "week": ("7 days", 7 * 24, 6), "month": ("30 days", 30 * 24, 24),
}  # fmt: skip
"""Of the chart: what it is called, how many hours, and how many of them make one bar."""
ASK_WITHIN_S = 2.0
SERIES_MOST = 5
GATEWAYS_SHOWN = 12
TROUBLED = (UNFITTED, LATE, CAPPED)
"""States of the judging of behaviour that somebody has to know."""


@dataclass(frozen=True)
class Matter:
    """One thing that speaks against `all is well`, or that somebody has to know."""

    tone: str
    """bad or warn."""
    text: str
    url: str = ""


def overview_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the page."""

    @routes.get("/", openapi_extra=needs("read-status"))
    async def overview(request: Request, findings: Range = "day") -> Response:
        """How it all stands, on one screen."""
        principal: Principal = request.state.principal
        now = sources.now()
        title, hours, step = RANGES[findings]
        begin = (now // HOUR_US // step - hours // step + 1) * step * HOUR_US
        conditions, gate, gateways, stands = await asyncio.gather(
            sources.readiness.look(), _gate(sources, principal), _gateways(sources, principal),
            sources.asking.read(lambda c: standing.look(
                c, tenant=principal.tenant, now=now, since=begin, hours=step, endpoints=sources.endpoints
            )),
        )  # fmt: skip
        behaviour = behaviour_of(sources.data_dir) if principal.tenant is None else None
        return pages.answer(
            request, "overview.html", conditions=conditions, gate=gate, stands=stands, range=findings, ranges=RANGES,
            gateways=gateways[:GATEWAYS_SHOWN], gateways_more=max(0, len(gateways) - GATEWAYS_SHOWN),
            matters=_matters(conditions, gate, gateways, stands, behaviour), behaviour=behaviour,
            chart_title=f"Findings of the last {title}, by class", done=_done(stands.last_day),
            chart=_chart(stands.findings, begin, now, step), totals=_totals(stands),
        )  # fmt: skip


async def _gate(sources: Sources, principal: Principal) -> Mapping[str, Any]:
    """What the gate says of itself; empty where it is silent, or for who is bound to a tenant: it counts all."""
    if principal.tenant is not None:
        return {}
    try:
        return await sources.gate.ask({"do": "status"}, ASK_WITHIN_S)
    except GateUnreachable:
        return {}


async def _gateways(sources: Sources, principal: Principal) -> Sequence[Mapping[str, Any]]:
    """Those that it has heard of first, the silent ones in front."""
    if principal.tenant is not None or not (principal.local or principal.allows("read-gateways", None)):
        return []
    try:
        told = await sources.gate.ask({"do": "gateways", "after": 0}, ASK_WITHIN_S)
    except GateUnreachable:
        return []
    found = await sources.asking.read(listing.silent_gateways)
    silent = {row.document.get("gateway") or row.document.get("about"): row.began_at for row in found}
    rows = [{**one, "silent_since": silent.get(one["gateway"])} for one in told.get("gateways", [])]
    return sorted(rows, key=lambda one: (one["silent_since"] is None, str(one["gateway"])))


def _matters(
    conditions: Mapping[str, Condition], gate: Mapping[str, Any], gateways: Sequence[Mapping[str, Any]],
    stands: standing.Standing, behaviour: Mapping[str, Any] | None = None,
) -> list[Matter]:  # fmt: skip
    """What somebody has to know, the worst first."""
    broken = {"gate": "Nobody is guarded: {}.", "following": "What is shown here {}.",
              "watch": "Silences, use and outages are not found: {}."}  # fmt: skip
    found = [
        Matter("bad", broken.get(name, f"{name} {{}}.").format(one.said))
        for name, one in conditions.items() if not one.ok
    ]  # fmt: skip
    if stands.overdue:
        said = f"{count(stands.overdue, 'incident')} past the deadline."
        found.append(Matter("bad", said, "/incidents?sort=deadline"))
    if stands.severe_open:
        said = f"{count(stands.severe_open, 'severe incident')} that nobody has taken."
        found.append(Matter("bad", said, "/incidents?state=open&sort=deadline"))
    if gate.get("paused"):
        found.append(Matter("warn", "Responses are paused: what is found is told, and nothing is cut."))
    if behaviour is not None and behaviour["state"] in TROUBLED:
        found.append(Matter("warn", f"Behaviour: {behaviour['says']}"))
    silent = [str(one["gateway"]) for one in gateways if one["silent_since"]]
    if silent:
        more = f" and {len(silent) - 3} more" if len(silent) > 3 else ""
        found.append(Matter("warn", f"Silent: {', '.join(silent[:3])}{more}."))
    if stands.held_actions or stands.held_findings:
        held = stands.held_actions + stands.held_findings
        found.append(Matter("warn", f"{count(held, 'response')} held by a limit, for a person to decide."))
    if stands.outbox[1]:
        letters = count(stands.outbox[1], "message")
        found.append(Matter("warn", f"{letters} to other systems could not be delivered."))
    others = stands.unresolved - stands.severe_open
    if others and not any(one.tone == "bad" for one in found):
        found.append(Matter("warn", f"{count(others, 'incident')} still to be resolved.", "/incidents"))
    return found


def _chart(rows: Sequence[tuple[int, str, int]], begin: int, now: int, step: int) -> dict[str, Any]:
    """Bars by class: those that were found most, and all others as one."""
    times = list(range(begin, now + 1, step * HOUR_US))
    total: Counter[str] = Counter()
    for _, name, many in rows:
        total[name] += many
    names = [name for name, _ in total.most_common(SERIES_MOST if len(total) <= SERIES_MOST + 1 else SERIES_MOST - 1)]
    values = {name: [0] * len(times) for name in [*names, *(["others"] if len(total) > len(names) else [])]}
    for at, name, many in rows:
        place = (at - begin) // (step * HOUR_US)
        if 0 <= place < len(times):
            values[name if name in values else "others"][place] += many
    series = [{"label": name, "values": counts} for name, counts in values.items()]
    seconds = [at // 1_000_000 for at in times]
    return {"kind": "bars", "times": seconds, "step": step * 3600, "series": series, "unit": ""}


def _done(last_day: Mapping[str, Mapping[str, int]]) -> list[tuple[str, list[tuple[str, int]]]]:
    """What was done in a day: (what, by whom or how, how often)."""
    told = []
    for what, title in (("locked", "Locked"), ("quarantined", "Put into quarantine"), ("released", "Released")):
        if by := last_day.get(what):
            told.append((title, [(f"by {name}", many) for name, many in sorted(by.items(), key=lambda one: -one[1])]))
    if sent := last_day.get("effect"):
        told.append(("Asked of gateways", sorted(sent.items(), key=lambda one: -one[1])))
    return told


def _totals(stands: standing.Standing) -> dict[str, int]:
    return {what: sum(by.values()) for what, by in stands.last_day.items()}
