"""Errors of the HTTP interface as problem details (RFC 9457), every one of them."""

from __future__ import annotations

import http
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:simward:problem:"
ERRORS_MAX = 32


class Problem(HTTPException):
    """An answer that is an error. `name` becomes the type, `members` are the extension members (RFC 9457 3.2)."""

    def __init__(
        self, status: int, name: str, title: str, detail: str, *, headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.name, self.title, self.members = name, title, members


INTERNAL = Problem(
    500, "internal", "Internal error", "Something failed that should not; the log has it under this x-correlator."
)


def invalid(where: str, name: str, detail: str) -> Problem:
    """A parameter (`where`: query, path, header) that is not as it should be."""
    wrong = [{"pointer": f"#/{name}", "in": where, "detail": detail}]
    return Problem(422, "invalid-request", "The request is not valid", f"#/{name}: {detail}", errors=wrong)


def gate_unreachable(error: Exception) -> Problem:
    """The gate cannot be asked right now."""
    return Problem(503, "no-gate", "The gate cannot be reached", str(error), headers={"Retry-After": "1"})


def no_registry(error: Exception) -> Problem:
    """The registry, or a journal, cannot be used right now."""
    return Problem(
        503, "no-registry", "Registry or journal cannot be used", str(error), headers={"Retry-After": "1"}
    )


def response_of(problem: Problem) -> Response:
    """The answer."""
    document = {
        "type": TYPE + problem.name, "title": problem.title, "status": problem.status_code, "detail": problem.detail,
        **problem.members,
    }  # fmt: skip
    return JSONResponse(document, problem.status_code, problem.headers, media_type=MEDIA_TYPE)


def add_problems(app: FastAPI) -> None:
    """Have every error of an application answered as a problem."""
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_bug)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, Problem):
        return response_of(error)
    title = http.HTTPStatus(error.status_code).phrase
    document = {"type": "about:blank", "title": title, "status": error.status_code}
    if error.detail != title:
        document["detail"] = error.detail
    return JSONResponse(document, error.status_code, error.headers, media_type=MEDIA_TYPE)


async def _on_invalid(request: Request, error: Exception) -> Response:
    """What is wrong where, without what was sent: it may be a secret."""
    assert isinstance(error, RequestValidationError)
    wrong = [
        {"pointer": "#/" + "/".join(map(str, one["loc"][1:])), "in": str(one["loc"][0]), "detail": str(one["msg"])}
        for one in error.errors()[:ERRORS_MAX]
    ]
    first = f"{wrong[0]['pointer']}: {wrong[0]['detail']}" if wrong else "the request is not as it should be"
    return response_of(Problem(422, "invalid-request", "The request is not valid", first, errors=wrong))


async def _on_bug(request: Request, error: Exception) -> Response:
    return response_of(INTERNAL)  # it is raised again after that, and logged at the edge
