"""Links that work once: for the first administrator, and for whoever is to choose a password or to be signed in."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from simward.control.access.signing_in import audit
from simward.control.access.site import Site
from simward.control.api.asking import Asking
from simward.engine.phrases import when
from simward.logs import called
from simward.registry import accounts, sessions
from simward.registry.database import Registry

log = logging.getLogger(__name__)

LASTS_US = 24 * 3600 * 1_000_000
FILE_NAME = "first-administrator.url"
PATH = "/first/"


class Link(NamedTuple):
    """A new one; it is kept nowhere."""

    url: str
    ends_at: int


class Links:
    """Makes them."""

    def __init__(self, registry: Registry, site: Site, data_dir: Path, now: Callable[[], int]) -> None:
        self._asking, self._site, self._now = Asking(registry), site, now
        self._file = data_dir / FILE_NAME

    def make(self, connection: sa.Connection, account: str | None, actor: str, *, signs_in: bool = False) -> Link:
        """For an account (id), or for the first administrator; one made before for the same works no more. A password
        is chosen with it, unless it `signs_in`."""
        now = self._now()
        opener = sessions.make_link(connection, account, now, now + LASTS_US, actor, signs_in=signs_in)
        return Link(f"{self._site.url}{PATH}{opener.text}", now + LASTS_US)

    async def welcome(self, url: str) -> None:
        """It is served there now: where nobody is administrator, say how somebody becomes it."""
        self._site.serves(url)

        def act(connection: sa.Connection) -> Link | None:
            if accounts.administrators(connection):
                return None
            made = self.make(connection, None, "simward")
            audit(connection, self._now(), "simward", "link.make", "first administrator", None)
            return made

        made = await self._asking.write(act)
        self._file.unlink(missing_ok=True)
        if made is not None:
            self._tell(made)

    def forget_first(self) -> None:
        """The link of the first administrator has done its work."""
        self._file.unlink(missing_ok=True)

    def _tell(self, link: Link) -> None:
        """On standard output and in a file, and not in the log: logs are read by many, and kept."""
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(link.url + "\n")
        log.info(
            "nobody is administrator yet: %s has a link that works once, until %s", self._file, when(link.ends_at),
            extra=called("first-administrator-link"),
        )
        with contextlib.suppress(OSError):  # nobody reads it: the file has it
            print(f"first administrator: {link.url} (works once, until {when(link.ends_at)[:16]}Z)", flush=True)
