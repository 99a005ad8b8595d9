"""What a backtest takes from outside the record: people's judgements of findings, and what rules would have done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from simward.engine.fold import Fold

TRUE_POSITIVE, BENIGN, FALSE_POSITIVE = "true-positive", "benign", "false-positive"
OUTCOMES = (TRUE_POSITIVE, BENIGN, FALSE_POSITIVE)
"""What somebody found out about a finding: it was an attack; it was as found, and meant; it was not so."""


class Judgement(NamedTuple):
    """What was found out about one recorded finding (its id as `simward findings` prints it)."""

    finding: str
    outcome: str
    """One of OUTCOMES."""


Judgements = Callable[[], Iterable[Judgement]]
"""Where judgements come from, each finding named once: asked before the first event is folded."""


class RuleAction(NamedTuple):
    """What a rule would have done, live or as a dry run, as it was recorded."""

    at: int
    """us UTC."""
    rule: str
    action: str
    """As policy spells it."""
    imsi: int
    """Prefix-1 decimal, 0 = about no single subscription."""
    dry_run: bool


RuleActions = Callable[[int, int], Iterable[RuleAction]]
"""Recorded actions of rules from one time to another, us UTC: the one place where those of rules come in."""


class Proposed(Protocol):
    """Rules among the proposed policies: they are shown what the would-be world decides, and say what they would do."""

    def begin(self, fold: Fold, watch_manifest: Mapping[str, Any]) -> None:
        """The proposed policies are in force, and this is how everything stands."""

    def take(self, outputs: np.ndarray) -> None:
        """OUTPUT rows of the gate, in order; at least one."""

    def take_behind(self, outputs: np.ndarray) -> None:
        """OUTPUT rows of the watch, likewise: in order, each batch after the gate's that it is about."""

    def finish(self, until: int) -> None:
        """The record ends at `until` (us UTC)."""

    def said(self) -> list[dict[str, Any]]:
        """For each rule, action and what became of it: rule, action, mode, state, times, subscriptions, first, last,
        busiest_day.
        """


def no_judgements() -> Iterator[Judgement]:
    """Nobody judged anything yet."""
    return iter(())


def no_rule_actions(since: int, until: int) -> Iterator[RuleAction]:
    """There are no rules."""
    return iter(())
