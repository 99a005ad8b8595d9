"""A synthetic fleet: identities by number, the same in the inventory and in the packets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

PLMN_DIGITS = "00101"
"""The test network of TS 36.508 and others: belongs to nobody."""
IMSI_FIRST = 1010000000000
"""As a number: 00101 0000000000."""
MSISDN_FIRST = 882_000_000_000
IMEI_FIRST = 35_000_000_000_000
ICCID_FIRST = 898_820_000_000_000_000
"""18 digits; the check digit follows."""
SOFTWARE = 1


def digits(values: np.ndarray, width: int) -> np.ndarray:
    """ASCII digits, zero padded: int64[n] -> uint8[n, width]."""
    text = np.empty((len(values), width), np.uint8)
    rest = values.astype(np.int64)
    for column in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 10)
        text[:, column] = 48 + digit
    return text


def luhn(values: np.ndarray) -> np.ndarray:
    """The check digit (ISO/IEC 7812-1 annex B) of each number."""
    total = np.zeros(len(values), np.int64)
    rest, double = values.astype(np.int64), True
    while np.any(rest):
        rest, digit = np.divmod(rest, 10)
        if double:
            digit = digit * 2
            digit -= 9 * (digit > 9)
        total += digit
        double = not double
    return (10 - total % 10) % 10


@dataclass(frozen=True)
class Fleet:
    """`count` subscriptions; number i has the i-th IMSI, MSISDN, ICCID and device."""

    count: int
    apn: str = "meters.iot"
    use_case: str = "water-meter"

    def imsi(self, number: np.ndarray) -> np.ndarray:
        """IMSIs as ASCII digits."""
        return digits(IMSI_FIRST + number, 15)

    def msisdn(self, number: np.ndarray) -> np.ndarray:
        """MSISDNs as ASCII digits, international format without the plus."""
        return digits(MSISDN_FIRST + number, 12)

    def imeisv(self, number: np.ndarray) -> np.ndarray:
        """IMEISVs as ASCII digits (TS 23.003 6.2.2: 14 digits and a software version)."""
        return digits((IMEI_FIRST + number) * 100 + SOFTWARE, 16)

    def iccid(self, number: np.ndarray) -> np.ndarray:
        """ICCIDs of 19 digits with their check digit, as ASCII."""
        body = ICCID_FIRST + number
        return digits(body * 10 + luhn(body), 19)

    def write_inventory(self, path: Path) -> None:
        """The inventory file that declares this fleet."""
        with path.open("wb") as file:
            file.write(b"iccid,imsi,use_case,msisdn\n")
            for first in range(0, self.count, 100_000):
                number = np.arange(first, min(first + 100_000, self.count))
                comma = np.full((len(number), 1), ord(","), np.uint8)
                name = np.tile(np.frombuffer(f",{self.use_case},".encode(), np.uint8), (len(number), 1))
                end = np.full((len(number), 1), ord("\n"), np.uint8)
                file.write(
                    np.hstack(
                        [self.iccid(number), comma, self.imsi(number), name, self.msisdn(number), end]
                    ).tobytes()
                )
