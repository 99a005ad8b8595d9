"""The registry as routes ask it: in a thread, one transaction a question, errors as problems."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from simward.control.api.problems import no_registry
from simward.errors import JournalError, RegistryError
from simward.registry.database import Registry

Answer = TypeVar("Answer")


class Asking:
    """Asks one registry: it has one writer at a time, so that none of it may be done in the event loop."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def read(self, question: Callable[[sa.Connection], Answer]) -> Answer:
        """What `question` gives in a transaction that only reads. Raises Problem."""

        def look() -> Answer:
            with self._registry.reading() as connection:
                return question(connection)

        return await in_thread(look)

    async def write(self, change: Callable[[sa.Connection], Answer]) -> Answer:
        """What `change` gives in a transaction that may write; where it raises, nothing has happened."""

        def act() -> Answer:
            with self._registry.writing() as connection:
                return change(connection)

        return await in_thread(act)


async def in_thread(work: Callable[[], Answer]) -> Answer:
    """What `work` gives, beside the event loop. Raises Problem where registry or journal cannot be used."""
    try:
        return await asyncio.to_thread(work)
    except (RegistryError, JournalError) as error:
        raise no_registry(error) from None
