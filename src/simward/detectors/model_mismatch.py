"""What a device reports does not go with its model.

**What it sees.** The owner's table of models, `models.csv` (none is shipped): for a TAC, the name of the model and
the radio technologies that it can use.

- `rat`: it uses a technology that the model cannot use, as a NB-IoT meter's IMEI on LTE.
- `declared-model`: the inventory declares a device of another model for this subscription. Not said where the use
  case binds by declaration, since `device-change` says it there.

**Why it matters.** An IMEI can be written to any device; the radio cannot. A meter's identity on a technology that
the meter does not have is a copy.

**What it misses.** Models that the table does not list. A copy on a device of equal abilities.

**Likely false alarms.** A table that leaves out a technology; a model that was sold with several modems under one
TAC.

**What to do.** Compare the table with the maker's data sheet. If it is right, treat the device as a copy.
"""

from simward.detectors.detector import HIGH, NO_OPINION, QUIET, Detector, Knob
from simward.detectors.facts import NONE, NOT_REPORTED

DETECTOR = Detector(
    id="model-mismatch",
    runs="gate",
    scope="subscription",
    severity=HIGH,
    evidence={"rat": "rat", "declared-model": "imei"},
)
CLASSES = ("rat", "declared-model")
CLASS_RAT, CLASS_DECLARED_MODEL = 1, 2
MODE_DECLARED = 2
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob(
        "binding", "u1", path="binding.mode", kind="choice",
        values={"none": 0, "first-use": 1, "declared": 2, "model": 3, "pool": 4}, doc="How it is bound.",
    ),
]


def judge(memory, subscription, event, knobs, evidence, around):  # type: ignore[no-untyped-def]
    """A device that is not reported, or not listed, says nothing."""
    if event.imei == NOT_REPORTED or around.model == NONE:
        return NO_OPINION
    if around.model_rats != NONE and 0 < event.rat < 63 and not (around.model_rats >> event.rat) & 1:
        evidence.was, evidence.now = subscription.rat, event.rat
        return CLASS_RAT
    other = around.declared_model != NONE and around.declared_model != around.model
    if other and knobs.binding != MODE_DECLARED:
        evidence.now, evidence.expected = event.imei, subscription.declared_imei
        return CLASS_DECLARED_MODEL
    return NO_OPINION if event.rat == NOT_REPORTED and around.model_rats != NONE else QUIET
