"""Identities of subscriptions, devices, networks and cells: parsed once at the edge, integers inside, masked in print.

Inside, most identities are "prefix-1 decimals": the digits d1..dn as the integer 1d1..dn, which keeps leading zeros and
the length in one int64. An IMEI is the integer of its first 14 digits, 0 where a device reported none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from simward.errors import IdentityError

SEPARATORS = re.compile(r"[\s\-./_\u00a0\u2010-\u2015]+")
"""What people put between digits: spaces, dashes of all lengths, dots, slashes, underscores."""

NO_SOFTWARE = -1
"""The software version of an IMEI that came without one (an IMEI, not an IMEISV)."""


class _Printable:
    """The representation of an identity is what it prints: masked, so that a stray log line names nobody."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"


@dataclass(frozen=True, repr=False, order=True)
class Imsi(_Printable):
    """International Mobile Subscription Identity (TS 23.003 2.2): MCC, MNC, MSIN; 14 or 15 digits here."""

    number: int

    @classmethod
    def parse(cls, text: str) -> Imsi:
        """From what people type: `001010000000001`, `001-01-0000000001`, `IMSI: 00101 0000000001`."""
        digits = _digits(text, "IMSI", ("imsi",))
        if not 14 <= len(digits) <= 15:
            raise IdentityError(f"an IMSI has 14 or 15 digits, this has {len(digits)}")
        return cls(_pack(digits))

    @property
    def text(self) -> str:
        """All digits."""
        return _unpack(self.number)

    def __str__(self) -> str:
        return _masked(self.text, 5, 4)


@dataclass(frozen=True, repr=False, order=True)
class Imei(_Printable):
    """A device (TS 23.003 6.2): the first 14 digits; digits 15-16 of an IMEISV are its software version."""

    number: int
    software: int = NO_SOFTWARE

    @classmethod
    def parse(cls, text: str) -> Imei:
        """From 14 digits (no check digit), 15 (IMEI) or 16 (IMEISV), with any separators; the 15th is not checked."""
        digits = _digits(text, "IMEI", ("imeisv", "imei"))
        if not 14 <= len(digits) <= 16:
            raise IdentityError(f"an IMEI has 14, 15 or 16 digits, this has {len(digits)}")
        if int(digits[:14]) == 0:
            raise IdentityError("an IMEI of zeros means that the device reported none")
        return cls(int(digits[:14]), int(digits[14:]) if len(digits) == 16 else NO_SOFTWARE)

    @property
    def text(self) -> str:
        """The 14 digits that identify the device."""
        return f"{self.number:014d}"

    @property
    def tac(self) -> Tac:
        """The model: Type Allocation Code."""
        return Tac(self.number // 10**6)

    @property
    def check_digit(self) -> int:
        """The Luhn digit that is printed on the device as the 15th (TS 23.003 annex B); never sent."""
        return luhn_digit(self.text)

    def __str__(self) -> str:
        version = f"/{self.software:02d}" if self.software >= 0 else ""
        return _masked(self.text, 8, 2) + version


@dataclass(frozen=True, repr=False, order=True)
class Tac(_Printable):
    """Type Allocation Code: the first 8 digits of an IMEI, one model of device (TS 23.003 6.2.1)."""

    number: int

    @classmethod
    def parse(cls, text: str) -> Tac:
        """From 8 digits, with any separators."""
        digits = _digits(text, "TAC", ("tac",))
        if len(digits) != 8:
            raise IdentityError(f"a TAC has 8 digits, this has {len(digits)}")
        return cls(int(digits))

    @property
    def text(self) -> str:
        """The 8 digits."""
        return f"{self.number:08d}"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, repr=False, order=True)
class Iccid(_Printable):
    """Integrated Circuit Card Identifier (ITU-T E.118): 89, country, issuer, account, check digit."""

    number: int

    @classmethod
    def parse(cls, text: str) -> Iccid:
        """From 18 to 20 digits that begin with 89, with any separators; a filler F at the end is dropped."""
        cleaned = SEPARATORS.sub("", text.strip())
        digits = _digits(cleaned[:-1] if cleaned[-1:] in ("F", "f") else cleaned, "ICCID", ("iccid",))
        if not 18 <= len(digits) <= 20:
            raise IdentityError(f"an ICCID has 18 to 20 digits, this has {len(digits)}")
        if not digits.startswith("89"):
            raise IdentityError("an ICCID begins with 89 (ITU-T E.118)")
        return cls(_pack(digits[2:]))

    @property
    def text(self) -> str:
        """All digits, with the 89."""
        return "89" + _unpack(self.number)

    @property
    def luhn_ok(self) -> bool:
        """Is the last digit the Luhn digit of the others? Worth a warning only: 18 digits carry none, and some issuers
        of 19 digits use none."""
        text = self.text
        return len(text) == 18 or luhn_digit(text[:-1]) == int(text[-1])

    def __str__(self) -> str:
        return _masked(self.text, 6, 4)


