"""What was heard of a subscription last, and when it uses to be heard, as a person reads it."""

from __future__ import annotations

from typing import Any

from simward.engine.events import ACCOUNTING_STOP, KIND_NAMES
from simward.engine.phrases import terminate_cause_text
from simward.engine.watching.cadence import TERMINATE_CAUSES
from simward.engine.watching.cadence_layouts import (
    WEEKDAYS_SHIFT,
    WORD_KIND,
    WORD_MOVED,
    WORD_OTHER_MODEL,
    WORD_OTHER_NETWORK,
    WORD_OTHER_SOFTWARE,
)
from simward.quantities import HOURS_A_DAY, WEEKDAYS

CHANGED = {
    WORD_OTHER_MODEL: "device", WORD_OTHER_SOFTWARE: "software", WORD_MOVED: "cell", WORD_OTHER_NETWORK: "network",
}  # fmt: skip
SAID = {
    "access-request": "a request to connect",
    "accounting-start": "the beginning of a session",
    "accounting-interim": "an interim of a session that goes on",
    "accounting-stop": "the end of its session",
}


def last_word(value: int) -> dict[str, Any] | None:
    """Evidence of a silence (watching/cadence.py last_word): what the last word was, why its session ended (null where
    it did not, or that was not said), and what was otherwise on that day."""
    cause, word = divmod(value, TERMINATE_CAUSES)
    kind = word & WORD_KIND
    if kind not in KIND_NAMES:
        return None
    return {
        "what": KIND_NAMES[kind],
        "terminate_cause": terminate_cause_text(cause) or None if kind == ACCOUNTING_STOP else None,
        "changed": [name for bit, name in CHANGED.items() if word & bit],
    }


def last_word_sentence(told: dict[str, Any]) -> str:
    """The same in words."""
    text = f"its last word was {SAID.get(told['what'], told['what'])}"
    if told["terminate_cause"]:
        text += f" ({told['terminate_cause']})"
    if told["changed"]:
        text += f"; on that day it had another {', '.join(told['changed'])} than before"
    return text


def hours_text(value: int) -> str:
    """Hours of the day and days of the week as a person says them: "02-05 on mon-fri"."""
    hours = _runs([bool(value >> one & 1) for one in range(HOURS_A_DAY)])
    days = _runs([bool(value >> WEEKDAYS_SHIFT + one & 1) for one in range(len(WEEKDAYS))])
    text = ", ".join(f"{first:02d}-{last + 1:02d}" for first, last in hours) or "any hour"
    whole = [(0, len(WEEKDAYS) - 1)]
    if days in ([], whole):
        return text
    named = (WEEKDAYS[first] if first == last else f"{WEEKDAYS[first]}-{WEEKDAYS[last]}" for first, last in days)
    return f"{text} on {', '.join(named)}"


def _runs(marks: list[bool]) -> list[tuple[int, int]]:
    """First and last position of each run of what is marked."""
    found: list[tuple[int, int]] = []
    for at, marked in enumerate(marks):
        if marked and found and found[-1][1] == at - 1:
            found[-1] = (found[-1][0], at)
        elif marked:
            found.append((at, at))
    return found
