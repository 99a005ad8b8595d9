"""What detectors say of themselves (their docstrings), for who reads an incident: what it means, doubts, what to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import simward

FOLDER = Path(simward.__file__).parent / "detectors"
NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
CLASS = re.compile(r"^- (?P<names>(?:`[a-z-]+`(?:, | and )?)+):? (?P<text>.*?)(?=\n- |\n\n|\Z)", re.S | re.M)
PART = re.compile(r"\*\*(?P<title>[^*]+)\.\*\* (?P<text>.*?)(?=\n\n\*\*|\Z)", re.S)


@dataclass(frozen=True)
class Words:
    """Of one detector."""

    says: str = ""
    """One sentence."""
    classes: Mapping[str, str] = field(default_factory=dict)
    matters: str = ""
    false_alarms: str = ""
    what_to_do: str = ""

    def of(self, class_name: str) -> str:
        """What a class means; empty where nothing is said of it."""
        return self.classes.get(class_name, "")


@cache
def words_of(detector: str) -> Words:
    """Those of a detector; of one that is not installed any more, none."""
    if not NAME.fullmatch(detector):
        return Words()
    # Read, not imported: what compiles them has no place in this process.
    path = FOLDER / f"{detector.replace('-', '_')}.py"
    return _read(ast.get_docstring(ast.parse(path.read_text())) or "") if path.is_file() else Words()


def meaning(finding_name: str) -> str:
    """What a finding of this `detector/class` says, in one sentence; empty where nothing is known of it."""
    return words_of(finding_name.partition("/")[0]).says


def _read(text: str) -> Words:
    parts = {found["title"]: _line(found["text"]) for found in PART.finditer(text)}
    classes = {
        name: _line(found["text"])
        for found in CLASS.finditer(text)
        for name in re.findall(r"`([a-z-]+)`", found["names"])
    }
    return Words(
        _line(text.partition("\n\n")[0]), classes, parts.get("Why it matters", ""),
        parts.get("Likely false alarms", ""), parts.get("What to do", ""),
    )  # fmt: skip


def _line(text: str) -> str:
    return " ".join(text.replace("`", "").split())
