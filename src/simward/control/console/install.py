"""`/install`: an installer says which SIM is in which device, and sees within seconds whether it is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.access.csrf import form_of
from simward.control.api.permissions import needs
from simward.control.api.problems import Problem
from simward.control.console import through_api as api
from simward.control.console.listings import Column, Empty, Format, Listing, export
from simward.control.console.pages import Pages
from simward.control.console.questions import SAID_AGAIN, Form, Question, add_question
from simward.control.console.sources import Sources

LISTED_MOST = 20
COLUMNS = (Column("SIM"), Column("State"), Column("Device"), Column("Use case", wide=True), Column("When"))
FIELDS = ("iccid", "imei", "use_case", "label", "latitude", "longitude", "because")
VERDICTS: Mapping[str, tuple[str, str, str]] = {
    "accepted": ("busy", "A moment", "The gate is being told. Keep this page open."),
    "waiting": ("busy", "Switch it on", "SIM and device belong together from now on. Waiting for the first attach."),
    "confirmed": ("good", "Right", "The right device came with this SIM. Done."),
    "wrong-device": ("bad", "Wrong device", "Another device came with this SIM."),
    "refused": ("bad", "Not let in", "It is the right device, but it is not let in."),
    "failed": ("bad", "It did not work", "The gate did not take it."),
    "cancelling": ("warn", "Being taken back", "The gate is being told."),
    "cancelled": ("warn", "Taken back", "It is as it was before."),
    "superseded": ("warn", "Replaced", "The same SIM or device was installed otherwise since."),
    "taken-back": ("warn", "Taken back", "The inventory's file says what this SIM is for again."),
}
"""State of a deployment -> tone, in a word, in a sentence."""
ENDED = ("cancelling", "cancelled", "superseded", "taken-back")


def install_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the pages."""
    _add_form(routes, pages)
    _add_verdict(routes, pages)
    _add_taking_back(routes, pages)


def _add_form(routes: APIRouter, pages: Pages) -> None:
    async def shown(request: Request, form: Form, error: str, wrong: str, status: int) -> Response:
        rows = (await api.read(request, "/v1/deployments", {"limit": LISTED_MOST}))["deployments"]
        empty = Empty("Nothing was installed yet", "What is installed here, or by device management, is listed.")
        return pages.answer(
            request, "install.html", status=status, values={name: form.get(name, "") for name in FIELDS}, error=error,
            wrong=wrong, use_cases=await use_cases_of(request), verdicts=VERDICTS,
            listing=Listing("installed", COLUMNS, rows, empty),
        )  # fmt: skip

    @routes.get("/install", openapi_extra=needs("deploy"))
    async def install(
        request: Request, iccid: str = "", imei: str = "", use_case: str = "", format: Format = "html"
    ) -> Response:  # fmt: skip
        """What was put into what, for what."""
        if format != "html":
            return export(format, "installed", api.pages_of(request, "/v1/deployments", "deployments"))
        return await shown(request, {"iccid": iccid, "imei": imei, "use_case": use_case}, "", "", 200)

    @routes.post("/install", openapi_extra=needs("deploy"))
    async def installed(request: Request) -> Response:
        """Deploy it, and on to the verdict; a mistake is said where it was made."""
        form = {name: str(value).strip() for name, value in (await form_of(request)).items()}
        try:
            made = await api.send(request, "/v1/deployments", deployment_of(form))
        except Problem as problem:
            if problem.status_code not in SAID_AGAIN:
                raise
            errors = problem.members.get("errors") or [{}]
            wrong = str(errors[0].get("pointer", "")).rpartition("/")[2]
            return await shown(
                request, form, str(problem.detail).removeprefix(f"{wrong}: "), wrong, problem.status_code
            )  # fmt: skip
        return pages.gone_to(request, f"/install/{made['number']}")


def deployment_of(form: Form) -> dict[str, Any]:
    """What a filled-in form asks of the API. Raises Problem where a place is none."""
    site: dict[str, Any] = {"label": form["label"]} if form.get("label") else {}
    for name in ("latitude", "longitude"):
        if form.get(name):
            try:
                site[name] = float(form[name])
            except ValueError:
                wrong = [{"pointer": f"#/{name}", "detail": "is no number"}]
                what = f"{name}: {form[name][:30]} is no number of degrees"
                raise Problem(422, "invalid-request", "Not a place", what, errors=wrong) from None
    return {
        "iccid": form.get("iccid", ""), "imei": form.get("imei", ""), "use_case": form.get("use_case", ""),
        "site": site, "because": form.get("because", "") or "installed",
    }  # fmt: skip


async def use_cases_of(request: Request) -> Sequence[str]:
    """The names to choose from."""
    answer = await api.read(request, "/v1/use-cases", {"fields": "name", "limit": 1000})
    return [one["name"] for one in answer["use_cases"]]


def _add_verdict(routes: APIRouter, pages: Pages) -> None:
    @routes.get("/install/{number}", openapi_extra=needs("deploy"))
    async def verdict(number: int, request: Request) -> Response:
        """Right or wrong, as soon as it is known."""
        one = await api.read(request, f"/v1/deployments/{number}")
        tone, word, sentence = VERDICTS[one["state"]]
        return pages.answer(
            request, "installed.html", one=one, tone=tone, word=word, sentence=sentence, over=one["state"] in ENDED
        )


def _add_taking_back(routes: APIRouter, pages: Pages) -> None:
    async def asks(request: Request) -> Question:
        number = request.path_params["number"]
        one = await api.read(request, f"/v1/deployments/{number}")
        return Question(
            "Take the installation back", "Take back", f"/install/{number}",
            [f"SIM {one['iccid']} does not belong in device {one['imei']} any more: it is as the inventory says, or as "
             "it was before."], danger=True,
        )  # fmt: skip

    async def does(request: Request, form: Form) -> str:
        number = request.path_params["number"]
        query = {"because": form["because"]}
        await api.remove(request, f"/v1/deployments/{number}", query)
        return f"/install/{number}"

    add_question(routes, pages, "/install/{number:int}/take-back", "deploy", asks, does)
