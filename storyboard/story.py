"""The story as the writer gives it: characters, places, and prose or scenes."""

from __future__ import annotations

from typing import Literal

import msgspec

from storyboard.lines import DialogKind as DialogKind
from storyboard.lines import SpokenLine as SpokenLine
from storyboard.lines import parse_line as parse_line

Reading = Literal["rtl", "ltr"]
Shot = Literal["wide", "full", "medium", "close-up", "detail"]
PageName = Literal["b5", "a4", "us-comic", "tankobon"]


class PageSize(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A page's trimmed size and the bleed beyond it on each side, in millimetres."""

    width_mm: float
    height_mm: float
    bleed_mm: float = 3.0


PageFormat = PageName | PageSize


class Character(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Someone in the cast. `images` are paths relative to the file that names them."""

    name: str
    aliases: tuple[str, ...] = ()
    look: str = ""
    images: tuple[str, ...] = ()


class ScenePanel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A panel the writer has already decided on. `lines` are as in a scene."""

    caption: str
    shot: Shot = "medium"
    characters: tuple[str, ...] = ()
    lines: tuple[dict[str, str], ...] = ()
    page_break: bool = False


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What happens in one place. A scene that lists `panels` is taken as it is.

    Each of `lines` is a mapping with one key: `Mika: text`, `Mika (whisper): text`,
    `narration: text` or `sound: text`.
    """

    place: str = ""
    text: str = ""
    lines: tuple[dict[str, str], ...] = ()
    panels: tuple[ScenePanel, ...] = ()


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A story to be planned. It has either `story` (prose) or `scenes`."""

    title: str
    author: str = ""
    language: str = "en"
    reading: Reading | None = None
    page: PageFormat = "b5"
    pages: int | None = None
    style: str = ""
    seed: int = 0
    characters: tuple[Character, ...] = ()
    story: str = ""
    scenes: tuple[Scene, ...] = ()
