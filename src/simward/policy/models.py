"""What the owner knows about models of devices: `models.csv`, and the pools of a policy, as arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simward.engine.tables import MODEL, POOL_RANGE
from simward.errors import ConfigurationError, IdentityError, Problem
from simward.identity import Imei, Tac, rat_number
from simward.policy.load import Document
from simward.policy.places import PROBLEMS_MAX, read_lines

COLUMNS = ("tac", "model", "rat")
DEVICES_OF_TAC = 1_000_000


def read_models(path: Path) -> np.ndarray:
    """MODEL rows sorted by TAC, empty where there is no file; ConfigurationError with all that is wrong.

    `tac` is one TAC or a range (`35000000-35000099`), `rat` names technologies, separated by spaces; empty = not said.
    """
    if not path.exists():
        return np.zeros(0, MODEL)
    problems: list[Problem] = []
    numbers: dict[str, int] = {}
    rows: dict[int, tuple[int, int, int]] = {}
    for line_number, line in read_lines(path, COLUMNS, ("tac", "model"), problems):
        try:
            first, last = tac_range(line["tac"])
            rats = 0
            for name in line.get("rat", "").replace(";", " ").split():
                rats |= 1 << rat_number(name)
        except IdentityError as error:
            problems.append(Problem(str(path), line_number, "", str(error)))
            continue
        if not line["model"]:
            problems.append(Problem(str(path), line_number, "model", "is empty"))
        model = numbers.setdefault(line["model"], len(numbers) + 1)
        for tac in range(first, last + 1):
            if tac in rows:
                what = f"TAC {tac:08d} stands in line {rows[tac][2]} already"
                problems.append(Problem(str(path), line_number, "tac", what))
                break
            rows[tac] = (model, rats, line_number)
        if len(problems) >= PROBLEMS_MAX:
            break
    if problems:
        raise ConfigurationError(problems)
    table = np.zeros(len(rows), MODEL)
    for position, tac in enumerate(sorted(rows)):
        table[position] = (tac, *rows[tac][:2])
    return table


def tac_range(text: str) -> tuple[int, int]:
    """First and last TAC of `35000000` or `35000000-35000099`; raises IdentityError."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    low = Tac.parse(first).number
    high = Tac.parse(last).number if dash else low
    if high < low or high - low >= 100_000:
        raise IdentityError(f"{text!r} is no range of TACs: it ends before it begins, or holds more than 100,000")
    return low, high


def pool_ranges(pool: Document) -> np.ndarray:
    """POOL_RANGE rows of one pool: sorted, and joined where they touch."""
    spans = []
    for text in pool.value.get("tac", []):
        first, last = tac_range(text)
        spans.append((first * DEVICES_OF_TAC, (last + 1) * DEVICES_OF_TAC - 1))
    for text in pool.value.get("imei", []):
        device = Imei.parse(text).number
        spans.append((device, device))
    joined: list[list[int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    table = np.zeros(len(joined), POOL_RANGE)
    for position, (first, last) in enumerate(joined):
        table[position] = (first, last)
    return table
