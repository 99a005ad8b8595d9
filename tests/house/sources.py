"""The files that the house rules look at, each read once, and parsed once where somebody looks inside."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "src" / "simward"


@dataclass(frozen=True)
class Source:
    """One Python file of the package."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """What it is parsed into; not before a test asks, since whoever collects tests pays for what they hold."""
        return ast.parse(self.text)

    @property
    def name(self) -> str:
        """Its path below the package: `engine/fold.py`."""
        return self.path.relative_to(PACKAGE).as_posix()

    @property
    def doc(self) -> str:
        """Its docstring."""
        return ast.get_docstring(self.tree) or ""

    def imported(self) -> set[str]:
        """The top-level names of what it imports, wherever in the file it does so."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
        return found


@cache
def package() -> tuple[Source, ...]:
    """Every module of the package."""
    return tuple(Source(path, path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py")))


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository, as git knows them; where there is no git, every file outside hidden folders."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True, text=True
        ).stdout.split("\0")
        found = [REPOSITORY / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        found = [
            path
            for path in REPOSITORY.rglob("*")
            if not any(part.startswith(".") for part in path.relative_to(REPOSITORY).parts[:-1])
        ]
    return tuple(path for path in found if path.is_file())


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """(path, text) of every tracked file that is text and not a lock file or a licence."""
    found = []
    for path in tracked():
        name = path.relative_to(REPOSITORY).as_posix()
        if name.endswith(".lock") or name == "LICENSE":
            continue
        try:
            found.append((name, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return tuple(found)
