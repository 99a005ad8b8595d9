"""How long does a backtest of 72 million events take: a hundred thousand subscriptions that report hourly for a month?

Writing the month takes a quarter of an hour and three gigabytes, so this is run only where asked for; `backtest` is a
tenth of it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.backtest import HOURS, measure

NAME = "backtest_month"
QUESTION = "72 million events of history under proposed policies: seconds of the whole command, and its memory"


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, NAME, QUESTION, subscriptions=1_000, hours=30, within_s=0.0)
    return measure(here, NAME, QUESTION, subscriptions=100_000, hours=HOURS, within_s=120.0)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
