"""Small rooms with honest names: the size, the first sentence and the name of every module."""

from __future__ import annotations

import ast
import re

import pytest

from house.sources import Source, package

LINES_MAX = 450
FUNCTION_LINES_MAX = 80
SAYS_NOTHING = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc", "stuff"}

every_module = pytest.mark.parametrize("source", package(), ids=lambda source: source.name)


@every_module
def test_is_a_small_room(source: Source) -> None:
    assert source.text.count("\n") <= LINES_MAX, f"{source.name} wants to be two modules"


@every_module
def test_says_in_one_sentence_what_it_is_for(source: Source) -> None:
    first = source.doc.split("\n\n")[0].strip()
    assert first, f"{source.name} has no docstring"
    assert first.endswith("."), f"{source.name}: its first paragraph is no sentence: {first!r}"
    assert source.doc.splitlines()[0].strip(), f"{source.name}: the sentence starts on the first line"


@every_module
def test_functions_fit_on_a_screen(source: Source) -> None:
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not long, f"{source.name}: give the parts of these a name: {', '.join(long)}"


@every_module
def test_public_names_say_what_they_are_for(source: Source) -> None:
    """Every public module-level function and class has a docstring (scalar functions of the kernel included)."""
    silent = [
        node.name
        for node in source.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not silent, f"{source.name}: no docstring: {', '.join(silent)}"


@every_module
def test_no_name_says_nothing(source: Source) -> None:
    """No module, function or class is called a helper, a manager or the like: what it ends in is what it is."""
    names = set(re.split(r"[/_.]", source.name.lower()))
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", node.name)
            names.update(word.lower() for word in words[-1:])
    assert not names & SAYS_NOTHING, f"{source.name}: {names & SAYS_NOTHING}"
