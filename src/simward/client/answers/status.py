"""What `client.status` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import TypedDict

from simward.client.answers.readyz import Condition


class Status(TypedDict):
    """How the control plane stands."""

    pid: int
    uptime_s: float
    http: str | None
    http_wanted: str | None
    conditions: dict[str, Condition]
