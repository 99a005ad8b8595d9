"""`simward lab`: the demo, fleets to try, and single scenes against a running gate."""

from __future__ import annotations

import math
import secrets
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from simward.errors import UsageError

SIZE = click.option(
    "--subscriptions", type=click.IntRange(min=40), default=1000, show_default=True, help="Size of the fleet."
)
WIDTH = 150
"""Of the tables where nobody's terminal says how wide they may be."""


def _finite(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number to measure with", ctx, param)
    return value


@click.group()
def lab() -> None:
    """Play gateways, fleets and attackers against a gate."""


@lab.command()
@click.option("--seed", type=int, default=None, help="The same seed plays the same fleet, week and attacks.")
@SIZE
@click.option("--keep", metavar="DIR", type=click.Path(path_type=Path), help="Work in DIR, not in a new one in /tmp.")
@click.option("--fast", is_flag=True, help="The week in five seconds instead of a minute.")
@click.option("--stay/--no-stay", default=None, help="Serve the console on until Ctrl-C.  [default: on a terminal]")
@click.pass_context
def demo(
    ctx: click.Context, seed: int | None, subscriptions: int, keep: Path | None, fast: bool, stay: bool | None
) -> None:
    """Play an honest week and then attacks against a real gate on loopback.

    Prints a link to the console, where all of it can be watched. Exits 1 where an attack was missed or an honest
    session was refused.
    """
    from rich.console import Console

    from simward.lab.demo import Plan, run

    chosen = seed if seed is not None else secrets.randbelow(100_000)
    plan = Plan(chosen, subscriptions, week_s=5.0 if fast else 60.0, silence_s=0.3 if fast else 0.6)
    directory = keep if keep is not None else Path(tempfile.mkdtemp(prefix="simward-demo-"))
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    report = run(plan, directory, console, stay=console.is_terminal if stay is None else stay)
    ctx.exit(0 if report.passed else 1)


@lab.command()
@click.argument("directory", type=click.Path(path_type=Path))
@SIZE
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same fleet.")
def fleet(directory: Path, subscriptions: int, seed: int) -> None:
    """Write a folder with settings, policies and the inventory of a made-up fleet."""
    from simward.lab.fleet import make_fleet
    from simward.lab.folder import ADDRESSES, Ports, write_fleet, write_settings

    write_fleet(directory, make_fleet(seed, subscriptions))
    if not (directory / "simward.toml").exists():
        write_settings(directory, Ports(1812, 1813, dict.fromkeys(ADDRESSES, 3799)))
    click.echo(f"{subscriptions:,} subscriptions in {directory}. Next:")
    click.echo(f"  simward --dir {directory} apply")
    click.echo(f"  simward --dir {directory} serve")
    click.echo(f"  simward --dir {directory} lab play sim-in-phone")


@lab.command()
def scenes() -> None:
    """List the attacks and the honest oddities that the lab can play."""
    from simward.lab.scenes import installed

    width = max(len(name) for name in installed())
    for name, scene in installed().items():
        click.echo(f"{scene.kind:<6}  {name:<{width}}  {scene.title}")


@lab.command()
@click.option("--attack", "attacks", metavar="ID", multiple=True, help="Only these; `lab attacks` lists them.")
@click.option("--honest-only", is_flag=True, help="No attack: how often is something found where nothing is wrong?")
@click.option("--strength", type=click.FloatRange(min=0.0), default=None, callback=_finite,
              help="Instead of each attack's own; of scenes, from 0 to 1, their full strength.")
@click.option("--times", type=click.IntRange(min=1), default=4, show_default=True,
              help="Each attack and strength; not of scenes.")
@click.option("--tick", "tick_s", type=click.IntRange(1, 60), default=10, show_default=True,
              help="Seconds between two ticks of the clock; the gate's own is 1. Not of scenes.")
@click.option("--budget", type=click.FloatRange(min=0.0, min_open=True), default=5.0, show_default=True,
              callback=_finite, help="Statistical findings a day that the owner puts up with; not of scenes.")
@click.option("--scene", "scenes", metavar="ID", multiple=True,
              help="Play scenes instead (`lab scenes` lists them; `all`: every one), and say of each what came of it.")
@click.option("--radius", is_flag=True, help="Scenes over RADIUS to a gate on loopback, not as events.")
@click.option("--subscriptions", type=click.IntRange(min=40), default=None,
              help="Size of the fleet.  [default: 5000; of scenes 1000]")
@click.option("--days", type=click.IntRange(min=2), default=None,
              help="Of the fleet's life; not with --radius.  [default: 60; of scenes 32]")
@click.option("--seed", type=int, default=None, help="The same seed plays the same.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="And as a page with charts.")
@click.pass_context
def score(
    ctx: click.Context, attacks: tuple[str, ...], honest_only: bool, strength: float | None, times: int, tick_s: int,
    budget: float, scenes: tuple[str, ...], radius: bool, subscriptions: int | None, days: int | None, seed: int | None,
    as_json: bool, html: Path | None,
) -> None:  # fmt: skip
    """Measure the detectors: what they find of labelled attacks, how soon, and what they make up.

    A made-up fleet lives for weeks; attacks of many kinds and strengths befall some of its members, and both folds, the
    gate's and the watch's, judge every event. The table has a row for each detector and each attack.

    With --scene or --radius single scenes are played instead; that exits 1 where an attack of full strength was missed,
    or anything false was found. An option that a form has no use for is refused.
    """
    drawn = seed if seed is not None else secrets.randbelow(100_000)
    if scenes or radius:
        _refuse(ctx, ("--attack", "--honest-only", "--times", "--tick", "--budget", "--html"), OF_A_MEASUREMENT)
        if radius:
            _refuse(ctx, ("--strength", "--days"), OF_SCENES_AS_EVENTS)
        if strength is not None and strength > 1.0:
            raise UsageError(f"--strength {strength:g}: a scene is played at most at 1, its full strength")
        names = () if "all" in scenes else scenes
        full = 1.0 if strength is None else strength
        _score_scenes(ctx, names, subscriptions or 1000, days or 32, drawn, full, radius, as_json)
        return
    if honest_only:
        _refuse(ctx, ("--attack", "--strength", "--times"), "are of attacks, and --honest-only plays none")
    if html is not None and not html.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {html.absolute().parent} to write {html.name} into")
    from simward.lab.traffic.programme import Plan

    chosen = () if honest_only else attacks or None
    plan = Plan(drawn, subscriptions or 5000, days or 60, chosen, times, tick_s=tick_s, strength=strength)
    _measure(plan, budget, as_json, html)


OF_A_MEASUREMENT = (
    "are of a measurement; with --scene or --radius, which play scenes, go --subscriptions, --seed and --json, and "
    "without --radius --days and --strength"
)
OF_SCENES_AS_EVENTS = (
    "are of scenes as events; a rehearsal over RADIUS (--radius) plays each as long as it takes, at its full strength"
)


def _refuse(ctx: click.Context, options: Sequence[str], why: str) -> None:
    """UsageError where any of these options was given: it would be passed over."""
    names = {option: one.name for one in ctx.command.params for option in one.opts}
    given = [
        one for one in options
        if ctx.get_parameter_source(str(names[one])) not in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP, None)
    ]
    if given:
        raise UsageError(f"{', '.join(given)}: these {why}" if len(given) > 1 else f"{given[0]}: such options {why}")


def _measure(plan: Any, budget: float, as_json: bool, html: Path | None) -> None:
    import json

    from simward.lab.measuring.instrument import measure
    from simward.lab.measuring.table import show

    console = _console()
    with console.status("") as status:
        result = measure(plan, lambda day: status.update(f"day {day} of {plan.days}"), budget).told()
    if as_json:
        click.echo(json.dumps(result))
    else:
        show(result, console)
    if html is not None:
        from simward.lab.measuring.page import page

        html.write_text(page(result))


def _score_scenes(
    ctx: click.Context, names: tuple[str, ...], subscriptions: int, days: int, seed: int, strength: float, radius: bool,
    as_json: bool,
) -> None:  # fmt: skip
    import json

    from simward.lab import scoring

    plan = scoring.Plan(names, subscriptions, days, seed, strength)
    result = scoring.score_radius(plan) if radius else scoring.score_events(plan)
    if as_json:
        click.echo(json.dumps(result.told()))
    else:
        scoring.show(result, _console())
    ctx.exit(0 if result.passed else 1)


def _console() -> Any:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    return console


@lab.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--attack", "attacks", metavar="ID", multiple=True, help="Only these; `lab attacks` lists them.")
@click.option("--honest-only", is_flag=True, help="No attack.")
@SIZE
@click.option("--days", type=click.IntRange(min=2), default=30, show_default=True, help="Of the fleet's life.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same.")
@click.option("--ends", type=click.DateTime(("%Y-%m-%d",)),
              help="By when it is over, within a week; calls older than `[cdr] keep` are not imported.  [default: now]")
@click.option("--radius", is_flag=True, help="A capture of RADIUS packets instead of Parquet files of events.")
def traffic(
    directory: Path, attacks: tuple[str, ...], honest_only: bool, subscriptions: int, days: int, seed: int,
    ends: datetime | None, radius: bool,
) -> None:  # fmt: skip
    """Write a made-up fleet's traffic into an empty folder: events or RADIUS, call records, what happened to whom."""
    if honest_only and attacks:
        raise UsageError("--honest-only plays no attack: there is no --attack")
    from simward.lab.traffic.programme import Plan
    from simward.lab.traffic_files import weeks_later, write_traffic

    chosen = () if honest_only else attacks or None
    plan = Plan(seed, subscriptions, days, chosen, times=1, tick_s=60)
    later_us = weeks_later(days, ends.replace(tzinfo=UTC).timestamp() if ends else time.time())
    console = _console()
    with console.status("") as status:
        said = lambda day: status.update(f"day {day} of {days}")  # noqa: E731
        counts = write_traffic(directory, plan, radius=radius, later_us=later_us, progress=said)
    what = "radius.pcap" if radius else "events/*.parquet"
    click.echo(f"{counts['events']:,} {'packets' if radius else 'events'}, {counts['calls']:,} calls and messages, "
               f"{counts['happenings']:,} happenings (truth.jsonl) in {directory}. Next:")  # fmt: skip
    click.echo(f"  simward --dir {directory} replay {directory}/{what}")
    click.echo(f"  simward --dir {directory} cdr import --template operator-csv {directory}/calls.csv")


@lab.command(name="attacks")
def list_attacks() -> None:
    """List the attacks that `lab score` measures detectors with, and what honestly happens beside them."""
    from simward.lab.traffic.attacks import installed

    width = max(len(name) for name in installed())
    for name, one in installed().items():
        strengths = " ".join(f"x{strength:g}" for strength in one.strengths)
        click.echo(f"{'honest' if one.honest else 'attack'}  {name:<{width}}  {strengths:<16}  {one.title}")


@lab.command()
@click.argument("name", metavar="SCENE")
@click.option("--seed", type=int, default=None, help="Chooses the victim.")
@click.pass_context
def play(ctx: click.Context, name: str, seed: int | None) -> None:
    """Play one scene against the gate that runs in --dir, on a fleet that `lab fleet` made.

    Exits 1 where the attack was missed.
    """
    from simward.lab.playing import play_scene

    folder: Any = ctx.obj
    misses = play_scene(Path(folder.path), name, seed if seed is not None else secrets.randbelow(100_000), click.echo)
    ctx.exit(1 if misses else 0)
