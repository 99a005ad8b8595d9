"""Who owns what of policy and inventory: files or the API. Each side changes its own, and leaves the other's as it is.

Which side a policy document is of, the journal itself says: by the name of the text that it came in. Which
subscriptions the API declares is told by whoever asks (`owned`: their IMSIs).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from simward.engine.tables import DECLARED, PolicyTables
from simward.errors import ConfigurationError, Problem
from simward.policy.compile import BY_API, MADE
from simward.policy.inventory import Inventory
from simward.policy.plan import Current

FILES, API = "files", "api"
WARNINGS_SHOWN = 5


def owner_of(text: str) -> str:
    """The side that a text is of, by its name."""
    return API if text.startswith(BY_API) else FILES


def texts_of(sources: Mapping[str, str], side: str | None = None) -> dict[str, str]:
    """The policy texts (name -> YAML) among the sources of a revision: of one side, or all."""
    return {
        name: text for name, text in sources.items()
        if name not in MADE and (side is None or owner_of(name) == side)
    }  # fmt: skip


def lines_in_force(current: Current, imsis: np.ndarray, *, but: bool = False) -> tuple[np.ndarray, list[str]]:
    """The declared lines of these subscriptions (with `but`: of all others), and the use cases they point into."""
    chosen = np.isin(current.declared["imsi"], imsis, invert=but)
    return current.declared[chosen], list(current.tables.names["use_cases"])


def with_lines(
    inventory: Inventory, lines: np.ndarray, names: list[str], tables: PolicyTables, owner: str
) -> Inventory:
    """An inventory with the lines of the other side, which stay as they are.

    ConfigurationError where one of those is in a use case that the policy would not have any more.
    """
    known = tables.names["use_cases"]
    lost = [name for name in _used(lines, names) if name and name not in known]
    if lost:
        problems = []
        for name in lost:
            members = int((lines["use_case"] == names.index(name)).sum())
            what = f"{members:,} subscriptions that {owner} declares are in use case {name!r}, which would be gone"
            problems.append(Problem(str(inventory.path), 1, "use_case", what, "move them first"))
        raise ConfigurationError(problems)
    mine = _renumbered(inventory.declared, inventory.use_cases, known)
    theirs = _renumbered(lines, names, known)
    at = np.concatenate([inventory.lines, np.zeros(len(theirs), np.int64)])
    return replace(inventory, declared=np.concatenate([mine, theirs]), use_cases=tuple(known), lines=at)


def without_lines(inventory: Inventory, imsis: np.ndarray, owner: str) -> Inventory:
    """An inventory without the lines that the other side owns; a warning says which were left out."""
    theirs = np.isin(inventory.declared["imsi"], imsis)
    if not theirs.any():
        return inventory
    places = inventory.lines[theirs]
    found = [
        Problem(str(inventory.path), int(line), "imsi", f"{owner} declares this subscription: the line is not applied",
                warning=True)
        for line in places[:WARNINGS_SHOWN]
    ]  # fmt: skip
    if len(places) > WARNINGS_SHOWN:
        more = f"... and {len(places) - WARNINGS_SHOWN:,} more"
        found.append(Problem(str(inventory.path), int(places[-1]), "imsi", more, warning=True))
    return replace(
        inventory, declared=inventory.declared[~theirs], lines=inventory.lines[~theirs],
        warnings=(*inventory.warnings, *found),
    )  # fmt: skip


def owned_twice(inventory: Inventory, others: Collection[int]) -> list[Problem]:
    """The lines of subscriptions that are among these of the other side."""
    theirs = np.flatnonzero(np.isin(inventory.declared["imsi"], np.fromiter(others, np.int64, len(others))))
    what = "the files declare this subscription"
    instead = 'take it out of inventory.csv, or say takes_over: ["inventory.csv"]'
    return [Problem(str(inventory.path), int(inventory.lines[row]), "imsi", what, instead) for row in theirs]


def _used(lines: np.ndarray, names: list[str]) -> list[str]:
    return [names[number] for number in np.unique(lines["use_case"])]


def _renumbered(lines: np.ndarray, names: Collection[str], known: list[str]) -> np.ndarray:
    numbers = {name: position for position, name in enumerate(known)}
    table = np.array([numbers.get(name, 0) for name in names] or [0], np.int32)
    found = np.array(lines, DECLARED)
    found["use_case"] = table[found["use_case"]]
    return found
