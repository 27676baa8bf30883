"""Font files: which characters they have, how wide text runs, and its outlines."""

from __future__ import annotations

import functools
import re
import struct
import unicodedata
from pathlib import Path
from typing import Literal

import uharfbuzz

from storyboard.lettering.outlines import Command, Outline, quadratic

FONTS_FOLDER = Path(__file__).parent.parent / "fonts"

Embedding = Literal["editable", "view", "none"]


class Font:
    """A TrueType or OpenType font, opened for measuring and drawing. Lengths are in font units.

    Attributes:
        path: the file.
        name: of letters, digits and hyphens, so that it can name the font in a PDF.
        is_truetype: whether its outlines are TrueType's, which every viewer can edit with.
        embedding: what its licence bits allow: editing with it, only viewing, or nothing.
    """

    def __init__(self, path: Path) -> None:
        """Open the font file at `path`."""
        self.path = path
        self.name = re.sub(r"[^A-Za-z0-9]+", "-", path.stem).strip("-") or "Font"
        self._face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path)))
        self._font = uharfbuzz.Font(self._face)
        extents = self._font.get_font_extents("ltr")
        self.units_per_em: int = self._face.upem
        self.ascent: int = extents.ascender
        self.descent: int = extents.descender
        self.cap_height: int = self._top_of("H")
        self.is_truetype = "glyf" in self._face.table_tags
        self.embedding: Embedding = _embedding(self._table("OS/2"))

    def __repr__(self) -> str:
        """Return the font's name, which is the same in every run."""
        return f"Font({self.name})"

    @functools.cached_property
    def characters(self) -> frozenset[str]:
        """Every character the font has a glyph for."""
        return frozenset(map(chr, self._face.unicodes))

    @functools.cached_property
    def bounds(self) -> tuple[int, int, int, int]:
        """The box around all glyphs: least x and y, greatest x and y."""
        left, bottom, right, top = struct.unpack(">4h", self._table("head")[36:44])
        return left, bottom, right, top

    @functools.lru_cache(maxsize=4096)  # noqa: B019 - fonts stay open as long as the program runs
    def has(self, character: str) -> bool:
        """Whether the character can be drawn, as a glyph or put together from letter and mark."""
        if character in self.characters:
            return True
        parts = unicodedata.normalize("NFD", character)
        return len(parts) > 1 and all(part in self.characters for part in parts)

    def advance(self, text: str) -> int:
        """Return how far the kerned text runs."""
        return sum(position.x_advance for _, position in self._shaped(text))

    def outline(self, text: str) -> Outline:
        """Return the kerned text as an outline, y up, starting at (0, 0) on the baseline."""
        commands: list[Command] = []
        x = 0
        for glyph, position in self._shaped(text):
            commands += self._glyph(glyph, x + position.x_offset, position.y_offset)
            x += position.x_advance
        return Outline(tuple(commands))

    def shaped_glyphs(self, text: str) -> list[tuple[int, int, int]]:
        """Return number, own advance and kerned advance for each glyph of a level text."""
        return [
            (glyph, self._font.get_glyph_h_advance(glyph), position.x_advance)
            for glyph, position in self._shaped(text)
        ]

    def upright(self, character: str) -> tuple[int, Outline, bool]:
        """Return a character of a vertical line: advance, outline, and if it has a vertical form.

        The outline is y up; the cell starts at y = 0, goes down, and has its middle at x = 0.
        """
        ((glyph, position),) = self._shaped(character, vertical=True)[:1]
        outline = Outline(tuple(self._glyph(glyph, position.x_offset, position.y_offset)))
        nominal = self._font.get_nominal_glyph(ord(character[0]))
        return -position.y_advance, outline, glyph != nominal

    def _shaped(
        self, text: str, *, vertical: bool = False
    ) -> list[tuple[int, uharfbuzz.GlyphPosition]]:
        """Return glyph number and position for each glyph, kerning applied, ligatures not."""
        buffer = uharfbuzz.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        if vertical:
            buffer.direction = "ttb"
        uharfbuzz.shape(self._font, buffer, {"kern": True, "liga": False})
        glyphs = [info.codepoint for info in buffer.glyph_infos]
        return list(zip(glyphs, buffer.glyph_positions, strict=True))

    def _glyph(self, glyph: int, dx: float, dy: float) -> list[Command]:
        pen = _OutlinePen(dx, dy)
        self._font.draw_glyph_with_pen(glyph, pen)
        return pen.commands

    def _top_of(self, character: str) -> int:
        glyph = self._font.get_nominal_glyph(ord(character))
        extents = glyph and self._font.get_glyph_extents(glyph)
        return int(extents.y_bearing) if extents else round(0.7 * self.units_per_em)

    def _table(self, tag: str) -> bytes:
        return bytes(self._face.reference_table(tag).data or b"")


def _embedding(os2: bytes) -> Embedding:
    """Return what the bits of OS/2's fsType allow. Of several levels the most open one counts."""
    if len(os2) < 10:
        return "editable"
    (bits,) = struct.unpack(">H", os2[8:10])
    level = bits & 0xF
    if bits & 0x200 or level == 2:  # only bitmaps; restricted licence
        return "none"
    return "view" if level & 4 and not level & 8 else "editable"


class _OutlinePen:
    """Collects one glyph's drawing commands, shifted to its place in the line."""

    def __init__(self, dx: float, dy: float) -> None:
        self.commands: list[Command] = []
        self._dx = dx
        self._dy = dy
        self._current = (0.0, 0.0)

    def _placed(self, point: tuple[float, float]) -> tuple[float, float]:
        return point[0] + self._dx, point[1] + self._dy

    def moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802 - the pen's interface
        self._current = self._placed(point)
        self.commands.append(("M", self._current))

    def lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802 - the pen's interface
        self._current = self._placed(point)
        self.commands.append(("L", self._current))

    def qCurveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802 - the pen's interface
        control, end = map(self._placed, points)  # uharfbuzz gives one control point a curve
        self.commands.append(quadratic(self._current, control, end))
        self._current = end

    def curveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802 - the pen's interface
        placed = [self._placed(point) for point in points]
        self.commands.append(("C", tuple(value for point in placed for value in point)))
        self._current = placed[-1]

    def closePath(self) -> None:  # noqa: N802 - the pen's interface
        self.commands.append(("Z", ()))


@functools.cache
def open_font(path: Path) -> Font:
    """Return the font in a file, opened once."""
    return Font(path)


@functools.cache
def shipped_font(name: str) -> Font:
    """Return one of the fonts that come with the tool, by its file's name without the ending."""
    return open_font(FONTS_FOLDER / f"{name}.ttf")


def dialogue_font() -> Font:
    """Return the font of Latin balloons and narration boxes."""
    return shipped_font("ComicNeue-Bold")


def sound_font() -> Font:
    """Return the font of Latin sound effects."""
    return shipped_font("Bangers-Regular")
