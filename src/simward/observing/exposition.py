"""The text form in which Prometheus reads metrics: families, histograms, and how their samples are written.

Version 0.0.4 of the format (prometheus.io/docs/instrumenting/exposition_formats). Names follow its conventions: a
counter ends in `_total`, a unit is a base unit and stands in the name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Histogram:
    """Counts by upper bound."""

    def __init__(self, bounds: Sequence[float], unit: float = 1.0) -> None:
        """`bounds` ascend; `unit` is what one of them is, in the unit of the metric's name."""
        self._bounds, self._unit = tuple(bounds), unit
        self._counts = [0] * (len(bounds) + 1)
        self._sum: float = 0

    def add(self, value: float) -> None:
        """Count one value, in the unit of the bounds."""
        place = 0
        for bound in self._bounds:
            if value <= bound:
                break
            place += 1
        self._counts[place] += 1
        self._sum += value

    def lines(self, name: str, labels: str = "") -> Iterable[str]:
        """The Prometheus form: cumulative buckets, sum and count; `labels` as `labelled` writes them."""
        total, before = 0, f"{labels}," if labels else ""
        braced = f"{{{labels}}}" if labels else ""
        for bound, count in zip(self._bounds, self._counts, strict=False):
            total += count
            yield f'{name}_bucket{{{before}le="{bound * self._unit:g}"}} {total}'
        total += self._counts[-1]
        yield f'{name}_bucket{{{before}le="+Inf"}} {total}'
        yield f"{name}_sum{braced} {self._sum * self._unit:g}"
        yield f"{name}_count{braced} {total}"


@dataclass(frozen=True)
class Family:
    """One metric: its whole name, what it means in a sentence, and the names of its labels."""

    name: str
    about: str
    labels: tuple[str, ...] = ()
    histogram: bool = False

    @property
    def kind(self) -> str:
        """As a TYPE line says it."""
        return "histogram" if self.histogram else "counter" if self.name.endswith("_total") else "gauge"


Labels = tuple[str, ...]
"""The values of a family's labels, in their order."""
Values = Mapping[str, Mapping[Labels, float | Histogram]]
"""Name of a family -> what it says for each values of its labels; () where it has none."""


def text_of(families: Iterable[Family], values: Values) -> str:
    """Families with their samples; one without any still says that it exists."""
    lines: list[str] = []
    for one in families:
        lines += [f"# HELP {one.name} {_escaped(one.about)}", f"# TYPE {one.name} {one.kind}"]
        for of, value in values.get(one.name, {}).items():
            labels = labelled(one.labels, of)
            if isinstance(value, Histogram):
                lines += value.lines(one.name, labels)
            else:
                lines.append(f"{one.name}{f'{{{labels}}}' if labels else ''} {float(value):.15g}")
    return "".join(f"{line}\n" for line in lines)


def labelled(names: Labels, values: Labels) -> str:
    """Labels without their braces."""
    return ",".join(f'{name}="{_escaped(value, quoted=True)}"' for name, value in zip(names, values, strict=True))


def _escaped(text: str, *, quoted: bool = False) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if quoted else text
