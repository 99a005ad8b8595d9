"""`python -m simward.control.backtester`: an upload tried on the record, in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any

import sqlalchemy as sa

from simward.backtest.report import subscriptions, summary
from simward.control.children import each_percent, folder_of, serve_once
from simward.control.planner import uploaded_of
from simward.engine.journal import POLICY
from simward.engine.tables import PolicyTables
from simward.history.whole import WholeJournal
from simward.registry.database import Registry, url_of
from simward.response.trying import backtest_of, newest
from simward.revising.planning import compiled
from simward.settings import Settings

SHOWN_MOST = 200
"""Subscriptions that are told one by one; the summary counts all."""


def work(asked: dict[str, Any]) -> dict[str, Any]:
    """Fold the record under an `upload` from `since` (us UTC; else the last `last_s`) on, `warm_up_s` before that."""
    settings = Settings.load(folder_of(asked))
    with closing(Registry.open(url_of(settings))) as registry, closing(WholeJournal.open(settings.data_dir)) as record:

        @contextmanager
        def reading() -> Iterator[sa.Connection | None]:
            with registry.reading() as connection:
                yield connection

        with registry.reading() as connection:
            uploaded = uploaded_of(connection, asked["upload"])
        policy, tables = compiled(settings, _in_force(record), uploaded)
        since, warm_up_s = asked.get("since"), asked.get("warm_up_s")
        begins = since if since is not None else newest(record) - asked["last_s"] * 1_000_000
        run = backtest_of(
            record, policy, tables, begins, None if warm_up_s is None else warm_up_s * 1_000_000, judged=reading,
            acted=reading,
        )  # fmt: skip
        run.run(settings.data_dir, each_percent(record.last))
        shown = list(islice(subscriptions(run, SHOWN_MOST), SHOWN_MOST))
        return {"summary": summary(run), "subscriptions": shown, "events": run.events + run.ticks}


def _in_force(record: WholeJournal) -> PolicyTables:
    """The tables of the last policy revision: its files are what an upload stands beside."""
    last = None
    for row in record.revisions():
        last = row if row.kind == POLICY else last
    return PolicyTables.default() if last is None else PolicyTables.from_bytes(last.inputs)


if __name__ == "__main__":
    sys.exit(serve_once(work))
