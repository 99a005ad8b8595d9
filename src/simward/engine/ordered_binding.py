"""Binding by a command, inside compiled code: to a device or to the area of the use case, and free of either."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.detectors.facts import AREA
from simward.engine.confining import let_out
from simward.engine.effects import UNBOUND, bind, release_subscription
from simward.engine.events import FLAG_AREA
from simward.engine.findings import about, new_output
from simward.engine.layouts import LOCKED_BY_FINDING, MARK_AREA, MARK_FREE, MARK_TIED
from simward.engine.rows import detector_at, subscription_at, use_case_at

APPLIED, UNFIT = 1, 6
RESTRICTED, UNRESTRICTED = 18, 19
RELEASE_PERSON = 1
MODE_DECLARED = 2
NO_SOFTWARE = -1


@njit
def is_declared(t, subscription):  # type: ignore[no-untyped-def]
    """Does the inventory say in which device it belongs? Then only the inventory changes that."""
    declares = np.int64(use_case_at(t, subscription.use_case).binding_mode) == MODE_DECLARED
    return declares and subscription.declared_imei != 0


@njit
def bind_as_ordered(t, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """Bind to the device that the command names, else to the one seen last; or to the area of the use case.

    Unfit where there is none of these, and where the inventory declares another device.
    """
    subscription = subscription_at(t, row)
    marks = np.int64(subscription.marks)
    if np.int64(event["flags"]) & FLAG_AREA:
        if np.int64(use_case_at(t, subscription.use_case).mobility) != AREA:
            return made, index, np.int64(UNFIT)
        if not marks & MARK_AREA:
            subscription.marks = marks | np.int64(MARK_AREA)
            about(new_output(t, made, event, position, index, RESTRICTED), t, row)
            made += 1
            index += 1
        return made, index, np.int64(APPLIED)
    seen = np.int64(subscription.last_imei)
    imei = np.int64(event.imei) if event.imei != 0 else seen
    if imei == 0 or (is_declared(t, subscription) and imei != subscription.declared_imei):
        return made, index, np.int64(UNFIT)
    if marks & MARK_TIED and subscription.bound_imei == imei:
        return made, index, np.int64(APPLIED)
    subscription.marks = (marks | np.int64(MARK_TIED)) & ~np.int64(MARK_FREE)
    software = np.int64(subscription.last_software) if imei == seen else np.int64(NO_SOFTWARE)
    bind(t, row, imei, software, event, position, made, index)
    return made + 1, index + 1, np.int64(APPLIED)


@njit
def unbind_as_ordered(t, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """Bind it no longer, until a command does; a lock that only its device was the reason of ends with that."""
    subscription = subscription_at(t, row)
    marks = np.int64(subscription.marks)
    if np.int64(event["flags"]) & FLAG_AREA:
        if marks & MARK_AREA:
            subscription.marks = marks & ~np.int64(MARK_AREA)
            about(new_output(t, made, event, position, index, UNRESTRICTED), t, row)
            made += 1
            index += 1
        return made, index, np.int64(APPLIED)
    if subscription.bound_imei == 0:
        return made, index, np.int64(APPLIED)
    if is_declared(t, subscription):
        return made, index, np.int64(UNFIT)
    forget_bound(t, row, event, position, made, index)
    made += 1
    index += 1
    subscription.marks = (marks | np.int64(MARK_FREE)) & ~np.int64(MARK_TIED)
    if subscription.locked == LOCKED_BY_FINDING and detector_at(t, subscription.lock_detector).about_device:
        made, index = release_subscription(t, row, RELEASE_PERSON, event, position, made, index)
        made, index = let_out(t, row, True, event, position, made, index)
    return made, index, np.int64(APPLIED)


@njit
def forget_bound(t, row, event, position, made, index):  # type: ignore[no-untyped-def]
    """Write that it is bound to no device now."""
    subscription = subscription_at(t, row)
    output = new_output(t, made, event, position, index, UNBOUND)
    output.was = subscription.bound_imei
    subscription.bound_imei = 0
    subscription.generation = np.int64(subscription.generation) + np.int64(1)
    about(output, t, row)
