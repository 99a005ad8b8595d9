"""From a copy of the watch's rows to what is journalled: a day's fit, with the owner's budget and people's verdicts."""

from __future__ import annotations

from simward.engine.behaviour.cohort_numbers import ANY, cohort_of
from simward.engine.behaviour.revision import Budget, Node, Revision, RevisionUnreadable
from simward.engine.watching.settling import finish
from simward.fitting.day_fits import Copied
from simward.fitting.fit import fit_day

CAP_OF_BUDGET, CAP_LEAST = 10, 3
"""The hard cap: so many times the budget, and never fewer than so many findings on a day."""


def fit_copied(copied: Copied) -> bytes:
    """Fit the day that was copied; gives the revision as it is journalled."""
    finish(copied.rows, copied.day)
    try:
        before = Revision.read(copied.before) if copied.before else None
    except RevisionUnreadable:  # of a later version than this: what it remembered is gathered anew
        before = None
    cap = max(CAP_LEAST, round(CAP_OF_BUDGET * copied.a_day))
    budget = Budget(copied.a_day, hard_cap=cap, benign=benign_nodes(copied))
    return fit_day(copied.rows, copied.use_cases, copied.tenants, copied.day, before, budget).octets()


def benign_nodes(copied: Copied) -> dict[Node, int]:
    """Cohorts that are allowed more, in whole bits."""
    nodes: dict[Node, int] = {}
    for one in copied.benign:
        cohort = cohort_of(int(one["cohort"]))
        tenant = cohort.tenant
        if cohort.use_case != ANY:
            if cohort.use_case >= len(copied.tenants):
                continue  # its use case is gone
            tenant = int(copied.tenants[cohort.use_case])
        nodes[tenant, cohort.use_case, cohort.tac, cohort.rat] = int(one["bits"])
    return nodes
