"""Calls about deployments."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Literal

from simward.client.answers.deployments import Deployment, DeploymentPage, Site
from simward.client.caller import AsyncCaller, Caller, path


class DeploymentsCalls:
    """Calls about deployments."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create(
        self, *, imei: str, use_case: str, iccid: str | None = None, imsi: str | None = None, site: Site | None = None,
        because: str | None = None, key: str | None = None, if_match: str | None = None,
    ) -> Deployment:  # fmt: skip
        """Bind a device to a subscription for a use case, and expect it: the gate, then the application is told.
        `If-Match` is the ETag of the subscription; the same that was asked before is answered as it stands."""
        answer: Deployment = self._caller.call(
            "POST", "/v1/deployments", body={"iccid": iccid, "imsi": imsi, "imei": imei, "use_case": use_case, "site":
            site, "because": because}, key=key, keyed=True, if_match=if_match,
        )  # fmt: skip
        return answer

    def list(
        self, *, state: Sequence[Literal["accepted", "waiting", "confirmed", "wrong-device", "refused", "cancelling",
        "failed", "cancelled", "superseded", "taken-back"]] | None = None, iccid: str | None = None, imei: str | None =
        None, use_case: str | None = None, after: str | None = None, limit: int | None = None,
    ) -> DeploymentPage:  # fmt: skip
        """The newest first."""
        answer: DeploymentPage = self._caller.call(
            "GET", "/v1/deployments", query={"state": state, "iccid": iccid, "imei": imei, "use_case": use_case,
            "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, state: Sequence[Literal["accepted", "waiting", "confirmed", "wrong-device", "refused", "cancelling",
        "failed", "cancelled", "superseded", "taken-back"]] | None = None, iccid: str | None = None, imei: str | None =
        None, use_case: str | None = None, limit: int | None = None,
    ) -> Iterator[Deployment]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/deployments", "deployments", query={"state": state, "iccid": iccid, "imei": imei, "use_case":
            use_case, "limit": limit},
        )  # fmt: skip

    def get(self, number: int) -> Deployment:
        """How it stands."""
        answer: Deployment = self._caller.call("GET", path("/v1/deployments/{number}", number))
        return answer

    def delete(self, number: int, *, because: str | None = None) -> Deployment:
        """Take it back: the subscription is as `inventory.csv` says, or said before."""
        answer: Deployment = self._caller.call(
            "DELETE", path("/v1/deployments/{number}", number), query={"because": because},
        )  # fmt: skip
        return answer


class AsyncDeploymentsCalls:
    """Calls about deployments."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create(
        self, *, imei: str, use_case: str, iccid: str | None = None, imsi: str | None = None, site: Site | None = None,
        because: str | None = None, key: str | None = None, if_match: str | None = None,
    ) -> Deployment:  # fmt: skip
        """Bind a device to a subscription for a use case, and expect it: the gate, then the application is told.
        `If-Match` is the ETag of the subscription; the same that was asked before is answered as it stands."""
        answer: Deployment = await self._caller.call(
            "POST", "/v1/deployments", body={"iccid": iccid, "imsi": imsi, "imei": imei, "use_case": use_case, "site":
            site, "because": because}, key=key, keyed=True, if_match=if_match,
        )  # fmt: skip
        return answer

    async def list(
        self, *, state: Sequence[Literal["accepted", "waiting", "confirmed", "wrong-device", "refused", "cancelling",
        "failed", "cancelled", "superseded", "taken-back"]] | None = None, iccid: str | None = None, imei: str | None =
        None, use_case: str | None = None, after: str | None = None, limit: int | None = None,
    ) -> DeploymentPage:  # fmt: skip
        """The newest first."""
        answer: DeploymentPage = await self._caller.call(
            "GET", "/v1/deployments", query={"state": state, "iccid": iccid, "imei": imei, "use_case": use_case,
            "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, state: Sequence[Literal["accepted", "waiting", "confirmed", "wrong-device", "refused", "cancelling",
        "failed", "cancelled", "superseded", "taken-back"]] | None = None, iccid: str | None = None, imei: str | None =
        None, use_case: str | None = None, limit: int | None = None,
    ) -> AsyncIterator[Deployment]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/deployments", "deployments", query={"state": state, "iccid": iccid, "imei": imei, "use_case":
            use_case, "limit": limit},
        )  # fmt: skip

    async def get(self, number: int) -> Deployment:
        """How it stands."""
        answer: Deployment = await self._caller.call("GET", path("/v1/deployments/{number}", number))
        return answer

    async def delete(self, number: int, *, because: str | None = None) -> Deployment:
        """Take it back: the subscription is as `inventory.csv` says, or said before."""
        answer: Deployment = await self._caller.call(
            "DELETE", path("/v1/deployments/{number}", number), query={"because": because},
        )  # fmt: skip
        return answer

