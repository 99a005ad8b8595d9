"""Finding rows by identity inside compiled code: open addressing over row numbers."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward.engine.hashing import mix
from simward.engine.rows import (
    cell_at,
    device_at,
    event_at,
    fetch_device,
    fetch_device_slot,
    fetch_session,
    fetch_slot,
    fetch_subscription,
    gateway_at,
    int32_at,
    int64_at,
    meta_of,
    set_int32,
    set_int64,
    subscription_at,
)

NOWHERE = -1
SLOT_AHEAD, ROW_AHEAD, SESSION_AHEAD = 18, 12, 6


@njit
def find_imsi(t, imsi):  # type: ignore[no-untyped-def]
    """Row of the subscription with this IMSI, or -1. A slot holds 31 bits of the hash above the row + 1."""
    mixed = mix(imsi)
    mark = (mixed >> np.int64(31)) & np.int64(0x7FFFFFFF)
    at = mixed & t.imsi_mask
    while True:
        slot = int64_at(t.imsi_index, at)
        if slot == 0:
            return np.int64(NOWHERE)
        if (slot >> np.int64(32)) == mark:
            row = (slot & np.int64(0xFFFFFFFF)) - np.int64(1)
            if subscription_at(t, row).imsi == imsi:
                return row
        at = (at + np.int64(1)) & t.imsi_mask


@njit
def fetch_ahead(t, position, count):  # type: ignore[no-untyped-def]
    """Ask for what the events further on will need: index slot, then row, then session, each when the one before is
    there.

    In random order over a million subscriptions almost every access misses the cache; asked for in time, the misses of
    several events overlap. Only hints: nothing is decided here.
    """
    if position + SLOT_AHEAD < count:
        fetch_slot(t, mix(event_at(t, position + SLOT_AHEAD).imsi) & t.imsi_mask)
        fetch_device_slot(t, mix(event_at(t, position + SLOT_AHEAD).imei) & t.device_mask)
    if position + ROW_AHEAD < count:
        slot = int64_at(t.imsi_index, mix(event_at(t, position + ROW_AHEAD).imsi) & t.imsi_mask)
        if slot != 0:
            fetch_subscription(t, (slot & np.int64(0xFFFFFFFF)) - np.int64(1))
        slot = int32_at(t.device_index, mix(event_at(t, position + ROW_AHEAD).imei) & t.device_mask)
        if slot != 0:
            fetch_device(t, slot - np.int64(1))
    if position + SESSION_AHEAD < count:
        slot = int64_at(t.imsi_index, mix(event_at(t, position + SESSION_AHEAD).imsi) & t.imsi_mask)
        if slot != 0:
            head = np.int64(subscription_at(t, (slot & np.int64(0xFFFFFFFF)) - np.int64(1)).session_head)
            if head >= 0:
                fetch_session(t, head)


@njit
def put_imsi(t, imsi, row):  # type: ignore[no-untyped-def]
    """Enter a row that is not in the index yet."""
    mixed = mix(imsi)
    at = mixed & t.imsi_mask
    while int64_at(t.imsi_index, at) != 0:
        at = (at + np.int64(1)) & t.imsi_mask
    mark = (mixed >> np.int64(31)) & np.int64(0x7FFFFFFF)
    set_int64(t.imsi_index, at, (mark << np.int64(32)) | (np.int64(row) + np.int64(1)))


@njit
def find_msisdn(t, msisdn):  # type: ignore[no-untyped-def]
    """Row of the subscription with this MSISDN, or -1; of several (one card, two IMSIs) the first row.

    The whole chain is read: its order depends on when the index was made, and the answer must not.
    """
    at = mix(msisdn) & t.msisdn_mask
    found = np.int64(NOWHERE)
    while True:
        slot = int32_at(t.msisdn_index, at)
        if slot == 0:
            return found
        if subscription_at(t, slot - 1).msisdn == msisdn and (found < 0 or slot - np.int64(1) < found):
            found = slot - np.int64(1)
        at = (at + np.int64(1)) & t.msisdn_mask


@njit
def put_msisdn(t, msisdn, row):  # type: ignore[no-untyped-def]
    """Enter a row that is not in the index yet."""
    at = mix(msisdn) & t.msisdn_mask
    while int32_at(t.msisdn_index, at) != 0:
        at = (at + np.int64(1)) & t.msisdn_mask
    set_int32(t.msisdn_index, at, np.int64(row) + np.int64(1))


@njit
def find_device(t, imei):  # type: ignore[no-untyped-def]
    """Row of the device, or -1."""
    at = mix(imei) & t.device_mask
    while True:
        slot = int32_at(t.device_index, at)
        if slot == 0:
            return np.int64(NOWHERE)
        if device_at(t, slot - 1).imei == imei:
            return slot - np.int64(1)
        at = (at + np.int64(1)) & t.device_mask


@njit
def put_device(t, imei, row):  # type: ignore[no-untyped-def]
    """Enter a row that is not in the index yet."""
    at = mix(imei) & t.device_mask
    while int32_at(t.device_index, at) != 0:
        at = (at + np.int64(1)) & t.device_mask
    set_int32(t.device_index, at, np.int64(row) + np.int64(1))


@njit
def find_gateway(t, client, gateway):  # type: ignore[no-untyped-def]
    """Row of the gateway that this client calls by this name, or -1: a name says nothing about another client's."""
    at = mix((np.int64(client) << np.int64(31)) ^ np.int64(gateway)) & t.gateway_mask
    while True:
        slot = int32_at(t.gateway_index, at)
        if slot == 0:
            return np.int64(NOWHERE)
        known = gateway_at(t, slot - 1)
        if known.gateway == gateway and known.client == client:
            return slot - np.int64(1)
        at = (at + np.int64(1)) & t.gateway_mask


