"""What `client.benign` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class Verdicted(TypedDict):
    """The newest verdict on a device or a cohort."""

    finding: NotRequired[str]
    about: NotRequired[str]
    tenant: NotRequired[str]
    imsi: NotRequired[str | None]
    iccid: NotRequired[str | None]
    use_case: NotRequired[str | None]
    at: NotRequired[str]
    by: NotRequired[str]
    because: NotRequired[str]
    until: NotRequired[str | None]
    in_force: NotRequired[bool]

class Verdicts(TypedDict):
    """A page, the newest first."""

    benign: list[Verdicted]
    next: str | None

class Waiting(TypedDict):
    """It waits for the watch, which takes it within a second while it runs, or when it is next started."""

    finding: str
    benign: bool
    state: Literal["waiting"]
