"""Spoken lines as writers put them down: `Mika (whisper): I won't hurt you` and the like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from storyboard.errors import StoryError
from storyboard.yamlfile import shortened

DialogKind = Literal["speech", "thought", "shout", "whisper", "radio", "narration", "sound"]
SpokenKind = Literal["speech", "thought", "shout", "whisper", "radio"]

DIALOG_KINDS: tuple[DialogKind, ...] = get_args(DialogKind)
SPOKEN_KINDS: tuple[SpokenKind, ...] = get_args(SpokenKind)
VOICELESS_KINDS = ("narration", "sound")

LINE_FORMS = "`Name: text`, `Name (kind): text`, `narration: text` or `sound: text`"

_NAME_AND_KIND = re.compile(r"(?P<name>[^()]*?)\s*\(\s*(?P<kind>[^()]*?)\s*\)")
_NARROW_BRACKETS = str.maketrans({"\uff08": "(", "\uff09": ")"})  # as Japanese writers type them


class SpokenLine(msgspec.Struct, frozen=True):
    """One line of a scene. `speaker`, a name or alias, is empty for narration and sounds."""

    speaker: str
    kind: DialogKind
    text: str


class LineError(StoryError):
    """A line that is in none of the known forms; `allowed` says what would be right."""

    def __init__(self, message: str, *, allowed: str, found: str = "") -> None:
        """Keep what is allowed, and the word that was found where only it is wrong."""
        super().__init__(message, hint=f"allowed: {allowed}")
        self.allowed = allowed
        self.found = found


def parse_line(line: Mapping[str, str]) -> SpokenLine:
    """Return who says what, and how.

    Args:
        line: one key and its text: `Name`, `Name (kind)` with one of `SPOKEN_KINDS`,
            `narration` or `sound`. Kinds may be in any case; the text is kept as it is.

    Raises:
        LineError: there is not exactly one key, or the key is in none of these forms.
    """
    if len(line) != 1:
        raise LineError(f"a line has one key, not {len(line)}", allowed=LINE_FORMS)
    key, text = next(iter(line.items()))
    name = key.strip()
    if name.lower() == "narration":
        return SpokenLine("", "narration", text)
    if name.lower() == "sound":
        return SpokenLine("", "sound", text)
    spoken_as = "speech"
    if match := _NAME_AND_KIND.fullmatch(name.translate(_NARROW_BRACKETS)):
        name, spoken_as = match["name"].strip(), match["kind"].lower()
    if not name:
        raise LineError(f"the line {shortened(key)} names no speaker", allowed=LINE_FORMS)
    for kind in SPOKEN_KINDS:
        if kind == spoken_as:
            return SpokenLine(name, kind, text)
    raise LineError(
        f"{shortened(spoken_as)} is no way to speak",
        allowed=", ".join(SPOKEN_KINDS),
        found=spoken_as,
    )
