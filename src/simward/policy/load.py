"""Policy files -> documents: YAML with line numbers, every problem at once, and what no single document can show."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from simward.detectors import installed
from simward.detectors.detector import NOTIFY, RESPONSE_NAMES
from simward.errors import ConfigurationError, Problem, nearest
from simward.policy import later
from simward.policy.filter_rules import filter_problems
from simward.policy.rules import unenforced
from simward.policy.schema import KINDS, read_document
from simward.policy.shapes import Reading

USE_CASE_LINE = re.compile(r"^use_case:[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)
"""How a use case begins, also in a document that is no YAML further down."""
FILE_OCTETS_MAX = 4_000_000
"""A policy file is written by people; a larger one is something else."""


@dataclass(frozen=True)
class Document:
    """One object of a policy file: its normalised value, and where it and its keys stand."""

    kind: str
    name: str
    value: dict[str, Any]
    file: str
    line: int
    lines: dict[str, int]

    def at(self, key: str) -> int:
        """The line of a dotted key, or of what holds it, or of the document."""
        while key and key not in self.lines:
            key = key.rpartition(".")[0]
        return self.lines.get(key, self.line)

    def problem(self, key: str, what: str, instead: str = "", *, warning: bool = False) -> Problem:
        """A problem with one of its keys."""
        return Problem(self.file, self.at(key), key, what, instead, warning)

    def get(self, path: str) -> Any:
        """The value at a dotted path, None where it is not written."""
        return value_at(self.value, path)


@dataclass(frozen=True)
class Policy:
    """Every document under `policies/`, and the text of the files for the audit."""

    documents: tuple[Document, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()

    def of(self, kind: str) -> dict[str, Document]:
        """The documents of a kind by name, sorted by name."""
        found = {one.name: one for one in self.documents if one.kind == kind}
        return dict(sorted(found.items()))

    def canonical(self) -> str:
        """The normalised documents as JSON with sorted keys: equal texts mean equal policies."""
        kinds = {kind: {name: one.value for name, one in self.of(kind).items()} for kind in KINDS}
        if not kinds["rule"]:
            del kinds["rule"]  # so that policies without rules are what they were before there were any
        return json.dumps(kinds, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def value_at(value: Any, path: str) -> Any:
    """The value at a dotted path inside nested dicts, None where there is none."""
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def load_policies(directory: Path, beside: Mapping[str, str] | None = None) -> Policy:
    """Read every .yaml and .yml file under `directory`; raises ConfigurationError with every problem found.

    `beside` are texts by name that hold besides what the files say.
    """
    if not directory.is_dir():
        raise ConfigurationError([Problem(str(directory), 1, "", "no such folder", "simward init makes one")])
    paths = sorted(path for path in directory.rglob("*") if path.suffix in (".yaml", ".yml") and path.is_file())
    texts, problems = dict(beside or {}), []
    for path in paths:
        try:
            if path.stat().st_size > FILE_OCTETS_MAX:
                raise OSError("larger than 4 MB")
            texts[str(path)] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(str(path), 1, "", f"cannot be read: {error}"))
    return read_policies(texts, problems)


def readable_use_cases(directory: Path) -> frozenset[str]:
    """The names of use cases in policies that are otherwise wrong, as far as they can be told."""
    found: set[str] = set()
    for path in directory.rglob("*"):
        with contextlib.suppress(OSError):  # said already
            if path.suffix in (".yaml", ".yml") and path.stat().st_size <= FILE_OCTETS_MAX:
                text = path.read_text(encoding="utf-8", errors="replace")
                found.update(match[1] for match in USE_CASE_LINE.finditer(text))
    return frozenset(found)


def read_policies(texts: Mapping[str, str], problems: Iterable[Problem] = ()) -> Policy:
    """The policy in these texts (file name -> YAML)."""
    found, documents = list(problems), []
    for file, text in texts.items():
        documents += _documents(file, text, found)
    broken = bool(found)
    found += _duplicates(documents)
    policy = Policy(tuple(documents), dict(texts))
    # References into documents that could not be read would only add noise to their real problem.
    found += () if broken else _references(policy)
    found += _overlaps(policy)
    found += _too_strong(policy)
    for one in policy.of("segment").values():
        found += [one.problem(*problem) for problem in filter_problems(one.value)]
    found += _warnings(policy)
    errors = [problem for problem in found if not problem.warning]
    if errors:
        raise ConfigurationError(sorted(errors, key=lambda problem: (problem.file, problem.line)))
    return Policy(policy.documents, policy.texts, tuple(found))


def _documents(file: str, text: str, problems: list[Problem]) -> list[Document]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = []
    try:
        for node in yaml.compose_all(text, Loader=loader):
            if node is None or _is_empty(node):
                continue
            reading = Reading(file, problems)
            read = read_document(node, reading)
            if read is not None:
                kind, value = read
                documents.append(
                    Document(kind, value[kind], value, file, node.start_mark.line + 1, dict(reading.lines))
                )
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line, text.rstrip().count("\n")) + 1 if mark else 1
        problems.append(Problem(file, line, "", f"not YAML: {error.problem or error.context}"))
    except yaml.YAMLError as error:
        problems.append(Problem(file, 1, "", f"not YAML: {error}"))
    except RecursionError:
        problems.append(Problem(file, 1, "", "nested too deeply"))
    return documents


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _duplicates(documents: list[Document]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], Document] = {}
    for one in documents:
        first = seen.setdefault((one.kind, one.name), one)
        if first is not one:
            what = f"{one.kind.replace('_', ' ')} {one.name!r} is there twice, first in {first.file}:{first.line}"
            yield one.problem(one.kind, what)


REFERENCES = (("segment", "segment"), ("mobility.area", "area"), ("binding.pool", "pool"))
"""Which key of a use case names a document of which kind."""


def listed(value: Any) -> list[Any]:
    """One value, several or none, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _references(policy: Policy) -> Iterator[Problem]:
    for one in policy.of("use_case").values():
        for path, kind in REFERENCES:
            for name in listed(one.get(path)):
                if name not in policy.of(kind):
                    yield one.problem(path, f"no {kind} {name!r}", nearest(name, policy.of(kind)))


