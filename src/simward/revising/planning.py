"""What a revision would be, against what is in force: from files, from what the API was given, or from texts of before.

A side's plan leaves the other side's part as it is in force, whatever stands on a disk by now.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simward.engine.start import restore
from simward.engine.tables import PolicyTables
from simward.errors import ConfigurationError, Problem
from simward.history.whole import WholeJournal
from simward.policy.compile import Beside, compile_policy
from simward.policy.inventory import Inventory, Progress, parse_inventory
from simward.policy.load import USE_CASE_LINE, Policy, read_policies
from simward.policy.plan import Current, Plan
from simward.policy.plan import plan as compare
from simward.policy.wanted import policy_warnings, read_wanted
from simward.revising.sides import API, FILES, lines_in_force, owned_twice, texts_of, with_lines, without_lines
from simward.settings import Settings

INVENTORY = "inventory.csv"
"""How the inventory that the API was given is called in what is wrong with it. In `takes_over`: lines of subscriptions
that the files declare are the API's from then on."""
NOBODY = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Uploaded:
    """What the API declares: policy texts by name (each begins with `compile.BY_API`), and an inventory as CSV."""

    texts: Mapping[str, str]
    inventory: bytes = b""
    takes_over: Collection[str] = ()
    """Files whose documents are the API's from then on."""


@dataclass(frozen=True)
class Checked:
    """What is wrong with an upload, what is doubtful, and the policy that it would make (empty where it is wrong)."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    policy: Policy


def in_force(data_dir: Path) -> Current:
    """What is in force, from the newest snapshot and the journal's tail. Raises JournalError."""
    with closing(WholeJournal.open(data_dir)) as journal:
        return Current.empty() if journal.last == 0 else Current.of(restore(data_dir, journal).state)


def plan_files(
    settings: Settings, current: Current, owned: np.ndarray = NOBODY, progress: Progress | None = None,
    take_over: Collection[str] = (), *, take_back: bool = False,
) -> tuple[Plan, tuple[Problem, ...]]:  # fmt: skip
    """What the files would change of their part, and the warnings. `owned`: the IMSIs that the API declares.

    `take_over` names texts of the API whose documents are the files' from then on; `take_back`: so are the lines of
    subscriptions that were deployed. ConfigurationError with all that is
    wrong.
    """
    of_api = texts_of(current.tables.sources, API)
    unknown = [one for one in take_over if one not in of_api]
    if unknown:
        raise ConfigurationError([Problem(one, 1, "", "the API declares nothing under this name") for one in unknown])
    wanted = read_wanted(settings, progress, {name: of_api[name] for name in of_api if name not in take_over})
    inventory, before = wanted.inventory, len(wanted.inventory.warnings)
    if len(owned):
        inventory = without_lines(inventory, owned, "the API")
        lines, names = lines_in_force(current, owned)
        inventory = with_lines(inventory, lines, names, wanted.tables, "the API")
    made = compare(current, wanted.tables, inventory, take_back=take_back)
    return made, (*wanted.warnings, *inventory.warnings[before:])


def plan_upload(settings: Settings, current: Current, uploaded: Uploaded, owned: np.ndarray = NOBODY) -> Plan:
    """What the API's part would change; see `plan_files`."""
    policy, tables = compiled(settings, current.tables, uploaded)
    mine = _inventory(uploaded, policy)
    files, names = lines_in_force(current, owned, but=True)
    if INVENTORY in uploaded.takes_over:
        files = files[~np.isin(files["imsi"], mine.declared["imsi"])]
    twice = owned_twice(mine, set(files["imsi"].tolist()))
    if twice:
        raise ConfigurationError(twice)
    return compare(current, tables, with_lines(mine, files, names, tables, "inventory.csv"))


def plan_texts(settings: Settings, current: Current, texts: Mapping[str, str]) -> Plan:
    """What these policy texts, of both sides, would change; subscriptions stay as they are declared."""
    tables = compile_policy(read_policies(texts), settings, _beside(current.tables))
    nothing = Inventory(Path(INVENTORY), current.declared[:0], ("",), np.zeros(0, np.int64))
    lines, names = lines_in_force(current, NOBODY, but=True)
    return compare(current, tables, with_lines(nothing, lines, names, tables, "the inventory"))


def compiled(settings: Settings, tables: PolicyTables, uploaded: Uploaded) -> tuple[Policy, PolicyTables]:
    """The policy of an upload beside what the files have in force."""
    return compiled_beside(settings, tables.sources, uploaded, _beside(tables))


def compiled_beside(
    settings: Settings, sources: Mapping[str, str], uploaded: Uploaded, beside: Beside | None
) -> tuple[Policy, PolicyTables]:
    """The same, of the sources of a revision."""
    policy = read_policies(beside_files(sources, uploaded))
    return policy, compile_policy(policy, settings, beside)


def problems_of(settings: Settings, files: Mapping[str, str], uploaded: Uploaded) -> Checked:
    """Everything that is wrong with an upload, in policies and inventory both; `files` are the files' texts in force.

    Where policies are wrong, the inventory is held against the use cases that can be told all the same.
    """
    found: list[Problem] = []
    policy, tables = Policy(), PolicyTables.default()
    try:
        policy, tables = compiled_beside(settings, files, uploaded, Beside.of(tables))
        use_cases: Collection[str] = policy.of("use_case")
    except ConfigurationError as error:
        found += error.problems
        use_cases = {one[1] for text in beside_files(files, uploaded, strict=False).values()
                     for one in USE_CASE_LINE.finditer(text)}  # fmt: skip
    lines: Inventory | None = None
    if uploaded.inventory:
        try:
            lines = parse_inventory(uploaded.inventory, INVENTORY, policy if not found else use_cases)
        except ConfigurationError as error:
            found += error.problems
    if found:
        return Checked(tuple(found), (), policy)
    warnings = (*policy_warnings(policy, tables), *(lines.warnings if lines is not None else ()))
    return Checked((), tuple(one for one in warnings if one.file in uploaded.texts or one.file == INVENTORY), policy)


def beside_files(sources: Mapping[str, str], uploaded: Uploaded, *, strict: bool = True) -> dict[str, str]:
    """The texts of an upload, and those of files in force that it does not take over. ConfigurationError."""
    files = texts_of(sources, FILES)
    unknown = [one for one in uploaded.takes_over if one not in files and one != INVENTORY]
    if unknown and strict:
        what = "no file of this name is in force"
        raise ConfigurationError([Problem(one, 1, "takes_over", what) for one in unknown])
    return {
        **{name: text for name, text in files.items() if name not in uploaded.takes_over}, **uploaded.texts
    }  # fmt: skip


def _beside(tables: PolicyTables) -> Beside | None:
    """The tables of cells and models in force, which files own; those of the folder before there was any revision."""
    return Beside.of(tables) if texts_of(tables.sources) else None


def _inventory(uploaded: Uploaded, policy: Policy) -> Inventory:
    if not uploaded.inventory:
        return Inventory(Path(INVENTORY), np.zeros(0, Current.empty().declared.dtype), ("",), np.zeros(0, np.int64))
    return parse_inventory(uploaded.inventory, INVENTORY, policy)
