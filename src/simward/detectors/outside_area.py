"""A device is outside the area that its use case names.

**What it sees.** For use cases with `mobility: {area: NAME}`. `cells.csv` says where cells (or whole tracking areas)
are; the finding says how far from the centre the device is, and how far it may be.

- `outside`: its cell is farther from the centre than the radius, by more than 2 km: a cell is no point.

**Why it matters.** A machine that is hired out for one region, a vehicle that must not leave its site, goods that
should have arrived elsewhere.

**What it misses.** Cells that `cells.csv` does not list. Movement within the area.

**Likely false alarms.** Wrong coordinates in `cells.csv`; a radius drawn without room for cells that reach in from
outside.

**What to do.** Ask where it should be. Where it is right, correct the area or the table of cells. One that goes
outside for a time can be announced (`simward work plan --place-only`): until that is over there is no finding.

Where a command limited a subscription to the area (`simward bind --area`, CAMARA's AREALIMIT), `outside` is refused,
whatever milder policy says; the use case's limits hold for that as for every refusal.
"""

from simward.detectors.detector import MEDIUM, NO_OPINION, QUIET, Detector, Knob
from simward.detectors.facts import AREA, MOBILITIES

DETECTOR = Detector(
    id="outside-area", runs="gate", scope="subscription", severity=MEDIUM, evidence={"*": "distance"}, sticky=True,
    enforced={"outside": "area"},
)
CLASSES = ("outside",)
CLASS_OUTSIDE = 1
CELL_REACH_M = 2_000
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob("mode", "u1", path="mobility.mode", kind="choice", values=MOBILITIES, doc="Whether it has an area."),
]


def judge(memory, subscription, event, knobs, evidence, around):  # type: ignore[no-untyped-def]
    """Only a cell that the table knows says anything."""
    if knobs.mode != AREA:
        return QUIET
    if around.from_centre_m < 0:
        return NO_OPINION
    evidence.now, evidence.expected = around.from_centre_m, around.radius_m
    return CLASS_OUTSIDE if around.from_centre_m > around.radius_m + CELL_REACH_M else QUIET
