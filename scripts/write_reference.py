#!/usr/bin/env python3
"""Write the pages of docs/reference that are made from code; `--check` only says which are not as the code has them."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from api_page import api_page
from webhook_page import webhook_page
from write_figures import measured_page, score_of

os.environ.setdefault("NUMBA_DISABLE_JIT", "1")  # nothing is compiled to be described

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
MADE = "<!-- Made from the code by `make docs`: change the code, not this page. -->\n"


def pages() -> dict[str, str]:
    """Path below docs/reference -> text, for every page that is made."""
    made = {"cli.md": cli_page(), "exit-codes.md": exit_codes_page(), "events.md": events_page()}
    made |= detector_pages()
    made |= {"policy-keys.md": policy_page(), "metrics.md": metrics_page(), "scenes.md": scenes_page()}
    made["attacks.md"] = attacks_page()
    made["log-events.md"] = log_events_page()
    made["policy.schema.json"] = json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"
    made["asyncapi.yaml"] = asyncapi_document()
    made |= {"api.md": MADE + api_page(), "measured.md": MADE + measured_page()}
    made["webhook-events.md"] = MADE + webhook_page()
    return made


# Detectors


def detector_pages() -> dict[str, str]:
    """One page a detector, from its docstring and metadata, and an index."""
    from simward.detectors import installed

    made = {f"detectors/{one.id}.md": detector_page(one) for one in installed()}
    rows = "".join(
        f"| [{one.id}]({one.id}.md) | {one.doc.splitlines()[0]} | {', '.join(f'`{name}`' for name in one.classes)} |\n"
        for one in installed()
    )
    made["detectors/README.md"] = (
        f"{MADE}# Detectors\n\nOne page each, made from the docstring of the file that does it. "
        "`simward detectors` lists the same.\n\n"
        f"| detector | what it says | classes |\n|---|---|---|\n{rows}"
    )
    return made


def scenes_page() -> str:
    """Every scene of the lab, from the docstring of its class."""
    from simward.lab import scenes

    def said(one: Any) -> str:
        return " ".join(one.doc.split("\n", 1)[1].split())

    def listed(some: Any, last: str, of: Any) -> str:
        rows = "".join(
            f"| `{one.id}` | {one.title}. {said(one)} | {of(one)} |\n" for one in some
        )
        return f"| scene | what happens | {last} |\n|---|---|---|\n{rows}"

    def codes(names: Any) -> str:
        return ", ".join(f"`{name}`" for name in names) or "-"

    attacks = listed(scenes.attacks(), "found as any of", lambda one: codes(one.catches))
    oddities = listed(scenes.oddities(), "may be told", lambda one: codes(one.informs))
    return (
        f"{MADE}# Scenes of the lab\n\nWhat `simward lab score --scene ID` plays, on victims of its own or on the "
        "whole fleet. "
        "A scene whose detectors are not installed is said to be so and fails nothing.\n\n"
        f"## Attacks\n\n{attacks}\n## Honest oddities\n\nNothing may be found about them that claims a theft or a move."
        f"\n\n{oddities}"
    )


def attacks_page() -> str:
    """Every attack that detectors are measured with, and what is honest, from the docstring of its class."""
    from simward.lab.traffic.attacks import installed

    def row(one: Any) -> str:
        said = " ".join(one.doc.split("\n", 1)[1].split()) if "\n" in one.doc else ""
        names = ", ".join(f"`{name}`" for name in one.expects) or "-"
        strengths = ", ".join(f"{strength:g}" for strength in one.strengths)
        whom = f"a whole {one.group}" if one.group else "one"
        paces = f" ({', '.join(one.paces)})" if one.paces != ("",) else ""
        return f"| `{one.id}` | {one.title}. {said} | {whom} | {strengths}{paces} | {names} |\n"

    every = installed().values()
    head = "| name | what happens | whom it befalls | strengths | who should say so |\n|---|---|---|---|---|\n"
    return (
        f"{MADE}# Attacks that detectors are measured with\n\nWhat `simward lab score` plays among the days of a "
        "made-up fleet ([how](../how-to/measure-detectors.md), "
        "[why so](../decisions/0049-detectors-measured-on-labelled-traffic.md)). "
        "A name that is no detector yet is awaited.\n\n## Attacks\n\n"
        f"{head}{''.join(row(one) for one in every if not one.honest)}\n## What honestly happens\n\n"
        f"{head}{''.join(row(one) for one in every if one.honest)}"
    )


def detector_page(one: Any) -> str:
    """The page of one detector."""
    from simward.detectors.detector import RESPONSE_NAMES, SEVERITY_NAMES

    first, rest = one.doc.strip().split("\n", 1)
    rows = "".join(
        f"| `{name}` | {SEVERITY_NAMES[one.detector.severity_of(name)]} | {one.detector.evidence_of(name)} "
        f"| {responses_of(one.detector, name)} |\n"
        for name in one.classes
    )
    text = (
        f"{MADE}# {one.id}\n\n{first}\n{rest.rstrip()}\n\n## Classes\n\n"
        f"| class | severity | evidence | response |\n|---|---|---|---|\n{rows}\n"
        f"Runs in the {one.detector.runs}; one memory a {one.detector.scope}."
    )
    if one.detector.default_response:
        text += f" Where policy names neither it nor a class: `{RESPONSE_NAMES[one.detector.default_response]}`."
    text += "\n"
    if one.knobs:
        knobs = "".join(f"| `{knob.path}` | {knob.doc} |\n" for knob in one.knobs)
        text += f"\n## What it reads from a use case\n\n| key | meaning |\n|---|---|\n{knobs}"
    return text + score_of(one.id)


def responses_of(detector: Any, name: str) -> str:
    """How policy may answer a class, in words."""
    from simward.detectors.detector import RESPONSE_NAMES

    if detector.runs == "watch":
        return "as policy says, at most `notify`"
    if detector.fixed_of(name):
        return f"always `{RESPONSE_NAMES[detector.fixed_of(name)]}`"
    if name in detector.response_paths:
        path, default = detector.response_paths[name]
        return f"as `{path}` says (`{RESPONSE_NAMES[default]}` unless said)"
    if name in detector.mild_classes:
        return "as policy says; more than `notify` only where the class itself is named"
    return "as policy says"


# Command line


def cli_page() -> str:
    """The help of every command, as the program prints it."""
    import click

    from simward.cli import cli

    text = f"{MADE}# Command line\n\n`simward --dir DIR COMMAND`; what each command prints for `--help`.\n"
    width = {"terminal_width": 100, "max_content_width": 100}
    root = click.Context(cli, info_name="simward", **{**cli.context_settings, **width})
    text += f"\n## simward\n\n```text\n{cli.get_help(root)}\n```\n"
    for name, command, context in commands(cli, root):
        text += f"\n## {name}\n\n```text\n{command.get_help(context)}\n```\n"
    return text


def commands(group: Any, context: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every command below a group, with the words that call it."""
    import click

    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, parent=context, info_name=name, terminal_width=100, max_content_width=100)
        words = inner.command_path.split()
        yield " ".join(word for word in words if not word.startswith(("[", "-"))), command, inner
        if isinstance(command, click.Group):
            yield from commands(command, inner)


