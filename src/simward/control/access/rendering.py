"""Pages of HTML: templates of the console, every value escaped, nothing undefined."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from starlette.responses import HTMLResponse, RedirectResponse, Response

from simward.control.access.site import local_path
from simward.control.console.assets import Assets

TEMPLATES = Path(__file__).parents[1] / "console" / "templates"
SEE_OTHER = 303
"""RFC 9110 15.4.4: what was posted is done, go on with a GET."""


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals["asset"] = Assets().url
    return made


def page(template: str, status: int = 200, *, wait_s: int = 0, **values: Any) -> Response:
    """A page of `templates/access`; `wait_s`: so long until it is worth trying again."""
    headers = {"Retry-After": str(wait_s)} if wait_s else None
    return HTMLResponse(_environment().get_template(f"access/{template}.html").render(**values), status, headers)


def go_to(path: str) -> Response:
    """On to a page here: `path`, else the overview."""
    return RedirectResponse(local_path(path) or "/", SEE_OTHER)
