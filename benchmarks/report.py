"""Results as JSON with the machine described, bars beside what was measured, and one screen of summary."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Bar:
    """One promise: `measured` must be at least (or at most) `bar`; `aim` is what would please."""

    what: str
    measured: float
    bar: float
    unit: str
    at_most: bool = False
    aim: float | None = None

    @property
    def met(self) -> bool:
        """Whether the promise holds."""
        return self.measured <= self.bar if self.at_most else self.measured >= self.bar

    def line(self) -> str:
        """For people."""
        word = "at most" if self.at_most else "at least"
        aim = f", aim {_number(self.aim)}" if self.aim is not None else ""
        mark = "met   " if self.met else "MISSED"
        return f"  {mark} {self.what}: {_number(self.measured)} {self.unit} ({word} {_number(self.bar)}{aim})"


def save(
    name: str, question: str, figures: Mapping[str, object], bars: Sequence[Bar], folder: Path, *, quick: bool
) -> dict[str, object]:
    """Write `results/NAME.json` (a quick run writes nothing), print the summary, return what was written."""
    result: dict[str, object] = {
        "benchmark": name,
        "question": question,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": {**machine.describe(folder), "load_average_at_end": machine.load_average()},
        "bars": [
            {
                "what": bar.what, "measured": round(bar.measured, 4), "bar": bar.bar, "aim": bar.aim, "unit": bar.unit,
                "at_most": bar.at_most, "met": bar.met,
            }
            for bar in bars
        ],
        "figures": rounded(figures),
    }  # fmt: skip
    if not quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"{name}: {question}")
    for bar in bars:
        print(bar.line())
    return result


def rounded(value: object) -> object:
    """Floats to five significant digits: more would pretend."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, Mapping):
        return {str(key): rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return value


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".")
