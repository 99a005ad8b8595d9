"""What of the findings is so: each is held against what happened, and counted as right, beside the point or made up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from simward.engine.behaviour.cohort_numbers import ANY, Cohort, cohort_of
from simward.engine.watching import layouts
from simward.lab import geography
from simward.lab.measuring.judges import Heard
from simward.lab.traffic.expanding import CELL_KIND, PLMN_NUMBERS, Texts
from simward.lab.traffic.happening import Act
from simward.lab.traffic.kinds import KINDS
from simward.lab.traffic.members import DAY_US, Members

SECOND_US = 1_000_000
TRIED_BEFORE_US = 300 * SECOND_US
LISTED = 20
"""So many false findings of each detector are kept as examples."""


@dataclass
class Said:
    """What came of one act."""

    act: Act
    after_s: dict[str, float] = field(default_factory=dict)
    """`detector` and `detector/class` that rightly said so: how long after it could be known (Act.shown_at)."""
    findings: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Detector -> how many of its findings rightly said so."""

    @property
    def caught(self) -> bool:
        """Did anybody say so who should or may?"""
        return bool(self.after_s)

    @property
    def first_s(self) -> float | None:
        """How soon."""
        return min(self.after_s.values(), default=None)


@dataclass
class Counted:
    """The findings of one detector."""

    right: int = 0
    """About an attack that it should or may tell of."""
    so: int = 0
    """About what honestly happened, and is so."""
    beside: int = 0
    """About a victim, while it was attacked, in other words than the attack's: neither right nor false."""
    false: int = 0
    by_class: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """False ones."""


@dataclass
class Verdicts:
    """All findings, held against all acts."""

    said: list[Said]
    counted: dict[str, Counted]
    examples: list[dict[str, object]]


