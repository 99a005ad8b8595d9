"""A detector is one page: its docstring is its documentation, and its tests tell stories in threes."""

from __future__ import annotations

import re

import pytest

from house.sources import REPOSITORY
from simward.detectors import installed
from simward.detectors.detector import EVIDENCE_KINDS, RESPONSE_NAMES, SEVERITY_NAMES, DetectorModule

WORDS_MIN = 60
STORIES = ("fires", "quiet", "boundary")

every_detector = pytest.mark.parametrize("one", installed(), ids=lambda one: one.id)


@every_detector
def test_docstring_is_documentation(one: DetectorModule) -> None:
    """It says what is seen, why it matters, what is missed, when it is a false alarm and what to do."""
    assert len(one.doc.split()) >= WORDS_MIN, f"{one.id}: the docstring is its page: say more"
    for wanted in (r"miss", r"false alarm", r"what to do|to do:"):
        assert re.search(wanted, one.doc, re.IGNORECASE), f"{one.id}: the docstring does not speak of {wanted!r}"


@every_detector
def test_metadata_uses_the_known_words(one: DetectorModule) -> None:
    detector = one.detector
    assert one.classes, f"{one.id}: at least one class"
    assert detector.runs in ("gate", "watch")
    for name in one.classes:
        assert re.fullmatch(r"[a-z][a-z0-9-]*", name), f"{one.id}: class {name!r}"
        assert 0 < detector.severity_of(name) < len(SEVERITY_NAMES)
        assert detector.evidence_of(name) in EVIDENCE_KINDS
    fixed = detector.fixed_response if isinstance(detector.fixed_response, dict) else {}
    for mapping in (fixed, detector.evidence, detector.response_paths, dict.fromkeys(detector.mild_classes)):
        assert set(mapping) <= {*one.classes, "*"}, f"{one.id}: {set(mapping) - set(one.classes)} are no classes"
    for response in (detector.default_response, *(detector.fixed_of(name) for name in one.classes)):
        assert 0 <= response < len(RESPONSE_NAMES)


@every_detector
def test_knobs_say_what_they_are_for(one: DetectorModule) -> None:
    for knob in one.knobs:
        assert knob.doc, f"{one.id}: knob {knob.name} has no doc"


@every_detector
def test_has_its_stories(one: DetectorModule) -> None:
    """tests/detectors/test_<name>.py: it fires, it stays quiet, it stands on the boundary."""
    path = REPOSITORY / "tests" / "detectors" / f"test_{one.field}.py"
    assert path.is_file(), f"{one.id}: no {path.relative_to(REPOSITORY)}"
    names = re.findall(r"^\s*def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    told = [story for story in STORIES if any(story in name for name in names)]
    assert told == list(STORIES), f"{one.id}: no test named for {set(STORIES) - set(told)}"
