"""The demo: a real gate, an honest week, attacks, and a table of what Simward saw and did about each."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn

from simward.errors import PeerError
from simward.lab import folder as lab_folder
from simward.lab import scenes, timeline
from simward.lab.attacks import Patience, ScriptPlayer
from simward.lab.bearers import Driver, Tally
from simward.lab.fleet import Fleet, make_fleet
from simward.lab.folder import ADDRESSES, STRANGER_ADDRESS, Ports
from simward.lab.gate_process import GateProcess, simward
from simward.lab.gateway import Gateway, Network, free_port
from simward.lab.policies import POLICIES
from simward.lab.record import read_record
from simward.lab.report import Report, honest_problems, judged
from simward.lab.scripts import Observed
from simward.lab.tables import show
from simward.lab.timeline import Week, plan_week
from simward.lab.week import WeekPlayer
from simward.settings import Settings
from simward.wire.radius.outcomes import FIRST_DROPPED, OUTCOMES

STRANGER = "stranger"
CONTROL_WITHIN_S = 60.0
VISITOR = "visitor"
"""The account that the link of a demo signs in."""
BEST = 10
"""So many attacks are shown."""
FORGERY_REASONS = set(OUTCOMES[FIRST_DROPPED:]) - {"duplicate_in_flight"}


@dataclass(frozen=True)
class Plan:
    """What to play. `policies` are written to the folder; the scenes' expectations are for the shipped ones."""

    seed: int
    subscriptions: int = 1000
    week_s: float = 60.0
    silence_s: float = 0.6
    policies: Mapping[str, str] = field(default_factory=lambda: POLICIES)


def run(plan: Plan, directory: Path, console: Console, *, stay: bool = False) -> Report:
    """Play the whole demo in `directory` (made by this) and show what came of it; `stay`: serve on until Ctrl-C."""
    begun = time.monotonic()
    fleet = make_fleet(plan.seed, plan.subscriptions)
    week = plan_week(fleet, plan.seed)
    dynauth = {name: free_port(address) for name, address in ADDRESSES.items()}
    ports = Ports(free_port(), free_port(), dynauth, http=free_port(kind=socket.SOCK_STREAM))
    lab_folder.write_fleet(directory, fleet, plan.policies)
    lab_folder.write_settings(directory, ports)
    _introduce(console, plan, fleet, week, directory)
    with console.status("simward apply: policies and the inventory"):
        simward(directory, "apply", "--yes")
    gate = GateProcess(directory)
    network: Network | None = None
    try:
        with console.status("simward serve: starting (the first time, compiling takes a minute)") as status:
            took = gate.wait_until_ready(lambda s: status.update(f"simward serve: starting, {s:.0f} s"))
        console.print(f"The gate is ready after {took:.1f} s, on UDP ports {ports.auth} and {ports.accounting}.")
        console.print(f"The console: {console_link(directory)}")
        console.print(f"The link signs you in once, as {VISITOR}, its administrator: open it, and watch what follows.")
        network = make_network(directory)
        report = _play(plan, fleet, week, network, gate, directory, console)
        if stay:
            show(report, console)
            console.print("Simward and its console go on until Ctrl-C.")
            gate.wait()
    finally:
        if network is not None:
            network.close()
        code = gate.stop()
    if code != 0:
        report.problems.append(f"the gate ended with exit code {code}:\n{gate.tail()}")
    report.seconds = time.monotonic() - begun
    if not stay:
        show(report, console)
    return report


def console_link(directory: Path) -> str:
    """A link that signs in once, as an administrator who is made for it. PeerError where control does not come up."""
    until = time.monotonic() + CONTROL_WITHIN_S
    while True:
        try:
            simward(directory, "account", "create", VISITOR, "--role", "administrator", "--because", "the demo")
            break
        except PeerError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
    made = simward(directory, "account", "link", VISITOR, "--sign-in", "--because", "the demo", "--json")
    return str(json.loads(made)["link"])


def make_network(directory: Path) -> Network:
    """The gateways that simward.toml lists, played by the lab, and a stranger at an address that it does not list."""
    settings = Settings.load(directory)
    auth = (settings.gate.auth.host, settings.gate.auth.port)
    accounting = (settings.gate.accounting.host, settings.gate.accounting.port)
    gateways = {
        one.name: Gateway(
            one.name, str(one.network.network_address), one.secret, auth, accounting,
            one.dynauth.port if one.dynauth else 0,
        )
        for one in settings.gateways
    }  # fmt: skip
    gateways[STRANGER] = Gateway(STRANGER, STRANGER_ADDRESS, b"no secret at all", auth, accounting)
    return Network(gateways)


def _introduce(console: Console, plan: Plan, fleet: Fleet, week: Week, directory: Path) -> None:
    sizes = ", ".join(f"{len(members)} of {name}" for name, members in fleet.by_use_case.items())
    console.print(f"[bold]Simward demo[/bold], seed {plan.seed}, in {directory}")
    console.print(f"{len(fleet):,} subscriptions: {sizes}. All identities are made up (PLMN 001/01).")
    console.print(
        f"The fleet's week is played in {plan.week_s:g} s of real time: {len(week.steps):,} steps over real UDP. "
        "The order is kept and the cadence squeezed; the packets' timestamps are real time, not the week's."
    )


def _play(
    plan: Plan, fleet: Fleet, week: Week, network: Network, gate: GateProcess, directory: Path, console: Console
) -> Report:
    tally = Tally()
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}", table_column=None), BarColumn(), MofNCompleteColumn(),
        console=console,
    ) as progress:  # fmt: skip
        player = WeekPlayer(network, fleet, week, Driver(tally))
        week_task = progress.add_task("honest week", total=len(week.steps))
        settled = player.play(plan.week_s, _WeekShown(progress, week_task))
        dropped_before = gate.packets()
        scripts = [one.script() for one in scenes.best(BEST)]
        attack_task = progress.add_task("attacks", total=len(scripts))
        attacker = ScriptPlayer(
            network, network.gateways[STRANGER], fleet, plan.seed, Patience(plan.silence_s),
            week.software_at_end(), week.left_open() | week.updated, week.sites_at_end(),
        )  # fmt: skip
        played: list[Observed] = []
        for script in scripts:
            progress.update(attack_task, description=f"attacks: {script.title}")
            played.append(attacker.play(script))
            progress.advance(attack_task)
        progress.update(attack_task, description="attacks")
        dropped_after = gate.packets()
    record = read_record(directory, proofs=sum(1 for script in scripts if script.disconnect))
    report = Report(plan.seed, directory, fleet, week, tally, player.lag_s, network, record)
    report.dropped = {
        reason: count - dropped_before.get(reason, 0)
        for reason, count in dropped_after.items()
        if reason in FORGERY_REASONS and count > dropped_before.get(reason, 0)
    }
    report.scenes = [judged(observed, record) for observed in played]
    report.problems.extend(honest_problems(report, {imsi for one in played for imsi in (one.imsi, *one.accomplices)}))
    if not settled:
        report.problems.append("some packets of the honest week were still unanswered ten seconds after its end")
    return report


class _WeekShown:
    """Shows the week's progress: the fleet's own day and time."""

    DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def __call__(self, at: float, steps: int) -> None:
        day, second = divmod(min(at, timeline.WEEK - 1), timeline.DAY)
        clock = f"{int(second // 3600):02d}:{int(second % 3600 // 60):02d}"
        self._progress.update(self._task, completed=steps, description=f"honest week: {self.DAYS[int(day)]} {clock}")
