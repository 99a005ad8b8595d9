"""`/endpoints`: who is told of what happens, whether it gets there, and the parties that must answer."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.api.permissions import needs
from simward.control.api.problems import Problem
from simward.control.console import through_api as api
from simward.control.console.listings import PAGE_ROWS, Column, Empty, Format, Listing, export, whole
from simward.control.console.pages import Pages
from simward.control.console.questions import Field, Form, Question, add_question
from simward.control.console.sources import Sources
from simward.control.console.words import count

COLUMNS = (
    Column("Endpoint"), Column("State"), Column("Waiting", numeric=True), Column("Dead letters", numeric=True),
    Column("Delivered", numeric=True, wide=True), Column("Events", wide=True), Column("Last error", wide=True),
)  # fmt: skip
PARTY_COLUMNS = (
    Column("Party"), Column("Told through"), Column("Must answer within"), Column("May ask for", wide=True),
    Column("Use cases", wide=True), Column("Has not answered", numeric=True),
)  # fmt: skip
DEAD_COLUMNS = (
    Column("Event"), Column("About"), Column("Attempts", numeric=True), Column("Why"), Column("Made", wide=True),
)  # fmt: skip


def endpoint_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the pages."""
    _add_looking(routes, pages)
    _add_testing(routes, pages)
    _add_sending_again(routes, pages)


def _add_looking(routes: APIRouter, pages: Pages) -> None:
    @routes.get("/endpoints", openapi_extra=needs("read-endpoints"))
    async def endpoints(
        request: Request, format: Format = "html", table: Literal["endpoints", "parties"] = "endpoints"
    ) -> Response:  # fmt: skip
        """All of them, and the parties."""
        rows = (await api.read(request, "/v1/endpoints"))["endpoints"]
        parties = (await api.read(request, "/v1/parties"))["parties"]
        if format != "html":
            return export(format, table, whole(rows if table == "endpoints" else parties))
        return pages.answer(
            request, "endpoints.html",
            listing=Listing("endpoints", COLUMNS, rows, Empty(
                "No endpoint", "Nobody is told of what happens. Write an [[endpoint]] into simward.toml, with its url."
            )),
            parties=Listing("parties", PARTY_COLUMNS, parties, Empty(
                "No party", "A [[party]] of simward.toml must be told when a SIM is not where it belongs, and answers."
            ), table="parties"),
        )  # fmt: skip

    @routes.get("/endpoints/{name}", openapi_extra=needs("read-endpoints"))
    async def endpoint(
        name: str, request: Request, after: str | None = None, format: Format = "html"
    ) -> Response:  # fmt: skip
        """One of them, with its dead letters."""
        one, path = await _one(request, name), f"/v1/endpoints/{api.part(name)}/dead"
        if format != "html":
            return export(format, f"dead-letters-{name}", api.pages_of(request, path, "dead"))
        answer = await api.read(request, path, {"after": after, "limit": PAGE_ROWS})
        empty = Empty("No dead letter", "Everything was delivered, or still waits for its turn.")
        listing = Listing("dead", DEAD_COLUMNS, answer["dead"], empty, next=answer.get("next"), is_first=after is None)
        return pages.answer(
            request, "endpoint.html", endpoint=one, listing=listing,
            parties=[told for told in (await api.read(request, "/v1/parties"))["parties"] if told["endpoint"] == name],
        )  # fmt: skip


async def _one(request: Request, name: str) -> Any:
    """Raises Problem where the settings have none of this name."""
    for row in (await api.read(request, "/v1/endpoints"))["endpoints"]:
        if row["name"] == name:
            return row
    raise Problem(404, "no-such-endpoint", "No such endpoint", f"The settings have no endpoint {name}.")


def _add_testing(routes: APIRouter, pages: Pages) -> None:
    async def asks(request: Request) -> Question:
        one = await _one(request, request.path_params["name"])
        return Question(
            f"Test endpoint {one['name']}", "Send a test", f"/endpoints/{one['name']}",
            [f"An event endpoint.test is sent to {one['url']} now, past what waits.",
             "Where it is taken, the endpoint counts as up again."],
        )  # fmt: skip

    async def does(request: Request, form: Form) -> Response:
        name = request.path_params["name"]
        came = await api.send(request, f"/v1/endpoints/{api.part(name)}/test", {})
        return pages.answer(request, "endpoint_tested.html", came=came)

    add_question(routes, pages, "/endpoints/{name}/test", "write-endpoints", asks, does, reason=False)


def _add_sending_again(routes: APIRouter, pages: Pages) -> None:
    async def asks_to_redrive(request: Request) -> Question:
        one = await _one(request, request.path_params["name"])
        return Question(
            f"Send dead letters to {one['name']} again", "Send again", f"/endpoints/{one['name']}",
            [f"{count(one['dead'], 'dead letter')}: those that you chose, or all of them where you chose none, wait "
             "again for another day, each before what waits for the same subscription."],
            fields=[Field("deliveries", "", "hidden")],
        )  # fmt: skip

    async def redrives(request: Request, form: Form) -> str:
        name, chosen = request.path_params["name"], form.get("deliveries", "")
        numbers = [int(one) for one in chosen.split(",") if one.isdigit()]
        await api.send(request, f"/v1/endpoints/{api.part(name)}/redrive", {"deliveries": numbers})
        return f"/endpoints/{name}"

    add_question(
        routes, pages, "/endpoints/{name}/redrive", "write-endpoints", asks_to_redrive, redrives,
        given=("deliveries",), reason=False,
    )  # fmt: skip

    async def asks_to_redeliver(request: Request) -> Question:
        one = await _one(request, request.path_params["name"])
        return Question(
            f"Deliver an event to {one['name']} once more", "Deliver", f"/endpoints/{one['name']}",
            ["It is delivered under the same id, after what waits: whoever has seen it can tell."],
            fields=[Field("announcement", "Its id", hint="The webhook-id of the event.", required=True)],
        )  # fmt: skip

    async def redelivers(request: Request, form: Form) -> str:
        name = request.path_params["name"]
        body = {"announcement": form.get("announcement", "").strip()}
        await api.send(request, f"/v1/endpoints/{api.part(name)}/redeliver", body)
        return f"/endpoints/{name}"

    add_question(
        routes, pages, "/endpoints/{name}/redeliver", "write-endpoints", asks_to_redeliver, redelivers,
        given=("announcement",), reason=False,
    )  # fmt: skip
