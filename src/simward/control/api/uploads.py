"""`/v1/uploads`: policies and an inventory that somebody proposes over the API: checked, planned, tried, applied."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator
from starlette.datastructures import UploadFile

from simward.control.api import paging, preconditions
from simward.control.api.asking import Asking, in_thread
from simward.control.api.jobs import Job, job_told
from simward.control.api.permissions import needs
from simward.control.api.planning import Applied, Applying, Explained, Plan, actor_of, applied_told, in_words, unfit
from simward.control.api.problems import Problem
from simward.control.api.revisions import in_force_matches
from simward.control.api.words import Words
from simward.control.jobs import Jobs
from simward.control.planner import as_csv
from simward.control.revising import Revising, Wish, api_texts, base_in_force
from simward.engine.phrases import when
from simward.policy.compile import BY_API
from simward.quantities import QuantityError, duration_s
from simward.registry import jobs as kept_jobs
from simward.registry import revisions
from simward.registry import uploads as kept
from simward.registry.audit import Deed, note
from simward.registry.database import Registry
from simward.revising.planning import Checked, Uploaded, problems_of
from simward.revising.sides import FILES, owner_of
from simward.revising.telling import problem_told
from simward.settings import Settings

PATH = "/v1/uploads"
FILES_MOST, TEXT_MOST = 500, 4_000_000
JSON, FORM = "application/json", "multipart/form-data"
WARNINGS_SHOWN = 200
LAST, LAST_S = "30d", 30 * 86_400
Id = Annotated[str, Path(pattern=r"^u-[0-9a-f]{12}$")]
FileName = Annotated[str, StringConstraints(pattern=re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\.ya?ml$"))]


class NewUpload(Explained):
    """Policies and inventory that the API is to declare, besides what the files declare."""

    policies: dict[FileName, Annotated[str, StringConstraints(max_length=TEXT_MOST)] | None] = Field(
        default_factory=dict, max_length=FILES_MOST, description="File name -> YAML; null: it goes."
    )
    inventory: str | None = Field(
        default=None, description="CSV as in inventory.csv: every subscription that the API declares. Not given, or "
        "null: as it is; empty: none."
    )  # fmt: skip
    whole: bool = Field(default=False, description="What is not among `policies` goes.")
    takes_over: list[Annotated[str, StringConstraints(max_length=200)]] = Field(
        default_factory=list, max_length=FILES_MOST,
        description="Files (policies/meters.yaml, inventory.csv) whose documents or lines are the API's from then on.",
    )  # fmt: skip

    @field_validator("policies", "inventory")
    @classmethod
    def _is_text(cls, said: Any) -> Any:
        for text in said.values() if isinstance(said, dict) else (said,):
            (text or "").encode()  # JSON can write halves of characters
        return said

    @model_validator(mode="after")
    def _says_something(self) -> NewUpload:
        if not self.policies and self.inventory is None and not self.whole:
            raise ValueError("policies, inventory: at least one of them")
        return self


class Warned(BaseModel):
    """Something doubtful."""

    file: str
    line: int
    key: str
    detail: str
    instead: str


class Place(BaseModel):
    """A document, and where it stands."""

    kind: str
    name: str
    file: str
    line: int


class Upload(BaseModel):
    """A proposal, or what is in force of the API."""

    id: str
    at: str
    actor: str
    because: str
    state: Literal["proposed", "in force"]
    takes_over: list[str]
    lines: int = Field(description="Subscriptions that it declares.")


class NewlyUploaded(Upload):
    """One that was just made."""

    documents: list[Place]
    warnings: list[Warned]


class WholeUpload(Upload):
    """One, with everything that the API would declare."""

    policies: dict[str, str]


class Uploads(BaseModel):
    """A page, the newest first."""

    uploads: list[Upload]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


class Trying(BaseModel):
    """From when on the record is judged by what is proposed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    actor: Words = Field(default="", description="Who asks. Only the owner's socket may name somebody else.")
    because: Words = Field(default="", description="Why.")
    last: str = Field(default=LAST, max_length=20, description="How long before the newest event (30d, 12h).")
    since: int | None = Field(default=None, ge=0, lt=2**62, description="Or from when on, us UTC.")
    warm_up: str | None = Field(default=None, max_length=20, description="Fold at most about so much before that.")

    @field_validator("last", "warm_up")
    @classmethod
    def _is_span(cls, text: str | None) -> str | None:
        try:
            if text is not None:
                duration_s(text)
        except QuantityError as error:
            raise ValueError(str(error)) from None
        return text


def upload_routes(
    settings: Settings, registry: Registry, revising: Revising, jobs: Jobs, now: Callable[[], int]
) -> APIRouter:
    """All of them."""
    routes, asking = APIRouter(prefix=PATH, tags=["policy"]), Asking(registry)
    _add_making(routes, settings, asking, now)
    _add_looking(routes, asking)
    _add_planning(routes, asking, revising, now)
    _add_trying(routes, asking, jobs, now)
    return routes


