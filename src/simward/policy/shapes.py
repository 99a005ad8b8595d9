"""The shapes that values in a policy file may have: each reads a YAML node and states itself as JSON Schema.

One description serves both, so that the published schema and the messages of `simward check` cannot drift apart.
Values come out normalised ("24 h" and "1d" are the same), as what JSON can hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import yaml

from simward.errors import IdentityError, Problem, nearest
from simward.quantities import QuantityError

WRONG: Any = object()
"""What `read` returns where the value is wrong; the problem has then been reported."""


@dataclass
class Reading:
    """One file being read: what is wrong in it so far, and where each value of the document at hand stands."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def report(self, node: yaml.Node, where: str, what: str, instead: str = "", *, warning: bool = False) -> Any:
        """Note a problem; returns WRONG."""
        self.problems.append(Problem(self.file, node.start_mark.line + 1, where, what, instead, warning))
        return WRONG


class Shape(Protocol):
    """What a value may be."""

    def json(self) -> dict[str, Any]:
        """The shape as JSON Schema (2020-12)."""
        ...

    def read(self, node: yaml.Node, where: str, reading: Reading) -> Any:
        """The normalised value, or WRONG (and reported)."""
        ...


def dotted(where: str, key: str) -> str:
    """`key` inside `where`, as problems name it."""
    return f"{where}.{key}" if where else key


@dataclass(frozen=True)
class Scalar:
    """One word or number: `parse` makes the normalised value of its text, or raises with what is wrong."""

    name: str
    parse: Callable[[str], Any]
    schema: Mapping[str, Any]
    quoted: bool = False
    """It looks like a number and is none: without quotes YAML would drop its leading zeros."""

    def json(self) -> dict[str, Any]:
        return dict(self.schema)

    def read(self, node: yaml.Node, where: str, reading: Reading) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            return reading.report(node, where, f"should be a {self.name}")
        text = node.value.strip()
        if not text:
            return reading.report(node, where, f"is empty, should be a {self.name}")
        if self.quoted and not node.style and not node.tag.endswith(":str"):
            return reading.report(
                node, where, f"{text} without quotes is a number to YAML, which changes numbers that begin with 0",
                f'write "{text}"',
            )
        try:
            return self.parse(text)
        except QuantityError as error:
            return reading.report(node, where, error.what, error.instead)
        except IdentityError as error:
            return reading.report(node, where, f"{text!r}: {error}")


@dataclass(frozen=True)
class Words:
    """One of a few words, or else (where `otherwise` is given) something of another shape."""

    words: tuple[str, ...]
    otherwise: Shape | None = None
    otherwise_shown: str = ""

    def json(self) -> dict[str, Any]:
        words: dict[str, Any] = {"enum": list(self.words)}
        return words if self.otherwise is None else {"anyOf": [words, self.otherwise.json()]}

    def read(self, node: yaml.Node, where: str, reading: Reading) -> Any:
        scalar = isinstance(node, yaml.ScalarNode)
        if scalar and node.value in self.words:
            return node.value
        if self.otherwise is not None and (not scalar or isinstance(self.otherwise, Scalar | Rates)):
            return self._otherwise(self.otherwise, node, where, reading)
        shown = node.value if scalar else "this"
        known = (*self.words, self.otherwise_shown) if self.otherwise_shown else self.words
        return reading.report(node, where, f"{shown!r} is not a choice", nearest(str(shown), known))

    def _otherwise(self, shape: Shape, node: yaml.Node, where: str, reading: Reading) -> Any:
        before = len(reading.problems)
        value = shape.read(node, where, reading)
        looks_like_word = isinstance(node, yaml.ScalarNode) and re.match(r"[A-Za-z]", node.value)
        if value is WRONG and looks_like_word:
            del reading.problems[before:]
            known = (*self.words, self.otherwise_shown) if self.otherwise_shown else self.words
            return reading.report(node, where, f"{node.value!r} is not a choice", nearest(node.value, known))
        return value


@dataclass(frozen=True)
class Worded:
    """An object, or one word that stands for the object with just `key` (`none` for `{mode: none}`)."""

    words: tuple[str, ...]
    whole: Shape
    key: str

    def json(self) -> dict[str, Any]:
        return {"anyOf": [{"enum": list(self.words)}, self.whole.json()]}

    def read(self, node: yaml.Node, where: str, reading: Reading) -> Any:
        if isinstance(node, yaml.ScalarNode) and node.value in self.words:
            return {self.key: node.value}
        return Words(self.words, self.whole, f"{{{self.key}: ...}}").read(node, where, reading)


@dataclass(frozen=True)
class Listed:
    """A list of values of one shape; sorted and without repetitions, unless it is `ordered`: order means something."""

    item: Shape
    least: int = 0
    most: int = 10_000
    empty: str = "is empty"
    ordered: bool = False

    def json(self) -> dict[str, Any]:
        return {"type": "array", "items": self.item.json(), "minItems": self.least, "maxItems": self.most}

    def read(self, node: yaml.Node, where: str, reading: Reading) -> Any:
        if not isinstance(node, yaml.SequenceNode):
            return reading.report(node, where, "should be a list", "write it like [a, b]")
        if len(node.value) < self.least:
            return reading.report(node, where, self.empty, "leave the key out, or name at least one")
        if len(node.value) > self.most:
            return reading.report(node, where, f"has {len(node.value)} entries", f"at most {self.most}")
        values = [self.item.read(one, f"{where}[{index}]", reading) for index, one in enumerate(node.value)]
        if WRONG in values:
            return WRONG
        return values if self.ordered else sorted(set(values))


