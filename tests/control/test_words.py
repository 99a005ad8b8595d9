"""What is said over the API is shown on terminals later: nothing in it may move a cursor or turn a line around."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from control.running import RunningControl
from gate.running import RunningGate
from simward.control.api.commands import Command
from simward.control.api.incidents import Assignment, Explained
from simward.control.api.parties import Acknowledgement
from simward.control.api.words import harmless

HARMFUL = ["\x1b[2J", "nul\0", "\x9b31m", "\x7f", "a\rb", "\u202egnirts"]


@pytest.mark.parametrize("text", HARMFUL)
def test_what_moves_a_cursor_is_refused_wherever_it_is_said(text: str) -> None:
    said: list[tuple[Any, dict[str, Any]]] = [
        (Acknowledgement, {"party": "dm", "reason": text}), (Explained, {"because": text}),
        (Assignment, {"to": text}), (Command, {"do": "pause", "because": text, "actor": "ada"}),
        (Command, {"do": "pause", "because": "x", "actor": text}),
    ]  # fmt: skip
    for model, document in said:
        with pytest.raises(ValidationError, match="control character"):
            model(**document)


@pytest.mark.parametrize("text", ["", "two\nlines\tof it", "Süd 100 % 例え 👩‍🔧", "no\u00a0break"])
def test_what_people_write_is_not(text: str) -> None:
    assert harmless(text) == text


def test_the_answer_says_which_character(tmp_path: Path) -> None:
    control = RunningControl(RunningGate(tmp_path / "net", 1, control="127.0.0.1:0").folder)
    try:
        asked = {"do": "pause", "because": "\x1b]0;owned\x07", "actor": "ada"}
        answer = control.ask("POST", "/v1/commands", asked)
    finally:
        control.close()
    assert answer.status == 422 and "U+001B" in answer.document["detail"]
