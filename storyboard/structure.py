"""From a YAML tree to a struct, with every difference between them told at once.

The type decides what a scalar means: `No` is the text "No" where text is wanted, and no boolean
anywhere. Numbers, booleans and null are those of YAML's core schema.
"""

from __future__ import annotations

import math
import re
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect

from storyboard.report import Report
from storyboard.yamlfile import (
    NOT_PRINTABLE,
    Document,
    Mapping,
    Node,
    NodePath,
    Scalar,
    Sequence,
    shortened,
)

StructT = TypeVar("StructT", bound=msgspec.Struct)

MAX_INT = 2**63 - 1

_INT = re.compile(r"[-+]?[0-9]{1,19}|0x[0-9a-fA-F]{1,16}|0o[0-7]{1,22}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_OLD_BOOL = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}

_WRONG = object()  # stands for a value that has been reported


def read_struct(document: Document, cls: type[StructT], report: Report) -> StructT:
    """Return the document as a struct; whatever is wrong in it goes to the report.

    Where something is missing or wrong, its default or an empty value stands in, so that the
    rest can be examined further. So a struct is only what was written when the report is empty.
    """
    reader = _Reader(report)
    expected = inspect.type_info(cls)
    value = reader.read(document.root, expected, ())
    if value is _WRONG:
        value = _blank(expected)
    return cast(StructT, value)


class _Reader:
    """Walks a tree and a type side by side."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def read(self, node: Node, expected: inspect.Type, path: NodePath) -> Any:
        """Return the value, or `_WRONG` once the reason has been reported."""
        if isinstance(expected, inspect.UnionType):
            return self._read_union(node, expected, path)
        if isinstance(expected, inspect.StructType):
            if expected.array_like:
                return self._read_array(node, expected, path)
            return self._read_fields(node, expected, path)
        if isinstance(expected, inspect.VarTupleType):
            return self._read_tuple(node, expected.item_type, path)
        if isinstance(expected, inspect.DictType):
            return self._read_dict(node, expected.value_type, path)
        return self._read_scalar(node, expected, path)

    def _read_union(self, node: Node, expected: inspect.UnionType, path: NodePath) -> Any:
        """Decide by the form of the node: null, a mapping, or the one other type."""
        types = [kind for kind in expected.types if not isinstance(kind, inspect.NoneType)]
        if len(types) < len(expected.types) and _is_null(node):
            return None
        structs = [kind for kind in types if isinstance(kind, inspect.StructType)]
        others = [kind for kind in types if not isinstance(kind, inspect.StructType)]
        if structs and (isinstance(node, Mapping) or not others):
            return self.read(node, structs[0], path)
        return self.read(node, others[0], path)

    def _read_fields(self, node: Node, expected: inspect.StructType, path: NodePath) -> Any:
        if not isinstance(node, Mapping):
            return self._wrong(node, expected, path)
        fields = {field.encode_name: field for field in expected.fields}
        for name in [name for name in node.entries if name not in fields]:
            self._report.add(
                (*path, name),
                f"there is no field {shortened(name)}",
                allowed=", ".join(fields),
                found=name,
                known=[field for field in fields if field not in node.entries],
            )
        values = {}
        for name, field in fields.items():
            value = self._read_field(node.entries.get(name), field, (*path, name))
            values[name] = _default(field) if value is _WRONG else value
        return expected.cls(**values)

    def _read_field(self, node: Node | None, field: inspect.Field, path: NodePath) -> Any:
        left_empty = isinstance(node, Scalar) and node.is_empty
        if node is not None and not left_empty:
            return self.read(node, field.type, path)
        if field.required:
            what = "is left empty" if left_empty else "is missing"
            self._report.add_wrong(path, f"{field.encode_name} {what}", allowed=_named(field.type))
            return _WRONG
        return _default(field)

    def _read_array(self, node: Node, expected: inspect.StructType, path: NodePath) -> Any:
        if not isinstance(node, Sequence) or len(node.items) != len(expected.fields):
            return self._wrong(node, expected, path)
        pairs = zip(node.items, expected.fields, strict=True)
        values = [self.read(item, field.type, (*path, i)) for i, (item, field) in enumerate(pairs)]
        if any(value is _WRONG for value in values):
            return _WRONG
        return expected.cls(*values)

    def _read_tuple(self, node: Node, item_type: inspect.Type, path: NodePath) -> Any:
        if not isinstance(node, Sequence):
            return self._wrong(node, inspect.VarTupleType(item_type), path)
        items = (self.read(item, item_type, (*path, i)) for i, item in enumerate(node.items))
        return tuple(_blank(item_type) if item is _WRONG else item for item in items)

    def _read_dict(self, node: Node, value_type: inspect.Type, path: NodePath) -> Any:
        if not isinstance(node, Mapping):
            return self._wrong(node, inspect.DictType(inspect.StrType(), value_type), path)
        read = {
            name: self.read(value, value_type, (*path, name))
            for name, value in node.entries.items()
        }
        return {n: _blank(value_type) if value is _WRONG else value for n, value in read.items()}

    def _read_scalar(self, node: Node, expected: inspect.Type, path: NodePath) -> Any:
        if not isinstance(node, Scalar):
            return self._wrong(node, expected, path)
        text = node.text
        if isinstance(expected, inspect.StrType):
            return self._read_text(text, path)
        if isinstance(expected, inspect.LiteralType):
            return text if text in expected.values else self._wrong(node, expected, path)
        if isinstance(expected, inspect.BoolType) and node.plain and text in _BOOL:
            return _BOOL[text]
        if isinstance(expected, inspect.IntType) and node.plain and _INT.fullmatch(text):
            number = int(text, 0) if text[:2] in ("0x", "0o") else int(text)
            return number if abs(number) <= MAX_INT else self._wrong(node, expected, path)
        if isinstance(expected, inspect.FloatType) and node.plain and _FLOAT.fullmatch(text):
            return float(text) if math.isfinite(float(text)) else self._wrong(node, expected, path)
        return self._wrong(node, expected, path)

    def _read_text(self, text: str, path: NodePath) -> Any:
        if found := NOT_PRINTABLE.search(text):
            character = f"U+{ord(found[0]):04X}"
            self._report.add_wrong(path, f"the text holds the control character {character}")
            return _WRONG
        return text

    def _wrong(self, node: Node, expected: inspect.Type, path: NodePath) -> object:
        message = f"{_described(node)} is not what is needed here"
        found, known = "", []
        if isinstance(node, Scalar) and isinstance(expected, inspect.LiteralType):
            message = f"{shortened(node.text)} is not known here"
            found, known = node.text, [str(value) for value in expected.values]
        if isinstance(node, Scalar) and isinstance(expected, inspect.BoolType):
            found, known = _OLD_BOOL.get(node.text.lower(), node.text), ["true", "false"]
        self._report.add_wrong(path, message, allowed=_named(expected), found=found, known=known)
        return _WRONG


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.plain and node.text in _NULL


def _described(node: Node) -> str:
    """Return what a node is, in a writer's words."""
    if isinstance(node, Mapping):
        names = ", ".join(list(node.entries)[:3])
        return f"a mapping ({shortened(names)})"
    if isinstance(node, Sequence):
        return f"a list of {len(node.items)}"
    if node.is_empty:
        return "an empty value"
    return shortened(node.text) if node.plain else f"the quoted text {shortened(node.text)}"


def _named(expected: inspect.Type) -> str:
    """Return what a type allows, in a writer's words."""
    if isinstance(expected, inspect.UnionType):
        parts = [kind for kind in expected.types if not isinstance(kind, inspect.NoneType)]
        return ", or ".join(_named(kind) for kind in parts)
    if isinstance(expected, inspect.StructType):
        names = ", ".join(field.encode_name for field in expected.fields)
        return f"[{names}] as numbers" if expected.array_like else f"a mapping with {names}"
    if isinstance(expected, inspect.VarTupleType):
        return f"a list, each of it {_named(expected.item_type)}"
    if isinstance(expected, inspect.LiteralType):
        return ", ".join(str(value) for value in expected.values)
    if isinstance(expected, inspect.DictType):
        return "one `Name: text`"
    if isinstance(expected, inspect.BoolType):
        return "true or false"
    if isinstance(expected, inspect.IntType):
        return "a whole number without quotes"
    if isinstance(expected, inspect.FloatType):
        return "a number without quotes"
    return "text"


def _default(field: inspect.Field) -> Any:
    return _blank(field.type) if field.required else field.default


def _blank(expected: inspect.Type) -> Any:
    """Return an empty value of a type, to stand where a wrong one was reported."""
    if isinstance(expected, inspect.StructType):
        blanks = {field.encode_name: _default(field) for field in expected.fields}
        return expected.cls(**blanks)
    if isinstance(expected, inspect.UnionType):
        return None if expected.includes_none else _blank(expected.types[0])
    if isinstance(expected, inspect.LiteralType):
        return expected.values[0]
    if isinstance(expected, inspect.DictType):
        return {}
    if isinstance(expected, inspect.VarTupleType):
        return ()
    return "" if isinstance(expected, inspect.StrType) else 0
