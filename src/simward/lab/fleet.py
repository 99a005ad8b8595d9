"""A synthetic fleet: subscriptions and their devices in six use cases, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from simward.errors import UsageError
from simward.lab import geography
from simward.lab.geography import HOME_PLMN, PARTNER_PLMN, PLMNS

WATER_METER, LIFT_ALARM, CAR = "water-meter", "lift-alarm", "car"
CAMERA, TRACKER, SCOOTER = "camera", "tracker", "scooter"
USE_CASES = (WATER_METER, LIFT_ALARM, CAR, CAMERA, TRACKER, SCOOTER)
PANIC_BUTTON = "panic-button"
"""No device of a fleet that is played: it uses no data."""
BUTTONS = 5
SHARES: Mapping[str, float] = {
    WATER_METER: 0.50, LIFT_ALARM: 0.14, CAR: 0.15, CAMERA: 0.07, TRACKER: 0.07, SCOOTER: 0.07,
}  # fmt: skip

APNS: Mapping[str, str] = {
    WATER_METER: "meters.iot", LIFT_ALARM: "lifts.iot", CAR: "cars.iot", CAMERA: "cameras.iot", TRACKER: "trackers.iot",
    SCOOTER: "scooters.iot",
}  # fmt: skip
PASSWORDS: Mapping[str, str] = {"meters.iot": "made-up-pass-of-all-meters"}
"""What the devices show over PAP where the segment of their APN asks for it. In the clear, as in a device's flash: the
fleet is made up, and a folder must be playable by whoever finds it."""
ANY_PASSWORD = "gprs"
"""What they show where nobody asks."""
RATS: Mapping[str, str] = {
    WATER_METER: "nb-iot", LIFT_ALARM: "lte-m", CAR: "lte", CAMERA: "lte", TRACKER: "lte-m", SCOOTER: "lte-m",
}  # fmt: skip

# TACs whose first two digits are 00: reporting body "test" (GSMA TS.06), so no device that is sold has them.
MODELS: Mapping[str, tuple[str, ...]] = {
    WATER_METER: ("00210001", "00210002"),
    LIFT_ALARM: ("00220001",),
    CAR: ("00230001", "00230002"),
    CAMERA: ("00240001",),
    TRACKER: ("00250001",),
    SCOOTER: ("00260001",),
}
PHONE_TAC = "00290001"
LAPTOP_TAC = "00290002"
BUTTON_TAC = "00270001"
MODEL_NAMES: Mapping[str, str] = {
    "00210001": "meter AQ-1", "00210002": "meter AQ-2", "00220001": "lift modem L7",
    "00230001": "car unit T5", "00230002": "car unit T6", "00240001": "camera C3", "00250001": "tracker G2",
    "00260001": "scooter modem S1", BUTTON_TAC: "panic button B1", PHONE_TAC: "phone", LAPTOP_TAC: "laptop",
}  # fmt: skip
MODEL_RATS: Mapping[str, str] = {
    "00210001": "nb-iot lte-m", "00210002": "nb-iot lte-m", "00220001": "lte-m", "00230001": "lte",
    "00230002": "lte", "00240001": "lte", "00250001": "lte-m nb-iot", "00260001": "lte-m",
    PHONE_TAC: "lte nr", LAPTOP_TAC: "lte nr",
}  # fmt: skip
"""What each model's radio can do, as the owner's `models.csv` says."""
CITY_ROW, CITY_COLUMN, CITY_REACH = 15, 60, 3
"""Scooters stay within so many sites of the middle of a town."""


@dataclass(frozen=True)
class Device:
    """A piece of equipment: the 14 digits of its IMEI and its software version (IMEISV digits 15 and 16; -1 = none)."""

    imei: str
    software: int

    @property
    def imeisv(self) -> str:
        """The 16 digits that a gateway reports (TS 23.003 6.2.2), or 14 without a version."""
        return f"{self.imei}{self.software:02d}" if self.software >= 0 else self.imei

    @property
    def model(self) -> str:
        """What the model is called in this fleet."""
        return MODEL_NAMES.get(self.imei[:8], "unknown model")

    def updated(self, software: int) -> Device:
        """The same device after a software update."""
        return Device(self.imei, software)


@dataclass(frozen=True)
class Place:
    """Where a device is served: network, tracking area and cell (28-bit ECI or 36-bit NCI)."""

    plmn: str
    area: int
    """-1 = no location is reported."""
    cell: int

    @classmethod
    def of(cls, site: int, sector: int, plmn: int) -> Place:
        """A sector of a site of the made-up land; `plmn` as in geography.PLMNS."""
        cell = int(geography.eci_of(site, sector, plmn))
        return cls(PLMNS[plmn], int(geography.area_of(site)), cell)


@dataclass(frozen=True)
class Subscription:
    """A SIM of the fleet, the device it belongs in, and where that device lives."""

    number: int
    iccid: str
    imsi: str
    msisdn: str
    use_case: str
    device: Device
    site: int
    sector: int
    network: int
    """Position in geography.PLMNS."""
    state: str = "active"

    @property
    def home(self) -> Place:
        """The cell where its device is, or begins its day."""
        return Place.of(self.site, self.sector, self.network)

    @property
    def apn(self) -> str:
        """The APN of its use case."""
        return APNS[self.use_case]

    @property
    def rat(self) -> str:
        """The radio that its device uses."""
        return RATS[self.use_case]


@dataclass(frozen=True)
class Fleet:
    """All subscriptions; `spare` are SIMs that no inventory lists, `suspended` one that the inventory suspends."""

    seed: int
    subscriptions: tuple[Subscription, ...]
    spares: tuple[Subscription, ...]
    by_use_case: Mapping[str, tuple[Subscription, ...]] = field(repr=False)
    buttons: tuple[Subscription, ...] = ()
    """Panic buttons: never heard of here, since they only call. In the inventory where the policies know them."""

    def __len__(self) -> int:
        return len(self.subscriptions)

    @property
    def suspended(self) -> Subscription:
        """The subscription that the inventory lists as suspended."""
        return next(one for one in self.subscriptions if one.state == "suspended")

    @property
    def active(self) -> tuple[Subscription, ...]:
        """Every subscription that may be used."""
        return tuple(one for one in self.subscriptions if one.state == "active")


def luhn_digit(digits: str) -> str:
    """The check digit that makes `digits` + digit pass Luhn (ISO/IEC 7812-1 Annex B; ICCID by ITU-T E.118)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


