"""What `client.events` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any, TypedDict


class CloudEvent(TypedDict):
    """An event: CloudEvents 1.0.2, JSON format. What stands in `data` of each type: asyncapi.yaml."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    data: dict[str, Any]

class Events(TypedDict):
    """Some events, in the order in which they were said."""

    events: list[CloudEvent]
    after: str | None
    more: bool
