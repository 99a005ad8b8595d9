"""`/work-orders`: changes that are meant, made known before they begin; what became of each, and new ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.api.permissions import needs
from simward.control.api.problems import Problem
from simward.control.api.work import State
from simward.control.console import through_api as api
from simward.control.console.listings import PAGE_ROWS, Column, Empty, Format, Listing, export, whole
from simward.control.console.pages import Pages
from simward.control.console.questions import Field, Form, Question, add_question
from simward.control.console.sources import Sources
from simward.control.console.words import count

COLUMNS = (
    Column("Order"), Column("State"), Column("Until"), Column("Subscriptions", numeric=True), Column("By", wide=True),
    Column("Why", wide=True),
)  # fmt: skip
ITEM_COLUMNS = (
    Column("Subscription"), Column("State"), Column("Goes into"), Column("Was", wide=True), Column("Is", wide=True),
    Column("Until", wide=True), Column("Note", wide=True),
)  # fmt: skip
DEFAULT_HOURS = "24"


def work_order_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the pages."""
    _add_new(routes, pages, sources)
    _add_looking(routes, pages)
    _add_cancelling(routes, pages)


def _add_looking(routes: APIRouter, pages: Pages) -> None:
    @routes.get("/work-orders", openapi_extra=needs("read-work-orders"))
    async def orders(
        request: Request, state: State | None = None, after: str | None = None, format: Format = "html"
    ) -> Response:  # fmt: skip
        """The newest first: those that are open or overdue unless a state is chosen."""
        query = {"state": state}
        if format != "html":
            return export(format, "work-orders", api.pages_of(request, "/v1/work-orders", "work_orders", query))
        answer = await api.read(request, "/v1/work-orders", {**query, "after": after, "limit": PAGE_ROWS})
        empty = Empty(
            "No work order" if state else "No work is planned",
            "Say before a SIM goes into another device, or to another place: then the change raises no alarm.",
            "/work-orders/new", "Plan work",
        )  # fmt: skip
        listing = Listing(
            "orders", COLUMNS, answer["work_orders"], empty, next=answer.get("next"), is_first=after is None
        )  # fmt: skip
        return pages.answer(request, "work_orders.html", listing=listing, state=state or "")

    @routes.get("/work-orders/{number}", openapi_extra=needs("read-work-orders"))
    async def order(number: int, request: Request, format: Format = "html") -> Response:
        """One of them."""
        one = await api.read(request, f"/v1/work-orders/{number}")
        if format != "html":
            return export(format, f"work-order-{number}", whole(one["of"]))
        listing = Listing("items", ITEM_COLUMNS, one["of"], Empty("It is about nothing"))
        return pages.answer(request, "work_order.html", order=one, listing=listing)


def _add_cancelling(routes: APIRouter, pages: Pages) -> None:
    async def asks(request: Request) -> Question:
        one = await api.read(request, f"/v1/work-orders/{request.path_params['number']}")
        open_ = one["counts"].get("open", 0)
        return Question(
            f"Cancel work order {one['number']}", "Cancel the order", f"/work-orders/{one['number']}",
            [f"{count(open_, 'change')} of it that did not happen yet are not expected any more: each would raise an "
             "alarm from now on.", "What has happened already stays as it is."], danger=True,
        )  # fmt: skip

    async def does(request: Request, form: Form) -> str:
        number = request.path_params["number"]
        await api.send(request, f"/v1/work-orders/{number}/cancel", {"because": form["because"]})
        return f"/work-orders/{number}"

    add_question(routes, pages, "/work-orders/{number:int}/cancel", "plan", asks, does)


def _add_new(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    async def asks(request: Request) -> Question:
        begins = datetime.fromtimestamp(sources.now() // 1_000_000, UTC)
        return Question(
            "Plan work", "Plan it", "/work-orders",
            ["While it lasts, the changes that it names are expected: the binding follows them; they raise no alarm.",
             "Another device than the one named raises one as before."],
            fields=[
                Field("iccids", "ICCIDs", "textarea", required=True,
                      hint="One a line; after a space the IMEI that it goes into (none: any device)."),
                Field("device", "The device changes", "check", "true"),
                Field("place", "The place changes", "check"),
                Field("begins", "From (UTC)", "datetime-local", f"{begins:%Y-%m-%dT%H:%M}", required=True),
                Field("hours", "For how many hours", "number", DEFAULT_HOURS, required=True),
                Field("title", "Title", hint="May stay empty."),
            ],
        )  # fmt: skip

    async def does(request: Request, form: Form) -> str:
        answer = await api.send(request, "/v1/work-orders", order_of(form))
        return f"/work-orders/{answer['number']}"

    add_question(routes, pages, "/work-orders/new", "plan", asks, does, given=("iccids",))


def order_of(form: Form) -> dict[str, Any]:
    """What a filled-in form asks of the API. Raises Problem where it cannot be read."""
    device, place = form.get("device") == "true", form.get("place") == "true"
    items: list[dict[str, Any]] = []
    for line, text in enumerate(form.get("iccids", "").splitlines(), 1):
        words = text.replace(",", " ").split()
        if not words:
            continue
        if len(words) > 2:
            raise _wrong(f"line {line}: an ICCID and at most one IMEI")
        imei = {"imei": words[1]} if len(words) == 2 else {}
        items.append({"iccid": words[0], "device": device or bool(imei), "place": place, "line": line, **imei})
    try:
        begins = datetime.fromisoformat(form.get("begins", "")).replace(tzinfo=UTC)
        ends = begins.timestamp() + 3600 * float(form.get("hours", DEFAULT_HOURS))
        until = datetime.fromtimestamp(ends, UTC)
    except (ValueError, OverflowError, OSError):
        raise _wrong("from, for how many hours: that is no time") from None
    return {
        "because": form["because"], "title": form.get("title", ""), "items": items, "from": begins.isoformat(),
        "until": until.isoformat(), "kind": "swap" if len(items) > 1 else "plan",
    }  # fmt: skip


def _wrong(what: str) -> Problem:
    return Problem(422, "invalid-request", "The order cannot be read", what)
