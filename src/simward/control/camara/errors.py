"""Errors as CAMARA has them, {status, code, message}: under its paths alone, whoever found the error.

What stands before the routes (who are you, too many requests) and what fails behind them is written by code that serves
all of HTTP. So the one place where a problem becomes CAMARA's body is a layer around everything.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simward.control.api.problems import MEDIA_TYPE, Problem
from simward.control.api.scopes import BASES, SIM_SWAP

INVALID = "Client specified an invalid argument, request body or query param."
NOT_FOUND = "The specified resource is not found."
DEVICE_NOT_FOUND = "Device identifier not found."
UNAUTHENTICATED = "Request not authenticated due to missing, invalid, or expired credentials."
AGAIN = " A new authentication is required."
WORDED = {
    400: ("INVALID_ARGUMENT", INVALID),
    401: ("UNAUTHENTICATED", UNAUTHENTICATED),
    403: ("PERMISSION_DENIED", "Client does not have sufficient permissions to perform this action."),
    404: ("NOT_FOUND", NOT_FOUND),
    405: ("METHOD_NOT_ALLOWED", "The requested method is not allowed/supported on the target resource."),
    429: ("TOO_MANY_REQUESTS", "Rejected due to request rate limit overpassed."),
    500: ("INTERNAL", "Unknown server error. Typically a server bug."),
    503: ("UNAVAILABLE", "Service Unavailable."),
}
AS_INVALID = (413, 415, 422)
"""Said by what serves all of HTTP about a request that is not as it should be: CAMARA has 400 for that."""


class CamaraError(Problem):
    """An answer that is an error, in CAMARA's words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, "camara", code, message, code=code)


def invalid(message: str = INVALID) -> CamaraError:
    """400 INVALID_ARGUMENT."""
    return CamaraError(400, "INVALID_ARGUMENT", message)


def out_of_range(message: str = "Client specified an invalid range.") -> CamaraError:
    """400 OUT_OF_RANGE."""
    return CamaraError(400, "OUT_OF_RANGE", message)


def unknown_device() -> CamaraError:
    """404: nobody that the caller may know of has this identifier."""
    return CamaraError(404, "IDENTIFIER_NOT_FOUND", DEVICE_NOT_FOUND)


def is_camara(path: str) -> bool:
    """Is it one of CAMARA's paths?"""
    return any(path == base or path.startswith(f"{base}/") for base in BASES.values())


class CamaraErrors:
    """Around the edge: a problem that leaves by a path of CAMARA's is written as CAMARA has it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not is_camara(path):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def worded(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                if _header(message, b"content-type").startswith(MEDIA_TYPE.encode()):
                    start = message
                    return
            elif start is not None:
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    await _send(send, start, document_of(path, start["status"], body))
                return
            await send(message)

        await self._app(scope, receive, worded)


def document_of(path: str, status: int, problem: bytes) -> dict[str, Any]:
    """CAMARA's body for a problem."""
    said = json.loads(problem)
    if "code" in said:
        return {"status": status, "code": said["code"], "message": said["detail"]}
    status = 400 if status in AS_INVALID else status
    code, message = WORDED.get(status, ("INTERNAL", WORDED[500][1]))
    if status == 401 and path.startswith(BASES[SIM_SWAP]):
        message += AGAIN
    return {"status": status, "code": code, "message": message}


async def _send(send: Send, start: Message, document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()
    ours = (b"content-type", b"content-length")
    headers = [(name, value) for name, value in start["headers"] if name.lower() not in ours]
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({**start, "status": document["status"], "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _header(message: Message, name: bytes) -> bytes:
    return next((bytes(value) for key, value in message.get("headers", ()) if key.lower() == name), b"")
