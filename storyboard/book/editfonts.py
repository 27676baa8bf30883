"""Fonts for edits: whole, so that a reader finds every letter; once, however many fields use them.

Text of western and central Europe is edited with a font of one byte a character, which every
viewer takes. All other text needs a font of two bytes: Chrome sets an edit of it in a font of the
system, the others in ours.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from storyboard.book.encoding import FIRST_CODE, characters, european_letters, glyph_name
from storyboard.book.kept import KeptFolder, stamp_of
from storyboard.book.objects import Name, PdfObject, Reference, stream, written
from storyboard.lettering.letterer import Balloon

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

_NON_SYMBOLIC, _SYMBOLIC = 1 << 5, 1 << 2
_EUROPEAN = frozenset(letter for _, letter in characters())
_OTHER_SCRIPTS = frozenset("ja zh yue wuu ko ru uk be bg sr mk kk ky mn tg el".split())
_SOURCES = ("book/editfonts.py", "book/encoding.py", "book/objects.py")  # what makes them
_FULL_WIDTH = 1000  # of most Chinese and Japanese characters, in thousandths of the size


class EditFont(msgspec.Struct, frozen=True):
    """A font file, and whether text in it takes two bytes a character."""

    name: str
    file: str
    is_wide: bool

    @property
    def key(self) -> str:
        """The name that fields give the font."""
        return f"{self.name}-Wide" if self.is_wide else self.name


def font_for_edits(balloon: Balloon, language: str) -> EditFont:
    """Return the font that a balloon's text is edited with."""
    european = _is_european(language) and _EUROPEAN.issuperset(balloon.value.replace("\n", ""))
    font = balloon.editing_font
    return EditFont(font.name, str(font.path), is_wide=not european or not font.is_truetype)


def default_font(fonts: Iterable[EditFont]) -> EditFont:
    """Return the font that the form itself names."""
    return min(fonts, key=lambda font: (font.is_wide, font.key))


def font_objects(font: EditFont, kept: KeptFolder) -> dict[str, PdfObject]:
    """Return all objects of a font by key, that of the font itself first.

    The font's program has the same key for both forms, so that it is in the file once.
    """
    stamp = f"{font.key} {font.file} {stamp_of(Path(font.file))}".encode()
    made = kept.get("font", stamp, lambda: msgspec.msgpack.encode(_made(font)), _SOURCES)
    return msgspec.msgpack.decode(made, type=dict[str, PdfObject])


def font_key(font: EditFont) -> str:
    """Return the key of the font's own object."""
    return f"font {font.key}"


def program_key(font: EditFont) -> str:
    """Return the key of the object that holds the font's file."""
    return f"program {font.name}"


def _is_european(language: str) -> bool:
    return language.replace("_", "-").split("-")[0].lower() not in _OTHER_SCRIPTS


def _made(font: EditFont) -> dict[str, PdfObject]:
    from fontTools.ttLib import TTFont

    with TTFont(font.file, lazy=True) as opened:
        objects = _wide(font, opened) if font.is_wide else _narrow(font, opened)
        objects[program_key(font)] = _program(font, opened)
    return objects


def _narrow(font: EditFont, opened: TTFont) -> dict[str, PdfObject]:
    cmap, widths = opened.getBestCmap(), opened["hmtx"].metrics
    per_thousand = 1000 / opened["head"].unitsPerEm
    by_code = {
        code: round(widths[cmap[ord(letter)]][0] * per_thousand)
        for code, letter in characters()
        if ord(letter) in cmap
    }
    differences: list[int | Name] = []
    for code, letter in european_letters().items():
        differences += [code, Name(glyph_name(letter))]
    encoding = {
        "Type": Name("Encoding"),
        "BaseEncoding": Name("WinAnsiEncoding"),
        "Differences": differences,
    }
    return {
        font_key(font): _object(
            Type=Name("Font"),
            Subtype=Name("TrueType"),
            BaseFont=Name(font.name),
            FirstChar=FIRST_CODE,
            LastChar=255,
            Widths=[by_code.get(code, 0) for code in range(FIRST_CODE, 256)],
            FontDescriptor=Reference(_descriptor_key(font)),
            Encoding=encoding,
        ),
        _descriptor_key(font): _descriptor(font, opened),
    }


