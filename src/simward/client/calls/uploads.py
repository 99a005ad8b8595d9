"""Calls about uploads."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from simward.client.answers.jobs import Job
from simward.client.answers.revisions import Plan
from simward.client.answers.uploads import Applied, NewlyUploaded, Upload, Uploads, WholeUpload
from simward.client.caller import AsyncCaller, Caller, path


class UploadsCalls:
    """Calls about uploads."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create(
        self, *, because: str, actor: str | None = None, policies: dict[str, Any] | None = None, inventory: str | None
        = None, whole: bool | None = None, takes_over: Sequence[str] | None = None, key: str | None = None,
    ) -> NewlyUploaded:  # fmt: skip
        """Propose what the API shall declare. Checked with what the files declare; nothing is in force by that."""
        answer: NewlyUploaded = self._caller.call(
            "POST", "/v1/uploads", body={"actor": actor, "because": because, "policies": policies, "inventory":
            inventory, "whole": whole, "takes_over": takes_over}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    def list(self, *, after: str | None = None, limit: int | None = None) -> Uploads:
        """Proposals and what is in force of the API, the newest first. Of proposals the last fifty are kept."""
        answer: Uploads = self._caller.call(
            "GET", "/v1/uploads", query={"after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, limit: int | None = None) -> Iterator[Upload]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages("/v1/uploads", "uploads", query={"limit": limit})

    def get(self, id: str) -> WholeUpload:
        """One of them, with its policies as they were written."""
        answer: WholeUpload = self._caller.call("GET", path("/v1/uploads/{id}", id))
        return answer

    def apply(
        self, id: str, *, because: str, actor: str | None = None, confirm: bool | None = None, key: str | None = None,
        if_match: str | None = None,
    ) -> Applied:  # fmt: skip
        """Have it in force; answered when the journal has it. `If-Match` is the ETag of `/v1/policy`."""
        answer: Applied = self._caller.call(
            "POST", path("/v1/uploads/{id}/apply", id), body={"actor": actor, "because": because, "confirm": confirm},
            key=key, keyed=True, if_match=if_match,
        )  # fmt: skip
        return answer

    def backtest(
        self, id: str, *, actor: str | None = None, because: str | None = None, last: str | None = None, since: int |
        None = None, warm_up: str | None = None, key: str | None = None,
    ) -> Job:  # fmt: skip
        """Say whom it would have cut, on recorded history: a job, whose `result` is that of `simward backtest`."""
        answer: Job = self._caller.call(
            "POST", path("/v1/uploads/{id}/backtest", id), body={"actor": actor, "because": because, "last": last,
            "since": since, "warm_up": warm_up}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    def plan(self, id: str) -> Plan:
        """What it would change of what is in force, and for whom."""
        answer: Plan = self._caller.call("GET", path("/v1/uploads/{id}/plan", id))
        return answer


class AsyncUploadsCalls:
    """Calls about uploads."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create(
        self, *, because: str, actor: str | None = None, policies: dict[str, Any] | None = None, inventory: str | None
        = None, whole: bool | None = None, takes_over: Sequence[str] | None = None, key: str | None = None,
    ) -> NewlyUploaded:  # fmt: skip
        """Propose what the API shall declare. Checked with what the files declare; nothing is in force by that."""
        answer: NewlyUploaded = await self._caller.call(
            "POST", "/v1/uploads", body={"actor": actor, "because": because, "policies": policies, "inventory":
            inventory, "whole": whole, "takes_over": takes_over}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def list(self, *, after: str | None = None, limit: int | None = None) -> Uploads:
        """Proposals and what is in force of the API, the newest first. Of proposals the last fifty are kept."""
        answer: Uploads = await self._caller.call(
            "GET", "/v1/uploads", query={"after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(self, *, limit: int | None = None) -> AsyncIterator[Upload]:
        """The same from the first page to the last, row by row."""
        return self._caller.pages("/v1/uploads", "uploads", query={"limit": limit})

    async def get(self, id: str) -> WholeUpload:
        """One of them, with its policies as they were written."""
        answer: WholeUpload = await self._caller.call("GET", path("/v1/uploads/{id}", id))
        return answer

    async def apply(
        self, id: str, *, because: str, actor: str | None = None, confirm: bool | None = None, key: str | None = None,
        if_match: str | None = None,
    ) -> Applied:  # fmt: skip
        """Have it in force; answered when the journal has it. `If-Match` is the ETag of `/v1/policy`."""
        answer: Applied = await self._caller.call(
            "POST", path("/v1/uploads/{id}/apply", id), body={"actor": actor, "because": because, "confirm": confirm},
            key=key, keyed=True, if_match=if_match,
        )  # fmt: skip
        return answer

    async def backtest(
        self, id: str, *, actor: str | None = None, because: str | None = None, last: str | None = None, since: int |
        None = None, warm_up: str | None = None, key: str | None = None,
    ) -> Job:  # fmt: skip
        """Say whom it would have cut, on recorded history: a job, whose `result` is that of `simward backtest`."""
        answer: Job = await self._caller.call(
            "POST", path("/v1/uploads/{id}/backtest", id), body={"actor": actor, "because": because, "last": last,
            "since": since, "warm_up": warm_up}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def plan(self, id: str) -> Plan:
        """What it would change of what is in force, and for whom."""
        answer: Plan = await self._caller.call("GET", path("/v1/uploads/{id}/plan", id))
        return answer

