"""What the gate recorded, read back the way others read it: `simward findings --json` and the journal."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simward.engine import events as ev
from simward.engine import outputs as out
from simward.engine.journal import EVENTS, row_events, row_outputs
from simward.engine.sqlite_journal import SqliteJournal
from simward.identity import imsi_text
from simward.lab.gate_process import findings
from simward.lab.scripts import Found

PROOFS_WITHIN_S = 5.0
"""The answer to a Disconnect-Request is journalled with one of the gate's next batches."""

OF_HOW_OFTEN = frozenset({"signalling-storm", "retry-storm", "synchronised-reconnect", "too-chatty"})
"""What these find is true of the packets as they are sent, days within seconds, and not of the fleet's days."""


@dataclass
class Record:
    """Findings, the proofs of disconnects by IMSI, and how many events of each kind the journal holds."""

    findings: list[Found] = field(default_factory=list)
    """Those by which a scene is judged: without `squeezed` further ones that say how often something connected."""
    squeezed: int = 0
    proofs: dict[str, list[str]] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)

    def of(self, imsi: str) -> list[Found]:
        """The findings about one subscription."""
        return [one for one in self.findings if one.imsi == imsi]


def read_record(folder: Path, proofs: int = 0) -> Record:
    """Everything that scenes are judged by; waits a while until the journal holds so many proofs of disconnects."""
    deadline = time.monotonic() + PROOFS_WITHIN_S
    record = _journal_record(folder)
    while sum(len(some) for some in record.proofs.values()) < proofs and time.monotonic() < deadline:
        time.sleep(0.1)
        record = _journal_record(folder)
    found = [_found(one) for one in findings(folder)]
    record.findings = [one for one in found if one.detector not in OF_HOW_OFTEN]
    record.squeezed = len(found) - len(record.findings)
    return record


def _journal_record(folder: Path) -> Record:
    record = Record()
    journal = SqliteJournal.open(folder / "data" / "journal", writer=False)
    try:
        for row in journal.rows():
            if row.kind == EVENTS:
                kinds = row_events(row, journal.layouts)["kind"]
                record.events.update(ev.KIND_NAMES.get(int(kind), "other") for kind in kinds)
            for output in row_outputs(row, journal.layouts):
                _note(record, output)
    finally:
        journal.close()
    return record


def _found(one: dict[str, Any]) -> Found:
    return Found(
        imsi=one["imsi"] or "", detector=one["detector"], kind=one["class"], response=one["response"] or "",
        held=one["held"] or "", gateway=one.get("gateway") or "",
    )  # fmt: skip


def _note(record: Record, output: Any) -> None:
    kind = int(output["kind"])
    if kind == out.EFFECT_PROOF:
        proof = ev.EFFECT_RESULT_NAMES[int(output["result"])]
        record.proofs.setdefault(imsi_text(int(output["imsi"])), []).append(proof)
    elif kind == out.VERDICT:
        record.verdicts[out.VERDICT_NAMES[int(output["verdict"])]] += 1
