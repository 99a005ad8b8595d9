"""What is watched of Simward itself: metrics of all processes at one address, and conditions that tell the truth."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from control import assembled
from control.listening import Listening
from control.running import RunningControl
from gate.running import RunningGate, until
from simward.cli import cli
from simward.control import metrics as control_metrics
from simward.control.assembling import assemble
from simward.gate import metrics as gate_metrics
from simward.observing import processes, watch, whole
from simward.observing.exposition import Family, Histogram, text_of
from simward.settings import Settings
from simward.whole_files import write_whole

FAMILIES = (*whole.FAMILIES, *gate_metrics.FAMILIES, *watch.FAMILIES, *processes.FAMILIES, *control_metrics.FAMILIES)
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


def sample(text: str, name: str) -> float:
    """The value of one sample, named with its labels."""
    (found,) = re.findall(rf"^{re.escape(name)} (.*)$", text, re.MULTILINE)
    return float(found)


def linted(text: str) -> None:
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    assert checked.returncode == 0 and not checked.stderr, checked.stderr + checked.stdout


class Gate(Listening):
    """Answers `metrics` and `status` as a gate does that has decided nothing."""

    durable = True

    def answer_to(self, payload: dict[str, Any]) -> dict[str, Any]:
        if payload["do"] == "metrics":
            return {"ok": True, "text": gate_metrics.Metrics().text()}
        return {"ok": True, "sequence": 7, "durable": self.durable, "not_durable_because": "the disk is full"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    control = assembled.running(assembled.recorded_day(tmp_path_factory.mktemp("metrics")))
    yield control
    control.close()


@needs_promtool
def test_families_are_as_prometheus_wants_them() -> None:
    values = {
        one.name: {tuple("x" for _ in one.labels): Histogram((1, 2)) if one.histogram else 1.0} for one in FAMILIES
    }
    linted(text_of(FAMILIES, values))
    assert len({one.name for one in FAMILIES}) == len(FAMILIES)


def test_labels_are_escaped() -> None:
    text = text_of([Family("of_total", "a\\b\nc", ("name",))], {"of_total": {('say "hi"\n\\',): 2}})
    assert text == '# HELP of_total a\\\\b\\nc\n# TYPE of_total counter\nof_total{name="say \\"hi\\"\\n\\\\"} 2\n'


def test_one_address_tells_of_everything(served: RunningControl) -> None:
    token = assembled.token(served, "viewer", "scraper")
    served.ask("GET", "/v1/incidents/4711", token=token)
    assert served.ask("GET", "/v1/incidents", token="simward_wrong").status == 401
    answer = served.ask("GET", "/metrics", token=token)
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = answer.document
    if shutil.which("promtool"):
        linted(text)
    assert sample(text, 'simward_up{process="control"}') == 1 and sample(text, 'simward_up{process="gate"}') == 0
    assert "\nsimward_control_lag_events " not in text, "no gate says how far its journal goes"
    missed = 'simward_control_requests_total{method="GET",route="/v1/incidents/{number}",status="404"}'
    assert sample(text, missed) == 1
    assert sample(text, 'simward_control_requests_total{method="GET",route="none",status="401"}') == 1
    assert sample(text, 'simward_control_request_seconds_count{method="GET",route="/v1/incidents/{number}"}') == 1
    assert sample(text, "simward_control_wrong_tokens_total") == 1 and sample(text, "simward_control_following") == 1
    opened = sum(float(one) for one in re.findall(r"simward_control_incidents_open\{.*\} (.*)", text))
    listed = served.ask("GET", "/v1/incidents").document["incidents"]
    assert opened == len(listed) > 0
    assert sample(text, 'simward_control_registry_transaction_seconds_count{kind="read"}') > 0
    assert sample(text, "simward_control_facts_total") > 0 and sample(text, "simward_control_event_streams") == 0
    shown = CliRunner().invoke(cli, ["--dir", str(served.folder), "metrics"])
    names = re.compile(r"^# TYPE (\S+)", re.MULTILINE)
    assert names.findall(shown.stdout) == names.findall(text), shown.output


def test_who_may_not_see_how_the_installation_stands_gets_no_metrics(served: RunningControl) -> None:
    bound = assembled.token(served, "viewer", "of-a-tenant", tenant="default")
    assert served.ask("GET", "/metrics", token=bound).status == 403, "the numbers are of all tenants"
    assert served.ask("GET", "/metrics", tcp=True).status == 401


def test_readiness_tells_what_is_missing(tmp_path: Path) -> None:
    folder = RunningGate(tmp_path / "net", 1, control="127.0.0.1:0").folder
    data = folder / "data"
    data.mkdir(exist_ok=True)
    control = RunningControl(folder, control=assemble(Settings.load(folder)))

    def conditions() -> dict[str, tuple[bool, str]]:
        found = control.ask("GET", "/readyz").document["conditions"]
        return {name: (one["ok"], one["said"]) for name, one in found.items()}

    def until_it_says(name: str, ok: bool, words: str) -> None:
        until(lambda: conditions().get(name), lambda one: one is not None and one[0] == ok and words in one[1])

    try:
        assert control.ask("GET", "/healthz").status == 200
        until_it_says("gate", False, "no gate is running")
        until_it_says("watch", False, "no watch is running")
        assert control.ask("GET", "/readyz", tcp=True).status == 503
        gate = Gate(data)
        try:
            until_it_says("gate", True, "answers")
            gate.durable = False
            until_it_says("gate", False, "cannot record: the disk is full")
        finally:
            gate.close()
        until_it_says("gate", False, "no gate")
        (data / "processes").mkdir()
        write_whole(data / "processes" / "watch.json", {
            "pid": None, "since": None, "restarts": 1, "last_end": "killed by SIGKILL", "supervisor": os.getpid(),
            "at": time.time(),
        })  # fmt: skip
        until_it_says("supervisor", False, "the watch does not run (killed by SIGKILL)")
        until_it_says("registry", True, "answers")
        for name in ("registry.sqlite-wal", "registry.sqlite-shm", "registry.sqlite"):
            (data / name).write_bytes(b"not a database" * 10_000)
        until_it_says("registry", False, "the registry cannot be used")
        text = control.ask("GET", "/metrics").document
        assert "simward_control_registry_up 0" in text and "simward_control_outbox_waiting{" not in text
        shown = CliRunner().invoke(cli, ["--dir", str(folder), "ready"])
        assert shown.exit_code == 1 and "NOT  registry" in shown.stdout
    finally:
        control.close()
    shown = CliRunner().invoke(cli, ["--dir", str(folder), "ready", "--json"])
    assert shown.exit_code == 1 and "no control process is running" in shown.stdout
