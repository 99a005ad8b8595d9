"""The `story` fixture: a fleet of four meters under a policy that watches."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from story import Story


@pytest.fixture
def story() -> Story:
    """A fleet of four meters that bind by first use, under a policy that only observes."""
    return Story()
