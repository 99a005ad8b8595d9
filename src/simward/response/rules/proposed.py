"""Proposed rules in a backtest: what they would do about the findings and bindings of the world that would be."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simward.engine.fold import Fold
from simward.engine.journal import EVENTS, FINDINGS, Row
from simward.engine.layouts import CONFINED_BY_RULE
from simward.engine.phrases import when
from simward.engine.tables import PolicyTables
from simward.engine.words import Lexicon
from simward.identity import Imsi, imei_text
from simward.policy.compile import CANONICAL
from simward.response.reading import Reading
from simward.response.rules.backtesting import Outcome, Remembered, WouldAct
from simward.response.rules.rule import Rules


@dataclass
class _Done:
    """What has come of one rule's action so far."""

    times: int = 0
    first: int = 0
    last: int = 0
    subscriptions: set[str] = field(default_factory=set)
    days: Counter[str] = field(default_factory=Counter)


class ProposedRules:
    """See backtest.ports.Proposed. Memory grows with the subscriptions that rules act on, and with the days."""

    def __init__(self, tables: PolicyTables) -> None:
        documents = json.loads(tables.sources.get(CANONICAL, "{}"))
        self.rules = Rules(documents.get("rule", {}).values())
        self._tables, self._documents = tables, documents
        self._would: WouldAct | None = None
        self._done: dict[tuple[str, str, str, str], _Done] = {}

    def begin(self, fold: Fold, watch_manifest: Mapping[str, Any]) -> None:
        """The proposed policies are in force from here on: how everything stands now is what conditions begin with."""
        self._fold = fold
        self._reading = self._reading_of(fold.manifest())
        self._reading_behind = self._reading_of(watch_manifest)
        table = fold.state.subscriptions[: int(fold.state.meta["subscriptions"][0])]
        order = np.argsort(table["imsi"], kind="stable")
        self._imsis = np.asarray(table["imsi"])[order]
        self._standing = {name: np.asarray(table[name])[order] for name in ("bound_imei", "locked")}
        self._would = WouldAct(self.rules, Remembered(self._documents, self._before))

    def take(self, outputs: np.ndarray) -> None:
        """OUTPUT rows of the would-be world, in order."""
        self._take(outputs, EVENTS, self._reading)

    def take_behind(self, outputs: np.ndarray) -> None:
        """The same of the watch in it."""
        self._take(outputs, FINDINGS, self._reading_behind)

    def finish(self, until: int) -> None:
        """The record ends at `until` (us UTC)."""
        if self._would is not None:
            self._count(self._would.due(until))

    def said(self) -> list[dict[str, Any]]:
        """One object for each rule, action and what became of it."""
        return [
            {
                "rule": rule, "action": action, "mode": mode, "state": state, "times": one.times,
                "subscriptions": len(one.subscriptions), "first": when(one.first), "last": when(one.last),
                "busiest_day": max(one.days.values()),
            }
            for (rule, action, mode, state), one in sorted(self._done.items())
        ]  # fmt: skip

    def _reading_of(self, manifest: Mapping[str, Any]) -> Reading:
        lexicon = Lexicon(lambda kernel: manifest)
        lexicon.policy(self._tables.to_bytes())
        return Reading(lexicon, {})

    def _take(self, outputs: np.ndarray, kind: str, reading: Reading) -> None:
        assert self._would is not None
        texts = self._fold.state.texts
        reading.lexicon.learn(texts.name, texts.count)
        first = int(outputs["sequence"][0])
        row = Row(first, 0, kind, int(outputs["at"][-1]), self._fold.kernel, b"", outputs.tobytes())
        for fact in reading.take(row):
            self._count(self._would.take(fact))

    def _count(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            action = outcome.action
            key = (action.rule.name, action.deed.action, action.rule.mode, outcome.state)
            one = self._done.setdefault(key, _Done(first=outcome.at))
            one.times, one.last = one.times + 1, outcome.at
            one.days[when(outcome.at)[:10]] += 1
            if action.trigger.imsi:
                one.subscriptions.add(action.trigger.imsi)

    def _before(self, imsi: str) -> Mapping[str, Any]:
        number = Imsi.parse(imsi).number
        at = int(np.searchsorted(self._imsis, number))
        if at >= len(self._imsis) or self._imsis[at] != number:
            return {}
        imei = int(self._standing["bound_imei"][at])
        locked = int(self._standing["locked"][at])
        return {"imei": imei_text(imei) if imei else None, "bound": bool(imei),
                "locked": 0 < locked < CONFINED_BY_RULE, "quarantined": locked >= CONFINED_BY_RULE}  # fmt: skip