def _add_making(routes: APIRouter, settings: Settings, asking: Asking, now: Callable[[], int]) -> None:
    @routes.post(
        "", status_code=201, response_model=None, responses={201: {"model": NewlyUploaded}},
        openapi_extra={**needs("propose-policy", all_tenants=True), "requestBody": _body()},
    )  # fmt: skip
    async def make(request: Request) -> dict[str, Any]:
        """Propose what the API shall declare. Checked with what the files declare; nothing is in force by that."""
        asked = await _asked(request)
        actor = actor_of(request, asked.actor)

        def look(connection: sa.Connection) -> tuple[str, dict[str, str], dict[str, str], list[dict[str, str]]]:
            row = kept.in_force(connection)
            texts = revisions.texts_of(connection, revisions.newest(connection))
            files = {name: text for name, text in texts.items() if owner_of(name) == FILES}
            known = kept.lines_of(connection, row.id) if row is not None and asked.inventory is None else []
            return base_in_force(connection), files, api_texts(connection), known

        base, files, mine, known = await asking.read(look)
        uploaded = _merged(asked, mine, known)
        checked = await in_words(_checked(settings, files, uploaded))
        if checked.problems:
            raise unfit([problem_told(one) for one in checked.problems])
        lines = None if asked.inventory is None else _lines(asked.inventory)
        at = now()

        def write(connection: sa.Connection) -> Any:
            id_ = kept.make(connection, at, actor, asked.because, base, uploaded.texts, asked.takes_over, lines)
            after = {"policies": sorted(uploaded.texts), "takes_over": asked.takes_over}
            note(connection, Deed(
                at=at, actor=actor, what="policy.upload", object=f"upload {id_}", why=asked.because, after=after
            ))  # fmt: skip
            return kept.find(connection, id_)

        row = await asking.write(write)
        places = [
            {"kind": one.kind, "name": one.name, "file": one.file, "line": one.line}
            for one in checked.policy.documents if one.file in uploaded.texts
        ]  # fmt: skip
        warnings = [problem_told(one) for one in checked.warnings[:WARNINGS_SHOWN]]
        return {**upload_told(row, None), "documents": places, "warnings": warnings}


def _add_looking(routes: APIRouter, asking: Asking) -> None:
    declared: dict[str, Any] = {"response_model": None, "openapi_extra": needs("read-policy", all_tenants=True)}

    @routes.get("", responses={200: {"model": Uploads}}, **declared)
    async def listed(after: paging.After = None, limit: paging.Limit = 100) -> Response:
        """Proposals and what is in force of the API, the newest first. Of proposals the last fifty are kept."""
        key = paging.key_of("uploads", after, int, str)
        rows, now_in_force = await asking.read(
            lambda c: (kept.listed(c, before=key, limit=limit + 1), kept.in_force(c))
        )
        last = rows[limit - 1] if len(rows) > limit else None
        more = None if last is None else paging.cursor_of("uploads", last.at, last.id)
        return paging.page("uploads", [upload_told(row, now_in_force) for row in rows[:limit]], more)

    @routes.get("/{id}", responses={200: {"model": WholeUpload}}, **declared)
    async def one(id: Id) -> dict[str, Any]:
        """One of them, with its policies as they were written."""
        row, now_in_force = await asking.read(lambda c: (kept.find(c, id), kept.in_force(c)))
        if row is None:
            raise _no_upload(id)
        policies = {name.removeprefix(BY_API): text for name, text in row.texts.items()}
        return {**upload_told(row, now_in_force), "policies": policies}


def _add_planning(routes: APIRouter, asking: Asking, revising: Revising, now: Callable[[], int]) -> None:
    @routes.get(
        "/{id}/plan", response_model=None, responses={200: {"model": Plan}},
        openapi_extra=needs("propose-policy", all_tenants=True),
    )  # fmt: skip
    async def plan(id: Id) -> dict[str, Any]:
        """What it would change of what is in force, and for whom."""
        await asking.read(lambda c: _apply_to(c, id, None))
        return await in_words(revising.plan(upload=id))

    @routes.post(
        "/{id}/apply", response_model=None, responses={200: {"model": Applied}},
        openapi_extra=needs("apply-policy", all_tenants=True),
    )  # fmt: skip
    async def apply(
        id: Id, asked: Applying, request: Request, if_match: preconditions.IfMatch = None
    ) -> dict[str, Any]:
        """Have it in force; answered when the journal has it. `If-Match` is the ETag of `/v1/policy`."""
        wish = Wish(actor_of(request, asked.actor), asked.because, asked.confirm)
        came = revising.apply(wish, now(), lambda c: _apply_to(c, id, if_match), upload=id)
        return applied_told(await in_words(came))


