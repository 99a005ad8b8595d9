"""`/v1/policy` and `/v1/revisions`: what is in force, how it came to be, and going back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from simward.control.api import paging, preconditions
from simward.control.api.asking import Asking, in_thread
from simward.control.api.permissions import needs
from simward.control.api.planning import Applied, Applying, Change, Plan, Side, actor_of, applied_told, in_words
from simward.control.api.problems import Problem
from simward.control.revising import Revising, Wish
from simward.engine.phrases import when
from simward.policy.load import Policy, read_policies
from simward.registry import revisions as kept
from simward.registry.database import Registry
from simward.revising.sides import owner_of

Number = Annotated[int, Path(ge=1, lt=2**63)]


class Document(BaseModel):
    """A document of the policy."""

    kind: str
    name: str
    owner: Side = Field(description="Who changes it: the files of the working folder, or the API.")
    file: str
    line: int
    document: dict[str, Any] = Field(description="As it is understood.")


class Text(BaseModel):
    """A text of the policy, as it was written."""

    owner: Side
    text: str


class InForce(BaseModel):
    """The policy in force."""

    revision: int | None = Field(description="Null: nothing was applied yet.")
    documents: list[Document]
    texts: dict[str, Text]


class PolicyRevision(BaseModel):
    """What was applied at once."""

    number: int
    first_sequence: int = Field(description="The rows of the journal that it stands in: from this one on,")
    last_sequence: int = Field(description="to this one.")
    at: str
    actor: str
    because: str
    upload: str | None = Field(description="The upload that it made be in force; null: it came from files.")
    changes: list[Change] = Field(description="Of the policy, against the revision before.")
    declared: int = Field(description="Subscriptions that it declared anew or otherwise.")
    removed: int = Field(description="Subscriptions that it removed.")


class WholeRevision(PolicyRevision):
    """One, with the policy in force from then on."""

    texts: dict[str, Text]


class Revisions(BaseModel):
    """A page, the newest first."""

    revisions: list[PolicyRevision]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


class WentBack(Applied):
    """What came of going back."""

    files_differ: list[str] = Field(description="Texts of files that the next `simward apply` would bring back.")


def revision_routes(registry: Registry, revising: Revising, now: Callable[[], int]) -> APIRouter:
    """All of them."""
    routes, asking = APIRouter(prefix="/v1", tags=["policy"]), Asking(registry)
    _add_looking(routes, asking)
    _add_going_back(routes, asking, revising, now)
    return routes


def _add_looking(routes: APIRouter, asking: Asking) -> None:
    declared: dict[str, Any] = {"response_model": None, "openapi_extra": needs("read-policy", all_tenants=True)}

    @routes.get(
        "/policy", responses={200: {"model": InForce, "headers": preconditions.described()}}, **declared
    )  # fmt: skip
    async def policy(response: Response) -> dict[str, Any]:
        """The documents in force, who owns each, and their texts."""
        row, texts = await asking.read(lambda c: (kept.newest(c), kept.texts_of(c, kept.newest(c))))
        read = await in_thread(lambda: read_policies(texts) if texts else Policy())
        response.headers["ETag"] = policy_tag(row)
        documents = [
            {"kind": one.kind, "name": one.name, "owner": owner_of(one.file), "file": one.file, "line": one.line,
             "document": one.value}
            for one in read.documents
        ]  # fmt: skip
        return {"revision": row and row.number, "documents": documents, "texts": texts_told(texts)}

    @routes.get("/revisions", responses={200: {"model": Revisions}}, **declared)
    async def revisions(after: paging.After = None, limit: paging.Limit = 100) -> Response:
        """What was applied, the newest first; the first of them all is in force."""
        key = paging.key_of("revisions", after, int)
        rows = await asking.read(lambda c: kept.listed(c, before=key and key[0], limit=limit + 1))
        more = paging.cursor_of("revisions", rows[limit - 1].number) if len(rows) > limit else None
        return paging.page("revisions", [revision_told(row) for row in rows[:limit]], more)

    @routes.get("/revisions/{number}", responses={200: {"model": WholeRevision}}, **declared)
    async def revision(number: Number) -> dict[str, Any]:
        """One of them, with the texts of the policy that was in force from then on."""
        row, texts = await asking.read(lambda c: (kept.find(c, number), kept.texts_of(c, kept.find(c, number))))
        if row is None:
            raise _no_revision(number)
        return {**revision_told(row), "texts": texts_told(texts)}


def _add_going_back(routes: APIRouter, asking: Asking, revising: Revising, now: Callable[[], int]) -> None:
    allowed = needs("apply-policy", all_tenants=True)

    async def policy_of(number: int) -> dict[str, str]:
        row, texts = await asking.read(lambda c: (kept.find(c, number), kept.texts_of(c, kept.find(c, number))))
        if row is None:
            raise _no_revision(number)
        if not texts:
            raise Problem(409, "policy-refused", "Not as things stand", f"Revision {number} has no policy.")
        return dict(texts)

    @routes.get(
        "/revisions/{number}/plan", response_model=None, responses={200: {"model": Plan}},
        openapi_extra=needs("propose-policy", all_tenants=True),
    )  # fmt: skip
    async def plan(number: Number) -> dict[str, Any]:
        """What going back to the policy of this revision would change, and for whom."""
        await policy_of(number)
        return await in_words(revising.plan(revision=number))

    @routes.post(
        "/revisions/{number}/roll-back", response_model=None, openapi_extra=allowed,
        responses={200: {"model": WentBack}},
    )  # fmt: skip
    async def roll_back(
        number: Number, asked: Applying, request: Request, if_match: preconditions.IfMatch = None
    ) -> dict[str, Any]:
        """Have the policy of this revision in force again, as a new one. Subscriptions stay as they are declared."""
        wish = Wish(actor_of(request, asked.actor), asked.because, asked.confirm)
        wanted = await policy_of(number)
        in_force = await asking.read(lambda c: kept.texts_of(c, kept.newest(c)))
        came = await in_words(revising.apply(wish, now(), lambda c: in_force_matches(c, if_match), revision=number))
        names = sorted({*wanted, *in_force})
        differ = [name for name in names if owner_of(name) == "files" and wanted.get(name) != in_force.get(name)]
        return {**applied_told(came), "files_differ": differ}


def policy_tag(revision: Any | None) -> str:
    """The ETag of the policy in force."""
    return preconditions.tag_of("policy", revision.last_sequence if revision is not None else 0)


def in_force_matches(connection: sa.Connection, shown: str | None) -> None:
    """Raises Problem where `If-Match` names another policy than the one in force."""
    if shown is not None:
        preconditions.must_match(shown, policy_tag(kept.newest(connection)))


def revision_told(row: Any) -> dict[str, Any]:
    """A revision as JSON."""
    names = [name for name in PolicyRevision.model_fields if name != "at"]
    return {"at": when(row.at), **{name: getattr(row, name) for name in names}}


def texts_told(texts: Mapping[str, str]) -> dict[str, Any]:
    """Texts as JSON."""
    return {name: {"owner": owner_of(name), "text": text} for name, text in texts.items()}


def _no_revision(number: int) -> Problem:
    return Problem(404, "no-such-revision", "No such revision", f"There is no revision {number}.")
