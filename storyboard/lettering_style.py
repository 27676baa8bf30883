"""How a writer wants a book lettered: the field `lettering` of stories and plans."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Literal

import msgspec

from storyboard.report import Report


class Squeeze(enum.IntEnum):
    """How much a text may lose to fit a given room."""

    NOTHING = 0  # its size, good proportions and breaks that read well are kept
    SMALLER = 1  # smaller letters
    ANYTHING = 2  # besides, phrases torn apart and words divided


Direction = Literal["horizontal", "vertical"]

SMALLEST_PT = 7.0
LEAST_PT, MOST_PT = 3.0, 30.0
FONT_FIELDS = ("font", "emphasis_font", "sound_font")


class LetteringStyle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The habits of a book's lettering. Each has a default that suits the book's language.

    Attributes:
        balloons: "none" draws only the text, with a white rim; "blank" leaves the text out.
        direction: of the lines; None is vertical for Japanese and horizontal for all else.
        capitals: whether Latin, Cyrillic and Greek letters are drawn as capitals.
        barred_i: where a capital I has bars: where it is the English pronoun, always or never.
        emphasis: whether `*words*` between stars stand out; if not, the stars are drawn.
        dashes: as two hyphens, as a long dash, or as written; None is double in English.
        hyphens: whether words may be divided where a text does not fit otherwise.
        size_pt: of speech; the other kinds follow in proportion. None is the language's own.
        smallest_pt: below this size no text is set; sounds and ruby are apart from it.
        font: path of a font file of the writer's for dialogue, from the story's folder.
        emphasis_font: the same for emphasis.
        sound_font: the same for sounds.
    """

    balloons: Literal["drawn", "none", "blank"] = "drawn"
    direction: Direction | None = None
    capitals: bool = True
    barred_i: Literal["pronoun", "always", "never"] = "pronoun"
    emphasis: bool = True
    dashes: Literal["double", "long", "as-written"] | None = None
    hyphens: bool = True
    size_pt: float | None = None
    smallest_pt: float = SMALLEST_PT
    font: str = ""
    emphasis_font: str = ""
    sound_font: str = ""

    @property
    def font_paths(self) -> dict[str, str]:
        """The writer's own fonts, by field."""
        return {name: getattr(self, name) for name in FONT_FIELDS if getattr(self, name)}

    def is_vertical_in(self, language: str) -> bool:
        """Whether the lines of a book in this language go down."""
        is_japanese = language.replace("_", "-").split("-")[0].strip().lower() == "ja"
        return (self.direction or ("vertical" if is_japanese else "horizontal")) == "vertical"

    def within(self, folder: Path) -> LetteringStyle:
        """Return the style with paths of fonts that start here, where they started in `folder`."""
        paths = {name: str(folder / path) for name, path in self.font_paths.items()}
        return msgspec.structs.replace(self, **paths) if paths else self


def examine_style(style: LetteringStyle, report: Report) -> None:
    """Report sizes that cannot be set. Fonts are looked at where they are used."""
    allowed = f"{LEAST_PT:g} to {MOST_PT:g} pt"
    for name, size in (("size_pt", style.size_pt), ("smallest_pt", style.smallest_pt)):
        if size is not None and not LEAST_PT <= size <= MOST_PT:
            report.add(("lettering", name), f"{size:g} pt is no size of text", allowed=allowed)
    if style.size_pt is not None and style.size_pt < style.smallest_pt:
        report.add(
            ("lettering", "size_pt"),
            f"{style.size_pt:g} pt is less than the smallest size",
            allowed=f"`smallest_pt` ({style.smallest_pt:g} pt) or more",
        )
