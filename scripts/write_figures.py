#!/usr/bin/env python3
"""Write the table of measured figures in README.md from benchmarks/results, as they are, good or bad.

The page of the reference that has them too, with what is behind the false alarms, is written by write_reference.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from simward.lab.measuring import words

ROOT = Path(__file__).resolve().parents[1]
BEGIN = "<!-- figures: begin (`make bench` measures again and writes this table) -->\n"
END = "<!-- figures: end -->\n"


def main() -> None:
    """Put the newest results between the marks."""
    readme = ROOT / "README.md"
    results = newest_results()
    marked = re.compile(r"<!-- figures: begin.*?<!-- figures: end -->\n", re.DOTALL)
    readme.write_text(marked.sub(lambda _: BEGIN + table(results) + END, readme.read_text()))


def newest_results() -> list[dict[str, Any]]:
    """What the benchmarks wrote, by name."""
    return [json.loads(path.read_text()) for path in sorted((ROOT / "benchmarks" / "results").glob("*.json"))]


def measured_page() -> str:
    """The page of the reference: every bar, and what is behind the figure of false alarms."""
    results = newest_results()
    return (
        "# Measured\n\nWritten from `benchmarks/results`, as it is, good or bad. What each question is and what makes "
        "it fair stands in [what is measured, and how](../explanation/measuring.md).\n\n"
        f"{table(results)}\n{false_alarms(results)}{scores(results)}"
    )


def scores(results: list[dict[str, Any]]) -> str:
    """What each detector found of labelled attacks, and what it made up."""
    found = next((result for result in results if result["benchmark"] == "lab_score"), None)
    if found is None:
        return ""
    told = found["figures"]
    text = (
        "\n## Detectors on labelled attacks\n\n[How this is measured, and what it cannot say]"
        f"(../decisions/0049-detectors-measured-on-labelled-traffic.md). {words.played(told)}; 95 % intervals.\n\n"
        f"{SCORE_HEAD}{''.join(score_row(row) for row in told['detectors'])}\n"
        "| attack | strength | caught by any | p50 | p95 | by those that should say so |\n|---|---|---|---|---|---|\n"
    )
    for row in told["attacks"]:
        by = [f"`{name}` {one['found']}/{one['of']}" for name, one in row["by_detector"].items()]
        by += [f"`{name}`: not there yet" for name in row["awaited"]]
        anybody = row["anybody"]
        text += (
            f"| `{row['attack']}` | {words.strength(row)} | {words.share(anybody)} | {words.span(anybody['p50_s'])} "
            f"| {words.span(anybody['p95_s'])} | {', '.join(by)} |\n"
        )
    return text + f"\n{machine([found])}\n"


SCORE_HEAD = (
    "| detector | recall | precision | false in a million subscription-days | p50 | p95 | ns an event |\n"
    "|---|---|---|---|---|---|---|\n"
)


def score_row(row: dict[str, Any]) -> str:
    """One line of the table."""
    recall = row["recall"]
    return (
        f"| `{row['detector']}` | {words.share(recall)} | {words.precision(row)} | {words.false_rate(row)} "
        f"| {words.span(recall['p50_s'])} | {words.span(recall['p95_s'])} "
        f"| {words.plain(row['nanoseconds_an_event'])} |\n"
    )


def score_of(detector: str) -> str:
    """What a detector's page quotes of the newest run: its row, and how it fared with each attack that names it."""
    found = next((result for result in newest_results() if result["benchmark"] == "lab_score"), None)
    row = next((one for one in found["figures"]["detectors"] if one["detector"] == detector), None) if found else None
    if found is None or row is None:
        return ""
    told = found["figures"]
    how = "[how](../../how-to/measure-detectors.md)"
    text = f"\n## Measured\n\n{words.played(told)} ({how}).\n\n{SCORE_HEAD}{score_row(row)}"
    lines = [
        f"| `{attack['attack']}` | {words.strength(attack)} | {words.share(one)} | {words.span(one['p50_s'])} "
        f"| {words.span(one['p95_s'])} |\n"
        for attack in told["attacks"] for name, one in attack["by_detector"].items()
        if name.partition("/")[0] == detector
    ]  # fmt: skip
    if lines:
        text += f"\n| attack | strength | recall | p50 | p95 |\n|---|---|---|---|---|\n{''.join(lines)}"
    return text


