"""Addresses of every family out of one number: dual stack, IPv6 alone, several segments, revisions that move pools."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.story import IMSI, Story
from simward.engine import events as e
from simward.engine import outputs as o
from simward.engine.phrases import ipv6_text, prefix_text
from simward.engine.tables import DECLARED, InventoryDelta
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import Settings

DUAL = """
use_case: meter
segment: metering
networks: {plmn: ["00101"]}
responses: {network-not-permitted: quarantine}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/24
pool6: 2001:db8:6400::/40
delegated_pool: 2001:db8:8000::/36
delegated_length: 56
quarantine_pool: 10.127.0.0/24
quarantine_pool6: 2001:db8:ff00::/48
"""
ONLY_IPV6 = """
use_case: meter
segment: metering
---
segment: metering
apn: meters.iot
pool6: 2001:db8:64::/62
"""
TWO = """
use_case: meter
segment: [metering, maintenance]
networks: {plmn: ["00101"]}
responses: {default: refuse, network-not-permitted: quarantine}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/24
---
segment: maintenance
apn: maintenance.iot
pool: 10.65.0.0/24
pool6: 2001:db8:65::/48
quarantine_pool: 10.126.0.0/24
"""
SINGLE = """
use_case: meter
segment: metering
networks: {plmn: ["00101"]}
responses: {network-not-permitted: quarantine}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/24
address_pool6: 2001:db8:aa::/112
delegated_pool: 2001:db8:8000::/36
delegated_length: 56
quarantine_address_pool6: 2001:db8:ff::/112
"""
ABROAD = 199999


def given(story: Story) -> tuple[str, str, str]:
    """Address, prefix and delegated prefix of the last answer, in writing."""
    last = story.last
    address = str(ipaddress.IPv4Address(int(last["address"]))) if last["address"] else ""
    prefix = prefix_text(last["prefix_high"], 0, int(last["prefix_length"]))
    return address, prefix, prefix_text(last["delegated_high"], 0, int(last["delegated_length"]))


def given_ipv6(story: Story) -> str:
    """The IPv6 address of the last answer, in writing."""
    return ipv6_text(story.last["ipv6_high"], story.last["ipv6_low"])


def ipv6(address: str) -> dict[str, Any]:
    """The EVENT columns of a reported address that stands alone."""
    whole = int(ipaddress.IPv6Address(address))
    halves = {"high": whole >> 64, "low": whole & (1 << 64) - 1}
    halves = {name: half - (1 << 64) if half >> 63 else half for name, half in halves.items()}
    columns = {f"{kind}_{name}": half for kind in ("ipv6", "prefix") for name, half in halves.items()}
    return {**columns, "prefix_length": 128}


def revise(story: Story, policy: str) -> None:
    settings = Settings(Path("/nowhere"))
    story.fold.policy(compile_policy(read_policies({"story.yaml": policy}), settings), story.now)


def high(prefix: str) -> dict[str, Any]:
    """The EVENT columns of a reported prefix."""
    network = ipaddress.IPv6Network(prefix)
    upper = int(network.network_address) >> 64
    return {"prefix_high": upper - (1 << 64) if upper >> 63 else upper, "prefix_length": network.prefixlen}


def test_one_number_serves_every_family() -> None:
    story = Story(DUAL)
    assert given(story.attaches()) == ("10.64.0.1", "2001:db8:6400::/64", "2001:db8:8000::/56")
    assert given(story.attaches(member=1)) == ("10.64.0.2", "2001:db8:6400:1::/64", "2001:db8:8000:100::/56")
    (first, _) = story.of(o.ADDRESS_GIVEN)
    assert prefix_text(first["was"], 0, int(first["expected"]) >> 8) == "2001:db8:6400::/64"
    assert given(story.attaches()) == ("10.64.0.1", "2001:db8:6400::/64", "2001:db8:8000::/56"), "it keeps them"


@pytest.mark.parametrize(
    ("pdp_type", "families"),
    [(0, "46"), (e.PDP_IPV4, "4"), (e.PDP_PPP, "4"), (e.PDP_IPV6, "6"), (e.PDP_IPV4V6, "46"), (e.PDP_NON_IP, ""),
     (e.PDP_ETHERNET, "")],
)
def test_only_the_families_asked_for(pdp_type: int, families: str) -> None:
    story = Story(DUAL).attaches(pdp_type=pdp_type)
    address, prefix, delegated = given(story)
    assert (bool(address), bool(prefix), bool(delegated)) == ("4" in families, "6" in families, "6" in families)
    assert len(story.of(o.ADDRESS_GIVEN)) == bool(families), "what asks for no address takes none from the pool"


def test_a_segment_of_ipv6_alone_sends_no_ipv4_address() -> None:
    story = Story(ONLY_IPV6, members=6)
    assert given(story.attaches()) == ("", "2001:db8:64::/64", "")
    for member in (1, 2, 3):
        story.attaches(member=member)
    assert given(story) == ("", "2001:db8:64:3::/64", "")
    story.attaches(member=4)
    assert story.refused and story.findings == ["address-pool-exhausted/exhausted"], "a /62 holds four /64"


def test_the_smallest_pool_counts() -> None:
    policy = compile_policy(read_policies({"a.yaml": DUAL.replace("2001:db8:6400::/40", "2001:db8:6400::/60")}),
                            Settings(Path("/nowhere")))  # fmt: skip
    assert int(policy.segments["pool_last"][1]) - int(policy.segments["pool_first"][1]) + 1 == 16


def test_quarantine_has_prefixes_of_its_own() -> None:
    story = Story(DUAL).attaches(plmn=ABROAD)
    assert story.verdict == "quarantine"
    assert given(story) == ("10.127.0.1", "2001:db8:ff00::/64", "")
    story.starts(plmn=ABROAD, **high("2001:db8:ff00::/64"))
    assert not story.disconnects, "it is where it should be"
    story.starts("s2", plmn=ABROAD, **high("2001:db8:6400::/64"))
    assert len(story.disconnects) == 1, "one with its normal prefix goes"


def test_there_is_no_quarantine_for_a_family_without_a_pool() -> None:
    without = DUAL.replace("quarantine_pool6: 2001:db8:ff00::/48\n", "")
    assert Story(without).attaches(plmn=ABROAD, pdp_type=e.PDP_IPV6).refused
    assert Story(without).attaches(plmn=ABROAD, pdp_type=e.PDP_IPV4).verdict == "quarantine"


def test_a_second_apn_is_allowed_beside_the_first_and_has_addresses_of_its_own() -> None:
    story = Story(TWO).attaches().starts("a")
    assert given(story.attaches(apn="maintenance.iot")) == ("10.65.0.1", "2001:db8:65::/64", "")
    assert story.allowed
    story.starts("b", apn="maintenance.iot")
    assert given(story.attaches()) == ("10.64.0.1", "", "")
    assert story.row().session_count == 2 and not story.findings
    assert story.attaches(apn="internet").refused and story.findings == ["apn-not-permitted/other-apn"]


def test_quarantine_is_of_the_segment_that_was_asked_for() -> None:
    story = Story(TWO)
    assert story.attaches(plmn=ABROAD, apn="maintenance.iot").verdict == "quarantine"
    assert given(story)[0] == "10.126.0.1"
    assert story.attaches(plmn=ABROAD).refused, "the first segment has no quarantine"


def test_revisions_leave_addresses_where_they_can() -> None:
    story = Story(DUAL)
    for member in range(3):
        story.attaches(member=member)
    revise(story, DUAL.replace("10.64.0.0/24", "10.64.0.0/16"))
    assert given(story.attaches(member=2)) == ("10.64.0.3", "2001:db8:6400:2::/64", "2001:db8:8000:200::/56")
    revise(story, DUAL.replace("10.64.0.0/24", "10.99.0.0/16"))
    assert given(story.attaches(member=2)) == ("10.99.0.3", "2001:db8:6400:2::/64", "2001:db8:8000:200::/56")
    revise(story, DUAL.replace("pool: 10.64.0.0/24\n", "", 1))
    assert given(story.attaches(member=2)) == ("", "2001:db8:6400:2::/64", "2001:db8:8000:200::/56")
    revise(story, DUAL)
    assert given(story.attaches(member=2)) == ("10.64.0.3", "2001:db8:6400:2::/64", "2001:db8:8000:200::/56")
    assert given(story.attaches(member=3))[0] == "10.64.0.4"


def test_a_pool_that_moves_by_half_gives_no_address_twice() -> None:
    story = Story(DUAL, members=200)
    for member in range(200):
        story.attaches(member=member)
    revise(story, DUAL.replace("10.64.0.0/24", "10.64.0.128/25"))
    held = [int(story.row(member).address) for member in range(200)]
    kept = [one for one in held if one]
    assert len(set(kept)) == len(kept) == 126, "as many as there are"
    first = int(ipaddress.IPv4Address("10.64.0.129"))
    assert all(held[member] == first - 1 + member - 127 for member in range(128, 200)), "who was inside stays"


def test_another_segment_is_another_address() -> None:
    policy = ONLY_IPV6 + "---\nuse_case: other\nsegment: others\n---\nsegment: others\napn: others.iot\n"
    policy += "pool6: 2001:db8:99::/62\n"
    story = Story(policy)
    lines = np.zeros(2, DECLARED)
    lines["imsi"], lines["iccid"] = IMSI + np.arange(2), 1_00_1000000000000001 + np.arange(2)
    story.fold.inventory(InventoryDelta(lines, np.zeros(0, np.int64), ["meter"]), story.now)
    story.attaches(member=0).attaches(member=1)
    lines["use_case"][1] = 1
    story.fold.inventory(InventoryDelta(lines, np.zeros(0, np.int64), ["meter", "other"]), story.now)
    assert given(story.attaches(member=1, apn="others.iot")) == ("", "2001:db8:99::/64", "")
    lines["use_case"][1] = 0
    story.fold.inventory(InventoryDelta(lines, np.zeros(0, np.int64), ["meter", "other"]), story.now)
    assert given(story.attaches(member=1)) == ("", "2001:db8:64:2::/64", ""), "never used ones first"


def test_an_accounting_record_without_identity_is_told_by_its_class() -> None:
    story = Story(DUAL).attaches()
    named = {"class_token": int(story.last["class_token"]), "class_row": int(story.last["row"]),
             "class_check": int(story.last["class_check"])}  # fmt: skip
    story.attaches(member=1)
    story.starts(imsi=0, device=0, **named)
    assert story.last["known"] == 1 and story.row().session_count == 1
    story.reports(imsi=0, device=0, user=1_12345, **named)
    assert story.last["known"] == 1, "a user name that is no number of anybody's does not hide it"


def test_a_class_does_not_outlive_its_subscription() -> None:
    story = Story(DUAL).attaches()
    named = {"class_token": int(story.last["class_token"]), "class_row": int(story.last["row"]),
             "class_check": int(story.last["class_check"])}  # fmt: skip
    story.fold.inventory(InventoryDelta(np.zeros(0, DECLARED), np.array([IMSI]), []), story.now)
    line = np.zeros(1, DECLARED)
    line["imsi"], line["iccid"] = IMSI + 77, 1_00_1000000000000077
    story.fold.inventory(InventoryDelta(line, np.zeros(0, np.int64), ["meter"]), story.now)
    assert story.fold.find(imsi=IMSI + 77) == named["class_row"], "the row has been given to another"
    story.starts(imsi=0, device=0, **named)
    assert story.last["known"] == 0
    story.starts(imsi=0, device=0, **named | {"class_row": 10**6})
    assert story.last["known"] == 0


def test_a_start_that_uses_a_live_id_again_begins_another_session() -> None:
    story = Story().attaches().starts(address=1)
    story.tell(e.ACCOUNTING_START, session="s1", address=1, flags=e.FLAG_TIMESTAMP)
    assert story.kept, "another time"
    before = story.now
    story.tell(e.ACCOUNTING_START, session="s1", address=1, flags=e.FLAG_TIMESTAMP, happened_at=before)
    assert not story.kept, "the same again"
    story.starts(address=2)
    assert story.kept and story.row().session_count == 1
    story.starts(address=2)
    assert not story.kept


def test_single_ipv6_addresses_stand_beside_the_other_families() -> None:
    story = Story(SINGLE)
    assert given(story.attaches()) == ("10.64.0.1", "", "2001:db8:8000::/56")
    assert given_ipv6(story) == "2001:db8:aa::1", "the first of all is any router's (RFC 4291 2.6.1)"
    assert given(story.attaches(member=1)) == ("10.64.0.2", "", "2001:db8:8000:100::/56")
    assert given_ipv6(story) == "2001:db8:aa::2"
    (_, second) = story.of(o.ADDRESS_GIVEN)
    assert ipv6_text(second["before"][0], second["before"][1]) == "2001:db8:aa::2"
    assert given_ipv6(story.attaches()) == "2001:db8:aa::1", "it keeps it"


@pytest.mark.parametrize(
    ("pdp_type", "sent"), [(0, True), (e.PDP_IPV4, False), (e.PDP_IPV6, True), (e.PDP_NON_IP, False)]
)
def test_an_ipv6_address_goes_to_who_asks_for_ipv6(pdp_type: int, sent: bool) -> None:
    assert bool(given_ipv6(Story(SINGLE).attaches(pdp_type=pdp_type))) == sent


@pytest.mark.parametrize(
    ("pool", "addresses"),
    [("2001:db8:aa::/126", ["2001:db8:aa::1", "2001:db8:aa::2", "2001:db8:aa::3"]),
     ("2001:db8:aa::6/127", ["2001:db8:aa::6", "2001:db8:aa::7"]), ("2001:db8:aa::6/128", ["2001:db8:aa::6"]),
     ("2001:db8:aa:0:ffff:ffff:ffff:fffc/126", [f"2001:db8:aa:0:ffff:ffff:ffff:fff{end}" for end in "def"])],
)
def test_a_pool_of_ipv6_addresses_alone_holds_so_many(pool: str, addresses: list[str]) -> None:
    story = Story(f"{ONLY_IPV6.partition('pool6')[0]}address_pool6: {pool}\n", members=len(addresses) + 1)
    for member, address in enumerate(addresses):
        assert given_ipv6(story.attaches(member=member)) == address and given(story) == ("", "", "")
    story.attaches(member=len(addresses))
    assert story.refused and story.findings == ["address-pool-exhausted/exhausted"] and not given_ipv6(story)


def test_quarantine_has_ipv6_addresses_of_its_own() -> None:
    story = Story(SINGLE).attaches(plmn=ABROAD)
    assert story.verdict == "quarantine" and given_ipv6(story) == "2001:db8:ff::1" and given(story) == ("", "", "")
    story.starts(plmn=ABROAD, **ipv6("2001:db8:ff::1"))
    assert not story.disconnects, "it is where it should be"


@pytest.mark.parametrize("address", ["2001:db8:aa::1", "2001:db8:ff::2", "2001:db8:77::1"])
def test_a_session_with_another_ipv6_address_is_not_in_quarantine(address: str) -> None:
    """Its normal one, somebody else's of the same pool, and one of nowhere."""
    story = Story(SINGLE).attaches(plmn=ABROAD).starts(plmn=ABROAD, **ipv6(address))
    assert len(story.disconnects) == 1


