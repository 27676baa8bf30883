"""YAML that is pleasant to edit by hand: short things on one line, long ones below one another."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import yaml

from storyboard.errors import StoryError
from storyboard.yamlfile import NOT_PRINTABLE, NodePath, dotted

WIDTH = 100

_TAG = "tag:yaml.org,2002:"
_INDENT = 2
_NEEDS_ESCAPES = re.compile("[\r\x85\u2028\u2029\ufeff]")
_BLOCK_TEXT = re.compile(r"(\S|\S[^\n]*\S)(\n+(\S|\S[^\n]*\S))*\n?")  # no space at a line's ends


def to_yaml(value: Mapping[str, Any], *, one_line: Collection[str] = ()) -> str:
    """Return a mapping of plain data as YAML in the given order.

    Every text and number is read back exactly as it was, by `yamlfile` and by any other reader.

    Args:
        value: mappings, sequences, texts, numbers, booleans and None.
        one_line: names of fields that hold a mapping, or a list of mappings, each to be written
            on one line where it fits.

    Raises:
        StoryError: a text holds a control character, or a number is not finite.
    """
    node = _Nodes(frozenset(one_line)).node(value, ())
    return str(yaml.serialize(node, Dumper=_Dumper, allow_unicode=True, width=WIDTH))


_PROSE = frozenset({"text", "acting", "look"})
_MARKS = 2 * len(_PROSE)


class _Dumper(yaml.SafeDumper):
    """PyYAML's writer, with the items of a list indented below its name."""

    def increase_indent(
        self,
        flow: bool = False,
        indentless: bool = False,  # noqa: ARG002 - PyYAML gives it by name, and is not obeyed
    ) -> None:
        super().increase_indent(flow, indentless=False)


class _Nodes:
    """Gives each value the form in which it is written."""

    def __init__(self, one_line: frozenset[str]) -> None:
        self._one_line = one_line

    def node(self, value: Any, path: NodePath) -> yaml.Node:
        if isinstance(value, Mapping):
            return self._mapping(value, path)
        if isinstance(value, str):
            return _text(value, path)
        if isinstance(value, Sequence):
            items = [self.node(item, (*path, index)) for index, item in enumerate(value)]
            flat = not any(isinstance(item, yaml.CollectionNode) for item in items)
            return yaml.SequenceNode(f"{_TAG}seq", items, flow_style=flat)
        return _plain(value, path)

    def _mapping(self, value: Mapping[str, Any], path: NodePath) -> yaml.Node:
        pairs = [(_text(name, path), self.node(value[name], (*path, name))) for name in value]
        node = yaml.MappingNode(f"{_TAG}map", pairs, flow_style=False)
        names = [step for step in path[-2:] if isinstance(step, str)]
        if names and names[-1] in self._one_line:
            room = WIDTH - _INDENT * (len(path) + 1)
            node.flow_style = _length(node) + _MARKS <= room
            if node.flow_style:
                _quote_prose(pairs)
        return node


def _quote_prose(pairs: Sequence[tuple[yaml.Node, yaml.Node]]) -> None:
    """Put what people rewrite in marks: between braces a comma typed into it would end it."""
    for name, item in pairs:
        if name.value in _PROSE and isinstance(item, yaml.ScalarNode):
            item.style = "'" if '"' in item.value else '"'


def _text(text: str, path: NodePath) -> yaml.ScalarNode:
    if found := NOT_PRINTABLE.search(text):
        character = f"U+{ord(found[0]):04X}"
        raise StoryError(
            f"{dotted(path)}: the text holds the control character {character}",
            hint="take the character out: no text of a book can show it",
        )
    style = None
    if _NEEDS_ESCAPES.search(text):
        style = '"'
    elif "\n" in text:
        style = "|" if _BLOCK_TEXT.fullmatch(text) else '"'
    return yaml.ScalarNode(f"{_TAG}str", text, style=style)


def _plain(value: float | bool | None, path: NodePath) -> yaml.ScalarNode:
    if value is None:
        return yaml.ScalarNode(f"{_TAG}null", "null")
    if isinstance(value, bool):
        return yaml.ScalarNode(f"{_TAG}bool", "true" if value else "false")
    if isinstance(value, int):
        return yaml.ScalarNode(f"{_TAG}int", str(value))
    if not math.isfinite(value):
        raise StoryError(f"{dotted(path)}: {value} is not a finite number")
    digits = repr(value)
    if "e" in digits and "." not in digits:
        digits = digits.replace("e", ".0e")  # else older YAML readers take it for text
    return yaml.ScalarNode(f"{_TAG}float", digits)


def _length(node: yaml.Node) -> int:
    """Return how long a node is on one line, at least; endless where it needs several."""
    if isinstance(node, yaml.ScalarNode):
        return WIDTH if node.style else len(node.value)
    if isinstance(node, yaml.SequenceNode):
        return sum(_length(item) + 2 for item in node.value)
    return sum(_length(name) + _length(item) + 4 for name, item in node.value)
