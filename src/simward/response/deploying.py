"""Is a deployment one that can be meant? Checked whole against policy, inventory and what is bound, before it is kept.

Pure but for the transaction that it is given; what costs anything goes by one card, not by the fleet.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simward import identity
from simward.engine.tables import (
    BIND_MODEL,
    BIND_NONE,
    BIND_POOL,
    LIFECYCLE,
    OF_API,
    PolicyTables,
)
from simward.errors import RefusedError
from simward.policy.compile import CANONICAL
from simward.policy.load import listed
from simward.registry import deployments as kept
from simward.registry import tables as t

MISTAKES = {
    "unknown-subscription": (422, "No such subscription"),
    "unknown-use-case": (422, "No such use case"),
    "other-tenant": (422, "The use case is another tenant's"),
    "wrong-model": (422, "The device does not fit the use case"),
    "device-bound-elsewhere": (409, "The device is bound elsewhere"),
    "subscription-locked": (409, "The subscription is locked"),
    "subscription-out-of-service": (409, "The subscription is not in service"),
    "too-many-deployments": (409, "Too many devices are waited for"),
}
"""What can be wrong with a deployment: type of the problem -> (status, title)."""


class Mistake(RefusedError):
    """A deployment that cannot be meant. `name` is of MISTAKES, `where` the key of the request that is wrong."""

    def __init__(self, name: str, where: str, said: str, **facts: Any) -> None:
        super().__init__(said)
        self.name, self.where, self.facts = name, where, facts


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What device management says. `imei`: 14 digits; one of `iccid` and `imsi` says which subscription."""

    iccid: str | None
    imsi: str | None
    imei: str
    use_case: str
    label: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class Fit:
    """A deployment that can be meant: the rows of its card in the mirror, and what the policy says of its use case."""

    lines: list[Any]
    tenant: str
    segment: str | None

    @property
    def iccid(self) -> str:
        """Its card."""
        return str(self.lines[0].iccid)

    def declares(self, wanted: Wanted) -> list[dict[str, Any]]:
        """The lines that the gate is sent."""
        return [
            {**before_of(row), "imei": wanted.imei, "use_case": wanted.use_case, "state": LIFECYCLE[0], "owner": OF_API,
             "moved": row.segment != self.segment}
            for row in self.lines
        ]  # fmt: skip


def before_of(row: Any) -> dict[str, Any]:
    """A row of the mirror as a line of the inventory says it."""
    return {
        "imsi": row.imsi, "iccid": row.iccid, "msisdn": row.msisdn, "imei": row.declared_imei, "use_case": row.use_case,
        "state": row.state,
    }  # fmt: skip


