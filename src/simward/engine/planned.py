"""Changes that a work order announces, inside compiled code: known before they happen, and carried out when they do.

A plan names a subscription, a time, and what may change in it: the device (one, or any), the place, or both. While an
event of the planned device is judged, that device stands where the bound one stood. So no detector has to know of plans
to be quiet about it; and whatever else is odd is found, and then nothing is carried out.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.detectors.facts import AREA, FIXED, area_number, imeisv
from simward.engine.effects import bind, binding_mode
from simward.engine.findings import QUARANTINE, about, new_output
from simward.engine.layouts import PLANS_EACH, PLANS_MAX
from simward.engine.places import forget_homes, happened_s
from simward.engine.rows import (
    around_of,
    meta_of,
    plan_at,
    session_at,
    subscription_at,
    use_case_at,
    zero_plan,
)
from simward.engine.sessions import find_session

NONE, NOWHERE, UNKNOWN = 0, -1, -1
ACCESS_REQUEST, STOP = 1, 4
APPLIED, STALE, LIMITED = 1, 3, 4
PLAN_DEVICE, PLAN_PLACE = 1, 2
FLAGS_SHIFT = 8
"""FLAG_PLAN_DEVICE and FLAG_PLAN_PLACE (events.py), shifted by this, are PLAN_DEVICE and PLAN_PLACE."""
PLANNED, PLAN_ENDED = 14, 15
ENDED_EXPIRED, ENDED_CANCELLED = 1, 2
MODE_FIRST_USE, MODE_DECLARED, MODE_MODEL = 1, 2, 3
DEVICE, CELL, LOCATION_AREA, NETWORK = 0, 1, 2, 3
"""Positions in `before` and `after` (words.CHANGED)."""
PLAN_SWEEP_ROWS = 1024


@njit
def asked_of(event):  # type: ignore[no-untyped-def]
    """What a COMMAND_PLAN says may change: PLAN_DEVICE, PLAN_PLACE."""
    return (np.int64(event["flags"]) >> np.int64(FLAGS_SHIFT)) & np.int64(PLAN_DEVICE | PLAN_PLACE)


@njit
def find_plan(t, row, number):  # type: ignore[no-untyped-def]
    """Row of the plan that a work order made for a subscription, 0 = none."""
    at = np.int64(subscription_at(t, row).plans)
    while at != NONE and plan_at(t, at).number != number:
        at = np.int64(plan_at(t, at).next)
    return at


@njit
def is_planned(t, row, event):  # type: ignore[no-untyped-def]
    """Is exactly what this COMMAND_PLAN says known already (and maybe carried out)? Then it is a repetition.

    Plans are told by what they say and not by their ids, of which only the last ones are kept: a swap of thousands
    must not push those of locks out.
    """
    at = find_plan(t, row, event.delegated_high)
    if at == NONE:
        return False
    plan = plan_at(t, at)
    window = plan.begins_at == event.prefix_high and plan.ends_at == event.prefix_low
    return window and plan.imei == event.imei and np.int64(plan.asked) == asked_of(event)


@njit
def plan_change(t, row, event):  # type: ignore[no-untyped-def]
    """Know of a change; an earlier plan of the same order for this subscription gives way.

    Says applied; stale, where its time is over; limited, where the table or the subscription has no room for more.
    """
    asked = asked_of(event)
    if asked == 0 or event.prefix_low <= event.received_at or event.prefix_low <= event.prefix_high:
        return np.int64(STALE)
    at = find_plan(t, row, event.delegated_high)
    if at == NONE:
        at = take_plan(t, row)
        if at == NONE:
            return np.int64(LIMITED)
    plan = plan_at(t, at)
    plan.imei = event.imei
    plan.was = 0
    plan.begins_at = event.prefix_high
    plan.ends_at = event.prefix_low
    plan.number = event.delegated_high
    plan.planned_sequence = meta_of(t).sequence
    plan.done_s = 0
    plan.asked = asked
    plan.left = asked
    return np.int64(APPLIED)


@njit
def take_plan(t, row):  # type: ignore[no-untyped-def]
    """A row on the subscription's chain; 0, and counted, where there is none left."""
    meta = meta_of(t)
    subscription = subscription_at(t, row)
    count, done, at = np.int64(0), np.int64(NONE), np.int64(subscription.plans)
    while at != NONE:
        count += np.int64(1)
        if plan_at(t, at).left == 0:
            done = at
        at = np.int64(plan_at(t, at).next)
    if count >= PLANS_EACH and done != NONE:  # the oldest of those that were carried out gives way
        drop_plan(t, done)
        count -= np.int64(1)
    at = np.int64(meta.plan_free)
    fresh = at == NONE
    if fresh:
        at = max(np.int64(meta.plans), np.int64(1))  # row 0 is nobody's: 0 means none
    if count >= PLANS_EACH or at > PLANS_MAX:
        meta.plans_not_kept = np.int64(meta.plans_not_kept) + np.int64(1)
        return np.int64(NONE)
    if fresh:
        meta.plans = at + np.int64(1)
    else:
        meta.plan_free = plan_at(t, at).next
    plan = plan_at(t, at)
    plan.subscription = row
    plan.next = subscription.plans
    subscription.plans = at
    meta.plans_live = np.int64(meta.plans_live) + np.int64(1)
    return at


