"""What is asked before something is done: what will happen, what else has to be said, why; and then doing it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from simward.control.access.csrf import form_of
from simward.control.api.permissions import needs
from simward.control.api.problems import Problem
from simward.control.console.pages import Pages

VALUES_MOST = 1000
VALUES = Annotated[list[str] | None, Query(max_length=VALUES_MOST)]
SAID_AGAIN = (404, 409, 413, 422, 503)
"""What the API answers that whoever fills in the form can do something about."""


@dataclass(frozen=True)
class Field:
    """One more thing to be said. `kind`: text, number, datetime-local, textarea, select, check or hidden."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    options: Sequence[tuple[str, str]] = ()
    """Of a select: (value, label)."""
    hint: str = ""
    required: bool = False


@dataclass(frozen=True)
class Question:
    """A dialog."""

    title: str
    verb: str
    """What its button says."""
    back: str
    lines: Sequence[str]
    """What will happen."""
    danger: bool = False
    fields: Sequence[Field] = ()


Form = Mapping[str, str]
Asks = Callable[[Request], Awaitable[Question]]
Does = Callable[[Request, Form], Awaitable[str | Response]]
"""Does it; gives where to go then, or what to show. Raises Problem."""


def add_question(
    routes: APIRouter, pages: Pages, path: str, permission: str, asks: Asks, does: Does, *, given: Sequence[str] = (),
    reason: bool = True, all_tenants: bool = False,
) -> None:  # fmt: skip
    """Add both routes of a dialog: it asks (GET), and does (POST). What the API refuses is said in the dialog.

    `given` are fields that a link to it may fill in, by query; several values of one become one, with commas.
    `reason`: somebody has to say why; `all_tenants`: it is for nobody who is bound to one.
    """
    declared: dict[str, Any] = {"openapi_extra": needs(permission, all_tenants=all_tenants)}

    async def ask(request: Request, **filled: list[str] | None) -> Response:
        """What will happen, and why it shall."""
        question = await asks(request)
        known = {name: ",".join(values) for name, values in filled.items() if values}
        return shown(pages, request, question, _filled(question.fields, known), reason)

    ask.__signature__ = _signature(given)  # type: ignore[attr-defined]  # what FastAPI reads

    async def do(request: Request) -> Response:
        """Do it."""
        form = {name: str(value) for name, value in (await form_of(request)).items() if name != "csrf"}
        try:
            if reason and not form.get("because", "").strip():
                raise Problem(422, "invalid-request", "Why?", "Say why: it is kept for the audit.")
            went = await does(request, form)
        except Problem as problem:
            if problem.status_code not in SAID_AGAIN:
                raise
            question = await asks(request)
            fields = _filled(question.fields, form, sent=True)
            return shown(
                pages, request, question, fields, reason, form.get("because", ""), said(problem), problem.status_code
            )  # fmt: skip
        return went if isinstance(went, Response) else pages.gone_to(request, went)

    routes.add_api_route(path, ask, methods=["GET"], **declared)
    routes.add_api_route(path, do, methods=["POST"], **declared)


def shown(
    pages: Pages, request: Request, question: Question, fields: Sequence[Field], reason: bool, because: str = "",
    error: str = "", status: int = 200,
) -> Response:  # fmt: skip
    """The dialog."""
    return pages.answer(
        request, "ask_question.html", status=status, title=question.title, verb=question.verb, back=question.back,
        danger=question.danger, lines=question.lines, fields=fields, needs_reason=reason, because=because,
        error=error,
    )  # fmt: skip


def said(problem: Problem) -> str:
    """What is wrong, in words: each field by its name."""
    errors = problem.members.get("errors")
    if isinstance(errors, list) and errors and all(isinstance(one, dict) for one in errors):
        names = [(str(one.get("pointer", "")).removeprefix("#/"), str(one.get("detail", ""))) for one in errors[:5]]
        found = [f"{name}: {detail.removeprefix('Value error, ')}" if name else detail for name, detail in names]
        if any(found):
            return "; ".join(found)
    return str(problem.detail)


def _signature(given: Sequence[str]) -> inspect.Signature:
    request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    return inspect.Signature([request, *(
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=VALUES) for name in given
    )])  # fmt: skip


def _filled(fields: Sequence[Field], form: Form, *, sent: bool = False) -> list[Field]:
    """As they were filled in; a box that was not ticked is not sent at all."""
    filled = []
    for one in fields:
        absent = "" if sent and one.kind == "check" else one.value
        filled.append(replace(one, value=form.get(one.name, absent)))
    return filled
