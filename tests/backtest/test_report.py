"""What a backtest says: the same to the byte, as a table, as a page; and what people and rules bring to it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from backtest.trying import LOCKING, OBSERVED, days, proposed, recorded, run, tried
from engine.recording import Recording
from history.recorded import member
from house.sources import REPOSITORY
from simward.backtest.charts import Bar, bars, nice
from simward.backtest.page import page
from simward.backtest.ports import BENIGN, FALSE_POSITIVE, Judgement, RuleAction
from simward.backtest.report import subscriptions, summary
from simward.backtest.run import Backtest
from simward.cli import cli
from simward.errors import UsageError
from simward.history.whole import WholeJournal
from simward.policy.wanted import read_tables
from simward.settings import Settings


def story(recording: Recording) -> None:
    days(recording, 0, 6, {1: 3, 2: 4})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("report") / "work", story)


def backtested(folder: Path, **ports: object) -> Backtest:
    _, tables = read_tables(Settings.load(folder), proposed(folder, LOCKING))
    record = WholeJournal.open(folder / "data")
    try:
        made = Backtest(record, tables, 0, **ports)  # type: ignore[arg-type]
        made.run(folder / "data")
    finally:
        record.close()
    return made


def test_two_runs_say_the_same_to_the_byte(folder: Path, tmp_path: Path) -> None:
    pages = [tmp_path / "one.html", tmp_path / "two.html"]
    one, two = (run(folder, LOCKING, "--json", "--html", str(path)) for path in pages)
    assert one.stdout == two.stdout and one.stdout.count("\n") == 3
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_journal_and_history_say_the_same(folder: Path, tmp_path: Path) -> None:
    """Other runs of events, cut elsewhere, and nothing read ahead."""
    journal = recorded(tmp_path / "work", story, archive=False)
    assert run(journal, LOCKING, "--json").stdout == run(folder, LOCKING, "--json").stdout


def test_interpreted_says_the_same(folder: Path) -> None:
    words = ["--dir", str(folder), "backtest", "--policies", str(proposed(folder, LOCKING)), "--json", "--exit-zero"]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    interpreted = subprocess.run(
        [sys.executable, "-m", "simward", *words], env=environment, capture_output=True, text=True, check=True
    )
    assert interpreted.stdout == run(folder, LOCKING, "--json").stdout


def test_the_table_names_who_and_says_that_nobody_judged(folder: Path) -> None:
    said = run(folder, LOCKING).stdout
    assert "2 would have been cut 2 times" in said and "No judgements yet" in said
    assert member(1)["imsi"] in said and "device-change/other-model" in said and "2026-11-26" in said


def test_the_exit_code_says_whether_somebody_new_would_be_cut(folder: Path) -> None:
    assert run(folder, LOCKING).exit_code == 1
    assert run(folder, LOCKING, "--exit-zero").exit_code == 0
    assert run(folder, OBSERVED).exit_code == 0


def test_every_key_is_documented(folder: Path) -> None:
    page_text = (REPOSITORY / "docs" / "reference" / "backtest.md").read_text()
    (one, *_), said, _ = tried(folder, LOCKING)
    for keys, heading in ((one, "## A subscription"), (said, "## The summary")):
        part = page_text.split(heading)[1].split("##")[0]
        assert re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) == list(keys)


@pytest.mark.parametrize(("arguments", "said"), [
    (["--since", "whenever"], "is not a time"),
    (["--since", "2030-01-01"], "nothing is recorded since 2030-01-01T00:00:00Z"),
])  # fmt: skip
def test_wrong_use(folder: Path, arguments: list[str], said: str) -> None:
    result = run(folder, LOCKING, *arguments)
    assert result.exit_code == 2 and said in result.stderr


def test_a_folder_without_a_record_and_policies_without_a_use_case(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "simward.toml").write_text("[gate]\n")
    assert (run(tmp_path, LOCKING).exit_code, run(folder, "").exit_code) == (2, 2)


def test_a_page_that_cannot_be_written_is_io(folder: Path, tmp_path: Path) -> None:
    result = run(folder, LOCKING, "--html", str(tmp_path / "nowhere" / "x.html"))
    assert result.exit_code == 3 and "No such file" in result.stderr


def judged(folder: Path, *, of: str) -> Iterator[Judgement]:
    """The recorded device changes of a subscription, judged false."""
    words = ["--dir", str(folder), "findings", "--json", "--imsi", of, "--detector", "device-change"]
    for line in CliRunner().invoke(cli, words).stdout.splitlines():
        name = line.split('"id": "')[1].split('"')[0]
        yield Judgement(name, FALSE_POSITIVE)


def test_cuts_whose_finding_was_judged_false_are_counted(folder: Path) -> None:
    wrong = list(judged(folder, of=member(1)["imsi"]))
    assert wrong
    made = backtested(folder, judgements=lambda: [*wrong, Judgement("0/1/0", BENIGN)])
    said = summary(made)["judgements"]
    assert said["cuts"] == {"true-positive": 0, "benign": 0, "false-positive": 1}
    assert said["by_use_case"][0]["use_case"] == "water-meter"
    assert [one["judged"] for one in subscriptions(made)] == [FALSE_POSITIVE, None]
    assert "Cuts whose recorded finding was judged" in page(summary(made), list(subscriptions(made)), "new")


def test_what_the_registry_knows_is_brought_beside(tmp_path: Path) -> None:
    """As the control process mirrors findings, and a person judges the incident of one."""
    from simward.registry.database import Registry, sqlite_url
    from simward.registry.mirrors import note_finding
    from simward.registry.rules import add_action
    from simward.registry.tables import finding

    acted = {"id": "a1", "tenant": "default", "rule": "night", "revision": 1, "trigger": "0/9/0", "trigger_type": "x",
             "trigger_at": 1_795_400_000_000_000, "imsi": member(1)["imsi"], "action": "lock", "arguments": {},
             "mode": "dry-run", "due_at": 0, "state": "dry-run", "changed_at": 0}  # fmt: skip
    work = recorded(tmp_path / "work", story)
    found = CliRunner().invoke(cli, ["--dir", str(work), "findings", "--json", "--detector", "device-change"]).stdout
    registry = Registry.open(sqlite_url(work / "data"))
    registry.migrate()
    with registry.writing() as connection:
        for line in found.splitlines():
            note_finding(connection, 0, 1, json.loads(line))
        add_action(connection, acted)
        connection.execute(finding.update().where(finding.c.imsi == member(2)["imsi"]).values(outcome=FALSE_POSITIVE))
    registry.close()
    people, said, _ = tried(work, LOCKING)
    assert {one["imsi"]: one["judged"] for one in people} == {
        member(1)["imsi"]: None, member(2)["imsi"]: FALSE_POSITIVE,
    }  # fmt: skip
    assert said["judgements"]["cuts"]["false-positive"] == 1
    (rule,) = said["rules"]
    assert (rule["rule"], rule["action"], rule["dry_run"], rule["subscriptions"]) == ("night", "lock", True, 1)
    assert "1 of these cuts rest on findings that were false" in run(work, LOCKING).stdout


def test_a_judgement_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="maybe"):
        backtested(folder, judgements=lambda: [Judgement("0/5/0", "maybe")])


def test_what_rules_would_have_done_comes_in_at_one_place(folder: Path) -> None:
    asked: list[tuple[int, int]] = []

    def actions(since: int, until: int) -> list[RuleAction]:
        asked.append((since, until))
        return [RuleAction(since + 1, "night", "lock", 0, True), RuleAction(since + 2, "night", "lock", 7, True)]

    made = backtested(folder, rule_actions=actions)
    (rule,) = summary(made)["rules"]
    assert (rule["rule"], rule["times"], rule["subscriptions"], rule["dry_run"]) == ("night", 2, 1, True)
    assert asked == [(made.began_at, made.ended_at)]
    assert "What rules would have done" in page(summary(made), [], "new")


def test_the_page_is_well_formed_and_loads_nothing(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.html"
    run(folder, LOCKING, "--html", str(path))
    text = path.read_text()
    root = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))
    kinds = {one.tag for one in root.iter()}
    assert {"svg", "title", "table", "caption", "desc"} <= kinds
    assert not kinds & {"script", "link", "img", "iframe", "object", "image", "use", "foreignObject"}
    assert "http" not in text.replace("http-equiv", "") and "url(" not in text and "@import" not in text
    assert "prefers-color-scheme: dark" in text and "default-src 'none'" in text
    names = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(names) == len(set(names))
    for chart in root.iter("svg"):
        if chart.get("role") == "img":
            assert set((chart.get("aria-labelledby") or "").split()) <= set(names)
    assert len(list(root.iter("rect"))) > 2


def test_every_name_in_the_page_is_escaped(folder: Path) -> None:
    said = tried(folder, LOCKING)
    evil = '<script>alert("x")</script>&\''
    (one, *_), summary_said, _ = said
    for row in [*summary_said["by_day"], *summary_said["findings"]]:
        row["use_case"] = evil
        row["because" if "because" in row else "finding"] = evil
    summary_said["rules"] = [{"rule": evil, "action": evil, "dry_run": True, "times": 1, "subscriptions": 1}]
    summary_said["limits"] = [{
        "use_case": evil, "action": evil, "per_hour": 1, "share_of_fleet": 0.1, "members": 1, "cuts_in_it": 1,
        "fullest_hour": summary_said["since"], "held": {evil: {"times": 1, "first": summary_said["since"]}},
    }]  # fmt: skip
    text = page(summary_said, [{**one, "use_case": evil, "because": evil, "judged": evil, "imsi": evil}], evil)
    assert "<script" not in text and 'alert("x")' not in text
    ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))


def test_bars_are_as_tall_as_their_counts() -> None:
    days_said = [Bar("2026-11-23", {"refuse": 5, "lock": 5}, 10), Bar("2026-11-24", {}, 0)]
    chart = ElementTree.fromstring(bars("x", "y", ("refuse", "lock"), days_said, "c"))
    heights = [float(one.get("height") or 0) for one in chart.iter("rect")]
    assert heights == [80.0, 80.0] and len(list(chart.iter("line"))) == 6


@pytest.mark.parametrize(("most", "end"), [(0, 5), (4, 5), (5, 5), (6, 10), (11, 20), (100, 100), (101, 200)])
def test_a_scale_ends_with_a_plain_number(most: int, end: int) -> None:
    assert nice(most) == end


