"""What a detector declares about itself: metadata, memory and knobs.

A detector is one module in this folder. It is found by being there. It has a docstring (its documentation page), a
`DETECTOR`, `CLASSES`, `MEMORY`, `KNOBS`, and one scalar function `judge(memory, row, event, knobs, evidence)`. One that
needs more than the row and the event names a sixth argument, `around`: layouts.AROUND.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# What judge may return besides the number of a class (1 for CLASSES[0], 2 for CLASSES[1], ...).
QUIET = 0
"""The condition does not hold: an open finding ends."""
NO_OPINION = -1
"""This event cannot tell: an open finding stays as it is."""

# Severities.
INFO, LOW, MEDIUM, HIGH, CRITICAL = 1, 2, 3, 4, 5
SEVERITY_NAMES = ("", "info", "low", "medium", "high", "critical")

# Responses, mildest first; 0 = the policy does not say.
OBSERVE, NOTIFY, QUARANTINE, REFUSE, LOCK = 1, 2, 3, 4, 5
RESPONSE_NAMES = ("", "observe", "notify", "quarantine", "refuse", "lock")

MAX_CLASSES = 12
SCOPES = ("subscription", "stranger", "gateway", "segment", "device")
"""What a detector of the gate judges; the position is the scope's number in tables."""
GROUP_SCOPES = ("cell", "gateway", "network", "model", "software", "use-case")
"""What a detector of the watch judges: the subscriptions that have this in common. "group" is any of these.

Or "subscription": then it judges what one of them does, as `given` says, and at ticks as long as a finding of it is
open. As `row` it is given engine/watching/layouts.py USE, and as `memory` the record that `given` names. Or "cohort":
what the fit of a day says of many that are alike (engine/watching/cohort_findings.py)."""

EVIDENCE_KINDS = (
    "none",
    "imei",
    "imeisv",
    "imsi",
    "plmn",
    "rat",
    "apn",
    "gateway",
    "text",
    "cell",
    "address",
    "count",
    "time",
    "segment",
    "area",
    "distance",
    "model",
    "usage",
    "bits",
    "cohort",
    "software",
    "hours",
    "use-case",
)
"""How the integers `was`, `now`, `expected` of a finding are to be put into words (engine/words.py does it)."""


@dataclass(frozen=True)
class Knob:
    """One value that a detector reads from a use case.

    `name` is the field in `knobs`; `dtype` its NumPy type, `shape` its length for lists (0 = scalar).
    `path` is where it stands in the use case document ("binding.mode"); `kind` names how the text there becomes
    integers: "choice" (values maps words to numbers), "plmn-list", "rat-list" (3GPP-RAT-Type numbers), "duration"
    (s), "integer", "is-none" (1 where the word is none), "is-said" (1 where anything is), "data-budget", "sms-budget"
    and "voice-budget" (octets, messages and seconds an hour, day, week and month, -1 where there is no such budget;
    shape 4, in this order), "hours" and "weekdays" (a bit for each hour of the day or day of the week, from 0 and
    Monday on, that a list of ranges names),
    "apn-of-segment" and "credentials-of-segment" (text ids of the APNs of the use case's segments and
    what each asks for, filled by the fold when a revision is applied; shape 3). A list knob comes with a second field
    `<name>_count`. Lists keep the order sorted ascending.
    """

    name: str
    dtype: str
    default: int = 0
    doc: str = ""
    path: str = ""
    kind: str = "integer"
    values: Mapping[str, int] = field(default_factory=dict)
    shape: int = 0


