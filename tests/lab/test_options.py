"""Options of `simward lab`: honoured, or refused with what they go with; none is passed over."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from simward.cli import cli

FEW = ("--subscriptions", "40", "--days", "2")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--scene", "sim-in-phone", "--budget", "3"], "--budget: such options are of a measurement"),
        (["--scene", "sim-in-phone", "--times", "4"], "--times"),
        (["--scene", "all", "--tick", "10", "--html", "x.html"], "--tick, --html: these are of a measurement"),
        (["--radius", "--attack", "retry-storm"], "--attack"),
        (["--radius", "--honest-only"], "--honest-only"),
        (["--radius", "--days", "3"], "--days: such options are of scenes as events"),
        (["--radius", "--scene", "sim-in-phone", "--strength", "0.5"], "--strength"),
        (["--scene", "sim-in-phone", "--strength", "3"], "at most at 1"),
        (["--scene", "no-such-scene", *FEW], "no-such-scene"),
        (["--attack", "no-such-attack", *FEW], "no-such-attack"),
        (["--honest-only", "--times", "4"], "--times: such options are of attacks"),
        (["--honest-only", "--attack", "retry-storm", "--strength", "2"], "--attack, --strength: these are of attacks"),
        (["--html", "/no/such/folder/x.html"], "there is no folder"),
    ],
)  # fmt: skip
def test_what_a_form_of_score_has_no_use_for_is_refused(words: list[str], says: str) -> None:
    said = CliRunner().invoke(cli, ["lab", "score", *words])
    assert said.exit_code == 2 and says in said.output, said.output


def test_what_is_refused_names_what_goes_with_a_scene() -> None:
    said = CliRunner().invoke(cli, ["lab", "score", "--scene", "sim-in-phone", "--budget", "3"])
    for option in ("--subscriptions", "--days", "--strength", "--seed", "--json"):
        assert option in said.output
