"""`/v1/use-cases`, `/v1/segments`, `/v1/tenants`, `/v1/devices`, `/v1/bindings`: what is declared, and who is in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from simward.control.api import paging, preconditions
from simward.control.api.asking import Asking, in_thread
from simward.control.api.permissions import needs
from simward.control.api.planning import Side
from simward.control.api.problems import Problem
from simward.control.policy_in_force import PolicyInForce, segments_of, tenant_of
from simward.engine.phrases import when
from simward.policy.load import Document, Policy
from simward.registry import objects
from simward.registry.database import Registry
from simward.registry.population import COUNTS
from simward.registry.tables import DEFAULT_TENANT
from simward.revising.sides import owner_of

Name = Annotated[str, Path(max_length=63)]
Imei = Annotated[str, Path(pattern=r"^[0-9]{14,16}$", description="Its first 14 digits identify a device.")]
ImeiQuery = Annotated[str | None, Query(pattern=r"^[0-9]{14,16}$", description="Its first 14 digits count.")]
Model = Annotated[str | None, Query(pattern=r"^[0-9]{8}$", description="A TAC.")]


class Counted(BaseModel):
    """How many subscriptions."""

    members: int
    bound: int
    locked: int
    confined: int = Field(description="In quarantine by a command.")
    addressed: int = Field(description="That an address or a prefix was given to.")


class Declared(BaseModel):
    """A document of the policy in force."""

    name: str
    owner: Side
    file: str
    line: int
    document: dict[str, Any] = Field(description="As it is understood.")
    subscriptions: Counted


class UseCase(Declared):
    """A use case."""

    tenant: str
    segments: list[str]


class Segment(Declared):
    """A segment."""

    use_cases: list[str]


class Tenant(BaseModel):
    """An owner."""

    name: str
    use_cases: list[str]
    segments: list[str]
    subscriptions: Counted


class UseCases(BaseModel):
    """A page, by name."""

    use_cases: list[UseCase]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


class Segments(BaseModel):
    """A page, by name."""

    segments: list[Segment]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


class Tenants(BaseModel):
    """A page, by name."""

    tenants: list[Tenant]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


class Binding(BaseModel):
    """A subscription belongs, or belonged, in a device."""

    imsi: str
    iccid: str | None
    tenant: str
    generation: int
    imei: str
    device: str = Field(description="With its software, as it was bound.")
    began_at: str | None = Field(description="Null: before this was mirrored.")
    ended_at: str | None = Field(description="Null: it still does.")
    as_of_seq: int


class Bindings(BaseModel):
    """A page."""

    bindings: list[Binding]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


class Device(BaseModel):
    """A device that a subscription was bound to."""

    imei: str
    model: str = Field(description="Its TAC.")
    is_in: int = Field(description="Subscriptions that belong in it now.")
    known_in: int = Field(description="Subscriptions that belong, or belonged, in it.")


class Devices(BaseModel):
    """A page, by IMEI."""

    devices: list[Device]
    next: str | None = Field(description="The cursor of the next page; null: there is none.")


class WholeDevice(Device):
    """One of them."""

    bindings: list[Binding] = Field(description="The newest first, at most 200.")
    declared_for: list[str] = Field(description="IMSIs of subscriptions that the inventory names it for.")


def object_routes(registry: Registry) -> APIRouter:
    """All of them."""
    routes, asking, in_force = APIRouter(prefix="/v1"), Asking(registry), PolicyInForce(registry)
    _add_declared(routes, in_force, "use-cases", "use_cases", UseCase, UseCases, _use_cases)
    _add_declared(routes, in_force, "segments", "segments", Segment, Segments, _segments)
    _add_declared(routes, in_force, "tenants", "tenants", Tenant, Tenants, _tenants)
    _add_bindings(routes, asking)
    _add_devices(routes, asking)
    return routes


Told = Callable[[PolicyInForce, str | None], Sequence[dict[str, Any]]]


def _add_declared(
    routes: APIRouter, in_force: PolicyInForce, path: str, kind: str, one: type[BaseModel], many: type[BaseModel],
    told: Told,
) -> None:  # fmt: skip
    """A list and single reads of what the policy declares; `told` gives all, by name, for a tenant (None: all)."""
    declared: dict[str, Any] = {
        "tags": ["objects"], "response_model": None, "openapi_extra": needs("read-subscriptions"),
    }  # fmt: skip

    @routes.get(f"/{path}", name=f"list {path}", responses={200: {"model": many}}, **declared)
    async def listed(
        request: Request, fields: paging.Fields = None, after: paging.After = None, limit: paging.Limit = 100
    ) -> Response:
        """What the policy in force declares, by name, with how many subscriptions are in it."""
        wanted, key = paging.sparse(one, fields), paging.key_of(path, after, str)
        found = await in_thread(lambda: told(in_force, request.state.principal.tenant))
        rows = [row for row in found if key is None or row["name"] > key[0]]
        more = paging.cursor_of(path, rows[limit - 1]["name"]) if len(rows) > limit else None
        return paging.page(kind, [paging.picked(row, wanted) for row in rows[:limit]], more)

    @routes.get(
        f"/{path}/{{name}}", name=f"one of {path}",
        responses={200: {"model": one, "headers": preconditions.described()}}, **declared,
    )  # fmt: skip
    async def single(name: Name, request: Request, response: Response) -> dict[str, Any]:
        """One of them. Its ETag is of what is declared; counts have no part in it."""
        found = await in_thread(lambda: told(in_force, request.state.principal.tenant))
        row = next((row for row in found if row["name"] == name), None)
        if row is None:
            raise Problem(404, "no-such-object", "No such object", f"The policy in force has no {path[:-1]} {name!r}.")
        response.headers["ETag"] = preconditions.tag_of({key: row[key] for key in row if key != "subscriptions"})
        return row


def _use_cases(in_force: PolicyInForce, tenant: str | None) -> list[dict[str, Any]]:
    _, policy = in_force.policy()
    counts = in_force.counts(lambda row: [row.use_case] if row.use_case else [])
    return [
        {**_declared(one), "tenant": tenant_of(one), "segments": segments_of(one), "subscriptions": _of(counts, name)}
        for name, one in policy.of("use_case").items() if tenant in (None, tenant_of(one))
    ]  # fmt: skip


def _segments(in_force: PolicyInForce, tenant: str | None) -> list[dict[str, Any]]:
    """Those of any use case of the tenant; of the use cases in it, its own."""
    _, policy = in_force.policy()
    mine = {name: one for name, one in policy.of("use_case").items() if tenant in (None, tenant_of(one))}
    counts = in_force.counts(lambda row: segments_of(mine[row.use_case]) if row.use_case in mine else [])
    told = []
    for name, one in policy.of("segment").items():
        use_cases = [use_case for use_case, document in mine.items() if name in segments_of(document)]
        if tenant is None or use_cases:
            told.append({**_declared(one), "use_cases": use_cases, "subscriptions": _of(counts, name)})
    return told


def _tenants(in_force: PolicyInForce, tenant: str | None) -> list[dict[str, Any]]:
    _, policy = in_force.policy()
    counts = in_force.counts(lambda row: [row.tenant])
    names = sorted({DEFAULT_TENANT, *map(tenant_of, policy.of("use_case").values()), *counts})
    return [
        {"name": name, **_owned(policy, name), "subscriptions": _of(counts, name)}
        for name in names if tenant in (None, name)
    ]  # fmt: skip


def _owned(policy: Policy, tenant: str) -> dict[str, list[str]]:
    mine = {name: one for name, one in policy.of("use_case").items() if tenant_of(one) == tenant}
    return {
        "use_cases": list(mine), "segments": sorted({segment for one in mine.values() for segment in segments_of(one)}),
    }  # fmt: skip


def _declared(one: Document) -> dict[str, Any]:
    return {
        "name": one.name, "owner": owner_of(one.file), "file": one.file, "line": one.line, "document": one.value,
    }  # fmt: skip


def _of(counts: dict[str, dict[str, int]], name: str) -> dict[str, int]:
    return counts.get(name) or dict.fromkeys(COUNTS, 0)


def _add_bindings(routes: APIRouter, asking: Asking) -> None:
    @routes.get(
        "/bindings", tags=["objects"], response_model=None, responses={200: {"model": Bindings}},
        openapi_extra=needs("read-subscriptions"),
    )  # fmt: skip
    async def bindings(
        request: Request, imsi: paging.Digits = None, imei: ImeiQuery = None, lasting: bool | None = None,
        sort: Literal["-began_at", "began_at"] = "-began_at", fields: paging.Fields = None, after: paging.After = None,
        limit: paging.Limit = 100,
    ) -> Response:  # fmt: skip
        """Which subscription belonged in which device, from when to when; `lasting`: those that still do."""
        wanted, key = paging.sparse(Binding, fields), paging.key_of(f"bindings {sort}", after, int, str)
        found = await asking.read(lambda c: objects.bindings(
            c, tenant=request.state.principal.tenant, after=key, limit=limit, ascending=sort[0] != "-", imsi=imsi,
            imei=imei and imei[:14], lasting=lasting,
        ))  # fmt: skip
        rows = [paging.picked(binding_told(row), wanted) for row in found.rows]
        return paging.page("bindings", rows, paging.next_of(f"bindings {sort}", found.on))


def _add_devices(routes: APIRouter, asking: Asking) -> None:
    declared: dict[str, Any] = {
        "tags": ["objects"], "response_model": None, "openapi_extra": needs("read-subscriptions"),
    }  # fmt: skip

    @routes.get("/devices", responses={200: {"model": Devices}}, **declared)
    async def devices(
        request: Request, model: Model = None, fields: paging.Fields = None, after: paging.After = None,
        limit: paging.Limit = 100,
    ) -> Response:  # fmt: skip
        """Every device that a subscription was bound to, by IMEI."""
        wanted, key = paging.sparse(Device, fields), paging.key_of("devices", after, str)
        rows = await asking.read(lambda c: objects.devices(
            c, tenant=request.state.principal.tenant, after=key and key[0], limit=limit + 1, model=model
        ))  # fmt: skip
        more = paging.cursor_of("devices", rows[limit - 1].imei) if len(rows) > limit else None
        told = [paging.picked(_device(row.imei, row.is_in, row.known_in), wanted) for row in rows[:limit]]
        return paging.page("devices", told, more)

    @routes.get("/devices/{imei}", responses={200: {"model": WholeDevice}}, **declared)
    async def device(imei: Imei, request: Request) -> dict[str, Any]:
        """One device: the subscriptions that belong, or belonged, in it, and those that it is declared for."""
        name, tenant = imei[:14], request.state.principal.tenant
        rows, declared_for = await asking.read(
            lambda c: (objects.bindings_of_device(c, tenant, name), objects.declared_in(c, tenant, name))
        )
        if not rows and not declared_for:
            raise Problem(404, "no-such-device", "No such device", "No subscription was bound to it, or declares it.")
        lasting = sum(row.ended_at is None for row in rows)
        told = _device(name, lasting, len({row.imsi for row in rows}))
        return {**told, "bindings": [binding_told(row) for row in rows], "declared_for": declared_for}


def _device(imei: str, is_in: int, known_in: int) -> dict[str, Any]:
    return {"imei": imei, "model": imei[:8], "is_in": is_in, "known_in": known_in}


def binding_told(row: Any) -> dict[str, Any]:
    """A binding as JSON."""
    names = ("imsi", "iccid", "tenant", "generation", "imei", "device", "as_of_seq")
    return {
        **{name: getattr(row, name) for name in names}, "began_at": when(row.began_at) if row.began_at else None,
        "ended_at": when(row.ended_at) if row.ended_at else None,
    }  # fmt: skip
