"""The circle of a mobile country code holds every place where its networks are received, yet tells far from near."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from typing import NamedTuple

import pytest

TABLE = Path(__file__).parents[2] / "src" / "simward" / "policy" / "countries.csv"
HEADER = ["mcc", "country", "latitude", "longitude", "radius_km"]
EARTH_RADIUS_KM = 6371.0088  # mean radius of the earth (WGS 84)
SEA_KM = 100  # how far from the coast a network may still be received


class Circle(NamedTuple):
    latitude: float
    longitude: float
    radius_km: int


with TABLE.open(newline="", encoding="ascii") as table:
    HEADER_READ, *LINES = list(csv.reader(table))
CIRCLES = {country: Circle(float(north), float(east), int(radius)) for _, country, north, east, radius in LINES}


def distance_km(north_a: float, east_a: float, north_b: float, east_b: float) -> float:
    """Great-circle distance in kilometres of two places in degrees (haversine)."""
    phi_a, phi_b = math.radians(north_a), math.radians(north_b)
    half_chord = (
        math.sin((phi_b - phi_a) / 2) ** 2
        + math.cos(phi_a) * math.cos(phi_b) * math.sin(math.radians(east_b - east_a) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, half_chord)))


def at_least_apart_km(a: Circle, b: Circle) -> float:
    """What a journey between two countries is at least; zero or less if they may touch."""
    return distance_km(a.latitude, a.longitude, b.latitude, b.longitude) - a.radius_km - b.radius_km


def within(circle: Circle, north: float, east: float, sea_km: int = SEA_KM) -> bool:
    return distance_km(circle.latitude, circle.longitude, north, east) + sea_km <= circle.radius_km


def test_every_line_is_well_formed() -> None:
    assert HEADER_READ == HEADER
    for line in LINES:
        mcc, country, latitude, longitude, radius_km = line
        assert re.fullmatch(r"[2-7]\d\d", mcc), line
        assert re.fullmatch(r"[A-Z]{2}", country), line
        assert re.fullmatch(r"-?\d{1,2}\.\d", latitude) and -90 <= float(latitude) <= 90, line
        assert re.fullmatch(r"-?\d{1,3}\.\d", longitude) and -180 <= float(longitude) <= 180, line
        assert re.fullmatch(r"\d+", radius_km) and 20 <= int(radius_km) <= 10_000, line


def test_codes_are_unique_and_in_order() -> None:
    codes = [line[0] for line in LINES]
    assert codes == sorted(set(codes))
    assert 220 <= len(codes) <= 260


def test_one_country_has_one_circle() -> None:
    """A journey between two networks of one country never counts as a journey."""
    for _, country, north, east, radius in LINES:
        assert CIRCLES[country] == Circle(float(north), float(east), int(radius)), country


@pytest.mark.parametrize(
    ("country", "codes"),
    [
        ("GR", "202"), ("FK", "750"), ("US", "310 311 312 313 314 315 316"), ("IN", "404 405 406"), ("GB", "234 235"),
        ("JP", "440 441"), ("CN", "460 461"), ("AE", "424 430 431"), ("NO", "242"), ("DK", "238"), ("FO", "288"),
        ("GL", "290"), ("XK", "221"), ("GE", "282 289"), ("PR", "330"), ("GU", "535"), ("MP", "534"), ("RE", "647"),
        ("GP", "340"), ("GF", "742"), ("CW", "362"), ("SS", "659"), ("HK", "454"), ("MO", "455"), ("TW", "466"),
    ],
)  # fmt: skip
def test_country_has_its_codes(country: str, codes: str) -> None:
    assert [line[0] for line in LINES if line[1] == country] == codes.split()


# A land border, a bridge, a tunnel or a ferry of a few hours.
NEIGHBOURS = """
    NO-SE SE-FI NO-FI NO-RU DK-SE DK-DE DK-NO FI-EE FI-RU EE-LV LV-LT LT-PL LT-RU PL-RU PL-DE PL-UA GB-FR GB-IE GB-NL
    GB-BE FR-BE FR-ES FR-IT FR-MC FR-DE FR-CH CH-LI CH-IT AT-HU AT-SI IT-MT IT-SM IT-VA IT-GR IT-AL ES-PT ES-GI ES-MA
    ES-AD IS-FO RS-XK XK-AL RO-MD TR-GR TR-GE TR-SY TR-CY UA-RU RU-KZ RU-CN RU-JP RU-US RU-KP US-CA US-MX US-CU US-BS
    US-BM CA-PM CA-GL PR-VI PR-DO JM-HT CO-PA CL-AR BR-GF BR-UY VE-TT CW-AW GP-DM AG-KN MA-DZ EG-IL EG-JO DJ-YE ZA-LS
    CD-CG TZ-KE SG-MY MY-ID BN-MY ID-TL ID-PG PG-AU CN-HK HK-MO CN-TW CN-VN KR-JP KR-KP IN-LK IN-BD IN-PK IR-AE
    BH-SA QA-SA GU-MP WS-AS FJ-TO KI-CK RE-KM