# Errors and exit codes


def exit_codes_page() -> str:
    """The tree of errors, each with its exit code."""
    from simward import errors

    text = (
        f"{MADE}# Exit codes and errors\n\n| code | meaning |\n|---|---|\n"
        "| 0 | done |\n| 1 | the answer is no: findings, drift, a failed check |\n"
        "| 2 | wrong use or configuration |\n| 3 | could not: I/O, or a peer that did not do its part |\n\n"
        "Every error that Simward raises on purpose is one of these; anything else is a bug worth reporting.\n\n"
        "| error | exit code | meaning |\n|---|---|---|\n"
    )
    for depth, kind in error_tree(errors.SimwardError):
        doc = " ".join((inspect.getdoc(kind) or "").split())
        text += f"| {'&nbsp;&nbsp;' * depth}`{kind.__name__}` | {kind.exit_code} | {doc} |\n"
    return text


def error_tree(root: type[Any], depth: int = 0) -> Iterator[tuple[int, type[Any]]]:
    """The public errors below `root`, in the order in which errors.py has them."""
    yield depth, root
    for kind in root.__subclasses__():
        if kind.__module__ == root.__module__:
            yield from error_tree(kind, depth + 1)


# Events and outputs


def events_page() -> str:
    """The columns of events and outputs, with the comments that stand beside them in the source."""
    from simward.engine import events, outputs

    return (
        f"{MADE}# Events and outputs\n\nWhat the journal keeps, as NumPy structured arrays (little-endian). Identities "
        'are integers: "prefix-1 decimal" is the digits with a 1 in front, so that leading zeros and length survive. '
        "Times are microseconds since 1970-01-01 UTC. `simward events --json` and `simward findings --json` give them "
        "as text.\n\n"
        f"## Event\n\n{columns(events, 'EVENT')}\n### Kinds of event\n\n"
        + "".join(f"- {number}: `{name}`\n" for number, name in events.KIND_NAMES.items())
        + "\n## Output\n\nWhat the fold decided. The id of an output is `shard/sequence/index`.\n\n"
        + columns(outputs, "OUTPUT")
        + "\n### Kinds of output\n\n"
        + "".join(f"- {number}: `{name}`\n" for number, name in enumerate(outputs.KIND_NAMES) if name)
        + event_files()
    )