def _add_trying(routes: APIRouter, asking: Asking, jobs: Jobs, now: Callable[[], int]) -> None:
    @routes.post(
        "/{id}/backtest", status_code=202, response_model=None, responses={202: {"model": Job}},
        openapi_extra=needs("propose-policy", all_tenants=True),
    )  # fmt: skip
    async def backtest(id: Id, asked: Trying, request: Request, response: Response) -> dict[str, Any]:
        """Say whom it would have cut, on recorded history: a job, whose `result` is that of `simward backtest`."""
        actor, at = actor_of(request, asked.actor), now()
        arguments = {
            "upload": id, "last_s": duration_s(asked.last), "since": asked.since,
            "warm_up_s": None if asked.warm_up is None else duration_s(asked.warm_up),
        }  # fmt: skip

        def make(connection: sa.Connection) -> Any:
            if kept.find(connection, id) is None:
                raise _no_upload(id)
            kind, tenant = kept_jobs.BACKTEST, request.state.principal.tenant
            number = kept_jobs.make(connection, kind, at, actor, asked.because, tenant, arguments, 0)
            return kept_jobs.find(connection, number, tenant)

        row = await asking.write(make)
        jobs.wake()
        response.headers["Location"] = f"/v1/jobs/{row.number}"
        return job_told(row)


def upload_told(row: Any, in_force: Any | None) -> dict[str, Any]:
    """An upload as JSON."""
    names = ("id", "actor", "because", "takes_over", "lines")
    state = "in force" if in_force is not None and row.id == in_force.id else "proposed"
    return {**{name: getattr(row, name) for name in names}, "at": when(row.at), "state": state}


def _merged(asked: NewUpload, mine: dict[str, str], known: list[dict[str, str]]) -> Uploaded:
    """Everything that the API would declare."""
    texts = {} if asked.whole else dict(mine)
    for name, text in asked.policies.items():
        if text is None:
            texts.pop(BY_API + name, None)
        else:
            texts[BY_API + name] = text
    inventory = as_csv(known) if asked.inventory is None else asked.inventory.encode()
    return Uploaded(texts, inventory, asked.takes_over)


async def _checked(settings: Settings, files: dict[str, str], uploaded: Uploaded) -> Checked:
    return await in_thread(lambda: problems_of(settings, files, uploaded))


def _lines(text: str) -> list[dict[str, str]]:
    """The lines of an inventory that was found right, without what is empty."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    names = [name.strip().lower() for name in next(rows, [])]
    return [
        {name: value.strip() for name, value in zip(names, row, strict=True) if value.strip()} for row in rows if row
    ]


def _apply_to(connection: sa.Connection, id_: str, shown: str | None) -> None:
    if kept.find(connection, id_) is None:
        raise _no_upload(id_)
    in_force_matches(connection, shown)


def _no_upload(id_: str) -> Problem:
    return Problem(404, "no-such-upload", "No such upload", f"There is no upload {id_}, or it is kept no more.")


async def _asked(request: Request) -> NewUpload:
    """The body, whichever of both forms it has. Raises Problem and RequestValidationError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == FORM:
            return NewUpload.model_validate(await _form(request))
        if kind == JSON:
            return NewUpload.model_validate_json(await request.body())
    except ValidationError as error:
        wrong = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_context=False)]
        raise RequestValidationError(wrong) from None
    raise Problem(415, "unsupported", "Neither JSON nor a form", f"Content-Type: {JSON} or {FORM}.")


async def _form(request: Request) -> dict[str, Any]:
    """A form: files as `policies` (each under its name) and `inventory`, and texts as the other fields."""
    said: dict[str, Any] = {}
    async with request.form(max_files=FILES_MOST + 1, max_fields=FILES_MOST + 16) as form:
        for name, value in form.multi_items():
            text = value if isinstance(value, str) else await _text_of(value)
            if name == "policies":
                file = value.filename if isinstance(value, UploadFile) else None
                said.setdefault("policies", {})[(file or "").rpartition("/")[2]] = text
            elif name == "takes_over":
                said.setdefault("takes_over", []).append(text)
            elif name == "whole":
                said["whole"] = text.strip().lower() == "true"
            else:
                said[name] = text
    return said


async def _text_of(file: UploadFile) -> str:
    try:
        return (await file.read()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem(
            422, "invalid-request", "The request is not valid", f"{file.filename}: not UTF-8 at octet {error.start}",
            errors=[{"pointer": f"#/{file.filename}", "in": "body", "detail": "not UTF-8"}],
        ) from None  # fmt: skip


def _body() -> dict[str, Any]:
    """Both forms of the body, for the OpenAPI description."""
    schema = NewUpload.model_json_schema(ref_template="#/components/schemas/{model}")
    file = {"type": "string", "format": "binary"}
    form = {
        "type": "object",
        "required": ["because"],
        "properties": {
            "policies": {"type": "array", "items": file}, "inventory": file, "because": {"type": "string"},
            "takes_over": {"type": "array", "items": {"type": "string"}}, "whole": {"type": "boolean"},
        },
    }  # fmt: skip
    return {"required": True, "content": {JSON: {"schema": schema}, FORM: {"schema": form}}}
