"""Conditions of rules: CEL expressions over typed variables, compiled when they are read, bounded when they are judged.

A variable has a dotted name (`finding.severity`) and a type of its own, so that a misspelt field and a comparison of a
text with a number are errors of the file that says it. An expression calls CEL's own functions alone, none of which
changes anything; it has at most `CHARACTERS_MAX` characters, and as a list stands only where the expression writes it
out and at most one of CEL's loops over one may be used, what it takes to judge it is bounded by its own length.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from simward.errors import nearest

CHARACTERS_MAX = 1000
LOOPS = ("all", "exists", "exists_one", "map", "filter")
"""CEL's macros over lists (cel-spec, Macros)."""

FIELDS: Mapping[str, Mapping[str, str]] = {
    "trigger": {
        "type": "STRING", "at": "TIMESTAMP",
    },
    "finding": {
        "id": "STRING", "detector": "STRING", "class": "STRING", "severity": "STRING", "response": "STRING",
        "wanted": "STRING", "held": "STRING", "verdict": "STRING", "was": "STRING", "now": "STRING",
        "expected": "STRING", "gateway": "STRING", "apn": "STRING", "about": "STRING", "ended": "BOOL",
        "began_at": "TIMESTAMP",
    },
    "subscription": {
        "imsi": "STRING", "iccid": "STRING", "use_case": "STRING", "segment": "STRING", "apn": "STRING",
        "address": "STRING", "imei": "STRING", "bound": "BOOL", "locked": "BOOL", "quarantined": "BOOL",
        "generation": "INT", "open_findings": "INT",
    },
    "incident": {
        "number": "INT", "state": "STRING", "severity": "STRING", "title": "STRING", "owner": "STRING",
        "use_case": "STRING", "acknowledged": "BOOL", "findings": "INT", "subscriptions": "INT",
        "escalations": "INT", "reopened": "INT", "opened_at": "TIMESTAMP",
    },
    "use_case": {"name": "STRING", "criticality": "STRING"},
    "segment": {"name": "STRING", "classification": "STRING", "jurisdiction": "STRING"},
}  # fmt: skip
"""Group -> field -> CEL type. What is not known is empty, 0 or false; a time that is not known is 1970."""
NOW = "now"
"""The one variable that is in no group: the moment of judging, a timestamp."""
EMPTY: Mapping[str, Any] = {"STRING": "", "BOOL": False, "INT": 0, "TIMESTAMP": datetime.fromtimestamp(0, UTC)}

_TEXTS = re.compile(
    r"//[^\n]*"
    r"|(?:[rR][bB]?|[bB][rR])(?:\"\"\".*?\"\"\"|'''.*?'''|\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')",
    re.DOTALL,
)
"""Comments, raw texts and texts (cel-spec, Syntax): what stands in them names nothing."""
_PATH = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s*(?:\.\s*([A-Za-z_]\w*))?")
_CEL_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")


class ConditionError(ValueError):
    """An expression that cannot be a condition. `line` counts from 1 inside of it; `instead` says what would be."""

    def __init__(self, what: str, instead: str = "", line: int = 1) -> None:
        super().__init__(what)
        self.what, self.instead, self.line = what, instead, line


class Condition:
    """A compiled expression."""

    def __init__(self, text: str, groups: Collection[str]) -> None:
        """`groups` are those whose variables it may name. Raises ConditionError."""
        self.text, self.groups = text, frozenset(groups)
        self._expression = _compiled(text, self.groups)

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Is it so, with these values by dotted name? Raises ConditionError where that has no answer (1 / 0)."""
        try:
            value = self._expression.eval(data={**_empty(self.groups), **values})
            answer = value.plain_value()
        except RuntimeError as error:
            raise ConditionError(f"cannot be judged: {error}") from error
        if not isinstance(answer, bool):
            raise ConditionError(f"cannot be judged: {answer}")
        return answer


@functools.lru_cache(maxsize=64)
def _empty(groups: frozenset[str]) -> dict[str, Any]:
    values = {f"{group}.{name}": EMPTY[kind] for group in groups for name, kind in FIELDS[group].items()}
    return {**values, NOW: EMPTY["TIMESTAMP"]}


@functools.lru_cache(maxsize=64)
def _environment(groups: frozenset[str]) -> Any:
    from cel_expr_python import cel

    variables = {
        f"{group}.{name}": getattr(cel.Type, kind) for group in groups for name, kind in FIELDS[group].items()
    }
    return cel.NewEnv(variables={**variables, NOW: cel.Type.TIMESTAMP})


def _compiled(text: str, groups: frozenset[str]) -> Any:
    from cel_expr_python import cel

    if len(text) > CHARACTERS_MAX:
        raise ConditionError(f"has {len(text)} characters", f"at most {CHARACTERS_MAX}")
    if re.search("[\ud800-\udfff]", text):  # YAML can write halves of characters
        raise ConditionError("is no text: it holds half a character")
    _look_at_names(text, groups)
    try:
        expression = _environment(groups).compile(text)
    except RuntimeError as error:
        raise _worded(error) from None
    if expression.return_type() != cel.Type.BOOL:
        what = f"is a {expression.return_type().name().lower()}"
        raise ConditionError(what, "a condition is true or false, like finding.severity == 'high'")
    return expression


def _look_at_names(text: str, groups: frozenset[str]) -> None:
    """What CEL would only call a select on something undeclared, said with the name that was meant."""
    bare = _TEXTS.sub(lambda found: '""' + "\n" * found[0].count("\n"), text)
    loops = re.findall(rf"\.\s*({'|'.join(LOOPS)})\s*\(", bare)
    if len(loops) > 1:
        raise ConditionError(f"loops {len(loops)} times", f"at most one of {', '.join(LOOPS)}")
    for found in _PATH.finditer(bare):
        group, name = found[1], found[2]
        line = bare.count("\n", 0, found.start()) + 1
        called = bare[found.end() :].lstrip().startswith("(")
        if group not in FIELDS or (name is None and called):
            continue
        if group not in groups:
            known = ", ".join(sorted(groups))
            raise ConditionError(f"{group} is not known where this rule is triggered", f"one of: {known}", line)
        if name is None:
            raise ConditionError(f"{group} alone is no value", f"one of its fields, like {_example(group)}", line)
        if name not in FIELDS[group]:
            right = nearest(name, FIELDS[group])
            raise ConditionError(f"{group} has no field {name!r}", right, line)


def _example(group: str) -> str:
    return f"{group}.{next(iter(FIELDS[group]))}"


def _worded(error: Exception) -> ConditionError:
    """The first of CEL's complaints, in a line."""
    found = _CEL_ERROR.search(str(error))
    if found is None:
        return ConditionError(f"is no CEL: {str(error).splitlines()[0][:200]}")
    what = found[3]
    undeclared = re.match(r"undeclared reference to '([^']*)'", what)
    if undeclared:
        instead = nearest(undeclared[1].partition(".")[0], [*FIELDS, NOW])
        return ConditionError(f"there is no {undeclared[1]!r}", instead, int(found[1]))
    overload = re.match(r"found no matching overload for '_?([^']*?)_?' applied to '([^']*)'", what)
    if overload:
        what = f"{overload[1].strip('_')} does not go with {overload[2].strip('()')}"
        return ConditionError(what, f"column {found[2]}", int(found[1]))
    what = what.split(" expecting {")[0]
    return ConditionError(what[:1].lower() + what[1:], f"column {found[2]}", int(found[1]))