@njit
def drop_plan(t, at):  # type: ignore[no-untyped-def]
    """Take a plan off its subscription's chain and free the (zeroed) row."""
    meta = meta_of(t)
    subscription = subscription_at(t, plan_at(t, at).subscription)
    following = plan_at(t, at).next
    if np.int64(subscription.plans) == at:
        subscription.plans = following
    else:
        before = np.int64(subscription.plans)
        while np.int64(plan_at(t, before).next) != at:
            before = np.int64(plan_at(t, before).next)
        plan_at(t, before).next = following
    zero_plan(t, at)
    plan_at(t, at).next = meta.plan_free
    meta.plan_free = at
    meta.plans_live = np.int64(meta.plans_live) - np.int64(1)


@njit
def end_plan(t, at, why, event, position, made, index):  # type: ignore[no-untyped-def]
    """Forget a plan; what it was waiting for is told, unless that came."""
    plan = plan_at(t, at)
    waited = np.int64(plan.left) == np.int64(plan.asked) or (np.int64(plan.left) & np.int64(PLAN_DEVICE)) != 0
    if waited:
        output = new_output(t, made, event, position, index, PLAN_ENDED)
        about(output, t, np.int64(plan.subscription))
        output.now = plan.imei
        output.expected = plan.number
        output.opened_sequence = plan.planned_sequence
        output.result = why
        made += 1
        index += 1
    drop_plan(t, at)
    return made, index


@njit
def sweep_plans(t, event, position, made, index, room):  # type: ignore[no-untyped-def]
    """A tick ends, of the next slice of plans, those whose time is over; at most `room` outputs."""
    meta = meta_of(t)
    count = np.int64(meta.plans)
    start = made
    for _ in range(min(count, np.int64(PLAN_SWEEP_ROWS))):
        if meta.plans_live == 0 or made - start >= room:
            return made, index
        at = np.int64(meta.plan_sweep) % count
        meta.plan_sweep = (at + np.int64(1)) % count
        if plan_at(t, at).asked and event.received_at > plan_at(t, at).ends_at:
            made, index = end_plan(t, at, ENDED_EXPIRED, event, position, made, index)
    return made, index


@njit
def in_force(plan, event):  # type: ignore[no-untyped-def]
    """Is it time?"""
    return plan.begins_at <= event.received_at <= plan.ends_at


@njit
def expected_device(t, subscription, event):  # type: ignore[no-untyped-def]
    """Row of the plan in force that waits for the event's device, 0 = none; one that names it before one for any."""
    current = subscription.bound_imei if subscription.bound_imei != 0 else subscription.last_imei
    found, at = np.int64(NONE), np.int64(subscription.plans)
    while at != NONE and event.imei != 0:
        plan = plan_at(t, at)
        if (np.int64(plan.left) & np.int64(PLAN_DEVICE)) != 0 and in_force(plan, event):
            if plan.imei == event.imei:
                return at
            if plan.imei == 0 and event.imei != current:
                found = at
        at = np.int64(plan.next)
    return found


@njit
def expect_device(t, row, event):  # type: ignore[no-untyped-def]
    """Have the planned device stand where the bound one did while this event is judged; gives the plan's row, 0 = none.

    What was there is kept in AROUND until `carry_out` takes it over or puts it back.
    """
    subscription = subscription_at(t, row)
    at = expected_device(t, subscription, event)
    if at == NONE:
        return at
    around = around_of(t)
    around.before_bound = subscription.bound_imei
    around.before_declared = subscription.declared_imei
    around.before_imei = subscription.last_imei
    around.before_software = subscription.last_software
    mode = binding_mode(t, subscription)
    if mode == MODE_FIRST_USE or mode == MODE_DECLARED or mode == MODE_MODEL:
        subscription.bound_imei = event.imei
    if subscription.declared_imei != 0:  # an inventory that names another one stands above that when it is next applied
        subscription.declared_imei = event.imei
    subscription.last_imei = event.imei
    subscription.last_software = event.software
    return at


@njit
def look_at_plans(t, subscription, event, around):  # type: ignore[no-untyped-def]
    """What is planned for this subscription, as its detectors see it."""
    mobility = np.int64(use_case_at(t, subscription.use_case).mobility)
    at = np.int64(subscription.plans)
    while at != NONE:
        plan = plan_at(t, at)
        asked, left = np.int64(plan.asked), np.int64(plan.left)
        if in_force(plan, event):
            if (left & PLAN_DEVICE) != 0 and around.planned_imei == 0:
                around.planned_imei = plan.imei
            if (asked & PLAN_DEVICE) != 0:
                around.holder = 0  # its device goes to another subscription while this one gets another device
            if plan.done_s != 0:
                around.two_devices = 0  # the session in the old device is not over yet; any third device is a change
            if (left & PLAN_PLACE) != 0 and mobility == FIXED and around.at_home == 0:
                around.at_home = UNKNOWN
                around.place_plan = at
            if (asked & PLAN_PLACE) != 0 and mobility == AREA and around.from_centre_m > around.radius_m:
                around.from_centre_m = UNKNOWN
                if (left & PLAN_PLACE) != 0:
                    around.place_plan = at
        at = np.int64(plan.next)
    if is_of_before(t, subscription, event):
        around.left_imei = event.imei


