"""A typed client of the HTTP interface, for other programs: it needs httpx and nothing else of Simward."""

from simward.client.client import AsyncClient, Client
from simward.client.problems import (
    Busy,
    ClientError,
    Conflict,
    Invalid,
    NotFound,
    NotPermitted,
    ProblemError,
    Unauthenticated,
    Unreachable,
)

__all__ = [
    "AsyncClient",
    "Busy",
    "Client",
    "ClientError",
    "Conflict",
    "Invalid",
    "NotFound",
    "NotPermitted",
    "ProblemError",
    "Unauthenticated",
    "Unreachable",
]
