"""What a gate is forked from: imported in a process of one thread, it has the compiled code loaded before any fork.

The process of the tests would not do: others before have started threads in it, and what one of them holds at a fork
nobody gives back in the child.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

from gate.running import RunningGate
from simward.engine.sqlite_journal import SqliteJournal
from simward.gate.serve import assemble, serve, start_fold
from simward.settings import Settings


def serve_in(folder: Path, told: Connection) -> None:
    """Run the gate of `folder`; `told` gets what it says."""
    log = os.open(folder / "stderr.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 2)
    serve(Settings.load(folder), say=told.send)


def load_compiled_code() -> None:
    """Put a gate together once, and take it apart."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        settings = Settings.load(RunningGate(Path(folder) / "net", 1).folder)
        journal = SqliteJournal.open(settings.data_dir / "journal")
        closing.callback(journal.close)
        assemble(settings, journal, start_fold(settings, journal, str), closing, str)


load_compiled_code()
