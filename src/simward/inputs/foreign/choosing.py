"""Which of a file's columns is which of ours: as the mapping says, else by usual names and by what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping as Filled
from collections.abc import Sequence
from dataclasses import dataclass, field

from simward.errors import ConfigurationError, Problem, nearest
from simward.inputs.foreign.mapping import Mapping
from simward.inputs.foreign.names import MEASURED, spoken, unit_of, usual

NOT_USED = ("endpoint", "cause")
"""Taken for what they are, and nothing is judged by them yet."""
LISTED = 25
SPOILT = re.compile(r"([0-9])(?:[.,]([0-9]*))?[eE]\+?(0?[0-9]{1,2})")
TIME_OF_DAY = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?[AaPp][Mm])?")
DAY = re.compile(r"[0-9]{1,4}([-/. ]([0-9]{1,2}|[A-Za-z]{3,9})[-/. ][0-9]{2,4}|[0-9]{4})")
DAYS = {"date", "day", "datum", "fecha", "日期"}
"""What columns of days are called, beside one of times of day."""
TAC = re.compile(r"[0-9]{8}")
NETWORK = re.compile(r"[0-9]{3}[- ]?[0-9]{2,3}")


@dataclass
class Chosen:
    """Ours -> theirs for one file, the units of those that have one, and what is to be said of the choice."""

    columns: dict[str, tuple[str, ...]]
    units: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unsaid: set[str] = field(default_factory=set)
    """Those of which nothing says the unit."""


def is_spoilt(value: str) -> bool:
    """Is it a number that lost its last digits, as spreadsheets write long ones (`2.08E+14`)?"""
    found = SPOILT.fullmatch(value)
    return found is not None and len(found[2] or "") < int(found[3])


def choose(sample: Filled[str, Sequence[str]], mapping: Mapping, file: str) -> Chosen:
    """`sample`: the columns in their order, with some of the values that are there.

    ConfigurationError where a column that is needed, or named in the mapping, is missing.
    """
    problems = [
        Problem(file, 1, one, f"no such column, for {ours}", nearest(one, sample) or f"there are {_listed(sample)}")
        for ours, theirs in mapping.columns.items() for one in theirs if one not in sample
    ]  # fmt: skip
    chosen = Chosen({ours: theirs for ours, theirs in mapping.columns.items() if theirs})
    candidates, units = _candidates(sample, mapping)
    for ours, names in candidates.items():
        if found := _best(ours, names, sample, chosen, problems, file):
            chosen.columns[ours] = found
    if "subscription" not in chosen.columns and not problems and candidates.get("device"):
        _by_device(chosen, candidates["device"], sample)
    for ours, theirs in chosen.columns.items():
        if ours in MEASURED:
            said = mapping.duration if ours == "duration" else mapping.octets
            named = units.get(theirs[0]) or unit_of(theirs[0], ours)
            chosen.units[ours] = said or named or next(iter(MEASURED[ours]))
            if not (said or named):
                chosen.unsaid.add(ours)
    _complete(chosen, problems, sample, file)
    if problems:
        raise ConfigurationError(problems)
    return chosen


def _by_device(chosen: Chosen, names: list[str], sample: Filled[str, Sequence[str]]) -> None:
    """Where only devices are named, each stands for its subscription: nobody can tell that one moved to another."""
    own = [one for one in names if not _mostly(sample[one], TAC)]
    if not own:
        return
    chosen.columns["subscription"] = (own[0],)
    chosen.columns.pop("device", None)
    if rest := [one for one in names if one not in own]:
        chosen.columns["device"] = (rest[0],)
    chosen.notes.append(f"{own[0]} is taken for the subscription: no column names one")


def _complete(chosen: Chosen, problems: list[Problem], sample: Filled[str, Sequence[str]], file: str) -> None:
    """Who and when have to be there: a beginning, or an end from which a duration is taken away."""
    missing = [] if "subscription" in chosen.columns else ["subscription"]
    if "began_at" not in chosen.columns and "ended_at" not in chosen.columns:
        missing.append("began_at")
    for ours in missing:
        if not any(ours in one.what or one.where == ours for one in problems):
            instead = f"say which: --column {ours}=NAME, or in a mapping; there are {_listed(sample)}"
            problems.append(Problem(file, 1, ours, "no column is called like it", instead))


def _listed(names: Filled[str, Sequence[str]]) -> str:
    there = list(names)
    return ", ".join(there[:LISTED]) + (f" and {len(there) - LISTED} more" if len(there) > LISTED else "")


def _candidates(
    sample: Filled[str, Sequence[str]], mapping: Mapping
) -> tuple[dict[str, list[str]], dict[str, str]]:  # fmt: skip
    """The columns that may be each of ours, the most usual first; and the units that their names carry."""
    taken = {one for theirs in mapping.columns.values() for one in theirs}
    ranked: dict[str, list[tuple[int, int, str]]] = {}
    units = {}
    for place, name in enumerate(sample):
        ours, rank, unit = usual(name)
        if ours == "device" and spoken(name) == "tac" and not _mostly(sample[name], TAC):
            ours = "area"  # a tracking area, not a type of device
        if ours and ours not in mapping.columns and name not in taken:
            ranked.setdefault(ours, []).append((rank, place, name))
            units[name] = unit
    return {ours: [name for _, _, name in sorted(many)] for ours, many in ranked.items()}, units


def _mostly(values: Sequence[str], pattern: re.Pattern[str]) -> bool:
    return bool(values) and 2 * sum(pattern.fullmatch(one) is not None for one in values) > len(values)


def _best(
    ours: str, names: list[str], sample: Filled[str, Sequence[str]], chosen: Chosen, problems: list[Problem], file: str
) -> tuple[str, ...]:  # fmt: skip
    filled = [one for one in names if sample[one]] or names[:1]
    if ours in ("subscription", "device", "session"):
        return _identity(ours, filled, sample, chosen, problems, file)
    if ours == "network":
        return tuple([one for one in filled if _mostly(sample[one], NETWORK)][:1])
    if ours in ("began_at", "ended_at") and _mostly(sample[filled[0]], TIME_OF_DAY):
        days = [one for one in sample if DAYS & set(spoken(one).split()) and _mostly(sample[one], DAY)]
        if ours == "began_at" and days:
            return (days[0], filled[0])
        rest = [one for one in filled if not _mostly(sample[one], TIME_OF_DAY)]
        if ours == "began_at" and not rest:
            what = f"{filled[0]} holds times of day, and no column the day"
            instead = f"name both: --column began_at=DAY --column began_at={filled[0]}"
            problems.append(Problem(file, 1, ours, what, instead))
        return tuple(rest[:1])
    return tuple(filled[:1])


def _identity(
    ours: str, names: list[str], sample: Filled[str, Sequence[str]], chosen: Chosen, problems: list[Problem], file: str
) -> tuple[str, ...]:  # fmt: skip
    """The first whose numbers still have all of their digits."""
    for name in names:
        spoilt = [one for one in sample[name] if is_spoilt(one)]
        if 2 * len(spoilt) <= len(sample[name]):
            return (name,)
        chosen.notes.append(f"{name} is not taken: its numbers lost their last digits in a spreadsheet ({spoilt[0]})")
    if ours == "subscription":
        instead = "export it as text, or name another column: --column subscription=NAME"
        what = f"the numbers of {', '.join(names)} lost their last digits in a spreadsheet, so that they name nobody"
        problems.append(Problem(file, 1, ours, what, instead))
    return ()
