"""A registry in a folder of its own, and what happens in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from response.happening import Happening
from simward.registry.database import Registry, sqlite_url


@pytest.fixture
def registry(tmp_path: Path, migrated: Path) -> Iterator[Registry]:
    """SQLite, migrated."""
    shutil.copy(migrated, tmp_path)
    opened = Registry.open(sqlite_url(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def happening(registry: Registry) -> Happening:
    """Facts to tell."""
    return Happening(registry)
