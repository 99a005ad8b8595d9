"""What history and journal say of the subscriptions of an incident, read for whoever tells its story."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from simward.engine.both_journals import BothJournals, findings_folder
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.story import Story, Subject, look_up, numbers_of, tell_story
from simward.history.whole import WholeJournal
from simward.response.incident_story import STORIES_MOST


def chapters_of(data_dir: Path, imsis: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The chapters of each, by IMSI; of none where they are too many to be told one by one. Raises JournalError."""
    if not imsis or len(imsis) > STORIES_MOST:
        return {}
    with closing(WholeJournal.open(data_dir)) as whole:
        with closing(SqliteJournal.open(findings_folder(data_dir), writer=False)) as found:
            return {imsi: _chapters(BothJournals(whole, found), imsi) for imsi in imsis}


def story_of(data_dir: Path, imsi: str) -> dict[str, Any] | None:
    """Its story in short, as `explain` tells it; None where the journals know nothing of it. Raises JournalError."""
    with closing(WholeJournal.open(data_dir)) as whole:
        with closing(SqliteJournal.open(findings_folder(data_dir), writer=False)) as found:
            story = _story(BothJournals(whole, found), imsi)
    if not story.known:
        return None
    told = story.told()
    return {name: told[name] for name in ("chapters", "now", "could")}


def past_of(data_dir: Path, imsi: str, since: int) -> dict[str, Any] | None:
    """The same with every chapter under `everything`; of history before `since` (us UTC) what explains the rest."""
    with closing(WholeJournal.open(data_dir)) as whole:
        with closing(SqliteJournal.open(findings_folder(data_dir), writer=False)) as found:
            story = _story(BothJournals(whole, found), imsi, since)
    if not story.known:
        return None
    return {**story.told(), "everything": story.told(everything=True)["chapters"]}


def _chapters(journal: BothJournals[WholeJournal], imsi: str) -> list[dict[str, Any]]:
    chapters: list[dict[str, Any]] = _story(journal, imsi).told(everything=True)["chapters"]
    return chapters


def _story(journal: BothJournals[WholeJournal], imsi: str, since: int = 0) -> Story:
    subject, whole = Subject.parse(imsi), journal.gate
    look_up(whole.revisions(), subject)
    about = whole.rows_about(numbers_of(imsi, whole.revisions()), since)
    return tell_story(journal, subject, journal.rows(about))
