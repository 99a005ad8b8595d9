"""`/proposals`: a policy edited, checked while it is typed, planned, tried on the record, and only then applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.access.csrf import form_of
from simward.control.api.asking import in_thread
from simward.control.api.permissions import needs
from simward.control.api.problems import Problem
from simward.control.console import through_api as api
from simward.control.console.listings import PAGE_ROWS, Column, Empty, Format, Listing, export, whole
from simward.control.console.pages import Pages
from simward.control.console.planning import asks_first, plan_lines
from simward.control.console.policy_checking import checked, file_name
from simward.control.console.questions import Field, Form, Question, add_question, said
from simward.control.console.sources import Sources
from simward.control.console.trying import CUT_COLUMNS, chart_of, told
from simward.control.console.words import count
from simward.registry.jobs import RUNNING, WAITING

COLUMNS = (Column("Proposal"), Column("State"), Column("By"), Column("When"), Column("Why", wide=True))
JOBS_LOOKED_AT = 200
SPANS = (("7d", "the last week"), ("30d", "the last 30 days"), ("90d", "the last 90 days"), ("1d", "the last day"))
NEW_TEXT = "use-case.yaml"
NEW = """\
use_case: name-of-it
segment: name-of-its-segment
binding: {mode: first-use, not_reported: refuse}
responses: {default: observe}
---
segment: name-of-its-segment
apn: meters.iot
pool: 10.64.0.0/16
"""


def proposal_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the pages."""
    _add_editing(routes, pages, sources)
    _add_looking(routes, pages, sources)
    _add_trying(routes, pages)
    _add_applying(routes, pages)


