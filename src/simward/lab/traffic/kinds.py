"""What kinds of devices a fleet is made of: how often each speaks, when and how much, and where the figures come from.

Measured by others, and kept here:

- Volumes span orders of magnitude between industries: 10 MB in four weeks for a device in manufacturing, 2 GB in
  administration and support (Finley and Vesselkov, Cellular IoT Traffic Characterization and Evolution, WF-IoT 2019,
  arXiv:1911.02877). A lift's modem has the former (0.36 MB a day), a camera the latter (71 MB a day).
- Daily traffic falls into three patterns, which differ in whether there is a peak hour, and when (same). Here: none
  (lifts, meters), one (cameras, trackers), two (payment terminals, cars).
- Much more goes up than down, unlike with telephones; reporting is synchronised, so that it comes in bursts; most
  devices move less (Shafiq et al., Large-Scale Measurement and Characterization of Cellular Machine-to-Machine
  Traffic, IEEE/ACM ToN 21(6), 2013: a week of one operator's). Hence `up` above `down` but for terminals, and
  `synchronised`.
- Many devices that act at one moment arrive as Beta(3, 4) over a window, independent ones uniformly (the two models of
  3GPP TR 37.868, as public simulators of random access have them: 10 s and 60 s). The shape is kept; the window here is
  a quarter of an hour, since meters that know of the problem spread their reports.

Judged, since nobody seems to publish them: shares, spreads between devices of a kind and between days of one device,
sessions a day, calls. What the owner declares of a kind (budget, cadence) is declared here too, since an attack may be
as strong as a multiple of it.
"""

from __future__ import annotations

from dataclasses import dataclass

MB = 1_000_000
METER, TRACKER, CAMERA = "meter", "tracker", "camera"
TERMINAL, LIFT, CAR, BUTTON = "payment-terminal", "lift-alarm", "car", "panic-button"


@dataclass(frozen=True)
class Kind:
    """One kind of device. Octets are a day's, the median over devices; spreads are standard deviations of the log."""

    name: str
    share: float
    """Of the fleet."""
    apn: str
    rat: str
    tacs: tuple[tuple[str, float], ...]
    """Models, and the share of each. Those that begin with 00 are for tests (GSMA TS.06): nobody sells them."""
    up: float
    down: float
    spread_devices: float
    spread_days: float
    every_s: int
    """Between the interims of a session; 0 = none."""
    fixed: bool
    week: tuple[float, ...] = (1.0,) * 7
    """How busy each day of the week is, from Monday."""
    synchronised: float = 0.0
    """Share of its devices that report at one hour, all together."""
    absent: float = 0.0
    """Of days, on which a device is not heard of: no coverage, and no retry that helped."""
    data_a_day: float = 0.0
    """Octets a day that the owner's policy allows; 0 = no budget."""
    data_an_hour: float = 0.0
    sms_a_day: float = 0.0
    """Short messages that it sends."""
    sms_allowed: int = 0
    """Messages a day that the owner's policy allows; 0 = it has none."""
    calls_a_day: float = 0.0
    """Calls, all to its own centre."""


KINDS: tuple[Kind, ...] = (
    Kind(METER, 0.40, "meters.iot", "nb-iot", (("00210001", 0.6), ("00210002", 0.4)), 6_000, 1_500, 0.30, 0.20, 0,
         fixed=True, synchronised=0.25, absent=0.002, data_a_day=1 * MB, data_an_hour=0.5 * MB, sms_a_day=0.01,
         sms_allowed=5),
    Kind(TRACKER, 0.10, "trackers.iot", "lte-m", (("00250001", 1.0),), 60_000, 9_000, 0.40, 0.30, 3600, fixed=False,
         data_a_day=5 * MB, week=(1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 0.85), sms_a_day=0.02, sms_allowed=20),
    Kind(CAMERA, 0.10, "cameras.iot", "lte", (("00240001", 0.94), ("00240002", 0.06)), 71 * MB, 2.5 * MB, 0.50, 0.25,
         10_800, fixed=True, data_a_day=1500 * MB),
    Kind(TERMINAL, 0.12, "terminals.iot", "lte", (("00280001", 0.6), ("00280002", 0.4)), 40_000, 60_000, 0.40, 0.25, 0,
         fixed=True, week=(0.9, 0.9, 1.0, 1.0, 1.2, 1.4, 0.6), data_a_day=5 * MB, data_an_hour=3 * MB),
    Kind(LIFT, 0.13, "lifts.iot", "lte-m", (("00220001", 1.0),), 300_000, 60_000, 0.35, 0.20, 21_600, fixed=True,
         data_a_day=10 * MB, calls_a_day=0.34),
    Kind(CAR, 0.14, "cars.iot", "lte", (("00230001", 0.5), ("00230002", 0.5)), 5 * MB, 3 * MB, 0.80, 0.60, 1800,
         fixed=False, week=(1.0, 1.0, 1.0, 1.0, 1.0, 0.8, 0.7), data_a_day=1000 * MB, sms_allowed=10,
         calls_a_day=0.005),
    Kind(BUTTON, 0.01, "buttons.iot", "lte-m", (("00270001", 1.0),), 0, 0, 0.0, 0.0, 0, fixed=True, calls_a_day=0.04),
)
"""A lift calls its centre each third day, as a test; a button when it is pressed, and in a test each month."""

ATTEMPTS_AN_HOUR = 30
"""Requests, and sessions, that the owner's policy allows each device in an hour, of whatever kind."""

NUMBER = {kind.name: number for number, kind in enumerate(KINDS)}
OTHER_APNS = ("internet", "corporate.iot", "ims", "admin.iot")
"""Asked for by whoever has a SIM in hand and tries what there is."""
APNS = (*(kind.apn for kind in KINDS), *OTHER_APNS)
PHONE_TAC, ROUTER_TAC = 290_001, 290_002
"""As numbers: models of nobody's fleet."""


def kind(name: str) -> Kind:
    """By name."""
    return KINDS[NUMBER[name]]
