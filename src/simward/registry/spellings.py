"""The numbers of one subscription in texts: found where they stand as numbers of their own, not inside others.

"+4740001" is also a part of somebody else's +474000123, and 40001 of a time, a digest or an id. What is about others
must survive an erasure as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

LONG, SHORT = 10, 7
"""Digits. A long number stands for itself wherever it stands alone. A short one that follows / : . or - is a part of an
id or a time, and one that is shorter still is a telephone number only with its + or 00."""


class Spellings:
    """One subscription's numbers; `digits` as Identifiers.texts has them."""

    def __init__(self, digits: Sequence[str]) -> None:
        self.digits = tuple(digits)
        self._pattern = re.compile("|".join(map(_spelled, sorted(digits, key=len, reverse=True))) or r"(?!)", re.ASCII)

    def names(self, value: Any) -> bool:
        """Does a text, or anything in a JSON document, name it?"""
        return bool(self.struck(value, "") != value)

    def struck(self, value: Any, name: str) -> Any:
        """A text or JSON document with `name` in place of each; the same value where there was none."""
        if isinstance(value, str):
            return self._pattern.sub(name, value)
        if isinstance(value, dict):
            return {self.struck(key, name): self.struck(one, name) for key, one in value.items()}
        if isinstance(value, list):
            return [self.struck(one, name) for one in value]
        if isinstance(value, int) and not isinstance(value, bool) and self._pattern.fullmatch(str(value)):
            return name if len(str(value)) >= LONG else value
        return value


def _spelled(digits: str) -> str:
    if len(digits) >= LONG:
        # The digit in front of an IMSI says how it authenticates (TS 23.003 19.3.2: 0 and 6; 23.003 14.3: 1).
        root = "[0-8]" if len(digits) in (14, 15) else "00"
        return rf"(?<!\d)(?:\+|00|{root})?{digits}(?!\d)"
    alone = rf"|(?<![\w/:.-]){digits}" if len(digits) >= SHORT else ""
    return rf"(?:\+{digits}|(?<!\w)00{digits}{alone})(?!\w)"
