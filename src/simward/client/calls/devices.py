"""Calls about devices."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from simward.client.answers.devices import Device, Devices, WholeDevice
from simward.client.caller import AsyncCaller, Caller, path


class DevicesCalls:
    """Calls about devices."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, model: str | None = None, fields: str | None = None, after: str | None = None, limit: int | None =
        None,
    ) -> Devices:  # fmt: skip
        """Every device that a subscription was bound to, by IMEI."""
        answer: Devices = self._caller.call(
            "GET", "/v1/devices", query={"model": model, "fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, model: str | None = None, fields: str | None = None, limit: int | None = None) -> Iterator[Device]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/devices", "devices", query={"model": model, "fields": fields, "limit": limit},
        )  # fmt: skip

    def get(self, imei: str) -> WholeDevice:
        """One device: the subscriptions that belong, or belonged, in it, and those that it is declared for."""
        answer: WholeDevice = self._caller.call("GET", path("/v1/devices/{imei}", imei))
        return answer


class AsyncDevicesCalls:
    """Calls about devices."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(
        self, *, model: str | None = None, fields: str | None = None, after: str | None = None, limit: int | None =
        None,
    ) -> Devices:  # fmt: skip
        """Every device that a subscription was bound to, by IMEI."""
        answer: Devices = await self._caller.call(
            "GET", "/v1/devices", query={"model": model, "fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, model: str | None = None, fields: str | None = None, limit: int | None = None,
    ) -> AsyncIterator[Device]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/devices", "devices", query={"model": model, "fields": fields, "limit": limit},
        )  # fmt: skip

    async def get(self, imei: str) -> WholeDevice:
        """One device: the subscriptions that belong, or belonged, in it, and those that it is declared for."""
        answer: WholeDevice = await self._caller.call("GET", path("/v1/devices/{imei}", imei))
        return answer