def test_an_address_beside_the_prefix_that_it_came_with_counts() -> None:
    both = DUAL.replace("quarantine_pool6", "quarantine_address_pool6: 2001:db8:fe::/112\nquarantine_pool6")
    story = Story(both).attaches(plmn=ABROAD)
    assert (given(story)[1], given_ipv6(story)) == ("2001:db8:ff00::/64", "2001:db8:fe::1")
    given_both = {**ipv6("2001:db8:fe::1"), **high("2001:db8:ff00::/64"), "prefix_low": 0}
    story.starts("a", plmn=ABROAD, **given_both).starts("b", plmn=ABROAD, **high("2001:db8:ff00::/64"))
    formed = ipv6("2001:db8:ff00::1234")  # by the device, out of the prefix
    story.starts("c", plmn=ABROAD, **formed)
    assert not story.disconnects
    story.starts("d", plmn=ABROAD, **{**given_both, "ipv6_low": 2})
    assert len(story.disconnects) == 1, "the prefix is right, the address is another's"


def test_a_start_with_another_address_of_the_same_pool_begins_another_session() -> None:
    story = Story(SINGLE).attaches().starts(**ipv6("2001:db8:aa::1"))
    story.starts(**ipv6("2001:db8:aa::1"))
    assert not story.kept, "the same again"
    story.starts(**ipv6("2001:db8:aa::2"))
    assert story.kept and story.row().session_count == 1