""".split()


@pytest.mark.parametrize("pair", NEIGHBOURS)
def test_neighbours_may_touch(pair: str) -> None:
    """A device on a border hears both networks in the same minute: no distance may be read from that."""
    a, b = pair.split("-")
    assert at_least_apart_km(CIRCLES[a], CIRCLES[b]) <= 0


# The United States stretch from Guam to the Virgin Islands: seen from their circle, Europe and Brazil are near.
FAR_APART = """
    NO-BR NO-ZA DE-ZA DE-SG DE-IN DE-CN GB-AU GB-IN GB-KE FR-JP FR-BR FI-CL SE-TH ES-KR PT-AU IT-VN PL-MX NL-ID TR-BR
    NG-GB JP-ZA KE-JP CN-BR IN-BR IN-AR RU-AU RU-BR CA-ZA MX-JP US-ZA US-KE US-IN US-AR NZ-ES EG-PE
""".split()


@pytest.mark.parametrize("pair", FAR_APART)
def test_far_countries_are_far_apart(pair: str) -> None:
    a, b = pair.split("-")
    assert at_least_apart_km(CIRCLES[a], CIRCLES[b]) > 1000


@pytest.mark.parametrize(
    ("country", "place", "north", "east"),
    [
        ("NO", "Kirkenes", 69.73, 30.05), ("NO", "Longyearbyen", 78.22, 15.65), ("NO", "Jan Mayen", 70.92, -8.72),
        ("SE", "Kiruna", 67.86, 20.23), ("SE", "Malmo", 55.6, 13.0), ("FI", "Utsjoki", 69.91, 27.03),
        ("FI", "Mariehamn", 60.1, 19.94), ("DK", "Ronne", 55.1, 14.7), ("FO", "Torshavn", 62.01, -6.77),
        ("GL", "Qaanaaq", 77.47, -69.23), ("GL", "Ittoqqortoormiit", 70.48, -21.96), ("IS", "Grimsey", 66.54, -18.0),
        ("RU", "Kaliningrad", 54.71, 20.51), ("RU", "Anadyr", 64.73, 177.5), ("RU", "Uelen", 66.16, -169.8),
        ("RU", "Derbent", 42.06, 48.29), ("RU", "Yuzhno-Kurilsk", 44.03, 145.86), ("GB", "Lerwick", 60.15, -1.14),
        ("GB", "Saint Helier", 49.19, -2.11), ("IE", "Dingle", 52.14, -10.27), ("FR", "Bonifacio", 41.39, 9.16),
        ("FR", "Brest", 48.39, -4.49), ("ES", "Las Palmas", 28.12, -15.43), ("ES", "Valverde", 27.81, -17.92),
        ("ES", "Mahon", 39.89, 4.27), ("PT", "Ponta Delgada", 37.74, -25.67), ("PT", "Corvo", 39.67, -31.11),
        ("PT", "Funchal", 32.65, -16.91), ("IT", "Lampedusa", 35.5, 12.61), ("GR", "Kastellorizo", 36.15, 29.59),
        ("GR", "Gavdos", 34.84, 24.08), ("US", "Honolulu", 21.31, -157.86), ("US", "Hagatna", 13.47, 144.75),
        ("US", "Pago Pago", -14.28, -170.7), ("US", "San Juan", 18.47, -66.11), ("US", "Eastport", 44.91, -66.99),
        ("US", "Miami", 25.76, -80.19), ("US", "Utqiagvik", 71.29, -156.79), ("US", "Adak", 51.88, -176.65),
        ("CA", "Alert", 82.5, -62.35), ("CA", "Saint John's", 47.56, -52.71), ("CA", "Old Crow", 67.57, -139.83),
        ("MX", "Tijuana", 32.51, -117.04), ("MX", "Cancun", 21.16, -86.85), ("CL", "Hanga Roa", -27.15, -109.43),
        ("CL", "Villa Las Estrellas", -62.2, -58.96), ("CL", "Puerto Williams", -54.93, -67.62),
        ("AR", "Ushuaia", -54.8, -68.3), ("AR", "La Quiaca", -22.1, -65.6), ("EC", "Puerto Baquerizo", -0.9, -89.61),
        ("CO", "San Andres", 12.58, -81.7), ("BR", "Fernando de Noronha", -3.84, -32.41),
        ("BR", "Tabatinga", -4.25, -69.94), ("PE", "Iquitos", -3.75, -73.25), ("VE", "San Fernando", 7.89, -67.47),
        ("FK", "Stanley", -51.7, -57.85), ("SH", "Georgetown", -7.93, -14.42), ("SH", "Edinburgh", -37.07, -12.31),
        ("ZA", "Musina", -22.34, 30.04), ("MU", "Port Mathurin", -19.68, 63.42), ("RE", "Mamoudzou", -12.78, 45.23),
        ("MA", "Dakhla", 23.68, -15.96), ("GQ", "Malabo", 3.75, 8.78), ("YE", "Hadibu", 12.65, 54.02),
        ("IN", "Port Blair", 11.62, 92.73), ("IN", "Leh", 34.16, 77.58), ("IN", "Kavaratti", 10.57, 72.64),
        ("CN", "Kashgar", 39.47, 75.99), ("CN", "Mohe", 52.97, 122.54), ("CN", "Fiery Cross", 9.55, 112.89),
        ("TW", "Itu Aba", 10.38, 114.37), ("VN", "Spratly", 8.64, 111.92), ("JP", "Wakkanai", 45.42, 141.67),
        ("JP", "Yonaguni", 24.47, 123.0), ("JP", "Chichijima", 27.09, 142.19), ("MY", "Kuching", 1.55, 110.34),
        ("ID", "Banda Aceh", 5.55, 95.32), ("ID", "Merauke", -8.5, 140.4), ("PH", "Pag-asa", 11.05, 114.28),
        ("AU", "Perth", -31.95, 115.86), ("AU", "Cocos", -12.19, 96.83), ("AU", "Christmas Island", -10.42, 105.68),
        ("AU", "Norfolk Island", -29.04, 167.95), ("AU", "Hobart", -42.88, 147.33), ("NZ", "Chatham", -43.95, -176.56),
        ("PF", "Rikitea", -23.12, -134.97), ("PF", "Nuku Hiva", -8.91, -140.1), ("KI", "Tarawa", 1.33, 172.98),
        ("KI", "Kiritimati", 1.87, -157.43), ("FM", "Yap", 9.51, 138.13), ("CK", "Penrhyn", -9.0, -158.05),
    ],
)  # fmt: skip
def test_far_out_places_lie_inside(country: str, place: str, north: float, east: float) -> None:
    assert within(CIRCLES[country], north, east)


@pytest.mark.parametrize(
    ("country", "place", "north", "east"),
    [
        ("TR", "Famagusta", 35.12, 33.94), ("RU", "Sevastopol", 44.6, 33.52), ("UA", "Simferopol", 44.95, 34.1),
        ("IL", "Gaza", 31.5, 34.47), ("GE", "Sukhumi", 43.0, 41.02), ("RS", "Pristina", 42.66, 21.17),
        ("MC", "Pristina", 42.66, 21.17),  # 212 was lent to a network of Kosovo before it had 221
        ("SI", "Pristina", 42.66, 21.17),  # and so was 293
        ("GP", "Cayenne", 4.92, -52.31), ("GP", "Marigot", 18.07, -63.08), ("CW", "Philipsburg", 18.03, -63.05),
        ("JM", "Hamilton, Bermuda", 32.29, -64.78), ("JM", "Castries", 14.01, -60.99), ("FJ", "Yaren", -0.55, 166.92),
        ("US", "Hamilton, Bermuda", 32.29, -64.78), ("IS", "Torshavn", 62.01, -6.77), ("LU", "Ostend", 51.22, 2.92),
        ("PR", "Charlotte Amalie", 18.34, -64.93), ("NO", "Ekofisk", 56.55, 3.21), ("LI", "Zurich", 47.37, 8.54),
    ],
)  # fmt: skip
def test_code_in_use_beyond_its_country_lies_inside(country: str, place: str, north: float, east: float) -> None:
    """Networks that serve a neighbouring or disputed territory under this code, or did until lately."""
    assert within(CIRCLES[country], north, east, sea_km=0)


def test_circle_ends_somewhere() -> None:
    assert within(CIRCLES["MT"], 35.9, 14.5)
    assert not within(CIRCLES["MT"], 41.9, 12.5, sea_km=0)
