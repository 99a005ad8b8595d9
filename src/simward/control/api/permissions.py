"""Who may what: the permissions there are, what each role has of them, and that every route says what it needs.

A route declares it where it is made, `openapi_extra=needs("read-incidents")`; `guard` holds every request to it before
the route runs. A route that declares nothing is the owner's alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import Request

from simward.control.access import csrf
from simward.control.api.principals import Principal
from simward.control.api.problems import Problem, invalid
from simward.control.api.scopes import SCOPES

DECLARED, WHOLE, ANY_QUERY = "x-permissions", "x-all-tenants", "x-any-query"
"""Members of a route in the OpenAPI description: any of these permissions; not for who is bound to a tenant; parameters
that it does not know are ignored."""

PERMISSIONS = {
    "read-status": "See how the installation stands.",
    "read-subscriptions": "See subscriptions: device, addresses, lock, story.",
    "read-findings": "See findings.",
    "read-effects": "See what was sent to gateways, and what they answered.",
    "read-incidents": "See incidents and their stories.",
    "read-gateways": "See gateways.",
    "read-events": "See the events that webhooks send.",
    "read-endpoints": "See endpoints, and what could not be delivered.",
    "read-rules": "See rules, and what they do.",
    "read-work-orders": "See work orders.",
    "read-policy": "See the policy in force, revisions and uploads.",
    "read-jobs": "See jobs, and how far they are.",
    "read-audit": "See who did what, and why.",
    "judge-incidents": "Acknowledge, assign, note, resolve and reopen incidents; say what is benign, and take it back.",
    "lock": "Lock a subscription.",
    "quarantine": "Put a subscription into quarantine.",
    "release": "Take a lock or a quarantine off.",
    "disconnect": "End the sessions of a subscription.",
    "pause": "Hold all responses, or a rule.",
    "resume": "Let them act again.",
    "deploy": "Say which device was installed with which subscription, and take it back.",
    "plan": "Make and cancel work orders.",
    "propose-policy": "Upload policies and inventory, plan them, and try them on the record.",
    "apply-policy": "Have an upload in force, or a revision of before.",
    "approve": "Let held actions of rules go, or not.",
    "undo": "Take back what a rule did, or what was done because of an incident.",
    "write-endpoints": "Test endpoints, and send again.",
    "manage-tokens": "Make, list and revoke tokens.",
    "manage-accounts": "Make, list and change accounts of people.",
    "bind": "Bind a subscription to its device, or to the area of its use case.",
    "unbind": "Take that back.",
    **SCOPES,
}
"""Every permission, and what it lets do."""

OWNER = "owner"
"""Needed where only the owner may, who comes by the unix socket: no role has it."""
ANYBODY = "anybody"
"""Open to all, known or not."""
KNOWN = "known"
"""Open to whoever is known; the route itself looks at who it is."""

_READ = frozenset((
    "read-status", "read-subscriptions", "read-findings", "read-effects", "read-incidents", "read-gateways",
    "read-events", "read-jobs", "read-policy",
))  # fmt: skip
_LOOK_BEHIND = _READ | {"read-endpoints", "read-rules", "read-work-orders"}

ROLES = {
    "viewer": _READ,
    "installer": frozenset(("read-status", "read-subscriptions", "read-findings", "read-work-orders", "deploy")),
    "operator": _LOOK_BEHIND | {
        "judge-incidents", "lock", "quarantine", "release", "disconnect", "pause", "resume", "plan", "deploy",
        "write-endpoints", "bind", "unbind", *SCOPES,
    },
    "approver": _LOOK_BEHIND | {"approve", "undo", "pause", "resume"},
    "policy-author": _LOOK_BEHIND | {"propose-policy", "apply-policy"},
    "auditor": _LOOK_BEHIND | {"read-audit"},
    "administrator": frozenset(PERMISSIONS),
}  # fmt: skip
"""What each role has. Who operates does not approve: much that is held takes a second person."""


def needs(*any_of: str, all_tenants: bool = False, any_query: bool = False) -> dict[str, Any]:
    """What a route declares, as its `openapi_extra`: any of these permissions lets in.

    `all_tenants`: what it shows or does is of the whole installation, so that who is bound to a tenant may not.
    `any_query`: it is asked by others, who add what they like.
    """
    unknown = [one for one in any_of if one not in PERMISSIONS and one not in (OWNER, ANYBODY, KNOWN)]
    if unknown or not any_of:
        raise ValueError(f"no permission: {unknown}")
    declared: dict[str, Any] = {DECLARED: list(any_of)}
    if all_tenants:
        declared[WHOLE] = True
    if any_query:
        declared[ANY_QUERY] = True
    if ANYBODY in any_of:
        declared["security"] = []
    return declared


async def guard(request: Request) -> None:
    """A dependency of every route: let in whom its declaration lets in, with what it knows. Raises Problem."""
    await csrf.hold(request)
    _let_in(request)
    _holds_to(request)
    if (getattr(request.scope["route"], "openapi_extra", None) or {}).get(ANY_QUERY):
        return
    known = {one.alias for one in request.scope["route"].dependant.query_params}
    for name in request.query_params:
        if name not in known:  # a filter that is not one would give more than was asked for
            there_are = ", ".join(sorted(known)) or "none"
            raise invalid("query", name[:64], f"there is no such parameter; there are: {there_are}")


def _holds_to(request: Request) -> None:
    """Refuse a condition that a write would pass over: without it, it may not be done (RFC 9110 13.1.1)."""
    shown = request.method not in ("GET", "HEAD") and "if-match" in request.headers
    if not shown or not request.url.path.startswith("/v1/"):
        return
    if all(one.alias != "if-match" for one in request.scope["route"].dependant.header_params):
        raise invalid("header", "If-Match", "this takes none, and would be done whatever it says")


def _let_in(request: Request) -> None:
    declared = getattr(request.scope["route"], "openapi_extra", None) or {}
    needed: Iterable[str] = declared.get(DECLARED, (OWNER,))
    if ANYBODY in needed:
        return
    principal: Principal = request.state.principal
    if principal.local:
        return
    if KNOWN not in needed and not any(_has(principal, one) for one in needed):
        raise refused(principal, " or ".join(needed))
    if declared.get(WHOLE) and principal.tenant is not None:
        raise refused(principal, f"do this for tenant {principal.tenant} alone: it is about all tenants")


def _has(principal: Principal, permission: str) -> bool:
    return permission != OWNER and (principal.allows(permission, None) or permission in principal.about_some)


def refused(principal: Principal, what: str) -> Problem:
    """What somebody is told who may not."""
    return Problem(403, "not-permitted", "Not permitted", f"{principal.name} may not: {what}.")


def speaker(principal: Principal, actor: str) -> str:
    """Who is said to have done it: `actor` where one is named, which only the owner may. Raises Problem."""
    if actor and not principal.local:
        raise Problem(403, "not-permitted", "Not permitted", "actor: only the owner may speak for somebody else.")
    return actor or principal.name