@njit
def put_gateway(t, client, gateway, row):  # type: ignore[no-untyped-def]
    """Enter a row that is not in the index yet."""
    at = mix((np.int64(client) << np.int64(31)) ^ np.int64(gateway)) & t.gateway_mask
    while int32_at(t.gateway_index, at) != 0:
        at = (at + np.int64(1)) & t.gateway_mask
    set_int32(t.gateway_index, at, np.int64(row) + np.int64(1))


@njit
def find_cell(t, plmn, cell):  # type: ignore[no-untyped-def]
    """Position in the table of cells, or -1; only where there is one (cell_mask above 0)."""
    at = mix(mix(np.int64(cell)) ^ np.int64(plmn)) & t.cell_mask
    while True:
        slot = int32_at(t.cell_index, at)
        if slot == 0:
            return np.int64(NOWHERE)
        known = cell_at(t, slot - 1)
        if known.cell == cell and known.plmn == plmn:
            return slot - np.int64(1)
        at = (at + np.int64(1)) & t.cell_mask


def build_cell_index(tables, count):  # type: ignore[no-untyped-def]
    """Fill an empty index from the table of cells."""
    t = tables[0]
    for position in range(count):
        known = cell_at(t, position)
        at = mix(mix(np.int64(known.cell)) ^ np.int64(known.plmn)) & t.cell_mask
        while int32_at(t.cell_index, at) != 0:
            at = (at + np.int64(1)) & t.cell_mask
        set_int32(t.cell_index, at, np.int64(position) + np.int64(1))


def build_gateway_index(tables):  # type: ignore[no-untyped-def]
    """Fill an empty index from the table of gateways."""
    t = tables[0]
    for row in range(meta_of(t).gateways):
        put_gateway(t, gateway_at(t, row).client, gateway_at(t, row).gateway, row)


def build_subscription_indexes(tables):  # type: ignore[no-untyped-def]
    """Fill empty indexes from the table; rows with IMSI 0 are free."""
    t = tables[0]
    for row in range(meta_of(t).subscriptions):
        subscription = subscription_at(t, row)
        if subscription.imsi != 0:
            put_imsi(t, subscription.imsi, row)
            if subscription.msisdn != 0:
                put_msisdn(t, subscription.msisdn, row)


def build_device_index(tables):  # type: ignore[no-untyped-def]
    """Fill an empty index from the table."""
    t = tables[0]
    for row in range(meta_of(t).devices):
        put_device(t, device_at(t, row).imei, row)
