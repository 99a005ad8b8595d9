"""The page of a backtest: one HTML file with its charts, a table beside each, no script and nothing from elsewhere.

Names come from policy files and networks: all text is escaped, and the page forbids itself to load or run anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from html import escape
from typing import Any

from simward.backtest.charts import Bar, bars

RESPONSES = ("quarantine", "refuse", "lock")
DAYS_MOST = 400
STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1b1d21; --soft: #5c636e; --line: #d5d9df; --panel: #f5f6f8;
  --quarantine: #c99700; --refuse: #d9641a; --lock: #a3231d; --mark: #1b1d21; }
@media (prefers-color-scheme: dark) { :root { --ground: #14161a; --text: #e8eaee; --soft: #a3abb8; --line: #383d46;
  --panel: #1d2026; --quarantine: #e0b32e; --refuse: #ee8747; --lock: #e5605a; --mark: #f4f5f7; } }
body { margin: 0 auto; padding: 1.5rem; max-width: 76rem; background: var(--ground); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin-bottom: 0.3rem; }
.wide { overflow-x: auto; } .beside { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
.beside > * { flex: 1 1 24rem; min-width: 0; } .beside .table { max-height: 19rem; overflow: auto; }
table { border-collapse: collapse; font-size: 0.875rem; } caption { text-align: left; color: var(--soft); }
th, td { padding: 0.2rem 0.7rem 0.2rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; } thead th { color: var(--soft); }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; padding: 0; margin: 1rem 0; }
.figures div { background: var(--panel); padding: 0.8rem 1.2rem; border-radius: 0.4rem; flex: 1 1 10rem; }
.figures dt { color: var(--soft); font-size: 0.875rem; } .figures dd { margin: 0; font-size: 1.6rem; font-weight: 600; }
.bars text.label { font-size: 11px; fill: var(--soft); } .bars .grid { stroke: var(--line); }
.bars .mark { stroke: var(--mark); stroke-width: 2; } .note { color: var(--soft); }
.bars .quarantine, .key .quarantine { fill: var(--quarantine); } .bars .refuse, .key .refuse { fill: var(--refuse); }
.bars .lock, .key .lock { fill: var(--lock); } .key .mark { stroke: var(--mark); stroke-width: 2; }
.key span { margin-right: 1.2rem; white-space: nowrap; }
"""


def page(said: dict[str, Any], people: list[dict[str, Any]], policies: str) -> str:
    """The whole page, of a summary and some subscriptions (report.summary, report.subscriptions)."""
    span = f"{said['since'][:16]}Z to {said['until'][:16]}Z"
    title = f"Backtest of {policies}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{said['subscriptions']:,} subscriptions, {said['events']:,} events, {escape(span)}.</p>",
        _figures(said), *_by_use_case(said), *_limits(said), *_open_loop(said), *_judgements(said),
        *_people(said, people), *_findings(said), *_proposed_rules(said), *_rules(said),
    ]  # fmt: skip
    return "\n".join([
        "<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8"/>',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        '<meta name="color-scheme" content="light dark"/>', f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>", "</head>", "<body>", "<main>", *body, "</main>", "</body>", "</html>", "",
    ])  # fmt: skip


