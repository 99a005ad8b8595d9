"""`simward lab score`: scenes on a fleet, and a table of what was caught, missed and false."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from simward.lab import scenes
from simward.lab.fleet import make_fleet
from simward.lab.performance import perform
from simward.lab.scenes.scene import ATTACK, Attack, Scene
from simward.lab.score import SceneScore, Score, score


def chosen(names: Sequence[str]) -> tuple[Scene, ...]:
    """The scenes of these ids, or all that can be played as events. UsageError for an unknown one."""
    if names:
        return tuple(scenes.scene(name) for name in names)
    return tuple(one for one in scenes.installed().values() if not (isinstance(one, Attack) and one.radius_only))


@dataclass(frozen=True)
class Plan:
    """What to play: scenes by id (none: all), on how many subscriptions, for how many days, how strong."""

    names: tuple[str, ...] = ()
    subscriptions: int = 1000
    days: int = 32
    seed: int = 1
    strength: float = 1.0


def score_events(plan: Plan) -> Score:
    """Play scenes as events, all at once on one fleet, and score them."""
    fleet = make_fleet(plan.seed, plan.subscriptions)
    pairs = [(one, plan.strength) for one in chosen(plan.names)]
    return score(perform(fleet, pairs, days=plan.days, seed=plan.seed), plan.seed, plan.days)


def score_radius(plan: Plan) -> Score:
    """Play scenes over RADIUS against a gate of their own, under policies that act, and score them."""
    from simward.lab.rehearsal import rehearse

    named = [scenes.scene(name) for name in plan.names] or list(scenes.installed().values())
    return rehearse(make_fleet(plan.seed, plan.subscriptions), named, plan.seed)


def show(result: Score, console: Console) -> None:
    """The table."""
    title = f"{result.subscriptions:,} subscriptions, {result.days} days, seed {result.seed}"
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", expand=False)
    for header in ("", "scene", "kind", "strength", "victims", "caught", "missed", "false", "events to it", "found"):
        table.add_column(header, justify="right" if header in NUMBERS else "left", overflow="fold")
    for one in result.scenes:
        table.add_row(*_cells(one), style="red" if one.failed else "dim" if one.note else "")
    console.print(table)
    failed = [one.scene for one in result.scenes if one.failed]
    verdict = f"[bold red]wrong: {', '.join(failed)}[/]" if failed else "[bold green]nothing missed, nothing false[/]"
    console.print(f"{verdict}; seed {result.seed}", soft_wrap=True)


NUMBERS = ("strength", "victims", "caught", "missed", "false", "events to it")


def _cells(one: SceneScore) -> tuple[str, ...]:
    attack = one.kind == ATTACK
    mark = "wrong" if one.failed else "-" if one.note else "ok"
    found = one.note or ", ".join(f"{name} {count}" for name, count in sorted(one.found.items()))
    took = f"{one.events_to_detection:g}" if one.events_to_detection is not None else ""
    if one.note:
        return mark, one.scene, one.kind, f"{one.strength:g}", str(one.victims), "", "", "", "", found
    return (
        mark, one.scene, one.kind, f"{one.strength:g}", str(one.victims), str(one.caught) if attack else "",
        str(one.missed) if attack else "", str(one.false), took, found,
    )  # fmt: skip