@dataclass(frozen=True)
class Detector:
    """Metadata of one detector.

    `severity`: one number, or a mapping from class (and "*") to number. `evidence`: a mapping from class (or "*") to
    an evidence kind. `momentary`: the finding begins and ends with the same event. `default_response`: what holds
    where the policy names neither the detector nor the class; it stands above `responses.default`. `fixed_response`:
    what policy cannot change, one for all classes or by class ("*": the others). `mild_classes`: classes that never
    inherit more than `notify` from `responses: {detector: ...}`; the class itself must be named to give it more.
    `response_paths`: class -> path of a use-case key that states the response of that class ("binding.not_reported").
    """

    id: str
    runs: str
    scope: str
    severity: int | Mapping[str, int]
    evidence: Mapping[str, str] = field(default_factory=dict)
    momentary: bool = False
    default_response: int = 0
    fixed_response: int | Mapping[str, int] = 0
    mild_classes: tuple[str, ...] = ()
    response_paths: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """class -> (path, default response)."""
    about_device: bool = False
    """A lock that it caused may be released by `release_when: bound-device-returns`."""
    about_lock: bool = False
    """Its findings end when the subscription is released."""
    sticky: bool = False
    """What `now` says may change without making another finding, as of something that goes on moving."""
    detailed: bool = False
    """It writes `evidence.before` and `evidence.after`: what differs, in the order of engine/outputs.py CHANGES."""
    enforced: Mapping[str, str] = field(default_factory=dict)
    """class -> `device` or `area`: refused at least, where a command bound the subscription to that."""
    about: Mapping[str, str] = field(default_factory=dict)
    """class (or "*") -> evidence kind of what a finding of the watch is about (a cell, a network, a model)."""
    given: str = "use"
    """Watch, scope "subscription": what it judges, a name of engine/watching/layouts.py GIVEN; "use": one use of a
    service, at each record of it. Scope "group": "signalling" where it judges what its members signal, "use" where it
    judges how many of them are silent."""
    alone: bool = False
    """Watch, scope "group": besides `judge` it has `judge_alone`, which is given one subscription, as `given` says, and
    the knobs of its use case. Its last class is for what that finds."""
    timeless: bool = False
    """Watch, scope of a group: of a group that nothing is found of, and none of whose members is silent, shows a sign
    or connects with others, it says nothing and remembers nothing, however much time passes. Such groups are not looked
    at by each tick (engine/watching/resting.py)."""
    aspects: int = 1
    """Watch, scope "subscription": how many conditions it judges apart, each with findings of its own; `aspect` of the
    row that it is given says which."""
    projects: bool = False
    """Likewise: it writes `evidence.before`: [0] how much it will be when the period ends, at this rate (kind "usage"),
    and [1] when the month's budget is used up (us), 0 = it is not, or that cannot be told."""

    weighs: bool = False
    """Its findings come with the channels of behaviour that weigh most: `channels` of a finding, engine/weighing.py."""

    tells_last_word: bool = False
    """Likewise: it writes `evidence.before[0]`: what the last word of a subscription was (cadence.last_word)."""

    def severity_of(self, class_name: str) -> int:
        """The severity of a class."""
        if isinstance(self.severity, int):
            return self.severity
        return self.severity.get(class_name, self.severity.get("*", MEDIUM))

    def fixed_of(self, class_name: str) -> int:
        """The response that policy cannot change; 0 where it can."""
        if isinstance(self.fixed_response, int):
            return self.fixed_response
        return self.fixed_response.get(class_name, self.fixed_response.get("*", 0))

    def evidence_of(self, class_name: str) -> str:
        """The evidence kind of a class."""
        return self.evidence.get(class_name, self.evidence.get("*", "none"))

    def about_of(self, class_name: str) -> str:
        """The evidence kind of what a finding of this class is about."""
        return self.about.get(class_name, self.about.get("*", "none"))


@dataclass(frozen=True)
class DetectorModule:
    """A detector as found in the folder: its metadata beside the module's other declarations."""

    detector: Detector
    classes: tuple[str, ...]
    memory: tuple[tuple[str, str], ...]
    knobs: tuple[Knob, ...]
    module: Any
    doc: str

    @property
    def id(self) -> str:
        """The detector's name, as policy and findings spell it."""
        return self.detector.id

    @property
    def field(self) -> str:
        """The id as a field and function name."""
        return self.detector.id.replace("-", "_")
