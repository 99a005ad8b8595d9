"""Compiled entry points that notice when any of their sources changes.

numba's own cache does not see a changed callee and cannot hold functions made from a string. So an entry is written to
the cache folder as a tiny module that is named after a hash of every source it depends on, and imported from there.
With NUMBA_DISABLE_JIT=1 the entry is the plain function: slow, and the same bytes.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import inspect
import operator
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


def records(rows: Any) -> Any:
    """Structured rows (made by np.zeros) in the form that an entry takes: plain arrays, which it recognises in a
    microsecond where a recarray costs ten; interpreted, such whose rows have attributes."""
    return with_attributes(rows) if INTERPRETED else rows


def with_attributes(rows: Any) -> Any:
    """A view of structured rows that are read as `rows[3].field`, as compiled code does: a recarray in a third of its
    time. What it gives for a row is a record of its own class, with a property for each field."""
    return rows.view(_attributed(rows.dtype))


@functools.cache
def _attributed(dtype: Any) -> Any:
    import numpy

    assert dtype.names is not None, "plain numbers have no attributes"
    inner = {name: _attributed(field[0]) if field[0].names else field[0] for name, field in dtype.fields.items()}
    fields = {name: property(operator.itemgetter(name), _writes(name)) for name in dtype.names}
    row = type("Row", (numpy.void,), {"__slots__": (), **fields})
    plain: Any = {"names": dtype.names, "formats": [inner[name] for name in dtype.names],
             "offsets": [dtype.fields[name][1] for name in dtype.names], "itemsize": dtype.itemsize}  # fmt: skip
    return numpy.dtype((row, numpy.dtype(plain)))


def _writes(name: str) -> Callable[[Any, Any], None]:
    def write(row: Any, value: Any) -> None:
        row[name] = value

    return write


def cache_folder() -> Path:
    """Where compiled code is kept: SIMWARD_CACHE, else XDG_CACHE_HOME/simward, else ~/.cache/simward."""
    named = os.environ.get("SIMWARD_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "simward"


def sources_digest(sources: Iterable[ModuleType | Path | str]) -> str:
    """SHA-256 (hex) over the text of modules, files, or literal strings, in the order given."""
    digest = hashlib.sha256()
    for source in sources:
        if isinstance(source, ModuleType):
            digest.update(Path(str(source.__file__)).read_bytes())
        elif isinstance(source, Path):
            digest.update(source.read_bytes())
        else:
            digest.update(source.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def import_generated(name: str, text: str) -> ModuleType:
    """Write `text` as a module named `name` to the cache folder (atomically) and import it from there."""
    folder = cache_folder() / "generated"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{name}.py"
    if not path.exists() or path.read_text() != text:
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.replace(temporary, path)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def entry(function: Callable[..., Any], depends: Iterable[ModuleType | Path | str]) -> Callable[..., Any]:
    """The compiled, disk-cached form of `function`, whose callees live in the modules that it `depends` on.

    Callees are plain `@numba.njit` functions without a cache of their own. `depends` must name every module whose
    source the machine code is made from; the module of `function` itself is added.
    """
    if INTERPRETED:
        return function
    made: list[Callable[..., Any]] = []

    @functools.wraps(function)
    def call(*values: Any) -> Any:
        if not made:
            made.append(_build(function, depends))
        return made[0](*values)

    return call


def settled_entry(function: Callable[..., Any], depends: Iterable[ModuleType | Path | str]) -> Callable[..., Any]:
    """An `entry` whose every call has values of the very types of the first one, which nobody checks again.

    For what one request alone waits for: working out the types of forty arrays anew takes numba as long as decoding a
    packet. An array of another dtype would be read as what it is not, so this is for callers who make their arrays
    themselves; with SIMWARD_CHECK_TYPES=1, as the tests run, each call is checked and TypeError names the function.
    """
    if INTERPRETED:
        return function
    checked = os.environ.get("SIMWARD_CHECK_TYPES", "0") not in ("", "0")
    machine: Callable[..., Any] | None = None
    types: tuple[Any, ...] = ()

    @functools.wraps(function)
    def call(*values: Any) -> Any:
        nonlocal machine, types
        if machine is None:
            built = _build(function, depends)
            result = built(*values)
            machine, types = _machine_code(built)
            return result
        if checked:
            _refuse_other_types(function, types, values)
        return machine(*values)

    return call


def _machine_code(built: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """What numba's dispatcher calls once it has found the types, and those types."""
    ((types, made),) = built.overloads.items()
    machine: Callable[..., Any] = made.entry_point
    return machine, types


def _refuse_other_types(function: Callable[..., Any], types: tuple[Any, ...], values: tuple[Any, ...]) -> None:
    from numba import typeof
    from numba.core.types import Integer

    for wanted, value in zip(types, values, strict=True):
        found = typeof(value)
        if found != wanted and not (isinstance(wanted, Integer) and isinstance(found, Integer)):
            raise TypeError(f"{function.__name__} takes {wanted}, not {found}")


def _build(function: Callable[..., Any], depends: Iterable[ModuleType | Path | str]) -> Callable[..., Any]:
    """Import the generated module of an entry; done at its first call, when `depends` are all imported."""
    import llvmlite
    import numba
    import numpy

    own = sys.modules[function.__module__]
    versions = f"{sys.version} {numba.__version__} {llvmlite.__version__} {numpy.__version__}"
    digest = sources_digest([versions, own, *depends])[:24]
    arguments = ", ".join(inspect.signature(function).parameters)
    name = f"simward_{function.__name__}_{digest}"
    text = (
        f"from numba import njit\n"
        f"from {function.__module__} import {function.__name__} as plain\n\n"
        f"inner = plain if hasattr(plain, 'py_func') else njit(plain)\n\n\n"
        f"@njit(cache=True, nogil=True)\n"
        f"def {function.__name__}({arguments}):\n"
        f"    return inner({arguments})\n"
    )
    compiled: Callable[..., Any] = getattr(import_generated(name, text), function.__name__)
    return compiled
