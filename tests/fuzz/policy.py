"""A policy file is read, or refused with a line for every problem: nothing else, whatever is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from simward.errors import ConfigurationError
from simward.policy.load import not_enforced, read_policies

OCTETS_MAX = 4_000
YAML_BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
REPOSITORY = Path(__file__).resolve().parent.parent.parent


def seeds() -> Iterator[bytes]:
    """The policies that are shipped, and what the tests know to be wrong."""
    for path in sorted((REPOSITORY / "policies").rglob("*.yaml")):
        yield path.read_bytes()[:OCTETS_MAX]
    for text in (REPOSITORY / "tests" / "policy" / "wrong_files.txt").read_text().split("\n\n"):
        yield text.encode()[:OCTETS_MAX]


def check(octets: bytes) -> None:
    """Read, check, and what was read is read again to the same."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return  # load_policies says so before anything is parsed
    try:
        policy = read_policies({"fuzz.yaml": text})
    except ConfigurationError as error:
        lines = len(YAML_BREAKS.findall(text)) + 2
        assert error.problems and all(1 <= one.line <= lines for one in error.problems), error
        return
    not_enforced(policy)
    assert policy.canonical() == read_policies({"fuzz.yaml": text}).canonical()
