"""Policy files: what is right is read however it is written; what is wrong is named, with where and what instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.errors import ConfigurationError
from simward.policy.load import Policy, load_policies, not_enforced, read_policies

SEGMENT = """
segment: metering
apn: meters.iot
pool: 10.64.0.0/12
quarantine_pool: 10.127.0.0/16
"""
WHOLE = """
use_case: water-meter
tenant: default
segment: metering
binding: {mode: first-use, not_reported: refuse}
mobility: {area: north}
networks: {plmn: ["00101", "001-02", "001001"], rat: [nb-iot, cat-m1, lte-m]}
services: {data: 2000 kB/day, sms: none, voice: 90 s/day}
cadence: {every: 24h, silent_after: 2940m}
session: {timeout: none, interim_interval: 15 m}
responses: {default: observe, device-change: lock, device-change/software: observe, location-change: notify}
release_when: 24h
limits: {lock: {per_hour: 20, share_of_fleet: 0.50%}}
criticality: normal
---
segment: metering
apn: Meters.IoT
pool: 10.64.0.0/12
quarantine_pool: 10.127.0.0/16
credentials: {pap: meters-pap}
classification: internal
jurisdiction: EU
---
area: north
circle: {latitude: 59.9, longitude: -10.7, radius: 30 km}
---
pool: approved-modems
tac: ["35000000 - 35000099", "35000100"]
imei: ["35-000001-000001-7"]
"""


def read(*texts: str) -> Policy:
    """The policy in these texts, as files a.yaml, b.yaml, ..."""
    return read_policies({f"{chr(97 + number)}.yaml": text for number, text in enumerate(texts)})


def problems(*texts: str) -> list[str]:
    """The errors of a policy that is wrong."""
    with pytest.raises(ConfigurationError) as caught:
        read(*texts)
    return [str(problem) for problem in caught.value.problems]


def one(text: str) -> list[str]:
    """What is wrong with one line of a use case, without file and line."""
    return [problem.removeprefix("a.yaml:2: ") for problem in problems(f"use_case: meter\n{text}\n---\n{SEGMENT}")]


def test_the_whole_language_is_read_and_normalised() -> None:
    policy = read(WHOLE)
    use_case = policy.of("use_case")["water-meter"].value
    assert use_case["networks"] == {"plmn": ["001001", "00101", "00102"], "rat": ["lte-m", "nb-iot"]}
    assert use_case["services"] == {"data": "2 MB/day", "sms": "none", "voice": "90s/day"}
    assert use_case["cadence"] == {"every": "24h", "silent_after": "49h"}
    assert use_case["session"] == {"timeout": "none", "interim_interval": "15m"}
    assert use_case["limits"] == {"lock": {"per_hour": 20, "share_of_fleet": "0.5%"}}
    assert policy.of("segment")["metering"].value["apn"] == "meters.iot"
    assert policy.of("area")["north"].value["circle"] == {"latitude": 59.9, "longitude": -10.7, "radius": "30 km"}
    assert policy.of("pool")["approved-modems"].value["tac"] == ["35000000-35000099", "35000100"]
    assert policy.of("pool")["approved-modems"].value["imei"] == ["35000001000001"]


def test_the_canonical_form_knows_no_layout() -> None:
    documents = WHOLE.split("---")
    again = read(*(f"# another file\n{text}" for text in reversed(documents)))
    assert again.canonical() == read(WHOLE).canonical()
    assert json.loads(again.canonical())["use_case"]["water-meter"]["binding"]["mode"] == "first-use"


def test_a_document_knows_where_its_keys_stand() -> None:
    document = read(WHOLE).of("use_case")["water-meter"]
    assert (document.line, document.at("limits.lock.per_hour"), document.at("networks.nothing")) == (2, 13, 7)


@pytest.mark.parametrize("binding", ["first-use", "{mode: first-use}", "\n  mode: first-use"])
def test_a_binding_may_be_one_word(binding: str) -> None:
    policy = read(f"use_case: meter\nsegment: metering\nbinding: {binding}\n---\n{SEGMENT}")
    assert policy.of("use_case")["meter"].get("binding.mode") == "first-use"


def test_a_pool_is_a_mode_of_binding() -> None:
    policy = read(WHOLE.replace("{mode: first-use, not_reported: refuse}", "{pool: approved-modems}"))
    assert policy.of("use_case")["water-meter"].get("binding") == {"pool": "approved-modems", "mode": "pool"}


def cases(name: str) -> list[tuple[str, str]]:
    """The blocks of a file beside this one: what is wrong, then `=>` and the message for it."""
    blocks = Path(__file__).with_name(name).read_text().rstrip("\n").split("\n\n")
    return [(text.removesuffix("\n"), message) for text, message in (block.split("=> ") for block in blocks)]


WRONG_LINES = cases("wrong_lines.txt")
WRONG_FILES = cases("wrong_files.txt")


@pytest.mark.parametrize(("line", "message"), WRONG_LINES, ids=[line for line, _ in WRONG_LINES])
def test_a_wrong_line_says_what_and_what_instead(line: str, message: str) -> None:
    assert one(line) == [message]


@pytest.mark.parametrize(("text", "message"), WRONG_FILES, ids=[text for text, _ in WRONG_FILES])
def test_a_wrong_file_says_where(text: str, message: str) -> None:
    assert problems(text) == [message]


def test_a_tab_is_no_indentation() -> None:
    assert problems("use_case: x\n\tsegment: y")[0].startswith("a.yaml:2: not YAML: ")


def test_documents_are_compared_across_files() -> None:
    other = SEGMENT.replace("segment: metering", "segment: other")
    assert problems(SEGMENT, SEGMENT) == ["b.yaml:2: segment: segment 'metering' is there twice, first in a.yaml:2"]
    assert problems(SEGMENT, other) == [
        "b.yaml:3: apn: segment 'metering' has this APN already (a.yaml:3)",
        "b.yaml:4: pool: 10.64.0.0/12 overlaps the pool 10.64.0.0/12 of 'metering' (a.yaml:4)",
        "b.yaml:5: quarantine_pool: 10.127.0.0/16 overlaps the quarantine_pool 10.127.0.0/16 of 'metering' (a.yaml:5)",
    ]


def test_every_problem_of_every_file_comes_at_once() -> None:
    found = problems("use_case: a\nsegmnt: x\nbinding: nowhere\n---\nsegment: s", "use_case: [", "pool: p\ntacs: []")
    places = [problem.split(": ")[0] for problem in found]
    assert places == ["a.yaml:2", "a.yaml:3", "a.yaml:5", "b.yaml:1", "c.yaml:2"]


def test_aliases_cannot_blow_up() -> None:
    bomb = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else '1'}]" for n in range(12))
    assert len(problems(f"use_case: x\n{bomb}")) == 12


def test_what_is_not_enforced_yet_is_listed() -> None:
    listed = {f"{one.file}:{one.line} {one.where}" for one in not_enforced(read(WHOLE))}
    assert listed == {
        "a.yaml:21 classification", "a.yaml:22 jurisdiction",
    }  # fmt: skip
    assert all(one.warning and one.what.startswith("not enforced yet: ") for one in not_enforced(read(WHOLE)))


def test_a_service_may_have_a_budget_for_each_period() -> None:
    text = "use_case: a\nservices: {data: SAID}"
    for said in ("[1 MB/hour, 2 MB/day, 30 MB/month]", "[2 MB/day]", "2 MB/day"):
        assert read(text.replace("SAID", said)).warnings
    for said, what in (
        ("[2 MB/day, 3 MB/day]", "says twice how much a day"), ("[2 MB/day, none]", "'none'"),
        ("[]", "has 0 entries (from 1 to 4)"),
    ):  # fmt: skip
        with pytest.raises(ConfigurationError) as caught:
            read(text.replace("SAID", said))
        assert what in str(caught.value)


def test_what_asks_for_nothing_is_not_listed() -> None:
    text = "use_case: a\nsegment: metering\ntenant: default\nmobility: free\nservices: {data: unlimited}\n---" + SEGMENT
    assert not_enforced(read(text)) == []


def test_doubtful_things_are_warnings() -> None:
    warnings = [str(one) for one in read("use_case: a\nresponses: {unknown-subscription: lock}").warnings]
    assert warnings == [
        "a.yaml:1: warning: use_case: has no segment: any APN is permitted, no address given",
        "a.yaml:2: warning: responses.unknown-subscription: strangers have no use case "
        "(set gate.unknown_subscription in simward.toml)",
    ]


def test_what_is_judged_behind_the_gate_cuts_nobody() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read("use_case: a\nresponses: {cell-silent: refuse, gateway-silent/stopped: lock, default: lock}")
    said = str(caught.value)
    assert "a.yaml:2: responses.cell-silent: judged behind the gate: at most notify (cell-silent: notify)" in said
    assert "responses.gateway-silent/stopped" in said
    policy = read("use_case: a\nresponses: {cell-silent/cell: notify, default: lock}")
    assert not [one for one in policy.warnings if "responses" in one.where]


def test_a_folder_is_read_with_its_folders(tmp_path: Path) -> None:
    (tmp_path / "north").mkdir()
    (tmp_path / "north" / "a.yaml").write_text(WHOLE)
    (tmp_path / "empty.yml").write_text("# nothing\n---\n")
    (tmp_path / "notes.txt").write_text("use_case: [")
    assert list(load_policies(tmp_path).of("use_case")) == ["water-meter"]
    (tmp_path / "latin.yaml").write_bytes(b"# \xe9\n")
    with pytest.raises(ConfigurationError, match=r"latin\.yaml:1: cannot be read"):
        load_policies(tmp_path)
    with pytest.raises(ConfigurationError, match="no such folder"):
        load_policies(tmp_path / "nowhere")


@given(st.text(alphabet="abu_se:{}[]-&*!|>#'\"\n 0129,%?@<\t\x00é", max_size=80))
def test_whatever_a_file_holds_is_read_or_refused_in_words(text: str) -> None:
    try:
        read(text, f"use_case: a\n{text}")
    except ConfigurationError as error:
        assert all(problem.what for problem in error.problems)


@given(st.sampled_from([line for line in WHOLE.splitlines() if ":" in line]), st.data())
def test_any_slip_of_one_letter_is_read_or_refused_in_words(line: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(line) - 1))
    letter = data.draw(st.characters(codec="utf-8"))
    try:
        read(WHOLE.replace(line, line[:place] + letter + line[place + 1 :]))
    except ConfigurationError as error:
        assert all(problem.line >= 1 and problem.what for problem in error.problems)
