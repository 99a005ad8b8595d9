"""`/access`: who may come, as what: accounts of people with their roles in tenants, and tokens of systems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.api.permissions import PERMISSIONS, ROLES, needs
from simward.control.api.problems import Problem
from simward.control.console import through_api as api
from simward.control.console.listings import PAGE_ROWS, Column, Empty, Format, Listing, export, whole
from simward.control.console.pages import Pages
from simward.control.console.questions import Field, Form, Question, add_question
from simward.control.console.sources import Sources

DAY_S = 86_400
DAYS_MOST = 732
ACCOUNT_COLUMNS = (
    Column("Account"), Column("Roles"), Column("Second factor"), Column("Signed in"), Column("Made by", wide=True),
)  # fmt: skip
TOKEN_COLUMNS = (
    Column("Token"), Column("Role"), Column("State"), Column("Ends"), Column("Used", wide=True),
    Column("Made by", wide=True),
)  # fmt: skip
ROLE_OPTIONS = [(name, name.replace("-", " ")) for name in ROLES]


def access_pages(routes: APIRouter, pages: Pages, sources: Sources) -> None:
    """Add the pages."""
    _add_making_accounts(routes, pages)  # before what takes any name
    _add_looking(routes, pages)
    _add_changing_accounts(routes, pages)
    _add_tokens(routes, pages)


def _add_looking(routes: APIRouter, pages: Pages) -> None:
    @routes.get("/access", openapi_extra=needs("manage-accounts"))
    async def accounts(request: Request, format: Format = "html") -> Response:
        """Accounts by name, and what each role may."""
        rows = (await api.read(request, "/v1/accounts"))["accounts"]
        if format != "html":
            return export(format, "accounts", whole(rows))
        empty = Empty("No account", "People sign in with accounts.", "/access/accounts/new", "Add an account")
        roles = [
            {"name": name, "may": [text for permission, text in PERMISSIONS.items() if permission in held]}
            for name, held in ROLES.items()
        ]  # fmt: skip
        listing = Listing("accounts", ACCOUNT_COLUMNS, rows, empty)
        return pages.answer(request, "access_accounts.html", listing=listing, roles=roles)

    @routes.get("/access/tokens", openapi_extra=needs("manage-tokens"))
    async def tokens(
        request: Request, all: bool = False, after: str | None = None, format: Format = "html"
    ) -> Response:  # fmt: skip
        """Those in force, or also what was."""
        if format != "html":
            return export(format, "tokens", api.pages_of(request, "/v1/tokens", "tokens", {"all": all}))
        answer = await api.read(request, "/v1/tokens", {"all": all, "after": after, "limit": PAGE_ROWS})
        empty = Empty("No token", "Systems come with tokens: make one for each.", "/access/tokens/new", "Make a token")
        listing = Listing("tokens", TOKEN_COLUMNS, answer["tokens"], empty, next=answer["next"], is_first=after is None)
        return pages.answer(request, "access_tokens.html", listing=listing, all=all)

    @routes.get("/access/accounts/{name}", openapi_extra=needs("manage-accounts"))
    async def account(name: str, request: Request) -> Response:
        """One of them."""
        one = await api.read(request, f"/v1/accounts/{api.part(name)}")
        return pages.answer(request, "access_account.html", account=one)


def _add_making_accounts(routes: APIRouter, pages: Pages) -> None:
    async def asks(request: Request) -> Question:
        return Question(
            "Add an account", "Add it", "/access",
            ["The account is made, and a link that works once is shown here: with it its person chooses a password."],
            fields=[
                Field("name", "Name", hint="Small letters, digits and . _ @ + -", required=True),
                *_membership(0, "viewer", request.state.principal.tenant or ""),
                Field("factor", "It has to set up a second factor", "check", "true"),
            ],
        )  # fmt: skip

    async def does(request: Request, form: Form) -> Response:
        made = await api.send(request, "/v1/accounts", {
            "name": form.get("name", "").strip(), "memberships": memberships_of(form), "because": form["because"],
            "needs_second_factor": form.get("factor") == "true",
        })  # fmt: skip
        return _link(pages, request, made)

    add_question(routes, pages, "/access/accounts/new", "manage-accounts", asks, does)


def _add_changing_accounts(routes: APIRouter, pages: Pages) -> None:
    async def asks_for_roles(request: Request) -> Question:
        one = await _account(request)
        fields: list[Field] = []
        for number, held in enumerate(one["memberships"]):
            fields += _membership(number, held["role"], held["tenant"] or "")
        fields += _membership(len(one["memberships"]), "", "")
        return Question(
            f"Roles of {one['name']}", "Change", f"/access/accounts/{one['name']}",
            ["What is said here is all that the account is, from its next request on.",
             "Without a role a line counts for nothing."], fields=fields,
        )  # fmt: skip

    async def changes_roles(request: Request, form: Form) -> str:
        return await _change(request, {"memberships": memberships_of(form), "because": form["because"]})

    add_question(routes, pages, "/access/accounts/{name}/roles", "manage-accounts", asks_for_roles, changes_roles)
    for verb, enabled in (("disable", False), ("enable", True)):
        _add_switch(routes, pages, verb, enabled)

    async def asks_to_reset(request: Request) -> Question:
        one = await _account(request)
        return Question(
            f"Reset {one['name']}", "Reset", f"/access/accounts/{one['name']}",
            ["Its password and second factor are gone, and it is signed out everywhere.",
             "A link that works once is shown here: with it its person chooses a new password."], danger=True,
        )  # fmt: skip

    async def resets(request: Request, form: Form) -> Response:
        name = api.part(request.path_params["name"])
        return _link(
            pages, request, await api.send(request, f"/v1/accounts/{name}/reset", {"because": form["because"]})
        )

    add_question(routes, pages, "/access/accounts/{name}/reset", "manage-accounts", asks_to_reset, resets)


def _add_switch(routes: APIRouter, pages: Pages, verb: str, enabled: bool) -> None:
    async def asks(request: Request) -> Question:
        one = await _account(request)
        what = "It may sign in again." if enabled else "It is signed out everywhere, and cannot sign in."
        return Question(
            f"{verb.capitalize()} {one['name']}", verb.capitalize(), f"/access/accounts/{one['name']}", [what],
            danger=not enabled,
        )  # fmt: skip

    async def does(request: Request, form: Form) -> str:
        return await _change(request, {"enabled": enabled, "because": form["because"]})

    add_question(routes, pages, f"/access/accounts/{{name}}/{verb}", "manage-accounts", asks, does)


async def _account(request: Request) -> Any:
    return await api.read(request, f"/v1/accounts/{api.part(request.path_params['name'])}")


async def _change(request: Request, body: dict[str, Any]) -> str:
    name = request.path_params["name"]
    await api.send(request, f"/v1/accounts/{api.part(name)}/change", body)
    return f"/access/accounts/{name}"


def _membership(number: int, role: str, tenant: str) -> Sequence[Field]:
    which = "" if number == 0 else f" {number + 1}"
    return (
        Field(f"role-{number}", f"Role{which}", "select", role, [("", "–"), *ROLE_OPTIONS]),
        Field(f"tenant-{number}", f"In tenant{which}", "text", tenant, hint="Empty: in all of them."),
    )  # fmt: skip


def memberships_of(form: Form) -> list[dict[str, str | None]]:
    """The roles that a form says. Raises Problem where it says none."""
    found = []
    for name, role in form.items():
        if name.startswith("role-") and role:
            tenant = form.get(f"tenant-{name.removeprefix('role-')}", "").strip()
            found.append({"role": role, "tenant": tenant or None})
    if not found:
        raise Problem(422, "invalid-request", "No role", "Choose at least one role.")
    return found


def _add_tokens(routes: APIRouter, pages: Pages) -> None:
    async def asks(request: Request) -> Question:
        return Question(
            "Make a token", "Make it", "/access/tokens",
            ["The token is shown here once and kept nowhere: whoever has it comes as what it says, until it ends."],
            fields=[
                Field("name", "Whose it is", hint="A system's name: letters, digits, . _ -", required=True),
                Field("role", "Role", "select", "viewer", ROLE_OPTIONS),
                Field("tenant", "In tenant", value=request.state.principal.tenant or "", hint="Empty: in all of them."),
                Field("days", "For how many days", "number", "90", required=True),
            ],
        )  # fmt: skip

    async def makes(request: Request, form: Form) -> Response:
        days = form.get("days", "")
        if not days.isdigit() or not 1 <= int(days) <= DAYS_MOST:
            raise Problem(422, "invalid-request", "For how long?", f"days: from 1 to {DAYS_MOST}.")
        made = await api.send(request, "/v1/tokens", {
            "name": form.get("name", "").strip(), "role": form.get("role", ""), "because": form["because"],
            "tenant": form.get("tenant", "").strip() or None, "expires_in_s": int(days) * DAY_S,
        })  # fmt: skip
        return pages.answer(
            request, "shown_once.html", title=f"Token of {made['name']}", shown=made["token"], back="/access/tokens",
            lines=["Show it as Authorization: Bearer. It is kept nowhere else: copy it now."], ends=made["expires_at"],
        )  # fmt: skip

    add_question(routes, pages, "/access/tokens/new", "manage-tokens", asks, makes)

    async def asks_to_revoke(request: Request) -> Question:
        id_ = request.path_params["id"]
        return Question(
            f"Revoke token {id_}", "Revoke", "/access/tokens",
            ["It opens nothing from now on. That cannot be taken back: make another one then."], danger=True,
        )  # fmt: skip

    async def revokes(request: Request, form: Form) -> str:
        await api.send(
            request, f"/v1/tokens/{api.part(request.path_params['id'])}/revoke", {"because": form["because"]}
        )
        return "/access/tokens"

    add_question(routes, pages, "/access/tokens/{id}/revoke", "manage-tokens", asks_to_revoke, revokes)


def _link(pages: Pages, request: Request, made: Any) -> Response:
    return pages.answer(
        request, "shown_once.html", title=f"Link for {made['name']}", shown=made["link"],
        back=f"/access/accounts/{made['name']}", ends=made["link_ends_at"],
        lines=["Give it to its person, by a way that you trust. It works once, and is kept nowhere else: copy it now."],
    )  # fmt: skip
