"""JSON Schema of the writer's files, for editors that complete and check as one types."""

from __future__ import annotations

import json
from inspect import cleandoc
from typing import Literal

import msgspec

from storyboard.plan import Plan
from storyboard.story import Story

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TITLES = {"story": "A storyboard story", "plan": "A storyboard plan"}


def json_schema(kind: Literal["story", "plan"]) -> str:
    """Return the JSON Schema of `story.yaml` or `plan.yaml`, indented."""
    schema = msgspec.json.schema(Story if kind == "story" else Plan)
    for definition in schema["$defs"].values():
        definition["description"] = cleandoc(definition["description"])
    described = {"$schema": _DIALECT, "title": _TITLES[kind], **schema}
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"
