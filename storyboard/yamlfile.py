"""A YAML file as a tree in which everything knows its line.

The tree is built from PyYAML's events, not its loader, so that size, depth and aliases are limited
while reading, and so that plain text such as `No` or `12:30` is still there as it was written:
what a scalar means is decided by the type that is wanted of it (see `structure.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from storyboard.errors import MissingError, StoryError
from storyboard.problems import Problem

MAX_BYTES = 4_000_000
MAX_NODES = 200_000
MAX_DEPTH = 40

_LONGEST_NAME = 60
_CHARACTERS_PER_NODE = 64  # a long text weighs as much as several nodes when it is repeated

_SCALAR_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null")
)
_COLLECTION_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("map", "seq"))
_STR_TAG = "tag:yaml.org,2002:str"

NOT_PRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# what PyYAML says, and what a writer can do about it
_ADVICE = {
    "mapping values are not allowed": "put quotes around text that contains a colon and a space",
    "could not find expected ':'": "is a colon missing, or an indentation wrong?",
    "did not find expected key": "is an indentation wrong, or text left after a closing quote?",
    "expected <block end>": "is an indentation wrong, or text left after a closing quote?",
    "did not find expected '-' indicator": "are the list's dashes all below one another?",
    "unexpected end of stream": "a quote is opened and never closed",
    "expected ',' or": "a bracket is opened and never closed, or a comma is missing",
    "cannot start any token": "put quotes around text that begins with @, ` or %",
}


@dataclass(slots=True)
class Scalar:
    """A single value, as it was written. `plain` is true when it stood without quotes."""

    text: str
    line: int
    plain: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written at all, as in `notes:` before the end of the line."""
        return self.plain and not self.text


@dataclass(slots=True)
class Sequence:
    """A list of nodes."""

    line: int
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """Nodes by name. `key_lines` says where each name stands."""

    line: int
    entries: dict[str, Node] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)
    open_key: Scalar | None = None  # a name whose value is still to come


Node = Scalar | Sequence | Mapping
NodePath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file that could be read: its name, its tree, and names that were given twice."""

    file: str
    root: Node
    duplicates: list[Problem]

    def line_of(self, path: NodePath) -> int:
        """Return the line at which `path`, or else the nearest thing around it, stands."""
        node, line = self.root, self.root.line
        for step in path:
            if isinstance(node, Mapping) and isinstance(step, str) and step in node.entries:
                line, node = node.key_lines[step], node.entries[step]
            elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
                node = node.items[step]
                line = node.line
            else:
                break
        return line


def dotted(path: NodePath) -> str:
    """Return a path as writers read it: `pages[0].panels[2].shot`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
            continue
        name = step if step.isprintable() and len(step) <= _LONGEST_NAME else shortened(step)
        text += f".{name}" if text else name
    return text


def shortened(text: str, limit: int = 40) -> str:
    """Return a text in quotes, cut where it is too long for a message."""
    return repr(text if len(text) <= limit else text[: limit - 3] + "...")


