"""A fleet is the same for the same seed, and nothing in it clashes."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest

from simward.errors import UsageError
from simward.lab.fleet import LIFT_ALARM, PASSWORDS, USE_CASES, luhn_digit, make_fleet, twin
from simward.lab.folder import Ports, read_fleet, write_fleet, write_settings
from simward.lab.policies import OBSERVED_POLICIES, POLICIES
from simward.settings import Settings


def test_the_same_seed_makes_the_same_fleet() -> None:
    assert make_fleet(7, 200) == make_fleet(7, 200)
    assert make_fleet(7, 200) != make_fleet(8, 200)


def test_no_identity_comes_twice() -> None:
    fleet = make_fleet(3, 1000)
    everyone = [*fleet.subscriptions, *fleet.spares]
    for identity in ("iccid", "imsi", "msisdn"):
        assert len({getattr(one, identity) for one in everyone}) == len(everyone)
    assert len({one.device.imei for one in everyone}) == len(everyone)


def test_identities_are_well_formed() -> None:
    for one in make_fleet(5, 100).subscriptions:
        assert one.iccid.startswith("89") and len(one.iccid) == 19
        assert luhn_digit(one.iccid[:-1]) == one.iccid[-1]
        assert len(one.imsi) == 15 and one.imsi.startswith("00101")
        assert len(one.device.imei) == 14 and len(one.device.imeisv) == 16


def test_luhn_is_the_known_one() -> None:
    assert luhn_digit("7992739871") == "3"


def test_every_use_case_has_members_and_one_subscription_is_suspended() -> None:
    fleet = make_fleet(1, 60)
    assert [len(fleet.by_use_case[name]) for name in USE_CASES] == [30, 8, 9, 5, 4, 4]
    assert len(fleet.active) == 59
    assert fleet.suspended not in fleet.active


def test_a_fleet_too_small_for_the_scenes_is_refused() -> None:
    with pytest.raises(UsageError, match="40"):
        make_fleet(1, 39)


def test_a_twin_is_of_the_same_model_and_nobodys() -> None:
    fleet = make_fleet(1, 60)
    device = fleet.subscriptions[0].device
    other = twin(device, fleet)
    assert other.imei[:8] == device.imei[:8]
    assert other.imei not in {one.device.imei for one in fleet.subscriptions}


def test_the_folder_can_be_read_again(tmp_path: Path) -> None:
    fleet = make_fleet(9, 80)
    write_fleet(tmp_path / "demo", fleet)
    write_settings(tmp_path / "demo", Ports(20001, 20002, {"pgw1": 20003, "pgw2": 20004}))
    assert read_fleet(tmp_path / "demo") == fleet
    settings = Settings.load(tmp_path / "demo")
    assert [one.name for one in settings.gateways] == ["pgw1", "pgw2"]
    assert settings.gateways[0].secret != settings.gateways[1].secret
    assert settings.secrets["metering"] == PASSWORDS["meters.iot"].encode()
    assert stat.S_IMODE((tmp_path / "demo" / "simward.toml").stat().st_mode) == 0o600
    with (tmp_path / "demo" / "inventory.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 80
    assert all(bool(line["imei"]) == (line["use_case"] == LIFT_ALARM) for line in lines)
    with pytest.raises(UsageError, match="exists"):
        write_fleet(tmp_path / "demo", fleet)


def test_observed_policies_stop_nothing() -> None:
    for name, text in OBSERVED_POLICIES.items():
        assert text != POLICIES.get(name) or name == "lift-alarm.yaml"
        assert ": refuse" not in text
        assert "device-change: lock" not in text
