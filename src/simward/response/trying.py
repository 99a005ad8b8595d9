"""Proposed policies tried on the record: a backtest, with what people judged and rules did as the registry has it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import sqlalchemy as sa

from simward.backtest.ports import Judgement, RuleAction
from simward.backtest.run import Backtest
from simward.detectors import of_watch
from simward.engine.phrases import when
from simward.engine.tables import PolicyTables
from simward.errors import UsageError
from simward.history.whole import WholeJournal
from simward.identity import Imsi
from simward.policy.load import Policy
from simward.registry.incidents import judgements
from simward.registry.rules import DRY_RUN, actions_between
from simward.response.rules.proposed import ProposedRules

Opening = Callable[[], AbstractContextManager[sa.Connection | None]]
"""The registry to read from; None where it does not have what is asked for yet."""


def newest(record: WholeJournal) -> int:
    """When the newest row was written, us UTC. UsageError where there is none."""
    if not record.last:
        raise UsageError("nothing is recorded yet: there is no history to try policies on")
    return max(row.at for row in record.rows(record.last - 1))


def backtest_of(
    record: WholeJournal, policy: Policy, tables: PolicyTables, begins: int, warm_up_us: int | None, *,
    judged: Opening, acted: Opening, watch: bool = False,
) -> Backtest:  # fmt: skip
    """A backtest from `begins` (us UTC) on. The watch is folded where `watch` says so, and where a proposed rule is
    triggered by what it finds. UsageError where nothing is recorded since then, or nothing is proposed."""
    if not policy.of("use_case"):
        raise UsageError("there is no use case: which policies are proposed?")
    if begins > newest(record):
        raise UsageError(f"nothing is recorded since {when(begins)[:19]}Z")

    def judgements_made() -> list[Judgement]:
        with judged() as connection:
            return [] if connection is None else [Judgement(*one) for one in judgements(connection)]

    def rules_acted(since: int, until: int) -> list[RuleAction]:
        with acted() as connection:
            found = [] if connection is None else actions_between(connection, since, until)
        return [
            RuleAction(one.trigger_at, one.rule, one.action, Imsi.parse(one.imsi).number if one.imsi else 0,
                       one.state == DRY_RUN)
            for one in found
        ]  # fmt: skip

    return Backtest(
        record, tables, begins, warm_up_us=warm_up_us, judgements=judgements_made, rule_actions=rules_acted,
        proposed=ProposedRules(tables) if policy.of("rule") else None, watch=watch or asks_the_watch(policy),
    )  # fmt: skip


def asks_the_watch(policy: Policy) -> bool:
    """Is any of its rules triggered by a detector of the watch?"""
    known = {one.id for one in of_watch()}
    triggers = (trigger for rule in policy.of("rule").values() for trigger in rule.value["on"])
    return any(trigger.partition("/")[0] in known for trigger in triggers)
