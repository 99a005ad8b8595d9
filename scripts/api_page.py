"""The page about the HTTP API, from the OpenAPI description of the control plane as `simward serve` assembles it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

METHODS = ("get", "head", "post", "put", "patch", "delete")
WHO = {"owner": "the owner's unix socket alone", "known": "whoever is known", "anybody": "anybody, without a token"}
REPEATED = "Idempotency-Key"
NO_BOUND = 2**53
"""A bound past this only says that integers end somewhere."""


def api_page() -> str:
    """Every route with who may use it, what it takes and what it answers, by subject; then the shapes of JSON."""
    document = description()
    schemas = document["components"]["schemas"]
    names = shape_names(schemas)
    subjects: dict[str, str] = {}
    for path, routes in document["paths"].items():
        for method in METHODS:
            if method in routes:
                subject = str((routes[method].get("tags") or ["other"])[0])
                subjects[subject] = subjects.get(subject, "") + route(method, path, routes[method], names)
    return (
        "# API\n\nEvery route of the control process, from its OpenAPI description (`GET /v1/openapi.json`). What "
        "holds for all of them (tokens, [permissions](http.md#permissions), pages, errors) stands in "
        f"[HTTP](http.md).\n\nWhere `{REPEATED}` is taken, the same request sent again with the same key is done once. "
        "Besides the answers named here every route may answer with a [problem](#problem-shape).\n"
        + "".join(f"\n## {subject[:1].upper()}{subject[1:]}\n{subjects[subject]}" for subject in sorted(subjects))
        + "\n## Shapes\n\nWhat bodies and answers are made of.\n"
        + "".join(shape(names[key], schemas[key], names) for key in sorted(schemas, key=lambda key: names[key].lower()))
    )


def description() -> Any:
    """The OpenAPI document of a whole control plane, over a folder as `simward init` makes it."""
    from simward.control.assembling import assemble
    from simward.settings import Settings, write_initial

    with tempfile.TemporaryDirectory() as folder:
        write_initial(Path(folder))
        return assemble(Settings.load(Path(folder))).app.openapi()


def route(method: str, path: str, one: Any, names: dict[str, str]) -> str:
    """One route."""
    text = f"\n### `{method.upper()} {path}`\n\n{prose(one)}"
    who = " or ".join(WHO.get(name, f"`{name}`") for name in one.get("x-permissions", ()))
    if who:
        needs = "For" if set(one["x-permissions"]) & set(WHO) else "Needs"
        every = ", and to see all tenants" if one.get("x-all-tenants") else ""
        text += f"{needs} {who}{every}.\n\n"
    parameters = [parameter for parameter in one.get("parameters", ()) if parameter["name"] != REPEATED]
    if len(parameters) < len(one.get("parameters", ())):
        text += f"Takes `{REPEATED}`.\n\n"
    if parameters:
        text += table(("parameter", "in", "value", "meaning"), (parameter_row(each, names) for each in parameters))
    if body := one.get("requestBody"):
        text += f"Body{'' if body.get('required') else ' (optional)'}: {content(body, names)}.\n\n"
    for status, answer in one["responses"].items():
        if status != "default":
            said = answer.get("description", "").strip().rstrip(".")
            about = f" ({said[:1].lower()}{said[1:]})" if said and said != "Successful Response" else ""
            text += f"- {status}{about}: {content(answer, names)}\n"
    return text


def parameter_row(one: Any, names: dict[str, str]) -> tuple[str, ...]:
    """A parameter's row."""
    schema = one["schema"]
    if "anyOf" in schema:  # null stands for: not given
        schema = {**schema, "anyOf": [each for each in schema["anyOf"] if each.get("type") != "null"]}
    optional = "" if one.get("required") else "optional; "
    return f"`{one['name']}`", one["in"], optional + value(schema, names), meaning(one, schema)


def content(one: Any, names: dict[str, str]) -> str:
    """What a body or an answer is, by media type."""
    kinds = one.get("content", {})
    said = [
        value(kind.get("schema", {}), names) + ("" if media == "application/json" else f" as `{media}`")
        for media, kind in kinds.items()
    ]
    return ", or ".join(said) or "nothing"


def shape(name: str, schema: Any, names: dict[str, str]) -> str:
    """One shape: its keys, or what it is."""
    text = f"\n### {name} (shape)\n\n{prose(schema)}"
    if "properties" not in schema:
        return f"{text}{value(schema, names)}\n"
    needed = schema.get("required", ())
    rows = (
        (f"`{key}`", ("" if key in needed else "optional; ") + value(each, names), meaning(each))
        for key, each in schema["properties"].items()
    )
    return text + table(("key", "value", "meaning"), rows).removesuffix("\n")


def shape_names(schemas: Any) -> dict[str, str]:
    """How each is called here: by its own name, with its module where several have one."""
    return {
        key: f"{key.rpartition('__')[2]} of {key.split('__')[-2].replace('_', ' ')}" if "__" in key else key
        for key in schemas
    }


def value(schema: Any, names: dict[str, str]) -> str:
    """What a value may be, in a few words."""
    if "$ref" in schema:
        name = names[schema["$ref"].rpartition("/")[2]]
        return f"[{name}](#{name.lower().replace(' ', '-')}-shape)"
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(value(one, names) for one in schema[several]))
    if "const" in schema or "enum" in schema:
        words = schema.get("enum", [schema.get("const")])
        return ", ".join(f"`{one}`" for one in words if one is not None) + (" or null" if None in words else "")
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join("null" if one == "null" else value({**schema, "type": one}, names) for one in kind)
    if kind == "array":
        return ", ".join([f"list of {value(schema.get('items', {}), names)}", *bounds(schema, "Items", "of them")])
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {value(schema['additionalProperties'], names)}"
    words = [schema.get("format") or kind, *bounds(schema, "Length", "characters"), *bounds(schema)]
    if pattern := schema.get("pattern"):
        words.append(f"`` {pattern} ``" if "`" in pattern else f"`{pattern}`")
    if schema.get("default") not in (None, ""):
        words.append(f"`{json.dumps(schema['default'])}` unless given")
    return ", ".join(words)


def bounds(schema: Any, what: str = "imum", unit: str = "") -> Iterator[str]:
    """Least and most: of a number, of a text's length, of a list's."""
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    if what == "imum":
        least, most = schema.get("minimum"), schema.get("maximum")
        below = schema.get("exclusiveMaximum")
        if below is not None and below < NO_BOUND:
            yield f"below {below:g}"
    if least and most is not None and most < NO_BOUND:
        yield f"{least:g} to {most:g} {unit}".strip()
    elif least == 1 and unit == "characters":
        yield "not empty"
    elif least:
        yield f"at least {least:g} {unit}".strip()
    elif most is not None and most < NO_BOUND:
        yield f"at most {most:g} {unit}".strip()


def meaning(*said: Any) -> str:
    """The first description that there is."""
    return next((" ".join(one["description"].split()) for one in said if one.get("description")), "")


def prose(one: Any) -> str:
    """A description as a paragraph, or nothing."""
    return f"{one['description'].strip()}\n\n" if one.get("description") else ""


def table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A table; a bar within a cell is escaped."""
    lines = [heads, *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    head, *body = (f"| {' | '.join(line)} |\n" for line in lines)
    return f"{head}{'|---' * len(heads)}|\n{''.join(body)}\n"
