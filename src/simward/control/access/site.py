"""Under which address browsers know this server, and what follows from it: cookies, links, paths to go on to."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from simward.settings import ControlSettings

SESSION, KNOWN = "simward", "simward-known"
"""Names of cookies: who is signed in; a browser in which somebody signed in before."""
PATH_MAX = 1000


class Site:
    """One server, as browsers see it."""

    def __init__(self, control: ControlSettings) -> None:
        self.url = control.public_url
        """Scheme, host and port; empty until it is known where it listens, unless the settings say."""
        self.secure = control.public_url.startswith("https:") or bool(control.tls_certificate)
        """Do browsers come by TLS?"""
        self.public_host = urlsplit(control.public_url).netloc
        """Host and port that the settings name; empty where they do not."""

    def serves(self, url: str) -> None:
        """It listens there; links say so unless the settings name another URL."""
        self.url = self.url or url

    def cookie(self, name: str) -> str:
        """The whole name of a cookie (RFC 6265bis 4.1.3.2: with __Host- no other host can have set it)."""
        return f"__Host-{name}" if self.secure else name

    def shown(self, headers: Mapping[bytes, bytes], name: str) -> str:
        """The value of one of our cookies; empty where it was not sent."""
        try:
            cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
        except CookieError:
            return ""
        morsel = cookies.get(self.cookie(name))
        return "" if morsel is None else morsel.value

    def give(self, response: Response, name: str, value: str, lasts_s: int | None = None) -> None:
        """Have the browser keep a cookie, until it is closed or for so long; scripts never see it."""
        response.set_cookie(
            self.cookie(name), value, max_age=lasts_s, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def take(self, response: Response, name: str) -> None:
        """Have the browser forget a cookie."""
        self.give(response, name, "", 0)


def of_headers(request: Request) -> dict[bytes, bytes]:
    """The headers of a request, as authenticators take them."""
    return {name.lower(): value for name, value in request.scope["headers"]}


def local_path(text: str) -> str:
    """A path here to go on to; empty for whatever may lead elsewhere."""
    if len(text) > PATH_MAX or not text.startswith("/") or not text.isascii() or not text.isprintable():
        return ""
    # Browsers take \ for /, and two of them for the begin of a host.
    if "\\" in text or text.startswith("//"):
        return ""
    parts = urlsplit(text)
    return "" if parts.scheme or parts.netloc else text
