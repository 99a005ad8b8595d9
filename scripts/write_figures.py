#!/usr/bin/env python3
"""Write the table of measured figures in README.md from benchmarks/results, as they are, good or bad."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BEGIN = "<!-- figures: begin (`make bench` measures again and writes this table) -->\n"
END = "<!-- figures: end -->\n"


def main() -> None:
    """Put the newest results between the marks."""
    readme = ROOT / "README.md"
    results = [json.loads(path.read_text()) for path in sorted((ROOT / "benchmarks" / "results").glob("*.json"))]
    marked = re.compile(r"<!-- figures: begin.*?<!-- figures: end -->\n", re.DOTALL)
    readme.write_text(marked.sub(lambda _: BEGIN + table(results) + END, readme.read_text()))


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
