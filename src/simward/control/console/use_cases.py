"""`/use-cases`: what the policy says of each, in words and as it is written; its members; and its detectors' record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
import yaml
from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.api.permissions import needs
from simward.control.console import through_api as api
from simward.control.console.listings import PAGE_ROWS, Column, Empty, Format, Listing, export, whole
from simward.control.console.pages import Pages
from simward.control.console.sources import Sources
from simward.control.console.words import shown
from simward.policy.schema import USE_CASE
from simward.registry import records

DAYS = 30
DAY_US = 86_400_000_000
COLUMNS = (
    Column("Use case"), Column("Members", numeric=True), Column("Bound", numeric=True, wide=True),
    Column("Locked", numeric=True), Column("Segments", wide=True), Column("Tenant", wide=True),
    Column("From", wide=True),
)  # fmt: skip
RECORD_COLUMNS = (
    Column("Detector"), Column("Response"), Column("Found", numeric=True), Column("Right", numeric=True),
    Column("Meant", numeric=True, wide=True), Column("False alarm", numeric=True),
    Column("Not judged", numeric=True, wide=True),
)  # fmt: skip
SERVICE_COLUMNS = (
    Column("Service"), Column("Policy", wide=True), Column("Ever used by", numeric=True),
    Column("Lately", numeric=True), Column("Last", wide=True), Column("So"),
)  # fmt: skip
NOT_YET = Empty("Not known yet", "The watch writes it down with each snapshot, every five minutes.")
SO = {
    "unused": "Nobody uses it: have it taken off these SIMs.",
    "used by few": "Few use it: give those a use case of their own, and take it off the others.",
    "used though none": "The policy says none, and it is used: have it taken off these SIMs.",
    "not known yet": "Not known for long enough.", "none": "The policy says none, and nobody uses it.",
    "used": "Needed.",
}  # fmt: skip
"""What each verdict asks for."""


def use_case_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the pages."""

    @routes.get("/use-cases", openapi_extra=needs("read-subscriptions"))
    async def use_cases(request: Request, after: str | None = None, format: Format = "html") -> Response:
        """All of them, by name."""
        if format != "html":
            return export(format, "use-cases", api.pages_of(request, "/v1/use-cases", "use_cases"))
        answer = await api.read(request, "/v1/use-cases", {"after": after, "limit": PAGE_ROWS})
        empty = Empty(
            "No use case yet", "A use case says what a kind of device does, and what follows where it does not.",
            "/first-run", "Begin",
        )  # fmt: skip
        listing = Listing(
            "use-cases", COLUMNS, answer["use_cases"], empty, next=answer["next"], is_first=after is None
        )  # fmt: skip
        return pages.answer(request, "use_cases.html", listing=listing)

    @routes.get("/use-cases/{name}", openapi_extra=needs("read-subscriptions"))
    async def use_case(name: str, request: Request, format: Format = "html") -> Response:
        """One of them."""
        one = await api.read(request, f"/v1/use-cases/{api.part(name)}")
        since = sources.now() - DAYS * DAY_US
        found = await sources.asking.read(lambda c: record_of(c, one, since))
        if format != "html":
            return export(format, f"detectors-of-{name}", whole(found))
        services = await api.read(request, "/v1/services", {"use_case": name})
        empty = Empty("Nothing was found", f"In the last {DAYS} days no detector had anything to say of its members.")
        return pages.answer(
            request, "use_case.html", one=one, said=in_words(one["document"]), text=_yaml(one["document"]), days=DAYS,
            listing=Listing("record", RECORD_COLUMNS, found, empty), most=records.COUNTED_MOST, services=services,
            so=SO, services_listing=Listing("services", SERVICE_COLUMNS, services["services"], NOT_YET, exports=False),
        )  # fmt: skip


def record_of(connection: sa.Connection, use_case: Mapping[str, Any], since: int) -> list[dict[str, Any]]:
    """What each detector found among the members since then (us UTC), and how people judged it; most found first."""
    found = records.of_use_case(connection, use_case["name"], use_case["tenant"], since)
    responses = use_case["document"].get("responses", {})
    rows = [
        {"detector": detector, "response": _response(responses, detector), "found": sum(by.values()),
         "right": by.get("true-positive", 0), "meant": by.get("benign", 0), "false": by.get("false-positive", 0),
         "unjudged": by.get("", 0)}
        for detector, by in found.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row["found"], row["detector"]))


def _response(responses: Mapping[str, Any], detector: str) -> str:
    """What the policy says of a detector, with what it says of its classes."""
    said = [str(responses.get(detector, responses.get("default", "")))]
    said += [f"{key.partition('/')[2]}: {value}" for key, value in responses.items() if key.startswith(f"{detector}/")]
    return ", ".join(one for one in said if one) or "as detectors have it"


def in_words(document: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    """(key, value, what the key means), in the order in which the schema explains them."""
    return [
        (name.replace("_", " "), _value(document[name]), key.doc) for name, key in USE_CASE.keys.items()
        if name in document and name != "use_case"
    ]  # fmt: skip


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{str(name).replace('_', ' ')}: {_value(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return shown(value) if not isinstance(value, bool) else "yes" if value else "no"


def _yaml(document: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)
