"""`[behaviour]`: an alarm budget, a grace, how long a verdict holds; each problem is named with what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from simward.behaviour_settings import BehaviourSettings
from simward.errors import ConfigurationError
from simward.settings import Settings

GATEWAY = '[[gateway]]\nname = "a"\naddress = "192.0.2.1"\nsecret = "a secret of sixteen or more"\n'


def loaded(folder: Path, section: str) -> BehaviourSettings:
    (folder / "simward.toml").write_text(f"{GATEWAY}[behaviour]\n{section}\n")
    return Settings.load(folder).behaviour


def test_defaults(tmp_path: Path) -> None:
    assert loaded(tmp_path, "") == BehaviourSettings(None, 7200, 30 * 86_400)


def test_what_is_given_holds(tmp_path: Path) -> None:
    said = 'findings_a_day = 0.1\ngrace = "30m"\nbenign_for = "90d"'
    assert loaded(tmp_path, said) == BehaviourSettings(0.1, 1800, 90 * 86_400)


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("findings_a_day = 0", "findings_a_day"), ("findings_a_day = -1", "findings_a_day"),
        ('findings_a_day = "five"', "findings_a_day"), ("findings_a_day = true", "findings_a_day"),
        ("findings_a_day = inf", "findings_a_day"), ("findings_a_day = nan", "findings_a_day"),
        ('grace = "21h"', "grace"), ('grace = "soon"', "grace"), ('benign_for = "1h"', "benign_for"),
        ('benign_for = "2y"', "benign_for"), ("finding_a_day = 5", "finding_a_day"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, said: str, key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, said)
    assert f"behaviour.{key}" in str(caught.value)
