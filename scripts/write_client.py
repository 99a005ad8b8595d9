#!/usr/bin/env python3
"""Write simward.client's calls and answers from the OpenAPI description; `--check` only says which are not as it is."""

from __future__ import annotations

import keyword
import os
import re
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

os.environ.setdefault("NUMBA_DISABLE_JIT", "1")  # nothing is compiled to be described

CLIENT = Path(__file__).resolve().parents[1] / "src" / "simward" / "client"
MADE = "# Made from the OpenAPI description by `make docs`: change the routes, not this file.\n"
WIDTH = 120
NAMED = {
    "POST /v1/commands": "send", "POST /v1/revisions": "apply", "POST /v1/undo": "begin", "GET /v1/status": "get",
    "POST /v1/incidents/{number}/acknowledgements": "answer",
}  # fmt: skip
"""Calls whose name does not follow from their route: GET of a list is `list`, of one `get`; POST to a list is `create`,
DELETE `delete`, PUT `put`; what stands behind one is called as it is."""
EVENTS = "text/event-stream"


def pages() -> dict[str, str]:
    """Path below src/simward/client -> text, for every module that is made."""
    described = Described(openapi())
    made = {"answers/__init__.py": '"""What routes answer and take, typed, a module for each kind of thing."""\n',
            "calls/__init__.py": '"""A method for each route, a module for each kind of thing."""\n'}  # fmt: skip
    for name in described.resources:
        made[f"calls/{name}.py"] = described.calls(name)
        if described.own(name):
            made[f"answers/{name}.py"] = described.answers(name)
    made["resources.py"] = described.all_resources()
    return made


def openapi() -> dict[str, Any]:
    """The description of the whole application, as `simward serve` puts it together."""
    from simward.control.assembling import assemble
    from simward.settings import Settings

    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "data").mkdir()
        (Path(place) / "simward.toml").write_text('[control]\nhttp = "none"\n')
        document: dict[str, Any] = assemble(Settings.load(Path(place))).app.openapi()
    return document


