"""What every test may rely on: quiet hypothesis profiles, and outside tools whose absence is a visible skip."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from postgresql import Server, is_installed
from simward.registry.database import FILE_NAME, Registry, sqlite_url

# The first example may compile; an example's time says nothing here. Derandomised: a red build is red twice.
settings.register_profile(
    "default",
    deadline=None,
    max_examples=50,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("search", parent=settings.get_profile("default"), derandomize=False, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay to the end: the collector of garbage need not walk them again and again."""
    gc.collect()
    gc.freeze()


def _tool(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: {package})")
    return found


@pytest.fixture
def repository() -> Path:
    """The folder of this working copy."""
    return REPOSITORY


@pytest.fixture
def radclient() -> str:
    """FreeRADIUS's client: a peer that nobody here wrote."""
    return _tool("radclient", "freeradius-utils")


@pytest.fixture
def tshark() -> str:
    """Wireshark's decoder: a reader that nobody here wrote."""
    return _tool("tshark", "tshark")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server for this run."""
    if not is_installed():
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite registry with today's tables, to be copied: making them takes longer than most tests."""
    folder = tmp_path_factory.mktemp("migrated")
    opened = Registry.open(sqlite_url(folder))
    opened.migrate()
    opened.close()
    assert [path.name for path in folder.iterdir()] == [FILE_NAME], "all of it is in the one file"
    return folder / FILE_NAME


@pytest.fixture(params=["sqlite", "postgresql"])
def registry(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Iterator[Registry]:
    """An empty registry with today's tables, in each of the databases that it may be in."""
    if request.param == "sqlite":
        shutil.copy(migrated, tmp_path)
        url: object = sqlite_url(tmp_path)
    else:
        url = request.getfixturevalue("postgresql").migrated_database()
    opened = Registry.open(url)
    yield opened
    opened.close()
