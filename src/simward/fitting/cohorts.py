"""Who is compared with whom: the tree of cohorts over a day's rows, and which of its nodes are large enough."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from simward.engine.behaviour.layouts import COHORTS_MAX, KEYS_MAX
from simward.engine.behaviour.revision import ANY, FLEET, Node

COHORT_LEAST = 200
"""Members of a cohort; a smaller one is a part of its parent."""


def node_of(key: int, tenants: np.ndarray) -> Node:
    """The leaf that a cohort key names (layouts.cohort_key)."""
    use_case = key >> 40
    tenant = int(tenants[use_case]) if use_case < len(tenants) else 0
    return tenant, use_case, (key >> 8) & 0xFFFF_FFFF, key & 0xFF


def upwards(node: Node) -> list[Node]:
    """A node and its parents: all radio accesses, all models, all use cases of the tenant, the fleet."""
    tenant, use_case, tac, _ = node
    chain = [node, (tenant, use_case, tac, ANY), (tenant, use_case, ANY, ANY), (tenant, ANY, ANY, ANY), FLEET]
    return chain[chain.index(node) :]


def covers(wider: Node, narrower: Node) -> bool:
    """Is all of `narrower` in `wider`?"""
    return all(one in (ANY, other) for one, other in zip(wider, narrower))


@dataclass(frozen=True)
class Cohorts:
    """The cohorts of a day. `leaf_at` and `cohort_at` have a number for each row, `cohorts` a cohort for each leaf."""

    keys: np.ndarray
    leaves: list[Node]
    nodes: list[Node]
    cohorts: np.ndarray
    leaf_at: np.ndarray
    members: dict[Node, int]

    @property
    def cohort_at(self) -> np.ndarray:
        """The cohort of each row."""
        return self.cohorts[self.leaf_at].astype(np.int32)

    def rows_in(self, chosen: np.ndarray) -> dict[int, np.ndarray]:
        """Cohort -> positions among the `chosen` rows of all that are in it, those of narrower cohorts included."""
        leaf_of = self.leaf_at[chosen]
        order = np.argsort(leaf_of, kind="stable")
        begins = np.searchsorted(leaf_of[order], np.arange(len(self.leaves) + 1))
        parts: dict[Node, list[np.ndarray]] = defaultdict(list)
        wanted = set(self.nodes)
        for number, leaf in enumerate(self.leaves):
            for node in upwards(leaf):
                if node in wanted:
                    parts[node].append(order[begins[number] : begins[number + 1]])
        return {
            number: np.concatenate(parts[node]) if parts[node] else np.zeros(0, np.int64)
            for number, node in enumerate(self.nodes)
        }


def cohorts_of(keys_at: np.ndarray, tenants: np.ndarray) -> Cohorts:
    """The cohorts of rows whose cohort keys are `keys_at`; every row counts as a member.

    Of more leaves than there is room for, the smallest are left out, and their rows are in the fleet's cohort.
    """
    keys, leaf_at, counts = np.unique(keys_at, return_inverse=True, return_counts=True)
    if len(keys) > KEYS_MAX - 1:
        kept = np.sort(np.argsort(-counts, kind="stable")[: KEYS_MAX - 1])
        return _with_rest(keys_at, keys[kept], tenants)
    return _chosen(keys, leaf_at.astype(np.int32), counts, tenants)


def _with_rest(keys_at: np.ndarray, keys: np.ndarray, tenants: np.ndarray) -> Cohorts:
    """Rows of other keys are given a key that no subscription has."""
    rest = np.int64((1 << 62) + 1)
    known = np.where(np.isin(keys_at, keys), keys_at, rest)
    all_keys, leaf_at, counts = np.unique(known, return_inverse=True, return_counts=True)
    return _chosen(all_keys, leaf_at.astype(np.int32), counts, tenants)


def _chosen(keys: np.ndarray, leaf_at: np.ndarray, counts: np.ndarray, tenants: np.ndarray) -> Cohorts:
    leaves = [node_of(int(key), tenants) for key in keys]
    members: dict[Node, int] = defaultdict(int)
    for leaf, count in zip(leaves, counts):
        for node in upwards(leaf):
            members[node] += int(count)
    large = {node for node, count in members.items() if count >= COHORT_LEAST} - {FLEET}
    first = [next((node for node in upwards(leaf) if node in large), FLEET) for leaf in leaves]
    used = sorted(set(first) - {FLEET}, key=lambda node: (-members[node], node))[: COHORTS_MAX - 1]
    number = {FLEET: 0, **{node: at for at, node in enumerate(used, start=1)}}
    cohorts = [next(number[node] for node in upwards(leaf) if node in number) for leaf in leaves]
    return Cohorts(keys, leaves, [FLEET, *used], np.array(cohorts, np.uint16), leaf_at, dict(members))
