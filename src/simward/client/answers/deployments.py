"""What `client.deployments` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Address(TypedDict):
    """Where its data come from."""

    apn: str | None
    address: str | None
    prefix: str | None
    delegated: str | None
    how: str

class Deployment(TypedDict):
    """A deployment, as it stands."""

    number: int
    state: Literal["accepted", "waiting", "confirmed", "wrong-device", "refused", "cancelling", "failed", "cancelled",
        "superseded", "taken-back"]
    said: str | None
    tenant: str
    iccid: str
    imsi: str
    imei: str
    use_case: str
    segment: str | None
    site: SiteTold
    address: Address
    generation: int | None
    seen: dict[str, Any] | None
    seen_at: str | None
    created_at: str
    created_by: str
    because: str | None
    changed_at: str
    ended_by: str | None
    correlator: str
    in_force_seq: int | None

class DeploymentPage(TypedDict):
    """A page, the newest first."""

    deployments: list[Deployment]
    next: str | None

class Site(TypedDict):
    """Where it was installed."""

    label: NotRequired[str | None]
    latitude: NotRequired[float | None]
    longitude: NotRequired[float | None]

class SiteTold(TypedDict):
    """Where it was installed."""

    label: str | None
    latitude: float | None
    longitude: float | None
