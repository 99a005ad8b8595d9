"""A whole control plane, as `simward serve` assembles it, over the journals of a bad day."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from journalled import JournalledFleet, a_bad_day

from control.running import RunningControl
from gate.running import RunningGate, until
from simward.control.assembling import assemble
from simward.history.whole import WholeJournal
from simward.settings import Settings
from simward.watch.following import Follower
from simward.watch.snapshots import write_services


def recorded_day(place: Path) -> Path:
    """A working folder with what gate and watch journalled in a bad day (a dead cell, a dead gateway)."""
    folder = RunningGate(place / "net", 1, control="127.0.0.1:0").folder
    fleet = JournalledFleet(folder / "data")
    for _ in a_bad_day(fleet):
        pass
    fleet.close()
    watch = Follower(folder / "data")
    watch.catch_up()
    write_services(watch.behind, folder / "data")
    watch.close()
    return folder


def running(folder: Path) -> RunningControl:
    """Its control plane, once it has read all of it."""
    with closing(WholeJournal.open(folder / "data")) as journal:
        last = journal.last
    made = RunningControl(folder, control=assemble(Settings.load(folder)))
    until(lambda: made.ask("GET", "/v1/status").document["conditions"].get("following", {}).get("sequence") == last)
    return made


def token(control: RunningControl, role: str, name: str = "", **more: object) -> str:
    """A new token of this role."""
    made = control.ask("POST", "/v1/tokens", {"name": name or role, "role": role, **more})
    assert made.status == 201, made
    return str(made.document["token"])
