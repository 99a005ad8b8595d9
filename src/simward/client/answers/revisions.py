"""What `client.revisions` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Literal, TypedDict

from simward.client.answers.policy import Text


class Change(TypedDict):
    """A document of the policy that comes, goes or changes."""

    kind: str
    name: str
    change: Literal["added", "changed", "removed"]
    keys: list[Key]

class ChangeAndMembers(TypedDict):
    """The same, with how many subscriptions of today it concerns."""

    kind: str
    name: str
    change: Literal["added", "changed", "removed"]
    keys: list[Key]
    members: int

class Key(TypedDict):
    """What differs."""

    key: str
    was: str
    now: str

class Members(TypedDict):
    """Of a use case."""

    was: int
    now: int

class Owned(TypedDict):
    """Subscriptions that were deployed by a call."""

    left_to_api: Some
    taken_back: Some

class Plan(TypedDict):
    """What would change, and for whom."""

    empty: bool
    objects: list[ChangeAndMembers]
    settings: list[Key]
    recompiled: bool
    rewritten: bool
    subscriptions: PlannedSubscriptions
    owned_by_api: Owned
    locks_lost: int
    bindings_lost: int
    bindings_moved: int
    readdressed: int
    members: dict[str, Members]
    fleet: int
    rules_going_live: list[str]
    needs_confirmation: list[str]

class PlannedSubscriptions(TypedDict):
    """Of the inventory."""

    added: Some
    changed: Some
    removed: Some
    taken_out: Some

class PolicyRevision(TypedDict):
    """What was applied at once."""

    number: int
    first_sequence: int
    last_sequence: int
    at: str
    actor: str
    because: str
    upload: str | None
    changes: list[Change]
    declared: int
    removed: int

class Revisions(TypedDict):
    """A page, the newest first."""

    revisions: list[PolicyRevision]
    next: str | None

class Some(TypedDict):
    """So many subscriptions, and a few of them."""

    number: int
    examples: list[str]

class Took(TypedDict):
    """A revision is in force."""

    first: int
    last: int
    subscriptions: int
    disconnects: int

class WentBack(TypedDict):
    """What came of going back."""

    applied: bool
    revision: int | None
    first: int | None
    last: int | None
    disconnects: int
    plan: Plan
    files_differ: list[str]

class WholeRevision(TypedDict):
    """One, with the policy in force from then on."""

    number: int
    first_sequence: int
    last_sequence: int
    at: str
    actor: str
    because: str
    upload: str | None
    changes: list[Change]
    declared: int
    removed: int
    texts: dict[str, Text]
