"""What a session's cookie lets in is only what its own pages send: same origin, and the session's own token in it.

Cookies go with every request that a browser makes, whoever made it. Two walls, each enough by itself: where the request
comes from (Origin, Sec-Fetch-Site), and a token that only pages of this session know.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from simward.control.access.site import Site
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem

HEADER, FIELD = "x-csrf-token", "csrf"
SAFE = ("GET", "HEAD", "OPTIONS")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
FIELDS_MAX = 1000


def token_of(cookie: str) -> str:
    """The token of the session that this cookie opens: nobody who has not the cookie can know it."""
    digest = hmac.digest(cookie.encode(), b"simward csrf", hashlib.sha256)
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


async def hold(request: Request) -> None:
    """Let what changes something pass under a session's cookie only with its token. Raises Problem."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if request.method in SAFE or principal is None or not principal.csrf:
        return
    from_here(request)
    shown = request.headers.get(HEADER) or (await form_of(request)).get(FIELD)
    if not isinstance(shown, str) or not hmac.compare_digest(shown.encode(), principal.csrf.encode()):
        raise Problem(403, "forged", "Not sent by a page of yours", "The page is too old: open it again.")


def from_here(request: Request) -> None:
    """Refuse what another site had the browser send. Raises Problem."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "")
    if site is None and not origin:
        raise _forged("it does not say which page sent it")
    if site is not None and site not in ("same-origin", "none"):
        raise _forged("another site sent it")
    if origin and not _ours(request, origin):
        raise _forged(f"{origin[:100]} sent it")


def _ours(request: Request, origin: str) -> bool:
    site: Site = request.app.state.access.site
    scheme, _, host = origin.lower().partition("://")
    if scheme != "https" and (scheme != "http" or site.secure):  # who listens in could have written a page of http
        return False
    return bool(host) and host in (request.headers.get("host", "").lower(), site.public_host)


async def form_of(request: Request) -> FormData:
    """The fields of a form, each a text; empty where the body is none. Raises Problem where it cannot be read."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in FORMS:
        return FormData()
    try:
        return await request.form(max_files=0, max_fields=FIELDS_MAX)
    except HTTPException as error:
        raise Problem(400, "no-form", "The form cannot be read", str(error.detail)) from None


def _forged(why: str) -> Problem:
    return Problem(403, "forged", "Not sent by a page of yours", f"This was not done: {why}.")