def table(caption: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; numbers stand to the right."""
    lines = [
        "<table>", f"<caption>{escape(caption)}</caption>",
        "<thead><tr>" + "".join(f'<th scope="col">{escape(one)}</th>' for one in headers) + "</tr></thead>", "<tbody>",
    ]  # fmt: skip
    for row in rows:
        lines.append("<tr>" + "".join(_cell(one) for one in row) + "</tr>")
    return "\n".join([*lines, "</tbody>", "</table>"])


def _cell(value: Any) -> str:
    if isinstance(value, int):
        return f'<td class="number">{value:,}</td>'
    return f"<td>{escape('' if value is None else str(value))}</td>"


def _figures(said: dict[str, Any]) -> str:
    cuts = said["cuts"]
    figures = (
        ("would have been cut", cuts["would_be"]), ("of these new", cuts["would_be_new"]),
        ("subscriptions with a new cut", cuts["subscriptions_new"]), ("really cut", cuts["were"]),
        ("of these would not have been", cuts["were_and_would_not_be"]),
    )  # fmt: skip
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{value:,}</dd></div>" for name, value in figures)
    return f'<dl class="figures">{cells}</dl>'


def _by_use_case(said: dict[str, Any]) -> Iterable[str]:
    yield "<h2>Cuts by day</h2>"
    if not said["by_day"]:
        yield "<p>Nobody would have been cut, and nobody was.</p>"
        return
    swatch = '<svg width="12" height="12" aria-hidden="true"><rect class="{0}" width="12" height="12"/></svg> {0}'
    keys = "".join(f"<span>{swatch.format(one)}</span>" for one in RESPONSES)
    line = '<svg width="14" height="12" aria-hidden="true"><line class="mark" x1="0" x2="14" y1="6" y2="6"/></svg>'
    yield f'<p class="key">{keys}<span>{line} what really was cut that day</span></p>'
    days = _days(said)
    for number, name in enumerate(sorted({one["use_case"] or "" for one in said["by_day"]})):
        yield from _use_case(number, name, [one for one in said["by_day"] if (one["use_case"] or "") == name], days)


def _days(said: dict[str, Any]) -> list[str]:
    """Every day from the first to the last, whether something happened or not; of very many the newest."""
    first, last = date.fromisoformat(said["since"][:10]), date.fromisoformat(said["until"][:10])
    count = (last - first).days + 1
    return [(first + timedelta(days=number)).isoformat() for number in range(max(0, count - DAYS_MOST), count)]


def _use_case(number: int, name: str, rows: list[dict[str, Any]], days: list[str]) -> Iterable[str]:
    shown = name or "(no use case)"
    counts: dict[str, dict[str, int]] = {day: dict.fromkeys(RESPONSES, 0) for day in days}
    really = dict.fromkeys(days, 0)
    for one in rows:
        if one["day"] in counts:
            counts[one["day"]][one["response"]] += one["would_be"]
            really[one["day"]] += one["were"]
    total = sum(one["would_be"] for one in rows)
    chart = bars(
        f"Cuts of {shown} by day", f"{total:,} cuts would have begun; the table beside says when and why.", RESPONSES,
        [Bar(day, counts[day], really[day]) for day in days], f"chart-{number}",
    )  # fmt: skip
    headers = ("day", "response", "because", "would be", "of these new", "were", "of these would not be")
    cells = [
        (one["day"], one["response"], one["because"], one["would_be"], one["would_be_new"], one["were"],
         one["were_and_would_not_be"])
        for one in rows
    ]  # fmt: skip
    yield f"<h3>{escape(shown)}</h3>"
    yield f'<div class="beside"><div class="wide">{chart}</div>'
    yield f'<div class="table">{table(f"The same as numbers: {shown}", headers, cells)}</div></div>'


def _limits(said: dict[str, Any]) -> Iterable[str]:
    yield "<h2>Limits</h2>"
    if not said["limits"]:
        yield "<p>No limit of the proposed policies was touched.</p>"
        return
    rows = []
    for one in said["limits"]:
        held = "; ".join(f"{name} {of['times']:,} times since {of['first'][:16]}Z" for name, of in one["held"].items())
        share = f"{one['share_of_fleet']:.4%}" if one["share_of_fleet"] is not None else None
        hour = f"{one['fullest_hour'][:16]}Z" if one["fullest_hour"] else None
        near = (share, hour, one["cuts_in_it"], held or "nothing")
        rows.append((one["use_case"], one["action"], one["per_hour"], *near))
    headers = ("use case", "action", "an hour", "share of members", "fullest hour", "cuts in it", "would have held")
    yield f'<div class="wide">{table("What limits would have held", headers, rows)}</div>'


def _open_loop(said: dict[str, Any]) -> Iterable[str]:
    after = said["open_loop"]
    yield "<h2>Open loop</h2>"
    yield (
        '<p class="note">Recorded traffic is judged as it came. While they would have been cut, and were not, '
        f"{after['subscriptions']:,} subscriptions asked {after['requests']:,} times, began {after['sessions']:,} "
        f"sessions and moved at least {after['uplink_octets']:,} octets up and {after['downlink_octets']:,} down; "
        f"{after['findings']:,} findings are about such traffic.</p>"
    )


def _judgements(said: dict[str, Any]) -> Iterable[str]:
    judged = said["judgements"]
    yield "<h2>Judged by people</h2>"
    if not judged["total"]:
        yield "<p>No judgements yet: nobody said which findings were false.</p>"
        return
    rows = [
        (one["use_case"], one["false-positive"], one["benign"], one["true-positive"]) for one in judged["by_use_case"]
    ]
    headers = ("use case", "false", "benign", "true")
    yield table(f"Cuts whose recorded finding was judged ({judged['total']:,} judgements)", headers, rows)


def _people(said: dict[str, Any], people: list[dict[str, Any]]) -> Iterable[str]:
    yield "<h2>Who</h2>"
    if not people:
        yield "<p>Nobody would have been cut.</p>"
        return
    rows = [
        (f"{one['at'][:19]}Z", one["imsi"], one["use_case"], one["response"], one["because"], one["cuts"], one["new"],
         one["were"], one["open_loop"]["sessions"], one["judged"])
        for one in people
    ]  # fmt: skip
    headers = (
        "first cut", "IMSI", "use case", "response", "because", "cuts", "new", "really", "sessions after", "judged",
    )  # fmt: skip
    shown = f"The first {len(people):,} of {said['cuts']['subscriptions']:,} subscriptions, those with new cuts first"
    yield f'<div class="wide">{table(shown, headers, rows)}</div>'


def _findings(said: dict[str, Any]) -> Iterable[str]:
    yield "<h2>Findings</h2>"
    rows = [(one["use_case"], one["finding"], one["would_be"], one["were"]) for one in said["findings"]]
    yield table("What would have been found, and what was", ("use case", "finding", "would be", "were"), rows)


def _proposed_rules(said: dict[str, Any]) -> Iterable[str]:
    if not said["proposed_rules"]:
        return
    yield "<h2>Proposed rules</h2>"
    keys = ("rule", "action", "mode", "state", "times", "subscriptions", "busiest_day")
    rows = [tuple(one[key] for key in keys) for one in said["proposed_rules"]]
    headers = ("rule", "action", "mode", "would be", "times", "subscriptions", "on the busiest day")
    yield table("What the proposed rules would do", headers, rows)


def _rules(said: dict[str, Any]) -> Iterable[str]:
    if not said["rules"]:
        return
    yield "<h2>Rules</h2>"
    rows = [
        (one["rule"], one["action"], "dry run" if one["dry_run"] else "live", one["times"], one["subscriptions"])
        for one in said["rules"]
    ]
    yield table("What rules would have done", ("rule", "action", "mode", "times", "subscriptions"), rows)