@dataclass(frozen=True, repr=False, order=True)
class Eid(_Printable):
    """eUICC identifier (GSMA SGP.29): 32 digits that begin with 89; the last two make the whole 1 modulo 97."""

    number: int

    @classmethod
    def parse(cls, text: str) -> Eid:
        """From 32 digits, with any separators."""
        digits = _digits(text, "EID", ("eid",))
        if len(digits) != 32:
            raise IdentityError(f"an EID has 32 digits, this has {len(digits)}")
        if not digits.startswith("89"):
            raise IdentityError("an EID begins with 89")
        return cls(_pack(digits))

    @property
    def text(self) -> str:
        """All digits."""
        return _unpack(self.number)

    @property
    def checksum_ok(self) -> bool:
        """SGP.29: the 32 digits as one number leave 1 when divided by 97. Worth a warning only."""
        return int(self.text) % 97 == 1

    def __str__(self) -> str:
        return _masked(self.text, 8, 4)


@dataclass(frozen=True, repr=False, order=True)
class Msisdn(_Printable):
    """A telephone number in international form (ITU-T E.164): country code first, at most 15 digits, no '+' inside."""

    number: int

    @classmethod
    def parse(cls, text: str) -> Msisdn:
        """From `+47 400 00 001`, `0047...`, `tel:+47...`, or bare digits."""
        bare = re.sub(r"^(tel|msisdn)\s*:\s*", "", text.strip(), flags=re.IGNORECASE).lstrip()
        international = bare.startswith("+")
        digits = _digits(bare.replace("(", "").replace(")", "").removeprefix("+"), "MSISDN", ())
        if not international and digits.startswith("00"):
            digits = digits[2:]
        if not 5 <= len(digits) <= 15:
            raise IdentityError(f"an MSISDN has 5 to 15 digits with its country code, this has {len(digits)}")
        if digits.startswith("0"):
            raise IdentityError("an MSISDN begins with a country code, and none begins with 0")
        return cls(_pack(digits))

    @property
    def text(self) -> str:
        """All digits, with the '+'."""
        return "+" + _unpack(self.number)

    def __str__(self) -> str:
        return "+" + _masked(_unpack(self.number), 2, 2)


@dataclass(frozen=True, repr=False, order=True)
class Plmn(_Printable):
    """A mobile network: MCC of 3 digits and MNC of 2 or 3, kept apart: 001/01 is not 001/010."""

    number: int

    @classmethod
    def parse(cls, text: str) -> Plmn:
        """From `00101`, `001-01`, `001/010`: what follows the first three digits is the MNC."""
        digits = _digits(text, "PLMN", ("plmn",))
        if not 5 <= len(digits) <= 6:
            raise IdentityError(f"a PLMN has 5 or 6 digits (MCC and MNC), this has {len(digits)}")
        return cls(_pack(digits))

    @property
    def text(self) -> str:
        """MCC and MNC, as policies spell it."""
        return _unpack(self.number)

    @property
    def mcc(self) -> str:
        """Mobile country code."""
        return self.text[:3]

    @property
    def mnc(self) -> str:
        """Mobile network code: 2 or 3 digits."""
        return self.text[3:]

    def __str__(self) -> str:
        return self.text


CGI, SAI, RAI, ECGI, NCGI = 1, 2, 3, 4, 5
"""Kinds of cell identity. CGI, SAI and RAI hold the LAC in the upper half; ECGI holds 28 bits, NCGI 36."""

CELL_KINDS = {"cgi": CGI, "sai": SAI, "rai": RAI, "ecgi": ECGI, "ncgi": NCGI}
CELL_SHIFT = 56


@dataclass(frozen=True, order=True)
class Cell:
    """The smallest area that the network named: a cell, a service area or a routing area, within its PLMN."""

    number: int

    LIMITS: ClassVar[dict[int, int]] = {CGI: 16, SAI: 16, RAI: 8, ECGI: 28, NCGI: 36}

    @classmethod
    def parse(cls, text: str) -> Cell:
        """From `ecgi:1234567`, `ncgi:68719476735`, `cgi:4660-22136` (LAC-CI), `sai:`, `rai:` likewise."""
        word, _, rest = text.strip().lower().partition(":")
        kind = CELL_KINDS.get(word.strip())
        if kind is None:
            raise IdentityError(f"a cell is written as one of {', '.join(f'{name}:...' for name in CELL_KINDS)}")
        try:
            parts = [int(part, 0) for part in re.split(r"[-/,]", rest.replace(" ", ""))]
        except ValueError:
            raise IdentityError(f"{word}: decimal numbers or 0x and hexadecimal are read, not {rest!r}") from None
        wide = kind in (ECGI, NCGI)
        if len(parts) != (1 if wide else 2):
            raise IdentityError(f"{word}: takes {'one number' if wide else 'LAC-number'}")
        if not 0 <= parts[-1] < 1 << cls.LIMITS[kind] or (not wide and not 0 <= parts[0] < 1 << 16):
            raise IdentityError(f"{word}: {rest} is out of range")
        return cls.of(kind, parts[0] if wide else parts[0] << 16 | parts[1])

    @classmethod
    def of(cls, kind: int, value: int) -> Cell:
        """From a kind and its value (LAC << 16 | CI for CGI, ...)."""
        return cls(kind << CELL_SHIFT | value)

    @property
    def kind(self) -> int:
        """CGI, SAI, RAI, ECGI or NCGI."""
        return self.number >> CELL_SHIFT

    @property
    def value(self) -> int:
        """What identifies it within its PLMN."""
        return self.number & ((1 << CELL_SHIFT) - 1)

    @property
    def text(self) -> str:
        """As `parse` reads it."""
        return cell_text(self.number)

    def __str__(self) -> str:
        return self.text


