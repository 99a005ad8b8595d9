"""Calls about subscriptions."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Literal

from simward.client.answers.subscriptions import Subscription, SubscriptionAndStory, Subscriptions
from simward.client.caller import AsyncCaller, Caller, path


class SubscriptionsCalls:
    """Calls about subscriptions."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, imsi: str | None = None, iccid: str | None = None, imei: str | None = None, use_case: str | None =
        None, locked: bool | None = None, sort: Literal["imsi", "-imsi"] | None = None, fields: str | None = None,
        after: str | None = None, limit: int | None = None,
    ) -> Subscriptions:  # fmt: skip
        """Every subscription of the inventory, and those that were seen without being in it, by IMSI."""
        answer: Subscriptions = self._caller.call(
            "GET", "/v1/subscriptions", query={"imsi": imsi, "iccid": iccid, "imei": imei, "use_case": use_case,
            "locked": locked, "sort": sort, "fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, imsi: str | None = None, iccid: str | None = None, imei: str | None = None, use_case: str | None =
        None, locked: bool | None = None, sort: Literal["imsi", "-imsi"] | None = None, fields: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Subscription]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/subscriptions", "subscriptions", query={"imsi": imsi, "iccid": iccid, "imei": imei, "use_case":
            use_case, "locked": locked, "sort": sort, "fields": fields, "limit": limit},
        )  # fmt: skip

    def get(self, imsi_or_iccid: str) -> SubscriptionAndStory:
        """One of them, with its story. Its ETag is of what is declared, and of which device it is bound to."""
        answer: SubscriptionAndStory = self._caller.call(
            "GET", path("/v1/subscriptions/{imsi_or_iccid}", imsi_or_iccid),
        )  # fmt: skip
        return answer


class AsyncSubscriptionsCalls:
    """Calls about subscriptions."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(
        self, *, imsi: str | None = None, iccid: str | None = None, imei: str | None = None, use_case: str | None =
        None, locked: bool | None = None, sort: Literal["imsi", "-imsi"] | None = None, fields: str | None = None,
        after: str | None = None, limit: int | None = None,
    ) -> Subscriptions:  # fmt: skip
        """Every subscription of the inventory, and those that were seen without being in it, by IMSI."""
        answer: Subscriptions = await self._caller.call(
            "GET", "/v1/subscriptions", query={"imsi": imsi, "iccid": iccid, "imei": imei, "use_case": use_case,
            "locked": locked, "sort": sort, "fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, imsi: str | None = None, iccid: str | None = None, imei: str | None = None, use_case: str | None =
        None, locked: bool | None = None, sort: Literal["imsi", "-imsi"] | None = None, fields: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Subscription]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/subscriptions", "subscriptions", query={"imsi": imsi, "iccid": iccid, "imei": imei, "use_case":
            use_case, "locked": locked, "sort": sort, "fields": fields, "limit": limit},
        )  # fmt: skip

    async def get(self, imsi_or_iccid: str) -> SubscriptionAndStory:
        """One of them, with its story. Its ETag is of what is declared, and of which device it is bound to."""
        answer: SubscriptionAndStory = await self._caller.call(
            "GET", path("/v1/subscriptions/{imsi_or_iccid}", imsi_or_iccid),
        )  # fmt: skip
        return answer