class Truth:
    """Which acts a finding may be about."""

    def __init__(self, acts: Sequence[Act], members: Members, texts: Texts, use_cases: Sequence[str]) -> None:
        self._members, self._texts, self._use_cases = members, texts, use_cases
        self.said = [Said(act) for act in acts if act.began_at]
        self._by_imsi: dict[int, list[Said]] = defaultdict(list)
        self._groups: list[tuple[Said, frozenset[int]]] = []
        for one in self.said:
            for imsi in one.act.imsis.tolist():
                self._by_imsi[imsi].append(one)
            if one.act.happening.group:
                self._groups.append((one, _keys(one.act, members, texts)))

    def about(self, finding: np.ndarray, detector: str, class_name: str) -> list[Said]:
        """The acts that last when it begins and concern whom it is about."""
        at, imsi = int(finding["at"]), int(finding["imsi"])
        if imsi:
            return [one for one in self._by_imsi.get(imsi, ()) if _lasts(one.act, at)]
        key = int(finding["subject"]) or int(finding["gateway"])
        known = int(finding["group_kind"]) in KNOWN_KINDS
        among = [one for one, keys in self._groups if _lasts(one.act, at) and (not known or key in keys)]
        if detector == COHORTS:
            return self._explaining(cohort_of(key), among)
        if finding["group_kind"] and not any(one.act.happening.names(detector, class_name) for one in among):
            # Several at once may be told as one, of what they have in common, whatever else befalls a group meanwhile.
            named = (one for one in self.said if one.act.happening.names(detector, class_name) and _lasts(one.act, at))
            alone = [one for one in named if not one.act.happening.group]
            among += [one for one in alone if not known or key in self._of_single(one.act)]
            return among
        if among:
            return among
        # A device that several subscriptions show, a segment: their findings name no subscription.
        return [one for one in self.said if one.act.happening.names(detector, class_name) and _lasts(one.act, at)]

    def _explaining(self, cohort: Cohort, among: list[Said]) -> list[Said]:
        """What befalls members of a cohort: of several groups those that are large among them, since a cohort's shift
        is the median of its members."""
        concerned = [(one, self._members_in(cohort, one.act)) for one in among]
        most = max([members for _, members in concerned], default=0)
        return [one for one, members in concerned if members and members >= LARGE * most]

    def _members_in(self, cohort: Cohort, act: Act) -> int:
        """How many of a group's members are of a cohort."""
        mine = self._members.rows[act.who]
        chosen = np.ones(len(mine), bool)
        if cohort.use_case != ANY:
            kinds = [number for number, kind in enumerate(KINDS) if kind.name == self._use_cases[cohort.use_case]]
            chosen = np.isin(mine["kind"], kinds)
        if cohort.tac != ANY and act.happening.group in ALIKE:
            chosen &= mine["imei"] // 10**6 == cohort.tac
        return int(chosen.sum())

    def _of_single(self, act: Act) -> set[int]:
        """The groups of one member: its model, gateway, network and cells."""
        mine = self._members.rows[act.who]
        own = {*(mine["imei"] // 10**6).tolist(), *self._texts.gateways[mine["gateway"]].tolist()}
        return own | set(PLMN_NUMBERS[mine["network"]].tolist()) | set(_cells(mine))


COHORTS, ALIKE = "cohort-shift", ("model", "kind")
"""Whose findings name a cohort; and whose members are all of its models."""
LARGE = 0.5
"""Of the group that has most members in a cohort."""
KNOWN_KINDS = (layouts.CELL, layouts.GATEWAY, layouts.NETWORK, layouts.MODEL)


def held_against(heard: Heard, acts: Sequence[Act], members: Members, texts: Texts) -> Verdicts:
    """Judge every finding."""
    truth = Truth(acts, members, texts, heard.use_cases)
    counted = {detector: Counted() for detector in heard.runs}
    examples: list[dict[str, object]] = []
    for finding in heard.findings:
        detector, class_name = heard.name(finding)
        count, about = counted[detector], truth.about(finding, detector, class_name)
        rightly = [one for one in about if one.act.happening.names(detector, class_name)]
        if any(not one.act.happening.honest for one in rightly):
            count.right += 1
        elif rightly:
            count.so += 1
        elif any(not one.act.happening.honest for one in about):
            count.beside += 1
        else:
            count.false += 1
            count.by_class[class_name] += 1
            if count.false <= LISTED:
                examples.append(
                    {"at_us": int(finding["at"]), "detector": detector, "class": class_name,
                     "imsi": str(int(finding["imsi"]))[1:], "subject": int(finding["subject"])}
                )  # fmt: skip
        for one in rightly:
            shown_at = one.act.shown_at or one.act.began_at
            after_s = max(0.0, (int(finding["at"]) - shown_at) / SECOND_US)
            one.findings[detector] += 1
            for name in (detector, f"{detector}/{class_name}"):
                one.after_s.setdefault(name, after_s)
    return Verdicts(truth.said, counted, examples)


def _lasts(act: Act, at: int) -> bool:
    # Its first session may have been asked for in vain before it began.
    return act.began_at - TRIED_BEFORE_US <= at < act.ends_at + int(act.happening.echoes_days * DAY_US)


def _keys(act: Act, members: Members, texts: Texts) -> frozenset[int]:
    """Everything that the members of a group have in common with one another, as groups of the watch are keyed."""
    mine = members.rows[act.who]
    own = {
        "cell": np.zeros(0, np.int64), "model": np.unique(mine["imei"] // 10**6),
        "gateway": texts.gateways[np.unique(mine["gateway"])], "kind": np.unique(mine["imei"] // 10**6),
    }[act.happening.group]  # fmt: skip
    networks = PLMN_NUMBERS[np.unique(mine["network"])] if act.happening.group == "gateway" else own[:0]
    return frozenset([*own.tolist(), *networks.tolist(), *_cells(mine)])


def _cells(mine: np.ndarray) -> list[int]:
    """Every cell in which some members may have been heard last: their own, and its neighbours' (see expanding.py)."""
    homes = np.unique(np.stack([mine["site"].astype(np.int64), mine["network"].astype(np.int64)], axis=1), axis=0)
    found: list[int] = []
    for north in (-1, 0, 1):
        for east in (-1, 0, 1):
            site = geography.site_at(geography.row_of(homes[:, 0]) + north, geography.column_of(homes[:, 0]) + east)
            for sector in (1, 2, 3):
                found += (CELL_KIND | ((1000 + site + 20_000 * homes[:, 1]) << 8) | sector).tolist()
    return found
