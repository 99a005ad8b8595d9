"""Filter rules: what IPFilterRule allows passes unchanged, and each wrong word is named."""

from __future__ import annotations

import pytest

from simward.errors import ConfigurationError
from simward.policy.filter_rules import filter_id, filter_rule
from simward.policy.load import read_policies
from simward.quantities import QuantityError

RIGHT = [
    "permit in ip from any to any",
    "deny out ip from any to assigned",
    "permit in 17 from assigned to 192.0.2.53 53",
    "permit in 6 from assigned 1024-65535 to !192.0.2.0/24 80,443,8000-8080 established",
    "permit out 132 from 2001:db8::/32 3868 to assigned",
    "deny in 1 from any to any icmptypes 8,13-14",
    "deny in ip from any to any frag",
    "permit in 6 from any to any setup tcpflags syn,!ack tcpoptions !sack,mss",
    "deny in ip from any to any ipoptions ssrr,!rr",
    "permit in 58 from !assigned to 2001:db8::1",
]
WRONG = {
    "": "begins with neither permit nor deny",
    "allow in ip from any to any": "begins with neither permit nor deny",
    "permit ip from any to any": "has no direction (in is from the device, out is to it)",
    "permit in": "has no protocol",
    "permit in tcp from any to any": "protocol 'tcp': rules name protocols by number (write 6)",
    "permit in 256 from any to any": "no protocol '256'",
    "permit in ip any to any": "'from' should stand where 'any' does",
    "permit in ip from any": "'to' should stand where the rule ends",
    "permit in ip from": "nothing stands behind 'from'",
    "permit in ip from 192.0.2 to any": "'192.0.2' is not an address",
    "permit in ip from 192.0.2.1/24 to any": "'192.0.2.1/24' has bits behind its prefix (did you mean '192.0.2.0/24'?)",
    "permit in ip from 192.0.2.0/255.255.255.0 to any": "has a mask (write it with the number of bits: 192.0.2.0/24)",
    "permit in 1 from any to any 53": "ports '53' with protocol 1",
    "permit in 6 from any to any 70000": "'70000' is no port or range of them",
    "permit in 6 from any to any 90-80": "'90-80' is no port or range of them",
    "permit in ip from any to any estalished": "no option 'estalished' (did you mean 'established'?)",
    "permit in 17 from any to any established": "established with protocol 17 (it is about TCP: protocol 6)",
    "permit in 6 from any to any tcpflags": "nothing stands behind tcpflags",
    "permit in 6 from any to any tcpflags sin": "tcpflags has no 'sin' (did you mean 'syn'?)",
    "permit in 1 from any to any icmptypes echo": "'echo' is no ICMP type",
    "permit in 17 from any to any 53 frag": "frag goes with neither ports nor tcpflags",
    "permit in ip from any to any\0": "holds characters that no rule has",
}


@pytest.mark.parametrize("rule", RIGHT)
def test_right_rules_pass_unchanged(rule: str) -> None:
    assert filter_rule(rule) == rule
    assert filter_rule("  " + rule.replace(" ", "   ")) == rule


@pytest.mark.parametrize("rule", WRONG)
def test_a_wrong_word_is_named(rule: str) -> None:
    with pytest.raises(QuantityError) as caught:
        filter_rule(rule)
    assert WRONG[rule] in f"{caught.value.what} ({caught.value.instead})"


def test_a_name_is_printable_and_fits_an_attribute() -> None:
    assert filter_id("confined-1") == "confined-1"
    for wrong in ("", "a\nb", "ä" * 127):
        with pytest.raises(QuantityError):
            filter_id(wrong)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            "filter: [permit in ip from any to any]\nfilter_id: open\n",
            "a.yaml:4: filter_id: stands beside filter: they must not be in one packet (RFC 4849 2) (one of the two)",
        ),
        (
            "quarantine_filter: [permit in ip from any to any]\nfilter_id: open\n",
            "a.yaml:3: quarantine_filter: is of another kind than filter_id: a change would leave both in force "
            "(names for both, or rules for both)",
        ),
        (
            "filter: [" + ", ".join(["permit in ip from any to 192.0.2.1"] * 40) + "]\n",
            "a.yaml:3: filter: 1399 octets of rules (at most 1024: name a filter with filter_id)",
        ),
        (
            "filter: [permit in tcp from any to any]\n",
            "a.yaml:3: filter[0]: protocol 'tcp': rules name protocols by number (write 6)",
        ),
        ("filter: []\n", "a.yaml:3: filter: is empty: a filter without rules means nothing "
         "(leave the key out, or name at least one)"),
    ],
)  # fmt: skip
def test_filters_of_a_segment_fit_each_other(keys: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_policies({"a.yaml": f"segment: metering\napn: meters.iot\n{keys}"})
    assert [str(one) for one in caught.value.problems if not one.warning] == [expected]


def test_the_order_of_rules_is_kept() -> None:
    rules = ["permit in ip from any to 192.0.2.9", "deny in ip from any to any", "permit in ip from any to 192.0.2.1"]
    policy = read_policies({"a.yaml": f"segment: metering\napn: meters.iot\nfilter: {rules}\n"})
    assert policy.of("segment")["metering"].value["filter"] == rules
