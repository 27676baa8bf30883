"""Changing words in a plan's file and nothing else: comments, order and spacing stay as they are.

PyYAML tells where in the file each value stands; only the characters of a changed text are
replaced, in the writer's own manner of quoting where the new words allow it.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from storyboard.errors import StoryError
from storyboard.plan import Plan, examine_plan
from storyboard.yamlfile import NodePath, parse_yaml

TextPlace = tuple[int, int, int]  # page, panel on it, dialog in it; each from 0

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_BLOCK_HEADER = re.compile(r"([|>])([-+]?)([ \t]*(?:#[^\r\n]*)?)(\r\n|\n|\r)")
_SPECIAL_BREAKS = re.compile("[\r\x85\u2028\u2029\ufeff]")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


class _Spot(msgspec.Struct, frozen=True):
    """Where a text stands: from and up to which character, and how it is written."""

    start: int
    end: int
    style: str | None
    in_flow: bool
    anchor: str | None
    is_alias: bool


def with_new_texts(source: bytes, changes: Mapping[TextPlace, str], path: Path) -> bytes:
    """Return a plan's file with the words of some dialogs changed.

    Args:
        source: the file's bytes.
        changes: the new text of each dialog.
        path: of the file, for messages.

    Raises:
        StoryError: a text cannot be changed without changing more, as when several dialogs share
            one text through an anchor.
    """
    bom = codecs.BOM_UTF8 if source.startswith(codecs.BOM_UTF8) else b""
    text = source.removeprefix(bom).decode()
    spots = dict(_spots(text))
    lost = [place for place in changes if place not in spots]
    if lost:
        raise _not_alone(path, lost[0])
    changed = text
    for place in sorted(changes, key=lambda place: spots[place].start, reverse=True):
        spot = spots[place]
        written = _rewritten(changes[place], text[spot.start : spot.end], spot)
        changed = changed[: spot.start] + written + changed[spot.end :]
    _check(text, changed, changes, path)
    return bom + changed.encode()


def _check(before: str, after: str, changes: Mapping[TextPlace, str], path: Path) -> None:
    """Make sure that only the wanted words have changed."""
    old, _ = examine_plan(parse_yaml(_plain_breaks(before), path), folder=None, templates=None)
    new, _ = examine_plan(parse_yaml(_plain_breaks(after), path), folder=None, templates=None)
    if new != with_texts(old, changes):
        raise _not_alone(path, next(iter(changes)))


def with_texts(plan: Plan, changes: Mapping[TextPlace, str]) -> Plan:
    """Return the plan with the words of some dialogs changed."""
    pages = list(plan.pages)
    for (page, panel, dialog), text in changes.items():
        panels = list(pages[page].panels)
        dialogs = list(panels[panel].dialogs)
        dialogs[dialog] = msgspec.structs.replace(dialogs[dialog], text=text)
        panels[panel] = msgspec.structs.replace(panels[panel], dialogs=tuple(dialogs))
        pages[page] = msgspec.structs.replace(pages[page], panels=tuple(panels))
    return msgspec.structs.replace(plan, pages=tuple(pages))


def _not_alone(path: Path, place: TextPlace) -> StoryError:
    page, panel, dialog = place
    return StoryError(
        f"{path}: pages[{page}].panels[{panel}].dialogs[{dialog}].text cannot be changed alone: "
        "an anchor (&) or alias (*) shares it with other places",
        hint="write the texts out, or change them by hand; nothing was changed",
    )


def _plain_breaks(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _spots(text: str) -> Iterator[tuple[TextPlace, _Spot]]:
    """Yield where the text of every dialog stands."""
    for path, event, in_flow in _values(text):
        match path:
            case ("pages", int(page), "panels", int(panel), "dialogs", int(dialog), "text"):
                yield (page, panel, dialog), _spot(text, event, in_flow)


def _spot(text: str, event: Any, in_flow: bool) -> _Spot:
    start, end = event.start_mark.index, event.end_mark.index
    if isinstance(event, yaml.AliasEvent):
        return _Spot(start, end, None, in_flow, None, is_alias=True)
    properties = _PROPERTIES.match(text, start, end) if event.anchor or event.tag else None
    start = properties.end() if properties else start
    return _Spot(start, end, event.style or None, in_flow, event.anchor, is_alias=False)


def _values(text: str) -> Iterator[tuple[NodePath, Any, bool]]:
    """Yield the path and event of every single value, and whether it stands between brackets."""
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    steps: list[Any] = []  # the name or number of the value to come, in each open collection
    flow: list[bool] = []
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.CollectionStartEvent):
            steps.append(0 if isinstance(event, yaml.SequenceStartEvent) else None)
            flow.append(bool(event.flow_style))
        elif isinstance(event, yaml.CollectionEndEvent):
            steps.pop()
            flow.pop()
            _step_on(steps)
        elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent) and steps:
            if steps[-1] is None:
                steps[-1] = event.value if isinstance(event, yaml.ScalarEvent) else ""
                continue
            yield tuple(steps), event, any(flow)
            _step_on(steps)


def _step_on(steps: list[Any]) -> None:
    if steps:
        steps[-1] = steps[-1] + 1 if isinstance(steps[-1], int) else None


def _rewritten(new: str, old: str, spot: _Spot) -> str:
    """Return the new text in the old one's manner, or in double quotes where that cannot be."""
    if spot.style in ("|", ">"):
        rest = old[len(old.rstrip()) :]  # empty lines behind it
        return (_literal(new, old) or _quoted(new)) + rest
    if spot.style == "'" and "\n" not in new and not _SPECIAL_BREAKS.search(new):
        doubled = new.replace("'", "''")
        return f"'{doubled}'"
    if spot.style is None and not spot.is_alias and _may_be_plain(new, in_flow=spot.in_flow):
        return new
    return _quoted(new)


def _literal(new: str, old: str) -> str | None:
    """Return a text as a block of lines, or None where a block cannot hold it."""
    header = _BLOCK_HEADER.match(old)
    body = new.removesuffix("\n")
    lines = body.split("\n")
    if header is None or header[1] != "|" or header[2] == "+" or _SPECIAL_BREAKS.search(new):
        return None
    if body != body.strip() or not body:  # its indentation, or what ends it, would be unclear
        return None
    content = old[header.end() :]
    indent = content[: len(content) - len(content.lstrip(" "))]
    chomp = "" if new.endswith("\n") else "-"
    head = f"|{chomp}{header[3]}{header[4]}"
    return head + header[4].join(indent + line if line else "" for line in lines)


def _may_be_plain(text: str, *, in_flow: bool) -> bool:
    emitter = yaml.emitter.Emitter(io.StringIO(), allow_unicode=True)
    analysis: Any = emitter.analyze_scalar(text)
    allowed = analysis.allow_flow_plain if in_flow else analysis.allow_block_plain
    resolver: Any = yaml.resolver.Resolver()
    is_text = resolver.resolve(yaml.ScalarNode, text, (True, False)) == "tag:yaml.org,2002:str"
    return bool(allowed and is_text and not analysis.multiline)


def _quoted(text: str) -> str:
    escaped = "".join(_ESCAPES.get(character, character) for character in text)
    escaped = _SPECIAL_BREAKS.sub(lambda found: f"\\u{ord(found[0]):04X}", escaped)
    return f'"{escaped}"'
