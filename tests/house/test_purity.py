"""What decides is pure: no socket, no clock, no chance and no log under wire, engine, detectors and policy."""

from __future__ import annotations

import ast

import pytest

from house.sources import Source, package

PURE = ("wire/", "engine/", "detectors/", "policy/")

IMPURE_MODULES = {
    "socket", "socketserver", "select", "selectors", "ssl", "asyncio", "http", "urllib", "subprocess",
    "time", "sched", "logging", "syslog", "random", "secrets", "uuid",
}  # fmt: skip
IMPURE_CALLS = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
    ("os", "urandom"), ("random", "random"), ("random", "default_rng"),
}  # fmt: skip

pure_modules = [source for source in package() if source.name.startswith(PURE)]


@pytest.mark.parametrize("source", pure_modules, ids=lambda source: source.name)
def test_decides_without_the_world(source: Source) -> None:
    assert not source.imported() & IMPURE_MODULES, f"{source.name}: time, chance and octets are passed in"


@pytest.mark.parametrize("source", pure_modules, ids=lambda source: source.name)
def test_asks_no_clock_and_throws_no_dice(source: Source) -> None:
    asked = [
        f"line {node.lineno}: {ast.unparse(node.func)}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name | ast.Attribute)
        and (ast.unparse(node.func.value).split(".")[-1], node.func.attr) in IMPURE_CALLS
    ]
    assert not asked, f"{source.name}: {', '.join(asked)}"


@pytest.mark.parametrize("source", package(), ids=lambda source: source.name)
def test_only_gate_control_and_lab_open_network_sockets(source: Source) -> None:
    if source.name.startswith(("gate/", "control/", "lab/")):
        return
    opened = [
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("AF_INET", "AF_INET6", "SOCK_DGRAM")
    ]
    assert not opened, f"{source.name}: lines {opened}"
