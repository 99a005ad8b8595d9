"""Every Disconnect of a live session names it by its whole Acct-Session-Id, up to the 253 octets of RFC 2866 5.5."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

from story import IMSI, PHONE, POLICY, Story

from simward.engine import events as ev
from simward.engine import outputs as o
from simward.engine.snapshot import newest_snapshot
from simward.engine.start import from_snapshot, save
from simward.engine.tables import DECLARED, InventoryDelta
from simward.gate.disconnects import is_part, session_of

UUID = "550e8400-e29b-41d4-a716-446655440000"
LENGTHS = [24, 25, 36, 40, 43, 47, 48, 49, 64, 70, 71, 128, 253]
HASH = bytes(range(200, 208))


def id_of(octets: int, salt: str = "") -> bytes:
    """An id of that many octets, no hexadecimal one."""
    return f"{salt}{UUID * 8}-x"[-octets:].encode()


def begins(story: Story, name: bytes, kind: int = ev.ACCOUNTING_START, known: bool = True, **more: Any) -> Story:
    """An accounting record as it comes from the receiver; `known`: with the whole id beside it."""
    if len(name) <= ev.SESSION_ID_OCTETS:
        return story.tell(kind, session=name.decode(), **more)
    part = name[:40] + HASH[::-1] if more.pop("other", False) else name[:40] + HASH
    story.fold.state.texts.whole_ids.load([(part[40:], name)] if known else [])
    octets = np.frombuffer(part, np.uint8)
    more |= {"session_id": octets, "session_id_octets": 48, "flags": ev.FLAG_SESSION_ID_CUT}
    story.tell(kind, **more)
    story.fold.state.texts.whole_ids.load([])  # another batch comes
    return story


def sent_id(story: Story, effect: np.ndarray) -> bytes:
    """The Acct-Session-Id of the request that this effect becomes; empty where it has none."""
    session = session_of(effect, story.fold, story.fold.whole_id(effect) if is_part(effect) else b"")
    return b"" if session.cut else session.session_id


def restarted(story: Story, folder: Path) -> None:
    save(story.fold, folder)
    snapshot = newest_snapshot(folder / "snapshots")
    assert snapshot is not None
    digest, story.fold = story.fold.state.digest(), from_snapshot(snapshot)
    assert story.fold.state.digest() == digest


@pytest.mark.parametrize("octets", LENGTHS)
def test_a_lock_names_the_session_whole(octets: int) -> None:
    name = id_of(octets)
    story = begins(Story().attaches(), name)
    story.says(ev.COMMAND_LOCK)
    assert sent_id(story, story.disconnects[-1]) == name


@pytest.mark.parametrize("octets", LENGTHS)
def test_policy_names_the_session_whole_by_another_event(octets: int) -> None:
    policy = POLICY.replace("binding:", "responses: {device-change: lock}\nbinding:")
    name = id_of(octets)
    story = begins(Story(policy).attaches(), name).attaches(device=PHONE)
    assert story.refused and sent_id(story, story.disconnects[-1]) == name


@pytest.mark.parametrize("octets", LENGTHS)
def test_after_a_restart_it_is_named_whole(octets: int, tmp_path: Path) -> None:
    name = id_of(octets)
    story = begins(Story().attaches(), name)
    restarted(story, tmp_path / "before")
    story.says(ev.COMMAND_DISCONNECT)
    restarted(story, tmp_path / "after")
    (effect,) = story.fold.pending_effects()
    assert sent_id(story, effect) == name
    assert np.array_equal(effect["session_id"], story.disconnects[-1]["session_id"])


@pytest.mark.parametrize("octets", LENGTHS)
def test_removal_names_it_whole_and_after_a_restart_again(octets: int, tmp_path: Path) -> None:
    name = id_of(octets)
    story = begins(Story().attaches(), name)
    outputs = np.array(story.fold.inventory(InventoryDelta(np.zeros(0, DECLARED), np.array([IMSI]), []), story.now))
    (cut,) = outputs[outputs["kind"] == o.DISCONNECT]
    assert sent_id(story, cut) == name
    assert not story.fold.state.long_ids["owner"].any(), "the session's own room is free"
    restarted(story, tmp_path)
    (effect,) = story.fold.pending_effects()
    assert sent_id(story, effect) == name


@pytest.mark.parametrize("octets", [36, 48, 49, 253])
def test_a_change_of_the_filter_names_it_whole(octets: int) -> None:
    policy = POLICY.replace("binding:", "responses: {network-not-permitted: quarantine}\nbinding:")
    policy += "filter_id: normal\nquarantine_filter_id: confined\n"
    name = id_of(octets)
    story = begins(Story(policy).attaches(), name)
    begins(story, name, ev.ACCOUNTING_INTERIM, plmn=199999)
    (change,) = story.of(o.CHANGE)
    assert sent_id(story, change) == name


def test_an_id_that_was_heard_in_part_is_counted_and_made_whole_by_the_next_record() -> None:
    name = id_of(100)
    story = begins(Story().attaches(), name, known=False)
    assert int(story.fold.state.meta["ids_not_kept"][0]) == 1
    story.says(ev.COMMAND_DISCONNECT)
    assert sent_id(story, story.disconnects[-1]) == b"", "rather none than a part"
    story.fold_in(story.fold.effect_result(story.disconnects[-1], ev.EFFECT_SILENCE, 0, story.now))
    begins(story, name, ev.ACCOUNTING_INTERIM, duration_s=60)
    story.says(ev.COMMAND_DISCONNECT)
    assert sent_id(story, story.disconnects[-1]) == name


def test_a_session_of_an_earlier_version_is_found_and_named_in_part() -> None:
    """Its row has more of the hash in the place where the blocks are told now."""
    story = begins(Story().attaches(), UUID.encode())
    state = story.fold.state
    at = int(story.row().session_head)
    state.long_ids[:] = 0
    state.sessions["id_words"][at, 2] |= 0x12345678
    story.says(ev.COMMAND_DISCONNECT)
    assert sent_id(story, story.disconnects[-1]) == b""
    begins(story, UUID.encode(), ev.ACCOUNTING_STOP)
    assert int(story.row().session_count) == 0


def test_room_is_used_again_and_every_session_keeps_its_own() -> None:
    rng, story = random.Random(7), Story(members=6)
    live: dict[tuple[int, int], bytes] = {}
    for turn in range(400):
        member, number = rng.randrange(6), rng.randrange(4)
        name = id_of(rng.choice((30, 48, 60, 253)), f"{member}{number}{turn}")
        name = f"{member}{number}{turn:04d}".encode() + name[6:]
        if (member, number) in live:
            begins(story, live.pop((member, number)), ev.ACCOUNTING_STOP, member=member)
        else:
            live[member, number] = name
            begins(story, name, member=member, device=0)
    state = story.fold.state
    used = state.long_ids[: int(state.meta["long_ids"][0])]
    blocks = sum(-(-(len(one) + 8 * (len(one) > 48) - 16) // 27) for one in live.values())
    assert np.count_nonzero(used["owner"]) == blocks
    for member in range(6):
        story.says(ev.COMMAND_DISCONNECT, member=member)
        sent = {sent_id(story, one) for one in story.disconnects if int(one["imsi"]) == IMSI + member}
        assert sent == {name for (owner, _), name in live.items() if owner == member}


def test_short_and_hexadecimal_ids_take_no_room() -> None:
    story = Story().attaches().starts("short").starts("7F00000100000001" * 2 + "ABCDEF01").starts("a" * 48)
    assert int(story.row().session_count) == 3 and int(story.fold.state.meta["long_ids"][0]) == 0
