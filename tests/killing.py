"""Children that are killed with signal 9 before each single change of the disk in turn."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def at_each_change(
    prepare: Callable[[int], Path], work: Callable[[Path], object], changes: Sequence[str]
) -> None:
    """Fork children that work in a folder of their own each: the n-th is killed before its n-th call of os.`changes`.

    Ends with the first that lives to its end. For a process of its own, since what is counted stays counted.
    """
    number = 0
    while True:
        folder = prepare(number)
        child = os.fork()
        if not child:
            _count_down(number, changes)
            work(folder)
            os._exit(0)
        if not os.waitpid(child, 0)[1]:
            return
        number += 1


def _count_down(left: int, changes: Sequence[str]) -> None:
    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), 9)
            return real(*arguments, **named)

        return call

    for name in changes:
        setattr(os, name, counted(getattr(os, name)))
