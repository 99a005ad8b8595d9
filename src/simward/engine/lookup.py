"""Finding rows by identity inside compiled code: open addressing over row numbers."""

from __future__ import annotations

import numpy as np
from numba import njit

NOWHERE = -1


@njit
def mix(value):  # type: ignore[no-untyped-def]
    """Spread a non-negative int64 over 62 bits; products stay below 2**63, so that interpreted code agrees."""
    low = np.int64(value) & np.int64(0x7FFFFFFF)
    high = (np.int64(value) >> np.int64(31)) & np.int64(0x7FFFFFFF)
    mixed = low * np.int64(1540483477) + high * np.int64(1103515245)
    mixed = mixed ^ (mixed >> np.int64(29))
    mixed = ((mixed & np.int64(0x7FFFFFFF)) * np.int64(1597334677)) ^ (mixed >> np.int64(31))
    return (mixed ^ (mixed >> np.int64(27))) & np.int64(0x3FFFFFFFFFFFFFFF)


@njit
def find_imsi(subscriptions, index, imsi):  # type: ignore[no-untyped-def]
    """Row of the subscription with this IMSI, or -1. A slot holds 31 bits of the hash above the row + 1."""
    mask = np.int64(len(index) - 1)
    mixed = mix(imsi)
    mark = (mixed >> np.int64(31)) & np.int64(0x7FFFFFFF)
    at = mixed & mask
    while True:
        slot = index[at]
        if slot == 0:
            return np.int64(NOWHERE)
        if (slot >> np.int64(32)) == mark:
            row = (slot & np.int64(0xFFFFFFFF)) - np.int64(1)
            if subscriptions[row].imsi == imsi:
                return row
        at = (at + np.int64(1)) & mask


@njit
def put_imsi(index, imsi, row):  # type: ignore[no-untyped-def]
    """Enter a row that is not in the index yet."""
    mask = np.int64(len(index) - 1)
    mixed = mix(imsi)
    at = mixed & mask
    while index[at] != 0:
        at = (at + np.int64(1)) & mask
    index[at] = (((mixed >> np.int64(31)) & np.int64(0x7FFFFFFF)) << np.int64(32)) | (np.int64(row) + np.int64(1))


@njit
def find_msisdn(subscriptions, index, msisdn):  # type: ignore[no-untyped-def]
    """Row of the subscription with this MSISDN, or -1."""
    mask = np.int64(len(index) - 1)
    at = mix(msisdn) & mask
    while True:
        slot = np.int64(index[at])
        if slot == 0:
            return np.int64(NOWHERE)
        if subscriptions[slot - 1].msisdn == msisdn:
            return slot - np.int64(1)
        at = (at + np.int64(1)) & mask


@njit
def put_msisdn(index, msisdn, row):  # type: ignore[no-untyped-def]
    """Enter a row that is not in the index yet."""
    mask = np.int64(len(index) - 1)
    at = mix(msisdn) & mask
    while index[at] != 0:
        at = (at + np.int64(1)) & mask
    index[at] = np.int64(row) + np.int64(1)


@njit
def build_subscription_indexes(subscriptions, imsi_index, msisdn_index):  # type: ignore[no-untyped-def]
    """Fill empty indexes from the table; rows with IMSI 0 are free."""
    for row in range(len(subscriptions)):
        if subscriptions[row].imsi != 0:
            put_imsi(imsi_index, subscriptions[row].imsi, row)
            if subscriptions[row].msisdn != 0:
                put_msisdn(msisdn_index, subscriptions[row].msisdn, row)


@njit
def find_device(devices, index, imei):  # type: ignore[no-untyped-def]
    """Row of the device, or -1."""
    mask = np.int64(len(index) - 1)
    at = mix(imei) & mask
    while True:
        slot = np.int64(index[at])
        if slot == 0:
            return np.int64(NOWHERE)
        if devices[slot - 1].imei == imei:
            return slot - np.int64(1)
        at = (at + np.int64(1)) & mask


@njit
def put_device(index, imei, row):  # type: ignore[no-untyped-def]
    """Enter a row that is not in the index yet."""
    mask = np.int64(len(index) - 1)
    at = mix(imei) & mask
    while index[at] != 0:
        at = (at + np.int64(1)) & mask
    index[at] = np.int64(row) + np.int64(1)


@njit
def build_device_index(devices, index):  # type: ignore[no-untyped-def]
    """Fill an empty index from the table."""
    for row in range(len(devices)):
        put_device(index, devices[row].imei, row)
