"""Routes whose answers are pages: what goes wrong is told as a page too, in words, with what to do next."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from simward.control.api.permissions import KNOWN, needs
from simward.control.api.problems import Problem
from simward.control.console.pages import Pages

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def page_router(pages: Pages) -> APIRouter:
    """A router for pages: not in the OpenAPI description, and what its routes raise becomes a page.

    Its routes declare what they need (`openapi_extra=needs(...)`) like those of the API.
    """

    class PageRoute(APIRoute):
        """One of its routes."""

        def get_route_handler(self) -> Handler:
            """What FastAPI made, with problems told as pages."""
            handle = super().get_route_handler()

            async def handled(request: Request) -> Response:
                _leave_out_what_is_empty(request)
                try:
                    return await handle(request)
                except Problem as problem:
                    return pages.problem(request, problem)
                except RequestValidationError as error:
                    return pages.problem(request, _in_words(error))

            return handled

    return APIRouter(route_class=PageRoute, include_in_schema=False)


def unknown_pages(pages: Pages) -> APIRouter:
    """What answers a browser at an address that nothing else knows: to be included after everything else.

    Programs are told by the application itself, as of old: they do not ask for text/html.
    """

    class Unknown(APIRoute):
        """Matches where a browser looks for a page."""

        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            """See APIRoute."""
            asks = b",".join(value for name, value in scope.get("headers", ()) if name.lower() == b"accept")
            if b"text/html" not in asks or scope["method"] not in ("GET", "HEAD"):
                return Match.NONE, {}
            return super().matches(scope)

    routes = APIRouter(route_class=Unknown, include_in_schema=False)

    @routes.get("/{path:path}", openapi_extra=needs(KNOWN))
    async def unknown(path: str, request: Request) -> Response:
        """There is no such page."""
        said = f"Nothing is at /{path[:100]}: it may have been mistyped, or its link is of another version."
        return pages.problem(request, Problem(404, "not-found", "No such page", said))

    return routes


def _leave_out_what_is_empty(request: Request) -> None:
    """A form sends its empty fields as well; to the filters of a list that means: not filtered."""
    given = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    request.scope["query_string"] = urlencode([(name, value) for name, value in given if value.strip()]).encode()
    request.__dict__.pop("_query_params", None)


def _in_words(error: RequestValidationError) -> Problem:
    said = [f"{one['loc'][-1]}: {one['msg']}" for one in error.errors()[:8]]
    return Problem(422, "invalid-request", "That cannot be asked like this", "; ".join(said))
