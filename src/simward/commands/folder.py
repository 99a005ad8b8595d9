"""The folder that a command works on, and the gate that may be running in it."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simward.errors import PeerError, RefusedError, UsageError

if TYPE_CHECKING:
    from simward.commands.server import Server
    from simward.engine.both_journals import BothJournals
    from simward.engine.journal import Journal
    from simward.history.whole import WholeJournal
    from simward.settings import Settings

ANSWER_WITHIN_S = 30.0


@dataclass(frozen=True)
class Folder:
    """Paths under `--dir`, and what is opened from them."""

    path: Path

    @property
    def data(self) -> Path:
        """Where the journal, snapshots and the gate's socket are."""
        return self.path / "data"

    @property
    def journal_folder(self) -> Path:
        """Where the journal's segments are."""
        return self.data / "journal"

    @property
    def policies(self) -> Path:
        """The owner's policy files."""
        return self.path / "policies"

    @property
    def called(self) -> str:
        """How a command about this folder begins; --dir only where it is not the folder that one stands in."""
        return "simward" if self.path == Path() else f"simward --dir {shlex.quote(str(self.path))}"

    def settings(self) -> Settings:
        """simward.toml, checked; raises ConfigurationError with all its problems."""
        from simward.settings import Settings

        self.must_be_one()
        return Settings.load(self.path)

    def must_be_one(self) -> None:
        """Say what to do where this is no working folder."""
        if not (self.path / "simward.toml").is_file():
            raise UsageError(
                f"{self.path} has no simward.toml.\n"
                f"Make a working folder with `simward --dir {self.path} init`, or name another with --dir."
            )

    @contextlib.contextmanager
    def reading(self) -> Iterator[WholeJournal]:
        """History and journal as one, open for reading beside a running gate."""
        from simward.history.whole import WholeJournal

        self.must_be_one()
        journal = WholeJournal.open(self.data)
        try:
            yield journal
        finally:
            journal.close()

    @contextlib.contextmanager
    def reading_both(self) -> Iterator[BothJournals[WholeJournal]]:
        """The gate's journal and the watch's as one: for readers of findings."""
        from simward.engine.both_journals import BothJournals

        with self.reading() as journal, self.reading_findings() as found:
            yield BothJournals(journal, found)

    @contextlib.contextmanager
    def reading_findings(self) -> Iterator[Journal]:
        """The watch's own journal; empty where no watch ever ran."""
        from simward.engine.both_journals import findings_folder
        from simward.engine.sqlite_journal import SqliteJournal

        with contextlib.closing(SqliteJournal.open(findings_folder(self.data), writer=False)) as journal:
            yield journal

    @contextlib.contextmanager
    def reading_records(self) -> Iterator[Journal]:
        """The journal of call detail records; empty where none were ever imported."""
        from simward.engine.call_records import records_folder
        from simward.engine.sqlite_journal import SqliteJournal

        with contextlib.closing(SqliteJournal.open(records_folder(self.data), writer=False)) as journal:
            yield journal

    def gate_runs(self) -> bool:
        """Does a gate answer on the command socket?"""
        from simward.gate_socket import is_running

        return is_running(self.data)

    def needs_gate(self) -> None:
        """Say what to do where no gate is running."""
        self.must_be_one()
        if not self.gate_runs():
            raise PeerError(f"no gate is running in {self.path}.\nStart one with `simward --dir {self.path} serve`.")

    @property
    def server(self) -> Server | None:
        """The control plane elsewhere that is asked instead (--server)."""
        return None

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, within_s: float = ANSWER_WITHIN_S
    ) -> dict[str, Any]:
        """Ask the control process; PeerError where it cannot answer, RefusedError where it decided against it."""
        from simward.commands import through_control

        self.must_be_one()
        return through_control.ask(self.data, self.called, method, path, body, within_s=within_s)

    def command(self, path: str, asked: dict[str, Any], within_s: float = ANSWER_WITHIN_S) -> dict[str, Any]:
        """POST to the control process, which asks the gate; its answer, as `ask_gate` gives it."""
        self.needs_gate()
        return {"ok": True, **self.ask("POST", path, asked, within_s)}

    def ask_gate(self, request: dict[str, Any], within_s: float = ANSWER_WITHIN_S) -> dict[str, Any]:
        """Send one request to the running gate and give its answer; PeerError where it says no or says nothing."""
        from simward.gate_socket import DECIDED, ask

        self.needs_gate()
        answer = ask(self.data, request, timeout_s=within_s)
        if answer.get("ok"):
            return answer
        error = f"the gate says: {answer.get('error', 'no, without a reason')}"
        raise RefusedError(error) if answer.get("result") in DECIDED else PeerError(error)
