"""Filters as attributes: whole, in order, and cut only where an attribute is full."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.engine.tables import filter_parts, filter_text
from simward.wire.radius.dictionary import Code
from simward.wire.radius.filters import filter_values, filters_of
from simward.wire.radius.packet import Packet

rules = st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=120), max_size=8)


@given(rules)
def test_rules_come_back_as_they_went(given: list[str]) -> None:
    values = filter_values("", given)
    joined = b"".join(octets for _, octets in values)
    assert joined.split(b"\0") == [one.encode() for one in given] or not given
    assert all(len(octets) == 253 for _, octets in values[:-1])
    assert filter_parts(filter_text("", given)) == ("", given)


def test_a_name_is_one_attribute() -> None:
    assert filter_values("confined", []) == [("Filter-Id", b"confined")]
    assert filter_parts(filter_text("confined", [])) == ("confined", [])
    assert filter_values("", []) == [] and filter_parts("") == ("", [])


def test_the_table_holds_the_attributes_of_each_segment_and_verdict() -> None:
    normal, confined = filter_values("", ["permit in ip from any to any"]), filter_values("walled", [])
    table = filters_of([([], []), (normal, confined), ([], normal)])
    for segment, pair in enumerate([([], []), (normal, confined), ([], normal)]):
        for verdict, values in enumerate(pair):
            begin, count = table.begins[segment, verdict], table.counts[segment, verdict]
            expected = Packet(Code.ACCESS_ACCEPT).add_all(values).encode()[20:]
            assert table.octets[begin : begin + count].tobytes() == expected
    with pytest.raises(ValueError, match="at most 1200"):
        filters_of([(filter_values("", ["x" * 1300]), [])])
