"""`/rules`: what acts by itself, how much of its limits is used, what is held, and what people do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import sqlalchemy as sa
import yaml
from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.api.permissions import needs
from simward.control.api.rules import State
from simward.control.console import through_api as api
from simward.control.console.listings import PAGE_ROWS, Column, Empty, Format, Listing, export, whole
from simward.control.console.pages import Pages
from simward.control.console.questions import Field, Form, Question, add_question
from simward.control.console.sources import Sources
from simward.control.console.words import count
from simward.policy.rules import TO_THE_GATE
from simward.registry import rules as kept

HOUR_US = 3_600_000_000
SPANS = (("1", "the last hour"), ("24", "the last day"), ("168", "the last week"), ("8760", "the last year"))
"""Hours, and what they are called."""
COLUMNS = (
    Column("Rule"), Column("Acts"), Column("On", wide=True), Column("Does", wide=True), Column("Held", numeric=True),
    Column("Done", numeric=True), Column("Would have", numeric=True, wide=True),
)  # fmt: skip
ACTION_COLUMNS = (
    Column("Action"), Column("State"), Column("Because of"), Column("Subscription"), Column("Changed", wide=True),
    Column("Result", wide=True),
)  # fmt: skip
HELD_COLUMNS = (
    Column("Action"), Column("Held because"), Column("Subscription"), Column("Since"), Column("Approved by"),
)  # fmt: skip


def rule_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the pages."""
    _add_looking(routes, pages, sources)
    _add_deciding(routes, pages)
    _add_undoing(routes, pages, sources)


