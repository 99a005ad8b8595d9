"""Keeps a copy of a row inside compiled code, and says whether the row is still the same to the octet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from simward.compiled import INTERPRETED
from simward.engine.rows import MAPPED


def keeping(dtype: np.dtype) -> tuple[Callable[[Any, Any, Any], None], Callable[[Any, Any, Any], Any]]:
    """Functions (copy, begin, number), for records of `dtype`: one copies the record there into the only record of the
    array at `copy`, the other is True where both are equal, gaps included.
    """
    if INTERPRETED:

        def octets(begin: Any, number: Any) -> Any:
            return MAPPED[int(begin)][int(number) : int(number) + 1].view(np.ndarray).view(np.uint8)

        def keep_row(copy: Any, begin: Any, number: Any) -> None:
            octets(copy, 0)[:] = octets(begin, number)

        def is_row_kept(copy: Any, begin: Any, number: Any) -> Any:
            return bool(np.array_equal(octets(copy, 0), octets(begin, number)))

        return keep_row, is_row_kept
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    size = dtype.itemsize
    whole, part, pointer = ir.IntType(64), ir.IntType(32), ir.IntType(8).as_pointer()

    def places(builder: Any, arguments: Any) -> tuple[Any, Any]:
        offset = builder.mul(arguments[2], ir.Constant(whole, size))
        return builder.inttoptr(arguments[0], pointer), builder.inttoptr(builder.add(arguments[1], offset), pointer)

    @intrinsic
    def keep(typing: Any, copy: Any, begin: Any, number: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            cgutils.raw_memcpy(builder, *places(builder, arguments), ir.Constant(whole, size), 1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), generate

    @intrinsic
    def is_kept(typing: Any, copy: Any, begin: Any, number: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = ir.FunctionType(part, [pointer, pointer, whole])
            compare = cgutils.get_or_insert_function(builder.module, kind, "memcmp")
            said = builder.call(compare, [*places(builder, arguments), ir.Constant(whole, size)])
            return builder.icmp_signed("==", said, part(0))

        return types.boolean(types.int64, types.int64, types.int64), generate

    kept: tuple[Callable[[Any, Any, Any], None], Callable[[Any, Any, Any], Any]] = keep, is_kept
    return kept
