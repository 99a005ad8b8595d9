"""A gateway says that it has started, or is about to stop: every session that it held is over.

**What it sees.** Accounting-On and Accounting-Off (RFC 2866 5.1). The gateway's epoch is raised: sessions of an older
epoch count as closed, without a Stop for each.

- `accounting-on`: the gateway came up; `was` is how many sessions it held until then.
- `accounting-off`: the gateway announces that it goes down; the Accounting-On that follows is the same restart.

**Why it matters.** Ten thousand sessions that vanish at once are a restart, not ten thousand thefts. This one finding
explains them all, and no subscription gets a finding for its missing Stop.

**What it misses.** A gateway that crashes and comes back without telling anybody.

**Likely false alarms.** None known; a retransmitted Accounting-On is recognised and changes nothing.

**What to do.** Nothing if it was planned. If it recurs, ask the operator.
"""

from simward.detectors.detector import LOW, NO_OPINION, Detector
from simward.detectors.facts import ACCOUNTING_OFF, ACCOUNTING_ON

DETECTOR = Detector(
    id="gateway-restarted", runs="gate", scope="gateway", severity=LOW, evidence={"*": "count"}, momentary=True
)
CLASSES = ("accounting-on", "accounting-off")
CLASS_ON, CLASS_OFF = 1, 2
MEMORY = [("restarts", "i4"), ("announced", "i4")]
KNOBS: list[object] = []


def judge(memory, gateway, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judged before the epoch is raised, so that `sessions` still counts what is about to be closed."""
    if event.kind != ACCOUNTING_ON and event.kind != ACCOUNTING_OFF:
        return NO_OPINION
    announced = memory.announced
    memory.announced = 1 if event.kind == ACCOUNTING_OFF else 0
    if announced and event.kind == ACCOUNTING_ON and gateway.started == 0:
        return NO_OPINION  # the other half of a restart that was announced
    memory.restarts += 1
    evidence.was, evidence.now = gateway.sessions, 0
    return CLASS_ON if event.kind == ACCOUNTING_ON else CLASS_OFF
