"""An acknowledgement waits for the sync: whenever the power goes, each acknowledged row is there, once, in order."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from simward.engine.journal import Row
from simward.engine.snapshot import newest_snapshot
from simward.engine.sqlite_journal import SqliteJournal
from simward.errors import JournalError, NotDurableError

sys.path.insert(0, str(Path(__file__).parent))

from power import Disk, read_record
from writing import SMALL, row

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or sys.platform != "linux":
        pytest.skip("the fault layer needs Linux and a C compiler (Debian: gcc, libc6-dev)")
    built = tmp_path_factory.mktemp("layer") / "power.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(built), str(HERE / "power.c"), "-ldl", "-lpthread"]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"the fault layer does not compile here: {made.stderr[:200]}")
    return built


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one: the layer's record says what is durable, so no real sync is needed."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as made:
        yield Path(made).resolve()


@pytest.fixture
def seed() -> int:
    """Another one each time; `SIMWARD_SEED` repeats a failure."""
    chosen = int(os.environ.get("SIMWARD_SEED") or random.SystemRandom().randrange(1 << 30))
    print(f"SIMWARD_SEED={chosen}")
    return chosen


def run(layer: Path, folder: Path, record: Path, code: list[str], fail_one_in: int = 0, seed: int = 1) -> int:
    """Run a process whose changes below `folder` are recorded."""
    environment = {
        **os.environ, "LD_PRELOAD": str(layer),
        "SIMWARD_POWER_FOLDER": str(folder), "SIMWARD_POWER_RECORD": str(record),
        "SIMWARD_POWER_FAIL": str(fail_one_in), "SIMWARD_POWER_SEED": str(seed),
    }  # fmt: skip
    return subprocess.run([sys.executable, *code], env=environment, timeout=120).returncode


def writing(folder: Path, rows: int, seed: int, *more: str) -> list[str]:
    return [str(HERE / "writing.py"), str(folder), str(rows), str(seed), *more]


def what_is_wrong(folder: Path, acknowledged: int) -> str:
    """Open the journal that a cut left, as a gate would; what is not as promised, or nothing."""
    try:
        journal = SqliteJournal.open(folder, **SMALL)
    except (JournalError, NotDurableError, TypeError, ValueError) as error:  # whatever damaged pages lead to
        return f"does not open: {error}"
    try:
        expected = 1
        for found in journal.rows():
            if found != row(expected):
                return f"row {expected} is not what was written"
            expected = found.last + 1
        if journal.last != expected - 1:
            return f"claims {journal.last}, holds {expected - 1}"
        if journal.last < acknowledged:
            return f"acknowledged {acknowledged}, kept {journal.last}"
        journal.append(row(journal.last + 1))
        verified = journal.verify()
        return verified.reason if verified.wrong or verified.last != journal.last else ""
    except (JournalError, NotDurableError, TypeError, ValueError) as error:
        return str(error)
    finally:
        journal.close()


def cuts(disk: Disk, record: Path, places: Path, chance: random.Random, count: int) -> list[str]:
    """Cut the power at `count` random moments of a record, each in three ways; what went wrong where."""
    changes = read_record(record)
    moments = set(chance.choices(range(len(changes) + 1), k=count))
    wrong = []
    for moment in range(len(changes) + 1):
        if moment in moments:
            left = places / "left"
            for keep in (0.0, 0.5, 1.0):
                left.mkdir(parents=True)
                disk.cut(left, chance, keep)
                said = what_is_wrong(left, disk.acknowledged)
                if said:
                    wrong.append(f"change {moment} of {len(changes)}, {keep:.0%} of the unsynced kept: {said}")
                shutil.rmtree(left)
        if moment < len(changes):
            disk.apply(changes[moment])
    return wrong


def prepared(place: Path) -> tuple[Path, Disk, Path]:
    folder = place / "journal"
    folder.mkdir()
    return folder, Disk(folder), place / "record"


def test_acknowledged_rows_survive_a_power_cut_at_any_moment(layer: Path, place: Path, seed: int) -> None:
    folder, disk, record = prepared(place)
    assert run(layer, folder, record, writing(folder, 150, seed)) == 0
    assert run(layer, folder, record, writing(folder, 60, seed + 1)) == 0
    assert len(list(folder.glob("*.sqlite"))) >= 3, "the cuts reach changes of segments"
    assert not cuts(disk, record, place / "cut", random.Random(seed), 25)
    assert disk.acknowledged > 3000


def test_the_layer_can_tell_an_unsynced_journal(layer: Path, place: Path, seed: int) -> None:
    folder, disk, record = prepared(place)
    assert run(layer, folder, record, writing(folder, 100, seed, "--without-sync")) == 0
    wrong = cuts(disk, record, place / "cut", random.Random(seed), 10)
    assert len(wrong) > 5, "rows that were acknowledged are lost, or their pages are damaged"


def test_a_sync_that_fails_is_not_believed_later(layer: Path, place: Path, seed: int) -> None:
    """Linux forgets what it could not write: a log that reads well from memory may never be on the disk."""
    folder, disk, record = prepared(place)
    ended = [run(layer, folder, record, writing(folder, 60, seed + turn), 6, seed + turn) for turn in range(6)]
    print("processes ended with", ended)
    assert run(layer, folder, record, writing(folder, 20, seed)) == 0
    assert not cuts(disk, record, place / "cut", random.Random(seed), 20)
    assert disk.acknowledged > 500


def test_a_journal_that_survived_a_cut_survives_the_next(layer: Path, place: Path, seed: int) -> None:
    chance = random.Random(seed)
    folder, disk, record = prepared(place)
    for turn in range(4):
        assert run(layer, folder, record, writing(folder, 50, seed + turn)) == 0
        changes = read_record(record)
        for change in changes[: chance.randrange(len(changes))]:
            disk.apply(change)
        acknowledged = disk.acknowledged
        folder = place / f"after-{turn}"
        folder.mkdir()
        disk.cut(folder, chance, 0.5)
        record.unlink()
        disk = Disk(folder)
        disk.acknowledged = acknowledged
    assert not what_is_wrong(folder, disk.acknowledged)


SNAPSHOTS = """
import os, sys
import numpy as np
from pathlib import Path
from simward.engine.snapshot import write_snapshot
folder = Path(sys.argv[1])
promises = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT, 0o600)
for sequence in range(1, 6):
    write_snapshot(folder, sequence, "k", {"numbers": np.full(30_000, sequence)})
    os.pwrite(promises, b"%20d" % sequence, 0)
"""


def test_a_snapshot_is_whole_or_not_there(layer: Path, place: Path, seed: int) -> None:
    folder, disk, record = prepared(place)
    assert run(layer, folder, record, ["-c", SNAPSHOTS, str(folder)]) == 0
    chance = random.Random(seed)
    changes = read_record(record)
    for moment, change in enumerate(changes):
        for keep in (0.0, 0.5):
            left = place / f"left-{moment}-{keep}"
            left.mkdir()
            disk.cut(left, chance, keep)
            damaged: list[str] = []
            found = newest_snapshot(left, damaged)
            assert not damaged
            assert (found.sequence if found else 0) >= disk.acknowledged
            assert found is None or np.array_equal(found.arrays["numbers"], np.full(30_000, found.sequence))
        disk.apply(change)
    assert disk.acknowledged == 5


def test_rows_of_the_writing_process_are_known_here() -> None:
    assert isinstance(row(1), Row) and row(5) == row(5) != row(6)
