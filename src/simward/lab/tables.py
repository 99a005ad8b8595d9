"""The tables that the demo ends with: what happened, what Simward saw, what it did, how fast."""

from __future__ import annotations

import statistics
from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simward.lab import timeline
from simward.lab.report import Report, SceneReport

LAG_SHOWN_S = 1.0
EXPLAINED = ("sim-in-phone", "copied-device")
"""Attacks whose victims' stories are worth a look: one was locked, of the other a session was cut."""


def show(report: Report, console: Console) -> None:
    """Print everything."""
    console.print(_week_table(report))
    console.print(_attack_table(report))
    dropped = ", ".join(f"{count} {reason}" for reason, count in report.dropped.items())
    console.print(f"Forged packets dropped, as the gate counts them: {dropped or 'none'}")
    console.print(f"Decisions (Access-Request to answer, on the wire): {speed(report.tally.decision_ms)}")
    console.print(f"Accounting (acknowledged once durable): {speed(report.tally.accounting_ms)}")
    if report.lag_s > LAG_SHOWN_S:
        console.print(f"This machine is busy: some steps of the week were sent up to {report.lag_s:.1f} s late.")
    for problem in report.problems:
        console.print(f"[bold red]wrong:[/] {escape(problem)}", soft_wrap=True)
    console.print(_verdict(report), soft_wrap=True)
    _further(report, console)


def speed(milliseconds: list[float]) -> str:
    """Median and 99th percentile in words."""
    if not milliseconds:
        return "none measured"
    ordered = sorted(milliseconds)
    worst = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"median {statistics.median(ordered):.2f} ms, p99 {worst:.2f} ms over {len(ordered):,}"


def _table(title: str, headers: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", expand=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _week_table(report: Report) -> Table:
    week, tally = report.week, report.tally
    counters = [gateway.counters for gateway in report.network.gateways.values()]
    table = _table("The honest week", ("what happened", "what Simward saw and did"))
    refused = len(tally.refused)
    attached = week.count(timeline.ATTACH)
    given = f"{len(tally.addresses):,} addresses given, each kept, none twice" if tally.addresses else "no addresses"
    table.add_row(f"{attached:,} attachments", f"{attached - refused:,} accepted, {refused} refused; {given}")
    reports = f"{week.count(timeline.INTERIM):,} interim reports, {week.handovers:,} of them handovers"
    table.add_row(reports, "kept in the session's story")
    table.add_row(
        f"{len(week.updated)} devices with new software",
        f"{report.updates_seen} seen (device-change/software), observed",
    )
    table.add_row(f"{week.count(timeline.VANISH):,} sessions that ended without a Stop", "no alarm")
    restarts = [one for one in report.record.findings if one.detector == "gateway-restarted"]
    told = ", ".join(f"{one.name} at {one.gateway}" for one in restarts) or "nothing"
    table.add_row(f"{timeline.RESTARTED} restarts; its sessions move or come back", told)
    if report.record.squeezed:
        table.add_row(
            "a week's attachments within seconds",
            f"{report.record.squeezed} findings of how often something connects: true of the packets alone",
        )
    twice = sum(one.doubled for one in counters)
    repeated = sum(one.repeated for one in counters)
    table.add_row(
        f"{repeated:,} requests sent again, {twice:,} datagrams doubled, {week.twists(timeline.OVERTAKEN):,} overtaken",
        f"each counted once: {report.acknowledged:,} acknowledged, {report.journalled:,} in the journal",
    )
    return table


def _attack_table(report: Report) -> Table:
    table = _table("The attacks", ("", "what happened", "what Simward saw", "what it did", "in"))
    for one in report.scenes:
        mark = "[bold red]missed[/]" if one.misses else "[green]ok[/]"
        did = escape("; ".join(one.misses)) if one.misses else one.observed.script.did
        style = "red" if one.misses else ""
        table.add_row(mark, one.observed.script.title, _saw(one), did, _took(one), style=style)
    return table


def _saw(one: SceneReport) -> str:
    names = Counter(found.name + (f" (held: {found.held})" if found.held else "") for found in one.found)
    return "\n".join(names) or "nothing, as it should"


def _took(one: SceneReport) -> str:
    observed = one.observed
    if observed.disconnect_ms:
        return f"{observed.disconnect_ms:.1f} ms"
    if observed.script.acts[0].forged or not observed.milliseconds:
        return ""
    return f"{observed.milliseconds[0]:.1f} ms" if observed.script.findings else ""


def _verdict(report: Report) -> str:
    missed = sum(1 for one in report.scenes if one.misses)
    if report.passed:
        return (
            f"[bold green]All {len(report.scenes)} attacks were seen and answered as policy says, "
            f"and no honest session was refused.[/] Seed {report.seed}, {report.seconds:.0f} s in all."
        )
    wrong = f"{missed} of {len(report.scenes)} attacks missed, {len(report.problems)} other things wrong"
    return f"[bold red]{wrong}.[/] Seed {report.seed}: run it again with --seed {report.seed}."


def _further(report: Report, console: Console) -> None:
    """Commands to look further, about real subscriptions of this run."""
    command = f"simward --dir {report.directory}"
    by_name = {one.observed.script.name: one.observed for one in report.scenes}
    told = [by_name[name] for name in EXPLAINED if name in by_name]
    lines = ["\nLook further:", f"  {command} findings"]
    lines += [f"  {command} explain {one.imsi}    # {one.script.title}" for one in told]
    if report.tally.addresses:
        number, address = next(iter(report.tally.addresses.items()))
        lines.append(f"  {command} who {address} --at now    # {report.fleet.subscriptions[number].use_case}")
    lines.append(f"With a gate running there again ({command} serve):")
    locked = [one for one in told if any(wanted.response == "lock" for wanted in one.script.findings)]
    lines += [f"  {command} release {one.iccid} --because 'meter exchanged'" for one in locked[:1]]
    lines.append(f"  {command} lab play sim-in-twin")
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