@dataclass(frozen=True)
class OneOrMore:
    """A value, or a list of a few different ones in an order that means something; a list of one is that one."""

    item: Scalar
    most: int

    def json(self) -> dict[str, Any]:
        item = self.item.json()
        listed = {"type": "array", "items": item, "minItems": 1, "maxItems": self.most, "uniqueItems": True}
        return {"anyOf": [item, listed]}

    def read(self, node: yaml.Node, where: str, reading: Reading) -> Any:
        if not isinstance(node, yaml.SequenceNode):
            return self.item.read(node, where, reading)
        if not 1 <= len(node.value) <= self.most:
            return reading.report(node, where, f"has {len(node.value)} entries", f"from 1 to {self.most}")
        values = [self.item.read(one, f"{where}[{index}]", reading) for index, one in enumerate(node.value)]
        if WRONG in values:
            return WRONG
        if len(set(values)) < len(values):
            return reading.report(node, where, "names one twice")
        return values if len(values) > 1 else values[0]


@dataclass(frozen=True)
class Rates:
    """A rate ("2 MB/day"), or a list of a few for different periods."""

    item: Scalar
    most: int

    def json(self) -> dict[str, Any]:
        return OneOrMore(self.item, self.most).json()

    def read(self, node: yaml.Node, where: str, reading: Reading) -> Any:
        value = OneOrMore(self.item, self.most).read(node, where, reading)
        periods = [] if value is WRONG or isinstance(value, str) else [one.partition("/")[2] for one in value]
        if len(set(periods)) < len(periods):
            twice = next(one for one in periods if periods.count(one) > 1)
            return reading.report(node, where, f"says twice how much a {twice}")
        return value


@dataclass(frozen=True)
class Key:
    """One key of an object."""

    shape: Shape
    doc: str = ""
    needed: bool = False


@dataclass(frozen=True)
class Keyed:
    """An object with known keys. `check` sees the whole and may report, or change, what no single key shows."""

    keys: Mapping[str, Key]
    check: Callable[[dict[str, Any], yaml.Node, str, Reading], Any] | None = None
    constraint: Mapping[str, Any] = field(default_factory=dict)
    """More JSON Schema that says what `check` asks for, as far as it can."""

    def json(self) -> dict[str, Any]:
        properties = {}
        for name, key in self.keys.items():
            properties[name] = {**({"description": key.doc} if key.doc else {}), **key.shape.json()}
        needed = [name for name, key in self.keys.items() if key.needed]
        schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
        return {**schema, **({"required": needed} if needed else {}), **self.constraint}

    def read(self, node: yaml.Node, where: str, reading: Reading) -> Any:
        pairs = pairs_of(node, where, reading)
        if pairs is None:
            return WRONG
        values: dict[str, Any] = {}
        right = True
        for key_node, value_node in pairs:
            name, inside = key_node.value, dotted(where, key_node.value)
            reading.lines[inside] = key_node.start_mark.line + 1
            key = self.keys.get(name)
            if key is None:
                reading.report(key_node, inside, "unknown key", nearest(name, self.keys))
                right = False
                continue
            value = key.shape.read(value_node, inside, reading)
            right = right and value is not WRONG
            if value is not WRONG:
                values[name] = value
        written = {key_node.value for key_node, _ in pairs}
        for name, key in self.keys.items():
            if key.needed and name not in written:
                reading.report(node, dotted(where, name), "is missing")
                right = False
        if right and self.check is not None:
            return self.check(values, node, where, reading)
        return values if right else WRONG


@dataclass(frozen=True)
class Mapped:
    """An object whose keys are names of a kind: `refuse` says what is wrong with a key (what, instead), or None."""

    value: Shape
    refuse: Callable[[str], tuple[str, str] | None]
    schema: Callable[[dict[str, Any]], dict[str, Any]]

    def json(self) -> dict[str, Any]:
        return {"type": "object", **self.schema(self.value.json())}

    def read(self, node: yaml.Node, where: str, reading: Reading) -> Any:
        pairs = pairs_of(node, where, reading)
        if pairs is None:
            return WRONG
        values, right = {}, True
        for key_node, value_node in pairs:
            inside = dotted(where, key_node.value)
            reading.lines[inside] = key_node.start_mark.line + 1
            wrong = self.refuse(key_node.value)
            if wrong is not None:
                reading.report(key_node, inside, *wrong)
            value = self.value.read(value_node, inside, reading)
            right = right and wrong is None and value is not WRONG
            values[key_node.value] = value
        return values if right else WRONG


def pairs_of(node: yaml.Node, where: str, reading: Reading) -> list[tuple[yaml.ScalarNode, yaml.Node]] | None:
    """The keys and values of a mapping; a key that comes twice is a problem, and its first value counts."""
    if not isinstance(node, yaml.MappingNode):
        reading.report(node, where, "should hold keys and values", "write it like {key: value}")
        return None
    pairs: list[tuple[yaml.ScalarNode, yaml.Node]] = []
    seen: dict[str, int] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            reading.report(key_node, where, "a key should be a word")
            continue
        if key_node.value == "<<":
            reading.report(key_node, dotted(where, "<<"), "merge keys are not read", "write the keys out")
            continue
        if key_node.value in seen:
            first = seen[key_node.value]
            reading.report(key_node, dotted(where, key_node.value), f"is there twice, first in line {first}")
            continue
        seen[key_node.value] = key_node.start_mark.line + 1
        pairs.append((key_node, value_node))
    return pairs