def _add_looking(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    @routes.get("/rules", openapi_extra=needs("read-rules"))
    async def rules(request: Request, format: Format = "html") -> Response:
        """All of them."""
        rows = (await api.read(request, "/v1/rules"))["rules"]
        if format != "html":
            return export(format, "rules", whole(rows))
        empty = Empty(
            "No rule", "Rules act by themselves when something happens. They are written in the policy, kind rule.",
        )  # fmt: skip
        shown = [{**row, "said": in_words(row["document"])} for row in rows]
        return pages.answer(request, "rules.html", listing=Listing("rules", COLUMNS, shown, empty))

    @routes.get("/rules/{name}", openapi_extra=needs("read-rules"))
    async def rule(
        name: str, request: Request, state: State | None = None, after: str | None = None, format: Format = "html",
        table: Literal["actions", "held"] = "actions",
    ) -> Response:  # fmt: skip
        """One of them, with what it did."""
        one = await api.read(request, f"/v1/rules/{api.part(name)}")
        query = {"rule": name, "state": state}
        if format != "html":
            asked = query if table == "actions" else {**query, "state": "held"}
            return export(format, f"{table}-of-{name}", api.pages_of(request, "/v1/rule-actions", "actions", asked))
        held, _ = await _actions(request, {"rule": name, "state": "held"}, None, limit=200)
        rows, more = await _actions(request, query, after, PAGE_ROWS)
        used = await sources.asking.read(lambda c: _used(c, name, sources.now()))
        nothing = Empty("Nothing done yet", "What the rule does, or would have done, is listed here.")
        return pages.answer(
            request, "rule.html", rule=one, said=in_words(one["document"]), used=used, text=_yaml(one["document"]),
            held=Listing("held", HELD_COLUMNS, held, Empty("Nothing is held"), table="held"),
            listing=Listing("actions", ACTION_COLUMNS, rows, nothing, next=more, is_first=after is None),
            states=kept.STATES, state=state or "",
        )  # fmt: skip


async def _actions(request: Request, query: Mapping[str, Any], after: str | None, limit: int) -> tuple[Any, str | None]:
    answer = await api.read(request, "/v1/rule-actions", {**query, "after": after, "limit": limit})
    return answer["actions"], answer.get("next")


def _add_deciding(routes: APIRouter, pages: Pages) -> None:
    for verb, label, permission in (("approve", "Approve", "approve"), ("reject", "Reject", "approve"),
                                    ("pause", "Pause", "pause"), ("resume", "Resume", "resume")):  # fmt: skip
        _add_decision(routes, pages, verb, label, permission)


def _add_decision(routes: APIRouter, pages: Pages, verb: str, label: str, permission: str) -> None:
    chosen = verb in ("approve", "reject")

    async def asks(request: Request) -> Question:
        name = request.path_params["name"]
        one = await api.read(request, f"/v1/rules/{api.part(name)}")
        return Question(
            f"{label} {'held actions of ' if chosen else ''}rule {name}", label, f"/rules/{name}", preview(verb, one),
            danger=verb == "approve", fields=[Field("ids", "", "hidden")] if chosen else (),
        )  # fmt: skip

    async def does(request: Request, form: Form) -> str:
        name = request.path_params["name"]
        body: dict[str, Any] = {"because": form["because"]}
        if form.get("ids"):
            body["ids"] = form["ids"].split(",")
        await api.send(request, f"/v1/rules/{api.part(name)}/{verb}", body)
        return f"/rules/{name}"

    add_question(
        routes, pages, f"/rules/{{name}}/{verb}", permission, asks, does, given=("ids",) if chosen else ()
    )  # fmt: skip


def preview(verb: str, rule: Mapping[str, Any]) -> list[str]:
    """What a decision about a rule does."""
    held, above = rule["actions"].get("held", 0), rule["approve_above"] or 0
    match verb:
        case "approve":
            return [
                f"{count(held, 'action')} held: those that you chose, or all of them where you chose none, go to the "
                "gate as commands of yours, which no limit holds.",
                f"More than {above} in an hour take a second person: then your approval is noted, and theirs lets go.",
                "An action whose subscription has another binding by now changes nothing.",
            ]
        case "reject":
            return [
                f"{count(held, 'action')} held: those that you chose, or all where you chose none, are not done.",
                "They cannot be approved afterwards.",
            ]
        case "pause":
            return ["Until somebody resumes it, the rule only says what it would do. What it has done stays as it is."]
        case _:
            mode = "it acts" if rule["mode"] == "live" else "it says what it would do, as its mode is dry-run"
            return [f"The rule is as its policy says again: {mode}."]


def _add_undoing(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    async def asks(request: Request) -> Question:
        name = request.path_params["name"]
        await api.read(request, f"/v1/rules/{api.part(name)}")
        now = sources.now()
        of = await sources.asking.read(lambda c: {
            hours: kept.set_aside_since(c, name, now - int(hours) * HOUR_US) for hours, _ in SPANS
        })  # fmt: skip
        spans = [(hours, f"{said}: {count(of[hours], 'subscription')}") for hours, said in SPANS]
        return Question(
            f"Undo rule {name}", "Undo", f"/rules/{name}",
            ["What the rule locked or put into quarantine is released, one subscription after the other.",
             "What it has waiting is cancelled. What is held stays held.",
             "Locks that a person or a finding has set since stay."],
            fields=[Field("hours", "What it did in", "select", "24", spans)],
        )  # fmt: skip

    async def does(request: Request, form: Form) -> Response:
        name = request.path_params["name"]
        hours = form.get("hours", "")
        since = sources.now() - (int(hours) if hours in dict(SPANS) else 24) * HOUR_US
        body = {"rule": name, "because": form["because"], "since": max(since, 0)}
        answer = await api.send(request, "/v1/undo", body)
        return pages.gone_to(request, f"/undo/{answer['undo']}")

    add_question(routes, pages, "/rules/{name}/undo", "undo", asks, does)

    @routes.get("/undo/{undo}", openapi_extra=needs("read-rules"))
    async def undone(undo: str, request: Request) -> Response:
        """How far one is."""
        return pages.answer(request, "undo.html", undo=await api.read(request, f"/v1/undo/{api.part(undo)}"))


def _used(connection: sa.Connection, name: str, now: int) -> dict[str, int]:
    """Of its limits, in the last hour."""
    return {
        "commands": kept.commands_since(connection, name, TO_THE_GATE, now - HOUR_US),
        "approvals": kept.approvals_since(connection, name, now - HOUR_US),
    }


def in_words(document: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a rule waits for, and what it does then."""
    if document is None:
        return {"on": [], "if": "", "do": []}
    return {"on": document["on"], "if": document.get("if", ""), "do": [_deed(one) for one in document["do"]]}


def _deed(deed: Mapping[str, Any]) -> str:
    name = next(key for key in deed if key not in ("after", "unless"))
    details = deed[name] or {}
    said = name.replace("-", " ") + "".join(f" {value}" for key, value in details.items() if key != "title")
    after = deed.get("after")
    if after:
        said += f" after {after} s" if isinstance(after, int | float) else f" after {after}"
    return said + (f", unless {deed['unless']}" if deed.get("unless") else "")


def _yaml(document: Mapping[str, Any] | None) -> str:
    return "" if document is None else yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)