POOL_KEYS = (
    "pool", "quarantine_pool", "pool6", "quarantine_pool6", "address_pool6", "quarantine_address_pool6",
    "delegated_pool",
)  # fmt: skip


def _overlaps(policy: Policy) -> Iterator[Problem]:
    """One address must not belong to two, nor one APN to two segments."""
    pools: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, str, Document]] = []
    apns: dict[str, Document] = {}
    for one in policy.of("segment").values():
        first = apns.setdefault(one.value["apn"], one)
        if first is not one:
            yield one.problem("apn", f"segment {first.name!r} has this APN already ({first.file}:{first.at('apn')})")
        for key in POOL_KEYS:
            if key not in one.value:
                continue
            network = ipaddress.ip_network(one.value[key])
            for other, other_key, owner in pools:
                if network.version == other.version and network.overlaps(other):
                    place = f"{owner.file}:{owner.at(other_key)}"
                    yield one.problem(key, f"{network} overlaps the {other_key} {other} of {owner.name!r} ({place})")
            pools.append((network, key, one))


def _too_strong(policy: Policy) -> Iterator[Problem]:
    """What the watch finds comes after the answer, and concerns many: it can be told, and cuts nobody."""
    behind = {one.id for one in installed() if one.detector.runs == "watch"}
    for one in policy.of("use_case").values():
        for key, word in one.value.get("responses", {}).items():
            if key.partition("/")[0] in behind and RESPONSE_NAMES.index(word) > NOTIFY:
                yield one.problem(f"responses.{key}", "judged behind the gate: at most notify", f"{key}: notify")


def _warnings(policy: Policy) -> Iterator[Problem]:
    if not policy.of("use_case"):
        file = next(iter(policy.texts), "policies")
        yield Problem(file, 1, "", "no use case: every line of an inventory names one", warning=True)
    strangers = {one.id for one in installed() if one.detector.scope == "stranger"}
    for one in policy.of("use_case").values():
        if "segment" not in one.value:
            yield one.problem("use_case", "has no segment: any APN is permitted, no address given", warning=True)
        for key in one.value.get("responses", {}):
            if key.partition("/")[0] in strangers:
                instead = "set gate.unknown_subscription in simward.toml"
                yield one.problem(f"responses.{key}", "strangers have no use case", instead, warning=True)


def not_enforced(policy: Policy) -> list[Problem]:
    """What the policy says and this version does not enforce yet: one warning a key, for `simward check`."""
    found = []
    for one in policy.documents:
        for key, why in later.unenforced_keys(one.kind).items():
            value = one.get(key)
            if value is not None and value != later.WITHOUT_EFFECT_ANYWAY.get(key):
                found.append(one.problem(key, f"not enforced yet: {why}", warning=True))
        for key in one.value.get("responses", {}) if one.kind == "use_case" else ():
            if later.is_later(key.partition("/")[0]):
                why = later.DETECTORS[key.partition("/")[0]]
                found.append(one.problem(f"responses.{key}", f"not enforced yet: no detector ({why})", warning=True))
        for key, why in unenforced(one.value) if one.kind == "rule" else ():
            found.append(one.problem(key, f"not enforced yet: {why}", warning=True))
    return sorted(found, key=lambda problem: (problem.file, problem.line))
