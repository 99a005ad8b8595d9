"""The log of every process: lines for people or JSON for programs, each with the stable name of what happened.

A call says the name beside its words: `log.error("...", extra=called("registry-away"))`. docs/reference/log-events.md
has all of them, and is made from these calls.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from contextvars import ContextVar
from typing import Any

from simward.log_settings import LogSettings

correlator: ContextVar[str] = ContextVar("correlator", default="")
"""What ties a line to the request that it is about (`x-correlator`); empty outside of requests."""


def called(event: str, **facts: Any) -> dict[str, Any]:
    """The `extra` of a log call: what happened, by its stable name, and facts as JSON has them. Never a secret."""
    return {"event": event, "facts": facts}


def begin(process: str, settings: LogSettings | None = None) -> None:
    """Write this process's log to standard error, as the settings say; may be called again once they are known."""
    settings = settings or LogSettings()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(process) if settings.format == "json" else Lines(process))
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)


class Lines(logging.Formatter):
    """For people: time, level, process, words."""

    def __init__(self, process: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)s {process}: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """One line, whatever others had a hand in: no control character passes."""
        return _one_line(super().formatMessage(record))


class JsonLines(logging.Formatter):
    """For programs: an object a line, with `at` (UTC), `level`, `process`, `event`, `message` and the event's facts.

    `event` is null for lines of libraries, which say `logger`.
    """

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        event = getattr(record, "event", None)
        said: dict[str, Any] = {
            "at": f"{at}.{int(record.msecs):03d}Z", "level": record.levelname.lower(), "process": self._process,
            "event": event, "message": record.getMessage(),
        }  # fmt: skip
        if event is None:
            said["logger"] = record.name
        if correlator.get():
            said["correlator"] = correlator.get()
        said |= getattr(record, "facts", {})
        if record.exc_info:
            said["trace"] = self.formatException(record.exc_info)
        return json.dumps(said, default=str)


def _one_line(text: str) -> str:
    return text if text.isprintable() else "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