def event_files() -> str:
    """What files of events may hold, from the table that reads them."""
    from simward.inputs.event_columns import IGNORED, all_columns

    rows = "".join(f"| `{name}` | {column.form} |\n" for name, column in all_columns().items())
    passed_over = ", ".join(f"`{name}`" for name in IGNORED)
    return (
        "\n## Files of events\n\n"
        "What `simward replay FILE` reads: CSV with a header (`.csv`), one JSON object a line (`.jsonl`, `.ndjson`, "
        "`.json`) or Parquet (`.parquet`), with any of these columns. `kind` and a time are needed; what is missing or "
        "empty was not reported. The names are those of `simward events --json`, whose output can be replayed "
        f"({passed_over} is passed over). An unknown name is an error with the nearest right one, a wrong value one "
        "with its file, line and column.\n\n"
        "Identities are text, since as numbers they lose the zeros in front. Times are ISO 8601 (UTC where no offset "
        "is given), or seconds, milli- or microseconds since 1970; in Parquet also timestamps. Events should stand in "
        "the order of time: each 65,536 are put in order, and what comes later than that counts as come when it was "
        "read (`late` in the summary). Between events stands a tick a second, as the gate journals them.\n\n"
        f"| column | written as |\n|---|---|\n{rows}"
    )


def columns(module: ModuleType, name: str) -> str:
    """A table of the fields of a dtype, each with the comment that stands behind it in the source."""
    source = inspect.getsource(module)
    dtype = getattr(module, name)
    comments = dict(commented_fields(source, name))
    assert list(comments) == list(dtype.names), f"{name}: not every field is written out"
    rows = ""
    for field in dtype.names:
        kind = f"{dtype[field].base.str.lstrip('<|')}{list(dtype[field].shape) or ''}"
        meaning = comments[field].replace("|", "\\|")
        rows += f"| `{field}` | {kind} | {meaning} |\n"
    return f"| column | type | meaning |\n|---|---|---|\n{rows}"


