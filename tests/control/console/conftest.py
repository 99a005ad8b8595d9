"""A console over the journals of a bad day, for all tests of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from control.assembled import recorded_day, running
from control.running import RunningControl


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    """Of which the tests change nothing but what is theirs alone."""
    control = running(recorded_day(tmp_path_factory.mktemp("console")))
    yield control
    control.close()
