"""The published JSON Schema and the reader say the same, since both are made from one declaration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from policy.test_load import WHOLE, WRONG_FILES, WRONG_LINES
from simward.detectors import installed
from simward.initial import POLICY
from simward.policy.later import DETECTORS
from simward.policy.schema import KINDS, NETWORKS_MOST, RATS_MOST, json_schema

VALIDATOR = jsonschema.Draft202012Validator(json_schema())
NOT_SCHEMA = (
    "twice", "merge keys", "bits behind", "ends before", "not longer than", "operator identifier", "reserved",
    "larger than any pool", "overlaps", "at least 60 s", "is not a whole number of seconds", "names no pool",
    "means nothing with", "is missing (one of", "should hold one of", "no segment", "no area", "no pool", "not YAML",
)  # fmt: skip
"""What only the reader can tell: comparisons, arithmetic, other documents."""


def valid(text: str) -> bool:
    """Do all documents of a text fit the schema?"""
    documents: list[Any] = [one for one in yaml.safe_load_all(text) if one is not None]
    return all(VALIDATOR.is_valid(document) for document in documents)


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert set(json_schema()["$defs"]) == set(KINDS)


def test_what_is_right_fits(repository: Path) -> None:
    assert valid(WHOLE)
    assert valid(POLICY)
    for path in (repository / "policies").glob("*.yaml"):
        assert valid(path.read_text()), path.name


@pytest.mark.parametrize(("text", "message"), WRONG_LINES + WRONG_FILES)
def test_what_is_wrong_does_not_fit(text: str, message: str) -> None:
    if any(words in message for words in NOT_SCHEMA):
        return
    wrong_line = (text, message) in WRONG_LINES
    assert not valid(f"use_case: meter\n{text}" if wrong_line else text)


def test_editors_complete_detectors_and_classes() -> None:
    responses = json_schema()["$defs"]["use_case"]["properties"]["responses"]
    for one in installed():
        fixed = bool(one.detector.fixed_response)
        assert (one.id in responses["properties"]) != fixed
        assert all((f"{one.id}/{name}" in responses["properties"]) != fixed for name in one.classes)
    later = f"use_case: a\nresponses: {{{next(iter(DETECTORS))}/any-class: lock}}"
    assert valid(later)


def test_lists_fit_the_knobs_that_read_them() -> None:
    room = {knob.path: knob.shape for one in installed() for knob in one.knobs if knob.shape}
    assert room["networks.plmn"] >= NETWORKS_MOST
    assert room["networks.rat"] >= RATS_MOST


def test_every_path_that_a_detector_reads_is_a_key() -> None:
    paths = {knob.path for one in installed() for knob in one.knobs if knob.path}
    paths |= {path for one in installed() for path, _ in one.detector.response_paths.values()}
    for path in paths:
        shape: Any = json_schema()["$defs"]["use_case"]
        for part in path.split("."):
            shapes = [shape, *shape.get("anyOf", [])]
            shape = next((one["properties"][part] for one in shapes if part in one.get("properties", {})), None)
            assert shape is not None, f"no key {path}"