def commented_fields(source: str, name: str) -> Iterator[tuple[str, str]]:
    """(field, comment behind it) of the list that makes the dtype `name`."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            assert isinstance(node.value, ast.Call) and isinstance(node.value.args[0], ast.List)
            for field in node.value.args[0].elts:
                assert isinstance(field, ast.Tuple) and isinstance(field.elts[0], ast.Constant)
                behind = lines[(field.end_lineno or 0) - 1][(field.end_col_offset or 0) :]
                yield str(field.elts[0].value), behind.partition("#")[2].strip()


# Policy


def policy_page() -> str:
    """Every key of every kind of document, with whether this version acts on it."""
    from simward.policy.later import unenforced_keys
    from simward.policy.schema import KINDS

    text = (
        f"{MADE}# Keys of policy files\n\nWhat they mean together stands in [policy](policy.md); the same as "
        "[JSON Schema](policy.schema.json) is what `simward schema` prints.\n"
    )
    for kind, shape in KINDS.items():
        text += f"\n## {kind}\n\n| key | meaning | value | |\n|---|---|---|---|\n"
        later = unenforced_keys(kind)
        for path, key in policy_keys(shape):
            notes = [
                *(["needed"] if key.needed else []),
                *([f"accepted, not enforced: {later[path]}"] if path in later else []),
            ]
            doc = key.doc.replace("|", "\\|")
            text += f"| `{path}` | {doc} | {value_of(key.shape)} | {'; '.join(notes)} |\n"
    return text + rules_part()


def rules_part() -> str:
    """What may trigger rules, what their conditions may name, and what becomes of their actions."""
    from simward.policy.conditions import CHARACTERS_MAX, FIELDS, LOOPS, NOW
    from simward.policy.rules import WHAT_HAPPENS
    from simward.registry.rules import STATES

    triggers = "".join(f"| `{name}` | {doc} |\n" for name, doc in WHAT_HAPPENS.items())
    variables = "".join(
        f"| `{group}.{name}` | {kind.lower()} |\n" for group, fields in FIELDS.items() for name, kind in fields.items()
    )
    states = "".join(f"| `{name}` | {doc[:1].upper()}{doc[1:]}. |\n" for name, doc in STATES.items())
    return (
        "\n## Triggers of rules\n\nA detector (`device-change`), a class of one (`device-change/other-model`), or:\n\n"
        f"| trigger | meaning |\n|---|---|\n{triggers}\n"
        "## Variables of conditions\n\nConditions are [CEL](https://cel.dev) and must be true or false. A group is "
        "known where every trigger of the rule has it: `finding` where findings trigger, `incident` where incidents "
        "do, and in an `unless` also where a finding has become part of one. What is not known is empty, 0 or false. "
        f"At most {CHARACTERS_MAX} characters, and one of {', '.join(f'`{one}`' for one in LOOPS)}.\n\n"
        f"| variable | type |\n|---|---|\n{variables}| `{NOW}` | timestamp |\n\n"
        f"## States of actions\n\n| state | meaning |\n|---|---|\n{states}"
    )


def policy_keys(shape: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted path, key) of everything below an object."""
    for name, key in shape.keys.items():
        path = f"{prefix}.{name}" if prefix else name
        yield path, key
        for inner in (key.shape, other_shape(key.shape)):
            if hasattr(inner, "keys"):
                yield from policy_keys(inner, path)
        if hasattr(getattr(key.shape, "item", None), "keys"):
            yield from policy_keys(key.shape.item, f"{path}[]")


def value_of(shape: Any) -> str:
    """What a value may be, in a few words: of a Words, Listed, Scalar or an object."""
    if hasattr(shape, "words"):
        words = ", ".join(f"`{word}`" for word in shape.words)
        other = other_shape(shape)
        return f"{words} or {value_of(other)}" if other is not None else words
    if hasattr(shape, "whole") and not hasattr(shape, "key"):
        return "object or nothing"
    if hasattr(shape, "item"):
        return f"list: {value_of(shape.item)}"
    if not hasattr(shape, "name"):
        return "object"
    words = ", ".join(f"`{word}`" for word in shape.schema.get("enum", ()))
    return words or shape.name + (" in quotes" if shape.quoted else "")


def other_shape(shape: Any) -> Any:
    """What a value may be besides a word: of a Words or a Worded; else None."""
    return getattr(shape, "otherwise", None) or getattr(shape, "whole", None)