RATS = {
    "utran": 1, "geran": 2, "wlan": 3, "gan": 4, "hspa-evolution": 5, "eutran": 6, "virtual": 7, "nb-iot": 8,
    "lte-m": 9, "nr": 10, "eutran-leo": 11, "eutran-meo": 12, "eutran-geo": 13, "eutran-othersat": 14, "nb-iot-leo": 15,
    "nb-iot-meo": 16, "nb-iot-geo": 17, "nb-iot-othersat": 18, "lte-m-leo": 19, "lte-m-meo": 20, "lte-m-geo": 21,
    "lte-m-othersat": 22,
    # Other words for the same numbers; the first name above is the one that is printed.
    "lte": 6, "5g": 10, "umts": 1, "3g": 1, "gsm": 2, "2g": 2, "cat-m1": 9, "cat-m": 9,
}
"""Radio access technologies by name, numbered as in TS 29.274 8.17, which TS 29.061 16.4.7.2 refers to."""

RAT_NUMBERS = {name.replace("-", "").replace("_", ""): number for name, number in RATS.items()}
_RAT_NAMES = {number: name for name, number in reversed(RATS.items())}


def rat_number(text: str) -> int:
    """The number of a technology, however people spell it: `NB-IoT`, `nbiot`, `LTE_M`; raises IdentityError."""
    number = RAT_NUMBERS.get(re.sub(r"[\s_\-]", "", text.lower()))
    if number is None:
        raise IdentityError(f"no such radio access technology: {text!r}")
    return number


def rat_text(number: int) -> str:
    """The name of a technology; empty for 0 (not reported)."""
    return _RAT_NAMES.get(number, f"rat-{number}" if number else "")


def imsi_text(number: int) -> str:
    """All digits of an IMSI, empty for 0."""
    return _unpack(number)


def iccid_text(number: int) -> str:
    """All digits of an ICCID with its 89, empty for 0."""
    return "89" + _unpack(number) if number > 0 else ""


def imei_text(number: int) -> str:
    """The 14 digits of a device, empty for 0 (not reported)."""
    return f"{int(number):014d}" if number > 0 else ""


def msisdn_text(number: int) -> str:
    """A telephone number with its '+', empty for 0."""
    return "+" + _unpack(number) if number > 0 else ""


def plmn_text(number: int) -> str:
    """MCC and MNC, empty for 0."""
    return _unpack(number)


def cell_text(number: int) -> str:
    """As `Cell.parse` reads it, empty for 0."""
    kind, value = int(number) >> CELL_SHIFT, int(number) & ((1 << CELL_SHIFT) - 1)
    for name, known in CELL_KINDS.items():
        if known == kind:
            return f"{name}:{value}" if kind in (ECGI, NCGI) else f"{name}:{value >> 16}-{value & 0xFFFF}"
    return ""


def luhn_digit(digits: str) -> int:
    """The check digit that makes `digits` + it pass the Luhn formula (ISO/IEC 7812-1)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10


def _digits(text: str, what: str, labels: tuple[str, ...]) -> str:
    """The digits of `text` without separators and without a label in front; nothing else may be there."""
    if text.isascii() and text.isdigit():
        return text
    cleaned = text.strip()
    for label in labels:
        cleaned = re.sub(rf"^{label}\s*[:=]?\s*", "", cleaned, flags=re.IGNORECASE)
    digits = SEPARATORS.sub("", cleaned)
    if not digits:
        raise IdentityError(f"an empty {what}")
    if not (digits.isascii() and digits.isdigit()):
        raise IdentityError(f"not an {what}: only digits and separators may be there")
    return digits


def _pack(digits: str) -> int:
    return int("1" + digits)


def _unpack(number: int) -> str:
    return str(int(number))[1:] if number > 0 else ""


def _masked(text: str, head: int, tail: int) -> str:
    return f"{text[:head]}…{text[-tail:]}"