class Described:
    """The routes by the kind of thing that they are about, and the components that each uses first."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.components: dict[str, Any] = document["components"]["schemas"]
        self.resources: dict[str, list[Route]] = {}
        for path, methods in sorted(document["paths"].items()):
            for method, operation in methods.items():
                route = Route(method.upper(), path, operation, self.components)
                self.resources.setdefault(route.resource, []).append(route)
        self.home: dict[str, str] = {}
        for name in sorted(self.resources):
            for route in self.resources[name]:
                for schema in route.schemas():
                    self._settle(schema, name)

    def _settle(self, schema: Any, resource: str) -> None:
        for name in refs(schema):
            if name not in self.home:
                self.home[name] = resource
                self._settle(self.components[name], resource)

    def own(self, resource: str) -> list[str]:
        """The components that stand in its module."""
        return sorted(name for name, home in self.home.items() if home == resource)

    def answers(self, resource: str) -> str:
        """The module of typed answers."""
        named = {"Any", "Literal", "NotRequired", "TypedDict"}
        bodies = [self._typed(name) for name in self.own(resource)]
        text = "\n\n".join(bodies)
        others = self._imports(refs([self.components[one] for one in self.own(resource)]), resource)
        used = sorted(one for one in named if re.search(rf"\b{one}\b", text))
        said = f'"""What `client.{resource}` answers and takes."""\n\n{MADE}from __future__ import annotations\n\n'
        blank = "\n\n" if text.startswith("class ") else "\n"
        return f"{said}from typing import {', '.join(used)}\n{others}{blank}{text}\n"

    def _typed(self, name: str) -> str:
        schema = self.components[name]
        doc = sentence(schema.get("description", f"{short(name)}."))
        if schema.get("type") != "object" or not schema.get("properties"):
            return f"{short(name)} = {typed(schema, quoted=True)}\n\"\"\"{doc}\"\"\""
        needed = schema.get("required", [])
        keys = {
            key: typed(one) if key in needed else f"NotRequired[{typed(one)}]"
            for key, one in schema["properties"].items()
        }
        if any(keyword.iskeyword(key) for key in keys):
            lines = "".join(wrapped(f'    "{key}": {kind},') + "\n" for key, kind in quoted(keys).items())
            return f'{short(name)} = TypedDict("{short(name)}", {{\n{lines}}})  # fmt: skip\n"""{doc}"""'
        lines = "".join(wrapped(f"    {key}: {kind}") + "\n" for key, kind in keys.items())
        return f'class {short(name)}(TypedDict):\n    """{doc}"""\n\n{lines}'.rstrip()

    def _imports(self, names: set[str], besides: str = "") -> str:
        by_home: dict[str, list[str]] = {}
        for name in names:
            if self.home[name] != besides:
                by_home.setdefault(self.home[name], []).append(short(name))
        lines = []
        for home, some in sorted(by_home.items()):
            line = f"from simward.client.answers.{home} import {', '.join(sorted(some, key=str.lower))}"
            if len(line) > WIDTH:
                listed = "".join(f"    {one},\n" for one in sorted(some, key=str.lower))
                line = f"from simward.client.answers.{home} import (\n{listed})"
            lines.append(line)
        return "".join(f"{line}\n" for line in lines) and "\n" + "".join(f"{line}\n" for line in lines)

    def calls(self, resource: str) -> str:
        """The module of its methods, twice: for who waits, and for who awaits."""
        routes = self.resources[resource]
        classes = [self._class(resource, routes, waits) for waits in (True, False)]
        text = "\n\n".join(classes)
        used = set().union(*(refs(schema) for route in routes for schema in route.signature_schemas()))
        typing = sorted(one for one in ("Any", "Literal") if re.search(rf"\b{one}\b", text))
        iterators = sorted(one for one in ("AsyncIterator", "Iterator", "Sequence") if re.search(rf"\b{one}\b", text))
        head = [f'"""Calls about {resource.replace("_", " ")}."""\n\n{MADE}from __future__ import annotations\n']
        head += [f"from collections.abc import {', '.join(iterators)}"] if iterators else []
        head += [f"from typing import {', '.join(typing)}"] if typing else []
        imports = self._imports(used).lstrip("\n") + "from simward.client.caller import AsyncCaller, Caller"
        imports += ", path" if "path(" in text else ""
        return "\n".join(head) + ("\n\n" if iterators or typing else "\n") + f"{imports}\n\n\n{text}\n"

    def _class(self, resource: str, routes: list[Route], waits: bool) -> str:
        name = f"{'' if waits else 'Async'}{class_name(resource)}Calls"
        caller = "Caller" if waits else "AsyncCaller"
        methods = [
            f'class {name}:\n    """Calls about {resource.replace("_", " ")}."""\n\n'
            f"    def __init__(self, caller: {caller}) -> None:\n        self._caller = caller"
        ]
        for route in routes:
            methods += route.methods(waits)
        return "\n\n".join(methods) + "\n"

    def all_resources(self) -> str:
        """The module that names all of them, and which method calls which route."""
        names = sorted(self.resources)
        lines = [
            f"from simward.client.calls.{one} import "
            + ", ".join(sorted((f"Async{class_name(one)}Calls", f"{class_name(one)}Calls")))
            for one in names
        ]
        table = "".join(
            f'    "{route.method} {route.path}": "{name}.{route.name}",\n'
            for name in names for route in self.resources[name]
        )  # fmt: skip
        classes = "\n\n".join(
            f'class {prefix}Resources:\n    """Every kind of thing that there are calls about."""\n\n'
            f"    def __init__(self, caller: {prefix}Caller) -> None:\n"
            + "".join(f"        self.{one} = {prefix}{class_name(one)}Calls(caller)\n" for one in names)
            for prefix in ("", "Async")
        )
        return (
            f'"""All calls together."""\n\n{MADE}from __future__ import annotations\n\n'
            f"from simward.client.caller import AsyncCaller, Caller\n{chr(10).join(sorted_imports(lines))}\n\n"
            f'ROUTES = {{\n{table}}}\n"""Route -> the method that calls it."""\n\n\n{classes}'
        )


class Route:
    """One operation."""

    def __init__(self, method: str, path: str, operation: dict[str, Any], components: dict[str, Any]) -> None:
        self.method, self.path, self.operation, self.components = method, path, operation, components
        steps = path.removeprefix("/v1").strip("/").split("/")
        self.resource = steps[0].replace("-", "_")
        self.answer, self.media_type = answer_of(operation)
        self.name = NAMED.get(f"{method} {path}") or self._name(steps)
        self.body, self.body_type = body_of(operation, components)
        self.parameters = [one for one in operation.get("parameters", []) if one["in"] in ("path", "query")]
        headers = {one["name"].lower() for one in operation.get("parameters", []) if one["in"] == "header"}
        self.keyed, self.guarded = "idempotency-key" in headers, "if-match" in headers

    def _name(self, steps: list[str]) -> str:
        last = steps[-1]
        if len(steps) > 1 and not last.startswith("{"):
            word = last.replace("-", "_")
            verb = {"PUT": "put_", "DELETE": "delete_"}.get(self.method, "")
            return f"{verb}{word}"
        if self.method == "GET":
            return "list" if len(steps) == 1 and self._lists() else "get"
        return {"POST": "create", "DELETE": "delete", "PUT": "put", "PATCH": "change"}[self.method]

    def _lists(self) -> bool:
        answer = self.components.get(next(iter(refs(self.answer)), ""), self.answer)
        properties = answer.get("properties")
        return properties is None or any(one.get("type") == "array" for one in properties.values())

    def schemas(self) -> list[Any]:
        """Of what it takes and answers."""
        return [*self.signature_schemas(), *([{"of": self.rows()[1]}] if self.rows() else [])]

    def signature_schemas(self) -> list[Any]:
        """Those that its methods name."""
        said = [self.answer if self.media_type != EVENTS else {}, *(one["schema"] for one in self.parameters)]
        said += list(self.body.get("properties", {}).values())
        said += [self.rows()[1]] if self.rows() else []
        said += [{"$ref": "#/components/schemas/CloudEvent"}] if self.media_type == EVENTS else []
        return said

    def rows(self) -> tuple[str, Any] | None:
        """(key, schema) of the rows of a page with a cursor; None where it is none."""
        answer = self.components.get(next(iter(refs(self.answer)), ""), {}) if "$ref" in self.answer else self.answer
        properties = answer.get("properties", {})
        if "next" not in properties or "after" not in [one["name"] for one in self.parameters]:
            return None
        return next(((key, one["items"]) for key, one in properties.items() if one.get("type") == "array"), None)

    def methods(self, waits: bool) -> list[str]:
        """The method, and the iterator over all pages where there are pages."""
        if self.media_type == EVENTS:
            return [self._stream(waits)]
        return [self._call(waits), *([self._all(waits)] if self.rows() else [])]

    def _call(self, waits: bool) -> str:
        kind = typed(self.answer) if self.answer else "Any"
        verb = "def" if waits else "async def"
        ask = f"{'' if waits else 'await '}self._caller.call"
        given = [f'"{self.method}"', self._path()]
        query = [one for one in self.parameters if one["in"] == "query"]
        given += [f"query={pairs((one['name'], argument(one['name'])) for one in query)}"] if query else []
        if self.body_type == "application/json":
            body = pairs((key, argument(key)) for key in self.body.get("properties", {}))
            given.append(f"body={body}")
        elif self.body_type:
            given.append(f'content=content, media_type="{self.body_type}"')
        given += ["key=key, keyed=True"] if self.keyed else []
        given += ["if_match=if_match"] if self.guarded else []
        said = f'        """{self._doc()}"""\n'
        return (
            f"{self._signature(verb, self.name, kind, self._arguments())}\n{said}"
            f"        answer: {kind} = {called(ask, given, 8)}\n        return answer"
        )

    def _all(self, waits: bool) -> str:
        found = self.rows()
        assert found is not None
        key, schema = found
        kind = f"{'Iterator' if waits else 'AsyncIterator'}[{typed(schema)}]"
        query = [one for one in self.parameters if one["in"] == "query" and one["name"] != "after"]
        given = [self._path(), f'"{key}"', f"query={pairs((one['name'], argument(one['name'])) for one in query)}"]
        arguments = [one for one in self._arguments() if not one.startswith("after:")]
        arguments = arguments[:-1] if arguments[-1:] == ["*"] else arguments
        return (
            f"{self._signature('def', 'all' if self.name == 'list' else f'all_{self.name}', kind, arguments)}\n"
            f'        """The same from the first page to the last, row by row."""\n'
            f"        return {called('self._caller.pages', given, 8)}"
        )

    def _stream(self, waits: bool) -> str:
        kind = f"{'Iterator' if waits else 'AsyncIterator'}[CloudEvent]"
        query = [one for one in self.parameters if one["in"] == "query"]
        given = [self._path(), f"query={pairs((one['name'], argument(one['name'])) for one in query)}"]
        return (
            f"{self._signature('def', self.name, kind, self._arguments())}\n"
            f'        """{self._doc()}\n\n        A stream that breaks off is taken up again behind the last event.\n'
            f'        """\n        return {called("self._caller.stream", given, 8)}'
        )

    def _arguments(self) -> list[str]:
        positional = [
            f"{argument(one['name'])}: {typed(one['schema'])}" for one in self.parameters if one["in"] == "path"
        ]
        required = self.body.get("required", [])
        named = [
            f"{argument(key)}: {widened(typed(one))}{'' if key in required else ' | None = None'}"
            for key, one in sorted(self.body.get("properties", {}).items(), key=lambda pair: pair[0] not in required)
        ]
        named += ["content: bytes"] if self.body_type and self.body_type != "application/json" else []
        named += [
            f"{argument(one['name'])}: {widened(typed(one['schema']))} | None = None"
            for one in self.parameters if one["in"] == "query"
        ]  # fmt: skip
        named += ["key: str | None = None"] if self.keyed else []
        named += ["if_match: str | None = None"] if self.guarded else []
        named = [one.replace(" | None | None", " | None") for one in named]
        return [*positional, *(["*"] if named else []), *named]

    def _signature(self, verb: str, name: str, kind: str, arguments: list[str]) -> str:
        line = f"    {verb} {name}({', '.join(['self', *arguments])}) -> {kind}:"
        if len(line) <= WIDTH:
            return line
        wrapped = textwrap.fill(
            ", ".join(["self", *arguments]), WIDTH - 1, initial_indent=" " * 8, subsequent_indent=" " * 8,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        return f"    {verb} {name}(\n{wrapped},\n    ) -> {kind}:  # fmt: skip"

    def _path(self) -> str:
        names = re.findall(r"\{(\w+)\}", self.path)
        if not names:
            return f'"{self.path}"'
        return f'path("{self.path}", {", ".join(argument(one) for one in names)})'

    def _doc(self) -> str:
        return sentence(self.operation.get("description") or self.operation.get("summary", ""), 8)


def answer_of(operation: dict[str, Any]) -> tuple[Any, str]:
    """(schema, media type) of what is answered where all is well."""
    for status, response in sorted(operation["responses"].items()):
        if status.startswith("2"):
            for media_type, content in response.get("content", {}).items():
                return content.get("schema", {}), media_type
    return {}, ""


def body_of(operation: dict[str, Any], components: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """(schema, media type) of the body; of none, empty."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = content.get("schema", {})
        name = next(iter(refs(schema)), "") if "$ref" in schema else ""
        return (components[name] if name else schema), media_type
    return {}, ""


def refs(schema: Any) -> set[str]:
    """The components that a schema names itself."""
    if isinstance(schema, list):
        return set().union(*map(refs, schema))
    if not isinstance(schema, dict):
        return set()
    found = {schema["$ref"].rpartition("/")[2]} if isinstance(schema.get("$ref"), str) else set()
    return found.union(*(refs(one) for one in schema.values()))


def typed(schema: Any, quoted: bool = False) -> str:
    """A schema as a Python type."""
    if "$ref" in schema:
        return short(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return f"Literal[{literal(schema['const'])}]"
    if "enum" in schema:
        return f"Literal[{', '.join(map(literal, schema['enum']))}]"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            kinds = list(dict.fromkeys(typed(one) for one in schema[key]))
            return " | ".join(sorted(kinds, key=lambda one: one == "None"))
    match schema.get("type"):
        case "array":
            return f"list[{typed(schema.get('items', {}))}]"
        case "object":
            more = schema.get("additionalProperties")
            return f"dict[str, {typed(more) if isinstance(more, dict) and more else 'Any'}]"
        case kind:
            return {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}.get(
                str(kind), "Any"
            )


def widened(kind: str) -> str:
    """As a parameter: any sequence will do for a list."""
    return re.sub(r"\blist\[", "Sequence[", kind)


def quoted(keys: dict[str, str]) -> dict[str, str]:
    """Types in a functional TypedDict are expressions: what is defined later is quoted."""
    return {key: f"'{kind}'" if "[" in kind or "|" in kind else kind for key, kind in keys.items()}


def wrapped(line: str) -> str:
    """A long line of a type, broken between its brackets."""
    indent = " " * 8
    return line if len(line) <= WIDTH else textwrap.fill(
        line.strip(), WIDTH - 1, initial_indent="    ", subsequent_indent=indent, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def literal(value: Any) -> str:
    """A value in Literal[...]."""
    return f'"{value}"' if isinstance(value, str) else repr(value)


def short(component: str) -> str:
    """A component's name as a class: without the module that FastAPI puts before it."""
    name = component.rpartition("__")[2]
    if "__" in component:
        name = class_name(component.split("__")[-2]) + name
    return name


def class_name(resource: str) -> str:
    """work_orders -> WorkOrders."""
    return "".join(one.capitalize() for one in resource.split("_"))


def argument(name: str) -> str:
    """A parameter's name in Python."""
    name = name.replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def pairs(some: Any) -> str:
    """A dict display."""
    return "{" + ", ".join(f'"{key}": {value}' for key, value in some) + "}"


def called(what: str, given: list[str], indent: int) -> str:
    """A call, wrapped where it is long."""
    line = f"{what}({', '.join(given)})"
    if len(line) + indent + 40 <= WIDTH:
        return line
    wrapped = textwrap.fill(
        ", ".join(given), WIDTH - 1, initial_indent=" " * (indent + 4), subsequent_indent=" " * (indent + 4),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return f"{what}(\n{wrapped},\n{' ' * indent})  # fmt: skip"


def sentence(text: str, indent: int = 4) -> str:
    """A docstring's text: its first paragraph, wrapped."""
    first = " ".join(text.strip().split("\n\n")[0].split()).replace("\\", "\\\\")
    lines = textwrap.wrap(first, WIDTH - indent - 6, break_on_hyphens=False) or [""]
    return f"\n{' ' * indent}".join(lines)


def sorted_imports(lines: list[str]) -> list[str]:
    """As ruff sorts them."""
    return sorted(lines)


def main() -> int:
    """Write, or with `--check` compare; 1 where something is not as the routes have it."""
    made, check = pages(), "--check" in sys.argv[1:]
    files = (path for name in ("answers", "calls") for path in (CLIENT / name).glob("*.py"))
    there = {path.relative_to(CLIENT).as_posix() for path in files}
    wrong = list(there - set(made))
    for name, text in made.items():
        path = CLIENT / name
        if path.exists() and path.read_text() == text:
            continue
        wrong.append(name)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            print(f"src/simward/client/{name}: written")
    if check:
        for name in wrong:
            print(f"src/simward/client/{name} is not as the routes have it: run `make docs`")
        return 1 if wrong else 0
    for name in there - set(made):
        (CLIENT / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
