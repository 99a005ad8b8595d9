"""The front door: help at once, nearest spellings, exit codes, completion, and help lines that tell the truth."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from simward.cli import COMMANDS, cli
from simward.errors import ConfigurationError, PeerError, Problem, SimwardError


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "simward", *arguments], capture_output=True, text=True, timeout=60)


def test_help_names_every_command_without_importing_them() -> None:
    listed = "import sys, simward.cli; print(sorted({'numba', 'numpy', 'rich', 'yaml'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True).stdout.strip() == "[]"
    shown = run("--help")
    assert shown.returncode == 0
    for name in COMMANDS:
        assert f"\n  {name} " in shown.stdout


def test_help_comes_at_once() -> None:
    """Processor time, the best of a few: how long it takes on a machine that has nothing else to do."""
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.3


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "lab"])
def test_the_line_in_the_list_is_the_first_line_of_the_command(name: str) -> None:
    command = cli.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None and command.help is not None
    assert command.help.split("\n\n")[0].split("\n")[0] == COMMANDS[name][2]
    shown = CliRunner().invoke(cli, [name, "--help"])
    assert shown.exit_code == 0, shown.output


def test_an_unknown_command_names_the_nearest() -> None:
    shown = run("fndings")
    assert shown.returncode == 2
    assert "did you mean 'findings'?" in shown.stderr


def test_version() -> None:
    assert run("--version").stdout.startswith("simward 0.")


@pytest.mark.parametrize(
    ("error", "code"),
    [(SimwardError("x"), 3), (PeerError("no gate"), 3), (OSError("disk"), 3),
     (ConfigurationError([Problem("a.toml", 3, "gate", "wrong"), Problem("a.toml", 4, "", "also wrong")]), 2)],
)  # fmt: skip
def test_errors_are_words_and_a_code(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("simward.commands.folder.Folder.must_be_one", fails)
    shown = CliRunner().invoke(cli, ["--dir", str(tmp_path), "verify"])
    assert shown.exit_code == code
    assert "Traceback" not in shown.output
    for line in str(error).splitlines():
        assert line in shown.stderr


def test_a_folder_that_is_none_says_what_to_do(tmp_path: Path) -> None:
    shown = CliRunner().invoke(cli, ["--dir", str(tmp_path), "findings"])
    assert shown.exit_code == 2
    assert f"simward --dir {tmp_path} init" in shown.stderr


def test_the_folder_may_come_from_the_environment(tmp_path: Path) -> None:
    shown = CliRunner().invoke(cli, ["check"], env={"SIMWARD_DIR": str(tmp_path)})
    assert str(tmp_path) in shown.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    shown = run("completion", shell)
    assert shown.returncode == 0 and "_SIMWARD_COMPLETE" in shown.stdout


def test_completion_completes_commands_without_importing_them() -> None:
    asked = {"_SIMWARD_COMPLETE": "bash_complete", "COMP_WORDS": "simward fin", "COMP_CWORD": "1"}
    program = [sys.executable, "-c", "from simward.cli import main; main()"]
    shown = subprocess.run(program, capture_output=True, text=True, env={**os.environ, **asked})
    assert shown.stdout.strip() == "plain,findings"


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    program = f"{sys.executable} -m simward schema | head -1; echo ${{PIPESTATUS[0]}}"
    shown = subprocess.run(["bash", "-c", program], capture_output=True, text=True)
    assert shown.stdout.splitlines() == ["{", "0"]
    assert "Traceback" not in shown.stderr
