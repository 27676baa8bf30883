from __future__ import annotations

import json
from inspect import cleandoc
from typing import Literal

import msgspec
import pytest

from storyboard.plan import Plan
from storyboard.schema import json_schema
from storyboard.story import Story


@pytest.mark.parametrize(("kind", "struct"), [("story", Story), ("plan", Plan)])
def test_a_schema_describes_every_field(
    kind: Literal["story", "plan"], struct: type[msgspec.Struct]
) -> None:
    schema = json.loads(json_schema(kind))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    definition = schema["$defs"][struct.__name__]
    assert list(definition["properties"]) == list(struct.__struct_fields__)
    assert definition["additionalProperties"] is False
    descriptions = [each["description"] for each in schema["$defs"].values()]
    assert descriptions == [cleandoc(each) for each in descriptions]


def test_a_schema_names_the_allowed_shots() -> None:
    panel = json.loads(json_schema("plan"))["$defs"]["Panel"]
    assert set(panel["properties"]["shot"]["enum"]) == {
        *("wide", "full", "medium", "close-up", "detail")
    }
