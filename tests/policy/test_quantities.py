"""Durations, sizes, rates, shares and distances: what people write is read, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward import quantities
from simward.quantities import DURATION_MAX_S, QuantityError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1 s", 1), ("1s", 1), ("15m", 900), ("15 min", 900), ("24h", 86_400), ("49h", 176_400), ("7d", 604_800),
        ("1.5h", 5400), ("0.5m", 30), (" 24h ", 86_400),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: int) -> None:
    assert quantities.duration_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("24", "'24' has no unit"), (24, "'24' has no unit"), ("24 hours", "'hours' is not a unit of a duration"),
        ("0s", "'0s' is not a whole number of seconds"), ("0.5s", "'0.5s' is not a whole number of seconds"),
        ("-1h", "'-1h' is not a duration"), ("1h30m", "'1h30m' is not a duration"), ("", "'' is not a duration"),
        ("11000d", "'11000d' is longer than ten years"), (True, "True is not a duration"),
        ("٣h", "'٣h' is not a duration"),
        ("24H", "'H' is not a unit of a duration"), (None, "None is not a duration"),
    ],
)  # fmt: skip
def test_not_durations(text: object, message: str) -> None:
    with pytest.raises(QuantityError) as caught:
        quantities.duration_s(text)
    assert caught.value.what == message
    assert caught.value.instead


@given(st.integers(1, DURATION_MAX_S))
def test_a_duration_reads_back_what_was_written(seconds: int) -> None:
    assert quantities.duration_s(quantities.duration_text(seconds)) == seconds


@given(st.integers(0, 10**15))
def test_a_size_reads_back_what_was_written(octets: int) -> None:
    assert quantities.size_octets(quantities.size_text(octets)) == octets


@given(st.integers(0, 1_000_000))
def test_a_share_reads_back_what_was_written(millionths: int) -> None:
    assert quantities.share_ppm(quantities.share_text(millionths)) == millionths


@given(st.integers(1, 10**8))
def test_a_distance_reads_back_what_was_written(metres: int) -> None:
    assert quantities.distance_m(quantities.distance_text(metres)) == metres


@given(st.text(max_size=12))
def test_junk_is_refused_in_words(text: str) -> None:
    for read in (
        quantities.duration_s, quantities.size_octets, quantities.size_rate, quantities.count_rate,
        quantities.time_rate, quantities.share_ppm, quantities.distance_m,
    ):  # fmt: skip
        try:
            read(text)
        except QuantityError as error:
            assert error.instead


def test_sizes_are_powers_of_a_thousand() -> None:
    sizes = [quantities.size_octets(text) for text in ("1 B", "1kB", "2 MB", "1.5 GB")]
    assert sizes == [1, 1000, 2_000_000, 1_500_000_000]
    with pytest.raises(QuantityError, match="'MiB' is not a unit of a size"):
        quantities.size_octets("1 MiB")


def test_rates_say_per_what() -> None:
    assert quantities.size_rate("2 MB/day") == (2_000_000, 86_400)
    assert quantities.count_rate("10 / hour") == (10, 3600)
    assert quantities.time_rate("10m/month") == (600, 2_592_000)
    with pytest.raises(QuantityError, match="does not say per what"):
        quantities.size_rate("2 MB")
    with pytest.raises(QuantityError, match="'fortnight' is not a period"):
        quantities.size_rate("2 MB/fortnight")


@pytest.mark.parametrize(("text", "millionths"), [("0.5%", 5000), ("100 %", 1_000_000), ("0%", 0), ("0.0001%", 1)])
def test_shares(text: str, millionths: int) -> None:
    assert quantities.share_ppm(text) == millionths


@pytest.mark.parametrize("text", ["0.5", "101%", "0.00001%", "-1%", "half"])
def test_not_shares(text: str) -> None:
    with pytest.raises(QuantityError):
        quantities.share_ppm(text)


def test_hours_and_days_of_the_week() -> None:
    assert quantities.hours_text(*quantities.hours_of("6:00 - 22")) == "06-22"
    assert quantities.hours_text(*quantities.hours_of("22-24")) == "22-24"
    assert quantities.hours_bits(["22-02", "05-06"]) == 1 << 22 | 1 << 23 | 1 << 0 | 1 << 1 | 1 << 5
    assert quantities.weekdays_text(*quantities.weekdays_of("Mon-fri")) == "mon-fri"
    assert quantities.weekdays_bits(["sat-mon"]) == 1 << 5 | 1 << 6 | 1 << 0
    for wrong in ("6", "06-06", "00-24", "24-25", "06:30-07", "x"):
        with pytest.raises(QuantityError):
            quantities.hours_of(wrong)
    for wrong in ("monday", "mon-", "mon-fri-sat"):
        with pytest.raises(QuantityError):
            quantities.weekdays_of(wrong)
