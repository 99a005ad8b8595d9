"""Where it asks from: 3GPP-User-Location-Info and 3GPP-SGSN-MCC-MNC, compiled.

The first octet is the geographic location type (TS 29.061 16.4.7.2, 22); what follows is coded as in TS 29.274 8.21.
"""

from __future__ import annotations

import numpy as np

from simward.identity import CELL_SHIFT
from simward.identity import CGI as CELL_CGI
from simward.identity import ECGI as CELL_ECGI
from simward.identity import NCGI as CELL_NCGI
from simward.identity import RAI as CELL_RAI
from simward.identity import SAI as CELL_SAI
from simward.wire.radius.compiling import uncounted
from simward.wire.radius.octets import decimal, u16, u32

CGI, SAI, RAI = 0, 1, 2
TAI, ECGI, TAI_ECGI = 128, 129, 130
ENODEB, TAI_ENODEB, EXTENDED_ENODEB, TAI_EXTENDED_ENODEB = 131, 132, 133, 134
NCGI, TAI5, TAI5_NCGI, NG_RAN_NODE, TAI5_NG_RAN_NODE = 135, 136, 137, 138, 139
TYPE_NAMES = {
    CGI: "CGI", SAI: "SAI", RAI: "RAI", TAI: "TAI", ECGI: "ECGI", TAI_ECGI: "TAI and ECGI", ENODEB: "eNodeB ID",
    TAI_ENODEB: "TAI and eNodeB ID", EXTENDED_ENODEB: "extended eNodeB ID",
    TAI_EXTENDED_ENODEB: "TAI and extended eNodeB ID", NCGI: "NCGI", TAI5: "5GS TAI", TAI5_NCGI: "5GS TAI and NCGI",
    NG_RAN_NODE: "NG-RAN Node ID", TAI5_NG_RAN_NODE: "5GS TAI and NG-RAN Node ID",
}


@uncounted
def octets_needed(kind):  # type: ignore[no-untyped-def]
    """How many octets a location of that type has at least, the type included; 0 = no such type."""
    if kind <= SAI:
        return 8
    if kind == RAI:
        return 7  # TS 29.274 8.21.3 pads the RAC to two octets; without the padding it is as clear
    if kind == TAI:
        return 6
    if kind == ECGI:
        return 8
    if kind == TAI_ECGI:
        return 13
    if kind == ENODEB or kind == EXTENDED_ENODEB:
        return 7
    if kind == TAI_ENODEB or kind == TAI_EXTENDED_ENODEB:
        return 12
    if kind == NCGI:
        return 9
    if kind == TAI5 or kind == NG_RAN_NODE:
        return 7
    if kind == TAI5_NCGI:
        return 15
    if kind == TAI5_NG_RAN_NODE:
        return 13
    return 0


@uncounted
def read_plmn(octets, at):  # type: ignore[no-untyped-def]
    """MCC and MNC from three octets of TBCD (TS 24.008 10.5.1.3), prefix-1 decimal; 0 where they are no digits."""
    first, second, third = np.int64(octets[at]), np.int64(octets[at + 1]), np.int64(octets[at + 2])
    mcc1, mcc2, mcc3 = first & 15, first >> 4, second & 15
    mnc1, mnc2, mnc3 = third & 15, third >> 4, second >> 4
    if max(mcc1, mcc2, mcc3, mnc1, mnc2) > 9 or (mnc3 > 9 and mnc3 != 15):
        return np.int64(0)
    value = ((((np.int64(10) + mcc1) * 10 + mcc2) * 10 + mcc3) * 10 + mnc1) * 10 + mnc2
    return value if mnc3 == 15 else value * np.int64(10) + mnc3


@uncounted
def read_location(octets, start, count, event):  # type: ignore[no-untyped-def]
    """Fill plmn, area and cell of `event`; False where the location cannot be read (then nothing is filled)."""
    if count < 1:
        return False
    kind = np.int64(octets[start])
    needed = octets_needed(kind)
    if needed == 0 or count < needed:
        return False
    plmn = read_plmn(octets, start + 1)
    if plmn == 0:
        return False
    event.plmn = plmn
    event.area = _area(octets, start, kind)
    event.cell = _cell(octets, start, kind)
    return True


@uncounted
def _area(octets, start, kind):  # type: ignore[no-untyped-def]
    if kind == TAI5 or kind == TAI5_NCGI or kind == TAI5_NG_RAN_NODE:
        return u16(octets, start + 4) << 8 | np.int64(octets[start + 6])  # 24 bits, TS 23.003 19.4.2.3
    if kind <= TAI or kind == TAI_ECGI or kind == TAI_ENODEB or kind == TAI_EXTENDED_ENODEB:
        return u16(octets, start + 4)
    return np.int64(-1)


@uncounted
def _read_nci(octets, at):  # type: ignore[no-untyped-def]
    """NR Cell Identity (TS 38.413 9.3.1.7): a string of 36 bits in five octets, so the last half octet is spare.

    Readers differ here (some take the first half octet for the spare one, as in an ECGI); this is what Wireshark reads.
    """
    return u32(octets, at) << np.int64(4) | np.int64(octets[at + 4]) >> np.int64(4)


@uncounted
def _cell(octets, start, kind):  # type: ignore[no-untyped-def]
    one, value = np.int64(0), np.int64(0)
    if kind == CGI or kind == SAI:
        one = np.int64(CELL_CGI) if kind == CGI else np.int64(CELL_SAI)
        value = u32(octets, start + 4)
    elif kind == RAI:
        one, value = np.int64(CELL_RAI), u16(octets, start + 4) << 16 | np.int64(octets[start + 6])
    elif kind == ECGI:
        one, value = np.int64(CELL_ECGI), u32(octets, start + 4) & 0x0FFFFFFF
    elif kind == TAI_ECGI:
        one, value = np.int64(CELL_ECGI), u32(octets, start + 9) & 0x0FFFFFFF
    elif kind == NCGI:
        one, value = np.int64(CELL_NCGI), _read_nci(octets, start + 4)
    elif kind == TAI5_NCGI:
        one, value = np.int64(CELL_NCGI), _read_nci(octets, start + 10)
    return one << CELL_SHIFT | value


@uncounted
def read_network(octets, start, count):  # type: ignore[no-untyped-def]
    """3GPP-SGSN-MCC-MNC: five or six ASCII digits, prefix-1 decimal; 0 where it is anything else."""
    return decimal(octets, start, count) if 5 <= count <= 6 else np.int64(0)
