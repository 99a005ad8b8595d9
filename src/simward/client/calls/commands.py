"""Calls about commands."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Literal

from simward.client.answers.commands import CommandAnswer
from simward.client.caller import AsyncCaller, Caller


class CommandsCalls:
    """Calls about commands."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def send(
        self, *, do: Literal["lock", "quarantine", "release", "disconnect", "pause", "resume", "bind", "unbind"],
        because: str, iccid: str | None = None, actor: str | None = None, id: str | None = None, generation: int | None
        = None, rebind: bool | None = None, area: bool | None = None, imei: str | None = None, key: str | None = None,
    ) -> CommandAnswer:  # fmt: skip
        """Lock, quarantine, release, disconnect, bind or unbind a subscription; pause or resume all responses."""
        answer: CommandAnswer = self._caller.call(
            "POST", "/v1/commands", body={"do": do, "because": because, "iccid": iccid, "actor": actor, "id": id,
            "generation": generation, "rebind": rebind, "area": area, "imei": imei}, key=key, keyed=True,
        )  # fmt: skip
        return answer


class AsyncCommandsCalls:
    """Calls about commands."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def send(
        self, *, do: Literal["lock", "quarantine", "release", "disconnect", "pause", "resume", "bind", "unbind"],
        because: str, iccid: str | None = None, actor: str | None = None, id: str | None = None, generation: int | None
        = None, rebind: bool | None = None, area: bool | None = None, imei: str | None = None, key: str | None = None,
    ) -> CommandAnswer:  # fmt: skip
        """Lock, quarantine, release, disconnect, bind or unbind a subscription; pause or resume all responses."""
        answer: CommandAnswer = await self._caller.call(
            "POST", "/v1/commands", body={"do": do, "because": because, "iccid": iccid, "actor": actor, "id": id,
            "generation": generation, "rebind": rebind, "area": area, "imei": imei}, key=key, keyed=True,
        )  # fmt: skip
        return answer