MINIMUM, MAXIMUM = 40, 1_000_000
"""Fewer subscriptions do not leave a victim for every scene; more would need more TACs to keep IMEIs apart."""


def make_fleet(seed: int, size: int = 1000) -> Fleet:
    """`size` subscriptions from `seed`; every number is drawn once, so that nothing clashes by accident."""
    if not MINIMUM <= size <= MAXIMUM:
        raise UsageError(f"a fleet for the lab has {MINIMUM} to {MAXIMUM:,} subscriptions, not {size:,}")
    chance = random.Random(f"fleet {seed} {size}")
    strangers = 4
    serials = _distinct(chance, size + strangers, 10**10)
    accounts = _distinct(chance, size + strangers, 10**11)
    numbers = _distinct(chance, size + strangers, 10**9)
    units = iter(chance.sample(range(size + strangers), size + strangers))
    made: list[Subscription] = []
    for number in range(size + strangers):
        use_case = _use_case(number, size)
        body = f"8900101{next(accounts):011d}"
        tac = chance.choice(MODELS[use_case])
        made.append(
            Subscription(
                number=number,
                iccid=body + luhn_digit(body),
                imsi=f"{HOME_PLMN}{next(serials):010d}",
                msisdn=f"999{next(numbers):09d}",
                use_case=use_case,
                device=Device(f"{tac}{next(units) % 10**6:06d}", chance.choice((1, 1, 1, 2))),
                site=_site(chance, use_case),
                sector=chance.randrange(1, 4),
                network=geography.PARTNER if use_case == WATER_METER and chance.random() < 0.1 else geography.HOME,
                state="suspended" if number == _suspended(size) else "active",
            )
        )
    subscriptions = tuple(made[:size])
    by_use_case = {name: tuple(one for one in subscriptions if one.use_case == name) for name in USE_CASES}
    return Fleet(seed, subscriptions, tuple(made[size:]), by_use_case, tuple(_buttons(seed, made)))


