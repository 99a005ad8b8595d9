"""The log: an object a line for programs, one line for people whatever strangers sent, a name for what happened."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from control.listening import Listening
from control.running import RunningControl
from gate.running import RunningGate
from simward.errors import ConfigurationError
from simward.logs import JsonLines, Lines, called, correlator
from simward.settings import Settings


def record(words: str, *arguments: object, extra: dict[str, object] | None = None) -> logging.LogRecord:
    return logging.getLogger("simward.test").makeRecord(
        "simward.test", logging.WARNING, __file__, 1, words, arguments, None, extra=extra
    )


def test_json_has_name_facts_and_correlator() -> None:
    token = correlator.set("corr-1")
    try:
        line = JsonLines("gate").format(record("%s is\ndown", "app", extra=called("endpoint-down", endpoint="app")))
    finally:
        correlator.reset(token)
    said = json.loads(line)
    assert said.pop("at").endswith("Z") and "\n" not in line
    assert said == {
        "level": "warning", "process": "gate", "event": "endpoint-down", "message": "app is\ndown",
        "correlator": "corr-1", "endpoint": "app",
    }  # fmt: skip


def test_what_libraries_say_has_no_name() -> None:
    said = json.loads(JsonLines("control").format(record("x")))
    assert said["event"] is None and said["logger"] == "simward.test" and "correlator" not in said


def test_a_bug_comes_with_its_trace_in_the_same_line() -> None:
    try:
        raise KeyError("a bug")
    except KeyError:
        broken = record("failed")
        broken.exc_info = sys.exc_info()
    assert "KeyError: 'a bug'" in json.loads(JsonLines("watch").format(broken))["trace"]


def test_nobody_forges_a_line() -> None:
    shown = Lines("control").format(record("asked by %s", "eve\n2026-01-01 ERROR gate: all is lost\x1b[2J"))
    assert "\n" not in shown and "\x1b" not in shown and "\\n2026" in shown and " WARNING control: " in shown


def test_settings_choose_form_and_level(tmp_path: Path) -> None:
    folder = RunningGate(tmp_path / "net", 1, control="none").folder
    path = folder / "simward.toml"
    written = path.read_text()
    path.write_text(written + '\n[log]\nformat = "json"\nlevel = "warning"\n')
    assert (Settings.load(folder).log.format, Settings.load(folder).log.level) == ("json", "warning")
    path.write_text(written + '\n[log]\nformat = "xml"\n')
    with pytest.raises(ConfigurationError, match="'xml' is not a choice"):
        Settings.load(folder)


def test_a_line_about_a_request_has_its_correlator(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = RunningGate(tmp_path / "net", 1, control="127.0.0.1:0").folder
    caplog.handler.setFormatter(JsonLines("control"))
    caplog.set_level("INFO")
    gate, control = Listening(folder / "data"), RunningControl(folder)
    gate.answers = [{"result": "applied", "sequence": 17}]
    try:
        asked = control.ask("POST", "/v1/commands", {"do": "pause", "because": "a test"}, {"x-correlator": "corr-7"})
        assert asked.status == 200
    finally:
        control.close()
        gate.close()
    written = [json.loads(line) for line in caplog.handler.stream.getvalue().splitlines()]
    said = {one["event"]: one.get("correlator") for one in written}
    assert said["command-asked"] == "corr-7" and said["serving"] is None
