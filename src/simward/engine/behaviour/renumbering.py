"""What a policy does to the numbers that behaviour is kept under: use cases and tenants go by their place in it.

A use case that is added before others moves them all: baselines, verdicts and what the last fit remembers go along, by
name. Else half of a fleet would begin anew, and more would be allowed of another cohort than a person said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simward.engine.behaviour.cohort_numbers import ANY, MANY, Cohort, cohort_number, cohort_of
from simward.engine.behaviour.cohorts import mixed_16
from simward.engine.behaviour.revision import CohortFinding, Node, Revision

Names = Mapping[str, Sequence[str]]
"""`names` of a policy: "use_cases" and "tenants", in the order of their numbers."""


@dataclass(frozen=True)
class Renumbering:
    """The new number of each old one (i8); what is gone gets one that nothing has, so that it is nobody else's."""

    use_cases: np.ndarray
    tenants: np.ndarray
    known: int
    """So many use cases there are now: numbers from here on are of those that are gone."""

    @staticmethod
    def between(old: Names, new: Names) -> Renumbering | None:
        """From one policy to the next; None where every number stays what it was."""
        made = Renumbering(
            _moved(old["use_cases"], new["use_cases"]), _moved(old["tenants"], new["tenants"]), len(new["use_cases"])
        )
        moves = [np.any(one != np.arange(len(one))) for one in (made.use_cases, made.tenants)]
        return made if any(moves) else None

    def numbers(self, use_cases: np.ndarray) -> np.ndarray:
        """Numbers of use cases (i8), where they are some."""
        inside = (use_cases >= 0) & (use_cases < len(self.use_cases))
        return np.where(inside, self.use_cases[np.where(inside, use_cases, 0)], use_cases)

    def node(self, node: Node) -> Node:
        """A cohort of a fit."""
        tenant, use_case, tac, rat = node
        return _at(self.tenants, tenant), _at(self.use_cases, use_case), tac, rat

    def cohort(self, number: int) -> int:
        """A cohort as one integer; what many are told as one under stays."""
        if number == MANY:
            return number
        one = cohort_of(number)
        return cohort_number(Cohort(_at(self.tenants, one.tenant), _at(self.use_cases, one.use_case), one.tac, one.rat))

    def revision(self, fit: Revision) -> Revision:
        """What the next fit needs of one that was made before."""
        memory = dict(fit.memory)
        for name in ("nodes", "pool_nodes"):
            moved = [self.node((int(one[0]), int(one[1]), int(one[2]), int(one[3]))) for one in memory[name]]
            memory[name] = np.array(moved, np.int64).reshape(memory[name].shape)
        return replace(fit, memory=memory, findings=self._findings(fit.findings), ended=self._findings(fit.ended))

    def _findings(self, some: Sequence[CohortFinding]) -> tuple[CohortFinding, ...]:
        return tuple(replace(one, node=self.node(one.node)) for one in some)

    def move_rows(self, rows: np.ndarray, use_cases: np.ndarray) -> None:
        """Rows of BEHAVIOUR, whose use cases have these numbers now, keep their baselines."""
        before = np.zeros(max(self.known, int(self.use_cases.max(initial=0)) + 1), np.int64)
        before[self.use_cases] = np.arange(len(self.use_cases))
        rest = (rows["tac"].astype(np.int64) << 8) | rows["rat"]
        settled = rows["key"] == mixed_16(before[use_cases] << 40 | rest)
        settled &= rows["key"] != 0
        rows["key"][settled] = mixed_16(use_cases[settled] << 40 | rest[settled])

    def move_verdicts(self, table: np.ndarray) -> None:
        """Rows of BENIGN_COHORT: what is gone is allowed nothing."""
        for row in np.flatnonzero(table["until_day"]).tolist():
            number = self.cohort(int(table["cohort"][row]))
            if cohort_of(number).use_case >= self.known:
                table[row] = np.zeros(1, table.dtype)[0]
            else:
                table["cohort"][row] = number

    def move_findings(self, table: np.ndarray) -> None:
        """Rows of findings about cohorts: of what is gone nothing is found any more, and the next fit ends it."""
        for row in np.flatnonzero(table["opened_sequence"]).tolist():
            table["cohort"][row] = self.cohort(int(table["cohort"][row]))


def _moved(old: Sequence[str], new: Sequence[str]) -> np.ndarray:
    number = {name: at for at, name in enumerate(new)}
    return np.array([number.get(name, len(new) + at) for at, name in enumerate(old)], np.int64)


def _at(numbers: np.ndarray, number: int) -> int:
    return int(numbers[number]) if 0 <= number < len(numbers) else ANY if number == ANY else number
