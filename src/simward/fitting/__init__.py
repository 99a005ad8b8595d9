"""The fit of behaviour: beside the fold, from a copy of its rows, what a day is to be settled with.

Floating point is allowed here and nowhere in the fold: what comes out is a revision of whole numbers, which is
journalled before anything is settled with it.
"""

from simward.engine.behaviour.revision import Budget, CohortFinding, Revision
from simward.fitting.fit import fit_day

__all__ = ["Budget", "CohortFinding", "Revision", "fit_day"]