def metrics_page() -> str:
    """What `/metrics` and `simward metrics` give, from the families of each process."""
    from simward.control import metrics as control
    from simward.gate import metrics as gate
    from simward.observing import processes, watch, whole

    def rows_of(families: Any) -> str:
        rows = "".join(
            f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels)} | {one.about} |\n"
            for one in families
        )
        return f"| name | type | labels | meaning |\n|---|---|---|---|\n{rows}"

    return (
        f"{MADE}# Metrics\n\n`GET /metrics` of the control process gives those of all processes, in the text form that "
        "Prometheus reads; so does `simward metrics`. [How to watch Simward](../how-to/watch-simward.md) says what to "
        "do with them. What cannot be known is not there: no old number passes for a new one. Counters begin at 0 with "
        f"their process.\n\n## All of it\n\n{rows_of(whole.FAMILIES)}\n"
        f"## The gate\n\n{rows_of(gate.FAMILIES)}\n"
        f"## The watch\n\nNot there while no watch is running.\n\n{rows_of(watch.FAMILIES)}\n"
        "## The processes\n\nBy the supervisor of each; not there for a process that runs alone. The last three only "
        f"where there is `/proc`.\n\n{rows_of(processes.FAMILIES)}\n"
        "## The control process\n\nOf the registry (outbox, incidents, held actions, commands) at most two seconds "
        f"old, and not there while it cannot be read.\n\n{rows_of(control.FAMILIES)}\n"
        f"## What becomes of a packet\n\nThe values of `reason` in `{gate.PREFIX}packets_total`.\n\n"
        f"| reason | | meaning |\n|---|---|---|\n{packet_outcomes()}"
    )


LOGGED = ("debug", "info", "warning", "error", "critical", "exception")


