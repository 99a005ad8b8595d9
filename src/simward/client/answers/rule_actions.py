"""What `client.rule_actions` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import TypedDict


class Action(TypedDict):
    """Something that a rule does."""

    id: str
    rule: str
    action: str
    state: str
    result: str | None
    mode: str
    due_at: str
    changed_at: str
    unless: str | None
    trigger: Trigger
    imsi: str | None
    iccid: str | None
    use_case: str | None
    finding: str | None
    incident: int | None
    command: str | None
    approved_by: str | None
    seconded_by: str | None

class Actions(TypedDict):
    """A page, the newest first."""

    actions: list[Action]
    next: str | None

class Trigger(TypedDict):
    """What set an action off."""

    type: str
    id: str
    at: str
