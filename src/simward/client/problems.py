"""What can go wrong with a call, as exceptions: nobody answers, or the answer is a problem (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Base of all below."""


class Unreachable(ClientError):
    """Nobody answered; what was asked may have been done, unless it had a key and is asked again with it."""


class ProblemError(ClientError):
    """The server answered with a problem. `name` is the last part of its `type`; docs/reference/http.md lists them."""

    def __init__(self, status: int, document: Mapping[str, Any], correlator: str = "") -> None:
        self.status, self.document, self.correlator = status, dict(document), correlator
        self.type = str(document.get("type", "about:blank"))
        self.name = self.type.rpartition(":")[2]
        self.title, self.detail = str(document.get("title", "")), str(document.get("detail", ""))
        self.errors: list[dict[str, Any]] = list(document.get("errors", ()))
        """What is wrong where: `pointer`, `in`, `detail`."""
        super().__init__(f"{status} {self.name}: {self.detail or self.title}")


class Invalid(ProblemError):
    """400, 413, 422: the request cannot be meant; `errors` says what is wrong where."""


class Unauthenticated(ProblemError):
    """401: the token is not known, or not in force."""


class NotPermitted(ProblemError):
    """403: the token's role or tenant may not."""


class NotFound(ProblemError):
    """404: there is no such thing, or not for this token."""


class Conflict(ProblemError):
    """409, 412, 428: not as things stand."""


class Busy(ProblemError):
    """429, 503: not now; it was tried again as often as the client may."""


KINDS = {
    400: Invalid, 413: Invalid, 422: Invalid, 401: Unauthenticated, 403: NotPermitted, 404: NotFound, 409: Conflict,
    412: Conflict, 428: Conflict, 429: Busy, 503: Busy,
}  # fmt: skip


def problem_of(status: int, document: object, correlator: str = "") -> ProblemError:
    """The exception for an answer."""
    return KINDS.get(status, ProblemError)(status, document if isinstance(document, dict) else {}, correlator)