def read_text(path: Path) -> str:
    """Return a file's text without a byte order mark, lines ended by a plain newline.

    Raises:
        MissingError: there is no such file, or it may not be read.
        StoryError: it is larger than `MAX_BYTES`, or not UTF-8; the problem names the line.
    """
    if not path.exists():
        raise MissingError(f"there is no file {path}", hint="check the name and the folder")
    if not path.is_file():
        raise MissingError(f"{path} is not a file", hint="name the file, not its folder")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as err:
        raise MissingError(f"cannot read {path}: {err.strerror}") from err
    if len(data) > MAX_BYTES:
        raise broken(path, 0, f"the file is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = data.count(b"\n", 0, err.start) + 1
        raise broken(path, line, "this is not UTF-8 text", allowed="save it as UTF-8") from err
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_yaml(path: Path) -> Document:
    """Return the tree of a YAML file.

    Raises:
        MissingError: there is no such file, or it may not be read.
        StoryError: it is broken, empty, not UTF-8, too large, too deep, or made of too many
            aliases.
    """
    return parse_yaml(read_text(path), path)


def parse_yaml(text: str, path: Path) -> Document:
    """Return the tree of a YAML text that was read from `path`.

    Raises:
        StoryError: as for `read_yaml`.
    """
    if found := NOT_PRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        message = f"the control character U+{ord(found[0]):04X} is not allowed"
        raise broken(path, line, message, allowed="take it out")
    try:
        return _TreeBuilder(path).build(_events(text))
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark
        reason = err.problem or "it cannot be understood"
        if "end of stream" in reason and err.context_mark:
            mark = err.context_mark  # where the quote was opened, not where the file ends
        line = mark.line + 1 if mark else 0
        raise broken(path, line, f"broken YAML: {reason}{_advice(reason, text, line)}") from err
    except yaml.YAMLError as err:
        raise broken(path, 0, f"broken YAML: {err}") from err


def broken(path: Path, line: int, message: str, *, allowed: str = "") -> StoryError:
    """Return the error for a file that cannot be read at all, with its one problem."""
    problem = Problem(file=str(path), line=line, path="", message=message, allowed=allowed)
    return StoryError(f"{path} cannot be read", problems=[problem])


def _advice(reason: str, text: str, line: int) -> str:
    if "cannot start any token" in reason:
        lines = text.split("\n", line)
        if line <= len(lines) and "\t" in lines[line - 1]:
            return " (use spaces, not tabs)"
    return next((f" ({advice})" for said, advice in _ADVICE.items() if said in reason), "")


def _events(text: str) -> Iterator[yaml.Event]:
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    return yaml.parse(text, Loader=loader)


class _TreeBuilder:
    """Builds the tree without recursion, so that no nesting can exhaust the stack."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._root: Node | None = None
        self._open: list[tuple[Sequence | Mapping, str | None, int]] = []  # node, anchor, size
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._size = 0
        self._duplicates: list[Problem] = []

    def build(self, events: Iterator[yaml.Event]) -> Document:
        num_documents = 0
        for event in events:
            line = event.start_mark.line + 1 if event.start_mark else 0
            if isinstance(event, yaml.DocumentStartEvent):
                num_documents += 1
                if num_documents > 1:
                    raise self._broken(line, "a second document starts here", "one per file")
            elif isinstance(event, yaml.AliasEvent):
                self._add(self._aliased(event.anchor or "", line))
            elif isinstance(event, yaml.ScalarEvent):
                self._add_scalar(event, line)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._start(event, line)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
        if self._root is None or (isinstance(self._root, Scalar) and self._root.is_empty):
            raise self._broken(0, "the file is empty")
        return Document(str(self._path), self._root, self._duplicates)

    def _add_scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        self._check_tag(event.tag, _SCALAR_TAGS, line)
        size = 1 + len(event.value) // _CHARACTERS_PER_NODE
        self._grow(size, line)
        plain = not event.style and event.tag != _STR_TAG
        scalar = Scalar(event.value, line, plain)
        if event.anchor:
            self._anchors[event.anchor] = (scalar, size)
        self._add(scalar)

    def _start(self, event: yaml.CollectionStartEvent, line: int) -> None:
        self._check_tag(event.tag, _COLLECTION_TAGS, line)
        if len(self._open) == MAX_DEPTH:
            raise self._broken(line, f"nested more than {MAX_DEPTH} levels deep")
        node = Sequence(line) if isinstance(event, yaml.SequenceStartEvent) else Mapping(line)
        self._add(node)
        self._open.append((node, event.anchor, self._size))
        self._grow(1, line)

    def _end(self) -> None:
        node, anchor, size_before = self._open.pop()
        if anchor:  # only now: an alias inside itself would never end
            self._anchors[anchor] = (node, self._size - size_before)

    def _aliased(self, anchor: str, line: int) -> Node:
        if anchor not in self._anchors:
            raise self._broken(line, f"the alias *{anchor} stands for nothing before it")
        node, size = self._anchors[anchor]
        self._grow(size, line)
        return node

    def _add(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1][0]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif parent.open_key is not None:
            parent.entries.setdefault(parent.open_key.text, node)
            parent.key_lines.setdefault(parent.open_key.text, parent.open_key.line)
            parent.open_key = None
        elif isinstance(node, Scalar):
            self._check_duplicate(parent, node)
            parent.open_key = node
        else:
            raise self._broken(node.line, "a name is a list or a mapping", "a name is plain text")

    def _check_duplicate(self, parent: Mapping, key: Scalar) -> None:
        if key.text in parent.entries:
            first = parent.key_lines[key.text]
            message = f"{shortened(key.text)} is given twice, first in line {first}"
            self._duplicates.append(
                Problem(str(self._path), key.line, dotted((*self._place(), key.text)), message)
            )

    def _place(self) -> NodePath:
        """Return the path of the collection that is being read."""
        steps: list[str | int] = []
        for node, _, _ in self._open[:-1]:
            if isinstance(node, Sequence):
                steps.append(len(node.items) - 1)
            else:
                steps.append(next(reversed(node.entries)))
        return tuple(steps)

    def _check_tag(self, tag: str | None, allowed: frozenset[str], line: int) -> None:
        if tag not in (None, "!") and tag not in allowed:
            raise self._broken(line, f"the tag {shortened(tag)} is not allowed", "leave it out")

    def _grow(self, size: int, line: int) -> None:
        self._size += size
        if self._size > MAX_NODES:
            raise self._broken(line, f"the file holds more than {MAX_NODES:,} values")

    def _broken(self, line: int, message: str, allowed: str = "") -> StoryError:
        return broken(self._path, line, message, allowed=allowed)
