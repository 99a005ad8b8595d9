"""Everything that a working folder's files want to be in force: policies compiled, the inventory read, all warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simward.engine.tables import PolicyTables
from simward.errors import Problem
from simward.policy.compile import compile_policy, unlimited_locks
from simward.policy.inventory import Inventory, Progress, read_inventory
from simward.policy.load import Policy, load_policies, not_enforced
from simward.settings import Settings


@dataclass(frozen=True)
class Wanted:
    """What `plan` compares with what is in force."""

    settings: Settings
    policy: Policy
    tables: PolicyTables
    inventory: Inventory
    warnings: tuple[Problem, ...]
    """Of settings, policies and inventory together; what is not enforced yet is among them."""


def read_wanted(
    settings: Settings, progress: Progress | None = None, beside: Mapping[str, str] | None = None
) -> Wanted:
    """Read `policies/` and `inventory.csv`; raises ConfigurationError with everything that is wrong in either.

    Wrong policies stop it before the inventory, whose every line names a use case. `beside` are policy texts by name
    that hold besides the files'.
    """
    policy, tables = read_tables(settings, beside=beside)
    inventory = read_inventory(settings.inventory_path, policy, progress)
    warnings = (*settings.warnings, *policy_warnings(policy, tables), *inventory.warnings)
    return Wanted(settings, policy, tables, inventory, warnings)


def read_tables(
    settings: Settings, policies: Path | None = None, beside: Mapping[str, str] | None = None
) -> tuple[Policy, PolicyTables]:
    """The policies alone, from `policies` where another folder is given (as for a replay under other rules)."""
    policy = load_policies(policies or settings.policies_dir, beside)
    return policy, compile_policy(policy, settings)


def policy_warnings(policy: Policy, tables: PolicyTables) -> tuple[Problem, ...]:
    """What is doubtful in policies, or not enforced by this version, in the order of files and lines."""
    found = [*policy.warnings, *not_enforced(policy), *unlimited_locks(policy, tables)]
    return tuple(sorted(found, key=lambda problem: (problem.file, problem.line)))
