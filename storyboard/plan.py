"""The plan: pages, panels, who stands where and who says what. Written to be edited by hand."""

from __future__ import annotations

from typing import Literal

import msgspec

from storyboard.geometry import Box
from storyboard.lines import DialogKind as DialogKind
from storyboard.story import Character, PageFormat, Reading
from storyboard.story import Shot as Shot

PLAN_FORMAT = "storyboard-plan/1"
MAX_CHARACTERS = 4
MAX_DIALOGS = 8


class CharacterPlacement(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One character in a panel: where they stand and what they do."""

    name: str
    box: Box | None = None
    acting: str = ""


class Dialog(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One balloon, narration box or sound. `speaker` is empty for narration and sounds."""

    text: str
    speaker: str = ""
    kind: DialogKind = "speech"
    box: Box | None = None


class Panel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One picture of the book.

    `source` holds the numbers of the story's sentences told here, from 1. `seed`, when given,
    replaces the one derived from the plan's seed and the panel's id.
    """

    id: str
    caption: str
    source: tuple[int, ...] = ()
    shot: Shot = "medium"
    characters: tuple[CharacterPlacement, ...] = ()
    dialogs: tuple[Dialog, ...] = ()
    seed: int | None = None
    locked: bool = False
    notes: str = ""


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The panels of one page in reading order. Without a template one is chosen at render time."""

    panels: tuple[Panel, ...]
    template: str = ""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A whole book as it will be drawn and lettered."""

    title: str
    pages: tuple[Page, ...]
    format: Literal["storyboard-plan/1"] = PLAN_FORMAT
    author: str = ""
    language: str = "en"
    reading: Reading = "ltr"
    page: PageFormat = "b5"
    style: str = ""
    seed: int = 0
    characters: tuple[Character, ...] = ()
