"""What plans and revisions are as JSON, and how what stands in their way is told: as problems."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from simward.control.api.permissions import speaker
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem, gate_unreachable, no_registry
from simward.control.api.words import Words
from simward.control.children import ChildFailed
from simward.control.gate_link import GateUnreachable
from simward.control.revising import AsksFirst, BaseMoved, Unfit
from simward.errors import JournalError, RegistryError, UsageError

Answer = TypeVar("Answer")
PROBLEMS_SHOWN = 200
Side = Literal["files", "api"]


class Explained(BaseModel):
    """Who asks, and why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    actor: Words = Field(default="", description="Who asks. Only the owner's socket may name somebody else.")
    because: Words = Field(min_length=1, pattern=r"\S", description="Why; kept for the audit.")


class Applying(Explained):
    """What is to be in force."""

    confirm: bool = Field(default=False, description="Also where `needs_confirmation` says something.")


class Key(BaseModel):
    """What differs."""

    key: str
    was: str
    now: str


class Change(BaseModel):
    """A document of the policy that comes, goes or changes."""

    kind: str
    name: str
    change: Literal["added", "changed", "removed"]
    keys: list[Key]


class ChangeAndMembers(Change):
    """The same, with how many subscriptions of today it concerns."""

    members: int


class Some(BaseModel):
    """So many subscriptions, and a few of them."""

    number: int
    examples: list[str]


class PlannedSubscriptions(BaseModel):
    """Of the inventory."""

    added: Some
    changed: Some
    removed: Some
    taken_out: Some


class Owned(BaseModel):
    """Subscriptions that were deployed by a call."""

    left_to_api: Some = Field(description="Left as they were deployed, though something else is declared.")
    taken_back: Some


class Members(BaseModel):
    """Of a use case."""

    was: int
    now: int


class Plan(BaseModel):
    """What would change, and for whom."""

    empty: bool
    objects: list[ChangeAndMembers]
    settings: list[Key]
    recompiled: bool = Field(description="The same policies, compiled for the detectors of this version.")
    rewritten: bool = Field(description="The same policies, in other documents.")
    subscriptions: PlannedSubscriptions
    owned_by_api: Owned
    locks_lost: int
    bindings_lost: int
    bindings_moved: int
    readdressed: int
    members: dict[str, Members]
    fleet: int
    rules_going_live: list[str]
    needs_confirmation: list[str] = Field(description="Why it asks first; empty: it does not.")


class Applied(BaseModel):
    """What came of it."""

    applied: bool = Field(description="False: it was in force already.")
    revision: int | None = Field(description="Its number; null: the registry does not have it yet.")
    first: int | None = Field(description="The sequences of the journal that it stands in.")
    last: int | None
    disconnects: int = Field(description="Live sessions of removed subscriptions that are being cut.")
    plan: Plan


def applied_told(came: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request that applies something. Raises Problem where the gate said no."""
    answer = came["answer"]
    if answer is not None and not answer.get("ok"):
        raise Problem(409, "gate-refused", "The gate said no", str(answer.get("error", "no, without a reason")))
    said = answer or {}
    return {
        "applied": answer is not None, "revision": came["revision"], "first": said.get("first"),
        "last": said.get("last"), "disconnects": int(said.get("disconnects", 0)), "plan": came["plan"],
    }  # fmt: skip


def unfit(problems: list[dict[str, Any]]) -> Problem:
    """Documents that are wrong: everything that is, where it stands, and what would be right."""
    first = problems[0]
    where = f"{first['file']}:{first['line']}" + (f": {first['key']}" if first["key"] else "")
    more = f"; and {len(problems) - 1} more" if len(problems) > 1 else ""
    return Problem(
        422, "unfit-policy", "The documents are not as they should be", f"{where}: {first['detail']}{more}",
        errors=problems[:PROBLEMS_SHOWN],
    )  # fmt: skip


async def in_words(work: Awaitable[Answer]) -> Answer:
    """What `work` gives. Raises Problem for whatever stands in its way."""
    try:
        return await work
    except Unfit as error:
        raise unfit(error.problems) from None
    except AsksFirst as error:
        said = "Say `confirm` where it is meant"
        raise Problem(409, "needs-confirmation", said, str(error), plan=error.plan) from None
    except BaseMoved as error:
        raise Problem(409, "stale-upload", "Made from what is not in force any more", str(error)) from None
    except UsageError as error:
        raise Problem(409, "policy-refused", "Not as things stand", str(error)) from None
    except ChildFailed as error:
        wait = {"Retry-After": "10"}
        raise Problem(503, "no-planner", "It could not be planned", str(error), headers=wait) from None
    except GateUnreachable as error:
        raise gate_unreachable(error) from None
    except (RegistryError, JournalError) as error:
        raise no_registry(error) from None


def actor_of(request: Request, actor: str) -> str:
    """Who asks. Raises Problem where somebody speaks for somebody else and may not."""
    principal: Principal = request.state.principal
    return speaker(principal, actor)
