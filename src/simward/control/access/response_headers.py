"""What every answer tells a browser: run nothing from elsewhere, frame nothing, guess nothing, keep nothing private."""

from __future__ import annotations

from collections.abc import Iterable

Header = tuple[bytes, bytes]

POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    b"connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    b"frame-ancestors 'none'"
)
"""Of pages (CSP 3). A map draws in a worker that it makes itself (blob:); nothing inline runs, nothing is evaluated."""
POLICY_OF_DATA = b"default-src 'none'; frame-ancestors 'none'"
PAGES = b"text/html"
ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # Not no-referrer: forms would then be sent with Origin: null (Fetch 3.2), and could not show where they come from.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), geolocation=(self), microphone=(), payment=(), usb=()"),
)
BY_TLS: Header = (b"strict-transport-security", b"max-age=31536000")
"""A year (RFC 6797 6.1.1); other names of the same domain are not ours to speak for."""
PRIVATE: Header = (b"cache-control", b"no-store")


def protected(headers: Iterable[Header], *, secure: bool, private: bool) -> list[Header]:
    """The headers of an answer and those above that it has not: what a route says for itself stands."""
    given = [(name.lower(), value) for name, value in headers]
    names = {name for name, _ in given}
    is_page = any(name == b"content-type" and value.lower().startswith(PAGES) for name, value in given)
    wanted = [*ALWAYS, (b"content-security-policy", POLICY if is_page else POLICY_OF_DATA)]
    wanted += [BY_TLS] if secure else []
    wanted += [PRIVATE] if private else []
    return given + [(name, value) for name, value in wanted if name not in names]