def false_alarms(results: list[dict[str, Any]]) -> str:
    """How many, of what, in how much honest life; and how soon attacks were seen."""
    found = next((result for result in results if result["benchmark"] == "false_alarms"), None)
    if found is None:
        return ""
    figures = found["figures"]
    days = f"{number(figures['subscriptions'])} subscriptions, {figures['days']} days"
    text = (
        "## False alarms\n\n[What counts as false, and how to read this](../explanation/false-alarms.md).\n\n"
        "| played | |\n|---|---|\n"
        f"| honest subscription-days | {number(figures['subscription_days'])}: {days} |\n"
        f"| events | {number(figures['events'])} |\n"
        f"| honest oddities on stage | {number(figures['oddities_on_stage'])} |\n"
        f"| attacks caught, missed | {figures['attacks_caught']}, {len(figures['attacks_missed'])} |\n"
    )
    for title, key in (
        ("False, by class", "false_by_class"),
        ("False, by use case", "false_by_use_case"),
        ("So, and harmless", "information_by_class"),
    ):
        rows = figures[key] or {"none": 0}
        text += f"\n| {title} | findings | in a million subscription-days |\n|---|---|---|\n"
        for name, count in sorted(rows.items(), key=lambda row: -row[1]):
            text += f"| `{name}` | {number(count)} | {number(count / figures['subscription_days'] * 1e6)} |\n"
    text += "\nAfter how many events of a victim an attack was found; of those on a whole group it is not counted.\n\n"
    text += "| attack | events |\n|---|---|\n"
    for name, events in figures["events_to_detection"].items():
        text += f"| `{name}` | {'' if events is None else number(events)} |\n"
    return text + f"\n{machine([found])}\n"


def table(results: list[dict[str, Any]]) -> str:
    """One row a bar, the rates behind the ratios, and on what it was measured."""
    if not results:
        return "_Not measured yet._\n"
    text = "| what | measured | wanted | |\n|---|---|---|---|\n"
    for result in results:
        for bar in result["bars"]:
            wanted = f"{'at most' if bar['at_most'] else 'at least'} {number(bar['bar'])}"
            if bar["aim"] is not None:
                wanted += f", aim {number(bar['aim'])}"
            met = "met" if bar["met"] else "**missed**"
            text += f"| {bar['what']} | {number(bar['measured'])} {bar['unit']} | {wanted} | {met} |\n"
    return text + "\n" + "".join(f"{line}\n" for line in [*rates(results), machine(results)])


PEERS = {
    "freeradius_sql": "in FreeRADIUS with PostgreSQL",
    "freeradius_detail": "in FreeRADIUS with detail files",
    "freeradius": "in FreeRADIUS that accepts all and stores nothing",
}


def rates(results: list[dict[str, Any]]) -> list[str]:
    """What each side did a second, where they were compared."""
    lines = []
    for result in results:
        figures = result["figures"]
        for kind, ours in figures.get("simward", {}).items():
            theirs = [
                f"{number(figures[name][kind]['per_second'])}/s {words}"
                for name, words in PEERS.items()
                if kind in figures.get(name, {})
            ]
            lines.append(f"{kind.capitalize()}: {number(ours['per_second'])}/s here, durable; {', '.join(theirs)}.  ")
    return lines


def machine(results: list[dict[str, Any]]) -> str:
    """The machine of the newest result."""
    newest = max(results, key=lambda result: str(result["measured_at"]))
    one = newest["machine"]
    return (
        f"Measured {newest['measured_at'][:10]} on {one['cores']} cores of {one['cpu']}, {one['memory_gib']:g} GiB, "
        f"{one['kernel']}, {one['disk']['file_system']}, Python {one['python']}"
        f"{', FreeRADIUS ' + one['freeradius'] if one.get('freeradius') else ''}."
    )


def number(value: float) -> str:
    """As people read it."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}".rstrip("0").rstrip(".")


if __name__ == "__main__":
    main()