def log_calls() -> Iterator[tuple[str, str, str, str, list[str]]]:
    """(module, level, words, event, facts) of every call that writes to the log, the lab's left out."""
    source = REFERENCE.parents[1] / "src" / "simward"
    for path in sorted(source.rglob("*.py")):
        name = path.relative_to(source).as_posix()
        if name.startswith("lab/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOGGED:
                if ast.unparse(node.func.value) in ("log", "logging"):
                    yield name, node.func.attr, *_said(name, node)


def _said(module: str, call: ast.Call) -> tuple[str, str, list[str]]:
    """The words, the event and the names of its facts."""
    extra = next((one.value for one in call.keywords if one.arg == "extra"), None)
    named = isinstance(extra, ast.Call) and ast.unparse(extra.func) == "called"
    words = ast.literal_eval(call.args[0])
    assert named, f'{module}:{call.lineno}: give it a name: log...("...", extra=called("what-happened"))'
    assert isinstance(extra, ast.Call)
    return words, ast.literal_eval(extra.args[0]), [one.arg or "" for one in extra.keywords]


def log_events_page() -> str:
    """Every line that can stand in the log, by the stable name of what happened."""
    rows: dict[str, str] = {}
    for module, level, words, event, facts in log_calls():
        process = module.split("/")[0]
        process = "watch" if process == "fitting" else process
        process = process if process in ("gate", "watch", "control", "supervisor") else "control"
        level = "error" if level == "exception" else level
        named = ", ".join(f"`{one}`" for one in facts)
        row = f"| `{event}` | {process} | {level} | {named} | {words.replace('|', '/')} |\n"
        assert rows.setdefault(event, row) == row , f"two are {event}"
    return f"{MADE}{LOG_EVENTS}" + "".join(rows[one] for one in sorted(rows))


LOG_EVENTS = """# Log events

What stands in the log, by the name of what happened. Names and facts are stable; words may change. With
`[log] format = "json"` ([settings](settings.md)) a line is an object: `at` (UTC), `level`, `process`, `event`,
`message`, the facts of the event, `correlator` (the `x-correlator` of the request that it is about), and `trace` where
something broke. `event` is null for what libraries say; such a line has `logger`.

No line holds a secret, or what the other side of a RADIUS conversation sent. Lines about commands hold ids, and who
asked; not which subscription.

| event | process | level | facts | words |
|---|---|---|---|---|
"""


def packet_outcomes() -> str:
    """One row an outcome, with the comment that stands beside it in the source."""
    from simward.wire.radius import outcomes

    comments = re.findall(r"^([A-Z_]+) = (\d+)  # (.*)$", inspect.getsource(outcomes), re.MULTILINE)
    assert [int(number) for _, number, _ in comments] == list(range(len(outcomes.OUTCOMES)))
    return "".join(
        f"| `{outcomes.OUTCOMES[int(number)]}` | {'dropped' if int(number) >= outcomes.FIRST_DROPPED else 'taken'} "
        f"| {comment} |\n"
        for _, number, comment in comments
    )


def policy_schema() -> Any:
    """The JSON Schema of policy files, as `simward schema` prints it."""
    from click.testing import CliRunner

    from simward.cli import cli

    result = CliRunner().invoke(cli, ["schema"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


# Announcements


def asyncapi_document() -> str:
    """What webhooks say, as AsyncAPI 3: one message a type, with the schema of its data."""
    import yaml

    from simward import __version__
    from simward.response.announcing import TYPES
    from simward.response.schemas import SCHEMAS, cloudevent_of

    messages = {
        name: {
            "name": name, "title": doc.rstrip("."), "summary": doc,
            "contentType": "application/cloudevents+json; charset=utf-8",
            "headers": {"$ref": "#/components/schemas/WebhookHeaders"},
            "payload": {"$ref": f"#/components/schemas/{name}.event"},
        }
        for name, doc in TYPES.items()
    }  # fmt: skip
    headers = {
        "type": "object", "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
        "properties": {
            "webhook-id": {"type": "string", "description": "The event's id: the key to take each once."},
            "webhook-timestamp": {"type": "string", "description": "Seconds UTC of this attempt."},
            "webhook-signature": {
                "type": "string", "description": "v1,BASE64 of HMAC-SHA256; two while a secret is exchanged.",
            },
        },
    }  # fmt: skip
    schemas = {name: SCHEMAS[name] for name in TYPES} | {f"{name}.event": cloudevent_of(name) for name in TYPES}
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Simward webhooks", "version": __version__, "license": {"name": "Apache-2.0"},
            "description": "What Simward tells other systems: CloudEvents 1.0 over HTTP (structured mode unless the "
            "endpoint says binary), signed by Standard Webhooks, at least once and in order by subject. In binary mode "
            "the payload is `data` alone and every other attribute a ce- header.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            "endpoint": {
                "address": None, "description": "The url of an [[endpoint]] of the settings.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in TYPES},
            }
        },
        "operations": {
            "tell": {
                "action": "send", "channel": {"$ref": "#/channels/endpoint"},
                "summary": "POST to every endpoint whose `events` take the type; 2xx acknowledges.",
                "bindings": {"http": {"method": "POST"}},
            }
        },
        "components": {"messages": messages, "schemas": {"WebhookHeaders": headers, **schemas}},
    }  # fmt: skip

    class Plain(yaml.SafeDumper):
        """Without anchors: each schema stands where it is used."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    text = yaml.dump(document, Dumper=Plain, sort_keys=False, allow_unicode=True, width=120)
    return f"# Made from the code by `make docs`: change the code, not this file.\n{text}"


def main() -> int:
    """Write what differs, remove what is made no more; with --check, only say so."""
    check = "--check" in sys.argv[1:]
    made = pages()
    stale = [
        path
        for path in sorted(REFERENCE.rglob("*.md"))
        if path.relative_to(REFERENCE).as_posix() not in made and path.read_text(encoding="utf-8").startswith(MADE)
    ]
    wrong = [name for name, text in made.items() if not same(REFERENCE / name, text)]
    for name in () if check else wrong:
        path = REFERENCE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[name], encoding="utf-8")
    for path in () if check else stale:
        path.unlink()
    for name in [*wrong, *(path.relative_to(REFERENCE).as_posix() for path in stale)]:
        print(f"docs/reference/{name}: {'not as the code has it; run make docs' if check else 'written'}")
    return 1 if check and (wrong or stale) else 0


def same(path: Path, text: str) -> bool:
    """Does the file hold this text?"""
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
