"""Makes pages: one environment of templates, what every template knows, the headers that every page has.

A page asked for by htmx comes without its frame (layout, navigation): the same route and template serve both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.control.console import times
from simward.control.console.assets import Assets
from simward.control.console.navigation import PLACES, Place
from simward.control.console.words import FILTERS

TEMPLATES = Path(__file__).parent / "templates"
# Nothing from elsewhere, no script or style inside a page, and nobody may show it in a frame. Charts and the map draw
# into canvases and take pictures from memory (blob:, data:).
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; worker-src 'self' blob:; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "HX-Request, Cookie",
}
THEMES = ("light", "dark")
NEXT_STEPS = {
    401: "Sign in, then open this page again.",
    403: "Ask an administrator for a role that may, or open another page.",
    404: "Look for it by any identifier in the search above.",
    409: "Open it again to see how it stands now.",
    422: "Check what was entered.",
    429: "Wait a moment, then try again.",
    503: "It is tried again while you wait; /readyz says what is missing.",
}


@dataclass(frozen=True)
class Visit:
    """One request for a page, as templates see it: who asks, what for, and what may be offered."""

    principal: Principal
    path: str
    query: Mapping[str, str]
    theme: str
    now: int
    """us UTC."""
    is_fragment: bool
    places: Sequence[Place]

    @property
    def csrf(self) -> str:
        """What a form has to send back, where a session needs it."""
        return str(getattr(self.principal, "csrf", ""))

    @property
    def can_search(self) -> bool:
        """Is there a search, and may this principal?"""
        return any(place.path == "/subscriptions" for place in self.places)

    def may(self, permission: str, iccid: str | None = None) -> bool:
        """Is it to be offered?"""
        return self.principal.local or self.principal.allows(permission, iccid)

    def url(self, **changed: str | int | None) -> str:
        """This page's address with other parameters; None takes one off."""
        query = {name: str(value) for name, value in {**self.query, **changed}.items() if value is not None}
        return f"{self.path}?{urlencode(query)}" if query else self.path


class Pages:
    """The templates, ready to be filled in."""

    def __init__(self, assets: Assets, now: Callable[[], int], places: Sequence[Place] = PLACES) -> None:
        """`now` is us UTC."""
        self._now, self._places = now, places
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, auto_reload=False,
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        )  # fmt: skip
        self.environment.filters.update(FILTERS)
        self.environment.filters.update(exact=times.exact, machine=times.machine, micros=times.micros)
        self.environment.globals.update(asset=assets.url, has_asset=assets.has, htmx_config=_htmx_config())

    def visit(self, request: Request) -> Visit:
        """What templates are told of a request."""
        principal: Principal = request.state.principal
        theme = request.cookies.get("theme", "")
        return Visit(
            principal, request.url.path, dict(request.query_params), theme if theme in THEMES else "", self._now(),
            request.headers.get("hx-request") == "true",
            [one for one in self._places if principal.local or any(principal.allows(p, None) for p in one.permissions)],
        )  # fmt: skip

    def text(self, request: Request, template: str, **facts: Any) -> str:
        """A template filled in."""
        visit = self.visit(request)
        layout = "fragment.html" if visit.is_fragment else "base.html"
        made = self.environment.get_template(template)
        return made.render(page=visit, layout=layout, ago=lambda at: times.relative(at, visit.now), **facts)

    def answer(
        self, request: Request, template: str, *, status: int = 200, headers: Mapping[str, str] = {}, **facts: Any
    ) -> Response:  # fmt: skip
        """The page that a template makes of these facts."""
        return HTMLResponse(self.text(request, template, **facts), status, {**HEADERS, **headers})

    def problem(self, request: Request, problem: Problem) -> Response:
        """What went wrong, and what can be done about it."""
        if getattr(request.state, "principal", None) is None:
            raise problem
        status = problem.status_code
        facts = {"problem": problem, "next_step": NEXT_STEPS.get(status, ""), "correlator": request.state.correlator}
        return self.answer(request, "problem.html", status=status, headers=problem.headers or {}, **facts)

    def gone_to(self, request: Request, url: str) -> Response:
        """After something was done: on to a page that shows it (which htmx is told by a header)."""
        if request.headers.get("hx-request") == "true":
            return Response(status_code=204, headers={**HEADERS, "HX-Redirect": url})
        return RedirectResponse(url, 303, HEADERS)


def _htmx_config() -> str:
    """As `<meta name="htmx-config">` has it: nothing that the content security policy forbids, errors are shown."""
    return json.dumps({
        "allowEval": False, "includeIndicatorStyles": False, "selfRequestsOnly": True, "historyCacheSize": 0,
        "refreshOnHistoryMiss": True, "scrollBehavior": "instant", "timeout": 20_000, "allowScriptTags": False,
        "responseHandling": [{"code": "204", "swap": False}, {"code": "...", "swap": True}],
    })  # fmt: skip