class Policy:
    """What deployments need of the policy in force."""

    def __init__(self, tables: PolicyTables) -> None:
        self._tables = tables
        self._documents: dict[str, Any] = json.loads(tables.sources.get(CANONICAL, "{}"))
        self._numbers = {name: number for number, name in enumerate(tables.names["use_cases"]) if name}

    def tenant_of(self, use_case: str) -> str | None:
        """Whose use case it is; None: there is none of this name."""
        number = self._numbers.get(use_case)
        return None if number is None else self._tables.names["tenants"][int(self._tables.use_cases["tenant"][number])]

    def mode_of(self, use_case: str) -> int:
        """How it binds (BINDING_MODES)."""
        number = self._numbers.get(use_case)
        return BIND_NONE if number is None else int(self._tables.use_cases["binding_mode"][number])

    def segment_of(self, use_case: str) -> str | None:
        """Its first segment."""
        number = self._numbers.get(use_case)
        at = 0 if number is None else int(self._tables.use_cases["segment"][number])
        return self._tables.names["segments"][at] or None

    def segment(self, name: str | None) -> dict[str, Any]:
        """A segment as the policy's files say it; empty where it is of none."""
        found: dict[str, Any] = self._documents.get("segment", {}).get(name or "", {})
        return found

    def misfit(self, imei: str, use_case: str) -> str | None:
        """Why a device of this IMEI (14 digits) can be no device of the use case; None: it can."""
        row = self._tables.use_cases[self._numbers[use_case]]
        device = identity.Imei.parse(imei).number
        if int(row["binding_mode"]) == BIND_POOL:
            first = int(row["pool_from"])
            pool = self._tables.pools[first : first + int(row["pool_count"])]
            if not ((pool["first"] <= device) & (device <= pool["last"])).any():
                return f"its TAC {imei[:8]} is not in the pool of use case {use_case}"
        model = self._tables.models[self._tables.models["tac"] == device // 1_000_000]
        document = self._documents.get("use_case", {}).get(use_case, {})
        permitted = [identity.rat_number(one) for one in listed((document.get("networks") or {}).get("rat"))]
        can = int(model["rats"][0]) if len(model) else 0
        if can and permitted and not any(can >> one & 1 for one in permitted):
            names = ", ".join(identity.rat_text(one) for one in permitted)
            return f"by models.csv its model (TAC {imei[:8]}) can use none of {names}, and use case {use_case} no other"
        return None


def check(connection: sa.Connection, wanted: Wanted, policy: Policy, tenant: str | None) -> Fit:
    """What can be meant. `tenant`: the only one whose subscriptions and use cases the caller may see.

    Raises Mistake with the first thing that is wrong.
    """
    lines = _lines(connection, wanted, tenant)
    owner = policy.tenant_of(wanted.use_case)
    if owner is None or (tenant is not None and owner != tenant):
        raise Mistake("unknown-use-case", "use_case", f"there is no use case {wanted.use_case}")
    whose = lines[0].tenant
    if whose != owner:
        said = f"the subscription is tenant {whose}'s, and use case {wanted.use_case} tenant {owner}'s"
        raise Mistake("other-tenant", "use_case", said)
    misfit = policy.misfit(wanted.imei, wanted.use_case) or _other_model(lines, wanted, policy)
    if misfit is not None:
        raise Mistake("wrong-model", "imei", misfit)
    _in_service(lines)
    _device_is_free(connection, lines[0].iccid, wanted, policy, tenant)
    if kept.attended_count(connection) >= kept.ATTENDED_MAX:
        said = f"{kept.ATTENDED_MAX:,} devices that were deployed have not attached yet"
        raise Mistake("too-many-deployments", "", said)
    return Fit(lines, owner, policy.segment_of(wanted.use_case))


def _lines(connection: sa.Connection, wanted: Wanted, tenant: str | None) -> list[Any]:
    iccid, where = wanted.iccid, "iccid" if wanted.iccid else "imsi"
    if iccid is None:
        found = sa.select(t.subscription.c.iccid).where(t.subscription.c.imsi == wanted.imsi)
        iccid = connection.execute(found).scalar() or ""
    lines = list(kept.lines_of_card(connection, iccid))
    if wanted.imsi is not None and wanted.imsi not in [row.imsi for row in lines]:
        lines = []
    if not lines or (tenant is not None and any(row.tenant != tenant for row in lines)):
        raise Mistake("unknown-subscription", where, f"the inventory in force has no such subscription ({where})")
    return lines


def _other_model(lines: list[Any], wanted: Wanted, policy: Policy) -> str | None:
    """Where a model is bound, and the files declare one, another cannot be meant."""
    if policy.mode_of(wanted.use_case) != BIND_MODEL:
        return None
    for row in lines:
        if row.use_case == wanted.use_case and row.owner == "files" and row.declared_imei:
            if row.declared_imei[:8] != wanted.imei[:8]:
                return f"the inventory declares a device of TAC {row.declared_imei[:8]} for it, not {wanted.imei[:8]}"
    return None


def _in_service(lines: list[Any]) -> None:
    for row in lines:
        if row.locked_at is not None and not row.confined:
            said = f"it is locked ({row.locked_because}); release it first"
            raise Mistake("subscription-locked", "iccid", said, locked_because=row.locked_because)
        if row.state in LIFECYCLE[2:]:
            raise Mistake("subscription-out-of-service", "iccid", f"the inventory says that it is {row.state}")


def _device_is_free(
    connection: sa.Connection, iccid: str, wanted: Wanted, policy: Policy, tenant: str | None
) -> None:
    """A device has one card: who may see the other one is told which."""
    other = kept.live_of(connection, imei=wanted.imei)
    if other is not None and other.iccid != iccid:
        _refuse_elsewhere(other, tenant, f"as deployment {other.number} has it")
    for row in kept.holders_of(connection, wanted.imei, iccid):
        if row.use_case and policy.mode_of(row.use_case) in (BIND_NONE, BIND_MODEL, BIND_POOL):
            continue  # no device is that subscription's own
        _refuse_elsewhere(row, tenant, "")


def _refuse_elsewhere(row: Any, tenant: str | None, how: str) -> None:
    if tenant is not None and row.tenant != tenant:
        raise Mistake("device-bound-elsewhere", "imei", "the device is bound to another subscription")
    said = f"the device is bound to subscription {row.iccid}{f', {how}' if how else ''}"
    raise Mistake("device-bound-elsewhere", "imei", said, iccid=row.iccid, imsi=row.imsi)
