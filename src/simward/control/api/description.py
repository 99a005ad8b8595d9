"""The OpenAPI description: what is the same for every route is said once, here."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from simward.control.api.problems import MEDIA_TYPE
from simward.control.api.repeats import HEADER, NEVER

WRONG_THERE = {
    "type": "object",
    "description": "A part of the request.",
    "required": ["pointer", "in", "detail"],
    "properties": {name: {"type": "string"} for name in ("pointer", "in", "detail")},
}
WRONG_IN_A_FILE = {
    "type": "object",
    "description": "A line of a file that was sent.",
    "required": ["file", "line", "detail"],
    "properties": {
        "file": {"type": "string"}, "line": {"type": "integer"}, "detail": {"type": "string"},
        "key": {"type": "string"}, "where": {"type": "string"}, "instead": {"type": "string"},
    },
}  # fmt: skip
PROBLEM = {
    "type": "object",
    "description": "RFC 9457.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "What is wrong where.",
            "items": {"anyOf": [WRONG_THERE, WRONG_IN_A_FILE]},
        },
    },
}  # fmt: skip
ANSWER = {
    "description": "An error.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": r'^"?[!#-\[\]-~]{1,128}"?$'},
    "description": "Sent again with the same key, the same request is done once, and answered as it was; for a day.",
}
SECURITY = {
    "type": "http", "scheme": "bearer", "description": "A token: of a system (simward token create), or of a party."
}  # fmt: skip


def describe(app: FastAPI) -> None:
    """Have an application describe itself with what its routes do not say each for itself."""
    made = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(made())
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):  # what FastAPI would answer, and this never does
        schemas.pop(name, None)
    components["securitySchemes"] = {"token": SECURITY}
    document["security"] = [{"token": []}]
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            responses = one["responses"]
            if "HTTPValidationError" in str(responses.get("422")):
                del responses["422"]
            responses["default"] = ANSWER
            if method == "post" and not path.startswith(NEVER):
                one.setdefault("parameters", []).append(KEY)
    return document
