"""`/v1/incidents/{number}/acknowledgements`: a party says that it has seen an incident, and what it asks for.

A party shows a token of its own. With it it may do this one thing, for itself, for incidents that it was told of.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from simward.control.api.answers_outward import Acknowledged
from simward.control.api.permissions import KNOWN, needs
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem
from simward.control.api.words import Words
from simward.engine.phrases import when
from simward.errors import RegistryError
from simward.logs import called
from simward.registry.database import Registry
from simward.response.parties import (
    BrokenAgain,
    NotPermitted,
    NotPossible,
    NotTold,
    Parties,
    Recorded,
)
from simward.settings import Party

log = logging.getLogger(__name__)

Number = Annotated[int, Path(ge=1, lt=2**63)]


def _nothing(command: str, iccid: str | None) -> bool:
    return False


@dataclass(frozen=True)
class PartyPrincipal(Principal):
    """A party: it may acknowledge, and nothing else."""

    party: str = ""


class PartyTokens:
    """Knows parties by their tokens (RFC 6750 2.1), all compared in constant time."""

    def __init__(self, parties: Sequence[Party]) -> None:
        self._tokens = [(party.token, party.name) for party in parties if party.token]

    async def authenticate(self, headers: Mapping[bytes, bytes]) -> Principal | None:
        """See Authenticator."""
        scheme, _, shown = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        # Every token is compared, so that how long it takes says nothing of which was nearly right.
        found = [name for token, name in self._tokens if hmac.compare_digest(token, shown.strip())]
        return PartyPrincipal(f"party {found[0]}", _nothing, party=found[0]) if found else None


class Acknowledgement(BaseModel):
    """What a party says of an incident."""

    model_config = ConfigDict(extra="forbid", strict=True)

    party: str = Field(min_length=1, max_length=64, description="Who says so.")
    action: Literal["release", "keep", "lock", "quarantine", "disconnect"] | None = Field(
        default=None, description="What it asks for, of what its settings say that it may; keep: leave it as it is."
    )
    reason: Words = Field(default="", description="Why; kept for the audit.")
    iccid: str | None = Field(default=None, max_length=22, description="Which SIM, of an incident with several.")
    announcement: str | None = Field(
        default=None, max_length=200, description="The id of the binding.broken that is answered; for a second."
    )


def party_routes(
    registry: Registry, parties: Parties, wake: Callable[[], None], now: Callable[[], int]
) -> APIRouter:
    """The route; `wake` is called when something was written."""
    routes = APIRouter(prefix="/v1/incidents", tags=["parties"])

    @routes.post(
        "/{number}/acknowledgements", status_code=200, response_model=None,
        responses={200: {"model": Acknowledged}, 202: {"model": Acknowledged, "description": "The gate is asked."}},
        openapi_extra=needs(KNOWN),
    )  # fmt: skip
    async def acknowledge(number: Number, said: Acknowledgement, request: Request) -> JSONResponse:
        """Acknowledge an incident, and ask for something or for nothing. The same again changes nothing."""
        principal: Principal = request.state.principal
        if not principal.local and getattr(principal, "party", None) != said.party:
            raise Problem(403, "not-permitted", "Not permitted", f"{principal.name} may not speak for {said.party}.")

        def write() -> Recorded:
            with registry.writing() as connection:
                return parties.acknowledge(
                    connection, number, said.party, said.action, said.reason.strip(), now(), said.iccid,
                    said.announcement,
                )

        recorded = await _run(write)
        wake()
        log.info(
            "incident %d acknowledged by %s: %s", number, said.party, recorded.action or "seen",
            extra=called("party-acknowledged", incident=number, party=said.party),
        )
        asked = recorded.command is not None and not recorded.repeated
        return JSONResponse(as_json(recorded), 202 if asked else 200)

    return routes


def as_json(recorded: Recorded) -> dict[str, Any]:
    """What was recorded."""
    return {
        "incident": recorded.incident, "party": recorded.party, "action": recorded.action, "reason": recorded.reason,
        "acknowledged_at": when(recorded.answered_at), "late": recorded.late, "repeated": recorded.repeated,
        "command": recorded.command, "iccid": recorded.iccid,
    }  # fmt: skip


async def _run(work: Callable[[], Recorded]) -> Recorded:
    try:
        return await asyncio.to_thread(work)
    except NotTold as error:
        raise Problem(404, "not-told", "Not an incident of this party", str(error)) from None
    except BrokenAgain as error:
        raise Problem(409, "broken-again", "Broken again since", str(error)) from None
    except NotPermitted as error:
        raise Problem(403, "not-permitted", "Not permitted", str(error)) from None
    except NotPossible as error:
        raise Problem(422, "not-possible", "That cannot be done", str(error)) from None
    except RegistryError as error:
        wait = {"Retry-After": "1"}
        raise Problem(503, "no-registry", "The registry cannot be used", str(error), headers=wait) from None
