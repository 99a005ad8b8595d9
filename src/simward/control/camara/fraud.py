"""IoT SIM Fraud Prevention 0.1.0: bind a SIM to its device or its area, unbind it, and say what it is bound to.

The gate does it: what is answered here was decided there, is in its journal, and holds for the next request. `bind` has
neither an IMEI nor an area in its request: the device is the one that the gate saw last, the area is that of the use
case which the inventory gives the subscription.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from fastapi import APIRouter, Request

from simward.control.api.asking import Asking, in_thread
from simward.control.api.permissions import needs
from simward.control.api.principals import Principal
from simward.control.api.problems import gate_unreachable
from simward.control.api.scopes import BASES, FRAUD
from simward.control.camara.areas import Area, Areas
from simward.control.camara.bodies import body_of, choice, device_of
from simward.control.camara.devices import Found, found
from simward.control.camara.errors import CamaraError, unknown_device
from simward.control.gate_link import GateLink, GateUnreachable
from simward.identity import Imei
from simward.registry.cursors import read_cursor
from simward.registry.database import Registry

IMEI_BIND, AREA_LIMIT = "IMEIBIND", "AREALIMIT"
TYPES = (IMEI_BIND, AREA_LIMIT)
FOLLOWED_WITHIN_S, LOOK_EVERY_S = 2.0, 0.02
UNBOUND_IMEI = CamaraError(422, "UNNECESSARY_UNBIND_IMEI", "The current device imei has been unbound")
UNBOUND_AREA = CamaraError(422, "UNNECESSARY_UNBIND_AREALIMIT", "The current device area limit has been unbound")


class Binding:
    """Asks gate and registry."""

    def __init__(self, registry: Registry, gate: GateLink, areas: Areas) -> None:
        self.asking, self._gate, self._areas = Asking(registry), gate, areas

    async def area_of(self, row: Any) -> Area | None:
        """The area of its use case."""
        return await in_thread(lambda: self._areas.of(row.use_case))

    async def order(self, do: str, what: str, at: Found, request: Request) -> dict[str, Any]:
        """The gate's answer to a command; what it applied is in the mirrors when this returns. Raises CamaraError."""
        principal: Principal = request.state.principal
        payload = {
            "do": do, "iccid": at.row.iccid, "because": f"CAMARA {do} {what}", "actor": principal.name,
            "id": f"camara-{uuid.uuid4()}", **({"area": True} if what == AREA_LIMIT else {}),
        }  # fmt: skip
        try:
            answer = await self._gate.ask(payload)
        except GateUnreachable as error:
            raise gate_unreachable(error) from None
        if answer.get("result") == "not-found":
            raise unknown_device()
        if "result" not in answer or (answer["result"] == "applied" and not answer.get("ok")):
            raise gate_unreachable(RuntimeError(str(answer.get("error", "it said no"))))  # it cannot record now
        if answer["result"] == "applied" and "sequence" in answer:
            await self._followed(int(answer["sequence"]))
        return answer

    async def _followed(self, sequence: int) -> None:
        """Until the mirrors have come so far, so that who asks next is told of it; not for long."""
        until = asyncio.get_running_loop().time() + FOLLOWED_WITHIN_S
        while asyncio.get_running_loop().time() < until:
            if (await self.asking.read(read_cursor)).gate >= sequence:
                return
            await asyncio.sleep(LOOK_EVERY_S)


def fraud_routes(binding: Binding) -> APIRouter:
    """All three."""
    routes = APIRouter(prefix=BASES[FRAUD], include_in_schema=False)

    @routes.post("/bind", openapi_extra=needs(f"{FRAUD}:bind"))
    async def bind(request: Request) -> dict[str, Any]:
        """Bind. False where there is nothing to bind it to, or the inventory declares another device."""
        body = await body_of(request)
        what = choice(body, "bindType", "bindType", (IMEI_BIND, AREA_LIMIT))
        at = await found(binding.asking, request, device_of(body))
        answer = await binding.order("bind", what, at, request)
        return {"bound": answer["result"] == "applied"}

    @routes.post("/unbind", openapi_extra=needs(f"{FRAUD}:unbind"))
    async def unbind(request: Request) -> dict[str, Any]:
        """Unbind. False where inventory or policy binds it, which a caller cannot take back."""
        body = await body_of(request)
        what = choice(body, "unBindType", "unbindType", (IMEI_BIND, AREA_LIMIT))
        at = await found(binding.asking, request, device_of(body))
        answer = await binding.order("unbind", what, at, request)
        did = answer.get("did", ())
        if what == IMEI_BIND:
            if answer["result"] == "applied" and "unbound" not in did:
                raise UNBOUND_IMEI
            return {"unbound": answer["result"] == "applied"}
        area = await binding.area_of(at.row)
        by_policy = area is not None and area.enforced
        if "unrestricted" not in did and not by_policy:
            raise UNBOUND_AREA
        return {"unbound": not by_policy}

    @routes.post("/query", openapi_extra=needs(f"{FRAUD}:query"))
    async def query(request: Request) -> dict[str, Any]:
        """What it is bound to."""
        body = await body_of(request)
        what = choice(body, "queryType", "queryType", (IMEI_BIND, AREA_LIMIT))
        at = await found(binding.asking, request, device_of(body))
        if what == IMEI_BIND:
            return {"imeiBind": imei_told(at.row.imei)}
        area = await binding.area_of(at.row)
        if area is not None and (at.row.limited_to_area or area.enforced):
            return {"areaLimit": {"areaLimitStatus": "RESTRICTED", "limitArea": area.told}}
        return {"areaLimit": {"areaLimitStatus": "UNRESTRICTED"}}

    return routes


def imei_told(imei: str | None) -> dict[str, Any]:
    """`ImeiBind`."""
    return {"bindStatus": "UNBOUND"} if imei is None else {"bindStatus": "BOUND", "bindImei": imei_text(imei)}


def imei_text(imei: str) -> str:
    """15 digits, in the groups of the files' examples: TAC in two, serial number, check digit (TS 23.003 6.2.1)."""
    digits = f"{imei}{Imei.parse(imei).check_digit}"
    return f"{digits[:2]}-{digits[2:8]}-{digits[8:14]}-{digits[14]}"
