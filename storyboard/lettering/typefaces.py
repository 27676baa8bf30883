"""Which font draws a letter: the writer's own, else those of the language, else the others."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import uharfbuzz

from storyboard.errors import MissingError, StoryError
from storyboard.lettering.drawn_text import PLAIN_I
from storyboard.lettering.fonts import Font, open_font, shipped_font
from storyboard.lettering.scripts import Script, script_of_language, script_of_text
from storyboard.lettering_style import LetteringStyle
from storyboard.plan import DialogKind

_LATIN, _LATIN_EMPHASIS, _LATIN_SOUND = "ComicNeue-Bold", "ComicNeue-BoldItalic", "Bangers-Regular"
_JAPANESE, _CHINESE = "MPLUSRounded1c-Bold", "NotoSansSC-Bold"
_ORDERS: dict[Script, tuple[str, ...]] = {
    "latin": (_LATIN, _JAPANESE, _CHINESE),
    "cyrillic": (_JAPANESE, _LATIN, _CHINESE),
    "greek": (_JAPANESE, _LATIN, _CHINESE),
    "cjk": (_JAPANESE, _CHINESE),
}
_WITH_PLAIN_I = frozenset({_LATIN, _LATIN_EMPHASIS})  # their small l is a capital I without bars
# what looks right in another's clothes, where a font has only one of the two
_STAND_INS = {
    "Ţ": "Ț",
    "Ș": "Ş",
    "ș": "ş",
    "‐": "-",
    "\u2011": "-",
    "―": "—",
    "～": "〜",
    "－": "−",
    "‼": "!!",
    "⁉": "!?",
    "⁈": "?!",
    "⁇": "??",
}


class Face(NamedTuple):
    """A font, and whether its letters are slanted because it has no italic."""

    font: Font
    is_slanted: bool = False


class Typeface(NamedTuple):
    """The fonts of a text in the order in which a letter is looked for in them."""

    plain: tuple[Face, ...]
    emphasis: tuple[Face, ...]

    def face_for(self, letter: str, *, is_emphasised: bool = False) -> Face | None:
        """Return the first face that has a letter and its marks; None when no one has it."""
        for face in self.emphasis if is_emphasised else self.plain:
            if all(map(face.font.has, glyphs_of(letter, face.font))):
                return face
        return None

    @property
    def main(self) -> Font:
        """The font that most of the text is drawn with, and whose measures its lines have."""
        return self.plain[0].font


def glyphs_of(letter: str, font: Font) -> str:
    """Return the characters that draw a letter in a font, which may not have the letter itself."""
    if letter[0] == PLAIN_I:
        plain = "l" if font.name in _WITH_PLAIN_I else "I"
        return plain + letter[1:]
    if letter in _STAND_INS and not font.has(letter):
        return _STAND_INS[letter]
    return letter


def typeface(kind: DialogKind, language: str, style: LetteringStyle, text: str) -> Typeface:
    """Return the fonts for a text.

    Args:
        kind: sounds have fonts of their own.
        language: of the book.
        style: may name fonts of the writer's.
        text: as drawn; a sound's script decides its font.

    Raises:
        MissingError: a font of the writer's is not there or cannot be read.
        StoryError: its licence does not allow it to be embedded.
    """
    is_sound = kind == "sound"
    own = style.sound_font if is_sound else style.font
    own_emphasis = "" if is_sound else style.emphasis_font
    script = script_of_text(text) if is_sound else script_of_language(language)
    chinese_first = script == "cjk" and language[:2].lower() == "zh"
    return _typeface(
        script,
        is_sound,
        chinese_first,
        own,
        own_emphasis,
    )


@functools.lru_cache(maxsize=64)
def _typeface(
    script: Script, is_sound: bool, chinese_first: bool, own: str, own_emphasis: str
) -> Typeface:
    names = _ORDERS[script][:: -1 if chinese_first else 1]
    if is_sound and script == "latin":
        names = (_LATIN_SOUND, *names)
    shipped = [Face(shipped_font(name)) for name in names]
    plain = [Face(writers_font(Path(own))), *shipped] if own else shipped
    emphasis = [_emphasised(face) for face in plain]
    if own_emphasis:
        emphasis.insert(0, Face(writers_font(Path(own_emphasis))))
    return Typeface(tuple(plain), tuple(emphasis))


def _emphasised(face: Face) -> Face:
    if face.font.name == _LATIN:
        return Face(shipped_font(_LATIN_EMPHASIS))
    return Face(face.font, is_slanted=True)


@functools.cache
def writers_font(path: Path) -> Font:
    """Return a font file of the writer's, once it is sure that it may be used.

    Raises:
        MissingError: there is no such file, or it is no TrueType or OpenType font.
        StoryError: its licence bits forbid embedding.
    """
    if not path.is_file():
        raise MissingError(f"there is no font {path}", hint="check its name and folder")
    try:
        with path.open("rb") as file:
            is_font = file.read(4) in (b"\0\1\0\0", b"OTTO", b"true")
        font = open_font(path) if is_font else None
    except (OSError, uharfbuzz.HarfBuzzError) as err:
        raise MissingError(f"{path}: the font cannot be read") from err
    if font is None or not font.characters:
        raise MissingError(
            f"{path} is no font that can be used", hint="take a .ttf or .otf file of one font"
        )
    if font.embedding == "none":
        raise StoryError(
            f"{path}: the licence in this font forbids embedding it in a book",
            hint="take another font, or ask its maker for a licence that allows it",
        )
    return font


def editing_font(face: Typeface, text: str) -> Font:
    """Return the font that a PDF viewer should set an edited text with.

    The first that every viewer can use and that has all characters of the text as written; if
    there is none, the first that viewers can use.
    """
    usable = [
        face.font
        for face in face.plain
        if face.font.is_truetype and face.font.embedding == "editable"
    ]
    for font in usable:
        if all(c in font.characters for c in text if not c.isspace()):
            return font
    return usable[0]
