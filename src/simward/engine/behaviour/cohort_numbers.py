"""A cohort as one integer: what a finding about it names as its subject, and a verdict as what it is about."""

from __future__ import annotations

from typing import NamedTuple

ANY = -1
RAT_BITS, TAC_BITS = 9, 28
MANY_RAT = (1 << RAT_BITS) - 1
MANY = 1 << (RAT_BITS + TAC_BITS) | MANY_RAT
"""The number of the finding about those that are told as one because they are too many."""


class Cohort(NamedTuple):
    """By numbers; ANY where it is not given."""

    tenant: int
    use_case: int
    tac: int
    rat: int


def cohort_number(one: Cohort) -> int:
    """A cohort as one integer above 0: the subject of a finding."""
    group = (one.use_case + 1) << 1 if one.use_case != ANY else (one.tenant + 1) << 1 | 1
    return (group << TAC_BITS | (one.tac + 1)) << RAT_BITS | (one.rat + 1)


def cohort_of(number: int) -> Cohort:
    """The reverse; the tenant of a cohort with a use case is that one's, and not told."""
    group, rest = divmod(number, 1 << (RAT_BITS + TAC_BITS))
    tac, rat = divmod(rest, 1 << RAT_BITS)
    which, of_tenant = divmod(group, 2)
    rat = ANY if rat == MANY_RAT else rat - 1
    return Cohort(which - 1, ANY, tac - 1, rat) if of_tenant else Cohort(ANY, which - 1, tac - 1, rat)