def _add_editing(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    async def editor(
        request: Request, name: str, text: str, because: str, error: str, found: Mapping[str, Any], status: int = 200
    ) -> Response:  # fmt: skip
        texts = (await api.read(request, "/v1/policy"))["texts"]
        return pages.answer(
            request, "policy_edit.html", status=status, name=name, text=text, because=because, error=error, found=found,
            owner=texts.get(name, {}).get("owner", "new"),
        )  # fmt: skip

    @routes.get("/policy/edit", openapi_extra=needs("propose-policy", all_tenants=True))
    async def edit(request: Request, text: str = "", use_case: str = "") -> Response:
        """A text of the policy in force, or that in which a use case stands; or a new one."""
        in_force = await api.read(request, "/v1/policy")
        for one in in_force["documents"]:
            if use_case and (one["kind"], one["name"]) == ("use_case", use_case):
                text = one["file"]
        name = text or NEW_TEXT
        if text and text not in in_force["texts"]:
            raise Problem(404, "not-found", "No such text", f"The policy in force has no text {text}.")
        return await editor(request, name, in_force["texts"][text]["text"] if text else NEW, "", "", {})

    @routes.post("/policy/check", openapi_extra=needs("propose-policy", all_tenants=True))
    async def check(request: Request) -> Response:
        """What is wrong with it as it stands; nothing is kept."""
        form = await form_of(request)
        name, text = str(form.get("name", "")) or NEW_TEXT, str(form.get("text", ""))
        return pages.answer(
            request, "policy_checked.html", found=await in_thread(lambda: checked(sources, name, text))
        )  # fmt: skip

    @routes.post("/policy/propose", openapi_extra=needs("propose-policy", all_tenants=True))
    async def propose(request: Request) -> Response:
        """Keep it as a proposal, unless something is wrong with it."""
        form = {name: str(value) for name, value in (await form_of(request)).items()}
        name, text, because = form.get("name", "") or NEW_TEXT, form.get("text", ""), form.get("because", "")
        texts = (await api.read(request, "/v1/policy"))["texts"]
        taken = [name] if texts.get(name, {}).get("owner") == "files" else []
        body = {"policies": {file_name(name): text.replace("\r\n", "\n")}, "because": because, "takes_over": taken}
        try:
            made = await api.send(request, "/v1/uploads", body)
        except Problem as problem:
            if problem.status_code not in (409, 413, 422):
                raise
            found = await in_thread(lambda: checked(sources, name, text))
            error = "Something is wrong with the text; see below." if found["problems"] else said(problem)
            return await editor(request, name, text, because, error, found, problem.status_code)
        return pages.gone_to(request, f"/proposals/{made['id']}")


def _add_looking(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    @routes.get("/proposals", openapi_extra=needs("read-policy", all_tenants=True))
    async def proposals(request: Request, after: str | None = None, format: Format = "html") -> Response:
        """The newest first."""
        if format != "html":
            return export(format, "proposals", api.pages_of(request, "/v1/uploads", "uploads"))
        answer = await api.read(request, "/v1/uploads", {"after": after, "limit": PAGE_ROWS})
        empty = Empty(
            "No proposal", "Change the policy of a use case: nothing is in force by that.", "/use-cases", "Use cases"
        )  # fmt: skip
        listing = Listing("proposals", COLUMNS, answer["uploads"], empty, next=answer["next"], is_first=after is None)
        return pages.answer(request, "proposals.html", listing=listing)

    @routes.get("/proposals/{id}", openapi_extra=needs("propose-policy", all_tenants=True))
    async def proposal(id: str, request: Request, format: Format = "html") -> Response:
        """What it says, and whom it would have cut."""
        one = await api.read(request, f"/v1/uploads/{api.part(id)}")
        job = await _newest_try(request, id)
        result = told(job["result"]) if job is not None and job["result"] else None
        cut = result["subscriptions"] if result else []
        if format != "html":
            return export(format, f"cut-by-{id}", whole(cut))
        return pages.answer(
            request, "proposal.html", one=one, job=job, result=result, chart=chart_of(result) if result else None,
            running=job is not None and job["state"] in (WAITING, RUNNING),
            listing=Listing("cut", CUT_COLUMNS, cut, Empty("Nobody would have been cut")),
        )  # fmt: skip

    @routes.get("/proposals/{id}/plan", openapi_extra=needs("propose-policy", all_tenants=True))
    async def planned(id: str, request: Request) -> Response:
        """The plan alone: it is made in a process of its own, for which a page need not wait."""
        error, plan = "", None
        try:
            plan = await api.read(request, f"/v1/uploads/{api.part(id)}/plan")
        except Problem as problem:
            if problem.status_code not in (409, 422):
                raise
            error = said(problem)
        lines = plan_lines(plan) if plan else []
        return pages.answer(request, "proposal_plan.html", plan=plan, lines=lines, error=error)


async def _newest_try(request: Request, id_: str) -> Any | None:
    """The newest backtest of a proposal, with its result."""
    query = {"kind": "backtest", "limit": JOBS_LOOKED_AT}
    for one in (await api.read(request, "/v1/jobs", query))["jobs"]:
        if one["arguments"].get("upload") == id_:
            return await api.read(request, f"/v1/jobs/{one['number']}")
    return None


def _add_trying(routes: APIRouter, pages: Pages) -> None:
    async def asks(request: Request) -> Question:
        id_ = request.path_params["id"]
        return Question(
            "Try it on the record", "Try it", f"/proposals/{id_}",
            ["What was recorded is judged again as if the proposal had been in force: whom it would have cut, and how "
             "people judged those findings.", "Nothing is done to anybody. It may take minutes."],
            fields=[Field("last", "On", "select", "30d", SPANS)],
        )  # fmt: skip

    async def does(request: Request, form: Form) -> str:
        id_ = request.path_params["id"]
        last = form.get("last", "30d")
        body = {"last": last if last in dict(SPANS) else "30d", "because": form.get("because", "")}
        await api.send(request, f"/v1/uploads/{api.part(id_)}/backtest", body)
        return f"/proposals/{id_}"

    add_question(
        routes, pages, "/proposals/{id}/backtest", "propose-policy", asks, does, reason=False, all_tenants=True
    )

    async def asks_to_stop(request: Request) -> Question:
        job = await _newest_try(request, request.path_params["id"])
        return Question(
            "Stop trying", "Stop", f"/proposals/{request.path_params['id']}",
            ["What was counted so far is thrown away."] if job else ["Nothing is being tried."],
        )  # fmt: skip

    async def stops(request: Request, form: Form) -> str:
        id_ = request.path_params["id"]
        job = await _newest_try(request, id_)
        if job is not None:
            await api.send(request, f"/v1/jobs/{job['number']}/cancel", {})
        return f"/proposals/{id_}"

    add_question(
        routes, pages, "/proposals/{id}/stop", "propose-policy", asks_to_stop, stops, reason=False, all_tenants=True
    )


def _add_applying(routes: APIRouter, pages: Pages) -> None:
    async def asks(request: Request) -> Question:
        id_ = request.path_params["id"]
        plan = await api.read(request, f"/v1/uploads/{api.part(id_)}/plan")
        job = await _newest_try(request, id_)
        return Question(
            "Apply the proposal", "Apply", f"/proposals/{id_}", [*_tried(job), *plan_lines(plan)], danger=True,
            fields=asks_first(plan),
        )  # fmt: skip

    async def does(request: Request, form: Form) -> str:
        id_ = request.path_params["id"]
        body = {"because": form["because"], "confirm": form.get("confirm") == "true"}
        await api.send(request, f"/v1/uploads/{api.part(id_)}/apply", body)
        return "/revisions"

    add_question(routes, pages, "/proposals/{id}/apply", "apply-policy", asks, does, all_tenants=True)


def _tried(job: Any | None) -> Sequence[str]:
    if job is None or not job["result"]:
        return ["It was not tried on the record: whom it would have cut is not known."]
    cuts = job["result"]["summary"]["cuts"]
    whom = f"{count(cuts['subscriptions'], 'subscription')}, {cuts['subscriptions_new']} of them newly"
    return [f"Tried on the record, it would have cut {whom}."]
