"""A registry in a folder of its own, and what happens in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from response.happening import Happening
from simward.registry.database import Registry, sqlite_url


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """SQLite, migrated."""
    opened = Registry.open(sqlite_url(tmp_path))
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def happening(registry: Registry) -> Happening:
    """Facts to tell."""
    return Happening(registry)
