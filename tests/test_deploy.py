"""What operators copy from deploy/ names metrics and labels that exist, and is what its tools take for right."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from simward.control import metrics as control_metrics
from simward.gate import metrics as gate_metrics
from simward.observing import processes, watch, whole

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
ALERTS = yaml.safe_load((PROMETHEUS / "alerts.yaml").read_text())["groups"][0]["rules"]
FAMILIES = (*whole.FAMILIES, *gate_metrics.FAMILIES, *watch.FAMILIES, *processes.FAMILIES, *control_metrics.FAMILIES)
LABELS = {
    name: {*one.labels, "instance", "job", *(("le",) if one.histogram else ())}
    for one in FAMILIES for name in (one.name, *(f"{one.name}_{part}" for part in ("bucket", "sum", "count")))
    if name == one.name or one.histogram
}  # fmt: skip
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (prometheus)")


def dashboard_queries() -> Iterator[str]:
    """Every query of the dashboard."""
    dashboard = json.loads((DEPLOY / "grafana" / "simward.json").read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (one["query"]["query"] for one in dashboard["templating"]["list"] if one["type"] == "query")


QUERIES = [*dashboard_queries(), *(rule["expr"] for rule in ALERTS)]


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_names_a_metric_and_labels_that_exist(query: str) -> None:
    named = re.findall(r"\b(simward_\w+)(?:\{([^}]*)\})?", query)
    assert named or query == 'up{job="simward"} == 0'
    for name, matchers in named:
        assert name in LABELS, f"there is no {name}"
        used = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", matchers))
        assert used <= LABELS[name], f"{name} has no {used - LABELS[name]}"


def test_dashboard_is_one_that_grafana_can_lay_out() -> None:
    panels = json.loads((DEPLOY / "grafana" / "simward.json").read_text())["panels"]
    assert len({one["id"] for one in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for one in panels:
        at = one["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, one["title"]
        taken |= cells


@needs_promtool
def test_alert_rules_are_right_and_fire_as_their_stories_say() -> None:
    for command in (["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]):
        done = subprocess.run(["promtool", *command], cwd=PROMETHEUS, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_scrape_configuration_is_right(tmp_path: Path) -> None:
    for name in ("scrape.yaml", "alerts.yaml"):
        shutil.copy(PROMETHEUS / name, tmp_path)
    (tmp_path / "prometheus.token").write_text("simward_x")
    done = subprocess.run(
        ["promtool", "check", "config", "scrape.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_every_alert_says_what_is_the_matter_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert set(rule["annotations"]) == {"summary", "action"}
    page = re.search(r"docs/[\w/.-]+\.md", rule["annotations"]["action"])
    assert page is None or (DEPLOY.parent / page[0]).exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    text = (DEPLOY / "systemd" / "simward.service").read_text()
    there = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE)
    (tmp_path / "simward.service").write_text(there)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "simward.service"], cwd=tmp_path, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert "simward.service" not in done.stderr, done.stderr
