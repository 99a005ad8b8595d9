"""What every connector is: it takes an event to one endpoint, once, within a deadline, and says what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from simward.connectors.cloudevents import Event


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt. `status` is that of HTTP, None where there was no answer; `error` says why not."""

    status: int | None = None
    error: str = ""
    retry_after_s: int | None = None
    """How long the receiver asks us to wait."""

    @property
    def delivered(self) -> bool:
        """Did the receiver take it? Standard Webhooks: 2xx, nothing else."""
        return self.status is not None and 200 <= self.status <= 299


class Connector(Protocol):
    """Several attempts may be under way at once."""

    async def send(self, event: Event, at: int) -> Outcome:
        """One attempt at `at` (us UTC). Whatever the peer does is an Outcome; nothing is raised but cancellation."""

    async def aclose(self) -> None:
        """Give connections back."""
