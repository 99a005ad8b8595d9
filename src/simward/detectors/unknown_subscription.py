"""A request for a subscription that is not in the inventory.

**What it sees.** The request's 3GPP-IMSI, or else its User-Name or Calling-Station-Id, matches no line of the
inventory.

- `not-in-inventory`: an identity was given, and nobody declared it.
- `no-identity`: the request carries nothing that could name a subscription.

**Why it matters.** What is not declared has no owner, no purpose and no limits. A forgotten test SIM and an intruder
look alike.

**What it misses.** A subscription that is in the inventory and should no longer be.

**Likely false alarms.** An inventory that is older than the last delivery of SIMs. Ask for the delivery list, then
`simward apply`.

**What to do.** Add the subscription to the inventory with a use case, or keep refusing it. `unknown_subscription` in
the settings says what happens meanwhile. The most recent 4,096 strangers are remembered, so each is one finding, not
one a packet.
"""

from simward.detectors.detector import MEDIUM, Detector
from simward.detectors.facts import NONE

DETECTOR = Detector(id="unknown-subscription", runs="gate", scope="stranger", severity=MEDIUM, evidence={"*": "imsi"})
CLASSES = ("not-in-inventory", "no-identity")
CLASS_NOT_IN_INVENTORY, CLASS_NO_IDENTITY = 1, 2
MEMORY = [("requests", "i4")]
KNOBS: list[object] = []


def judge(memory, stranger, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Whoever has no row in the inventory is a stranger; the class says whether it gave a name at all."""
    memory.requests += 1
    evidence.now = stranger.imsi
    return CLASS_NO_IDENTITY if stranger.imsi == NONE else CLASS_NOT_IN_INVENTORY
