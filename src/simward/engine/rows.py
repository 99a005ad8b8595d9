"""Rows by table and number inside compiled code, without passing two dozen arrays from function to function.

The kernel gets one record that says where each table begins (layouts.TABLES). A row is then an address: begin +
number * size. Passing NumPy arrays instead cost ten times as much at run time (each call copies and counts references
to every array) and minutes of compilation. Interpreted, the same calls look the row up in the arrays themselves.

Numbers are not checked against the table's length: they come from the tables' own chains and indexes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from simward.compiled import INTERPRETED
from simward.engine import layouts
from simward.engine.events import EVENT
from simward.engine.outputs import OUTPUT, RESULT
from simward.engine.tables import CELL, COUNTRY, MODEL, POOL_RANGE, SEGMENT, SETTINGS, USE_CASE, knobs_dtype

MAPPED: dict[int, Any] = {}
"""Interpreted only: address -> the array that begins there."""


def pointer_to(dtype: np.dtype) -> Callable[[Any, Any], Any]:
    """A function (begin, number) -> the record there, for records of `dtype`."""
    if INTERPRETED:
        return lambda begin, number: MAPPED[int(begin)][int(number)]
    from llvmlite import ir
    from numba import from_dtype, types
    from numba.extending import intrinsic

    record, size = from_dtype(dtype), dtype.itemsize

    @intrinsic
    def at(typing: Any, begin: Any, number: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            offset = builder.mul(arguments[1], ir.Constant(ir.IntType(64), size))
            return builder.inttoptr(builder.add(arguments[0], offset), context.get_value_type(record))

        return record(types.int64, types.int64), generate

    pointer: Callable[[Any, Any], Any] = at
    return pointer


def number_in(dtype: str) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any, Any], None]]:
    """Functions (begin, number) -> value and (begin, number, value) for an array of plain integers."""
    cell = pointer_to(np.dtype([("value", dtype)]))

    @njit
    def read(begin, number):  # type: ignore[no-untyped-def]
        return np.int64(cell(begin, number).value)

    @njit
    def write(begin, number, value):  # type: ignore[no-untyped-def]
        cell(begin, number).value = value

    return read, write


def prefetch_of(dtype: np.dtype, octets: int = 0, field: str = "") -> Callable[[Any, Any], None]:
    """A function (begin, number) that asks the processor to fetch a record (its first `octets`, or one `field`; else
    all of it) into its cache, and waits for nothing.
    """
    if INTERPRETED:
        return lambda begin, number: None
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    size, begins = dtype.itemsize, dtype.fields[field][1] if field and dtype.fields else 0
    ends = begins + (dtype[field].itemsize if field else octets or size)
    places = sorted({*range(begins, ends, 64), ends - 1})  # few records begin where a line does

    @intrinsic
    def fetch(typing: Any, begin: Any, number: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            whole, half = ir.IntType(64), ir.IntType(32)
            pointer = ir.IntType(8).as_pointer()
            kind = ir.FunctionType(ir.VoidType(), [pointer, half, half, half])
            function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
            address = builder.add(arguments[0], builder.mul(arguments[1], ir.Constant(whole, size)))
            for line in places:
                place = builder.inttoptr(builder.add(address, ir.Constant(whole, line)), pointer)
                builder.call(function, [place, half(1), half(3), half(1)])
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    prefetch: Callable[[Any, Any], None] = fetch
    return prefetch


def zero_of(dtype: np.dtype) -> Callable[[Any, Any], None]:
    """A function (begin, number) that makes every octet of a record 0, its gaps included."""
    if INTERPRETED:

        def clear(begin: Any, number: Any) -> None:
            MAPPED[int(begin)][int(number) : int(number) + 1].view(np.ndarray).view(np.uint8)[:] = 0

        return clear
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    size = dtype.itemsize

    @intrinsic
    def zero(typing: Any, begin: Any, number: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            offset = builder.mul(arguments[1], ir.Constant(ir.IntType(64), size))
            place = builder.inttoptr(builder.add(arguments[0], offset), ir.IntType(8).as_pointer())
            cgutils.memset(builder, place, ir.Constant(ir.IntType(64), size), 0)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    cleared: Callable[[Any, Any], None] = zero
    return cleared


_zero_session = zero_of(layouts.SESSION)
_zero_finding = zero_of(layouts.FINDING)
_zero_plan = zero_of(layouts.PLAN)
_zero_output = zero_of(OUTPUT)
_zero_result = zero_of(RESULT)
_fetch_subscription = prefetch_of(layouts.SUBSCRIPTION)
_fetch_session = prefetch_of(layouts.SESSION)
_fetch_use_case = prefetch_of(layouts.SUBSCRIPTION, field="use_case")
_fetch_number = prefetch_of(np.dtype("i8"))
_fetch_device, _fetch_half = prefetch_of(layouts.DEVICE), prefetch_of(np.dtype("i4"))
_subscription = pointer_to(layouts.SUBSCRIPTION)
_session = pointer_to(layouts.SESSION)
_departed = pointer_to(layouts.DEPARTED)
_withheld = pointer_to(layouts.WITHHELD)
_long_id = pointer_to(layouts.LONG_ID)
_whole_id = pointer_to(layouts.WHOLE_ID)
_gateway = pointer_to(layouts.GATEWAY)
_stranger = pointer_to(layouts.STRANGER)
_segment_state = pointer_to(layouts.SEGMENT_STATE)
_freed = pointer_to(layouts.FREED)
_finding = pointer_to(layouts.FINDING)
_device = pointer_to(layouts.DEVICE)
_plan = pointer_to(layouts.PLAN)
_limit = pointer_to(layouts.LIMIT)
_meta = pointer_to(layouts.META)
_detector = pointer_to(layouts.DETECTOR_FACTS)
_seen = pointer_to(layouts.SEEN)
_around = pointer_to(layouts.AROUND)
_use_case = pointer_to(USE_CASE)
_segment = pointer_to(SEGMENT)
_settings = pointer_to(SETTINGS)
_knobs = pointer_to(knobs_dtype())
_cell = pointer_to(CELL)
_country = pointer_to(COUNTRY)
_model = pointer_to(MODEL)
_pool_range = pointer_to(POOL_RANGE)
_event = pointer_to(EVENT)
_output = pointer_to(OUTPUT)
_result = pointer_to(RESULT)

int64_at, set_int64 = number_in("i8")
int32_at, set_int32 = number_in("i4")
octet_at, set_octet = number_in("u1")


@njit
def meta_of(t):  # type: ignore[no-untyped-def]
    """Counters and free lists of the whole state."""
    return _meta(t.meta, 0)


@njit
def settings_of(t):  # type: ignore[no-untyped-def]
    """What simward.toml says that the fold must know."""
    return _settings(t.settings, 0)


@njit
def subscription_at(t, row):  # type: ignore[no-untyped-def]
    """layouts.SUBSCRIPTION"""
    return _subscription(t.subscriptions, row)


@njit
def fetch_subscription(t, row):  # type: ignore[no-untyped-def]
    """Have a subscription's row in the cache soon."""
    _fetch_subscription(t.subscriptions, row)


