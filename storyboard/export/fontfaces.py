"""Lettering fonts inside other files: as CSS, with the letters that are used and usual ones."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from storyboard.lettering.fonts import Font

PLAIN_I_FEATURE = "ss01"
# what an edit of a line is likely to need besides the letters that are there
_USUAL = frozenset(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2010, 0x2027))))


class Named(NamedTuple):
    """What a font is called, as CSS and programs know it."""

    family: str
    weight: int
    is_italic: bool


class FontFaces:
    """Collects which letters of which fonts a file uses."""

    def __init__(self) -> None:
        """Start with none."""
        self._used: dict[Font, set[str]] = {}
        self._with_plain_i: set[Font] = set()

    def use(self, font: Font, text: str, *, has_plain_i: bool = False) -> Named:
        """Count letters of a font as used, and return what the font is called.

        Args:
            font: the font.
            text: the letters.
            has_plain_i: whether the feature `PLAIN_I_FEATURE` is to give a capital I without bars.
        """
        self._used.setdefault(font, set()).update(text)
        if has_plain_i:
            self._with_plain_i.add(font)
        return named_font(font.path)

    def files(self) -> Iterator[tuple[str, Named, bytes]]:
        """Yield each font that is used: a name for its file, what it is called, and its WOFF."""
        for font, letters in sorted(self._used.items(), key=lambda each: each[0].name):
            has_plain_i = font in self._with_plain_i
            data = woff(font.path, _USUAL | letters, has_plain_i=has_plain_i)
            yield font.name, named_font(font.path), data

    def css(self) -> str:
        """Return an @font-face rule for each font, its data inside."""
        rules = []
        for _, named, data in self.files():
            packed = base64.b64encode(data).decode("ascii")
            rules.append(font_face(named, f"data:font/woff;base64,{packed}"))
        return "\n".join(rules)


def font_face(named: Named, url: str) -> str:
    """Return the CSS rule that tells where a font is."""
    style = "italic" if named.is_italic else "normal"
    return (
        f"@font-face {{ font-family: '{named.family}'; font-weight: {named.weight};"
        f" font-style: {style}; src: url({url}) format('woff'); }}"
    )


@functools.cache
def named_font(path: Path) -> Named:
    """Return what the font in a file is called."""
    from fontTools.ttLib import TTFont

    with TTFont(path, lazy=True) as font:
        family = font["name"].getBestFamilyName() or path.stem
        os2 = font["OS/2"]
        return Named(family.replace("'", ""), os2.usWeightClass, bool(os2.fsSelection & 1))


@functools.lru_cache(maxsize=32)
def woff(path: Path, letters: frozenset[str], *, has_plain_i: bool = False) -> bytes:
    """Return a font with these letters only, as WOFF; the same letters give the same bytes.

    Args:
        path: of the font.
        letters: those wanted.
        has_plain_i: give it a feature in which the small l, a plain stroke, stands for capital I.
    """
    from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    options = Options(layout_features=["kern", "mark", "vert", "vrt2"], notdef_outline=True)
    with TTFont(path, lazy=True, recalcTimestamp=False) as font:
        subsetter = Subsetter(options)
        subsetter.populate(text="".join(sorted(letters)))
        subsetter.subset(font)
        if has_plain_i:
            glyphs = font.getBestCmap()
            rule = f"sub {glyphs[ord('I')]} by {glyphs[ord('l')]};"
            feature = f"feature {PLAIN_I_FEATURE} {{ {rule} }} {PLAIN_I_FEATURE};"
            addOpenTypeFeaturesFromString(font, feature, tables=["GSUB"])
        font.flavor = "woff"
        data = io.BytesIO()
        font.save(data, reorderTables=None)
    return data.getvalue()