def _buttons(seed: int, others: list[Subscription]) -> Iterator[Subscription]:
    """Of numbers that no other subscription has; drawn apart, so that no fleet is another because of them."""
    chance = random.Random(f"buttons {seed}")
    taken = {one.imsi for one in others} | {one.iccid for one in others} | {one.msisdn for one in others}
    for number in range(BUTTONS):
        while True:
            body = f"8900101{chance.randrange(10**11):011d}"
            iccid, imsi = body + luhn_digit(body), f"{HOME_PLMN}{chance.randrange(10**10):010d}"
            msisdn = f"999{chance.randrange(10**9):09d}"
            if not {iccid, imsi, msisdn} & taken:
                break
        taken |= {iccid, imsi, msisdn}
        device, site = Device(f"{BUTTON_TAC}{number:06d}", 1), _site(chance, PANIC_BUTTON)
        yield Subscription(len(others) + number, iccid, imsi, msisdn, PANIC_BUTTON, device, site, 1, geography.HOME)


def phone(chance: random.Random) -> Device:
    """A phone that belongs to nobody's fleet."""
    return Device(f"{PHONE_TAC}{chance.randrange(10**6):06d}", 17)


def laptop(chance: random.Random) -> Device:
    """A laptop with a modem inside."""
    return Device(f"{LAPTOP_TAC}{chance.randrange(10**6):06d}", 3)


def twin(device: Device, fleet: Fleet) -> Device:
    """Another device of the same model (TAC) that no subscription of the fleet has."""
    taken = {one.device.imei for one in fleet.subscriptions}
    serial = int(device.imei[8:])
    while True:
        serial = (serial + 1) % 10**6
        candidate = f"{device.imei[:8]}{serial:06d}"
        if candidate not in taken:
            return Device(candidate, device.software)


def sites(seed: int, count: int = 400) -> tuple[Place, ...]:
    """The cells that cars drive through; one in eight belongs to the partner network."""
    chance = random.Random(f"sites {seed}")
    return tuple(
        Place(PARTNER_PLMN if number % 8 == 7 else HOME_PLMN, 1000 + number // 20, chance.randrange(1 << 20) << 8 | 1)
        for number in range(count)
    )


def _use_case(number: int, size: int) -> str:
    edge = 0.0
    for name in USE_CASES:
        edge += SHARES[name]
        if number < round(edge * size):
            return name
    return USE_CASES[-1]


def _suspended(size: int) -> int:
    """The last water meter."""
    return round(SHARES[WATER_METER] * size) - 1


def _site(chance: random.Random, use_case: str) -> int:
    """Where a device lives: scooters in their town, cars off the border, the rest anywhere in the country."""
    if use_case == SCOOTER:
        row = CITY_ROW + chance.randint(-CITY_REACH, CITY_REACH)
        return row * geography.COLUMNS + CITY_COLUMN + chance.randint(-CITY_REACH, CITY_REACH)
    columns = (20, 100) if use_case == CAR else (5, geography.BORDER - 5)
    site = chance.randrange(geography.ROWS) * geography.COLUMNS + chance.randrange(*columns)
    surveyed = use_case in (CAMERA, TRACKER)  # whose owners have listed the cells around them
    return site if geography.is_listed(site) or not surveyed else site + 1


def _distinct(chance: random.Random, count: int, below: int) -> Iterator[int]:
    return iter(chance.sample(range(below), count))
