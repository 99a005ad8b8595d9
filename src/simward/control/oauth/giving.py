"""`POST /oauth2/token`: a client shows its secret and gets an access token that lasts minutes (RFC 6749 4.4)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from simward.control.api.asking import Asking
from simward.control.api.permissions import ANYBODY, needs
from simward.control.api.wrong_tokens import WrongTokens
from simward.control.api.wrong_tokens import headers as wait_headers
from simward.registry import clients as kept
from simward.registry.database import Registry

PATH = "/oauth2/token"
LASTS_S = 900
FORM = "application/x-www-form-urlencoded"
FIELDS_MAX = 16
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749 5.1


class Refused(Exception):
    """An error of RFC 6749 5.2."""

    def __init__(self, code: str, said: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.code, self.said, self.status, self.headers = code, said, status, dict(headers or {})


def token_routes(registry: Registry, now: Callable[[], int]) -> APIRouter:
    """The route. It is open to all: what lets in is the client's secret, and who is wrong too often waits."""
    routes, asking, wrong = APIRouter(), Asking(registry), WrongTokens()

    @routes.post(PATH, openapi_extra=needs(ANYBODY), include_in_schema=False)
    async def give(request: Request) -> Response:
        """An access token, or an error as OAuth 2.0 has it."""
        address = request.client.host if request.client else ""
        try:
            wait_s = wrong.wait_s(address)
            if wait_s:
                said = f"too many wrong secrets came from this address; try again in {wait_s} s"
                raise Refused("invalid_client", said, 429, wait_headers(wait_s))
            fields = fields_of(request.headers.get("content-type", ""), await request.body())
            id_, secret = credentials_of(request.headers.get("authorization", ""), fields)
            client = await asking.read(lambda c: kept.known(c, id_, secret, now()))
            if client is None:
                wrong.note(address)
                raise Refused(
                    "invalid_client", "no such client, or another secret", 401, {"WWW-Authenticate": "Basic"}
                )
            if fields.get("grant_type") != "client_credentials":
                said = "grant_type: client_credentials is the only one"
                raise Refused("unsupported_grant_type" if fields.get("grant_type") else "invalid_request", said)
            return await _given(asking, client, scopes_of(fields, client.scopes), now)
        except Refused as refused:
            document = {"error": refused.code, "error_description": refused.said}
            return JSONResponse(document, refused.status, {**NO_STORE, **refused.headers})

    return routes


async def _given(asking: Asking, client: Any, scopes: list[str], now: Callable[[], int]) -> Response:
    def write(connection: sa.Connection) -> str:
        at = now()
        until = min(at + LASTS_S * 1_000_000, int(client.expires_at))
        return kept.give(connection, client.id, scopes, at, until)

    lasts_s = min(LASTS_S, max(0, (int(client.expires_at) - now()) // 1_000_000))
    token = await asking.write(write)
    document = {"access_token": token, "token_type": "Bearer", "expires_in": lasts_s, "scope": " ".join(scopes)}
    return JSONResponse(document, 200, NO_STORE)


def fields_of(media_type: str, body: bytes) -> dict[str, str]:
    """The fields of the form; none may be there twice (RFC 6749 3.2). Raises Refused."""
    if media_type.partition(";")[0].strip().lower() != FORM:
        raise Refused("invalid_request", f"the body is to be {FORM}")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError:
        raise Refused("invalid_request", "the body is no form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Refused("invalid_request", "a parameter is there twice")
    return fields


def credentials_of(authorization: str, fields: Mapping[str, str]) -> tuple[str, str]:
    """(client_id, secret): by HTTP Basic, or in the form; never by both (RFC 6749 2.3, 2.3.1). Raises Refused."""
    unshown = Refused("invalid_client", "the client shows no secret", 401, {"WWW-Authenticate": "Basic"})
    if not authorization:
        if not fields.get("client_id") or not fields.get("client_secret"):
            raise unshown
        return fields["client_id"], fields["client_secret"]
    if "client_secret" in fields:
        raise Refused("invalid_request", "the client shows its secret in two ways")
    scheme, _, shown = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise unshown
    try:
        id_, colon, secret = base64.b64decode(shown.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise unshown from None
    if not colon or not id_ or not secret:
        raise unshown
    return unquote_plus(id_), unquote_plus(secret)


def scopes_of(fields: Mapping[str, str], its: list[str]) -> list[str]:
    """What it asks for, each of which it must have; all that it has where it asks for nothing. Raises Refused."""
    wanted = list(dict.fromkeys(fields.get("scope", "").split()))
    more = [one for one in wanted if one not in its]
    if more:
        raise Refused("invalid_scope", "the client may not ask for all of these scopes")
    return wanted or list(its)
