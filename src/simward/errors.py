"""Every error that Simward raises on purpose, sorted by whose fault it is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class SimwardError(Exception):
    """Base of all errors below; `exit_code` is what the command line ends with."""

    exit_code = 3


class UsageError(SimwardError):
    """The caller asked for something that cannot be meant."""

    exit_code = 2


class IdentityError(SimwardError, ValueError):
    """Text or octets that are not the identity they were said to be."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a file that a person wrote.

    `where` is the dotted key (or the CSV column), `instead` says what would be right.
    """

    file: str
    line: int
    where: str
    what: str
    instead: str = ""
    warning: bool = False

    def __str__(self) -> str:
        mark = "warning: " if self.warning else ""
        tail = f" ({self.instead})" if self.instead else ""
        key = f"{self.where}: " if self.where else ""
        return f"{self.file}:{self.line}: {mark}{key}{self.what}{tail}"


class ConfigurationError(SimwardError):
    """The operator's files are wrong; carries every problem found, not just the first."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class NotDurableError(SimwardError):
    """The journal could not make a row durable (disk full, I/O error)."""


class JournalError(SimwardError):
    """The journal on disk is not what it should be (gap, wrong digest, unknown layout)."""


class RegistryError(SimwardError):
    """The registry's database cannot be opened, read or written."""


class PeerError(SimwardError):
    """Another system (a gateway, the gate's command socket) did not do its part."""


class RefusedError(SimwardError):
    """The gate understood a command and decided against it (stale, limited, not found, unfit): the answer is no."""

    exit_code = 1


def nearest(word: str, known: Iterable[str]) -> str:
    """The hint for a word that is not among the `known` ones: the nearest right spelling, else what there is."""
    choices = sorted(known)
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.55)
    if close:
        return f"did you mean {close[0]!r}?"
    if not choices:
        return "there is none"
    shown = ", ".join(choices[:12]) + (", ..." if len(choices) > 12 else "")
    return f"one of: {shown}"
