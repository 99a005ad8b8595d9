"""Bars as inline SVG: one a day, stacked, with a mark for what really was; text alone, and every name escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

BAR, GAP, HEIGHT = 18, 6, 160
LEFT, TOP, BOTTOM, RIGHT = 56, 12, 44, 12
STEPS = (1, 2, 5)
LABELS_MOST = 10


class Bar(NamedTuple):
    """One day: counts by series, from the bottom up, and what they are to be held against."""

    label: str
    counts: Mapping[str, int]
    mark: int


def bars(title: str, description: str, series: Sequence[str], days: Sequence[Bar], name: str) -> str:
    """A chart; `series` are classes of the style sheet as well, `name` is unique in the page."""
    most = max((max(sum(day.counts.values()), day.mark) for day in days), default=0)
    top = nice(most)
    width = LEFT + len(days) * (BAR + GAP) + RIGHT
    parts = [
        f'<svg class="bars" role="img" aria-labelledby="{name}-title {name}-description" viewBox="0 0 {width} '
        f'{TOP + HEIGHT + BOTTOM}" width="{width}" height="{TOP + HEIGHT + BOTTOM}">',
        f'<title id="{name}-title">{escape(title)}</title>',
        f'<desc id="{name}-description">{escape(description)}</desc>',
        *_grid(top, width),
    ]
    every = -(-len(days) // LABELS_MOST) or 1
    for number, day in enumerate(days):
        left = LEFT + number * (BAR + GAP) + GAP // 2
        parts += _bar(left, top, series, day)
        if number % every == 0:
            parts.append(
                f'<text class="label" x="{left + BAR / 2:g}" y="{TOP + HEIGHT + 16}" text-anchor="middle">'
                f"{escape(day.label[5:])}</text>"
            )
    return "\n".join([*parts, "</svg>"])


def _bar(left: int, top: int, series: Sequence[str], day: Bar) -> list[str]:
    said = ", ".join(f"{one} {day.counts.get(one, 0):,}" for one in series)
    parts = [f"<g><title>{escape(f'{day.label}: {said}; really {day.mark:,}')}</title>"]
    under = 0.0
    for one in series:
        count = day.counts.get(one, 0)
        if not count:
            continue
        tall = max(HEIGHT * count / top, 1.0)
        under += tall
        parts.append(
            f'<rect class="{escape(one)}" x="{left}" y="{TOP + HEIGHT - under:.2f}" width="{BAR}" height="{tall:.2f}"/>'
        )
    if day.mark:
        at = TOP + HEIGHT * (1 - day.mark / top)
        parts.append(f'<line class="mark" x1="{left - 2}" x2="{left + BAR + 2}" y1="{at:.2f}" y2="{at:.2f}"/>')
    return [*parts, "</g>"]


def _grid(top: int, width: int) -> list[str]:
    parts = []
    for part in range(5):
        value = top * part / 4
        at = TOP + HEIGHT * (1 - part / 4)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{width - RIGHT}" y1="{at:g}" y2="{at:g}"/>')
        if value == int(value):
            parts.append(f'<text class="label" x="{LEFT - 6}" y="{at + 4:g}" text-anchor="end">{int(value):,}</text>')
    return parts


def nice(most: int) -> int:
    """The end of a scale that reaches `most`: 1, 2 or 5 with zeros behind, and at least 4."""
    power = 1
    while True:
        for step in STEPS:
            if step * power >= max(most, 4):
                return step * power
        power *= 10
