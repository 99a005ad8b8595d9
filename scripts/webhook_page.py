"""The page about what webhooks say, from the types that are announced and the schemas of their data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api_page import meaning, table, value


def webhook_page() -> str:
    """The attributes of every event, each type with its data, and the objects that data is made of."""
    from simward.response import schemas
    from simward.response.announcing import TYPES

    objects = {
        "subscription": schemas.SUBSCRIPTION, "device": schemas.DEVICE, "finding": schemas.FINDING,
        "incident": schemas.INCIDENT, "work order": schemas.WORK_ORDER,
    }  # fmt: skip
    text = (
        "# What webhooks say\n\n"
        "Each event is a CloudEvent; [how to receive webhooks](../how-to/webhooks.md) says how it comes, and what is "
        "promised. The same as AsyncAPI 3, for programs: [asyncapi.yaml](asyncapi.yaml). Take keys that you do not "
        "know: a later version may add some, and removes or changes none.\n\n"
        "## Every event\n\n" + keys(schemas.cloudevent_of("endpoint.test"), objects, ("type", "data"))
    )
    for name, doc in TYPES.items():
        text += f"\n## {name}\n\n{doc}\n\n{keys(schemas.SCHEMAS[name], objects)}"
    for name, schema in objects.items():
        text += f"\n## A {name}\n\n{schema['description']}\n\n{keys(schema, objects)}"
    return text


def keys(schema: Any, objects: dict[str, Any], left_out: tuple[str, ...] = ()) -> str:
    """A table of the keys of an object."""

    def rows() -> Iterator[tuple[str, ...]]:
        for key, each in schema["properties"].items():
            if key not in left_out:
                optional = "" if key in schema["required"] else "optional; "
                yield f"`{key}`", optional + said(each, objects), meaning(each)

    return table(("key", "value", "meaning"), rows()).removesuffix("\n")


def said(schema: Any, objects: dict[str, Any]) -> str:
    """What a value may be; an object that has a name by it."""
    for name, one in objects.items():
        if one.get("properties") == schema.get("properties"):
            return f"[{name}](#a-{name.replace(' ', '-')})"
    return value(schema, {})