@njit
def is_of_before(t, subscription, event):  # type: ignore[no-untyped-def]
    """Is this a record about the device that a plan took it out of, of a session that began before that?

    The old session may go on for a while in the gateway after the SIM was pulled; its end is reported later still.
    """
    if event.kind == ACCESS_REQUEST or event.imei == 0:
        return False
    at = np.int64(subscription.plans)
    while at != NONE:
        plan = plan_at(t, at)
        if plan.done_s != 0 and plan.was == event.imei and in_force(plan, event):
            if event.kind == STOP:
                return True
            began_s = happened_s(event) - max(np.int64(event.duration_s), np.int64(0))
            session = find_session(t, subscription, event)
            if session != NOWHERE:
                began_s = np.int64(session_at(t, session).began_s)
            return began_s <= np.int64(plan.done_s)
        at = np.int64(plan.next)
    return False


@njit
def carry_out(t, row, at, strongest, event, position, made, index):  # type: ignore[no-untyped-def]
    """After the judgement: what was planned becomes so, or (where the event is stopped for another reason) does not.

    `at` is the plan that waited for this device, 0 = none.
    """
    around = around_of(t)
    subscription = subscription_at(t, row)
    place = np.int64(around.place_plan)
    stopped = strongest >= QUARANTINE
    if at != NONE:
        subscription.last_imei = around.before_imei
        subscription.last_software = around.before_software
        if stopped:
            subscription.bound_imei = around.before_bound
            subscription.declared_imei = around.before_declared
    if stopped:
        return made, index
    if at != NONE:
        changed = np.int64(PLAN_DEVICE | PLAN_PLACE) if place == at else np.int64(PLAN_DEVICE)
        made, index = move_device(t, row, at, changed, event, position, made, index)
    if place != NONE:
        if place != at:
            tell_planned(t, row, place, np.int64(PLAN_PLACE), event, position, made, index)
            made += 1
            index += 1
        if np.int64(use_case_at(t, subscription.use_case).mobility) == FIXED:
            forget_homes(subscription)
        plan_at(t, place).left = np.int64(plan_at(t, place).left) & ~np.int64(PLAN_PLACE)
    return made, index


@njit
def move_device(t, row, at, changed, event, position, made, index):  # type: ignore[no-untyped-def]
    """The planned device is there: the binding moves to it."""
    around, plan = around_of(t), plan_at(t, at)
    subscription = subscription_at(t, row)
    binds = subscription.bound_imei == event.imei and around.before_bound != event.imei
    plan.was = around.before_bound if around.before_bound != 0 else around.before_imei
    plan.done_s = happened_s(event)
    plan.left = np.int64(plan.left) & ~np.int64(PLAN_DEVICE)
    tell_planned(t, row, at, changed, event, position, made, index)
    made += 1
    index += 1
    if binds:
        bind(t, row, event.imei, event.software, event, position, made, index)
        made += 1
        index += 1
    return made, index


@njit
def tell_planned(t, row, at, changed, event, position, made, index):  # type: ignore[no-untyped-def]
    """A change happened as planned: what was, what is instead, and by which order."""
    around, plan = around_of(t), plan_at(t, at)
    subscription = subscription_at(t, row)
    output = new_output(t, made, event, position, index, PLANNED)
    about(output, t, row)
    output.expected = plan.number
    output.opened_sequence = plan.planned_sequence
    output.result = changed
    if (changed & PLAN_DEVICE) != 0:
        output.was, output.now = plan.was, event.imei
        if plan.was != 0 and plan.was != event.imei:
            software = around.before_software if around.before_imei == plan.was else NOWHERE
            output.before[DEVICE] = imeisv(plan.was, software)
            output.after[DEVICE] = imeisv(event.imei, np.int64(event.software))
    else:
        output.was = area_number(subscription.plmn, subscription.area)
        output.now = area_number(event.plmn, event.area)
    if (changed & PLAN_PLACE) != 0:
        tell_change(output, CELL, subscription.cell, event.cell)
        tell_change(output, LOCATION_AREA, np.int64(subscription.area) + 1, np.int64(event.area) + 1)
        tell_change(output, NETWORK, subscription.plmn, event.plmn)


@njit
def tell_change(output, place, before, after):  # type: ignore[no-untyped-def]
    """One pair of a detailed output, where both are known and differ."""
    if before != 0 and after != 0 and before != after:
        output.before[place] = before
        output.after[place] = after