@njit
def fetch_use_case(t, row):  # type: ignore[no-untyped-def]
    """Have a subscription's use case in the cache soon."""
    _fetch_use_case(t.subscriptions, row)


@njit
def fetch_session(t, row):  # type: ignore[no-untyped-def]
    """Have a session's row in the cache soon."""
    _fetch_session(t.sessions, row)


@njit
def fetch_slot(t, at):  # type: ignore[no-untyped-def]
    """Have a slot of the IMSI index in the cache soon."""
    _fetch_number(t.imsi_index, at)


@njit
def fetch_device_slot(t, at):  # type: ignore[no-untyped-def]
    """And of the index of devices."""
    _fetch_half(t.device_index, at)


@njit
def fetch_device(t, row):  # type: ignore[no-untyped-def]
    """Have a device's row in the cache soon."""
    _fetch_device(t.devices, row)


@njit
def session_at(t, row):  # type: ignore[no-untyped-def]
    """layouts.SESSION"""
    return _session(t.sessions, row)


@njit
def zero_session(t, row):  # type: ignore[no-untyped-def]
    """Make a session's row all zeros, so that equal histories leave equal bytes."""
    _zero_session(t.sessions, row)


@njit
def zero_finding(t, row):  # type: ignore[no-untyped-def]
    """Make a finding's row all zeros."""
    _zero_finding(t.findings, row)


@njit
def zero_plan(t, row):  # type: ignore[no-untyped-def]
    """Make a plan's row all zeros."""
    _zero_plan(t.plans, row)


@njit
def zero_output(t, position):  # type: ignore[no-untyped-def]
    """Make an output all zeros."""
    _zero_output(t.outputs, position)


@njit
def zero_result(t, position):  # type: ignore[no-untyped-def]
    """Make a result all zeros."""
    _zero_result(t.results, position)


@njit
def departed_at(t, row):  # type: ignore[no-untyped-def]
    """layouts.DEPARTED"""
    return _departed(t.departed, row)


@njit
def withheld_at(t, row):  # type: ignore[no-untyped-def]
    """layouts.WITHHELD"""
    return _withheld(t.withheld, row)


