"""`explain` of a finding: its evidence, what weighs in it, and what people said of it."""

from __future__ import annotations

import re
from typing import Any

import click

from simward.commands.folder import Folder
from simward.commands.printing import json_line

FINDING = re.compile(r"\w+/\d+/\d+")
BEHAVIOUR = ("unusual-behaviour", "cohort-shift")
"""Detectors of which a person may say that what they find is benign."""


def is_finding(text: str) -> bool:
    """Is this the id of a finding?"""
    return FINDING.fullmatch(text) is not None


def explain_finding(folder: Folder, named: str, as_json: bool) -> bool:
    """Tell what is known of one; False where there is none of this id, which is said."""
    from simward.engine.chapters import finding_sentence

    finding, benign = _remote(folder, named) if folder.server is not None else _recorded(folder, named)
    if finding is None:
        click.echo(f"There is no finding {named}: see `{folder.called} findings`.", err=True)
        return False
    could = _could(finding, benign)
    if as_json:
        json_line({"finding": finding, "benign": benign, "could": could})
        return True
    whom = f"IMSI {finding['imsi']}" if finding["imsi"] else finding["about"] or finding["gateway"] or ""
    click.secho(f"Finding {named}: {whom}" if whom else f"Finding {named}", bold=True)
    click.echo(f"\n{finding['at'][:19].replace('T', ' ')}  {finding_sentence(finding)}")
    for one in benign:
        click.echo(f"{one['at'][:19].replace('T', ' ')}  {_said(one)}")
    click.echo("\nYou could:")
    for each in could:
        click.echo(f"  {each.replace('simward ', f'{folder.called} ', 1)}")
    return True


def _said(one: dict[str, Any]) -> str:
    """A verdict in words, whatever it came to."""
    said = f"{one['by']} said that {one['finding']} is"
    if one["until"] is None:
        return f"{said} not benign after all: {one['because']}"
    allowed = "more is allowed" if one["in_force"] else "more was allowed"
    return f"{said} benign, and {allowed} of {one['about']} until {one['until']}: {one['because']}"


def _could(finding: dict[str, Any], benign: list[dict[str, Any]]) -> list[str]:
    could = [f"simward explain {finding['imsi']}"] if finding["imsi"] else []
    if finding["detector"] in BEHAVIOUR and finding["about"] != _many():
        taken_back = any(one["in_force"] for one in benign)
        could.append(f"simward benign {finding['id']}{' --withdraw' if taken_back else ''} --because TEXT")
    if finding.get("channels") and finding["imsi"]:
        could.append(f"simward events --imsi {finding['imsi']} --since {finding['channels'][0]['since']}T00:00Z")
    return could or ["simward incidents"]


def _many() -> str:
    from simward.engine.words import MANY_OF_THE_FLEET

    return MANY_OF_THE_FLEET


def _recorded(folder: Folder, named: str) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The finding, and the newest verdict about its device or cohort, from the journals."""
    from simward.engine.benign import newest_of_each
    from simward.engine.journal import row_outputs
    from simward.engine.words import Findings, Lexicon

    with folder.reading_both() as journal:
        merged, lexicon = Findings(), Lexicon(journal.manifest)
        for row in journal.rows(journal.gate.rows_decided()):
            lexicon.take(row)
            for _ in merged.take(row_outputs(row, journal.layouts), lexicon):
                pass
        finding = next((one for one in merged if one["id"] == named), None)
        verdicts = newest_of_each(journal.verdicts()) if finding is not None else []
        return finding, [
            told for told in (one.told(lexicon, journal.newest_at) for one in verdicts) if _is_of(told, finding or {})
        ]


def _remote(folder: Folder, named: str) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    assert folder.server is not None
    finding = folder.server.finding(named)
    benign = finding.pop("benign") if finding is not None else None
    return finding, [benign] if benign is not None else []


def _is_of(benign: dict[str, Any], finding: dict[str, Any]) -> bool:
    """Is a verdict about what a finding is about?"""
    if benign["imsi"] is not None:
        return bool(benign["imsi"] == finding["imsi"])
    return finding["detector"] in BEHAVIOUR and benign["about"] == finding["about"]
