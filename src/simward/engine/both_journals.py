"""The gate's journal and the watch's, read as one: a row of findings comes after the inputs that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from simward.engine.journal import BEHAVIOUR, EVENTS, Journal, Layout, Row, Stop, poll_rows
from simward.engine.watching.own_inputs import VERDICT, OwnInput

Gate = TypeVar("Gate", bound=Journal)
WATCH_FOLDER, JOURNAL_FOLDER = "watch", "journal"
VERDICT_OCTETS_MOST = 16_384
"""A day's fit is larger by its tables alone: it need not be unpacked to know that it is no verdict."""


def watch_folder(data_dir: Path) -> Path:
    """Where the watch keeps what is its own."""
    return data_dir / WATCH_FOLDER


def findings_folder(data_dir: Path) -> Path:
    """Where the journal of its findings is."""
    return watch_folder(data_dir) / JOURNAL_FOLDER


class BothJournals(Generic[Gate]):
    """What a reader of recorded outputs needs of a journal, from two of them. Nothing can be appended.

    The texts and names that a finding uses are known from the gate's rows by the time it comes.
    """

    def __init__(
        self, gate: Gate, watch: Journal, gate_told: int = 0, watch_told: int = 0, *, outputs_max: int | None = None,
        with_verdicts: bool = False,
    ) -> None:  # fmt: skip
        """What a reader has taken before, up to these sequences, `more` leaves out.

        `with_verdicts`: rows in which people judged findings of behaviour come as well, in their place.

        `outputs_max`: the gate's rows of events come in parts that have about as many outputs at most; a part is cut
        between two inputs, always at the same, and `told` may say the end of any.
        """
        self.gate, self._watch, self._outputs_max, self._with_verdicts = gate, watch, outputs_max, with_verdicts
        self._gate_told, self._watch_told = gate_told, watch_told

    @property
    def told(self) -> tuple[int, int]:
        """The last sequences that were given: of the gate's journal, and of the watch's."""
        return self._gate_told, self._watch_told

    def more(self) -> Iterator[Row]:
        """The rows after `told`, up to now."""
        return self._more()

    @property
    def layouts(self) -> Mapping[str, Layout]:
        """Every layout that a row of either names."""
        return {**self._watch.layouts, **self.gate.layouts}

    def manifest(self, kernel: str) -> dict[str, Any]:
        """What was registered for a kernel, in whichever of the two."""
        return self.gate.manifest(kernel) or self._watch.manifest(kernel)

    def rows(self, of_gate: Iterator[Row] | None = None) -> Iterator[Row]:
        """Every row of both, up to now; of the gate's only those `of_gate` where they are given (in order)."""
        self._gate_told = self._watch_told = 0
        return self._more(of_gate)

    def follow(self, *, poll_s: float = 0.05, stop: Stop | None = None) -> Iterator[Row]:
        """The rows that `rows` has not given yet, and then each new one soon after it is durable."""
        return poll_rows(lambda _: self._more(), 0, poll_s, stop)

    def _more(self, of_gate: Iterator[Row] | None = None) -> Iterator[Row]:
        findings = self._findings()
        waiting = next(findings, None)
        for row in self._parts(of_gate if of_gate is not None else self.gate.rows(after=self._gate_told)):
            # Of the gate's rows there may be some only: what was found at one that is not here comes before the next.
            while waiting is not None and waiting.last < row.first:
                self._watch_told = waiting.last
                yield waiting
                waiting = next(findings, None)
            self._gate_told = row.last
            yield row
            while waiting is not None and waiting.last <= self._gate_told:
                self._watch_told = waiting.last
                yield waiting
                waiting = next(findings, None)
        while waiting is not None and waiting.last <= self._gate_told:
            self._watch_told = waiting.last
            yield waiting
            waiting = next(findings, None)

    def _parts(self, rows: Iterator[Row]) -> Iterator[Row]:
        told = self._gate_told
        for row in rows:
            if self._outputs_max is None or row.kind != EVENTS:
                yield row
            else:
                layout = self.gate.layouts.get(row.layout)
                yield from (part for part in parts_of(row, layout, self._outputs_max) if part.last > told)

    @property
    def newest_at(self) -> int:
        """The gate's clock (us UTC) at its newest row; 0 where there is none."""
        last = self.gate.last
        newest = next(iter(self.gate.rows(after=last - 1)), None) if last else None
        return newest.at if newest is not None else 0

    def verdicts(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """When (us UTC) people judged findings of behaviour, and what they said (own_inputs.VERDICT), in order."""
        return verdicts_in(self._watch)

    def _findings(self) -> Iterator[Row]:
        """The watch's rows cut into one for each input that something was found at: a row covers all that was folded
        at a time, and its first finding belongs before what happened after it.
        """
        for row in self._watch.rows(after=self._watch_told):
            if self._with_verdicts and verdict_in(row) is not None:
                yield row
            outputs = np.frombuffer(row.outputs, self._watch.layouts[row.layout].outputs)
            for sequence in np.unique(outputs["sequence"]).tolist():
                if sequence > self._watch_told:
                    part = outputs[outputs["sequence"] == sequence]
                    yield replace(row, first=sequence, count=1, outputs=part.tobytes())


def verdicts_in(watch: Journal) -> Iterator[tuple[int, dict[str, Any]]]:
    """The verdicts of people in the watch's journal, each with when it was taken (us UTC), in order."""
    for row in watch.rows():
        said = verdict_in(row)
        if said is not None:
            yield row.at, said


def verdict_in(row: Row) -> dict[str, Any] | None:
    """What a person said of a finding of behaviour (own_inputs.VERDICT); None where a row is no such thing."""
    if row.kind != BEHAVIOUR or len(row.inputs) > VERDICT_OCTETS_MOST:
        return None
    one = OwnInput.from_bytes(row.inputs)
    return one.said if one.kind == VERDICT else None


def parts_of(row: Row, layout: Layout | None, outputs_max: int) -> Iterator[Row]:
    """A row of events as several that follow on, with about `outputs_max` outputs each: more where one input has more.

    The texts of the row come with the first. A row whose `layout` is not known (None) comes whole.
    """
    if layout is None or len(row.outputs) <= outputs_max * layout.outputs.itemsize:
        yield row
        return
    outputs = np.frombuffer(row.outputs, layout.outputs)
    ends = np.unique(np.sort(outputs["sequence"])[outputs_max - 1 :: outputs_max]).tolist()
    first, notes, octets = row.first, row.notes, len(row.inputs) // row.count
    for end in ends if ends[-1] == row.last else [*ends, row.last]:
        inside = (outputs["sequence"] >= first) & (outputs["sequence"] <= end)
        yield replace(
            row, first=first, count=end - first + 1, notes=notes, outputs=outputs[inside].tobytes(),
            inputs=row.inputs[(first - row.first) * octets : (end - row.first + 1) * octets],
        )  # fmt: skip
        first, notes = end + 1, {name: said for name, said in row.notes.items() if name == "commands"}
