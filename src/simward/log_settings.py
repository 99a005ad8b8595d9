"""`[log]` of simward.toml: in which form the log is written, and how much of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simward import toml_reading as read


@dataclass(frozen=True)
class LogSettings:
    """`[log]`."""

    format: str = "text"
    """Or "json": an object a line."""
    level: str = "info"
    """What is less than this is not written: debug, info, warning or error."""


LOG_KEYS: dict[str, Callable[[Any], Any]] = {
    "format": read.choice("text", "json"), "level": read.choice("debug", "info", "warning", "error"),
}  # fmt: skip
