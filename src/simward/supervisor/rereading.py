"""What SIGHUP asks for: the settings are read again, and it is said what of them has to wait for the gate."""

from __future__ import annotations

import logging
from pathlib import Path

from simward import logs
from simward.errors import ConfigurationError, UsageError
from simward.logs import called
from simward.settings import Settings

log = logging.getLogger(__name__)


class Rereading:
    """Holds the settings that the processes were started with."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def folder(self) -> Path:
        """The working folder."""
        return self._settings.dir

    def again(self) -> bool:
        """Read `simward.toml`, and the secrets that it names: can whoever is started anew go on with them?

        Where they have a mistake nothing changes, and the log says what it is.
        """
        try:
            fresh = Settings.load(self.folder)
        except (ConfigurationError, UsageError, OSError) as error:
            log.error(
                "the settings were not taken, and everything goes on as before: %s", error,
                extra=called("settings-not-taken"),
            )
            return False
        logs.begin("supervisor", fresh.log)
        waiting = [name for name, one in (("[gate]", "gate"), ("[[gateway]]", "gateways"), ("[[secret]]", "secrets"))
                   if getattr(fresh, one) != getattr(self._settings, one)]  # fmt: skip
        log.info("the settings are read again: watch and control start anew with them", extra=called("settings-taken"))
        if waiting:  # what the gate goes by stays as it was until it is started again: it is not for this to cut it off
            log.warning(
                "%s changed: that counts for the gate from its next start", ", ".join(waiting),
                extra=called("settings-wait"),
            )
        return True
