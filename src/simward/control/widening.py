"""What a person found to be benign, told to the watch: it allows that device or cohort more for a while."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from simward.engine.verdict_files import Verdict, leave
from simward.logs import called
from simward.response.judging import Widen

log = logging.getLogger(__name__)


def widening(data_dir: Path, now: Callable[[], int]) -> Widen:
    """Leaves verdicts on findings of behaviour where the watch of a working folder takes them; `now` in us UTC."""

    def widen(finding: str, benign: bool, actor: str, why: str) -> None:
        try:
            left = leave(data_dir, Verdict(finding, None if benign else 0, why, actor, now()))
            trouble = "" if left else "too many wait already"
        except (OSError, ValueError) as error:
            trouble = str(error)
        if trouble:
            log.error("the watch cannot be told of a verdict on %s: %s", finding, trouble, extra=called("verdict-lost"))

    return widen
