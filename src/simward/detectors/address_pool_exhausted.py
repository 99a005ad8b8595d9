"""A segment has no address left for a subscription that has none yet.

**What it sees.** Each subscription gets one address of its segment's pool at its first allowed request, and keeps it.
When the last is given, the next newcomer cannot be served.

- `exhausted`: every address of the pool belongs to a subscription, or to a session that is not over; `was` is how many
  there are.

**Why it matters.** An address that is given twice makes two devices one, for the application and for every later
question of who it was. So a newcomer is refused rather than given a used address, unless policy says otherwise.

**What it misses.** A pool that is nearly full.

**Likely false alarms.** None known. Addresses of subscriptions that were removed from the inventory are used again, as
soon as it is certain that their sessions are over (metric `addresses_withheld`).

**What to do.** Give the segment a larger pool (`simward plan` shows who is affected), or remove retired subscriptions.
"""

from simward.detectors.detector import HIGH, QUIET, REFUSE, Detector

DETECTOR = Detector(
    id="address-pool-exhausted",
    runs="gate",
    scope="segment",
    severity=HIGH,
    evidence={"*": "count"},
    default_response=REFUSE,
)
CLASSES = ("exhausted",)
CLASS_EXHAUSTED = 1
MEMORY: list[tuple[str, str]] = []
KNOBS: list[object] = []


def judge(memory, segment, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judged when a subscription without an address asks for one."""
    if segment.left > 0:
        return QUIET
    evidence.was, evidence.now = segment.given, 0
    return CLASS_EXHAUSTED
