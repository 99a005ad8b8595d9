"""The client: where a server is, who asks, and everything that can be asked."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from simward.client.caller import AsyncCaller, Caller, Options
from simward.client.resources import AsyncResources, Resources


class Client(Resources):
    """Calls that wait for their answer: `with Client(url, token) as simward: simward.deployments.get(1)`.

    Further arguments are those of Options. One client may be used by several threads.
    """

    def __init__(self, url: str = Options.url, token: str = "", **more: Any) -> None:
        self.caller = Caller(Options(url=url, token=token, **more))
        super().__init__(self.caller)

    def close(self) -> None:
        """Give its connections back."""
        self.caller.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class AsyncClient(AsyncResources):
    """The same for asyncio: `async with AsyncClient(url, token) as simward: await simward.deployments.get(1)`."""

    def __init__(self, url: str = Options.url, token: str = "", **more: Any) -> None:
        self.caller = AsyncCaller(Options(url=url, token=token, **more))
        super().__init__(self.caller)

    async def close(self) -> None:
        """Give its connections back."""
        await self.caller.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()
