"""What people and programs say in words: bounded, and harmless where it is shown later, on a terminal as in a table."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from simward.gate_socket import NOTE_CHARACTERS_MAX

LAYOUT = "\n\t"
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Change the direction of what follows (Unicode Standard Annex 9, 2): one text is read as another."""


def harmless(text: str) -> str:
    """The text; ValueError where it would move a terminal's cursor, or have others read what does not stand there."""
    for one in text:
        if one in TURNS or (unicodedata.category(one) == "Cc" and one not in LAYOUT):
            raise ValueError(f"has a control character (U+{ord(one):04X})")
    return text


Words = Annotated[str, StringConstraints(max_length=NOTE_CHARACTERS_MAX), AfterValidator(harmless)]
