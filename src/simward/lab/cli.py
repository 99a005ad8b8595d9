"""`simward lab`: the demo, fleets to try, and single scenes against a running gate."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import Any

import click

SIZE = click.option(
    "--subscriptions", type=click.IntRange(min=40), default=1000, show_default=True, help="Size of the fleet."
)
WIDTH = 150
"""Of the tables where nobody's terminal says how wide they may be."""


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
@click.option("--scene", "names", metavar="ID", multiple=True, help="Only these; `lab scenes` lists them.")
@SIZE
@click.option("--days", type=click.IntRange(min=2), default=32, show_default=True, help="Of the fleet's life.")
@click.option("--strength", type=click.FloatRange(0.0, 1.0), default=1.0, show_default=True, help="Lower: subtler.")
@click.option("--seed", type=int, default=None, help="The same seed plays the same.")
@click.option("--radius", is_flag=True, help="Over RADIUS to a gate on loopback, not as events through the fold.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@click.pass_context
def score(
    ctx: click.Context, names: tuple[str, ...], subscriptions: int, days: int, strength: float, seed: int | None,
    radius: bool, as_json: bool,
) -> None:  # fmt: skip
    """Play scenes on a fleet and say of each what was caught, what was missed and what was false.

    All scenes unless some are named, all at once on one fleet, each with victims of its own. Exits 1 where an attack
    of full strength was missed, or anything false was found.
    """
    import json

    from rich.console import Console

    from simward.lab import scoring

    drawn = seed if seed is not None else secrets.randbelow(100_000)
    plan = scoring.Plan(tuple(names), subscriptions, days, drawn, strength)
    result = scoring.score_radius(plan) if radius else scoring.score_events(plan)
    if as_json:
        click.echo(json.dumps(result.told()))
    else:
        console = Console()
        if not console.is_terminal:
            console.width = WIDTH
        scoring.show(result, console)
    ctx.exit(0 if result.passed else 1)


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
