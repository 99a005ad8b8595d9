"""Three processes under one supervisor: what is killed comes back, the gate decides meanwhile, all stop together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from gate.running import RunningGate, Served, access_request, iccid, imsi, needs_radclient, radclient, until
from simward.cli import cli
from simward.engine.sqlite_journal import SqliteJournal
from simward.observing.processes import NAMES, read_processes
from simward.observing.watch import read_status


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    gate = Served(tmp_path / "net").start()
    yield gate
    gate.close()


def gone(pid: int) -> bool:
    """Is there no such process?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def break_glass_notes(gate: RunningGate) -> list[str]:
    """The commands of the journal that went past the control plane."""
    with closing(SqliteJournal.open(gate.folder / "data" / "journal", writer=False)) as journal:
        notes = [note for row in journal.rows() for note in (row.notes.get("commands") or {}).values()]
    return [note["do"] for note in notes if note.get("break_glass") == "yes"]


def simward(gate: RunningGate, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command as a person gives it, in a process of its own."""
    command = [sys.executable, "-m", "simward", "--dir", str(gate.folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_right_after_ready_a_command_works(served: Served) -> None:
    done = simward(served, "lock", iccid(1), "--because", "stolen", "--actor", "ada", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] is True and answer["result"] == "applied" and answer["did"] == ["locked"]


@needs_radclient
def test_the_gate_goes_on_deciding_while_the_others_are_dead(served: Served) -> None:
    ids = {name: served.pid(name) for name in NAMES}
    for name in ("watch", "control"):
        os.kill(ids[name], signal.SIGKILL)
    assert "Access-Accept" in radclient(served.auth, "auth", access_request(1))
    again = {name: served.pid(name, other_than=ids[name]) for name in ("watch", "control")}
    assert "Access-Accept" in radclient(served.auth, "auth", access_request(2))
    assert served.pid("gate") == ids["gate"]
    until(lambda: read_status(served.folder / "data"), lambda said: said and said["pid"] == again["watch"])
    assert simward(served, "pause", "--because", "a test").returncode == 0, "control is back"
    restarts = {name: said["restarts"] for name, said in served.processes().items()}
    assert restarts == {"gate": 0, "watch": 1, "control": 1}
    assert "killed by SIGKILL" in served.processes()["watch"]["last_end"]
    shown = CliRunner().invoke(cli, ["--dir", str(served.folder), "metrics"]).stdout
    assert 'simward_process_restarts_total{process="control"} 1' in shown and "simward_watch_lag_events" in shown
    status = CliRunner().invoke(cli, ["--dir", str(served.folder), "status"]).stdout
    assert "lag_events" in status and "processes" in status and "http_wanted" in status
    assert served.stop() == 0
    assert read_processes(served.folder / "data") == {} and read_status(served.folder / "data") is None
    assert all(gone(pid) for pid in [*ids.values(), *again.values()])


@needs_radclient
def test_a_killed_gate_is_back_and_says_so_again(served: Served) -> None:
    first, watching = served.pid("gate"), served.pid("watch")
    assert "Access-Accept" in radclient(served.auth, "auth", access_request(1))
    os.kill(first, signal.SIGKILL)
    assert served.process is not None and served.process.stdout is not None
    assert "ready" in served.process.stdout.readline()
    assert served.ask("status")["pid"] == served.pid("gate") != first
    assert served.pid("watch") == watching, "the watch goes on beside it"
    done = simward(served, "lock", iccid(2), "--because", "x")
    assert done.returncode == 0, done.stderr


def test_all_end_where_the_supervisor_is_killed_and_a_new_one_can_start(served: Served) -> None:
    ids = [served.pid(name) for name in NAMES]
    served.stop(signal.SIGKILL)
    assert read_processes(served.folder / "data") == {}, "nobody keeps them running"
    until(lambda: all(gone(pid) for pid in ids))
    assert not (served.folder / "data" / "gate.sock").exists(), "the gate drained and stopped as if it had been told to"
    served.start()
    assert simward(served, "pause", "--because", "x").returncode == 0
    assert served.stop() == 0


def test_a_hang_up_has_the_settings_read_again_and_cuts_nobody_off(served: Served) -> None:
    """What `systemctl reload` and logrotate send."""
    supervisor = served.process
    assert supervisor is not None
    ids = {name: served.pid(name) for name in NAMES}
    assert "fresh" not in simward(served, "endpoints").stdout
    until(lambda: read_status(served.folder / "data"))
    settings = served.folder / "simward.toml"
    text = settings.read_text()
    endpoint = '[[endpoint]]\nname = "fresh"\nkind = "webhook"\nurl = "https://fresh.example/"\n'
    endpoint += 'secret = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="\n'
    settings.write_text(f"{text}\n{endpoint}")
    supervisor.send_signal(signal.SIGHUP)
    again = {name: served.pid(name, other_than=ids[name]) for name in ("watch", "control")}
    assert "fresh" in simward(served, "endpoints").stdout
    assert served.ask("status")["pid"] == ids["gate"], "it went on"
    assert {one["restarts"] for one in served.processes().values()} == {0}, "nothing has ended by itself"
    settings.write_text(f"{text}\nwrong = 1\n")
    supervisor.send_signal(signal.SIGHUP)
    until(lambda: "the settings were not taken" in served.errors())
    assert "unknown key" in served.errors()
    settings.write_text(text.replace("[gate]", '[gate]\nunknown_subscription = "allow"'))
    os.kill(ids["gate"], signal.SIGHUP)  # by a service manager that tells all of them
    supervisor.send_signal(signal.SIGHUP)
    until(lambda: "[gate] changed: that counts for the gate from its next start" in served.errors())
    for name in again:
        served.pid(name, other_than=again[name])
    assert served.pid("gate") == ids["gate"] and served.stop() == 0


def test_ctrl_c_stops_all(served: Served) -> None:
    ids = [served.pid(name) for name in NAMES]
    assert served.stop(signal.SIGINT) == 0
    assert all(gone(pid) for pid in ids)


def test_a_second_one_in_the_same_folder_ends_and_says_why(served: Served) -> None:
    second = simward(served, "serve")
    assert second.returncode == 3 and "simward: " in second.stderr
    assert "is being written by process" in second.stderr and "again" not in second.stderr, second.stderr
    assert set(served.processes()) == set(NAMES), "the first one's files are left alone"


def test_a_port_that_is_taken_and_wrong_settings_end_it(tmp_path: Path, served: Served) -> None:
    other = Served(tmp_path / "other", gate="").folder
    text = (other / "simward.toml").read_text()
    (other / "simward.toml").write_text(text.replace('auth = "127.0.0.1:0"', f'auth = "127.0.0.1:{served.auth[1]}"'))
    refused = subprocess.run(
        [sys.executable, "-m", "simward", "--dir", str(other), "serve"], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert refused.returncode == 3 and str(served.auth[1]) in refused.stderr, refused.stderr
    (other / "simward.toml").write_text(text + "\nwrong = 1\n")
    refused = subprocess.run(
        [sys.executable, "-m", "simward", "--dir", str(other), "serve"], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert refused.returncode == 2 and "unknown key" in refused.stderr


def test_only_some_of_them(tmp_path: Path) -> None:
    class GateOnly(Served):
        def command(self) -> list[str]:
            return [*super().command(), "--only", "gate"]

    gate = GateOnly(tmp_path / "net").start()
    try:
        assert set(gate.processes()) == {"gate"}
        refused = simward(gate, "lock", iccid(1), "--because", "x")
        assert refused.returncode == 3 and "--only control" in refused.stderr and "--break-glass" in refused.stderr
        glass = simward(gate, "lock", iccid(2), "--because", "control is broken", "--actor", "ada", "--break-glass")
        assert glass.returncode == 0, glass.stderr
        assert "break glass: lock asked by 'ada' past the control plane: 'control is broken'" in gate.errors()
        story = simward(gate, "explain", iccid(2)).stdout
        assert "asked by ada, past the control plane (break glass): control is broken" in story, story
        inventory = gate.folder / "inventory.csv"
        inventory.write_text(inventory.read_text() + f"{iccid(21)},{imsi(21)},water-meter\n")
        assert simward(gate, "apply").returncode == 3
        assert not list((gate.folder / "data").glob("revisions/*"))
        assert simward(gate, "apply", "--break-glass", "--actor", "ada").returncode == 0
        assert break_glass_notes(gate) == ["lock", "apply"]
        beside = subprocess.Popen(
            [sys.executable, "-m", "simward", "--dir", str(gate.folder), "serve", "--only", "control"],
            stderr=subprocess.DEVNULL,
        )
        gate.pid("control")
        assert simward(gate, "lock", iccid(1), "--because", "x").returncode == 0
        beside.send_signal(signal.SIGTERM)
        assert beside.wait(20) == 0
        assert set(gate.processes()) == {"gate"}
        assert gate.stop() == 0
    finally:
        gate.close()
