"""Server-sent events (HTML standard 9.2): octets in, events out; and where to go on after a stream has broken off."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any


class Reader:
    """Reads one stream after the other; keeps the id of the last event, and how long to wait before the next stream."""

    def __init__(self, after: str | None = None) -> None:
        self.last_id = after
        self.retry_s = 2.0
        self._data: list[str] = []
        self._id: str | None = after

    def take(self, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
        """The events in some lines of a stream; call it with line after line, or with all."""
        for line in lines:
            event = self.line(line)
            if event is not None:
                yield event

    def line(self, line: str) -> dict[str, Any] | None:
        """The event that ends with this line, if one does."""
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isdigit():
            self.retry_s = int(value) / 1000
        return None

    def begin(self) -> None:
        """A new stream: what the one before had begun and not ended is not an event."""
        self._data, self._id = [], self.last_id

    def _dispatch(self) -> dict[str, Any] | None:
        data, self._data = self._data, []
        if not data:
            return None
        self.last_id = self._id
        document: dict[str, Any] = json.loads("\n".join(data))
        return document