def test_revisions_leave_ipv6_addresses_where_they_can() -> None:
    story = Story(SINGLE)
    for member in range(3):
        story.attaches(member=member)
    revise(story, SINGLE.replace("2001:db8:aa::/112", "2001:db8:bb::/112"))
    assert (given(story.attaches(member=2))[0], given_ipv6(story)) == ("10.64.0.3", "2001:db8:bb::3"), "the pool moved"
    revise(story, SINGLE.replace("pool: 10.64.0.0/24\n", "", 1))
    assert (given(story.attaches(member=2))[0], given_ipv6(story)) == ("", "2001:db8:aa::3"), "it stands alone"
    revise(story, SINGLE.replace("address_pool6: 2001:db8:aa::/112", "pool6: 2001:db8:64::/48"))
    assert (given(story.attaches(member=2))[1], given_ipv6(story)) == ("2001:db8:64:2::/64", ""), "another family"
    revise(story, SINGLE)
    assert given_ipv6(story.attaches(member=2)) == "2001:db8:aa::3" and given_ipv6(story.attaches(member=3)) == (
        "2001:db8:aa::4"
    )
    renamed = SINGLE.replace("segment: metering", "segment: meters")
    revise(story, renamed)
    assert given_ipv6(story.attaches(member=3)) == "2001:db8:aa::4", "the same pools under another name"
