"""`/incidents`: the list, with its filters, and one of them: its story, evidence, proof, and what can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from simward.control.api import paging
from simward.control.api.incidents import Severity, State
from simward.control.api.permissions import needs
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.control.console.acts import ACTS, offered
from simward.control.console.detector_words import Words, words_of
from simward.control.console.listings import EXPORT_PAGE_ROWS, PAGE_ROWS, Column, Empty, Format, Listing, Row, export
from simward.control.console.pages import Pages
from simward.control.console.sources import Sources
from simward.engine import weighing
from simward.registry import incident_pages as kept
from simward.registry.incidents import UNRESOLVED
from simward.response.incident_life import told

Sort = Literal["number", "-number", "deadline", "-deadline", "changed", "-changed", "subscriptions", "-subscriptions"]
COLUMNS = (
    Column("Incident", "number"), Column("Severity"), Column("State"), Column("Deadline", "deadline"),
    Column("Changed", "changed", wide=True),
    Column("Subscriptions", "subscriptions", numeric=True, wide=True), Column("Owner", wide=True),
)  # fmt: skip
SIMILAR_SHOWN, MEMBERS_SHOWN, WORDS_SHOWN, EVIDENCE_SHOWN = 6, 10, 3, 20
Owner = Annotated[str | None, Query(max_length=100)]


def incident_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the pages."""

    @routes.get("/incidents", openapi_extra=needs("read-incidents"))
    async def incidents(
        request: Request, state: State | Literal["unresolved", "any"] = "unresolved", severity: Severity | None = None,
        use_case: paging.Name = None, owner: Owner = None, sort: Sort = "-number", after: paging.After = None,
        format: Format = "html",
    ) -> Response:  # fmt: skip
        """Those that need somebody, unless `state` says otherwise."""
        tenant, kind = request.state.principal.tenant, f"incidents{sort}"
        states = {"unresolved": UNRESOLVED, "any": ()}.get(state, (state,))

        async def page(cursor: str | None, rows: int) -> tuple[Sequence[Row], str | None]:
            key = paging.key_of(kind, cursor, *([int] if sort.endswith("number") else [int, int]))
            found = await sources.asking.read(lambda c: kept.listed(
                c, tenant=tenant, states=states, severity=severity, use_case=use_case, owner=owner, sort=sort,
                after=key, limit=rows,
            ))  # fmt: skip
            return [told(one) for one in found.rows], paging.next_of(kind, found.on)

        if format != "html":
            return export(format, "incidents", lambda cursor: page(cursor, EXPORT_PAGE_ROWS))
        rows, more = await page(after, PAGE_ROWS)
        chosen = {"state": state, "severity": severity or "", "use_case": use_case or "", "owner": owner or ""}
        listing = Listing(
            "incidents", COLUMNS, rows, _empty(state, chosen), next=more, sort=sort, is_first=after is None
        )
        return pages.answer(request, "incidents.html", listing=listing, chosen=chosen)

    @routes.get("/incidents/{number}", openapi_extra=needs("read-incidents"))
    async def incident(number: int, request: Request) -> Response:
        """What happened, how sure that is, what was done, and what can be done now."""
        principal: Principal = request.state.principal
        whole = await sources.cases.whole(number, principal.tenant)

        def look(connection: Any) -> tuple[Sequence[Any], Sequence[Any]]:
            row = connection.execute(kept.one(number)).one()
            return (
                kept.similar(connection, row, SIMILAR_SHOWN), kept.members(connection, number, MEMBERS_SHOWN + 1)
            )  # fmt: skip

        similar, members = await sources.asking.read(look)
        return pages.answer(
            request, "incident.html", incident=whole, similar=[told(one) for one in similar],
            members=members[:MEMBERS_SHOWN], has_more_members=len(members) > MEMBERS_SHOWN,
            evidence=_evidence(whole["evidence"]), evidence_left=max(0, len(whole["evidence"]) - EVIDENCE_SHOWN),
            words=_words(whole), acts=[ACTS[name] for name in offered(whole, members, principal)],
            timeline=_timeline(whole),
        )  # fmt: skip

    @routes.get("/incidents/{number}/evidence", openapi_extra=needs("read-incidents"))
    async def evidence(number: int, request: Request, format: Format = "json") -> Response:
        """All findings of one, to be taken elsewhere."""
        whole = await sources.cases.whole(number, request.state.principal.tenant)

        async def only(cursor: str | None) -> tuple[Sequence[Row], str | None]:
            return whole["evidence"], None

        if format == "html":
            raise Problem(422, "invalid-request", "That cannot be asked like this", "format: csv or json")
        return export(format, f"incident-{number}-evidence", only)


def _empty(state: str, chosen: Mapping[str, str]) -> Empty:
    if chosen["severity"] or chosen["use_case"] or chosen["owner"]:
        return Empty("No such incident", "None fits all that is chosen.", "/incidents", "Show all that wait")
    if state == "unresolved":
        return Empty("Nobody has to do anything", "No incident waits.", "/incidents?state=resolved", "Show resolved")
    return Empty("No such incident", "None is in this state.", "/incidents", "Show those that wait")


def _evidence(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What was seen, what was known before, and what policy expects, each as (what, value) side by side."""
    return [
        {
            **finding, "name": "/".join(part for part in (finding["detector"], finding["class"]) if part),
            "sides": [(side, finding.get(side)) for side in ("was", "now", "expected")],
            "hours": weighing.new_hours_text(finding["new_hours"]) if finding.get("new_hours") else "",
            "channels": [_channel(one) for one in finding.get("channels") or ()],
            "other": [(name, finding[name]) for name in ("gateway", "apn", "about", "segment") if finding.get(name)],
        }
        for finding in findings[:EVIDENCE_SHOWN]
    ]  # fmt: skip


def _channel(one: Mapping[str, Any]) -> dict[str, str]:
    """One channel of behaviour: the day's amount beside the device's own range and its peers'."""
    name = str(one["channel"])
    return {
        "label": weighing.LABELS.get(name, name), "side": one["side"], "since": one["since"],
        "value": weighing.amount_text(name, one["value"]), "usual": weighing.range_text(name, one["usual"]),
        "peers": weighing.range_text(name, one["peers"]) if one["peers"] else "",
        "bits": f"{one['bits']:.1f}" if one["bits"] else "",
    }  # fmt: skip


def _words(whole: Mapping[str, Any]) -> list[tuple[str, Words]]:
    """What the detectors that found it say of themselves, each once."""
    found = dict.fromkeys(str(one["detector"]) for one in whole["evidence"])
    return [(name, words_of(name)) for name in list(found)[:WORDS_SHOWN] if words_of(name).says]


def _timeline(whole: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Its entries, and what gateways were asked and answered, in order."""
    lines = [
        {"at": one["at"], "what": one["what"], "text": _said(one), "actor": one["actor"]} for one in whole["entries"]
    ]  # fmt: skip
    for one in whole["effects"]:
        if one["proved_at"]:
            answer = {"ack": "acknowledged", "nak": "refused", "silence": "never answered", "stop": "ended it"}
            said = f"{one['gateway'] or 'The gateway'} {answer.get(one['result'], one['result'])}: {one['what']}."
            lines.append({"at": one["proved_at"], "what": "proof", "text": said, "actor": ""})
    return sorted(lines, key=lambda one: str(one["at"]))


def _said(entry: Mapping[str, Any]) -> str:
    return f"{entry['actor']}: {entry['text']}" if entry["what"] == "note" else str(entry["text"])