def _wide(font: EditFont, opened: TTFont) -> dict[str, PdfObject]:
    """Return a font in which the number of a glyph is its code, and text can be found again."""
    descendant, to_unicode = f"descendant {font.key}", f"unicode {font.key}"
    text = _to_unicode({opened.getGlyphID(name): code for code, name in _cmap(opened)})
    system = {"Registry": "Adobe", "Ordering": "Identity", "Supplement": 0}
    glyf = "glyf" in opened
    return {
        font_key(font): _object(
            Type=Name("Font"),
            Subtype=Name("Type0"),
            BaseFont=Name(font.name),
            Encoding=Name("Identity-H"),
            DescendantFonts=[Reference(descendant)],
            ToUnicode=Reference(to_unicode),
        ),
        descendant: _object(
            Type=Name("Font"),
            Subtype=Name("CIDFontType2" if glyf else "CIDFontType0"),
            BaseFont=Name(font.name),
            CIDSystemInfo=system,
            DW=_FULL_WIDTH,
            W=list(_widths(opened)),
            CIDToGIDMap=Name("Identity") if glyf else None,
            FontDescriptor=Reference(_descriptor_key(font)),
        ),
        to_unicode: stream({}, zlib.compress(text.encode("ascii"), 9)),
        _descriptor_key(font): _descriptor(font, opened),
    }


def _descriptor(font: EditFont, opened: TTFont) -> PdfObject:
    head, hhea = opened["head"], opened["hhea"]
    per_thousand = 1000 / head.unitsPerEm
    bounds = (head.xMin, head.yMin, head.xMax, head.yMax)
    cap_height = getattr(opened["OS/2"], "sCapHeight", 0) or 0.7 * head.unitsPerEm
    file_entry = "FontFile2" if "glyf" in opened else "FontFile3"
    return _object(
        Type=Name("FontDescriptor"),
        FontName=Name(font.name),
        Flags=_SYMBOLIC if font.is_wide else _NON_SYMBOLIC,
        FontBBox=[round(side * per_thousand) for side in bounds],
        ItalicAngle=0,
        Ascent=round(hhea.ascent * per_thousand),
        Descent=round(hhea.descent * per_thousand),
        CapHeight=round(cap_height * per_thousand),
        StemV=120,
        **{file_entry: Reference(program_key(font))},
    )


def _program(font: EditFont, opened: TTFont) -> PdfObject:
    data = Path(font.file).read_bytes()
    form = {"Length1": len(data)} if "glyf" in opened else {"Subtype": Name("OpenType")}
    return stream(form, zlib.compress(data, 9))


def _widths(opened: TTFont) -> Iterator[int | list[int]]:
    """Yield the first number and the widths of each run of glyphs that are not full width."""
    metrics, per_thousand = opened["hmtx"].metrics, 1000 / opened["head"].unitsPerEm
    run: list[int] = []
    names = opened.getGlyphOrder()
    for glyph, name in enumerate([*names, None]):
        width = round(metrics[name][0] * per_thousand) if name is not None else _FULL_WIDTH
        if width != _FULL_WIDTH:
            run.append(width)
        elif run:
            yield glyph - len(run)
            yield run
            run = []


def _cmap(opened: TTFont) -> Iterator[tuple[int, str]]:
    """Yield characters and their glyphs, the one a shared glyph is best read as last."""
    yield from sorted(opened.getBestCmap().items(), reverse=True)


def _to_unicode(letters: Mapping[int, int]) -> str:
    """Return the table that gives the character of each glyph number."""
    rows = [f"<{glyph:04x}> <{_utf16(code)}>" for glyph, code in sorted(letters.items())]
    blocks = [rows[start : start + 100] for start in range(0, len(rows), 100)]
    tables = (f"{len(one)} beginbfchar\n" + "\n".join(one) + "\nendbfchar" for one in blocks)
    return "\n".join([_TO_UNICODE_HEAD, *tables, _TO_UNICODE_FOOT])


def _utf16(code: int) -> str:
    return chr(code).encode("utf-16-be").hex()


def _descriptor_key(font: EditFont) -> str:
    return f"descriptor {font.key}"


def _object(**entries: Any) -> PdfObject:
    return PdfObject(written(entries))


_TO_UNICODE_HEAD = """\
/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <ffff>
endcodespacerange"""
_TO_UNICODE_FOOT = """\
endcmap
CMapName currentdict /CMap defineresource pop
end
end"""