@njit
def long_id_at(t, row):  # type: ignore[no-untyped-def]
    """layouts.LONG_ID"""
    return _long_id(t.long_ids, row)


@njit
def whole_id_at(t, position):  # type: ignore[no-untyped-def]
    """layouts.WHOLE_ID of the batch"""
    return _whole_id(t.whole_ids, position)


@njit
def gateway_at(t, row):  # type: ignore[no-untyped-def]
    """layouts.GATEWAY"""
    return _gateway(t.gateways, row)


@njit
def stranger_at(t, row):  # type: ignore[no-untyped-def]
    """layouts.STRANGER"""
    return _stranger(t.strangers, row)


@njit
def segment_state_at(t, row):  # type: ignore[no-untyped-def]
    """layouts.SEGMENT_STATE"""
    return _segment_state(t.segment_states, row)


@njit
def freed_at(t, row):  # type: ignore[no-untyped-def]
    """layouts.FREED"""
    return _freed(t.freed, row)


@njit
def finding_at(t, row):  # type: ignore[no-untyped-def]
    """layouts.FINDING"""
    return _finding(t.findings, row)


@njit
def device_at(t, row):  # type: ignore[no-untyped-def]
    """layouts.DEVICE"""
    return _device(t.devices, row)


@njit
def plan_at(t, row):  # type: ignore[no-untyped-def]
    """layouts.PLAN"""
    return _plan(t.plans, row)


@njit
def limit_at(t, use_case):  # type: ignore[no-untyped-def]
    """layouts.LIMIT"""
    return _limit(t.limits, use_case)


@njit
def detector_at(t, number):  # type: ignore[no-untyped-def]
    """layouts.DETECTOR_FACTS"""
    return _detector(t.detectors, number)


@njit
def evidence_at(t, number):  # type: ignore[no-untyped-def]
    """layouts.SEEN, one a detector"""
    return _seen(t.evidence, number)


@njit
def use_case_at(t, number):  # type: ignore[no-untyped-def]
    """tables.USE_CASE"""
    return _use_case(t.use_cases, number)


@njit
def segment_at(t, number):  # type: ignore[no-untyped-def]
    """tables.SEGMENT"""
    return _segment(t.segments, number)


@njit
def knobs_at(t, use_case):  # type: ignore[no-untyped-def]
    """tables.knobs_dtype()"""
    return _knobs(t.knobs, use_case)


@njit
def event_at(t, position):  # type: ignore[no-untyped-def]
    """events.EVENT of the batch"""
    return _event(t.events, position)


@njit
def output_at(t, position):  # type: ignore[no-untyped-def]
    """outputs.OUTPUT of the batch"""
    return _output(t.outputs, position)


@njit
def result_at(t, position):  # type: ignore[no-untyped-def]
    """outputs.RESULT of the batch"""
    return _result(t.results, position)


@njit
def around_of(t):  # type: ignore[no-untyped-def]
    """layouts.AROUND: what is known around the event at hand"""
    return _around(t.around, 0)


@njit
def cell_at(t, position):  # type: ignore[no-untyped-def]
    """tables.CELL"""
    return _cell(t.cells, position)


@njit
def country_at(t, mcc):  # type: ignore[no-untyped-def]
    """tables.COUNTRY, by mobile country code"""
    return _country(t.countries, mcc)


@njit
def model_at(t, position):  # type: ignore[no-untyped-def]
    """tables.MODEL, sorted by TAC"""
    return _model(t.models, position)


@njit
def pool_range_at(t, position):  # type: ignore[no-untyped-def]
    """tables.POOL_RANGE, sorted by pool and IMEI"""
    return _pool_range(t.pools, position)


@njit
def command_at(t, position):  # type: ignore[no-untyped-def]
    """Id of a command that was carried out."""
    return int64_at(t.commands, position)


@njit
def set_command(t, position, value):  # type: ignore[no-untyped-def]
    """Remember a command's id."""
    set_int64(t.commands, position, value)


@njit
def class_of(t, detector):  # type: ignore[no-untyped-def]
    """What a detector said about the event at hand."""
    return int64_at(t.classes, detector)


@njit
def set_class(t, detector, value):  # type: ignore[no-untyped-def]
    """Write what a detector says."""
    set_int64(t.classes, detector, value)


@njit
def response_of(t, use_case, detector, cls):  # type: ignore[no-untyped-def]
    """The response that policy gives to a class of a detector."""
    at = (np.int64(use_case) * np.int64(t.detector_count) + np.int64(detector)) * np.int64(
        layouts.MAX_CLASSES
    ) + np.int64(cls)
    return octet_at(t.responses, at)
